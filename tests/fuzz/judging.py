"""The verdict on one input: filings, answers, rejections or a refusal of the whole come out, nothing else, and in time."""

from __future__ import annotations

import gc
import time
from typing import Final

from shared.contracts import Answer
from shared.errors import MalformedMessage
from shared.formats import READERS, xml
from shared.model import DEFAULT_DIALECT, Filing, Rejection
from tests.samples import raw, samples

SECONDS: Final = 0.05
"""Processor time that a parser may take for each 3 kB begun."""
STEP: Final = 3000
ATTEMPTS: Final = 3
"""A pause of the machine is no slow parser: a slow input is timed anew, and the best time counts."""
LINES_OF_A_SHEET: Final = 1_048_576
LARGEST_SEED: Final = 32 * 1024


class Wrong(Exception):
    """A parser did with an input what none may do."""


def seeds(format: str) -> list[tuple[str, bytes]]:
    """Return name and bytes of the samples of *format* from which hostile inputs are made."""
    read = [(path.name, path.read_bytes()) for path in samples(format)]
    return [(name, body) for name, body in read if 0 < len(body) <= LARGEST_SEED]


def allowed_seconds(body: bytes) -> float:
    """Return how long *body* may take."""
    return SECONDS * max(1, -(-len(body) // STEP))


def judge(format: str, body: bytes, *, timed: bool = True) -> int:
    """Read *body* as *format* and return how many items came out; 0 when it was refused as a whole. Raises :class:`Wrong`."""
    items, took = _read(format, body)
    if timed and took > allowed_seconds(body):
        gc.collect()
        took = min(_read(format, body)[1] for _ in range(ATTEMPTS))
        if took > allowed_seconds(body):
            raise Wrong(f"{len(body)} bytes took {took * 1000:.0f} ms; allowed are {allowed_seconds(body) * 1000:.0f}")
    lines = LINES_OF_A_SHEET if body.startswith(b"PK") else body.count(b"\n") + body.count(b"\r") + 1
    for item in items:
        _check(item, lines)
    return len(items)


def _read(format: str, body: bytes) -> tuple[list[object], float]:
    """Return what the parser gives, and the processor time it took. An error of any other kind than a refusal is the finding."""
    began = time.thread_time()
    items: list[object] = []
    try:
        xml.check_arrival(body)
        items.extend(READERS[format].parse(raw(body), DEFAULT_DIALECT))
    except MalformedMessage as exc:
        if not str(exc):
            raise Wrong("a refusal says nothing") from exc
    return items, time.thread_time() - began


def _check(item: object, lines: int) -> None:
    if not isinstance(item, Filing | Answer | Rejection):
        raise Wrong(f"a {type(item).__name__} came out")
    for made in item.findings or ():
        if made.line is not None and not 1 <= made.line <= lines:
            raise Wrong(f"{made.code} stands in line {made.line} of {lines}")
    if isinstance(item, Rejection) and not item.findings:
        raise Wrong("a rejection has no finding")
    if type(item).from_json(item.to_json()) != item:
        raise Wrong(f"a {type(item).__name__} is another one after it was written and read")
