# ruff: noqa: S608  (the texts put together here are our own column lists)
"""All SQL of schema ``ingest``: receipts of the HTTP door, and the answers that came since. Set-based, rows in key order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.submissions import (
    AcceptedAnswer,
    Changes,
    DecidedAnswer,
    ItemStatus,
    ReceivedAnswer,
    RejectedItem,
    SubmissionStatus,
    WellFormedAnswer,
    models,
)
from shared.contracts import Missing, Outcome
from shared.db import transaction
from shared.model import Finding


class Entry(NamedTuple):
    """One receipt as the door writes it."""

    id: UUID
    participant: str
    sha256: str
    bytes: int
    received_at: datetime


class Held(NamedTuple):
    """What the store holds under a receipt's id. ``durable`` says that the log is known to have the bytes."""

    sha256: str | None
    received_at: datetime | None
    durable: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after a rejection (``rejection_id``) or after an item (``ordinal``); rejections come first."""

    rejection_id: UUID | None = None
    ordinal: int | None = None

    def __str__(self) -> str:
        return f"r{self.rejection_id}" if self.ordinal is None else f"i{self.ordinal}"

    @classmethod
    def parse(cls, value: str) -> Cursor:
        """Read what ``str`` wrote. Raises ``ValueError``."""
        if value.startswith("r"):
            return cls(rejection_id=UUID(value[1:]))
        if value.startswith("i") and value.isascii() and value[1:].isdecimal() and len(value) < 10:
            return cls(ordinal=int(value[1:]))
        raise ValueError(value[:50])


_ENTRY: Final = {"id": "uuid", "participant": "text", "sha256": "text", "bytes": "integer", "received_at": "timestamptz"}
_READ: Final = {
    "id": "uuid",
    "participant": "text",
    "read_at": "timestamptz",
    "format": "text",
    "message_id": "text",
    "items": "integer",
    "rejected": "integer",
}
_ITEM: Final = {"submission": "uuid", "ordinal": "integer", "filing_id": "uuid"}
_REJECTION: Final = {
    "submission": "uuid",
    "rejection_id": "uuid",
    "position": "text",
    "key": "text",
    "rejected_at": "timestamptz",
    "findings": "text",
}
_FILING: Final = {
    "filing_id": "uuid",
    "participant": "text",
    "key": "text",
    "position": "text",
    "kind": "text",
    "accepted_at": "timestamptz",
    "sequence": "bigint",
    "effect": "text",
    "missing": "text",
}
_DECISION: Final = {
    "key": "text",
    "sequence": "bigint",
    "decided_at": "timestamptz",
    "outcome": "text",
    "reasons": "text",
    "parties": "text",
}


def _unnest(columns: Mapping[str, str]) -> str:
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in columns.items())
    return f"unnest({arrays}) AS new ({', '.join(columns)})"


def _columns(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in columns}


def _update(columns: Mapping[str, str], *keys: str) -> str:
    return ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name not in keys)


_RESERVE = text(f"""
    INSERT INTO ingest.submission ({", ".join(_ENTRY)}) SELECT {", ".join(_ENTRY)} FROM {_unnest(_ENTRY)}
    ON CONFLICT (id) DO UPDATE SET sha256 = coalesce(submission.sha256, EXCLUDED.sha256),
        bytes = coalesce(submission.bytes, EXCLUDED.bytes), received_at = coalesce(submission.received_at, EXCLUDED.received_at)
    RETURNING id, sha256, received_at, durable_at IS NOT NULL
""")
_SETTLE = text(f"""
    INSERT INTO ingest.submission ({", ".join(_ENTRY)}, durable_at) SELECT {", ".join(_ENTRY)}, now() FROM {_unnest(_ENTRY)}
    ON CONFLICT (id) DO UPDATE SET durable_at = coalesce(submission.durable_at, EXCLUDED.durable_at)
