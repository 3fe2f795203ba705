"""A service asked over HTTP, on a real Kafka: it fails, answers in part, twice and wrongly, and every request is answered once it can."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from aiokafka import AIOKafkaConsumer, TopicPartition
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.router.connectors.http import HttpConnector
from services.router.policy.model import ServiceSpec
from shared.contracts import Answer, Outcome, ServiceRequest, Topics
from shared.kafka import DeadLetters, KeyedPublisher, Outgoing
from shared.kafka_admin import PARTITIONS, core_topics, ensure_topics, service_topics
from shared.telemetry import Metrics
from tests.builders import a_house_consignment

SPEC = ServiceSpec(
    name="risk", transport="http", answer_within_seconds=30, when_silent=Outcome.DOCUMENT_CHECK, batch=5, concurrency=2, timeout_seconds=0.5
)


class Risk:
    """A pretend service; ``troubles`` are worked off first, one a call."""

    def __init__(self, *troubles: str) -> None:
        self.troubles = list(troubles)
        self.calls = 0

    async def assess(self, request: Request) -> Response:
        self.calls += 1
        asked = (await request.json())["requests"]
        trouble = self.troubles.pop(0) if self.troubles else ""
        if trouble == "error":
            return JSONResponse({}, status_code=500)
        if trouble == "hang":
            await asyncio.sleep(2)
        answers = [self._answer(one) for one in asked]
        if trouble == "half":
            answers = answers[::2]
        if trouble == "twice":
            answers += answers
        if trouble == "wrong":
            answers[0] = {"verdict": "probably"}
        return JSONResponse({"answers": answers})

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = {name: asked[name] for name in ("key", "service", "request_id")}
        return {**given, "answer_id": asked["request_id"], "outcome": "release", "issued_at": asked["asked_at"]}


@asynccontextmanager
async def served(risk: Risk) -> AsyncIterator[str]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        app = Starlette(routes=[Route("/v1/assessments", risk.assess, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve(sockets=[sock]))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        server.should_exit = True
        await task


def some_requests(count: int, due_in_seconds: float = 30) -> list[ServiceRequest]:
    now = datetime.now(UTC)
    return [
        ServiceRequest(
            request_id=uuid4(),
            key=f"post:{number}",
            service="risk",
            sequence=1,
            asked_at=now,
            answer_due_at=now + timedelta(seconds=due_in_seconds),
            consignment=a_house_consignment(),
            category=3,
        )
        for number in range(count)
    ]


class Line:
    """A connector on topics of its own."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.topics = Topics(f"t{uuid4().hex[:8]}.")
        self.publisher = KeyedPublisher(bootstrap)

    async def prepare(self, requests: list[ServiceRequest]) -> None:
        await ensure_topics(self.bootstrap, [*core_topics(self.topics), *service_topics(self.topics, ["risk"])])
        topic = self.topics.requests("risk")
        await self.publisher.publish([Outgoing(topic, one.key.encode(), one.to_json(), []) for one in requests])

    @asynccontextmanager
    async def connected(self, address: str) -> AsyncIterator[HttpConnector]:
        dead = DeadLetters(self.publisher, self.topics, "connect", Metrics())
        connector = HttpConnector(SPEC, address, self.bootstrap, self.topics, self.publisher, dead)
        task = asyncio.create_task(connector.run())
        try:
            yield connector
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def answers_until(self, enough: Callable[[list[bytes]], bool]) -> list[bytes]:
        consumer = AIOKafkaConsumer(self.topics.answers, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", group_id=None)
        await consumer.start()
        found: list[bytes] = []
        try:
            async with asyncio.timeout(40):
                while not enough(found):
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found += [record.value for record in records if record.value is not None]
        finally:
            await consumer.stop()
        return found

    async def waiting(self) -> int:
        """Return how many requests the group has not done with."""
        topic = self.topics.requests("risk")
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=f"{self.topics.prefix}connect-risk", enable_auto_commit=False
        )
        await consumer.start()
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            ends = await consumer.end_offsets(places)
            done = [await consumer.committed(place) or 0 for place in places]
            return sum(ends.values()) - sum(done)
        finally:
            await consumer.stop()


@pytest.fixture
async def line(kafka_bootstrap: str) -> AsyncIterator[Line]:
    made = Line(kafka_bootstrap)
    yield made
    await made.publisher.stop()


def answered(raw: list[bytes]) -> set[str]:
    return {Answer.from_json(body).key for body in raw if b"verdict" not in body}


async def test_every_request_is_answered_whatever_the_service_does_meanwhile(line: Line) -> None:
    requests = some_requests(23)
    await line.prepare(requests)
    async with served(Risk("error", "hang", "half", "twice", "wrong", "error")) as address, line.connected(address) as connector:
        raw = await line.answers_until(lambda found: len(answered(found)) == 23)
        assert sum(b"verdict" in body for body in raw) == 1
        async with asyncio.timeout(20):
            while connector.outstanding() or await line.waiting():
                await asyncio.sleep(0.2)


async def test_a_killed_connector_asks_again_what_was_not_answered(line: Line) -> None:
    requests = some_requests(12)
    await line.prepare(requests)
    silent = Risk(*["error"] * 1000)
    async with served(silent) as address, line.connected(address):
        async with asyncio.timeout(20):
            while not silent.calls:
                await asyncio.sleep(0.05)
    assert await line.waiting() == 12
    async with served(Risk()) as address, line.connected(address):
        await line.answers_until(lambda found: len(answered(found)) == 12)


async def test_a_request_past_due_stops_nobody(line: Line) -> None:
    await line.prepare([*some_requests(2, due_in_seconds=0.01), *some_requests(4)[2:]])
    async with served(Risk()) as address, line.connected(address):
        raw = await line.answers_until(lambda found: len(answered(found)) == 2)
        assert answered(raw) == {"post:2", "post:3"}
