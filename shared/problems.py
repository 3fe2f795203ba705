"""Errors over HTTP as problem details (RFC 9457, ``application/problem+json``): a stable code, a title, what happened, what to do.

``type`` is ``urn:guichet:problem:<code>``. The table below is the whole list; the README shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Rejected, Unavailable

MEDIA_TYPE: Final = "application/problem+json"
HEADER_LIMIT: Final = 16 * 1024
"""Bytes of headers and address of one request at most."""


class Problem(NamedTuple):
    """One kind of problem: its HTTP status and a title that never changes."""

    status: int
    title: str


PROBLEMS: Final[Mapping[str, Problem]] = {
    "bad-request": Problem(400, "The request cannot be understood."),
    "body-broken": Problem(400, "The body cannot be decompressed or stopped half-way."),
    "body-empty": Problem(400, "The body is empty."),
    "idempotency-key-invalid": Problem(400, "The Idempotency-Key is not 1 to 255 visible ASCII characters."),
    "cursor-invalid": Problem(400, "The cursor or limit is not one this hub gave out."),
    "unauthorized": Problem(401, "A valid API key is needed."),
    "forbidden": Problem(403, "This participant may not do that."),
    "not-found": Problem(404, "There is nothing here, or it is not yours."),
    "method-not-allowed": Problem(405, "This address does not know that method."),
    "request-timeout": Problem(408, "The body came too slowly."),
    "conflict": Problem(409, "The same Idempotency-Key came with other content."),
    "body-too-large": Problem(413, "The body is larger than the hub takes."),
    "media-type-unsupported": Problem(415, "The Content-Type or Content-Encoding is not one the hub reads."),
    "headers-too-large": Problem(431, "The request's headers are too large."),
    "backlog": Problem(429, "Too many of your messages are waiting to be read."),
    "internal": Problem(500, "The hub made a mistake; it is logged."),
    "unavailable": Problem(503, "The hub cannot take the request now; the same request may work later."),
}


def problem(code: str, detail: str, *, headers: Mapping[str, str] | None = None, status: int | None = None) -> Response:
    """Return the answer for problem *code*. *detail* says what happened this time and never repeats a body or a credential."""
    kind = PROBLEMS[code]
    body = {"type": f"urn:guichet:problem:{code}", "title": kind.title, "status": status or kind.status, "code": code, "detail": detail}
    return Response(orjson.dumps(body), status_code=status or kind.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def dress(app: Starlette) -> Starlette:
    """Make every error of *app* a problem: unknown addresses and methods, oversized headers, the hub's own errors, bugs. Returns *app*."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Rejected, _on_rejected)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(Exception, _on_bug)
    app.add_middleware(_HeaderLimit)
    return app


async def _on_http_exception(_: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    headers = exc.headers if isinstance(exc, HTTPException) else None
    code = {404: "not-found", 405: "method-not-allowed"}.get(status, "bad-request" if status < 500 else "internal")
    return problem(code, PROBLEMS[code].title, headers=headers, status=status)


async def _on_rejected(_: Request, exc: Exception) -> Response:
    code = exc.code if isinstance(exc, Rejected) and exc.code in PROBLEMS else "bad-request"
    return problem(code, str(exc))


async def _on_unavailable(_: Request, exc: Exception) -> Response:
    return problem("unavailable", PROBLEMS["unavailable"].title, headers={"Retry-After": "2"})


async def _on_bug(_: Request, exc: Exception) -> Response:
    return problem("internal", PROBLEMS["internal"].title)


class _HeaderLimit:
    """Answers 431 to a request whose headers, query and path together pass the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _size_of_head(scope) > HEADER_LIMIT:
            await problem("headers-too-large", f"Headers and address must stay below {HEADER_LIMIT} bytes.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _size_of_head(scope: Scope) -> int:
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return int(headers + len(scope.get("raw_path") or b"") + len(scope["query_string"]))