""")
_PUT: Final = {
    "read": (
        _READ,
        f"""INSERT INTO ingest.submission ({", ".join(_READ)}, durable_at) SELECT {", ".join(_READ)}, read_at FROM {_unnest(_READ)}
            ON CONFLICT (id) DO UPDATE SET {_update(_READ, "id", "participant")},
            durable_at = coalesce(submission.durable_at, EXCLUDED.durable_at)""",
    ),
    "items": (
        _ITEM,
        f"INSERT INTO ingest.submission_item ({', '.join(_ITEM)}) SELECT {', '.join(_ITEM)} FROM {_unnest(_ITEM)} ON CONFLICT DO NOTHING",
    ),
    "rejections": (
        _REJECTION,
        f"""INSERT INTO ingest.rejection ({", ".join(_REJECTION)}) SELECT {", ".join(_REJECTION)} FROM {_unnest(_REJECTION)}
            ON CONFLICT DO NOTHING""",
    ),
    "filings": (
        _FILING,
        f"""INSERT INTO ingest.filing ({", ".join(_FILING)}) SELECT {", ".join(_FILING)} FROM {_unnest(_FILING)}
            ON CONFLICT (filing_id) DO UPDATE SET {_update(_FILING, "filing_id")} WHERE EXCLUDED.sequence >= filing.sequence""",
    ),
    "decisions": (
        _DECISION,
        f"""INSERT INTO ingest.decision ({", ".join(_DECISION)})
            SELECT key, sequence, decided_at, outcome, string_to_array(reasons, ' '), string_to_array(parties, ' ')
            FROM {_unnest(_DECISION)}
            ON CONFLICT (key) DO UPDATE SET {_update(_DECISION, "key")} WHERE EXCLUDED.sequence >= decision.sequence""",
    ),
}


async def reserve(engine: AsyncEngine, entries: Sequence[Entry]) -> list[Held]:
    """Note the receipts about to be given and return what is held under each id: the entry itself, or the one that was there before.

    The first of two entries with one id wins, in one call as in several processes. Raises ``StoreUnavailable``.
    """
    first: dict[UUID, Entry] = {}
    for entry in entries:
        first.setdefault(entry.id, entry)
    async with transaction(engine) as connection:
        result = await connection.execute(_RESERVE, _columns(_ENTRY, [first[id]._asdict() for id in sorted(first)]))
        held = {id: Held(*rest) for id, *rest in result.tuples()}
    return [held[entry.id] for entry in entries]


async def settle(engine: AsyncEngine, entries: Sequence[Entry]) -> None:
    """Note that the log has the bytes of *entries*."""
    rows = {entry.id: entry for entry in entries}
    async with transaction(engine) as connection:
        await connection.execute(_SETTLE, _columns(_ENTRY, [rows[id]._asdict() for id in sorted(rows)]))


async def apply(engine: AsyncEngine, changed: Changes) -> None:
    """Write what a batch of events changed, in one transaction. Applying it twice, or an old batch after a new one, changes nothing."""
    async with transaction(engine) as connection:
        for table, (columns, statement) in _PUT.items():
            if rows := getattr(changed, table):
                await connection.execute(text(statement), _columns(columns, rows))


async def find_status(
    engine: AsyncEngine, participant: str, receipt: UUID, *, after: Cursor | None = None, limit: int = 100
) -> SubmissionStatus | None:
    """Return the four answers to *participant*'s submission and a page of *limit* items after *after*.

    None when there is no such submission of his; a receipt that was reserved but never given out (the log did not acknowledge) is none.
    """
    async with transaction(engine) as connection:
        found = await connection.execute(text(_SUBMISSION), {"id": receipt, "participant": participant})
        row = found.one_or_none()
        if row is None:
            return None
        counts = (await connection.execute(text(_COUNTS), {"id": receipt, "participant": participant})).all()
        rejections = await _rejections(connection, receipt, after, limit)
        items = await _items(connection, receipt, participant, after, limit - len(rejections))
    accepted, decided = _answers(counts, row)
    return SubmissionStatus(
        receipt_id=receipt,
        received=ReceivedAnswer(at=row.received_at, sha256=row.sha256, bytes=row.bytes),
        well_formed=_well_formed(row),
        accepted=accepted,
        decided=decided,
        rejections=tuple(_rejected_item(entry) for entry in rejections),
        items=tuple(_item(entry) for entry in items),
        next=_next(receipt, rejections, items, limit),
    )


_SUBMISSION = """
    SELECT s.*, (SELECT count(*) FROM ingest.rejection r WHERE r.submission = s.id) AS refused
    FROM ingest.submission s WHERE s.id = :id AND s.participant = :participant AND s.durable_at IS NOT NULL
