"""All SQL of schema ``notify``: feeds, deliveries, acknowledgements.

Everything that runs once a batch is set-based. The look-ups of many keys go through ``LATERAL … LIMIT 1``: one index probe each, whatever
the planner believes of a table it has no statistics of yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.notify.ledger import Filed, Head, Known, number
from services.notify.match import Told
from services.notify.retry import Claim, Settlement
from shared.contracts import Notice
from shared.db import copy, fetch, transaction
from shared.directory import Channel

KEEP: Final = timedelta(days=30)
"""How long a feed can be read again. Longer than Kafka keeps ``decisions.v1`` readable for this service, so that a repetition is always
recognised."""

PAGE_BYTES: Final = 4 * 1024 * 1024
"""How much of a feed is read at once: an acknowledged spreadsheet is a megabyte."""

_ADD_HEADS = text("INSERT INTO notify.feed_head (subscription) SELECT unnest(CAST(:ids AS uuid[])) ON CONFLICT DO NOTHING")

_LOCK_HEADS = """
    SELECT subscription, last_sequence, last_hash FROM notify.feed_head
    WHERE subscription = ANY($1::uuid[]) ORDER BY subscription FOR UPDATE
"""

_KNOWN = """
    SELECT w.subscription, w.event_id, f.sequence, f.body
    FROM unnest($1::uuid[], $2::uuid[]) AS w (subscription, event_id)
    CROSS JOIN LATERAL (
        SELECT sequence, body FROM notify.feed WHERE subscription = w.subscription AND event_id = w.event_id LIMIT 1
    ) f
"""

_FEED_COLUMNS = ("subscription", "sequence", "event_id", "key", "type", "body", "hash")

_MOVE_HEADS = """
    UPDATE notify.feed_head h SET last_sequence = n.sequence, last_hash = n.hash
    FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS n (subscription, sequence, hash)
    WHERE h.subscription = n.subscription
"""

_ADD_DELIVERIES = text("""
    INSERT INTO notify.delivery (subscription, sequence, event_id, key)
    SELECT * FROM unnest(CAST(:subscriptions AS uuid[]), CAST(:sequences AS bigint[]), CAST(:events AS uuid[]), CAST(:keys AS text[]))
""")

_CLAIM = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:free AS integer[])) AS w (subscription, free)
    ), picked AS (
        SELECT p.* FROM wanted w CROSS JOIN LATERAL (
            SELECT d.subscription, d.sequence FROM notify.delivery d
            WHERE d.subscription = w.subscription AND d.state = 'due' AND d.not_before <= now()
              AND d.sequence = (SELECT min(e.sequence) FROM notify.delivery e
                                WHERE e.subscription = d.subscription AND e.key = d.key AND e.state = 'due')
            ORDER BY d.sequence LIMIT w.free FOR UPDATE SKIP LOCKED
        ) p
    ), claimed AS (
        UPDATE notify.delivery d SET not_before = now() + CAST(:lease AS interval)
        FROM picked p WHERE d.subscription = p.subscription AND d.sequence = p.sequence AND d.state = 'due' AND d.not_before <= now()
        RETURNING d.subscription, d.sequence, d.event_id, d.key, d.attempts
    )
    SELECT c.subscription, c.sequence, c.event_id, c.key, c.attempts, f.body
    FROM claimed c CROSS JOIN LATERAL (
        SELECT body FROM notify.feed WHERE subscription = c.subscription AND sequence = c.sequence LIMIT 1
    ) f
    ORDER BY c.subscription, c.sequence
""")

_SETTLE = text("""
    UPDATE notify.delivery d
    SET state = r.state, attempts = d.attempts + 1, not_before = coalesce(r.not_before, d.not_before),
        last_status = r.status, last_error = r.error, delivered_at = CASE WHEN r.state = 'delivered' THEN r.at END
    FROM unnest(CAST(:subscriptions AS uuid[]), CAST(:sequences AS bigint[]), CAST(:attempts AS integer[]), CAST(:states AS text[]),
                CAST(:not_before AS timestamptz[]), CAST(:statuses AS integer[]), CAST(:errors AS text[]), CAST(:at AS timestamptz[]))
         AS r (subscription, sequence, attempts, state, not_before, status, error, at)
    WHERE d.subscription = r.subscription AND d.sequence = r.sequence
      AND d.state = 'due' AND (d.attempts = r.attempts OR r.state = 'delivered')
""")

_REPLAY = text("""
    INSERT INTO notify.delivery (subscription, sequence, event_id, key)
    SELECT subscription, sequence, event_id, key FROM notify.feed
    WHERE subscription = :subscription AND sequence > :after AND created_at >= :since
    ON CONFLICT (subscription, sequence) DO UPDATE
    SET state = 'due', attempts = 0, not_before = now(), last_error = NULL, delivered_at = NULL
""")

