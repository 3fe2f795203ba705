"""What our reading and publishing promise, on real Kafka; and the four behaviours of the libraries that make our own shell necessary."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.contracts import Topics
from shared.errors import StoreUnavailable
from shared.kafka import DeadLetters, KeyedPublisher, Outgoing, Reader, make_broker, subscribe
from shared.kafka_admin import TopicSpec, core_topics, ensure_topics
from shared.settings import Settings
from shared.telemetry import Metrics


@pytest.fixture
def settings(kafka_bootstrap: str) -> Settings:
    return Settings(kafka_bootstrap=kafka_bootstrap, topic_prefix=f"t{uuid.uuid4().hex[:10]}.", batch_timeout_ms=50)


@pytest.fixture
async def topic(settings: Settings) -> str:
    name = f"{settings.topic_prefix}things.v1"
    await ensure_topics(settings.kafka_bootstrap, [TopicSpec(name, 4), *core_topics(settings.topics)])
    return name


@pytest.fixture
async def publisher(settings: Settings) -> AsyncIterator[KeyedPublisher]:
    one = KeyedPublisher(settings.kafka_bootstrap, timeout_seconds=10)
    yield one
    await one.stop()


@asynccontextmanager
async def reading(
    settings: Settings, publisher: KeyedPublisher, topic: str, handler: Callable[[Sequence[Any]], Awaitable[None]]
) -> AsyncIterator[Reader]:
    metrics = Metrics()
    broker = make_broker(settings)
    reader = Reader(handler, DeadLetters(publisher, settings.topics, "test", metrics), metrics, group_of(topic))
    subscribe(broker, reader, settings, topics=[topic])
    await broker.start()
    try:
        yield reader
    finally:
        await reader.finish()
        await broker.stop()


def group_of(topic: str) -> str:
    return f"test-{topic}"


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def all_records(bootstrap: str, topic: str, count: int) -> list[ConsumerRecord]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    try:
        records: list[ConsumerRecord] = []
        async with asyncio.timeout(20):
            while len(records) < count:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records.extend(batch)
        return records
    finally:
        await consumer.stop()


async def committed(bootstrap: str, group: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return sum(place.offset for place in (await admin.list_consumer_group_offsets(group)).values())
    finally:
        await admin.close()


# --- our publisher -----------------------------------------------------------------------------------------------------------------------


async def test_records_of_one_key_share_a_partition_and_keep_their_order(settings: Settings, topic: str, publisher: KeyedPublisher) -> None:
    keys = [f"post:{n}".encode() for n in range(10)]
    await publisher.publish([Outgoing(topic, key, str(n).encode() * 3000, []) for n in range(300) for key in keys])
    partitions: dict[bytes, set[int]] = defaultdict(set)
    seen: dict[bytes, list[int]] = defaultdict(list)
    for record in await all_records(settings.kafka_bootstrap, topic, 3000):
        partitions[record.key].add(record.partition)
        seen[record.key].append(len(record.value))
    assert all(len(places) == 1 for places in partitions.values())
    assert len({next(iter(places)) for places in partitions.values()}) > 1
    assert all(lengths == [len(str(n)) * 3000 for n in range(300)] for lengths in seen.values())


async def test_a_record_larger_than_a_batch_is_published_whole(settings: Settings, topic: str, publisher: KeyedPublisher) -> None:
    await publisher.publish([Outgoing(topic, b"k", b"x" * 3_000_000, []), Outgoing(topic, b"k", b"small", [])])
    first, second = await all_records(settings.kafka_bootstrap, topic, 2)
    assert (len(first.value), second.value) == (3_000_000, b"small")


async def test_publishing_to_a_kafka_that_is_away_is_unavailable_within_its_time() -> None:
    publisher = KeyedPublisher("127.0.0.1:1", timeout_seconds=2)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(publisher.publish([Outgoing("t", b"k", b"v", [])]), 4)


# --- our reader --------------------------------------------------------------------------------------------------------------------------


async def test_a_record_with_a_header_that_is_not_utf8_reaches_the_handler(
    settings: Settings, topic: str, publisher: KeyedPublisher
) -> None:
    seen: list[bytes] = []

    async def handler(records: Sequence[Any]) -> None:
        seen.extend(record.value for record in records)

    await publisher.publish([Outgoing(topic, b"k", b"odd", [("name", b"\xff\xfe")]), Outgoing(topic, b"k", b"plain", [])])
    async with reading(settings, publisher, topic, handler):
        await until(lambda: len(seen) == 2)
    assert seen == [b"odd", b"plain"]


async def test_a_poison_record_is_put_aside_and_its_neighbours_are_worked_on(
    settings: Settings, topic: str, publisher: KeyedPublisher
) -> None:
    done: set[bytes] = set()

    async def handler(records: Sequence[Any]) -> None:
        for record in records:
            if record.value == b"7":
                raise KeyError("a bug")
        done.update(record.value for record in records)

    await publisher.publish([Outgoing(topic, b"k", str(n).encode(), [("ce_id", str(n).encode())]) for n in range(20)])
    async with reading(settings, publisher, topic, handler) as reader:
        await until(lambda: len(done) == 19)
        dead = await all_records(settings.kafka_bootstrap, settings.topics.dead, 1)
        await until(lambda: sum(reader.lag().values()) == 0)
    headers = dict(dead[0].headers)
    assert dead[0].value == b"7"
    assert headers["ce_id"] == b"7"
    assert headers["dead_code"] == b"bug.KeyError"
    assert headers["dead_topic"] == topic.encode()
    assert await committed(settings.kafka_bootstrap, settings.topics.group(group_of(topic))) == 20


async def test_a_batch_waits_for_a_store_that_is_away_and_nothing_is_committed_meanwhile(
    settings: Settings, topic: str, publisher: KeyedPublisher
) -> None:
    attempts: list[int] = []
    away = True

    async def handler(records: Sequence[Any]) -> None:
        attempts.append(len(records))
        if away:
            raise StoreUnavailable("away")

    await publisher.publish([Outgoing(topic, b"k", b"v", [])])
    async with reading(settings, publisher, topic, handler):
        await until(lambda: len(attempts) >= 2)
        assert await committed(settings.kafka_bootstrap, settings.topics.group(group_of(topic))) == 0
        away = False
        before = len(attempts)
        await until(lambda: len(attempts) > before)
        await asyncio.sleep(0.2)
    assert await committed(settings.kafka_bootstrap, settings.topics.group(group_of(topic))) == 1
    assert len(attempts) < 10, "waits between attempts instead of spinning"


# --- why: the libraries as they are ------------------------------------------------------------------------------------------------------


async def test_publish_batch_of_the_framework_ignores_keys(settings: Settings, topic: str) -> None:
    broker = KafkaBroker(settings.kafka_bootstrap)
    await broker.start()
    from faststream.kafka import KafkaPublishMessage

    for _ in range(12):
        await broker.publish_batch(*(KafkaPublishMessage(b"v", key=f"k{n}".encode()) for n in range(10)), topic=topic)
    await broker.stop()
    places: dict[bytes, set[int]] = defaultdict(set)
    for record in await all_records(settings.kafka_bootstrap, topic, 120):
        places[record.key].add(record.partition)
    assert any(len(partitions) > 1 for partitions in places.values())


async def _run_framework(settings: Settings, topic: str, policy: Any, body: Callable[[], Awaitable[None]], **options: Any) -> None:
    broker = KafkaBroker(settings.kafka_bootstrap, **options)
    extra = {} if policy is None else {"ack_policy": policy}

    @broker.subscriber(topic, group_id=f"framework-{topic}", auto_offset_reset="earliest", auto_commit_interval_ms=100, **extra)
    async def handle(_: Any) -> None:
        await body()

    await broker.start()
    await asyncio.sleep(2.0)
    await broker.stop()


async def test_the_default_policy_commits_records_whose_handler_failed(settings: Settings, topic: str, publisher: KeyedPublisher) -> None:
    await publisher.publish([Outgoing(topic, b"k", b"1", [("content-type", b"text/plain")]) for _ in range(5)])

    async def fail() -> None:
        raise ValueError

    await _run_framework(settings, topic, None, fail)
    assert await committed(settings.kafka_bootstrap, f"framework-{topic}") == 5


async def test_nack_on_error_repeats_without_a_pause(settings: Settings, topic: str, publisher: KeyedPublisher) -> None:
    await publisher.publish([Outgoing(topic, b"k", b"1", [("content-type", b"text/plain")])])
    runs = 0

    async def fail() -> None:
        nonlocal runs
        runs += 1
        raise ValueError

    await _run_framework(settings, topic, AckPolicy.NACK_ON_ERROR, fail, logger=None)
    assert runs > 50
    assert await committed(settings.kafka_bootstrap, f"framework-{topic}") == 0


async def test_the_framework_never_shows_a_record_whose_header_is_not_utf8(settings: Settings, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    await producer.send_and_wait(topic, b"odd", key=b"k", headers=[("name", b"\xff")])
    await producer.stop()
    shown = 0

    async def count() -> None:
        nonlocal shown
        shown += 1

    await _run_framework(settings, topic, None, count, logger=None)
    assert shown == 0


def test_topic_names_carry_the_participant_and_the_country_only() -> None:
    topics = Topics()
    assert topics.participant_of(topics.inbound("usp")) == "usp"
    assert (topics.release("NL"), topics.hold("NL")) == ("exchange.release.nl.v1", "exchange.hold.nl.v1")