"""
_COUNTS = """
    SELECT f.kind, d.outcome, count(*) AS items, count(f.accepted_at) AS accepted, count(f.missing) AS incomplete,
           max(f.accepted_at) AS accepted_at, max(d.decided_at) AS decided_at
    FROM ingest.submission_item i
    LEFT JOIN ingest.filing f USING (filing_id)
    LEFT JOIN ingest.decision d ON d.key = f.key AND f.kind = 'consignment' AND :participant = ANY(d.parties)
    WHERE i.submission = :id GROUP BY f.kind, d.outcome
"""
_REJECTIONS = """
    SELECT rejection_id, position, key, rejected_at, findings FROM ingest.rejection
    WHERE submission = :id AND (CAST(:after AS uuid) IS NULL OR rejection_id > :after) ORDER BY rejection_id LIMIT :limit
"""
_ITEMS = """
    SELECT i.ordinal, i.filing_id, f.key, f.position, f.kind, f.accepted_at, f.effect, f.missing, d.decided_at, d.outcome, d.reasons
    FROM ingest.submission_item i
    LEFT JOIN ingest.filing f USING (filing_id)
    LEFT JOIN ingest.decision d ON d.key = f.key AND f.kind = 'consignment' AND :participant = ANY(d.parties)
    WHERE i.submission = :id AND i.ordinal > :after ORDER BY i.ordinal LIMIT :limit
"""


async def _rejections(connection: AsyncConnection, receipt: UUID, after: Cursor | None, limit: int) -> Sequence[Row[Any]]:
    if after is not None and after.ordinal is not None:
        return []
    values = {"id": receipt, "after": after.rejection_id if after else None, "limit": limit}
    return (await connection.execute(text(_REJECTIONS), values)).all()


async def _items(connection: AsyncConnection, receipt: UUID, participant: str, after: Cursor | None, limit: int) -> Sequence[Row[Any]]:
    ordinal = after.ordinal if after and after.ordinal is not None else -1
    values = {"id": receipt, "participant": participant, "after": ordinal, "limit": limit}
    return (await connection.execute(text(_ITEMS), values)).all() if limit else []


def _next(receipt: UUID, rejections: Sequence[Row[Any]], items: Sequence[Row[Any]], limit: int) -> str | None:
    if len(rejections) + len(items) < limit:
        return None
    last = Cursor(ordinal=items[-1].ordinal) if items else Cursor(rejection_id=rejections[-1].rejection_id)
    return f"/v1/submissions/{receipt}?after={last}&limit={limit}"


def _well_formed(row: Row[Any]) -> WellFormedAnswer | None:
    if row.read_at is None:
        return None
    result = "well_formed" if not row.rejected else "partly_rejected" if row.items else "rejected"
    return WellFormedAnswer.model_validate(
        {
            "at": row.read_at,
            "result": result,
            "format": row.format,
            "message_id": row.message_id,
            "items": row.items,
            "rejected": row.rejected,
        }
    )


def _answers(counts: Sequence[Row[Any]], submission: Row[Any]) -> tuple[AcceptedAnswer | None, DecidedAnswer | None]:
    """Add the groups up. Only consignments wait for a decision, and no item that was refused after it was read."""
    refused = max(0, submission.refused - (submission.rejected or 0))
    accepted, items = sum(row.accepted for row in counts), sum(row.items for row in counts)
    incomplete = sum(row.incomplete for row in counts)
    outcomes = {Outcome(row.outcome): 0 for row in counts if row.outcome}
    for row in counts:
        if row.outcome:
            outcomes[Outcome(row.outcome)] += row.items
    decided = sum(outcomes.values())
    waiting = sum(row.items for row in counts if not row.outcome and row.kind in ("consignment", None)) - refused
    third = accepted and AcceptedAnswer(
        at=max(row.accepted_at for row in counts if row.accepted_at),
        accepted=accepted - incomplete,
        incomplete=incomplete,
        waiting=max(0, items - accepted - refused),
    )
    fourth = decided and DecidedAnswer(
        at=max(row.decided_at for row in counts if row.decided_at), decided=decided, waiting=max(0, waiting), outcomes=outcomes
    )
    return third or None, fourth or None


def _rejected_item(row: Row[Any]) -> RejectedItem:
    return RejectedItem(position=row.position, key=row.key, rejected_at=row.rejected_at, findings=models(Finding, row.findings) or ())


def _item(row: Row[Any]) -> ItemStatus:
    return ItemStatus.model_validate(
        {name: value for name, value in row._mapping.items() if name not in ("ordinal", "missing")}
        | {"missing": models(Missing, row.missing)}
    )
