"""Samples in pairs: ``<format>/<case>.<ext>`` and ``<case>.expected.json``. People and addresses in them are invented.

``python -m tests.samples FILE…`` writes what the hub makes of a sample beside it, to be read before it is committed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from shared.errors import MalformedMessage, UnknownFormat
from shared.formats import recognition, xml
from shared.formats.refusals import refused
from shared.model import DEFAULT_DIALECT, Dialect, RawMessage

FOLDER = Path(__file__).parent
RECEIVED_AT = datetime(2026, 11, 21, 18, tzinfo=UTC)
PARTICIPANT = "sample-sender"


def samples(format: str) -> list[Path]:
    """Return the sample messages of one folder."""
    return sorted(path for path in (FOLDER / format).iterdir() if not path.name.endswith(".expected.json"))


def expected(path: Path) -> Any:
    """Return what is expected of a sample."""
    return orjson.loads(path.with_suffix(".expected.json").read_bytes())


def raw(body: bytes, participant: str = PARTICIPANT) -> RawMessage:
    """Return *body* as a message of an invented sender."""
    return RawMessage(participant, body, RECEIVED_AT)


def outcome(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> Any:
    """Return what the hub makes of *body*: the refusal of the whole, or head and items, as plain values."""
    try:
        xml.check_arrival(body)
        module = recognition.recognise(body)
        parsed = module.parse(raw(body), dialect)
        items = [_plain(item) for item in parsed]
    except UnknownFormat as exc:
        return {"refused": "MSG-FORMAT", "message": str(exc).partition(". ")[0]}
    except MalformedMessage as exc:
        made = refused(exc, body, dialect.encoding)
        told = {"refused": made.code, "message": made.message, "path": made.sender_path, "line": made.line, "column": made.column}
        return {name: value for name, value in told.items() if value is not None}
    return {"format": module.NAME, "message_id": parsed.head.message_id, "items": items}


def _plain(item: Any) -> Any:
    return {type(item).__name__.lower(): orjson.loads(item.to_json())}
