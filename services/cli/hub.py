"""How the command line finds its hub: the environment where it names one, else the hub that runs on this machine."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from deploy.local.state import HubState
    from shared.kafka import KeyedPublisher
    from shared.settings import Settings

Result = TypeVar("Result")

NAMED: Final = {"KAFKA_BOOTSTRAP", "DATABASE_URL", "GUICHET_DOOR"}
"""What names a hub elsewhere."""


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run *work* to its end. Where no hub runs and none is named, what is not there is told together with how to start one."""
    from shared.errors import Unavailable

    try:
        return asyncio.run(work)
    except Unavailable as exc:
        if local_state() is not None or NAMED & os.environ.keys():
            raise
        raise type(exc)(f"{exc}. No hub runs here; start one with: guichet up") from exc


def local_state() -> HubState | None:
    """Return what is written down about the hub of this machine, or None when none runs or none can (extra ``local`` missing)."""
    from shared.settings import Settings

    try:
        from deploy.local.state import read_state
    except ImportError:
        return None
    state = read_state(Settings().var)
    return state if state is not None and state.alive else None


def settings() -> Settings:
    """Return the settings of the hub to talk to: ``KAFKA_BOOTSTRAP`` and ``DATABASE_URL`` win over the hub that runs here."""
    from shared.settings import Settings

    state = local_state()
    found = {}
    if state is not None:
        found = {"kafka_bootstrap": state.kafka, "database_url": state.database}
    given = {"kafka_bootstrap": os.environ.get("KAFKA_BOOTSTRAP"), "database_url": os.environ.get("DATABASE_URL")}
    return Settings(**found | {name: value for name, value in given.items() if value})  # type: ignore[arg-type]


def door() -> str:
    """Return the address of the HTTP door: ``GUICHET_DOOR``, else that of the hub that runs here, else port 8080."""
    state = local_state()
    return os.environ.get("GUICHET_DOOR") or (state.http if state is not None and state.http else "http://127.0.0.1:8080")


def operator() -> str:
    """Return who gives the command: the account's name on this machine."""
    try:
        return getpass.getuser()[:70]
    except (OSError, KeyError):
        return "operator"


@asynccontextmanager
async def engine() -> AsyncIterator[AsyncEngine]:
    """Open the hub's database for one command."""
    from shared.db import create_engine

    opened = create_engine(settings().database_url, pool_size=1)
    try:
        yield opened
    finally:
        await opened.dispose()


@asynccontextmanager
async def publisher() -> AsyncIterator[KeyedPublisher]:
    """Open the hub's log for one command."""
    from shared.kafka import KeyedPublisher

    opened = KeyedPublisher(settings().kafka_bootstrap, timeout_seconds=10, client_id="guichet-cli")
    try:
        yield opened
    finally:
        await opened.stop()
