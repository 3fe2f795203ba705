"""One row of history: an input that was applied, the events it caused, and its place in the dossier's chain of hashes.

The row is inbox (its cause is unique), outbox (its events are published again when the cause comes again), audit trail, timeline and
replay log. Events are kept as lines of text: a head (``type id service time``, ``-`` for no service, then the submission, if any) and the
JSON body; ``also <cause>`` stands for the events of another row that the same record caused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.router.fold import Event, Input
from shared.contracts import Answer, Command, ConsignmentAccepted, DecisionMade, FilingRef, FilingRejected, Topics, event_headers
from shared.model import Filing, Model, Rejection
from shared.outgoing import Outgoing

SOURCE: Final = "/guichet/router"
CONFLICT: Final = "-conflict"
LINK: Final = "link"
_BODIES: Final[dict[str, type[Filing | Answer | Command]]] = {"filing": Filing, LINK: Filing, "answer": Answer, "command": Command}
NO_HASH: Final = b""


class Transition(NamedTuple):
    """One applied input as stored. ``kind`` is filing, link, answer or command, with ``-conflict`` behind it for an id used twice."""

    cause_id: UUID
    key: str
    sequence: int
    at: datetime
    kind: str
    input: str
    events: str
    policy_digest: str
    input_digest: bytes
    previous_hash: bytes
    hash: bytes


class Told(NamedTuple):
    """One stored event, or a pointer (``also``) to the events of another cause."""

    type: str
    id: UUID
    service: str | None
    at: datetime
    body: bytes
    submission: str | None = None


def kind_of(entry: Input) -> str:
    """Return how the row names the kind of *entry*."""
    linked = entry.kind == "filing" and entry.key != entry.body.key
    kind = LINK if linked else entry.kind
    return f"{kind}{CONFLICT}" if entry.conflict else kind


def input_of(row: Transition) -> Input:
    """Return the input that *row* stored, to be folded again."""
    kind = row.kind.removesuffix(CONFLICT)
    body = _BODIES[kind].from_json(row.input)
    return Input(row.cause_id, row.key, "filing" if kind == LINK else kind, body, row.kind.endswith(CONFLICT))  # type: ignore[arg-type]


def make(entry: Input, raw: bytes, sequence: int, at: datetime, events: str, policy_digest: str, previous_hash: bytes) -> Transition:
    """Return the row of an input just folded, chained to *previous_hash*."""
    kind = kind_of(entry)
    digest = hashlib.sha256(raw).digest()
    link = chained(previous_hash, entry.cause_id, entry.key, sequence, at, kind, policy_digest, digest, events)
    return Transition(entry.cause_id, entry.key, sequence, at, kind, raw.decode(), events, policy_digest, digest, previous_hash, link)


def chained(
    previous_hash: bytes,
    cause_id: UUID,
    key: str,
    sequence: int,
    at: datetime,
    kind: str,
    policy_digest: str,
    input_digest: bytes,
    events: str,
) -> bytes:
    """Return the hash of a row: SHA-256 over the one before it and everything the row says."""
    head = f"{cause_id}|{key}|{sequence}|{_seconds(at)}|{kind}|{policy_digest}|".encode()
    return hashlib.sha256(b"".join((previous_hash, head, input_digest, hashlib.sha256(events.encode()).digest()))).digest()


@lru_cache(maxsize=16)
def _seconds(at: datetime) -> str:
    """Return seconds since 1970 with six decimals: one time for a whole batch."""
    return f"{at.timestamp():.6f}"


def broken_at(rows: Sequence[Transition]) -> int | None:
    """Return the sequence of the first row of one dossier whose chain does not hold, or None when history is as it was written."""
    previous, expected = NO_HASH, 1
    for row in rows:
        digest = hashlib.sha256(row.input.encode()).digest()
        link = chained(previous, row.cause_id, row.key, row.sequence, row.at, row.kind, row.policy_digest, digest, row.events)
        if row.sequence != expected or row.previous_hash != previous or row.input_digest != digest or row.hash != link:
            return expected
        previous, expected = row.hash, expected + 1
    return None


# --- events as text -----------------------------------------------------------------------------------------------------------------------


def published(events: Iterable[Event], key: str, now: datetime, topics: Topics) -> tuple[list[Outgoing], str]:
    """Return *events* ready to publish, and the text that stores them; each is serialised once."""
    outgoing: list[Outgoing] = []
    lines: list[str] = []
    time = _text(now)
    encoded = key.encode()
    for event in events:
        type, id, service = event.type, str(event.id), event.service
        body = event.body.to_json()
        submission = submission_of(event.body)
        lines.append(f"{type} {id} {service or '-'} {time}" + (f" {submission}" if submission else ""))
        lines.append(body.decode())
        outgoing.append(_record(type, id, service, time, body, key, encoded, topics, submission))
    return outgoing, "\n".join(lines)


@lru_cache(maxsize=16)
def _text(at: datetime) -> str:
    """Return *at* as RFC 3339 has it: one time for a whole batch."""
    return at.isoformat()


def submission_of(body: Model) -> str | None:
    """Return the receipt of the HTTP door under which the filing came that an event is about; the door finds its answers by it."""
    about = _ABOUT.get(type(body))
    submission = about(body).submission_id if about is not None else None
    return str(submission) if submission is not None else None


_ABOUT: Final[Mapping[type[Model], Callable[[Any], FilingRef | Rejection]]] = {
    ConsignmentAccepted: attrgetter("filing"),
    DecisionMade: attrgetter("filing"),
    FilingRejected: attrgetter("rejection"),
}
"""What tells which filing an event is about."""


def also(causes: Iterable[UUID]) -> str:
    """Return the lines that point at the events of other rows."""
    return "\n".join(f"also {cause}" for cause in causes)


def stored_events(text: str) -> Iterator[Told | UUID]:
    """Yield what a row's events text holds: events, and the causes whose events belong at that place."""
    lines = iter(text.split("\n")) if text else iter(())
    for head in lines:
        words = head.split(" ")
        if words[0] == "also":
            yield UUID(words[1])
        else:
            service = None if words[2] == "-" else words[2]
            submission = words[4] if len(words) > 4 else None
            yield Told(words[0], UUID(words[1]), service, datetime.fromisoformat(words[3]), next(lines).encode(), submission)


def again(told: Told, key: str, topics: Topics) -> Outgoing:
    """Return a stored event as the same record that was published first."""
    return _record(told.type, str(told.id), told.service, told.at.isoformat(), told.body, key, key.encode(), topics, told.submission)


def _record(
    type: str, id: str, service: str | None, at: str, body: bytes, key: str, encoded: bytes, topics: Topics, submission: str | None
) -> Outgoing:
    topic = topics.decisions if service is None else topics.requests(service)
    extra = (("submission", submission),) if submission else ()
    return Outgoing(topic, encoded, body, event_headers(id=id, type=type, source=SOURCE, time=at, subject=key, extra=extra))
