"""A whole hub for tests that need one: started once, participants connected, its doors and channels in reach.

``started`` brings it up in a folder of its own; ``ConnectedHub`` sends through its doors and watches what comes out. Kafka and PostgreSQL
are its own unless ``KAFKA_BOOTSTRAP`` and ``DATABASE_URL`` name others.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
from aiokafka import ConsumerRecord
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local import PROCESSES, Hub, Process, up
from services.sandbox.behaviour import Behaviour, Behaviours, HookBehaviour
from services.sandbox.checker import Checker
from services.sandbox.partners import connect, programme
from services.sandbox.tail import Tail, Watched
from services.sandbox.timeline import Timeline
from shared import directory_store
from shared.contracts import Command, ConsignmentAccepted, DecisionMade, EventBody, FilingRejected, Topics, event_headers
from shared.db import create_engine
from shared.kafka import KeyedPublisher, Outgoing
from shared.kafka_admin import ensure_topics
from tests.families import Family

Result = TypeVar("Result")

QUIET: Final = Behaviour(hold_rate=0.0, physical_rate=0.0, document_rate=0.0)
"""A service that releases everything at once."""
ENV: Final = {"GUICHET_POLICY": "eu-sandbox", "GUICHET_RETRY_SCALE": "0.1"}


class Watch(Tail):
    """A tail that also keeps what it saw, for tests that look closer."""

    events: list[EventBody]
    notices: list[ConsumerRecord[bytes, bytes]]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.events = []
        self.notices = []

    def seen_event(self, event: EventBody, at: datetime) -> None:
        """Keep the event."""
        self.events.append(event)
        super().seen_event(event, at)

    def seen_notice(self, record: ConsumerRecord[bytes, bytes], at: datetime) -> None:
        """Keep the notice's record."""
        self.notices.append(record)
        super().seen_notice(record, at)

    @property
    def checker(self) -> Checker:
        """The books."""
        return self._checker

    def accepted(self, key: str) -> list[ConsignmentAccepted]:
        """Return the acceptances of *key* in their order."""
        return [event for event in self.events if isinstance(event, ConsignmentAccepted) and event.key == key]

    def decisions(self, key: str) -> list[DecisionMade]:
        """Return the decisions on *key* in their order."""
        return [event for event in self.events if isinstance(event, DecisionMade) and event.key == key]

    def rejections(self, participant: str) -> list[FilingRejected]:
        """Return what *participant* was refused."""
        return [event for event in self.events if isinstance(event, FilingRejected) and event.rejection.participant == participant]

    def told(self, topic: str, key: str) -> list[bytes]:
        """Return the bodies of the notices about *key* on a topic (without prefix)."""
        whole = f"{self._topics.prefix}{topic}"
        return [record.value or b"" for record in self.notices if record.topic == whole and record.key == key.encode()]

    async def until(self, condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        """Return when *condition* holds; fail with *what* and what was seen when it does not in time."""
        until = time.monotonic() + seconds
        while not condition():
            self.check()
            seen = [f"{type(event).__name__} {event.key}" for event in self.events[-20:]]
            assert time.monotonic() < until, f"waited {seconds} s in vain for {what}; last seen: {seen}"
            await asyncio.sleep(0.05)


@dataclass(slots=True)
class ConnectedHub:
    """A running hub with the sandbox's participants connected."""

    hub: Hub
    watched: Watched
    topics: Topics

    @property
    def door(self) -> str:
        return self.hub.door

    @property
    def sandbox(self) -> str:
        return self.hub.url("sandbox")

    async def submit(self, participant: str, body: bytes, content_type: str, *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Post one message at the HTTP door; return its receipt."""
        headers = {"Authorization": f"Bearer {self.watched.keys[participant]}", "Content-Type": content_type}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            answer = await http.post(f"{self.door}/v1/submissions", content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    async def status(self, participant: str, receipt_id: str) -> dict[str, Any]:
        """Return the four answers to a receipt as far as they are given."""
        headers = {"Authorization": f"Bearer {self.watched.keys[participant]}"}
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            answer = await http.get(f"{self.door}/v1/submissions/{receipt_id}", headers=headers)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def stream(self, participant: str, *bodies: bytes, key: str | None = None) -> None:
        """Write raw bytes to the participant's own inbound topic."""
        topic = self.topics.inbound(participant)
        await self.publish(Outgoing(topic, key.encode() if key else None, body, []) for body in bodies)

    async def command(self, command: Command) -> None:
        """Write an officer's command."""
        headers = event_headers(id=command.command_id, type="guichet.command", source="tests", time=command.issued_at, subject=command.key)
        await self.publish([Outgoing(self.topics.commands, command.key.encode(), command.to_json(), headers)])

    async def publish(self, messages: Iterable[Outgoing]) -> None:
        """Publish records and wait until they are on the log."""
        publisher = KeyedPublisher(self.hub.bootstrap, client_id="guichet-tests")
        try:
            await publisher.publish(list(messages))
        finally:
            await publisher.stop()

    async def behave(self, services: Mapping[str, Behaviour] | None = None, hooks: Mapping[str, HookBehaviour] | None = None) -> None:
        """Programme the sandbox: services not named release everything at once, receivers not named are up."""
        services = {"risk": QUIET, "single-window": QUIET} | dict(services or {})
        await programme(self.sandbox, self.watched, Behaviours(services=services, hooks=hooks or {}))

    async def received(self, name: str) -> list[dict[str, Any]]:
        """Return what a webhook receiver has acknowledged."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            answer = await http.get(f"{self.sandbox}/hooks/{name}/received", params={"limit": 10_000})
        entries: list[dict[str, Any]] = answer.raise_for_status().json()["received"]
        return entries

    def subscription(self, participant: str) -> UUID:
        """Return the participant's subscription."""
        return next(subscription.id for subscription in self.watched.subscriptions if subscription.participant == participant)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Watch]:
        """Watch everything that comes out from now on."""
        watch = Watch(self.hub.bootstrap, self.topics, self.door, self.sandbox, self.watched, Checker(), Timeline())
        await watch.start()
        try:
            yield watch
        finally:
            await watch.stop()


@contextmanager
def started(
    *, processes: Iterable[Process] = PROCESSES, env: Mapping[str, str] | None = None, families: Sequence[Family] = ()
) -> Iterator[ConnectedHub]:
    """Start a whole hub in a folder of its own, connect the sandbox's participants and *families*, and leave nothing behind."""
    var = Path(tempfile.mkdtemp(prefix="guichet-hub-"))
    var.chmod(0o711)
    try:
        connected = in_thread(_connected(var, processes, {**ENV, **(env or {})}, families))
        try:
            yield connected
        finally:
            in_thread(connected.hub.down())
    finally:
        shutil.rmtree(var, ignore_errors=True)


async def _connected(var: Path, processes: Iterable[Process], env: Mapping[str, str], families: Sequence[Family]) -> ConnectedHub:
    topics = Topics()
    watched: list[Watched] = []

    async def prepared(hub: Hub) -> None:
        engine = create_engine(hub.database_url)
        try:
            watched.append(await connect(engine, hub.bootstrap, topics, hub.url("sandbox")))
            keys = {family.participant.id: await _add(engine, hub.bootstrap, topics, family) for family in families}
            watched[0] = replace(watched[0], keys={**watched[0].keys, **keys})
        finally:
            await engine.dispose()

    connected = ConnectedHub(await up(var, processes=processes, env=env, prepared=prepared), watched[0], topics)
    await connected.behave()
    return connected


async def _add(engine: AsyncEngine, bootstrap: str, topics: Topics, family: Family) -> str:
    """Connect the participant of *family*; return its key."""
    await ensure_topics(bootstrap, directory_store.topics_of(topics, family.participant, family.subscriptions))
    await directory_store.add_participant(engine, family.participant)
    for subscription in family.subscriptions:
        await directory_store.add_subscription(engine, subscription)
    return await directory_store.add_key(engine, family.participant.id)


def in_thread(work: Coroutine[Any, Any, Result]) -> Result:
    """Run *work* in an event loop of its own, away from the test's."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
