"""The shell of the pretend partners: a risk service over HTTP, a single window over Kafka, webhook receivers, and the switchboard that
programmes them."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import re
from collections import Counter as Tally
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from aiokafka import ConsumerRecord
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.sandbox.behaviour import Behaviours, behave, chance
from services.sandbox.hooks import BadSignature, Inbox, verify
from services.sandbox.verdict import answers
from shared.contracts import ServiceRequest, Topics, derived_id, event_headers
from shared.kafka import KeyedPublisher, Outgoing

HANG_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.25
_ASKED: Final = TypeAdapter(tuple[ServiceRequest, ...])
_HOOK_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

Said = tuple[str, bytes]


class Switchboard:
    """Holds how everybody behaves now. ``PUT /behaviour`` replaces all of it."""

    def __init__(self) -> None:
        self.now = Behaviours()
        self._served: dict[str, Tally[str]] = {}

    def count(self, who: str, what: str) -> None:
        """Count one thing that *who* did to a caller: ``answered``, ``error``, ``hang``, or the status of a webhook's answer."""
        self._served.setdefault(who, Tally())[what] += 1

    async def served(self, _: Request) -> Response:
        """``GET /served``: how often each partner did what, since this process began."""
        return JSONResponse(self._served)

    async def show(self, _: Request) -> Response:
        """``GET /behaviour``"""
        return Response(self.now.to_json(), media_type="application/json")

    async def change(self, request: Request) -> Response:
        """``PUT /behaviour``: 200 with what holds now, 422 with what is wrong."""
        try:
            self.now = Behaviours.from_json(await request.body())
        except ValidationError as exc:
            return JSONResponse({"errors": exc.errors(include_url=False, include_input=False, include_context=False)}, status_code=422)
        return await self.show(request)


