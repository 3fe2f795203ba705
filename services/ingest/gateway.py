"""The HTTP door: count bytes, authenticate, append to the log, answer 202.

``POST /v1/submissions`` writes the body as it came (decompressed) as one record to the sender's own inbound topic and answers only when
every in-sync replica has it. The record's headers are CloudEvents attributes of type ``guichet.submission``; ``ce_id`` and the extension
``ce_submission`` are the receipt's id. Every event that ingest and router publish about a filing of a submission carries the same
``ce_submission`` header; by it the door finds, among all ``decisions.v1``, the answers it has to show under ``GET /v1/submissions/{id}``.

The sender is the owner of the API key and nobody else, whatever the body says. The receipt's id is derived from sender and Idempotency-Key
(or the body's digest), so the same submission twice has one receipt. The store of receipts is help, not truth: while PostgreSQL is away
messages are taken all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import httpx
import orjson
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.ingest import openapi
from services.ingest.store import Cursor, Entry, Held
from services.ingest.submissions import Receipt, SubmissionStatus
from services.ingest.together import Together
from shared.contracts import Topics, derived_id
from shared.directory import Directory, Participant
from shared.errors import Rejected, Unavailable
from shared.formats import MEDIA_TYPES
from shared.kafka import Outgoing
from shared.problems import problem
from shared.security import BODY_LIMIT, BODY_SECONDS, bearer, read_body

log = logging.getLogger(__name__)

SUBMISSION_TYPE: Final = "guichet.submission"
SOURCE: Final = b"/guichet/door"
ACK_SECONDS: Final = 4.0
"""How long the log may take to acknowledge before the sender is told to come again: 503 is out within 5 s."""
STORE_SECONDS: Final = 1.0
STORE_PAUSE_SECONDS: Final = 5.0
"""After the store of receipts failed the door does without it for so long."""
RETRY_AFTER: Final = {"Retry-After": "2"}
PAGE: Final = 100
PAGE_LIMIT: Final = 1000

_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_FORMAT_HINT: Final = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


class Publisher(Protocol):
    """Where records go; ``shared.kafka.KeyedPublisher`` in a running hub."""

    async def publish(self, messages: Sequence[Outgoing], *, timeout_seconds: float | None = None) -> None: ...


class Receipts(Protocol):
    """Where receipts are remembered; ``services.ingest.store`` in a running hub."""

    async def reserve(self, entries: Sequence[Entry]) -> Sequence[Held]: ...

    async def settle(self, entries: Sequence[Entry]) -> None: ...

    async def find_status(self, participant: str, receipt: UUID, after: Cursor | None, limit: int) -> SubmissionStatus | None: ...


class Waiting(Protocol):
    """Records waiting on an inbound topic."""

    def __getitem__(self, topic: str) -> int: ...


class Submission(NamedTuple):
    """A request that passed every check."""

    entry: Entry
    body: bytes
    content_type: str
    format_hint: str | None


@dataclass(slots=True)
class Gateway:
    """The door's endpoints. ``directory`` returns the present snapshot, ``clock`` the time in UTC."""

    topics: Topics
    directory: Callable[[], Directory]
    publisher: Publisher
    receipts: Receipts
    waiting: Waiting
    lag_limit: int
    clock: Callable[[], datetime]
    read_api: httpx.AsyncClient
    body_limit: int = BODY_LIMIT
    body_seconds: float = BODY_SECONDS
    ack_seconds: float = ACK_SECONDS
    _publish: Together[Outgoing, None] = field(init=False)
    _reserve: Together[Entry, Held] = field(init=False)
    _settle: Together[Entry, None] = field(init=False)
    _store_back_at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._publish = Together(self._publish_all)
        self._reserve = Together(self.receipts.reserve)
        self._settle = Together(self._settle_all)

    # --- endpoints ------------------------------------------------------------------------------------------------------------------------

    async def submit(self, request: Request) -> Response:
        """``POST /v1/submissions``"""
        participant = self._participant(request)
        if isinstance(participant, Response):
            return participant
        topic = self.topics.inbound(participant.id)
        if self.waiting[topic] + self.waiting[self.topics.large] > self.lag_limit:
            return problem("backlog", "Wait until the hub has read what you sent before.", headers={"Retry-After": "5"})
        submission = await self._read(request, participant)
        return submission if isinstance(submission, Response) else await self._take(topic, submission)

    async def status(self, request: Request) -> Response:
        """``GET /v1/submissions/{id}``"""
        participant = self._participant(request)
        if isinstance(participant, Response):
            return participant
        try:
            receipt = UUID(request.path_params["id"])
        except ValueError:
            return problem("not-found", "No such submission.")
        try:
            after, limit = _page(request)
        except ValueError:
            return problem("cursor-invalid", f"Follow the `next` address of an answer; limit is 1 to {PAGE_LIMIT}.")
        try:
            async with asyncio.timeout(self.ack_seconds):
                found = await self.receipts.find_status(participant.id, receipt, after, limit)
        except (Unavailable, TimeoutError):
            return problem("unavailable", "The store of answers does not answer.", headers=RETRY_AFTER)
        return _json(found.to_json()) if found else problem("not-found", "No such submission.")

    async def feed(self, request: Request) -> Response:
        """``GET /v1/feed…``, ``POST /v1/feed/ack``: passed to notify's read API, which knows the key itself, so that participants have
        one address."""
        participant = self._participant(request)
        if isinstance(participant, Response):
            return participant
        headers = {name: request.headers[name] for name in ("authorization", "accept", "content-type") if name in request.headers}
        body = await read_body(request.stream(), limit=64 * 1024, timeout_seconds=self.body_seconds) if request.method == "POST" else None
        forward = self.read_api.build_request(request.method, request.url.path, params=request.query_params, headers=headers, content=body)
        try:
            answer = await self.read_api.send(forward, stream=True)
        except httpx.HTTPError:
            return problem("unavailable", "The feed cannot be read now.", headers=RETRY_AFTER)
        kept = {
            name: answer.headers[name]
            for name in ("content-type", "cache-control", "retry-after", "www-authenticate")
            if name in answer.headers
        }
        return StreamingResponse(answer.aiter_bytes(), answer.status_code, kept, background=BackgroundTask(answer.aclose))

    # --- steps of a submission ------------------------------------------------------------------------------------------------------------

    def _participant(self, request: Request) -> Participant | Response:
        """Return whose key the request carries, or the answer that it carries none."""
        directory = self.directory()
        if directory.revision == 0:
            return problem("unavailable", "The hub is starting.", headers=RETRY_AFTER)
        key = bearer(request.headers.get("authorization"))
        participant = directory.participant_of_key(key) if key else None
        if participant is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="guichet"' + (', error="invalid_token"' if key else "")}
            return problem("unauthorized", "Send `Authorization: Bearer <API key>` with a living key.", headers=challenge)
        return participant

    async def _read(self, request: Request, participant: Participant) -> Submission | Response:
        """Check the headers, read the body, and return the submission or the answer that says what is wrong."""
        idempotency = request.headers.getlist("idempotency-key")
        if len(idempotency) > 1 or (idempotency and not _IDEMPOTENCY_KEY.fullmatch(idempotency[0])):
            return problem("idempotency-key-invalid", "Use one key, a UUID for example, and the same one when you try again.")
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() not in MEDIA_TYPES or len(content_type) > 200 or not content_type.isascii():
            return problem("media-type-unsupported", f"Content-Type must be one of {', '.join(MEDIA_TYPES)}.")
        hint = request.headers.get("guichet-format")
        if hint is not None and not _FORMAT_HINT.fullmatch(hint):
            return problem("bad-request", "Guichet-Format must be the name of a format.")
        encoding = request.headers.get("content-encoding")
        try:
            body = await read_body(request.stream(), encoding=encoding, limit=self.body_limit, timeout_seconds=self.body_seconds)
        except ClientDisconnect:
            return problem("body-broken", "The connection ended before the body did.")
        except Rejected as exc:
            return problem(exc.code, str(exc))
        if not body:
            return problem("body-empty", "Send the message as the body.")
        sha256 = hashlib.sha256(body).hexdigest()
        receipt = derived_id("submission", participant.id, idempotency[0] if idempotency else sha256)
        return Submission(Entry(receipt, participant.id, sha256, len(body), self.clock()), body, content_type, hint)

    async def _take(self, topic: str, submission: Submission) -> Response:
        """Append the submission to the log, once for every receipt, and answer."""
        entry = submission.entry
        held = await self._bounded(self._reserve(entry))
        if held is not None and held.sha256 != entry.sha256:
            return problem("conflict", "Use a new Idempotency-Key for other content.")
        if held is not None and held.received_at is not None:
            entry = entry._replace(received_at=held.received_at)
        if held is not None and held.durable:
            return _accepted(entry, replayed=True)
        try:
            async with asyncio.timeout(self.ack_seconds):
                await self._publish(_record(topic, submission._replace(entry=entry)))
        except (Unavailable, TimeoutError):
            log.warning("submission.unavailable", extra={"participant": entry.participant, "submission_id": str(entry.id)})
            return problem(
                "unavailable", "The log did not acknowledge. Send the same again: its receipt will be the same.", headers=RETRY_AFTER
            )
        await self._bounded(self._settle(entry))
        return _accepted(entry, replayed=False)

    async def _publish_all(self, records: Sequence[Outgoing]) -> Sequence[None]:
        await self.publisher.publish(records, timeout_seconds=self.ack_seconds)
        return [None] * len(records)

    async def _settle_all(self, entries: Sequence[Entry]) -> Sequence[None]:
        await self.receipts.settle(entries)
        return [None] * len(entries)

    async def _bounded(self, work: Awaitable[Any]) -> Any:
        """Wait for the store of receipts, but not long, and not at all for a while after it failed; None when there is no answer."""
        if time.monotonic() < self._store_back_at:
            if asyncio.iscoroutine(work):
                work.close()
            return None
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await work
        except (Unavailable, TimeoutError) as exc:
            self._store_back_at = time.monotonic() + STORE_PAUSE_SECONDS
            log.warning("receipts.unavailable", extra={"error": type(exc).__name__})
            return None


