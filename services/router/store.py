"""All SQL of the router: the dossiers, their transitions, the links to consignments from their orders, units and numbers, the policies
that judged.

Rows are locked in key order, after advisory locks on the linking keys a batch concerns (also in order), so that two routers that handle
the two sides of one link
at once wait for each other instead of missing each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.router.batch import Batch, Stored
from services.router.dossier import Dossier
from services.router.policy.loading import policy_of
from services.router.policy.model import Policy
from services.router.replay import Replay, replay
from services.router.transition import Transition
from shared.db import copy, fetch
from shared.errors import Misconfigured

_APPLIED = (
    "SELECT cause_id, key, sequence, at, kind, input, events, policy_digest, input_digest, previous_hash, hash "
    "FROM router.transition WHERE cause_id = ANY($1::uuid[])"
)
_LOCK_REFS = "SELECT pg_advisory_xact_lock(7171, number) FROM unnest($1::integer[]) AS number"
_LINKS = "SELECT ref, key FROM router.link WHERE ref = ANY($1::text[])"
_LINKS_AMONG = "SELECT ref, key FROM unnest($1::text[], $2::text[]) AS asked (ref, key) JOIN router.link USING (ref, key)"
_LOCK = "SELECT key, facts, hash FROM router.dossier WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE"
_BODIES = "SELECT cause_id, input FROM router.transition WHERE cause_id = ANY($1::uuid[])"
_DOSSIER_COLUMNS = ("key", "sequence", "facts", "hash", "due_at", "updated_at")
_SAVE = """
    WITH told AS (
        INSERT INTO router.transition (cause_id, key, sequence, at, kind, input, events, policy_digest, input_digest, previous_hash, hash)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
                             $9::bytea[], $10::bytea[], $11::bytea[])
    ), made AS (
        INSERT INTO router.dossier (key, sequence, facts, hash, due_at, updated_at)
        SELECT * FROM unnest($12::text[], $13::integer[], $14::text[], $15::bytea[], $16::timestamptz[], $17::timestamptz[])
    ), changed AS (
        UPDATE router.dossier AS held
        SET sequence = new.sequence, facts = new.facts, hash = new.hash, due_at = new.due_at, updated_at = new.updated_at
        FROM unnest($18::text[], $19::integer[], $20::text[], $21::bytea[], $22::timestamptz[], $23::timestamptz[])
             AS new (key, sequence, facts, hash, due_at, updated_at)
        WHERE held.key = new.key
    ), linked AS (
        INSERT INTO router.link (ref, key) SELECT * FROM unnest($24::text[], $25::text[]) ON CONFLICT DO NOTHING
    )
    INSERT INTO router.unpublished (batch, at, key_numbers, causes)
    SELECT $26::uuid, $27::timestamptz, $28::integer[], $29::uuid[] WHERE $30::boolean
"""
_SAVE_POLICY = text(
    "INSERT INTO router.policy (digest, pack, version, content) VALUES (:digest, :pack, :version, :content) ON CONFLICT DO NOTHING"
)
_POLICY = text("SELECT content FROM router.policy WHERE digest = :digest")
_DOSSIER = text("SELECT key, facts, hash FROM router.dossier WHERE key = :key")
_TIMELINE = text(
    "SELECT cause_id, key, sequence, at, kind, input, events, policy_digest, input_digest, previous_hash, hash "
    "FROM router.transition WHERE key = :key ORDER BY sequence"
)
_LINKED = text("SELECT ref, key FROM router.link WHERE ref = :key OR key = :key ORDER BY ref, key")
_DUE = text("SELECT key, facts FROM router.dossier WHERE due_at <= :now ORDER BY due_at LIMIT :limit")
_OVERDUE = text("SELECT count(*) FROM (SELECT 1 FROM router.dossier WHERE due_at <= :before LIMIT 10000) AS late")
_UNRESOLVED = text(
    """
    SELECT count(*) FROM (
        SELECT FROM router.dossier AS waiting
        WHERE (key LIKE 'lrn:%' OR key LIKE 'mrn:%') AND updated_at <= :before
          AND NOT EXISTS (SELECT FROM router.link WHERE ref = waiting.key)
        LIMIT 10000
    ) AS late
    """
)
_UNSAID = """
    WITH said AS (DELETE FROM router.unpublished WHERE batch = ANY($2::uuid[]))
    SELECT causes FROM router.unpublished WHERE key_numbers && $1::integer[] AND batch <> ALL($3::uuid[])
