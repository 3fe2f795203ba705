"""What is written down about a running hub: ``var/run/hub.json``, for ``down``, ``status`` and whoever wants an address.

The file holds the database's password, so only its owner may read it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

STATE = Path("run", "hub.json")
SAME_SECONDS = 0.1


class PartState(BaseModel):
    """One process: its number with the moment it began (a number alone may be reused), its log, and its address."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float
    """Start of the process, seconds since 1970."""
    log: str = ""
    url: str = ""
    """Address of its HTTP server, empty where it has none."""
    restarts: int = 0

    @property
    def alive(self) -> bool:
        """True when exactly this process still runs."""
        return created(self.pid) is not None and abs((created(self.pid) or 0) - self.created) < SAME_SECONDS


class HubState(BaseModel):
    """A hub on this machine."""

    model_config = ConfigDict(frozen=True)

    supervisor: PartState
    ready: bool = False
    kafka: str = ""
    """``host:port`` of Kafka."""
    database: str = ""
    """SQLAlchemy address of PostgreSQL, with password."""
    http: str = ""
    """Address of the HTTP door."""
    parts: dict[str, PartState] = {}

    @property
    def alive(self) -> bool:
        """True while its supervisor runs."""
        return self.supervisor.alive


def created(pid: int) -> float | None:
    """When a process began, seconds since 1970; None when it is gone or a zombie."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def snapshot(pid: int, *, log: Path | None = None, url: str = "", restarts: int = 0) -> PartState:
    """The state of a process that runs now (or did a moment ago: then ``created`` is 0 and it counts as gone)."""
    return PartState(pid=pid, created=created(pid) or 0.0, log=str(log or ""), url=url, restarts=restarts)


def write_state(var: Path, state: HubState) -> None:
    """Write the file whole or not at all."""
    path = var / STATE
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.touch(mode=0o600)
    scratch.write_text(state.model_dump_json(indent=2))
    scratch.replace(path)


def read_state(var: Path) -> HubState | None:
    """The state of the hub whose data are in *var*; None when none was started, or it ended cleanly."""
    path = var / STATE
    try:
        return HubState.model_validate_json(path.read_text())
    except FileNotFoundError:
        return None


def see_off(parts: Iterable[PartState], grace_seconds: float) -> None:
    """Return when none of *parts* runs any more; those that still do after *grace_seconds* are killed."""
    waiting = [part for part in parts if part.alive]
    until = time.monotonic() + grace_seconds
    while waiting and time.monotonic() < until:
        time.sleep(0.05)
        waiting = [part for part in waiting if part.alive]
    for part in waiting:
        with contextlib.suppress(ProcessLookupError):
            os.kill(part.pid, signal.SIGKILL)


def forget_state(var: Path) -> None:
    """The hub has ended."""
    (var / STATE).unlink(missing_ok=True)