def _record(topic: str, submission: Submission) -> Outgoing:
    """Return the record of a submission: its bytes, and who, when, what in the headers. No header says more than identifiers."""
    receipt = str(submission.entry.id).encode()
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", receipt),
        ("ce_type", SUBMISSION_TYPE.encode()),
        ("ce_source", SOURCE),
        ("ce_time", submission.entry.received_at.isoformat().encode()),
        ("ce_submission", receipt),
        ("content-type", submission.content_type.encode()),
    ]
    if submission.format_hint:
        headers.append(("ce_format", submission.format_hint.encode()))
    return Outgoing(topic, receipt, submission.body, headers)


def _accepted(entry: Entry, *, replayed: bool) -> Response:
    address = f"/v1/submissions/{entry.id}"
    receipt = Receipt(receipt_id=entry.id, received_at=entry.received_at, sha256=entry.sha256, bytes=entry.bytes, status=address)
    headers = {"Location": address} | ({"Idempotent-Replayed": "true"} if replayed else {})
    return _json(receipt.to_json(), 202, headers)


def _page(request: Request) -> tuple[Cursor | None, int]:
    """Read ``after`` and ``limit``. Raises ``ValueError``."""
    after, limit = request.query_params.get("after"), int(request.query_params.get("limit", PAGE))
    if not 1 <= limit <= PAGE_LIMIT:
        raise ValueError(limit)
    return (Cursor.parse(after) if after else None), limit


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


def routes(gateway: Gateway) -> list[Route]:
    """Return the door's addresses."""
    return [
        Route("/", _root),
        Route("/openapi.json", _openapi),
        Route("/v1/submissions", gateway.submit, methods=["POST"]),
        Route("/v1/submissions/{id}", gateway.status, methods=["GET"]),
        Route("/v1/feed", gateway.feed, methods=["GET"]),
        Route("/v1/feed/ack", gateway.feed, methods=["POST"]),
    ]


async def _root(_: Request) -> Response:
    links = {"submissions": "/v1/submissions", "feed": "/v1/feed", "openapi": "/openapi.json", "health": "/health/ready"}
    return _json(orjson.dumps({"service": "Guichet", "links": links}))


async def _openapi(_: Request) -> Response:
    return _json(openapi.rendered())
