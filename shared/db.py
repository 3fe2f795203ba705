"""PostgreSQL through SQLAlchemy and asyncpg: one engine a process, one transaction a batch.

What fails because the store is away becomes :class:`StoreUnavailable` here, where the call is made; what fails because of a concurrent
twin (a
unique violation, a deadlock, a lock time-out) becomes :class:`StoreConflict`, and the batch is read again.

What runs once a batch speaks to the driver inside that transaction (:func:`fetch`, :func:`copy`): a statement costs 50 µs there and 130 µs
through the toolkit, and small batches are mostly statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.errors import StoreUnavailable

_AGAIN = frozenset({"23505", "40001", "40P01", "55P03", "25P03", "57014"})
"""SQLSTATE: unique violation, serialisation, deadlock, lock time-out, idle in transaction, statement cancelled."""
_AWAY = ("08", "57", "53", "58", "28", "3D", "25006", "42501", "42P01")
"""SQLSTATE classes: connection, operator intervention, resources, system; and what is wrong with the server rather than with a record:
log-in or database refused, a server that only reads (a standby after a fail-over), a missing right or table."""


class StoreConflict(StoreUnavailable):
    """A twin process did the same work at the same time; reading the batch again finds it done."""

    code = "store.conflict"


def create_engine(url: str, *, pool_size: int = 5) -> AsyncEngine:
    """Return the engine of a process. Sessions are closed by the server when they idle 15 s inside a transaction, so that a stopped process
    cannot hold rows for ever."""
    return create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",  # the transaction is the driver's, see transaction()
        pool_size=pool_size,
        max_overflow=2,
        pool_recycle=1800,
        pool_pre_ping=False,
        connect_args={
            "timeout": 5,
            "command_timeout": 60,
            "server_settings": {
                "idle_in_transaction_session_timeout": "15s",
                "lock_timeout": "20s",
                "jit": "off",
                "tcp_keepalives_idle": "10",
            },
        },
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open one transaction; commit at the end, roll back on error.

    Raises :class:`StoreUnavailable` when the database cannot be reached or goes away, :class:`StoreConflict` when a twin was faster.
    """
    try:
        async with engine.connect() as connection:
            driver = _driver(connection)
            try:
                async with driver.transaction():
                    yield connection
            finally:
                if driver.is_closed() or driver.is_in_transaction():
                    await connection.invalidate()
    except (TimeoutError, DBAPIError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # the driver may say so in words of its own
            raise asyncio.CancelledError from exc
        raise translated(exc) from exc


async def fetch(connection: AsyncConnection, statement: str, *arguments: Any) -> list[Any]:
    """Run *statement* (``$1``, ``$2`` … with a cast each) inside the transaction of *connection* and return its rows."""
    rows: list[Any] = await _driver(connection).fetch(statement, *arguments)
    return rows


async def copy(connection: AsyncConnection, schema: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write new *rows* to a table by COPY, inside the transaction of *connection*."""
    await _driver(connection).copy_records_to_table(table, schema_name=schema, columns=columns, records=rows)


def _driver(connection: AsyncConnection) -> Any:
    """Return asyncpg's connection beneath *connection*, which must be checked out."""
    sync: Any = connection.sync_connection
    return sync.connection.driver_connection


def translated(exc: BaseException) -> BaseException:
    """Return the hub's error for a driver's error, or the error itself when it is a bug of ours."""
    origin = getattr(exc, "orig", None)
    state = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None) or getattr(exc, "sqlstate", None)
    if state in _AGAIN:
        return StoreConflict(f"{state}: {type(origin or exc).__name__}")
    if state is not None and not state.startswith(_AWAY):
        return exc
    if isinstance(exc, DBAPIError) and not (exc.connection_invalidated or isinstance(exc, (OperationalError, InterfaceError)) or state):
        return exc
    return StoreUnavailable(f"database away: {type(origin or exc).__name__}")
