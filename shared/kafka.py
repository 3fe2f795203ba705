"""Kafka for the shells: read in batches, never lose, publish by key.

Reading is FastStream on aiokafka with the one policy that loses nothing (``NACK_ON_ERROR``), raw records and a parser that cannot raise.
Publishing is
ours: the framework's ``publish_batch`` puts a batch into one random partition whatever the keys. :class:`KeyedPublisher` chooses the
partition from the
key (CRC-32, librdkafka's *consistent* partitioner), fills one record batch per partition, and waits once for all acknowledgements.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final
from zlib import crc32

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import IllegalStateError, KafkaConnectionError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.message import AckStatus

from shared import garbage
from shared.contracts import Topics
from shared.db import StoreConflict
from shared.errors import HubError, StoreUnavailable, Unavailable
from shared.outgoing import Outgoing as Outgoing
from shared.settings import Settings
from shared.telemetry import Metrics

log = logging.getLogger(__name__)

Records = Sequence[ConsumerRecord[bytes, bytes]]
Handler = Callable[[Records], Awaitable["asyncio.Task[None] | None"]]
"""Works a batch off. What it returns is still under way when it ends: the next batch may begin beside it, the offset waits for it. It must
go on until it succeeds: a batch cannot be handed over again once the next has begun."""

BATCH_BYTES: Final = 512 * 1024
COMMIT_SECONDS: Final = 0.1
COMMIT_PATIENCE_SECONDS: Final = 10.0
"""How long one commit may take; what is not committed then is tried again with what follows."""
REQUEST_BYTES: Final = 9 * 1024 * 1024
FETCH_WAIT_MS: Final = 50
"""How long the broker may hold a fetch that finds nothing. A partition whose records are in hand is left out of the next fetch, so this
is also the longest time its newer records may wait."""


_send = AIOKafkaConnection.send


def send_or_broken(connection: AIOKafkaConnection, request: Any, expect_response: bool = True) -> Any:
    """Send *request*, and say of a connection that is closed that it is broken.

    The event loop has a ``RuntimeError`` for a closed transport, which the library does not expect: the task that keeps its metadata ended
    with it, silently, and a consumer that met a dying broker at that moment never found its group again.
    """
    try:
        return _send(connection, request, expect_response)
    except RuntimeError as exc:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"Connection at {connection.host}:{connection.port} broken: {exc}") from exc


AIOKafkaConnection.send = send_or_broken


class KeyedPublisher:
    """Publishes records by key and returns when every in-sync replica has them."""

    def __init__(self, bootstrap: str, *, timeout_seconds: float = 30.0, client_id: str = "guichet") -> None:
        self._bootstrap = bootstrap
        self._timeout = timeout_seconds
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises :class:`StoreUnavailable` when Kafka is away."""
        await self._connected()

    async def stop(self) -> None:
        """Flush what is on its way and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def publish(self, messages: Iterable[Outgoing], *, timeout_seconds: float | None = None) -> None:
        """Publish *messages*, in order per key, and wait for all acknowledgements (``acks=all``).

        Raises :class:`StoreUnavailable` when they are not all acknowledged in time: then nobody knows which are, and the same records
        (same ids) must be
        published again.
        """
        try:
            async with asyncio.timeout(timeout_seconds or self._timeout):
                producer = await self._connected()
                batches = await self._batches(producer, messages)
                await asyncio.gather(*(self._send(producer, tp, builders) for tp, builders in batches.items()))
        except (KafkaError, TimeoutError, OSError) as exc:
            await self._forget()
            raise StoreUnavailable(f"Kafka did not acknowledge: {type(exc).__name__}") from exc

    async def publish_until_out(self, messages: Sequence[Outgoing]) -> None:
        """Publish *messages* as :meth:`publish` does, however long Kafka is away."""
        attempt = 0
        while True:
            try:
                return await self.publish(messages)
            except StoreUnavailable as exc:
                attempt += 1
                log.warning("publish.again", extra={"code": exc.code, "error": str(exc), "attempt": attempt})
            except Exception:
                attempt += 1
                log.exception("publish.again", extra={"attempt": attempt})
            await asyncio.sleep(min(0.25 * 2**attempt, 5.0) * random.uniform(0.5, 1.0))  # noqa: S311

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            async with self._starting:
                if self._producer is None:
                    self._producer = await self._start_producer()
        return self._producer

    async def _start_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
            request_timeout_ms=int(self._timeout * 1000),
            retry_backoff_ms=100,
            metadata_max_age_ms=30_000,
        )
        try:
            await producer.start()
        except (KafkaError, OSError) as exc:
            with contextlib.suppress(Exception):
                await producer.stop()
            raise StoreUnavailable(f"Kafka away: {type(exc).__name__}") from exc
        return producer

    async def _forget(self) -> None:
        """Drop a producer that failed: its sequence numbers may have a hole, a fresh one starts clean."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await producer.stop()

    async def _batches(self, producer: AIOKafkaProducer, messages: Iterable[Outgoing]) -> dict[TopicPartition, list[Any]]:
        """Return the record batches to send, by partition, each filled up to ``BATCH_BYTES``."""
        counts: dict[str, int] = {}
        batches: dict[TopicPartition, list[Any]] = {}
        places: dict[tuple[str, int], list[Any]] = {}
        now = int(time.time() * 1000)
        for topic, key, value, headers in messages:
            count = counts.get(topic)
            if count is None:
                count = counts[topic] = len(await producer.partitions_for(topic))
            partition = crc32(key) % count if key is not None else 0
            builders = places.get((topic, partition))
            if builders is None:
                builders = places[topic, partition] = batches[TopicPartition(topic, partition)] = [producer.create_batch()]
            if builders[-1].append(timestamp=now, key=key, value=value, headers=headers) is None:
                builders.append(producer.create_batch())
                builders[-1].append(timestamp=now, key=key, value=value, headers=headers)
        return batches

    @staticmethod
    async def _send(producer: AIOKafkaProducer, tp: TopicPartition, builders: list[Any]) -> None:
        acknowledged = [await producer.send_batch(builder, tp.topic, partition=tp.partition) for builder in builders]
        for future in acknowledged:
            await future


