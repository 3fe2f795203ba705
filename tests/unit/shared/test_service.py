"""A process whose background task keeps failing does not call itself ready."""

from __future__ import annotations

import asyncio

import pytest

from shared import service
from shared.errors import StoreUnavailable
from shared.service import Service
from shared.settings import Settings


@pytest.mark.parametrize(("error", "told"), [(StoreUnavailable("away"), "store.unavailable"), (KeyError("x"), "KeyError")])
async def test_a_task_that_just_failed_is_told(error: Exception, told: str) -> None:
    made = Service("test", Settings())

    async def failing() -> None:
        raise error

    made._running["watch"] = task = asyncio.create_task(made._supervised("watch", failing))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match=f"background task watch fails: {told}"):
        await made._readers_run()
    task.cancel()


async def test_a_task_that_runs_again_is_forgiven_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "STEADY_SECONDS", 0.0)
    made = Service("test", Settings())

    async def failing() -> None:
        raise KeyError("x")

    made._running["watch"] = task = asyncio.create_task(made._supervised("watch", failing))
    await asyncio.sleep(0)
    await made._readers_run()
    task.cancel()
