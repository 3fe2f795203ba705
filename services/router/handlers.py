"""The router's shell: a batch of records in, one transaction, events out, and only then may the offset move."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import attrgetter
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from aiokafka import ConsumerRecord
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.router import store, transition
from services.router.batch import Batch, Received, bodies_needed, disputable, named_by, numbers_held, reached_by
from services.router.fold import Input
from services.router.links import is_reference
from services.router.policy.model import Policy
from services.router.transition import Transition
from shared.contracts import INPUTS, Answer, Command, Outcome, Topics, derived_id, header
from shared.db import transaction
from shared.kafka import DeadLetters, KeyedPublisher, Outgoing, Records
from shared.model import Filing, Model
from shared.model.filing import KINDS

log = logging.getLogger(__name__)

SLICE: Final = 50
"""Transitions made between two chances for the heartbeat and the health page."""
WRITE_FROM: Final = 200
"""Rows worth a write of their own, which the server does while the next inputs are folded."""

SETTLE_SECONDS: Final = 1.0
"""Pause before what is published is struck off, if no batch comes to do it."""
LOOK_EVERY: Final = 3
"""After so many of these pauses comes a look at what others stored and did not publish."""
LEFT_BEHIND: Final = timedelta(seconds=10)
"""A batch not published after so long was left by a process that died (or Kafka is away, and publishing it again harms nobody)."""

_KNOWN_TYPES: Final = dict(INPUTS.items())
_kinds = attrgetter(*KINDS)


class Unreadable(Exception):
    """A record that is no input; ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Saying(NamedTuple):
    """The batch whose events go out, or went out last."""

    batch: UUID
    task: asyncio.Task[None]