"""
_SAID = "DELETE FROM router.unpublished WHERE batch = ANY($1::uuid[])"
_LEFT = text("SELECT batch, causes FROM router.unpublished WHERE at <= :before ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED")
_UNPUBLISHED = text("SELECT count(*) FROM router.unpublished WHERE at <= :before")
_KEYS = text("SELECT key FROM router.dossier WHERE key > :after ORDER BY key LIMIT :limit")


# --- the batch ----------------------------------------------------------------------------------------------------------------------------


async def applied(connection: AsyncConnection, causes: Iterable[UUID]) -> dict[UUID, Transition]:
    """Return the transitions of those *causes* that were applied before."""
    return {row["cause_id"]: Transition(*row) for row in await fetch(connection, _APPLIED, list(causes))}


async def lock_refs(connection: AsyncConnection, refs: Iterable[str]) -> None:
    """Lock the keys *refs* until the end of the transaction."""
    await fetch(connection, _LOCK_REFS, _numbers(refs))


async def beneath(connection: AsyncConnection, refs: Iterable[str]) -> dict[str, set[str]]:
    """Return everything that each of *refs* leads to."""
    links: dict[str, set[str]] = {ref: set() for ref in refs}
    for ref, key in await fetch(connection, _LINKS, list(links)):
        links[ref].add(key)
    return links


async def among(connection: AsyncConnection, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of *pairs* of a key and where it leads that are links: a master may have thousands of others."""
    asked = list(pairs)
    return {(ref, key) for ref, key in await fetch(connection, _LINKS_AMONG, *_columns(asked, ("ref", "key")))}


def _numbers(keys: Iterable[str]) -> list[int]:
    """Return a number for each of *keys*, in order; two keys may share one."""
    return sorted({crc32(key.encode()) - 2**31 for key in keys})


async def unsaid(connection: AsyncConnection, keys: Iterable[str], published: Sequence[UUID], ours: Sequence[UUID]) -> set[UUID]:
    """Return the causes whose events another process stored for *keys* (or for keys of the same number) and may not have published yet.

    *published* are batches of this process whose events are out; they are struck off. *ours* are those and the one that goes out before
    the caller's. Call it with the dossiers of *keys* locked: then
    whoever changed them before has committed, and stands here.
    """
    rows = await fetch(connection, _UNSAID, _numbers(keys), list(published), list(ours))
    return {cause for (causes,) in rows for cause in causes}


async def said(connection: AsyncConnection, published: Sequence[UUID]) -> None:
    """Strike off batches whose events are out."""
    await fetch(connection, _SAID, list(published))


class Left(NamedTuple):
    """A batch that nobody struck off, and the causes whose events it stored."""

    batch: UUID
    causes: Sequence[UUID]


async def left(connection: AsyncConnection, before: datetime) -> Left | None:
    """Return the oldest batch stored before *before* that nobody struck off, unless another process looks at it just now."""
    row = (await connection.execute(_LEFT, {"before": before})).first()
    return Left(*row) if row is not None else None


async def unpublished(connection: AsyncConnection, before: datetime) -> int:
    """Return how many batches were stored before *before* and are not struck off."""
    return int((await connection.execute(_UNPUBLISHED, {"before": before})).scalar_one())


async def lock_dossiers(connection: AsyncConnection, keys: Iterable[str]) -> dict[str, Stored]:
    """Lock the dossiers of *keys* that exist, in key order, and return them."""
    return {key: Stored(Dossier.from_json(facts), hash) for key, facts, hash in await fetch(connection, _LOCK, sorted(keys))}


async def bodies(connection: AsyncConnection, causes: Iterable[UUID]) -> dict[UUID, bytes]:
    """Return the inputs of *causes* as they came."""
    return {cause: body.encode() for cause, body in await fetch(connection, _BODIES, list(causes))}


class Writer:
    """Writes transitions while the next inputs are folded: the server works on one slice as the process works on the next.

    One write at a time, all on the connection of the transaction: nothing else may use it before :meth:`done`.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._writing: asyncio.Task[None] | None = None

    async def put(self, rows: Sequence[Transition]) -> None:
        """Begin to write *rows*, once those before are written."""
        await self.done()
        if rows:
            self._writing = asyncio.create_task(copy(self._connection, "router", "transition", Transition._fields, rows))

    async def done(self) -> None:
        """Wait until everything is written; raises what the write raised."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing


@asynccontextmanager
async def writer(connection: AsyncConnection) -> AsyncIterator[Writer]:
    """Yield a :class:`Writer` whose writes have ended, well or badly, when the block ends."""
    made = Writer(connection)
    try:
        yield made
        await made.done()
    except BaseException:
        with suppress(Exception):
            await made.done()
        raise