class Speaker:
    """Publishes answers on ``answers.v1``, at once or when they are due. What waits lives in memory: a pretend service that dies forgets
    it."""

    def __init__(self, publisher: KeyedPublisher, topics: Topics) -> None:
        self._publisher = publisher
        self._topic = topics.answers
        self._waiting: list[tuple[float, int, str, Said]] = []
        self._number = itertools.count()
        self._more = asyncio.Event()

    def later(self, service: str, said: Sequence[Said], delay_ms: float) -> None:
        """Say it in *delay_ms*."""
        due = asyncio.get_running_loop().time() + delay_ms / 1000
        for one in said:
            heapq.heappush(self._waiting, (due, next(self._number), service, one))
        self._more.set()

    async def say(self, service: str, said: Sequence[Said]) -> None:
        """Say it now; returns when it is on the log."""
        now = datetime.now(UTC)
        await self._publisher.publish([self._record(service, one, now) for one in said])

    async def run(self) -> None:
        """Say what is due, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._more.clear()
            due = self._due(loop.time())
            if due:
                now = datetime.now(UTC)
                await self._publisher.publish([self._record(service, one, now) for service, one in due])
                continue
            pause = min(self._waiting[0][0] - loop.time(), 1.0) if self._waiting else 1.0
            try:
                async with asyncio.timeout(max(pause, 0.005)):
                    await self._more.wait()
                await asyncio.sleep(0.005)
            except TimeoutError:
                continue

    def _due(self, now: float) -> list[tuple[str, Said]]:
        due: list[tuple[str, Said]] = []
        while self._waiting and self._waiting[0][0] <= now and len(due) < 1000:
            _, _, service, one = heapq.heappop(self._waiting)
            due.append((service, one))
        return due

    def _record(self, service: str, said: Said, now: datetime) -> Outgoing:
        key, body = said
        headers = event_headers(
            id=derived_id("sandbox", service, body.decode()), type="guichet.answer", source=f"sandbox/{service}", time=now, subject=key
        )
        return Outgoing(self._topic, key.encode(), body, headers)


class RiskService:
    """``POST /risk/v1/assessments``: ``{"requests": [...]}`` in, ``{"answers": [...]}`` out, one answer an item, in any number."""

    def __init__(self, board: Switchboard, speaker: Speaker) -> None:
        self._board = board
        self._speaker = speaker
        self._attempts: dict[str, int] = {}
        self.asked = 0

    async def assess(self, request: Request) -> Response:
        try:
            asked = _ASKED.validate_python(_requests_of(await request.body()))
        except (ValidationError, ValueError, KeyError) as exc:
            return JSONResponse({"error": str(exc)[:500]}, status_code=400)
        self.asked += len(asked)
        if not asked:
            return JSONResponse({"answers": []})
        call = self._this_call(asked[0])
        self._board.count(asked[0].service, "hang" if call.hang else "error" if call.error else "answered")
        if call.hang:
            await _hang(request)
        if call.error:
            return JSONResponse({"error": "the risk service is not well"}, status_code=500)
        return await self._answered(asked)

    def _this_call(self, first: ServiceRequest) -> Any:
        """Return how this call as a whole goes; a call repeated is another attempt and may go better."""
        id = str(first.request_id)
        self._attempts[id] = self._attempts.get(id, 0) + 1
        return behave(self._board.now.seed, id, self._board.now.of(first.service), self._attempts[id])

    async def _answered(self, asked: Sequence[ServiceRequest]) -> Response:
        board = self._board.now
        inside: list[bytes] = []
        delay_ms = 0.0
        for one in asked:
            behaviour = board.of(one.service)
            reaction = behave(board.seed, one.request_id, behaviour)
            said = answers(board.seed, one, behaviour, reaction)
            if reaction.late:
                self._speaker.later(one.service, said, reaction.delay_ms)
                continue
            delay_ms = max(delay_ms, reaction.delay_ms)
            inside.extend(body for _, body in said)
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)
        return Response(b'{"answers":[' + b",".join(inside) + b"]}", media_type="application/json")


def _requests_of(body: bytes) -> list[Any]:
    requests = orjson.loads(body)["requests"]
    if not isinstance(requests, list):
        raise ValueError("requests is not a list")
    return requests


class SingleWindow:
    """Reads ``requests.single-window.v1`` and answers on ``answers.v1``."""

    def __init__(self, board: Switchboard, speaker: Speaker) -> None:
        self._board = board
        self._speaker = speaker
        self.asked = 0

    async def on_requests(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        board = self._board.now
        at_once: list[Said] = []
        service = "single-window"
        for record in records:
            request = ServiceRequest.from_json(record.value or b"")
            service = request.service
            behaviour = board.of(service)
            reaction = behave(board.seed, request.request_id, behaviour)
            said = answers(board.seed, request, behaviour, reaction)
            if reaction.delay_ms:
                self._speaker.later(service, said, reaction.delay_ms)
            else:
                at_once.extend(said)
        self.asked += len(records)
        await self._speaker.say(service, at_once)


class Hooks:
    """``POST /hooks/{name}`` and ``GET /hooks/{name}/received?after=``."""

    def __init__(self, board: Switchboard, folder: Path) -> None:
        self._board = board
        self._folder = folder
        self._inboxes: dict[str, Inbox] = {}

    def inbox(self, name: str) -> Inbox:
        if name not in self._inboxes:
            self._inboxes[name] = Inbox(name, self._folder)
        return self._inboxes[name]

    async def receive(self, request: Request) -> Response:
        """204 and kept, 401 when the signature does not fit, or what the switchboard says."""
        name = request.path_params["name"]
        if not _HOOK_NAME.fullmatch(name):
            return Response(status_code=404)
        answer = await self._answer(name, request)
        self._board.count(f"hooks/{name}", str(answer.status_code))
        return answer

    async def _answer(self, name: str, request: Request) -> Response:
        body = await request.body()
        trouble = await self._trouble(name, request)
        if trouble is not None:
            return trouble
        inbox = self.inbox(name)
        now = datetime.now(UTC)
        try:
            webhook_id = verify(self._board.now.secrets.get(name, ()), request.headers, body, now)
            inbox.keep(webhook_id, orjson.loads(body), now)
        except BadSignature as exc:
            inbox.refused += 1
            return JSONResponse({"error": str(exc)}, status_code=401)
        except (ValidationError, ValueError) as exc:
            inbox.refused += 1
            return JSONResponse({"error": str(exc)[:500]}, status_code=400)
        return Response(status_code=204)

    async def _trouble(self, name: str, request: Request) -> Response | None:
        """Return the answer of a receiver in trouble, None when all is well."""
        behaviour = self._board.now.of_hook(name)
        if behaviour.delay_ms:
            await asyncio.sleep(behaviour.delay_ms / 1000)
        match behaviour.state:
            case "down":
                return Response(status_code=503)
            case "gone":
                return Response(status_code=410)
            case "hang":
                await _hang(request)
            case "drip":
                return StreamingResponse(_drip(), status_code=200)
            case "up":
                pass
        if behaviour.error_rate:
            webhook_id = request.headers.get("webhook-id", "")
            attempt = self.inbox(name).attempt(webhook_id)
            if chance(self._board.now.seed, "hook", webhook_id, attempt) < behaviour.error_rate:
                return Response(status_code=500)
        return None

    async def received(self, request: Request) -> Response:
        """Return up to ``limit`` (default 1000) deliveries after the one numbered ``after``."""
        name = request.path_params["name"]
        if not _HOOK_NAME.fullmatch(name):
            return Response(status_code=404)
        try:
            after, limit = int(request.query_params.get("after", 0)), int(request.query_params.get("limit", 1000))
        except ValueError:
            return JSONResponse({"error": "after and limit are numbers"}, status_code=400)
        inbox = self.inbox(name)
        entries = inbox.after(max(after, 0), min(max(limit, 1), 10_000))
        listed = b",".join(entry.to_json() for entry in entries)
        return Response(b'{"refused":%d,"received":[%b]}' % (inbox.refused, listed), media_type="application/json")


async def _hang(request: Request) -> None:
    """Say nothing until the caller gives up."""
    for _ in range(int(HANG_SECONDS / _LOOK_SECONDS)):
        if await request.is_disconnected():
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _drip() -> AsyncIterator[bytes]:
    for _ in range(int(HANG_SECONDS)):
        yield b"."
        await asyncio.sleep(1)
