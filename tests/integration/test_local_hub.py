"""A hub on one machine comes up whole, mends itself, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local import Hub, Process, read_state, up
from deploy.local.state import created
from shared.contracts import Topics
from shared.errors import Misconfigured, Unavailable

MODULE = "tests.integration.answering"


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="guichet-hub-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def hub(var: Path) -> AsyncIterator[Hub]:
    made = await up(var, processes=[Process("door", MODULE), Process("router", MODULE)])
    yield made
    await made.down()


async def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        await asyncio.sleep(0.05)


async def test_the_hub_comes_up_mends_itself_and_leaves_nothing_behind(hub: Hub, var: Path) -> None:
    assert await tables(hub) > 0
    assert set(Topics().core()) <= await topics(hub)

    state = read_state(var)
    assert state is not None
    assert (state.ready, state.kafka, state.database, state.http) == (True, hub.bootstrap, hub.database_url, hub.door)
    with pytest.raises(Misconfigured, match="runs already"):
        await up(var)

    for name in ("kafka", "postgres", "router"):
        before = hub.pid(name)
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await wait_until(partial(is_back, hub, name, before))
    assert await tables(hub) > 0
    assert set(Topics().core()) <= await topics(hub)

    await asyncio.to_thread(hub.start_process, Process("router-2", MODULE))
    await hub.wait_ready("router-2")
    await asyncio.to_thread(hub.supervisor.remove, "router-2")

    pids = [part.pid for part in hub.supervisor.parts.values()]
    await hub.down()
    assert read_state(var) is None
    assert [pid for pid in pids if pid is not None and created(pid) is not None] == []


def is_back(hub: Hub, name: str, before: int) -> bool:
    """True when the part runs under another number and the state file knows it."""
    state = read_state(hub.var)
    assert state is not None
    return state.parts[name].pid != before and state.parts[name].restarts == 1 and state.parts[name].alive


async def tables(hub: Hub) -> int:
    connection = await asyncpg.connect(hub.database_url.replace("+asyncpg", ""))
    try:
        return int(await connection.fetchval("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'directory'"))
    finally:
        await connection.close()


async def topics(hub: Hub) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=hub.bootstrap)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def test_a_process_that_dies_again_and_again_is_told_with_its_log_and_nothing_is_left_running(var: Path) -> None:
    with pytest.raises(Unavailable, match=r"not ready: router(?s:.*)No module named"):
        await up(var, processes=[Process("door", MODULE), Process("router", "tests.integration.nowhere")])
    assert read_state(var) is None