async def save(connection: AsyncConnection, id: UUID, batch: Batch, at: datetime, written: int) -> None:
    """Write what *batch* changed, and that its events are not published yet, in one statement. A twin's work shows as a unique violation,
    which takes the whole transaction back.

    *written* of its transitions went through a :class:`Writer`. Then there are many, and new dossiers go in by COPY, too: measured against
    ``INSERT … SELECT FROM unnest`` it takes less than half the time on either side. Of few, a journey to the server costs more than the
    rows do.
    """
    if not batch.transitions:
        return
    new, changed = _rows(batch)
    if written and new:
        await copy(connection, "router", "dossier", _DOSSIER_COLUMNS, new)
        new = []
    await fetch(
        connection,
        _SAVE,
        *_columns(batch.transitions[written:], Transition._fields),
        *_columns(new, _DOSSIER_COLUMNS),
        *_columns(changed, _DOSSIER_COLUMNS),
        *_columns(sorted(batch.links), ("ref", "key")),
        id,
        at,
        _numbers(row.key for row in batch.transitions),
        [row.cause_id for row in batch.transitions],
        bool(batch.outgoing),
    )


def _rows(batch: Batch) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the rows of new dossiers and of changed ones, in the order of their keys."""
    last = {row.key: row.at for row in batch.transitions}
    rows = [_row(batch.changed[key], last[key]) for key in sorted(batch.changed)]
    return [row for row in rows if batch.is_new(row[0])], [row for row in rows if not batch.is_new(row[0])]


def _columns(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> list[list[Any]]:
    """Return *rows* column by column, as many as there are *names*."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in names]


def _row(stored: Stored, updated_at: datetime) -> tuple[Any, ...]:
    dossier = stored.dossier
    return (dossier.key, dossier.sequence, dossier.to_json().decode(), stored.hash, dossier.due_at(), updated_at)


async def save_policy(connection: AsyncConnection, policy: Policy) -> None:
    """Keep the content of *policy*, so that what it decides can be judged again as it was."""
    await connection.execute(
        _SAVE_POLICY,
        {"digest": policy.digest, "pack": policy.ref.pack, "version": policy.ref.version, "content": policy.canonical.decode()},
    )


# --- reading ------------------------------------------------------------------------------------------------------------------------------


class Trace(NamedTuple):
    """Everything the router knows of one key. ``links`` are (order, unit or number; consignment) pairs it is part of."""

    dossier: Dossier | None
    hash: bytes
    transitions: tuple[Transition, ...]
    links: tuple[tuple[str, str], ...]


async def trace(connection: AsyncConnection, key: str) -> Trace:
    """Return the dossier of *key* and its transitions in order; an unknown key gives an empty trace."""
    row = (await connection.execute(_DOSSIER, {"key": key})).first()
    rows = tuple(Transition(*found) for found in await connection.execute(_TIMELINE, {"key": key}))
    links = tuple((found.ref, found.key) for found in await connection.execute(_LINKED, {"key": key}))
    return Trace(Dossier.from_json(row.facts) if row is not None else None, row.hash if row is not None else b"", rows, links)


async def replayed(connection: AsyncConnection, key: str) -> Replay:
    """Fold the history of *key* again, each input with the policy that judged it, and compare. Raises :class:`Misconfigured` when one is
    not kept."""
    held = await trace(connection, key)
    policies: dict[str, Policy] = {}
    for digest in {row.policy_digest for row in held.transitions}:
        content = await policy_content(connection, digest)
        if content is None:
            raise Misconfigured(f"the policy {digest} that judged {key} is not kept")
        policies[digest] = _policy_of(content)
    return replay(key, held.dossier, held.transitions, policies.__getitem__)


@lru_cache(maxsize=16)
def _policy_of(content: str) -> Policy:
    return policy_of(content)


async def policy_content(connection: AsyncConnection, digest: str) -> str | None:
    """Return the content of the policy with this digest, or None when it never judged here."""
    content: str | None = (await connection.execute(_POLICY, {"digest": digest})).scalar()
    return content


async def keys_after(connection: AsyncConnection, after: str, limit: int) -> list[str]:
    """Return up to *limit* keys behind *after*, in order: for walking over all dossiers."""
    return list((await connection.execute(_KEYS, {"after": after, "limit": limit})).scalars())


async def due(connection: AsyncConnection, now: datetime, limit: int) -> list[Dossier]:
    """Return dossiers with a question whose deadline has passed, the longest first."""
    return [Dossier.from_json(facts) for _, facts in await connection.execute(_DUE, {"now": now, "limit": limit})]


async def overdue(connection: AsyncConnection, before: datetime) -> int:
    """Return how many consignments (10,000 at most) still wait for an answer that was due *before* a time."""
    return int((await connection.execute(_OVERDUE, {"before": before})).scalar_one())


async def unresolved(connection: AsyncConnection, before: datetime) -> int:
    """Return how many numbers of declarations (10,000 at most) authorities spoke of up to a time, that lead to no consignment."""
    return int((await connection.execute(_UNRESOLVED, {"before": before})).scalar_one())