class DeadLetters:
    """Puts aside what cannot be worked on, with its bytes, headers, position and reason, on ``dead.v1``."""

    def __init__(self, publisher: KeyedPublisher, topics: Topics, service: str, metrics: Metrics) -> None:
        self._publisher = publisher
        self._topic = topics.dead
        self._service = service
        self._metrics = metrics

    def letter(self, record: ConsumerRecord[bytes, bytes], code: str, error: str, participant: str | None = None) -> Outgoing:
        """Return the dead letter of *record*. Headers that were there come back under their own names; a null header becomes empty."""
        headers = [(name, value if value is not None else b"") for name, value in record.headers if not name.startswith("dead_")]
        headers += [
            ("dead_code", code.encode()),
            ("dead_error", error[:500].encode()),
            ("dead_service", self._service.encode()),
            ("dead_topic", record.topic.encode()),
            ("dead_partition", str(record.partition).encode()),
            ("dead_offset", str(record.offset).encode()),
            ("dead_timestamp", str(record.timestamp).encode()),
        ]
        if participant is not None:
            headers.append(("dead_participant", participant.encode()))
        self._metrics.dead.labels(code).inc()
        return Outgoing(self._topic, record.key, record.value or b"", headers)

    async def put(self, record: ConsumerRecord[bytes, bytes], code: str, error: str, participant: str | None = None) -> None:
        """Publish one dead letter and wait for it. Raises :class:`StoreUnavailable`."""
        log.error(
            "record.dead",
            extra={"code": code, "topic": record.topic, "partition": record.partition, "offset": record.offset, "participant": participant},
        )
        await self._publisher.publish([self.letter(record, code, error, participant)])


