"""The OpenAPI 3.1 document of the HTTP door, made from the models the door answers with.

``python -m services.ingest.openapi`` writes it to ``deploy/openapi.json``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic.json_schema import models_json_schema

from services.ingest.submissions import Receipt, SubmissionStatus
from shared.formats import MEDIA_TYPES
from shared.problems import MEDIA_TYPE, PROBLEMS

FILE: Final = Path(__file__).resolve().parents[2] / "deploy" / "openapi.json"
_SCHEMAS: Final = "#/components/schemas/"


def document() -> dict[str, Any]:
    """Return the document."""
    _, definitions = models_json_schema(
        [(Receipt, "serialization"), (SubmissionStatus, "serialization")], ref_template=_SCHEMAS + "{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Guichet",
            "version": "1",
            "summary": "Advance-data exchange hub: the HTTP door.",
            "license": {"name": "Apache-2.0"},
        },
        "security": [{"key": []}],
        "paths": {
            "/v1/submissions": {"post": _submit()},
            "/v1/submissions/{id}": {"get": _status()},
            "/v1/feed": {"get": _feed()},
            "/v1/feed/ack": {"post": _acknowledge()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key of a participant."}},
            "schemas": definitions["$defs"] | {"Problem": _problem()},
        },
    }


@cache
def rendered() -> bytes:
    """Return the document as indented JSON."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _submit() -> dict[str, Any]:
    codes = (
        "body-empty", "body-broken", "idempotency-key-invalid", "unauthorized", "request-timeout", "conflict", "body-too-large",
        "media-type-unsupported", "backlog", "headers-too-large", "unavailable",
    )  # fmt: skip
    return {
        "summary": "Send one message.",
        "description": "At most 5 MiB, gzip allowed. The answer comes when the log has the message on every in-sync replica.",
        "operationId": "submit",
        "parameters": [
            _header("Idempotency-Key", "1 to 255 visible ASCII characters; the same key with the same body gives the same receipt."),
            _header("Content-Encoding", "gzip or absent."),
            _header("Guichet-Format", "Name of the format, where the bytes alone do not tell."),
        ],
        "requestBody": {
            "required": True,
            "content": {type: {"schema": {} if "json" in type else {"type": "string"}} for type in MEDIA_TYPES},
        },
        "responses": {
            "202": _answer("The hub has the message; the receipt says where its answers will stand.", "Receipt"),
            **_problems(codes),
        },
    }


def _status() -> dict[str, Any]:
    return {
        "summary": "Read the four answers to a submission, with one page of its items.",
        "operationId": "readSubmission",
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
            _query("after", {"type": "string"}),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        ],
        "responses": {"200": _answer("Received, well-formed, accepted, decided, as far as they are given.", "SubmissionStatus"),
                      **_problems(("cursor-invalid", "unauthorized", "not-found", "unavailable"))},
    }  # fmt: skip


def _feed() -> dict[str, Any]:
    return {
        "summary": "Read the mailbox: the notices of one's own subscriptions after a cursor.",
        "operationId": "readFeed",
        "parameters": [
            _query("after", {"type": "integer", "minimum": 0}),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000}),
            _query("wait", {"type": "integer", "minimum": 0, "maximum": 30, "description": "Seconds to wait for something new."}),
            _query("subscription", {"type": "string", "format": "uuid"}),
        ],
        "responses": {
            "200": _any("Notices in the order of the feed."),
            **_problems(("cursor-invalid", "unauthorized", "not-found", "unavailable")),
        },
    }


def _acknowledge() -> dict[str, Any]:
    return {
        "summary": "Acknowledge the mailbox up to a cursor.",
        "operationId": "acknowledgeFeed",
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "200": _any("Acknowledged."),
            **_problems(("cursor-invalid", "body-broken", "unauthorized", "not-found", "request-timeout", "body-too-large", "unavailable")),
        },
    }


def _problems(codes: tuple[str, ...]) -> dict[str, Any]:
    """Return the error answers, one a status, with the codes that may stand in it."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    schema = {"$ref": _SCHEMAS + "Problem"}
    return {
        str(status): {
            "description": "; ".join(f"`{code}`: {PROBLEMS[code].title}" for code in names),
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status, names in sorted(by_status.items())
    }


def _problem() -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in ("type", "title", "code", "detail")} | {"status": {"type": "integer"}}
    properties["code"] = {"type": "string", "enum": sorted(PROBLEMS)}  # type: ignore[dict-item]
    return {"type": "object", "description": "RFC 9457 problem details.", "required": sorted(properties), "properties": properties}


def _answer(description: str, model: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": _SCHEMAS + model}}}}


def _any(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"type": "object"}}}}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


if __name__ == "__main__":
    FILE.write_bytes(rendered())
