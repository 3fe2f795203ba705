"""What is written down about a running hub."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from deploy.local.state import STATE, HubState, PartState, created, forget_state, read_state, see_off, snapshot, write_state


def a_state() -> HubState:
    return HubState(supervisor=snapshot(os.getpid()), kafka="127.0.0.1:9092", database="postgresql+asyncpg://…", ready=True)


def test_the_state_reads_back_as_it_was_written(tmp_path: Path):
    write_state(tmp_path, a_state())
    assert read_state(tmp_path) == a_state()


def test_only_the_owner_may_read_the_password(tmp_path: Path):
    write_state(tmp_path, a_state())
    assert stat.S_IMODE((tmp_path / STATE).stat().st_mode) == 0o600


def test_no_hub_has_no_state(tmp_path: Path):
    assert read_state(tmp_path) is None
    write_state(tmp_path, a_state())
    forget_state(tmp_path)
    assert read_state(tmp_path) is None


def test_a_number_that_another_process_has_now_is_not_ours():
    mine = created(os.getpid())
    assert mine is not None
    assert PartState(pid=os.getpid(), created=mine).alive
    assert not PartState(pid=os.getpid(), created=mine - 60).alive


def test_a_process_that_is_gone_is_not_alive():
    assert not PartState(pid=2**22 + 1, created=1.0).alive


def test_what_does_not_end_is_killed_and_what_is_not_ours_is_left_alone():
    sleepers = [subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]) for _ in range(2)]
    ours, another = (snapshot(sleeper.pid) for sleeper in sleepers)
    see_off([ours, another.model_copy(update={"created": 1.0})], grace_seconds=0.1)
    assert sleepers[0].wait(10) < 0
    assert sleepers[1].poll() is None
    sleepers[1].kill()
    sleepers[1].wait()
