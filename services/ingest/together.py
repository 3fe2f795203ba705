"""Work done together: calls that arrive while a round is under way are gathered and done in the next round, as one batch.

A quiet door pays nothing for it, a busy one makes one statement or one Kafka request out of many calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """Calls *work* with up to *limit* items at a time; an error of a round is the error of every call in it."""

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], *, limit: int = 200) -> None:
        self._work = work
        self._limit = limit
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        """Return *item*'s own result. A caller that is cancelled leaves its item in the round."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                calls, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._round(calls)
        finally:
            self._rounds = None

    async def _round(self, calls: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([item for item, _ in calls])
        except asyncio.CancelledError:
            for _, future in calls:
                future.cancel()
            raise
        except Exception as exc:
            for _, future in calls:
                if not future.done():
                    future.set_exception(exc)
        else:
            for (_, future), result in zip(calls, results, strict=True):
                if not future.done():
                    future.set_result(result)
