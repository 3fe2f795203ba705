"""The arithmetic of a feed: numbers without gaps, and a chain of hashes that shows any later change.

``hash(n) = SHA-256(hash(n-1) + body(n))``, the first one over the body alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from services.notify.match import Interest, Told
from shared.contracts import Notice


class Head(NamedTuple):
    """The end of a feed: its last number (0 when empty) and the hash of its last row."""

    sequence: int = 0
    hash: bytes = b""


class Known(NamedTuple):
    """A row that an earlier run of the same batch has filed."""

    sequence: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Filed:
    """One notice with its place in its feed. ``fresh`` is False when it was filed before and is only told again."""

    interest: Interest
    notice: Notice
    sequence: int
    body: bytes
    hash: bytes
    fresh: bool


def number(
    told: Sequence[Told], heads: Mapping[UUID, Head], known: Mapping[tuple[UUID, UUID], Known]
) -> tuple[list[Filed], dict[UUID, Head]]:
    """Give each notice the next number of its feed, in the order of *told*, and return them with the feeds' new ends.

    What is *known* keeps its number and its bytes; so does a notice that comes twice in one batch.
    """
    ends = dict(heads)
    seen = dict(known)
    filed = []
    for interest, notice in told:
        place = (notice.subscription, notice.notice_id)
        before = seen.get(place)
        if before is not None:
            filed.append(_again(interest, before))
            continue
        entry = _next(interest, notice, ends[notice.subscription])
        ends[notice.subscription] = Head(entry.sequence, entry.hash)
        seen[place] = Known(entry.sequence, entry.body)
        filed.append(entry)
    return filed, ends


def link(previous: bytes, body: bytes) -> bytes:
    """Return the hash of a row whose predecessor has hash *previous*."""
    return sha256(previous + body).digest()


def first_broken(rows: Iterable[tuple[int, bytes, bytes]], start: Head = Head()) -> int | None:  # noqa: B008 - an immutable value
    """Return the number of the first of *rows* (number, body, hash; in order, following *start*) that was altered, or None.

    A missing row breaks the chain at the next one.
    """
    sequence, previous = start
    for found, body, stored in rows:
        if found != sequence + 1 or link(previous, body) != stored:
            return found
        sequence, previous = found, stored
    return None


def _next(interest: Interest, notice: Notice, head: Head) -> Filed:
    sequence = head.sequence + 1
    numbered = notice.model_copy(update={"feed_sequence": sequence})
    body = numbered.to_json()
    return Filed(interest, numbered, sequence, body, link(head.hash, body), True)


def _again(interest: Interest, before: Known) -> Filed:
    return Filed(interest, Notice.from_json(before.body), before.sequence, before.body, b"", False)
