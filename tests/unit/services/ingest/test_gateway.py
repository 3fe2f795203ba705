"""Every answer of the HTTP door, on a publisher and a store of receipts in memory."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import UUID

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from services.ingest import openapi
from services.ingest.gateway import Gateway, routes
from services.ingest.store import Cursor, Entry, Held
from services.ingest.submissions import ReceivedAnswer, SubmissionStatus
from shared.contracts import Topics, derived_id, header
from shared.directory import Directory, Participant, Role, hash_of_key
from shared.errors import StoreUnavailable
from shared.formats import READERS, Reader
from shared.formats.base import ANYTHING
from shared.kafka import Outgoing
from shared.problems import MEDIA_TYPE, PROBLEMS, dress

POST, CARRIER, GONE = (
    Participant(id=name, name=name, role=Role.POST, country="FR", active=name != "gone") for name in ("poste-a", "carrier-b", "gone")
)
KEYS = {"gk_poste": POST, "gk_carrier": CARRIER, "gk_gone": GONE}
BODY = b"<ItMatt/>"
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


class Log:
    """A publisher that keeps what it is given, or fails, or hangs."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.mood = "well"

    async def publish(self, messages: Sequence[Outgoing], *, timeout_seconds: float | None = None) -> None:
        if self.mood == "away":
            raise StoreUnavailable("away")
        if self.mood == "hangs":
            await asyncio.sleep(timeout_seconds or 60)
            raise StoreUnavailable("not acknowledged")
        self.records += messages


