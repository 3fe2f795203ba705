"""The pretend services over their own interfaces, without a hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from services.sandbox.behaviour import Behaviour, Behaviours, HookBehaviour
from services.sandbox.handlers import Hooks, RiskService, SingleWindow, Speaker, Switchboard
from services.sandbox.hooks import signature
from shared.contracts import Answer, ServiceRequest, Topics
from shared.kafka import Outgoing
from shared.model import Consignment

NOW = datetime.now(UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Said:
    """Stands in for the publisher and remembers."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    async def publish(self, messages: Iterable[Outgoing]) -> None:
        self.records.extend(messages)


class Sandbox:
    """The sandbox's parts on a client that needs no socket."""

    def __init__(self, folder: Path) -> None:
        self.board = Switchboard()
        self.said = Said()
        self.speaker = Speaker(self.said, Topics())  # type: ignore[arg-type]
        self.window = SingleWindow(self.board, self.speaker)
        hooks = Hooks(self.board, folder)
        routes = [
            Route("/behaviour", self.board.show),
            Route("/behaviour", self.board.change, methods=["PUT"]),
            Route("/risk/v1/assessments", RiskService(self.board, self.speaker).assess, methods=["POST"]),
            Route("/hooks/{name}", hooks.receive, methods=["POST"]),
            Route("/hooks/{name}/received", hooks.received),
        ]
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=routes)), base_url="http://sandbox")

    def behave(self, **services: Behaviour) -> None:
        self.board.now = Behaviours(services={name.replace("_", "-"): behaviour for name, behaviour in services.items()})

    async def ask(self, *numbers: int) -> httpx.Response:
        body = b'{"requests":[' + b",".join(a_request(number).to_json() for number in numbers) + b"]}"
        return await self.http.post("/risk/v1/assessments", content=body)

    async def deliver(self, name: str = "carrier", secret: str = SECRET, number: int = 1) -> httpx.Response:
        body = orjson.dumps(
            {
                "notice_id": str(UUID(int=number)),
                "subscription": str(UUID(int=9)),
                "type": "guichet.decision.made",
                "key": f"post:{number}",
                "sequence": 1,
                "feed_sequence": number,
                "at": NOW.isoformat(),
            }
        )
        stamp = str(int(datetime.now(UTC).timestamp()))
        signed = "v1," + signature(secret, f"id-{number}.{stamp}.".encode() + body)
        headers = {"webhook-id": f"id-{number}", "webhook-timestamp": stamp, "webhook-signature": signed}
        return await self.http.post(f"/hooks/{name}", content=body, headers=headers)


def a_request(number: int = 1, service: str = "risk") -> ServiceRequest:
    return ServiceRequest(
        request_id=UUID(int=number),
        key=f"post:{number}",
        service=service,
        sequence=1,
        asked_at=NOW,
        answer_due_at=NOW + timedelta(minutes=1),
        consignment=Consignment(house_transport_document_id=str(number), channel="post"),
        category=3,
    )


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    parts = Sandbox(tmp_path)
    yield parts
    await parts.http.aclose()


async def test_the_risk_service_answers_each_item_of_a_batch(sandbox: Sandbox):
    answer = await sandbox.ask(1, 2, 3)
    assert answer.status_code == 200
    said = [Answer.model_validate(one) for one in answer.json()["answers"]]
    assert [one.key for one in said] == ["post:1", "post:2", "post:3"]


async def test_the_same_question_twice_has_one_answer(sandbox: Sandbox):
    assert (await sandbox.ask(1)).content == (await sandbox.ask(1)).content


async def test_a_third_of_the_calls_fails_and_asking_again_works_in_the_end(sandbox: Sandbox):
    sandbox.behave(risk=Behaviour(error_rate=1 / 3))
    first = [(await sandbox.ask(number)).status_code for number in range(1, 301)]
    assert 70 < first.count(500) < 130
    for number in range(1, 301):
        while (await sandbox.ask(number)).status_code != 200:
            pass


async def test_a_late_answer_comes_on_the_answers_topic(sandbox: Sandbox):
    sandbox.behave(risk=Behaviour(late_rate=1.0, late_ms=20))
    assert (await sandbox.ask(1)).json() == {"answers": []}
    speaking = asyncio.create_task(sandbox.speaker.run())
    async with asyncio.timeout(5):
        while not sandbox.said.records:
            await asyncio.sleep(0.01)
    speaking.cancel()
    assert sandbox.said.records[0].topic == "exchange.answers.v1"
    assert Answer.from_json(sandbox.said.records[0].value).key == "post:1"


async def test_what_is_no_question_is_refused(sandbox: Sandbox):
    assert (await sandbox.http.post("/risk/v1/assessments", content=b'{"requests": 4}')).status_code == 400
    assert (await sandbox.http.post("/risk/v1/assessments", content=b"nonsense")).status_code == 400


async def test_the_single_window_answers_on_the_log_twice_where_told_to(sandbox: Sandbox):
    sandbox.behave(single_window=Behaviour(double_rate=1.0))
    records: Any = [SimpleNamespace(value=a_request(number, "single-window").to_json()) for number in (1, 2)]
    await sandbox.window.on_requests(records)
    assert [record.key for record in sandbox.said.records] == [b"post:1", b"post:1", b"post:2", b"post:2"]
    assert len({Answer.from_json(record.value).answer_id for record in sandbox.said.records}) == 2


async def test_a_receiver_takes_what_is_signed_with_its_secret_and_nothing_else(sandbox: Sandbox):
    assert (await sandbox.deliver()).status_code == 401
    put = await sandbox.http.put("/behaviour", content=orjson.dumps({"secrets": {"carrier": [SECRET]}}))
    assert put.status_code == 200
    assert (await sandbox.deliver()).status_code == 204
    assert (await sandbox.deliver(secret="whsec_AAAA")).status_code == 401
    got = (await sandbox.http.get("/hooks/carrier/received")).json()
    assert [entry["webhook_id"] for entry in got["received"]] == ["id-1"]
    assert got["refused"] == 2


async def test_a_receiver_that_is_down_keeps_nothing(sandbox: Sandbox):
    sandbox.board.now = Behaviours(secrets={"carrier": (SECRET,)}, hooks={"carrier": HookBehaviour(state="down")})
    assert (await sandbox.deliver()).status_code == 503
    sandbox.board.now = Behaviours(secrets={"carrier": (SECRET,)}, hooks={"carrier": HookBehaviour(state="gone")})
    assert (await sandbox.deliver()).status_code == 410
    assert (await sandbox.http.get("/hooks/carrier/received")).json()["received"] == []


async def test_a_behaviour_that_is_none_changes_nothing(sandbox: Sandbox):
    answer = await sandbox.http.put("/behaviour", content=b'{"services": {"risk": {"error_rate": 7}}}')
    assert answer.status_code == 422
    assert (await sandbox.http.get("/behaviour")).json()["services"] == {}
