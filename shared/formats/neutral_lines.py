"""Guichet's own JSON as JSON Lines: one item of :mod:`shared.formats.neutral` on each line, for files that are read while they grow.

The first line is the head: ``{"guichet_lines": "1", "message_id"?, "prepared_at"?}``. A line that cannot be read costs that line only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from shared.formats import neutral
from shared.formats.base import UNLIKE, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.model import Dialect, Filing, RawMessage

NAME: Final = "neutral-lines"
TITLE: Final = "Standard dataset, JSON Lines"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/x-ndjson", "application/jsonl")
VERSIONS: Final[tuple[str, ...]] = neutral.VERSIONS
SOURCE: Final = neutral.SOURCE
CERTAINTY: Final[Certainty] = neutral.CERTAINTY
PATHS: Final[Mapping[str, str]] = neutral.PATHS
MARK: Final = "guichet_lines"


def recognise(sketch: Sketch) -> Likeness:
    """A first line with ``guichet_lines``."""
    if sketch.kind != "json":
        return UNLIKE
    return Likeness(1.0, "lines of the hub's own layout") if MARK in sketch.keys else Likeness(0.1, "JSON, but no lines of the hub's")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read lines. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    return neutral.parse_lines(raw, dialect, NAME, MARK)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write one filing on each line below the head."""
    lines = [orjson.dumps(neutral.opening(envelope, MARK)), *(orjson.dumps(neutral.plain(filing)) for filing in filings), b""]
    return Written(b"\n".join(lines))
