"""Asks a service over HTTP: ``POST {address}/v1/assessments`` with ``{"requests": [...]}``, ``{"answers": [...]}`` comes back, in any
number and order.

What is read from ``requests.<service>.v1`` is kept in a :class:`~services.router.connectors.window.Window` until it is answered or past
due; only then may its
offset move. Answers go to ``answers.v1``, from where the router takes them like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from pydantic import ValidationError

from services.router.connectors.breaker import Breaker
from services.router.connectors.window import Outstanding, Window
from services.router.policy.model import ServiceSpec
from shared.contracts import Answer, ServiceRequest, Topics, derived_id, event_headers
from shared.errors import HubError, ReceiverUnavailable, Refused, StoreUnavailable
from shared.kafka import DeadLetters, KeyedPublisher, Outgoing

log = logging.getLogger(__name__)

ANSWER_TYPE: Final = "guichet.answer"
MOST_OUTSTANDING: Final = 4_000
MOST_BYTES: Final = 8 * 1024 * 1024
COMMIT_SECONDS: Final = 0.5


class HttpConnector:
    """Everything between one service's requests topic and its address. Run :meth:`run` as a background task; several processes share by
    partition."""

    def __init__(
        self, service: ServiceSpec, address: str, bootstrap: str, topics: Topics, publisher: KeyedPublisher, dead: DeadLetters
    ) -> None:
        self._service = service
        self._url = f"{address.rstrip('/')}/v1/assessments"
        self._bootstrap = bootstrap
        self._topics = topics
        self._publisher = publisher
        self._dead = dead
        self._window = Window()
        self._breaker = Breaker()
        self._work = asyncio.Event()

    def outstanding(self) -> float:
        """Return how many requests wait for an answer here."""
        return float(len(self._window))

    @property
    def breaker(self) -> Breaker:
        """The state of the circuit breaker."""
        return self._breaker

    async def run(self) -> None:
        """Read, ask and commit until cancelled. Raises :class:`StoreUnavailable` when Kafka goes away; run it again then."""
        self._window, self._breaker = Window(), Breaker()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._topics.group(f"connect-{self._service.name}"),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_500,
            metadata_max_age_ms=5_000,
        )
        consumer.subscribe([self._topics.requests(self._service.name)], listener=_Forget(self._window))
        try:
            await consumer.start()
            limits = httpx.Limits(max_connections=self._service.concurrency)
            whole_call_only = httpx.Timeout(None)
            client = httpx.AsyncClient(limits=limits, timeout=whole_call_only, trust_env=False)
            async with client, asyncio.TaskGroup() as group:
                group.create_task(self._read(consumer))
                group.create_task(self._commit(consumer))
                for _ in range(self._service.concurrency):
                    group.create_task(self._ask(client))
        except (KafkaError, OSError) as exc:
            raise StoreUnavailable(f"Kafka away: {type(exc).__name__}") from exc
        except ExceptionGroup as group:
            failed = group.exceptions[0]
            if isinstance(failed, KafkaError | OSError | HubError):
                raise StoreUnavailable(f"{self._service.name}: {type(failed).__name__}: {failed}") from group
            raise
        finally:
            with contextlib.suppress(Exception):
                await consumer.stop()

    # --- reading and committing ----------------------------------------------------------------------------------------------------------

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            if len(self._window) >= MOST_OUTSTANDING:
                await asyncio.sleep(0.05)
                continue
            for place, records in (await consumer.getmany(timeout_ms=200, max_records=500)).items():
                for record in records:
                    request = await self._request(record)
                    self._window.add((place.topic, place.partition), record.offset, request, datetime.now(UTC))
            self._work.set()

    async def _request(self, record: Any) -> ServiceRequest | None:
        try:
            return ServiceRequest.from_json(record.value or b"")
        except ValidationError as exc:
            await self._dead.put(record, "connect.invalid", f"no request: {exc.error_count()} mistakes")
            return None

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        committed: dict[tuple[str, int], int] = {}
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            offsets = {place: offset for place, offset in self._window.committable().items() if committed.get(place) != offset}
            mine = {TopicPartition(*place): offset for place, offset in offsets.items() if TopicPartition(*place) in consumer.assignment()}
            if mine:
                # Another process has the partition now: it reads what is not committed.
                with contextlib.suppress(CommitFailedError, IllegalStateError):
                    await consumer.commit(mine)
                    committed.update({(place.topic, place.partition): offset for place, offset in mine.items()})

    # --- asking --------------------------------------------------------------------------------------------------------------------------

    async def _ask(self, client: httpx.AsyncClient) -> None:
        while True:
            now = datetime.now(UTC)
            some = self._window.take(now, self._service.batch) if self._breaker.may_call(now) else []
            if not some:
                await self._until_there_is_work(now)
                continue
            self._breaker = self._breaker.calling(now)
            try:
                answered = await self._call(client, some)
            except ReceiverUnavailable as exc:
                self._breaker = self._breaker.failed(datetime.now(UTC))
                log.warning("service.failed", extra={"service": self._service.name, "requests": len(some), "error": str(exc)})
                after = timedelta(seconds=exc.retry_after_seconds) if exc.retry_after_seconds else None
                self._window.again(some, datetime.now(UTC), random.random(), after=after)  # noqa: S311
            except Refused as exc:
                self._breaker = self._breaker.succeeded()
                self._refused(some, exc)
            else:
                self._breaker = self._breaker.succeeded()
                await self._answered(some, answered)

    async def _until_there_is_work(self, now: datetime) -> None:
        next_at = self._window.next_at()
        pause = 0.05 if next_at is not None and next_at <= now else 0.2
        self._work.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._work.wait(), pause)

    async def _call(self, client: httpx.AsyncClient, some: Sequence[Outstanding]) -> list[Any]:
        """Send one call and return the raw answers. The time limit is on the whole call: limits per read do not stop a service that
        drips."""
        body = b'{"requests":[' + b",".join(one.request.to_json() for one in some) + b"]}"
        try:
            async with asyncio.timeout(self._service.timeout_seconds):
                async with client.stream("POST", self._url, content=body, headers={"content-type": "application/json"}) as response:
                    return _answers(response, await _bounded(response))
        except TimeoutError as exc:
            raise ReceiverUnavailable("no answer in time") from exc
        except httpx.HTTPError as exc:
            raise ReceiverUnavailable(type(exc).__name__) from exc

    def _refused(self, some: Sequence[Outstanding], exc: Refused) -> None:
        """Find the request that the service refuses by sending each alone; that one then waits for its deadline."""
        log.error("service.refused", extra={"service": self._service.name, "requests": len(some), "error": str(exc)})
        if len(some) == 1:
            self._window.leave(some[0])
            return
        for one in some:
            one.alone = True
        self._window.again(some, datetime.now(UTC), random.random())  # noqa: S311

    async def _answered(self, some: Sequence[Outstanding], answered: Sequence[Any]) -> None:
        """Publish what came, then be done with the requests that were answered; the others are asked again."""
        by_id = {one.request.request_id: one for one in some}
        done: dict[Any, Outstanding] = {}
        outgoing: list[Outgoing] = []
        for raw in answered:
            answer = _valid(raw, self._service.name)
            if answer is None:
                outgoing += self._complaint(some, raw)
                continue
            one = by_id.get(answer.request_id) if answer.request_id is not None else None
            if one is not None and one.request.key == answer.key:
                done[one.request.request_id] = one
            outgoing.append(_record(answer, self._topics))
        await self._publisher.publish(outgoing)
        for one in done.values():
            self._window.leave(one)
        self._window.again([one for one in some if one.request.request_id not in done], datetime.now(UTC), random.random())  # noqa: S311
        self._work.set()

    def _complaint(self, some: Sequence[Outstanding], raw: Any) -> list[Outgoing]:
        """Pass on what is no answer once per call as it came: the router puts it aside with its bytes."""
        if some[0].complained:
            return []
        some[0].complained = True
        now = datetime.now(UTC)
        headers = event_headers(id=derived_id(some[0].request.request_id, "invalid"), type=ANSWER_TYPE, source=self._source, time=now)
        return [Outgoing(self._topics.answers, some[0].request.key.encode(), orjson.dumps(raw), headers)]

    @property
    def _source(self) -> str:
        return f"/guichet/connect/{self._service.name}"


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc]
    """Drops what belongs to partitions that moved to another process."""

    def __init__(self, window: Window) -> None:
        self._window = window

    async def on_partitions_revoked(self, revoked: Any) -> None:
        self._window.forget((place.topic, place.partition) for place in revoked)

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Nothing to do: reading starts where the group stands."""


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise ReceiverUnavailable(f"more than {MOST_BYTES} bytes")
    return bytes(body)


def _answers(response: httpx.Response, body: bytes) -> list[Any]:
    status = response.status_code
    if status in (408, 429) or status >= 500 or 300 <= status < 400:
        raise ReceiverUnavailable(f"status {status}", retry_after_seconds=_retry_after(response))
    if status >= 400:
        raise Refused(f"status {status}")
    try:
        answers = orjson.loads(body)["answers"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
        raise ReceiverUnavailable("no answers in the answer") from exc
    if not isinstance(answers, list):
        raise ReceiverUnavailable("answers is not a list")
    return answers


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return min(float(value), 30.0) if value.isdigit() else None


def _valid(raw: Any, service: str) -> Answer | None:
    try:
        answer = Answer.from_json(orjson.dumps(raw))
    except (ValidationError, TypeError):
        return None
    return answer if answer.service == service else None


def _record(answer: Answer, topics: Topics) -> Outgoing:
    headers = event_headers(
        id=derived_id("answer", answer.service, answer.key, answer.answer_id),
        type=ANSWER_TYPE,
        source=f"/guichet/connect/{answer.service}",
        time=answer.issued_at,
        subject=answer.key,
    )
    return Outgoing(topics.answers, answer.key.encode(), answer.to_json(), headers)