_READ = text("""
    WITH page AS (
        SELECT sequence, body FROM notify.feed WHERE subscription = :subscription AND sequence > :after ORDER BY sequence LIMIT :limit
    ), sized AS (
        SELECT sequence, body, sum(octet_length(body)) OVER (ORDER BY sequence) - octet_length(body) AS before FROM page
    )
    SELECT sequence, body FROM sized WHERE before < :most ORDER BY sequence
""")

_CHAIN = text("""
    SELECT sequence, body, hash FROM notify.feed WHERE subscription = :subscription AND sequence >= :first ORDER BY sequence LIMIT :limit
""")

_HEAD = text("SELECT last_sequence, acknowledged FROM notify.feed_head WHERE subscription = :subscription")

_ACKNOWLEDGE = text("""
    UPDATE notify.feed_head SET acknowledged = :sequence, acknowledged_at = now()
    WHERE subscription = :subscription AND :sequence BETWEEN acknowledged AND last_sequence
    RETURNING acknowledged
""")

_TRACE = text("""
    SELECT f.subscription, f.sequence, f.event_id, f.type, f.created_at, d.state, d.attempts, d.last_status, d.last_error, d.delivered_at
    FROM notify.feed f LEFT JOIN notify.delivery d USING (subscription, sequence)
    WHERE f.key = :key ORDER BY f.created_at, f.subscription, f.sequence
""")

_FORGET = text("""
    WITH old AS (
        SELECT subscription, sequence FROM notify.feed WHERE created_at < :before ORDER BY created_at LIMIT :limit
    ), gone AS (
        DELETE FROM notify.delivery d USING old WHERE d.subscription = old.subscription AND d.sequence = old.sequence
    )
    DELETE FROM notify.feed f USING old WHERE f.subscription = old.subscription AND f.sequence = old.sequence
""")


class Position(NamedTuple):
    """How far a feed goes and how far its owner has acknowledged."""

    last: int
    acknowledged: int


class Page(NamedTuple):
    """Rows of a feed in order: numbers and bodies."""

    sequences: list[int]
    bodies: list[str]


class TraceLine(NamedTuple):
    """One notice about a consignment, and what came of its delivery where it is pushed."""

    subscription: UUID
    sequence: int
    event_id: UUID
    type: str
    created_at: datetime
    state: str | None
    attempts: int | None
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None


# --- filing -------------------------------------------------------------------------------------------------------------------------------


async def file(connection: AsyncConnection, told: Sequence[Told]) -> list[Filed]:
    """Number and store *told* inside the caller's transaction; return all of them in the same order, those filed before with their old
    numbers.

    The feeds' heads stay locked until the commit, in the order of their ids, so order of numbers is order of commits and twins never wait
    for each other in a circle.
    """
    if not told:
        return []
    heads = await _lock_heads(connection, {notice.subscription for _, notice in told})
    known = await _known(connection, [notice for _, notice in told])
    filed, ends = number(told, heads, known)
    fresh = [entry for entry in filed if entry.fresh]
    if fresh:
        await _add_rows(connection, fresh)
        await _move_heads(connection, {id: end for id, end in ends.items() if end is not heads[id]})
        await _add_deliveries(connection, [entry for entry in fresh if entry.interest.subscription.channel is Channel.WEBHOOK])
    return filed


async def _lock_heads(connection: AsyncConnection, wanted: Iterable[UUID]) -> dict[UUID, Head]:
    ids = sorted(wanted)
    heads: dict[UUID, Head] = {}
    while len(heads) < len(ids):
        rows = await fetch(connection, _LOCK_HEADS, ids)
        heads = {subscription: Head(sequence, hash) for subscription, sequence, hash in rows}
        if len(heads) < len(ids):
            await connection.execute(_ADD_HEADS, {"ids": [id for id in ids if id not in heads]})
    return heads


async def _known(connection: AsyncConnection, notices: Sequence[Notice]) -> dict[tuple[UUID, UUID], Known]:
    rows = await fetch(connection, _KNOWN, [each.subscription for each in notices], [each.notice_id for each in notices])
    return {(subscription, event): Known(sequence, body.encode()) for subscription, event, sequence, body in rows}


async def _add_rows(connection: AsyncConnection, fresh: Sequence[Filed]) -> None:
    rows = [
        (notice.subscription, entry.sequence, notice.notice_id, notice.key, notice.type, entry.body.decode(), entry.hash)
        for entry in fresh
        for notice in (entry.notice,)
    ]
    await copy(connection, "notify", "feed", _FEED_COLUMNS, rows)


