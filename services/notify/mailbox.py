"""The mailbox over HTTP: a participant pulls its own feeds.

``GET /v1/feed?after=&limit=&wait=&subscription=`` returns ``{"subscription": …, "notices": […], "next": n}`` in the order of the feed.
The cursor is the feed's number and never goes stale: rows can be read again for thirty days, and nothing appears below a number already
given out. ``POST /v1/feed/ack`` with ``{"sequence": n}`` notes what was received; without ``after``, reading goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from services.notify import store
from services.notify.bell import Bell, wait
from shared.directory import Channel, Directory, Subscription
from shared.errors import Rejected, Unavailable
from shared.problems import problem
from shared.security import BodyBroken, BodyTooLarge, BodyTooSlow, bearer, read_body

LIMIT: Final = 100
MOST: Final = 1000
WAIT_SECONDS: Final = 30.0
ACK_BYTES: Final = 4096
_LOOK_SECONDS: Final = 1.0
_BIGGEST: Final = 2**63 - 1


class NotYours(Rejected):
    """The participant has no such feed; whether somebody else has is not told."""

    code = "not-found"


class BadQuery(Rejected):
    """A parameter that this interface did not give out."""

    code = "cursor-invalid"


class Unauthorised(Rejected):
    """No API key, or none that lives."""

    code = "unauthorized"


class Mailbox:
    """The endpoints. *directory* gives the snapshot of the moment, *bell* rings when feeds grow."""

    def __init__(self, engine: AsyncEngine, directory: Callable[[], Directory], bell: Bell) -> None:
        self._engine = engine
        self._directory = directory
        self._bell = bell

    async def get(self, request: Request) -> Response:
        """Answer one page of a feed; with ``wait`` (seconds, 30 at most) it waits for something new instead of answering nothing."""
        try:
            subscription = self._subscription(request, request.query_params.get("subscription"))
            after = _whole(request, "after", 0, _BIGGEST, None)
            limit = _whole(request, "limit", 1, MOST, LIMIT) or LIMIT
            seconds = _whole(request, "wait", 0, int(WAIT_SECONDS), 0) or 0
            if after is None:
                after = (await store.position(self._engine, subscription.id)).acknowledged
            page = await self._page(subscription.id, after, limit, seconds)
        except (Rejected, Unavailable) as exc:
            return _refusal(exc)
        return Response(_body(subscription.id, page, after), media_type="application/json", headers={"cache-control": "no-store"})

    async def acknowledge(self, request: Request) -> Response:
        """Note that a feed was received up to ``sequence``. Never moves backwards, never beyond the end."""
        try:
            wish = _json(await read_body(request.stream(), limit=ACK_BYTES, timeout_seconds=10))
            subscription = self._subscription(request, wish.get("subscription"))
            sequence = wish.get("sequence")
            if type(sequence) is not int or not 0 <= sequence <= _BIGGEST:
                raise BadQuery("sequence must be a number that the feed gave out.")
            if not await store.acknowledge(self._engine, subscription.id, sequence):
                place = await store.position(self._engine, subscription.id)
                raise BadQuery(f"The feed is acknowledged up to {place.acknowledged} and goes up to {place.last}.")
        except (Rejected, Unavailable) as exc:
            return _refusal(exc)
        return Response(orjson.dumps({"subscription": str(subscription.id), "acknowledged": sequence}), media_type="application/json")

    async def _page(self, subscription: UUID, after: int, limit: int, seconds: int) -> store.Page:
        until = time.monotonic() + seconds
        while True:
            ring = self._bell.listen()
            page = await store.read(self._engine, subscription, after, limit)
            left = until - time.monotonic()
            if page.sequences or left <= 0:
                return page
            await wait(ring, min(left, _LOOK_SECONDS))

    def _subscription(self, request: Request, wanted: object) -> Subscription:
        """Return the feed that *request* is about: the one it names, if it is its own, or its only mailbox."""
        directory = self._directory()
        participant = directory.participant_of_key(bearer(request.headers.get("authorization")) or "")
        if participant is None:
            raise Unauthorised("Send a living API key as Authorization: Bearer …")
        own = [each for each in directory.subscriptions if each.participant == participant.id]
        if wanted is not None:
            own = [each for each in own if str(each.id) == str(wanted).lower()]
        else:
            own = [each for each in own if each.channel is Channel.MAILBOX]
        if not own:
            raise NotYours("You have no such feed.")
        if len(own) > 1:
            raise BadQuery("You have several mailboxes; name one with subscription=.")
        return own[0]


def _body(subscription: UUID, page: store.Page, after: int) -> bytes:
    """Put the stored notices together as they are; they are JSON already."""
    next = page.sequences[-1] if page.sequences else after
    return f'{{"subscription":"{subscription}","notices":[{",".join(page.bodies)}],"next":{next}}}'.encode()


def _whole(request: Request, name: str, least: int, most: int, default: int | None) -> int | None:
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) <= 19 and least <= int(given) <= most):
        raise BadQuery(f"{name} must be a whole number from {least} to {most}.")
    return int(given)


def _json(body: bytes) -> dict[str, object]:
    try:
        wish = orjson.loads(body)
    except orjson.JSONDecodeError:
        wish = None
    if not isinstance(wish, dict):
        raise BadQuery('The body must be JSON: {"sequence": n}.')
    return wish


def _refusal(exc: Rejected | Unavailable) -> Response:
    if isinstance(exc, Unavailable):
        return problem("unavailable", "The feed cannot be read now.", headers={"Retry-After": "5"})
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(exc, Unauthorised) else None
    known = (NotYours, BadQuery, Unauthorised, BodyTooLarge, BodyTooSlow, BodyBroken)
    return problem(exc.code if isinstance(exc, known) else "bad-request", str(exc), headers=headers)