class Commits:
    """Moves the offsets of one consumer group on behind batches that are done, ten times a second at most.

    A commit is a write of its own on the broker, and small batches would be mostly commits. What a crash leaves uncommitted is read again,
    and has its effect once.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._done: dict[tuple[str, int], int] = {}
        self._committed: dict[tuple[str, int], int] = {}
        self._committing = asyncio.Lock()
        self._began = 0.0
        self._soon: asyncio.Task[None] | None = None
        self.consumer: Any = None
        self.stopped = False
        self.count = 0
        """Commits that succeeded."""
        self.assignment = 0
        """Counts assignments: what was read under an earlier one is not committed under this, for others may have gone on meanwhile."""

    def assigned(self) -> None:
        """Begin anew: partitions were given to this process."""
        self.assignment += 1
        self.stopped = False
        self._done, self._committed = {}, {}

    def stop(self) -> None:
        """Commit nothing more until partitions are given anew."""
        self.stopped = True

    def note(self, records: Records, assignment: int) -> None:
        """Everything in *records*, read under *assignment*, is done: to be committed now, or together with what follows soon."""
        if assignment != self.assignment or self.stopped:
            return
        done = self._done
        for record in records:
            place = record.topic, record.partition
            done[place] = max(record.offset + 1, done.get(place, 0))
        if self._soon is None:
            self._soon = asyncio.create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        await asyncio.sleep(max(0.0, self._began + COMMIT_SECONDS - time.monotonic()))
        self._soon = None
        await self.flush()

    async def flush(self) -> None:
        """Commit what is done, and return when it is. Where the broker refuses, the records come again, here or to whoever has the
        partition now."""
        async with self._committing:
            self._began = time.monotonic()
            assigned = self.consumer.assignment() if self.consumer is not None else ()
            new = {place: self._done[place] for place in assigned if self._done.get(place) != self._committed.get(place)}
            if not new:
                return
            try:
                async with asyncio.timeout(COMMIT_PATIENCE_SECONDS):
                    await self.consumer.commit(new)
            except (KafkaError, IllegalStateError, TimeoutError) as exc:
                log.warning("commit.refused", extra={"group": self._group, "error": f"{type(exc).__name__}: {exc}"})
            else:
                self._committed.update(new)
                self.count += 1

    @property
    def behind(self) -> bool:
        """Whether something is done and not committed."""
        return not self.stopped and self._done != self._committed


class _Batch(KafkaAckableMessage):
    """A batch whose ``nack`` rewinds every partition still ours, also when another was taken away meanwhile."""

    reader: Reader
    assignment: int

    async def ack(self) -> None:
        if not self.committed:
            self.reader.done(self.raw_message, self.assignment)
            self.committed = AckStatus.ACKED

    async def nack(self) -> None:
        earliest: dict[TopicPartition, int] = {}
        records: Any = self.raw_message
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            earliest[place] = min(record.offset, earliest.get(place, record.offset))
        for place, offset in earliest.items():
            with contextlib.suppress(IllegalStateError):
                self.consumer.seek(partition=place, offset=offset)
        self.committed = self.committed or None


class DrainOnRevoke(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets the batch in hand finish, for a bounded time, and commits it before its partitions go to another process."""

    def __init__(self, reader: Reader, seconds: float = 10.0) -> None:
        self._reader = reader
        self._seconds = seconds

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._reader.idle.wait(), self._seconds)
        await self._reader.commits.flush()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._reader.commits.assigned()


class Reader:
    """One consumer group of a service: hands batches to its handler until they are done, whatever happens around it.

    ``Unavailable`` from the handler: wait with jitter, hand the batch over again. Any other error: the batch is split in halves down to
    the record that
    causes it, which goes to the dead letters; its neighbours are worked on. Only when the service stops is a batch given back to Kafka.
    """

    def __init__(self, handler: Handler, dead: DeadLetters, metrics: Metrics, group: str) -> None:
        self._handler = handler
        self._dead = dead
        self._metrics = metrics
        self.group = group
        self.idle = asyncio.Event()
        self.idle.set()
        self.tail: asyncio.Task[None] | None = None
        """What the last batch left under way."""
        self.stopping = False
        self.progress_at = time.monotonic()
        self.commits = Commits(group)
        self.subscriber: Any = None

    async def on_batch(self, records: Records) -> None:
        """Work *records* off. Returns when everything is durable and published, so that the offset may move."""
        self.idle.clear()
        started = time.perf_counter()
        tail: asyncio.Task[None] | None = None
        try:
            tail = await self._work(records)
        finally:
            self.tail = tail
            if tail is None:
                self.idle.set()
            else:
                tail.add_done_callback(self._ended)
            self.progress_at = time.monotonic()
            garbage.collect_when_due()
        took = time.perf_counter() - started
        self._metrics.batch_seconds.observe(took)
        self._metrics.batch_size.observe(len(records))
        self._metrics.records.labels(self.group).inc(len(records))
        log.debug("batch.done", extra={"group": self.group, "records": len(records), "took_ms": round(took * 1000, 1)})

    def _ended(self, tail: asyncio.Task[None]) -> None:
        if self.tail is tail:
            self.tail = None
            self.idle.set()

    def done(self, records: Any, assignment: int) -> None:
        """Let the offset move behind *records*, once nothing of their batch is under way. Behind a tail that was cut off nothing is
        committed any more, so that whoever has the partition next reads it all again."""
        tail = self.tail
        if tail is None:
            self.commits.note(records, assignment)
            return

        def noted(ended: asyncio.Task[None]) -> None:
            if ended.cancelled() or ended.exception() is not None:
                self.commits.stop()
            else:
                self.commits.note(records, assignment)

        tail.add_done_callback(noted)

    async def _work(self, records: Records) -> asyncio.Task[None] | None:
        """Hand *records* over until they are done; where they cannot be done together, do the halves. Return what is still under way."""
        outcome = await self._attempt(records)
        if not isinstance(outcome, Exception):
            return outcome
        if len(records) == 1:
            await self._put_aside(records[0], outcome)
            return None
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            tail = await self._work(half)
            if tail is not None:
                await tail
        return None

    async def _attempt(self, records: Records) -> asyncio.Task[None] | Exception | None:
        """Return what the handler returns when it is done, or the error that no waiting mends. Raises ``Unavailable`` only when the service
        stops."""
        attempt = 0
        while True:
            try:
                return await self._handler(records)
            except Unavailable as exc:
                attempt += 1
                self._metrics.retries.labels(exc.code).inc()
                if self.stopping:
                    raise
                log.warning("batch.again", extra={"group": self.group, "code": exc.code, "error": str(exc), "attempt": attempt})
                pause = 0.02 if isinstance(exc, StoreConflict) else min(0.25 * 2**attempt, 5.0)
            except Exception as exc:
                return exc
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def _put_aside(self, record: ConsumerRecord[bytes, bytes], failed: Exception) -> None:
        log.error("record.poison", exc_info=failed)
        code = failed.code if isinstance(failed, HubError) else f"bug.{type(failed).__name__}"
        while True:
            try:
                return await self._dead.put(record, code, f"{type(failed).__name__}: {failed}")
            except StoreUnavailable:
                if self.stopping:
                    raise
                await asyncio.sleep(0.5)

    async def finish(self, seconds: float = 10.0) -> None:
        """Let the batch in hand end, for a bounded time, and commit what is done; a batch that fails now is given back to Kafka."""
        self.stopping = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.idle.wait(), seconds)
        await self.commits.flush()

    def lag(self) -> dict[TopicPartition, int]:
        """Return how many records wait, by partition, as far as this process knows."""
        consumer = getattr(self.subscriber, "consumer", None)
        if consumer is None:
            return {}
        waiting: dict[TopicPartition, int] = {}
        for place in consumer.assignment():
            state = consumer._subscription.subscription.assignment.state_value(place)
            if state is not None and state.has_valid_position and state.highwater is not None:
                waiting[place] = max(0, state.highwater - state.position)
        return waiting

    def alive(self) -> bool:
        """Return whether the consume task still runs, and what it does can be committed."""
        if self.commits.stopped:
            return False
        tasks = getattr(self.subscriber, "tasks", None) or ()
        return any(not task.done() for task in tasks)


