"""A batch of events becomes rows of feeds and records on Kafka, once each, whatever is repeated and whoever works beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notify import store
from services.notify.handlers import Notifier
from services.notify.ledger import first_broken
from services.notify.match import index_of
from shared.contracts import NOTICE_TYPE, Notice, Outcome, Topics, header
from shared.db import create_engine
from shared.directory import Channel, Directory
from shared.directory_store import topics_of_all
from shared.kafka import KeyedPublisher, Outgoing
from shared.kafka_admin import ensure_topics
from tests.unit.services.notify.builders import CUSTOMS, POST, a_decision, a_directory, a_record, a_subscription


class Recorder:
    """A publisher that remembers what it was given."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        self.published += messages


@pytest.fixture
async def engine(fresh_database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(fresh_database)
    yield engine
    await engine.dispose()


def a_notifier(engine: AsyncEngine, publisher: Any, topics: Topics, directory: Directory) -> Notifier:
    index = index_of(directory, lambda text: lambda notice: True)
    return Notifier(engine, publisher, topics, lambda: index, {}, lambda filed: None, CollectorRegistry())


def decisions(count: int, **values: Any) -> list[Any]:
    return [a_record(a_decision(key=f"post:RR{n:08d}CN", **values)) for n in range(count)]


@asynccontextmanager
async def reading(bootstrap: str, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def records_of(bootstrap: str, topic: str, count: int) -> list[Any]:
    async with reading(bootstrap, topic) as consumer, asyncio.timeout(20):
        found: list[Any] = []
        while len(found) < count:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
        return found


async def test_a_batch_read_twice_is_told_twice_with_the_same_numbers_ids_and_bytes(
    engine: AsyncEngine, kafka_bootstrap: str, topic_prefix: str
) -> None:
    topics = Topics(topic_prefix)
    directory = a_directory(a_subscription(CUSTOMS, Channel.KAFKA), a_subscription(POST, Channel.OUTBOUND))
    await ensure_topics(kafka_bootstrap, topics_of_all(topics, directory))
    publisher = KeyedPublisher(kafka_bootstrap)
    notifier = a_notifier(engine, publisher, topics, directory)
    batch = decisions(20)
    try:
        await notifier.on_events(batch)
        await notifier.on_events(batch)
    finally:
        await publisher.stop()

    for topic in (topics.release("FR"), topics.outbound(POST.id)):
        told = await records_of(kafka_bootstrap, topic, 40)
        by_id: dict[str | None, set[bytes]] = {}
        for record in told:
            by_id.setdefault(header(record.headers, "ce_id"), set()).add(record.value)
            notice = Notice.from_json(record.value)
            assert header(record.headers, "ce_type") == NOTICE_TYPE
            assert header(record.headers, "ce_sequence") == str(notice.feed_sequence)
            assert header(record.headers, "ce_subject") == notice.key == record.key.decode()
        assert len(by_id) == 20
        assert all(len(bodies) == 1 for bodies in by_id.values())
    for subscription in directory.subscriptions:
        assert (await store.read(engine, subscription.id, 0, 100)).sequences == list(range(1, 21))


async def test_release_and_hold_go_to_their_own_topics(engine: AsyncEngine) -> None:
    recorder = Recorder()
    notifier = a_notifier(engine, recorder, Topics("t."), a_directory(a_subscription(CUSTOMS, Channel.KAFKA)))
    await notifier.on_events(decisions(2) + decisions(3, outcome=Outcome.HOLD) + decisions(1, outcome=Outcome.REFERRAL))
    assert [message.topic for message in recorder.published] == ["t.release.fr.v1"] * 2 + ["t.hold.fr.v1"] * 4


async def test_two_instances_number_one_feed_without_gaps_or_doubles(fresh_database: str) -> None:
    directory = a_directory(a_subscription(CUSTOMS, Channel.KAFKA), a_subscription(POST), a_subscription(CUSTOMS))
    everything = decisions(400)
    batches = [everything[start : start + 40] for start in range(0, 400, 20)]  # every event is in two batches
    engines = [create_engine(fresh_database), create_engine(fresh_database)]
    recorders = [Recorder(), Recorder()]
    try:
        notifiers = [a_notifier(e, r, Topics("t."), directory) for e, r in zip(engines, recorders, strict=True)]

        async def work(notifier: Notifier, share: list[list[Any]]) -> None:
            for batch in share:
                await notifier.on_events(batch)

        await asyncio.gather(work(notifiers[0], batches[::2]), work(notifiers[1], batches[1::2]))
        for subscription in directory.subscriptions:
            page = await store.read(engines[0], subscription.id, 0, 1000)
            assert page.sequences == list(range(1, 401))
            assert len({Notice.from_json(body).notice_id for body in page.bodies}) == 400
            assert first_broken(await store.chain(engines[0], subscription.id, 1, 1000)) is None
        told = {(header(m.headers, "ce_id"), header(m.headers, "ce_sequence"), m.value) for r in recorders for m in r.published}
        assert len(told) == 400
    finally:
        for engine in engines:
            await engine.dispose()


async def test_an_altered_row_breaks_the_chain(engine: AsyncEngine) -> None:
    subscription = a_subscription(POST)
    await a_notifier(engine, Recorder(), Topics("t."), a_directory(subscription)).on_events(decisions(5))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE notify.feed SET body = replace(body, 'release', 'hold') WHERE sequence = 3"))
    assert first_broken(await store.chain(engine, subscription.id, 1, 10)) == 3


async def test_what_was_said_of_one_consignment_can_be_traced(engine: AsyncEngine) -> None:
    directory = a_directory(a_subscription(POST), a_subscription(CUSTOMS), a_subscription(POST, Channel.WEBHOOK))
    await a_notifier(engine, Recorder(), Topics("t."), directory).on_events(decisions(3))
    lines = await store.trace(engine, "post:RR00000001CN")
    assert {line.subscription for line in lines} == {each.id for each in directory.subscriptions}
    assert [line.state for line in lines if line.state] == ["due"]


async def test_old_rows_are_forgotten_and_their_numbers_never_given_again(engine: AsyncEngine) -> None:
    subscription = a_subscription(POST, Channel.WEBHOOK)
    notifier = a_notifier(engine, Recorder(), Topics("t."), a_directory(subscription))
    await notifier.on_events(decisions(4))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE notify.feed SET created_at = created_at - interval '31 days' WHERE sequence <= 3"))
        before = (await connection.execute(text("SELECT now() - interval '30 days'"))).scalar_one()
    assert await store.forget(engine, before) == 3
    await notifier.on_events(decisions(1))
    assert (await store.read(engine, subscription.id, 0, 10)).sequences == [4, 5]