class Receipts:
    """Receipts in memory, or a store that is away."""

    def __init__(self) -> None:
        self.rows: dict[UUID, tuple[Entry, bool]] = {}
        self.away = False

    async def reserve(self, entries: Sequence[Entry]) -> Sequence[Held]:
        if self.away:
            raise StoreUnavailable("away")
        held = [self.rows.setdefault(entry.id, (entry, False)) for entry in entries]
        return [Held(entry.sha256, entry.received_at, durable) for entry, durable in held]

    async def settle(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.rows[entry.id] = (entry, True)

    async def find_status(self, participant: str, receipt: UUID, after: Cursor | None, limit: int) -> SubmissionStatus | None:
        if self.away:
            raise StoreUnavailable("away")
        entry, durable = self.rows.get(receipt, (None, False))
        if entry is None or not durable or entry.participant != participant:
            return None
        return SubmissionStatus(receipt_id=receipt, received=ReceivedAnswer(at=entry.received_at, sha256=entry.sha256, bytes=entry.bytes))


class Door:
    """The door under test with its surroundings."""

    def __init__(self) -> None:
        self.log, self.receipts, self.waiting = Log(), Receipts(), defaultdict[str, int](int)
        self.now = AT
        self.directory = Directory(
            participants=MappingProxyType({p.id: p for p in KEYS.values()}),
            keys=MappingProxyType({hash_of_key(key): p.id for key, p in KEYS.items()}),
            revision=1,
        )
        self.gateway = Gateway(
            topics=Topics(),
            directory=lambda: self.directory,
            publisher=self.log,
            receipts=self.receipts,
            waiting=self.waiting,
            lag_limit=10,
            clock=self._tick,
            read_api=httpx.AsyncClient(transport=httpx.MockTransport(_read_api), base_url="http://read.test"),
            body_limit=1000,
            body_seconds=0.5,
            ack_seconds=0.3,
        )
        self.app = dress(Starlette(routes=[*routes(self.gateway), Route("/bug", _bug)]))

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def _read_api(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/v1/feed/ack":
        return httpx.Response(200, json={"acknowledged": orjson.loads(request.content)})
    return httpx.Response(200, json={"query": str(request.url.query), "key": request.headers["authorization"]})


async def _bug(_: Request) -> Response:
    raise KeyError("secret detail")


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def http(door: Door) -> Iterator[TestClient]:
    with TestClient(door.app, raise_server_exceptions=False, headers={"Authorization": "Bearer gk_poste"}) as client:
        yield client


def send(http: TestClient, body: bytes | Iterator[bytes] = BODY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post("/v1/submissions", content=body, headers={"Content-Type": "application/xml"} | named)


def assert_problem(response: httpx.Response, code: str) -> None:
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert (body["code"], body["type"]) == (code, f"urn:guichet:problem:{code}")
    assert response.status_code == body["status"] == PROBLEMS[code].status


# --- 202 ----------------------------------------------------------------------------------------------------------------------------------


def test_a_receipt_is_given_once_the_log_has_the_bytes(http: TestClient, door: Door) -> None:
    response = send(http, Idempotency_Key="k1", Guichet_Format="itmatt")
    receipt = derived_id("submission", "poste-a", "k1")
    assert response.status_code == 202
    assert response.headers["location"] == response.json()["status"] == f"/v1/submissions/{receipt}"
    assert response.json() == {
        "receipt_id": str(receipt),
        "received_at": "2026-11-21T10:00:01Z",
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "bytes": len(BODY),
        "status": f"/v1/submissions/{receipt}",
    }
    (record,) = door.log.records
    assert (record.topic, record.key, record.value) == ("exchange.inbound.poste-a", str(receipt).encode(), BODY)
    told = {name: header(record.headers, name) for name in ("ce_id", "ce_submission", "ce_type", "ce_time", "content-type", "ce_format")}
    assert told == {
        "ce_id": str(receipt),
        "ce_submission": str(receipt),
        "ce_type": "guichet.submission",
        "ce_time": "2026-11-21T10:00:01+00:00",
        "content-type": "application/xml",
        "ce_format": "itmatt",
    }


def test_without_a_key_the_body_itself_makes_the_receipt(http: TestClient) -> None:
    assert send(http).json()["receipt_id"] == str(derived_id("submission", "poste-a", hashlib.sha256(BODY).hexdigest()))


def test_the_sender_is_the_owner_of_the_key_whatever_the_body_says(http: TestClient, door: Door) -> None:
    send(http, b'{"participant": "poste-a"}', Authorization="Bearer gk_carrier", Content_Type="application/json; charset=utf-8")
    assert door.log.records[0].topic == "exchange.inbound.carrier-b"


def test_a_gzip_body_is_stored_as_it_was_before(http: TestClient, door: Door) -> None:
    assert send(http, gzip.compress(BODY), Content_Encoding="gzip").status_code == 202
    assert door.log.records[0].value == BODY


def test_the_same_submission_again_has_the_first_receipt_and_is_not_appended_again(http: TestClient, door: Door) -> None:
    first, again = send(http, Idempotency_Key="k1"), send(http, Idempotency_Key="k1")
    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(door.log.records) == 1


def test_two_senders_may_use_the_same_idempotency_key(http: TestClient) -> None:
    mine, theirs = send(http, Idempotency_Key="k1"), send(http, Idempotency_Key="k1", Authorization="Bearer gk_carrier")
    assert mine.json()["receipt_id"] != theirs.json()["receipt_id"]


def test_messages_are_taken_while_the_store_of_receipts_is_away(http: TestClient, door: Door) -> None:
    door.receipts.away = True
    assert send(http, Idempotency_Key="k1").status_code == 202
    assert send(http, Idempotency_Key="k1").status_code == 202
    assert {header(record.headers, "ce_id") for record in door.log.records} == {str(derived_id("submission", "poste-a", "k1"))}


# --- what is refused ----------------------------------------------------------------------------------------------------------------------


def test_the_same_key_with_other_content_is_a_conflict(http: TestClient, door: Door) -> None:
    send(http, Idempotency_Key="k1")
    assert_problem(send(http, b"<Other/>", Idempotency_Key="k1"), "conflict")
    assert len(door.log.records) == 1


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer gk_wrong", "Basic Z2s6", "Bearer gk_gone", "Bearer gk_poste extra"])
def test_only_a_living_key_opens_the_door(http: TestClient, door: Door, authorization: str) -> None:
    response = send(http, Authorization=authorization)
    assert_problem(response, "unauthorized")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert not door.log.records


def test_until_the_directory_is_read_nobody_is_sent_away_as_a_stranger(http: TestClient, door: Door) -> None:
    door.directory = Directory()
    assert_problem(send(http), "unavailable")


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "tab\t"])
def test_an_idempotency_key_is_visible_ascii(http: TestClient, key: str) -> None:
    assert_problem(send(http, Idempotency_Key=key), "idempotency-key-invalid")


@pytest.mark.parametrize("module", READERS.values(), ids=READERS)
def test_each_format_is_taken_under_each_of_its_media_types_in_any_case(http: TestClient, module: Reader) -> None:
    for content_type in (*module.CONTENT_TYPES, ANYTHING):
        assert send(http, Content_Type=f"{content_type.upper()}; charset=utf-8").status_code == 202


@pytest.mark.parametrize("content_type", ["", "text/html", "application/x-www-form-urlencoded", "application/xml" + " " * 300])
def test_other_media_types_are_not_read(http: TestClient, content_type: str) -> None:
    assert_problem(send(http, Content_Type=content_type), "media-type-unsupported")


def test_other_content_encodings_are_not_read(http: TestClient) -> None:
    assert_problem(send(http, Content_Encoding="br"), "media-type-unsupported")


def test_an_empty_body_is_no_message(http: TestClient) -> None:
    assert_problem(send(http, b""), "body-empty")


def test_a_format_hint_is_a_name(http: TestClient) -> None:
    assert_problem(send(http, Guichet_Format="../x"), "bad-request")


def test_a_body_past_the_limit_is_cut_off_while_it_streams(http: TestClient, door: Door) -> None:
    drawn = 0

    def endless() -> Iterator[bytes]:
        nonlocal drawn
        while drawn < 100_000:
            drawn += 1
            yield b"x" * 100

    assert_problem(send(http, endless()), "body-too-large")
    assert_problem(send(http, b"x" * 1001), "body-too-large")
    assert send(http, b"x" * 1000).status_code == 202
    assert len(door.log.records) == 1


def test_a_gzip_bomb_is_cut_off_at_the_limit(http: TestClient) -> None:
    assert_problem(send(http, gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip"), "body-too-large")


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(BODY)[:-4], gzip.compress(BODY) + b"more"])
def test_a_broken_gzip_body_is_told_so(http: TestClient, body: bytes) -> None:
    assert_problem(send(http, body, Content_Encoding="gzip"), "body-broken")


async def test_a_dripping_body_runs_out_of_time(door: Door) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(40):
            await asyncio.sleep(0.05)
            yield b"x"

    transport = httpx.ASGITransport(app=door.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://door.test") as client:
        began = time.monotonic()
        headers = {"Authorization": "Bearer gk_poste", "Content-Type": "text/csv"}
        response = await client.post("/v1/submissions", content=drip(), headers=headers)
        assert_problem(response, "request-timeout")
        assert time.monotonic() - began < 1.5


def test_a_sender_whose_messages_pile_up_is_asked_to_wait_before_anything_is_read(http: TestClient, door: Door) -> None:
    door.waiting["exchange.inbound.poste-a"] = 11
    response = send(http)
    assert_problem(response, "backlog")
    assert int(response.headers["retry-after"]) > 0
    assert send(http, Authorization="Bearer gk_carrier").status_code == 202


@pytest.mark.parametrize("mood", ["away", "hangs"])
def test_no_receipt_without_the_log_and_the_same_receipt_when_it_is_back(http: TestClient, door: Door, mood: str) -> None:
    door.log.mood = mood
    response = send(http, Idempotency_Key="k1")
    assert_problem(response, "unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert http.get(f"/v1/submissions/{derived_id('submission', 'poste-a', 'k1')}").status_code == 404
    door.log.mood = "well"
    after = send(http, Idempotency_Key="k1")
    assert after.status_code == 202
    assert after.json()["receipt_id"] == str(derived_id("submission", "poste-a", "k1"))
    assert after.json()["received_at"] == "2026-11-21T10:00:01Z"


# --- the other addresses ------------------------------------------------------------------------------------------------------------------


def test_a_submission_is_shown_to_its_sender_alone(http: TestClient) -> None:
    address = send(http).headers["location"]
    assert http.get(address).json()["received"]["bytes"] == len(BODY)
    assert_problem(http.get(address, headers={"Authorization": "Bearer gk_carrier"}), "not-found")
    assert_problem(http.get(address, headers={"Authorization": ""}), "unauthorized")
    assert_problem(http.get("/v1/submissions/not-a-uuid"), "not-found")


@pytest.mark.parametrize("query", ["after=x", "after=r1", "limit=0", "limit=1001", "limit=a", "after=i99999999999"])
def test_a_page_is_asked_for_with_a_cursor_of_ours(http: TestClient, query: str) -> None:
    assert_problem(http.get(f"{send(http).headers['location']}?{query}"), "cursor-invalid")


def test_the_status_says_so_when_the_store_is_away(http: TestClient, door: Door) -> None:
    address = send(http).headers["location"]
    door.receipts.away = True
    assert_problem(http.get(address), "unavailable")


def test_the_feed_is_passed_on_with_its_owners_key(http: TestClient) -> None:
    assert http.get("/v1/feed?after=7&limit=2").json() == {"query": "b'after=7&limit=2'", "key": "Bearer gk_poste"}
    assert http.post("/v1/feed/ack", json={"cursor": "9"}).json() == {"acknowledged": {"cursor": "9"}}
    assert_problem(http.get("/v1/feed", headers={"Authorization": "Bearer gk_wrong"}), "unauthorized")


def test_errors_of_the_framework_are_problems_too(http: TestClient) -> None:
    assert_problem(http.get("/nowhere"), "not-found")
    wrong = http.put("/v1/submissions")
    assert_problem(wrong, "method-not-allowed")
    assert wrong.headers["allow"] == "POST"
    assert_problem(http.get("/", headers={"X-Long": "x" * 20_000}), "headers-too-large")
    bug = http.get("/bug")
    assert_problem(bug, "internal")
    assert "secret" not in bug.text


def test_the_root_leads_on(http: TestClient) -> None:
    links = http.get("/").json()["links"]
    assert links["submissions"] == "/v1/submissions"
    assert http.get(links["openapi"]).json()["openapi"] == "3.1.0"


def test_the_kept_openapi_document_is_the_one_the_code_makes() -> None:
    assert openapi.FILE.read_bytes() == openapi.rendered()