def subscribe(
    broker: KafkaBroker,
    reader: Reader,
    settings: Settings,
    *,
    topics: Sequence[str] = (),
    pattern: str | None = None,
    max_records: int | None = None,
) -> None:
    """Connect *reader* to the broker: explicit group, earliest, batches, no auto-commit, no parsing of headers or bodies.

    Raises ``RuntimeError`` at start if the framework would commit by itself.
    """
    subscriber = broker.subscriber(
        *topics,
        pattern=pattern,
        group_id=settings.topics.group(reader.group),
        ack_policy=AckPolicy.NACK_ON_ERROR,
        auto_offset_reset="earliest",
        batch=True,
        max_records=max_records or settings.max_records,
        batch_timeout_ms=settings.batch_timeout_ms,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        fetch_min_bytes=1,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_poll_interval_ms=600_000,
        rebalance_timeout_ms=15_000,
        listener=DrainOnRevoke(reader),
        parser=_parser(reader),
        decoder=_decode,
        no_reply=True,
        include_in_schema=False,
    )
    if subscriber._connection_args.get("enable_auto_commit"):
        raise RuntimeError(f"subscriber of group {reader.group} would commit on its own")
    reader.subscriber = subscriber

    @subscriber
    async def consume(records: Any) -> None:
        await reader.on_batch(records)


def _parser(reader: Reader) -> Callable[[Any], Awaitable[_Batch]]:
    """Return a parser that cannot raise, whatever the headers hold."""

    async def parse(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> _Batch:
        batch = _Batch(
            body=records,
            headers={},
            batch_headers=[],
            content_type=None,
            message_id=f"{records[0].topic}-{records[0].partition}-{records[0].offset}",
            correlation_id="",
            raw_message=records,
            consumer=reader.subscriber.consumer,
        )
        batch.reader, batch.assignment = reader, reader.commits.assignment
        reader.commits.consumer = batch.consumer
        return batch

    return parse


async def _decode(message: _Batch) -> Any:
    return message.body


def make_broker(settings: Settings) -> KafkaBroker:
    """Return the FastStream broker that reads for this process; publishing goes through :class:`KeyedPublisher`."""
    return KafkaBroker(
        settings.kafka_bootstrap,
        allow_auto_create_topics=False,
        graceful_timeout=20.0,
        apply_types=False,
        metadata_max_age_ms=5_000,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
    )
