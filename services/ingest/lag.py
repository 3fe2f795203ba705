"""How many messages of each participant wait to be read: sampled beside the door, so that a request costs no question to Kafka."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

log = logging.getLogger(__name__)


class LagMeter:
    """Keeps the lag on each topic that a consumer group reads.

    What could not be measured counts as no lag: a door never closes on a guess.
    """

    def __init__(self, bootstrap: str, groups: Mapping[str, Callable[[], Collection[str]]], *, every_seconds: float = 1.0) -> None:
        self._bootstrap = bootstrap
        self._groups = groups
        self._every = every_seconds
        self._lag: Mapping[str, int] = {}

    def __getitem__(self, topic: str) -> int:
        return self._lag.get(topic, 0)

    async def run(self) -> None:
        """Sample until cancelled; Kafka's absence empties the samples and is tried again."""
        while True:
            try:
                await self._sample()
            except (KafkaError, OSError, TimeoutError) as exc:
                log.warning("lag.unknown", extra={"error": type(exc).__name__})
            self._lag = {}
            await asyncio.sleep(self._every)

    async def _sample(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        try:
            await admin.start()
            await consumer.start()
            while True:
                async with asyncio.timeout(10):
                    self._lag = await self._measure(admin, consumer)
                await asyncio.sleep(self._every)
        finally:
            await admin.close()
            await consumer.stop()

    async def _measure(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> dict[str, int]:
        measured: dict[str, int] = {}
        for group, topics in self._groups.items():
            places = await self._places(topics(), admin)
            if places:
                measured |= await self._lag_of(group, await consumer.end_offsets(places), admin, consumer)
        return measured

    async def _lag_of(
        self, group: str, ends: Mapping[TopicPartition, int], admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
    ) -> dict[str, int]:
        committed = await admin.list_consumer_group_offsets(group)
        unread = [place for place in ends if place not in committed or committed[place].offset < 0]
        starts = await consumer.beginning_offsets(unread) if unread else {}
        lag = dict.fromkeys((place.topic for place in ends), 0)
        for place, end in ends.items():
            lag[place.topic] += end - (starts[place] if place in starts else committed[place].offset)
        return lag

    async def _places(self, topics: Collection[str], admin: AIOKafkaAdminClient) -> list[TopicPartition]:
        """Return the partitions of those topics that exist."""
        wanted = sorted(topics)
        described = await admin.describe_topics(wanted) if wanted else []
        return [
            TopicPartition(topic["topic"], p["partition"]) for topic in described if not topic["error_code"] for p in topic["partitions"]
        ]
