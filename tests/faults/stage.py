"""A running hub that can be hurt: kill, stop and double its parts, and see from outside that it happened and how far it has got.

What is seen is asked of Kafka, of the operating system and of the sandbox, never of the part that was hurt.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import httpx
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.engine import make_url

from deploy.local import Process
from services.router import store
from services.sandbox.partners import DECISIONS, new_secret
from shared import directory_store
from shared.contracts import derived_id
from shared.db import create_engine, transaction
from shared.directory import Channel, Subscription
from tests.hub import ConnectedHub

HOOK: Final = "nl-customs"
"""Receiver of a webhook: the customs of the Netherlands want one beside their topics."""

Groups = dict[str, tuple[str, ...]]


async def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> None:
    """Return when *condition* (plain or awaitable) holds; fail with *what* when it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        held = condition()
        if isinstance(held, Awaitable):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Killed:
    """A ``kill -9`` that happened: the process is another one now, and the supervisor counted it."""

    name: str
    pid: int
    restarts: int


@dataclass(slots=True)
class Stage:
    """A connected hub, and what can be done to it."""

    connected: ConnectedHub

    # --- what can be done ---

    async def kill(self, name: str) -> Killed:
        """``kill -9`` the process that a part runs in now."""
        hub = self.connected.hub
        killed = Killed(name, self.pid(name), hub.supervisor.restarts(name))
        os.kill(killed.pid, signal.SIGKILL)
        await until(lambda: _gone(killed.pid), f"the end of {name}, process {killed.pid}", 10)
        return killed

    async def back(self, killed: Killed, seconds: float = 90.0) -> None:
        """Return when the supervisor has started the part again, in another process, with its restart counted."""
        name, hub = killed.name, self.connected.hub
        await until(
            lambda: hub.supervisor.restarts(name) > killed.restarts and hub.pid(name) != killed.pid and hub.supervisor.parts[name].alive(),
            f"another {name} after process {killed.pid}",
            seconds,
        )

    def stop(self, name: str) -> int:
        """SIGSTOP the process of a part."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        return pid

    async def join(self, name: str, of: str) -> None:
        """Start one more process of the part *of*, under *name*."""
        module = next(part.module for part in self.connected.hub.supervisor.parts.values() if part.name == of)  # type: ignore[attr-defined]
        await asyncio.to_thread(self.connected.hub.start_process, Process(name, module))

    async def leave(self, name: str) -> None:
        """Stop the process *name* politely and forget it."""
        if name in self.connected.hub.supervisor.parts:
            await asyncio.to_thread(self.connected.hub.supervisor.remove, name)

    # --- what can be seen ---

    def pid(self, name: str) -> int:
        """The number of the process a part runs in."""
        pid = self.connected.hub.pid(name)
        assert pid is not None
        return pid

    @property
    def kafka_port(self) -> int:
        return int(self.connected.hub.bootstrap.rpartition(":")[2])

    @property
    def database_port(self) -> int:
        return make_url(self.connected.hub.database_url).port or 0

    @property
    def groups(self) -> Groups:
        """Every consumer group of the hub, with the topics it reads."""
        topics = self.connected.topics
        inbound = tuple(topics.inbound(participant) for participant in self.connected.watched.participants)
        read = {
            "ingest": inbound,
            "ingest-large": (topics.large,),
            "router": (topics.filings, topics.answers, topics.commands),
            "notify": (topics.decisions,),
            "door": (topics.decisions,),
            "connect-risk": (topics.requests("risk"),),
            "sandbox": (topics.requests("single-window"),),
        }
        return {topics.group(name): names for name, names in read.items()}

    async def members(self, group: str) -> int:
        """Return how many members Kafka counts in *group*; 0 while it is being balanced anew."""
        async with self._admin() as admin:
            (answer,) = await admin.describe_consumer_groups([self.connected.topics.group(group)])
            (described,) = answer.groups
            return len(described[5]) if described[2] == "Stable" else 0

    async def lag(self) -> dict[str, int]:
        """Return, for each consumer group with lag, how many records it has not committed; as Kafka says."""
        async with self._admin() as admin, self._consumer() as consumer:
            places = [
                TopicPartition(topic["topic"], partition["partition"])
                for topic in await admin.describe_topics(sorted({topic for topics in self.groups.values() for topic in topics}))
                for partition in topic["partitions"]
            ]
            ends = await consumer.end_offsets(places)
            known = {name for name, *_ in await admin.list_consumer_groups()}
            assert known == set(self.groups), f"consumer groups on Kafka: {sorted(known)}"
            behind: dict[str, int] = {}
            for group, topics in self.groups.items():
                committed = await admin.list_consumer_group_offsets(group)
                of_group = [place for place in places if place.topic in topics]
                behind[group] = sum(ends[place] - (max(committed[place].offset, 0) if place in committed else 0) for place in of_group)
            return {group: count for group, count in behind.items() if count}

    async def dead(self) -> int:
        """Return how many records were ever put aside."""
        place = TopicPartition(self.connected.topics.dead, 0)
        async with self._consumer() as consumer:
            return int((await consumer.end_offsets([place]))[place])

    async def served(self) -> dict[str, dict[str, int]]:
        """Return what the sandbox did to its callers, by partner."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            counted: dict[str, dict[str, int]] = (await http.get(f"{self.connected.sandbox}/served")).raise_for_status().json()
        return counted

    async def worked(self, name: str) -> float:
        """Return how many records the process of a part has worked off since it began; 0 while it does not answer."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
                text = (await http.get(f"{self.connected.hub.url(name)}/metrics")).text
        except httpx.HTTPError:
            return 0.0
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("guichet_records_total{"))

    async def replayed(self, keys: Collection[str], random: Random, most: int) -> list[str]:
        """Fold the history of *most* of *keys* again; return the keys where it gives something else than is stored."""
        engine = create_engine(self.connected.hub.database_url, pool_size=1)
        try:
            differ = []
            for key in random.sample(sorted(keys), min(most, len(keys))):
                async with transaction(engine) as connection:
                    replay = await store.replayed(connection, key)
                if not replay.same or not replay.inputs:
                    differ.append(key)
            return differ
        finally:
            await engine.dispose()

    async def calm(self, seconds: float = 120.0) -> None:
        """Return when every part is ready and no group has lag; fail with what is missing."""
        await self.connected.hub.wait_ready(timeout_seconds=seconds)
        deadline = time.monotonic() + seconds
        while behind := await self.lag():
            assert time.monotonic() < deadline, f"lag after {seconds:.0f} s: {behind}"
            await asyncio.sleep(0.2)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.connected.hub.bootstrap)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.connected.hub.bootstrap, enable_auto_commit=False)
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()


async def with_webhook(connected: ConnectedHub) -> Stage:
    """Subscribe a customs administration by webhook too, and return the stage."""
    watched = connected.watched
    owner = next(each for each in watched.participants.values() if each.id == HOOK)
    subscription = Subscription(
        id=derived_id("faults", HOOK),
        participant=owner.id,
        event_types=DECISIONS,
        channel=Channel.WEBHOOK,
        endpoint=f"{connected.sandbox}/hooks/{HOOK}",
        secrets=(new_secret(),),
        created_at=datetime.now(UTC),
    )
    engine = create_engine(connected.hub.database_url, pool_size=1)
    try:
        await directory_store.add_subscription(engine, subscription)
        await directory_store.set_secrets(engine, subscription.id, subscription.secrets)
    finally:
        await engine.dispose()
    hooks = {**watched.hooks, subscription.id: HOOK}
    connected.watched = replace(watched, subscriptions=(*watched.subscriptions, subscription), hooks=hooks)
    await connected.behave()
    return Stage(connected)


def _gone(pid: int) -> bool:
    """True when the last thread has ended too: until then the process keeps its ports open."""
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
    except psutil.NoSuchProcess:
        return True