async def _move_heads(connection: AsyncConnection, ends: Mapping[UUID, Head]) -> None:
    await fetch(connection, _MOVE_HEADS, list(ends), [end.sequence for end in ends.values()], [end.hash for end in ends.values()])


async def _add_deliveries(connection: AsyncConnection, pushed: Sequence[Filed]) -> None:
    if not pushed:
        return
    values = {
        "subscriptions": [entry.notice.subscription for entry in pushed],
        "sequences": [entry.sequence for entry in pushed],
        "events": [entry.notice.notice_id for entry in pushed],
        "keys": [entry.notice.key for entry in pushed],
    }
    await connection.execute(_ADD_DELIVERIES, values)


# --- pushing ------------------------------------------------------------------------------------------------------------------------------


async def claim(connection: AsyncConnection, free: Mapping[UUID, int], lease: timedelta) -> list[Claim]:
    """Take up to *free* due deliveries of each subscription for *lease*: the earliest of each consignment, in the order of the feed.

    A delivery whose process dies is due again when the lease ends. Rows another process holds are passed over.
    """
    rows = await connection.execute(_CLAIM, {"ids": list(free), "free": list(free.values()), "lease": lease})
    return [Claim(*row) for row in rows]


async def settle(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    """Write the outcomes of attempts. One that came too late, after another process took the delivery over, changes nothing unless it
    delivered."""
    values = {
        "subscriptions": [each.claim.subscription for each in settlements],
        "sequences": [each.claim.sequence for each in settlements],
        "attempts": [each.claim.attempts for each in settlements],
        "states": [each.state for each in settlements],
        "not_before": [each.not_before for each in settlements],
        "statuses": [each.status for each in settlements],
        "errors": [each.error for each in settlements],
        "at": [each.at for each in settlements],
    }
    await connection.execute(_SETTLE, values)


async def replay(engine: AsyncEngine, subscription: UUID, since: datetime, *, after: int = 0) -> int:
    """Make every notice of a pushed feed due again that was filed at or after *since* (and numbered above *after*); return how many.

    They go out with the same ids and bodies, in order per consignment, once the subscription is active.
    """
    async with transaction(engine) as connection:
        result = await connection.execute(_REPLAY, {"subscription": subscription, "since": since, "after": after})
        return result.rowcount


# --- reading ------------------------------------------------------------------------------------------------------------------------------


async def read(engine: AsyncEngine, subscription: UUID, after: int, limit: int) -> Page:
    """Return up to *limit* rows of a feed numbered above *after*; fewer where they are large, for none begins behind ``PAGE_BYTES``.

    Nothing below the last one returned can appear later.
    """
    async with transaction(engine) as connection:
        rows = (await connection.execute(_READ, {"subscription": subscription, "after": after, "limit": limit, "most": PAGE_BYTES})).all()
    return Page([row[0] for row in rows], [row[1] for row in rows])


async def chain(engine: AsyncEngine, subscription: UUID, first: int, limit: int) -> list[tuple[int, bytes, bytes]]:
    """Return number, body and hash of *limit* rows from *first*, for ``services.notify.ledger.first_broken``."""
    async with transaction(engine) as connection:
        rows = await connection.execute(_CHAIN, {"subscription": subscription, "first": first, "limit": limit})
        return [(sequence, body.encode(), hash) for sequence, body, hash in rows]


async def position(engine: AsyncEngine, subscription: UUID) -> Position:
    """Return how far a feed goes; zeros for one nothing was filed in."""
    async with transaction(engine) as connection:
        row = (await connection.execute(_HEAD, {"subscription": subscription})).one_or_none()
    return Position(*row) if row is not None else Position(0, 0)


async def acknowledge(engine: AsyncEngine, subscription: UUID, sequence: int) -> bool:
    """Note that everything up to *sequence* was received. False when the feed does not go so far or more was acknowledged already."""
    async with transaction(engine) as connection:
        result = await connection.execute(_ACKNOWLEDGE, {"subscription": subscription, "sequence": sequence})
        return result.scalar_one_or_none() is not None


async def trace(engine: AsyncEngine, key: str) -> list[TraceLine]:
    """Return every notice about one consignment, oldest first, with its delivery where it is pushed."""
    async with transaction(engine) as connection:
        return [TraceLine(*row) for row in await connection.execute(_TRACE, {"key": key})]


async def forget(engine: AsyncEngine, before: datetime, limit: int = 5000) -> int:
    """Delete up to *limit* rows filed before *before*; return how many."""
    async with transaction(engine) as connection:
        return (await connection.execute(_FORGET, {"before": before, "limit": limit})).rowcount
