"""A wake-up inside one process. Only a wake-up: whoever waits also looks by himself from time to time, because the table is the truth."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Wakes everybody who listened before it rang."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake all who listen."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    def listen(self) -> asyncio.Event:
        """Return the next ring. Listen first, look then, wait last, and no ring is missed between looking and waiting."""
        return self._next


async def wait(ring: asyncio.Event, seconds: float) -> None:
    """Return at the ring, or after *seconds*."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ring.wait()
