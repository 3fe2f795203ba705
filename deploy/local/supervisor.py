"""Starts what makes up a hub, keeps it running, and ends it all.

A part is anything with ``start``, ``stop``, ``kill``, ``alive`` and ``pid``: a process of the hub, Kafka, PostgreSQL. What dies is started
again after a pause that doubles with each death in a row; what merely answers "not ready" is left alone, for a restart
would not help it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.local.child import Child
from shared.errors import HubError

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
LOOK_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STEADY_SECONDS = 30.0


class Part(Protocol):
    """What a supervisor can look after."""

    @property
    def name(self) -> str:
        """Its name among the parts."""
        ...

    @property
    def pid(self) -> int | None:
        """Process number, None before the first start."""
        ...

    def start(self) -> None:
        """Start, or start again with the same data and port."""
        ...

    def stop(self) -> None:
        """End politely."""
        ...

    def kill(self) -> None:
        """``kill -9``."""
        ...

    def alive(self) -> bool:
        """True while the process runs."""
        ...


@dataclass(frozen=True)
class Process:
    """A process of the hub as it is wished: ``python -m module``, *port* for its HTTP server where that is free."""

    name: str
    module: str
    port: int = 0


PROCESSES = (
    Process("door", "services.ingest.door", 8080),
    Process("ingest", "services.ingest.app", 8081),
    Process("router", "services.router.app", 8082),
    Process("connect", "services.router.connect", 8083),
    Process("notify", "services.notify.app", 8084),
    Process("sandbox", "services.sandbox.app", 8090),
)
"""The hub; health, metrics and API of each at its port."""


class Running:
    """A process of the hub on its way: which module, which port, which environment, which log."""

    def __init__(self, process: Process, *, port: int, env: Mapping[str, str], log: Path) -> None:
        self.name = process.name
        self.module = process.module
        self.port = port
        self.log = log
        self._env = dict(env) | {"GUICHET_PORT": str(port), "PYTHONUNBUFFERED": "1"}
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Address of its HTTP server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process number, None before the first start."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start it; it is ready when ``/health/ready`` says so."""
        self._child = Child([sys.executable, "-m", self.module], log=self.log, env=os.environ | self._env, cwd=ROOT)

    def stop(self) -> None:
        """SIGTERM, then patience, then SIGKILL."""
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        """``kill -9``."""
        if self._child:
            self._child.kill()

    def alive(self) -> bool:
        """True while it runs, ready or not."""
        return self._child is not None and self._child.alive()


@dataclass
class _Care:
    part: Part
    restarts: int = 0
    deaths_in_a_row: int = 0
    started_at: float = field(default_factory=time.monotonic)
    again_at: float | None = None
    restarting: bool = False


class Supervisor:
    """Looks after parts in a thread of its own, so that it works beside an event loop and without one.

    *changed* is called after every start, with no arguments; it writes the state file.
    """

    def __init__(self, *, changed: Callable[[], None] | None = None) -> None:
        self._changed = changed or (lambda: None)
        self._lock = threading.RLock()
        self._cares: dict[str, _Care] = {}
        self._stopping = threading.Event()
        self._watch: threading.Thread | None = None

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name, in the order in which they were added."""
        with self._lock:
            return {name: care.part for name, care in self._cares.items()}

    def restarts(self, name: str) -> int:
        """How often a part was started again after it had died."""
        return self._cares[name].restarts

    def add(self, part: Part) -> None:
        """Look after *part*, starting it first unless it runs already."""
        if not part.alive():
            part.start()
        with self._lock:
            if part.name in self._cares:
                raise ValueError(f"there is a part {part.name!r} already")
            self._cares[part.name] = _Care(part)
            if self._watch is None:
                self._watch = threading.Thread(target=self._look, name="supervisor", daemon=True)
                self._watch.start()
        self._changed()

    def remove(self, name: str) -> None:
        """Stop a part and forget it."""
        with self._lock:
            care = self._cares.pop(name)
        care.part.stop()
        self._changed()

    def stop(self) -> None:
        """Stop everything, the youngest first: processes before the parts they use."""
        self._stopping.set()
        if self._watch is not None:
            self._watch.join()
        with self._lock:
            cares = list(self._cares.values())
        for group in _oldest_last(cares):
            ending = [threading.Thread(target=care.part.stop) for care in group]
            for thread in ending:
                thread.start()
            for thread in ending:
                thread.join()

    def _look(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            with self._lock:
                cares = list(self._cares.values())
            for care in cares:
                self._tend(care)

    def _tend(self, care: _Care) -> None:
        """Notice a death, wait out the pause, start again; a slow start does not hold up the others."""
        if care.restarting or care.part.alive():
            return
        now = time.monotonic()
        if care.again_at is None:
            steady = now - care.started_at > STEADY_SECONDS
            care.deaths_in_a_row = 1 if steady else care.deaths_in_a_row + 1
            care.again_at = now + pause_seconds(care.deaths_in_a_row)
            log.warning("%s died; starting it again", care.part.name)
        elif now >= care.again_at:
            care.restarting = True
            threading.Thread(target=self._restart, args=(care,), name=f"restart {care.part.name}", daemon=True).start()

    def _restart(self, care: _Care) -> None:
        try:
            with contextlib.suppress(HubError, OSError):
                care.part.start()
            care.restarts += 1
            care.started_at = time.monotonic()
            with self._lock:
                unwanted = self._stopping.is_set() or care.part.name not in self._cares
            if unwanted:
                care.part.stop()
        finally:
            care.again_at = None
            care.restarting = False
        self._changed()


def pause_seconds(deaths_in_a_row: int) -> float:
    """How long to wait before the next start: 0.2 s, doubled with each death, 10 s at most."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (deaths_in_a_row - 1), LONGEST_PAUSE_SECONDS))


def _oldest_last(cares: list[_Care]) -> list[list[_Care]]:
    """Processes of the hub together, then each part they use, the last one added first."""
    processes = [care for care in cares if isinstance(care.part, Running)]
    others = [[care] for care in reversed(cares) if not isinstance(care.part, Running)]
    return [processes, *others]
