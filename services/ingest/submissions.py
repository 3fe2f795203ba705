"""The four answers to a submission of the HTTP door: received, well-formed, accepted, decided, each with its own time.

The core of the door's projection: :func:`changes` turns a batch of ``decisions.v1`` into rows, :class:`SubmissionStatus` is what the sender
reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

import orjson
from pydantic import AwareDatetime

from shared.contracts import (
    EVENTS,
    SILENT_WHEN_FREE,
    ConsignmentAccepted,
    DecisionMade,
    FilingRejected,
    Headers,
    Missing,
    Outcome,
    PublicReason,
    SubmissionRead,
    header,
)
from shared.model import Finding, Kind, Model


class Receipt(Model):
    """First answer: the hub has the bytes, durably. ``status`` is where the other answers will stand."""

    receipt_id: UUID
    received_at: AwareDatetime
    sha256: str
    bytes: int
    status: str


class ReceivedAnswer(Model):
    """First answer, read again. Empty but for ``at`` is possible only where the receipt's row was lost."""

    at: AwareDatetime | None = None
    sha256: str | None = None
    bytes: int | None = None


class WellFormedAnswer(Model):
    """Second answer: how many items went on and how many were rejected."""

    at: AwareDatetime
    result: Literal["well_formed", "partly_rejected", "rejected"]
    format: str | None = None
    message_id: str | None = None
    items: int
    rejected: int


class AcceptedAnswer(Model):
    """Third answer, counted over the items: held and complete, held but incomplete, not yet worked on. ``at`` is when the last one was."""

    at: AwareDatetime
    accepted: int
    incomplete: int
    waiting: int


class DecidedAnswer(Model):
    """Fourth answer, counted over the items that are consignments. ``at`` is the time of the last decision."""

    at: AwareDatetime
    decided: int
    waiting: int
    outcomes: dict[Outcome, int]


class ItemStatus(Model):
    """What became of one item. Absent times are answers not given yet."""

    filing_id: UUID
    key: str | None = None
    position: str | None = None
    kind: Kind | None = None
    accepted_at: AwareDatetime | None = None
    effect: str | None = None
    missing: tuple[Missing, ...] | None = None
    decided_at: AwareDatetime | None = None
    outcome: Outcome | None = None
    reasons: tuple[PublicReason, ...] | None = None


class RejectedItem(Model):
    """One item that cannot be used, or the whole message when ``position`` is absent, with every finding."""

    position: str | None = None
    key: str | None = None
    rejected_at: AwareDatetime
    findings: tuple[Finding, ...]


class SubmissionStatus(Model):
    """The four answers as far as they are given, and one page of items; ``next`` is the address of the following page."""

    receipt_id: UUID
    received: ReceivedAnswer
    well_formed: WellFormedAnswer | None = None
    accepted: AcceptedAnswer | None = None
    decided: DecidedAnswer | None = None
    rejections: tuple[RejectedItem, ...] = ()
    items: tuple[ItemStatus, ...] = ()
    next: str | None = None


class Record(Protocol):
    """What of a Kafka record the projection needs."""

    headers: Headers
    value: bytes | None


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to write, one list per table, at most one row per primary key."""

    read: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    rejections: list[Row] = field(default_factory=list)
    filings: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)


def changes(records: Iterable[Record]) -> Changes:
    """Return what *records* of ``decisions.v1`` change. Only those with header ``ce_submission`` are parsed: the rest came by another door.

    Raises ``pydantic.ValidationError`` for a body that is not what its ``ce_type`` says.
    """
    result = Changes()
    for record in records:
        if (submission := header(record.headers, "ce_submission")) is None:
            continue
        body = EVENTS.get(header(record.headers, "ce_type") or "")
        if body is not None:
            _note(result, UUID(submission), body.from_json(record.value or b""))
    return Changes(
        read=_last(result.read, "id"),
        items=_last(result.items, "submission", "ordinal"),
        rejections=_last(result.rejections, "submission", "rejection_id"),
        filings=_last(result.filings, "filing_id", by="sequence"),
        decisions=_last(result.decisions, "key", by="sequence"),
    )


def _note(result: Changes, submission: UUID, event: Model) -> None:
    match event:
        case SubmissionRead():
            result.read.append(_read(event))
            result.items.extend({"submission": submission, "ordinal": n, "filing_id": f} for n, f in enumerate(event.filings))
        case FilingRejected():
            result.rejections.append(_rejection(submission, event))
            if event.rejection.position is None:
                result.read.append(_refused(submission, event))
        case ConsignmentAccepted():
            result.filings.append(_filing(event))
        case DecisionMade():
            result.decisions.append(_decision(event))


def _read(event: SubmissionRead) -> Row:
    return {
        "id": event.submission_id,
        "participant": event.participant,
        "read_at": event.read_at,
        "format": event.format,
        "message_id": event.message_id,
        "items": event.items,
        "rejected": event.rejected,
    }


def _refused(submission: UUID, event: FilingRejected) -> Row:
    """A message refused as a whole has been read as well."""
    rejection = event.rejection
    return {
        "id": submission,
        "participant": rejection.participant,
        "read_at": event.rejected_at,
        "format": rejection.format,
        "message_id": rejection.message_id,
        "items": 0,
        "rejected": 1,
    }


def _rejection(submission: UUID, event: FilingRejected) -> Row:
    rejection = event.rejection
    return {
        "submission": submission,
        "rejection_id": rejection.rejection_id,
        "position": rejection.position,
        "key": rejection.key,
        "rejected_at": event.rejected_at,
        "findings": _json(rejection.findings),
    }


def _filing(event: ConsignmentAccepted) -> Row:
    return {
        "filing_id": event.filing.filing_id,
        "participant": event.filing.participant,
        "key": event.key,
        "position": event.filing.position,
        "kind": event.filing.kind,
        "accepted_at": event.accepted_at,
        "sequence": event.sequence,
        "effect": event.effect,
        "missing": _json(event.missing) if event.missing else None,
    }


def _decision(event: DecisionMade) -> Row:
    """Of the reasons only what every party may hear is kept."""
    told = (each.public for each in event.reasons if each.outcome is not Outcome.RELEASE or each.public not in SILENT_WHEN_FREE)
    return {
        "key": event.key,
        "sequence": event.sequence,
        "decided_at": event.decided_at,
        "outcome": event.outcome.value,
        "reasons": " ".join(dict.fromkeys(told)),
        "parties": " ".join(event.parties),
    }


def _json(models: Iterable[Model]) -> str:
    return "[" + ",".join(model.to_json().decode() for model in models) + "]"


def _last(rows: list[Row], *key: str, by: str | None = None) -> list[Row]:
    """Keep one row per primary key, in key order (locks are taken in it): the one with the highest *by*, else the last."""
    held: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        place = tuple(row[name] for name in key)
        if by is None or place not in held or row[by] >= held[place][by]:
            held[place] = row
    return [held[place] for place in sorted(held)]


def models(kind: type[Model], text: str | None) -> tuple[Any, ...] | None:
    """Read back what :func:`changes` wrote as a JSON list of models."""
    return None if text is None else tuple(kind.model_validate(entry) for entry in orjson.loads(text))
