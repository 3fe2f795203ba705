"""What every figure is measured with: the real parts, topics that stamp arrival, processes, and the reading of arrival times."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from shared.contracts import Topics
from shared.kafka import KeyedPublisher, Outgoing
from shared.kafka_admin import TopicSpec, ensure_topics

ARRIVAL = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(8 * 1024 * 1024)}
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Parts:
    """One Kafka and one PostgreSQL for all runs; each run has its own topics and its own database."""

    folder: Path
    kafka: LocalKafka = field(init=False)
    postgres: LocalPostgres = field(init=False)

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.kafka = LocalKafka(self.folder / "kafka")
        self.postgres = LocalPostgres(self.folder / "postgres")

    def start(self) -> None:
        self.kafka.start()
        self.postgres.start()

    def stop(self) -> None:
        self.kafka.stop()
        self.postgres.stop()


@dataclass
class Run:
    """One run: a topic prefix and a database of its own, and the processes started in it."""

    bootstrap: str
    database_url: str
    policy: str = "eu-policy-only"
    prefix: str = field(default_factory=lambda: f"b{uuid4().hex[:8]}.")
    extra: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def topics(self) -> Topics:
        return Topics(self.prefix)

    def environment(self) -> dict[str, str]:
        return (
            os.environ
            | {
                "KAFKA_BOOTSTRAP": self.bootstrap,
                "DATABASE_URL": self.database_url,
                "GUICHET_TOPIC_PREFIX": self.prefix,
                "GUICHET_POLICY": self.policy,
                "GUICHET_LOG_LEVEL": "WARNING",
                "GUICHET_WEBHOOK_ALLOW_LOCAL": "true",
            }
            | self.extra
        )

    @contextmanager
    def running(self, *modules: str, arguments: Sequence[str] = (), wait: bool = True) -> Any:
        """Run *modules* as processes of their own until the block ends."""
        for module in modules:
            self.ports[module] = free_port(0, taken=set(self.ports.values()))
            environment = self.environment() | {"GUICHET_PORT": str(self.ports[module])}
            self.processes[module] = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, cwd=ROOT)
        try:
            if wait:
                for module in modules:
                    self._until_ready(module)
            yield self
        finally:
            for module in modules:
                self.processes[module].terminate()
            for module in modules:
                try:
                    self.processes.pop(module).wait(20)
                except subprocess.TimeoutExpired:
                    raise RuntimeError(f"{module} does not end") from None

    def _until_ready(self, module: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[module]}/health/ready", timeout=2) as answer:
                    if json.loads(answer.read())["status"] == "ready":
                        return
            except OSError:
                time.sleep(0.1)
            if self.processes[module].poll() is not None:
                raise RuntimeError(f"{module} ended with {self.processes[module].returncode}")
        raise RuntimeError(f"{module} is not ready")

    def rss_mb(self) -> dict[str, float]:
        """Return the resident memory of each running process in MB."""
        return {module: psutil.Process(process.pid).memory_info().rss / 1e6 for module, process in self.processes.items()}

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time each running process used so far."""
        return {module: sum(psutil.Process(process.pid).cpu_times()[:2]) for module, process in self.processes.items()}


async def make_topics(bootstrap: str, names: Iterable[str], partitions: int = 3) -> None:
    """Create topics that stamp each record with the time the log took it."""
    await ensure_topics(bootstrap, [TopicSpec(name, partitions, ARRIVAL) for name in names])


async def forget_topics(bootstrap: str) -> None:
    """Delete the topics of earlier runs: a broker with thousands of partitions is another broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if not name.startswith("__")]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()


async def fill(bootstrap: str, topic: str, records: Iterable[tuple[bytes, bytes]], headers: list[tuple[str, bytes]] | None = None) -> int:
    """Write (key, value) *records* to *topic*; return how many."""
    publisher = KeyedPublisher(bootstrap)
    count, chunk = 0, []
    for key, value in records:
        chunk.append(Outgoing(topic, key, value, headers or []))
        count += 1
        if len(chunk) == 2000:
            await publisher.publish(chunk)
            chunk = []
    await publisher.publish(chunk)
    await publisher.stop()
    return count


async def until_arrived(bootstrap: str, topics: Sequence[str], expected: int, *, timeout_seconds: float = 180) -> None:
    """Return when *topics* hold *expected* records together. Raises ``TimeoutError`` naming how many came."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    await consumer.start()
    arrived = 0
    try:
        places = [TopicPartition(topic, partition) for topic in topics for partition in await _partitions(consumer, topic)]
        deadline = time.monotonic() + timeout_seconds
        while arrived < expected:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{arrived} of {expected} arrived on {', '.join(topics)}")
            await asyncio.sleep(0.1)
            arrived = sum((await consumer.end_offsets(places)).values())
    finally:
        await consumer.stop()


async def rate(bootstrap: str, topics: Sequence[str], expected: int, *, event_type: bytes | None = None) -> float:
    """Return records per second on *topics* by the log's own clock, after the first tenth (start-up is not what is measured)."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    stamps: list[int] = []
    try:
        async with asyncio.timeout(60):
            while len(stamps) < expected:
                for batch in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                    stamps += [r.timestamp for r in batch if event_type is None or ("ce_type", event_type) in r.headers]
    finally:
        await consumer.stop()
    stamps.sort()
    tenth = len(stamps) // 10
    return (len(stamps) - tenth) / max(0.001, (stamps[-1] - stamps[tenth]) / 1000)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client._wait_on_metadata(topic)
    return consumer.partitions_for_topic(topic) or set()
