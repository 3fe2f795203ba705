"""What dies is started again; what is stopped stays stopped; nothing outlives its supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.child import Child
from deploy.local.state import created
from deploy.local.supervisor import ROOT, Supervisor, pause_seconds

SLEEPER = (sys.executable, "-S", "-c", "import time; time.sleep(600)")


class Sleeper:
    """A part that sleeps; *command* may be one that dies at once."""

    def __init__(self, name: str, folder: Path, command: tuple[str, ...] = SLEEPER) -> None:
        self.name = name
        self.starts = 0
        self._command = command
        self._log = folder / f"{name}.log"
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> None:
        self.starts += 1
        self._child = Child(self._command, log=self._log)

    def stop(self) -> None:
        if self._child:
            self._child.stop()

    def kill(self) -> None:
        if self._child:
            self._child.kill()

    def alive(self) -> bool:
        return self._child is not None and self._child.alive()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.stop()


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_a_killed_part_is_started_again_and_counted(supervisor: Supervisor, tmp_path: Path):
    part = Sleeper("sleeper", tmp_path)
    supervisor.add(part)
    first = part.pid
    part.kill()
    wait_until(lambda: part.alive() and supervisor.restarts("sleeper") == 1)
    assert part.pid != first


def test_the_others_are_left_alone_when_one_dies(supervisor: Supervisor, tmp_path: Path):
    dying, other = Sleeper("dying", tmp_path), Sleeper("other", tmp_path)
    supervisor.add(dying)
    supervisor.add(other)
    before = other.pid
    dying.kill()
    wait_until(lambda: supervisor.restarts("dying") == 1)
    assert (other.pid, other.starts) == (before, 1)


def test_a_part_that_dies_at_once_is_tried_again_with_growing_pauses(supervisor: Supervisor, tmp_path: Path):
    part = Sleeper("hopeless", tmp_path, ("/bin/false",))
    supervisor.add(part)
    wait_until(lambda: supervisor.restarts("hopeless") >= 3)
    assert [pause_seconds(deaths) for deaths in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert pause_seconds(50) == 10.0


def test_a_stopped_process_is_not_a_dead_one(supervisor: Supervisor, tmp_path: Path):
    part = Sleeper("paused", tmp_path)
    supervisor.add(part)
    assert part.pid is not None
    os.kill(part.pid, signal.SIGSTOP)
    time.sleep(0.5)
    assert (part.alive(), supervisor.restarts("paused")) == (True, 0)


def test_a_removed_part_stays_away(supervisor: Supervisor, tmp_path: Path):
    part = Sleeper("sleeper", tmp_path)
    supervisor.add(part)
    supervisor.remove("sleeper")
    time.sleep(0.5)
    assert (part.alive(), part.starts) == (False, 1)


def test_stop_ends_every_part(tmp_path: Path):
    supervisor = Supervisor()
    parts = [Sleeper(name, tmp_path) for name in ("one", "two")]
    for part in parts:
        supervisor.add(part)
    supervisor.stop()
    assert not any(part.alive() for part in parts)


def test_every_start_is_told(tmp_path: Path):
    told: list[bool] = []
    supervisor = Supervisor(changed=lambda: told.append(True))
    part = Sleeper("sleeper", tmp_path)
    supervisor.add(part)
    part.kill()
    wait_until(lambda: len(told) == 2)
    supervisor.stop()


def test_no_child_outlives_a_killed_supervisor(tmp_path: Path):
    script = (
        "import sys, time; from pathlib import Path; from deploy.local.child import Child;"
        f"child = Child({SLEEPER!r}, log=Path({str(tmp_path)!r}, 'log')); print(child.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert created(pid) is not None
    parent.kill()
    parent.communicate()
    wait_until(lambda: created(pid) is None)
