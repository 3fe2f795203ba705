"""Sends a plan of traffic through the hub's two doors, and tells the books what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import httpx

from services.sandbox.checker import Checker, Sent
from services.sandbox.timeline import Timeline
from services.sandbox.traffic import Plan, Send
from shared.contracts import Topics
from shared.errors import Refused
from shared.kafka import KeyedPublisher, Outgoing

_AT_ONCE: Final = 8
_TRIES: Final = 60
_CHUNK: Final = 20


class Sender:
    """The pretend participants' sending side. *keys* are their API keys; *advanced* is told how many items each message held."""

    def __init__(
        self,
        publisher: KeyedPublisher,
        topics: Topics,
        door: str,
        keys: Mapping[str, str],
        checker: Checker,
        timeline: Timeline,
        advanced: Callable[[int], None] = lambda items: None,
    ) -> None:
        self._publisher = publisher
        self._topics = topics
        self._door = door
        self._keys = keys
        self._checker = checker
        self._timeline = timeline
        self._advanced = advanced
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def send(self, plan: Plan) -> None:
        """Send everything in its order, as fast as the doors take it or as the plan's pauses say; returns when all is acknowledged."""
        limits = httpx.Limits(max_connections=_AT_ONCE)
        async with (
            httpx.AsyncClient(base_url=self._door, timeout=15.0, trust_env=False, limits=limits) as http,
            asyncio.TaskGroup() as group,
        ):
            waiting: list[Send] = []
            for send in plan.sends:
                if send.wait_seconds or len(waiting) >= _CHUNK:
                    await self._stream(waiting)
                    waiting = []
                    await asyncio.sleep(send.wait_seconds)
                if send.via == "kafka":
                    waiting.append(send)
                else:
                    await self._gate.acquire()
                    group.create_task(self._submit(http, send))
            await self._stream(waiting)

    async def _stream(self, sends: Iterable[Send]) -> None:
        """Write raw bytes to the senders' own topics, as a post does."""
        sends = list(sends)
        for send in sends:
            self._note(send)
        await self._publisher.publish([self._record(send) for send in sends])
        for send in sends:
            self._advanced(send.items)

    def _record(self, send: Send) -> Outgoing:
        return Outgoing(self._topics.inbound(send.sender), send.key.encode() if send.key else None, send.body, [])

    async def _submit(self, http: httpx.AsyncClient, send: Send) -> None:
        """Post one message until it is taken; the same Idempotency-Key makes every try the same submission."""
        try:
            message = self._note(send)
            headers = {"Authorization": f"Bearer {self._keys[send.sender]}", "Content-Type": send.content_type}
            if send.idempotency_key:
                headers["Idempotency-Key"] = send.idempotency_key
            for _ in range(_TRIES):
                answer = await _post(http, send.body, headers)
                if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
                    self._checker.also_named(message, answer.json()["receipt_id"])
                    self._advanced(send.items)
                    return
                if answer is not None and answer.status_code not in (429, 503):
                    raise Refused(f"the door says {answer.status_code} to {send.sender}: {answer.text[:300]}")
                await asyncio.sleep(min(float(answer.headers.get("retry-after", 1)) if answer is not None else 1.0, 5.0))
            raise Refused(f"the door took {send.kind} of {send.sender} in none of {_TRIES} tries")
        finally:
            self._gate.release()

    def _note(self, send: Send) -> Sent:
        """Open the account before the message leaves: an answer may be faster than the acknowledgement."""
        now = datetime.now(UTC)
        for key in send.accepted:
            self._timeline.sent(key, now, send.sender, send.via, send.kind)
        return self._checker.sent(Sent(send.sender, set(send.names), send.accepted, send.rejected, send.kind, send.items, now))


async def _post(http: httpx.AsyncClient, body: bytes, headers: Mapping[str, str]) -> httpx.Response | None:
    """Return the door's answer, None where there was none."""
    try:
        return await http.post("/v1/submissions", content=body, headers=dict(headers))
    except httpx.TransportError:
        return None
