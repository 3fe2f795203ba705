"""One transaction a batch on real PostgreSQL: whole or not at all, whatever ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db import StoreConflict, copy, create_engine, fetch, transaction
from shared.errors import StoreUnavailable


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """One connection, so that each transaction meets what the one before left behind."""
    engine = create_engine(database_url, pool_size=1)
    async with transaction(engine) as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS public.shell (id integer PRIMARY KEY)"))
        await connection.execute(text("DELETE FROM public.shell"))
    yield engine
    await engine.dispose()


async def numbers(engine: AsyncEngine) -> list[int]:
    async with transaction(engine) as connection:
        return [row[0] for row in await fetch(connection, "SELECT id FROM public.shell ORDER BY id")]


async def test_statements_of_both_ways_are_one_transaction(engine: AsyncEngine) -> None:
    async def insert_three(bug: bool) -> None:
        async with transaction(engine) as connection:
            await connection.execute(text("INSERT INTO public.shell VALUES (1)"))
            await fetch(connection, "INSERT INTO public.shell VALUES ($1::integer)", 2)
            await copy(connection, "public", "shell", ("id",), [(3,)])
            if bug:
                raise KeyError("a bug")

    with pytest.raises(KeyError):
        await insert_three(bug=True)
    assert await numbers(engine) == []
    await insert_three(bug=False)
    assert await numbers(engine) == [1, 2, 3]


async def test_a_twins_row_is_a_conflict_and_takes_everything_back(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await copy(connection, "public", "shell", ("id",), [(1,)])
    with pytest.raises(StoreConflict):
        async with transaction(engine) as connection:
            await copy(connection, "public", "shell", ("id",), [(2,), (1,)])
    assert await numbers(engine) == [1]


async def test_a_cancelled_transaction_ends_as_cancelled_and_leaves_nothing_behind(engine: AsyncEngine) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with transaction(engine) as connection:
            await fetch(connection, "INSERT INTO public.shell VALUES (1)")
            inside.set()
            await fetch(connection, "SELECT pg_sleep(30)")

    task = asyncio.create_task(work())
    await inside.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert await numbers(engine) == []


async def test_a_connection_that_was_cut_fails_once_and_is_replaced(engine: AsyncEngine, database_url: str) -> None:
    other = create_engine(database_url, pool_size=1)

    async def cut_in_the_middle() -> None:
        async with transaction(engine) as connection:
            ((number,),) = await fetch(connection, "SELECT pg_backend_pid()")
            async with transaction(other) as killer:
                await fetch(killer, "SELECT pg_terminate_backend($1::integer)", number)
            await fetch(connection, "INSERT INTO public.shell VALUES (1)")

    try:
        with pytest.raises(StoreUnavailable):
            await cut_in_the_middle()
        assert await numbers(engine) == []
    finally:
        await other.dispose()