class Router:
    """Folds what it reads. One instance a process; several processes share the work by partition."""

    def __init__(
        self,
        policy: Policy,
        topics: Topics,
        engine: AsyncEngine,
        publisher: KeyedPublisher,
        dead: DeadLetters,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._policy = policy
        self._topics = topics
        self._engine = engine
        self._publisher = publisher
        self._dead = dead
        self._clock = clock
        self._policy_saved = False
        self._published: set[UUID] = set()
        self._saying: Saying | None = None

    async def on_inputs(self, records: Records) -> asyncio.Task[None] | None:
        """Fold one batch of filings, answers and commands and store it; a record that is no input is put aside.

        What it caused is published, after what the batch before caused, while the next batch may already be folded: the task returned ends
        when it is out.
        """
        began = time.perf_counter()
        inputs = await self._read(records)
        if not inputs:
            return None
        published, batch, saying = tuple(self._published), uuid4(), self._saying
        ours = published if saying is None else (*published, saying.batch)
        async with transaction(self._engine) as connection:
            outgoing = await self._fold(connection, inputs, batch, published, ours)
        self._published.difference_update(published)
        if saying is not None:
            await asyncio.wait([saying.task])
        self._saying = Saying(batch, asyncio.create_task(self._say(batch, outgoing)))
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        log.info("batch.folded", extra={"inputs": len(inputs), "events": len(outgoing), "took_ms": took_ms})
        return self._saying.task

    async def _say(self, batch: UUID, outgoing: Sequence[Outgoing]) -> None:
        """Publish what *batch* caused: it is stored, and what comes later must wait for it."""
        await self._publisher.publish_until_out(outgoing)
        self._published.add(batch)

    async def settle(self) -> None:
        """Strike off what is published when no batch comes to do it, and publish what a process that died left behind."""
        for pause in count():
            await asyncio.sleep(SETTLE_SECONDS)
            published, outgoing = tuple(self._published), []
            if not published and pause % LOOK_EVERY:
                continue
            async with transaction(self._engine) as connection:
                await store.said(connection, published)
                found = await store.left(connection, self._clock() - LEFT_BEHIND)
                if found is not None:
                    outgoing = await self._again(connection, await store.applied(connection, found.causes))
            self._published.difference_update(published)
            if found is not None:
                await self._publisher.publish(outgoing)
                self._published.add(found.batch)
                log.warning("batch.left_behind", extra={"causes": len(found.causes)})

    async def _read(self, records: Records) -> list[Received]:
        """Return the inputs of a batch, all applied at one time: now.

        A question's clock starts when it is asked, not when the filing began to wait; a replay folds with the time that is stored.
        """
        inputs, now = [], self._clock()
        for record in records:
            try:
                inputs.append(received(record, self._topics, now))
            except Unreadable as exc:
                await self._dead.put(record, exc.code, str(exc))
        return inputs

    async def _fold(
        self, connection: AsyncConnection, inputs: Sequence[Received], id: UUID, published: Sequence[UUID], ours: Sequence[UUID]
    ) -> list[Outgoing]:
        """Fold what is new; return its events, after those that were stored before and must be heard first: of inputs that come again, and
        of other processes for the same dossiers. *ours* are out, or on their way before these."""
        if not self._policy_saved:
            await store.save_policy(connection, self._policy)
        known = await store.applied(connection, {entry.entry.cause_id for entry in inputs})
        inputs = mark_conflicts(inputs, known)
        if conflicts := {entry.entry.cause_id for entry in inputs if entry.entry.conflict}:
            known |= await store.applied(connection, conflicts)
        new = [entry for entry in inputs if entry.entry.cause_id not in known]
        batch = await self._load(connection, new)
        keys = batch.keys() | {entry.entry.key for entry in inputs}
        if unsaid := await store.unsaid(connection, keys, published, ours) - known.keys():
            known |= {cause: row for cause, row in (await store.applied(connection, unsaid)).items() if row.key in keys}
        outgoing = await self._again(connection, known) if known else []
        async with store.writer(connection) as writer:
            written = paused = 0
            for entry in new:
                batch.apply(entry)
                made = len(batch.transitions)
                if made - paused < SLICE:
                    continue
                if made - written >= WRITE_FROM:
                    await writer.put(batch.transitions[written:])
                    written = made
                paused = made
                await asyncio.sleep(0)
        await store.save(connection, id, batch, self._clock(), written)
        self._policy_saved = True
        return [*outgoing, *batch.outgoing]

    async def _load(self, connection: AsyncConnection, inputs: Sequence[Received]) -> Batch:
        named = named_by(inputs)
        links = await self._links(connection, named, reached_by(inputs)) if named else {}
        keys = {entry.entry.key for entry in inputs} | links.keys()
        keys.update(key for linked in links.values() for key in linked)
        dossiers = await store.lock_dossiers(connection, keys) if keys else {}
        if named and (more := numbers_held(dossiers) - links.keys()):
            await store.lock_refs(connection, more)
            links |= await store.beneath(connection, more)
            dossiers |= await store.lock_dossiers(connection, more)
        if doubtful := disputable(dossiers):
            links |= await store.beneath(connection, doubtful)
            dossiers |= await store.lock_dossiers(connection, {key for ref in doubtful for key in links[ref]} - dossiers.keys())
        needed = bodies_needed(inputs, dossiers, links) if dossiers else set()
        bodies = await store.bodies(connection, needed) if needed else {}
        return Batch(self._policy, self._topics, dossiers, links, bodies)

    async def _links(self, connection: AsyncConnection, named: Set[tuple[str, str]], reached: Set[str]) -> dict[str, set[str]]:
        """Lock the keys that are *named*; return what those that are *reached* lead to, and the receptacles beneath them, and of the others
        whether they lead to who names them."""
        refs = {ref for ref, _ in named}
        await store.lock_refs(connection, refs)
        links: dict[str, set[str]] = {}
        while reached:
            links |= await store.beneath(connection, reached)
            reached = {key for ref in reached for key in links[ref] if is_reference(key)} - links.keys()
            if reached - refs:
                await store.lock_refs(connection, reached - refs)
        for ref in refs - links.keys():
            links[ref] = set()
        if asked := {(ref, key) for ref, key in named if ref != key and not links[ref]}:
            for ref, key in await store.among(connection, asked):
                links[ref].add(key)
        return links

    async def _again(self, connection: AsyncConnection, rows: Mapping[UUID, Transition]) -> list[Outgoing]:
        """Return the stored events of *rows* and of the rows they point at, in the order of each dossier."""
        told = dict(rows)
        pointed = _pointed(told.values())
        while missing := pointed - told.keys():
            more = await store.applied(connection, missing)
            told |= more
            pointed = _pointed(more.values())
        return [
            transition.again(event, row.key, self._topics)
            for row in sorted(told.values(), key=lambda row: (row.key, row.sequence))
            for event in transition.stored_events(row.events)
            if not isinstance(event, UUID)
        ]


def _pointed(rows: Iterable[Transition]) -> set[UUID]:
    return {event for row in rows for event in transition.stored_events(row.events) if isinstance(event, UUID)}


# --- reading records ----------------------------------------------------------------------------------------------------------------------


def received(record: ConsumerRecord[bytes, bytes], topics: Topics, now: datetime) -> Received:
    """Return the input that *record* holds, applied at *now*. A record without a type is what its topic is for.

    Raises :class:`Unreadable`.
    """
    name = header(record.headers, "ce_type") or _type_by_topic(record.topic, topics)
    model = _KNOWN_TYPES.get(name)
    if model is None:
        raise Unreadable("router.unknown_type", f"no input of type {name[:100]!r}")
    raw = record.value or b""
    try:
        body = model.from_json(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Unreadable("router.invalid", f"{name}: {place}: {first['msg']} ({exc.error_count()} in all)") from exc
    return Received(_input(body), raw, now)


def _input(body: Model) -> Input:
    if isinstance(body, Filing):
        said = len(KINDS) - _kinds(body).count(None)
        if said != 1 and (said or body.function != "cancel"):
            raise Unreadable("router.invalid", f"a filing is about one of: {', '.join(KINDS)}")
        return Input(body.filing_id, body.key, "filing", body)
    if isinstance(body, Answer):
        if body.outcome is Outcome.WITHDRAWN:
            raise Unreadable("router.invalid", "a service does not withdraw")
        return Input(derived_id("answer", body.service, body.key, body.answer_id), body.key, "answer", body)
    assert isinstance(body, Command)
    return Input(body.command_id, body.key, "command", body)


def _type_by_topic(topic: str, topics: Topics) -> str:
    return {topics.filings: "guichet.filing", topics.answers: "guichet.answer", topics.commands: "guichet.command"}.get(topic, "")


def mark_conflicts(inputs: Sequence[Received], known: dict[UUID, Transition]) -> list[Received]:
    """Return *inputs* with each cause once: what says the same again is dropped within the batch; what says something else under a used
    id becomes a
    conflict with an id of its own."""
    first: dict[UUID, Any] = {}
    kept: list[Received] = []
    for entry in inputs:
        cause = entry.entry.cause_id
        earlier = first.get(cause)
        if earlier is None and cause in known:
            earlier = first[cause] = transition.input_of(known[cause]).body
            if _says_the_same(earlier, entry.entry.body):
                kept.append(entry)
                continue
        if earlier is None:
            first[cause] = entry.entry.body
            kept.append(entry)
        elif not _says_the_same(earlier, entry.entry.body):
            conflict = derived_id(cause, hashlib.sha256(entry.raw).hexdigest())
            if conflict not in first:
                first[conflict] = entry.entry.body
                kept.append(entry._replace(entry=Input(conflict, entry.entry.key, entry.entry.kind, entry.entry.body, conflict=True)))
    return kept


def _says_the_same(one: Model, other: Model) -> bool:
    if isinstance(one, Filing) and isinstance(other, Filing):
        return (one.key, one.content_digest, one.function, one.version) == (other.key, other.content_digest, other.function, other.version)
    return one == other
