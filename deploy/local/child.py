"""A child process with its own log file, and the leash that keeps it from outliving us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

WARDEN = Path(__file__).with_name("warden.py")
LOG_BYTES_KEPT = 64 * 1024 * 1024


class Leash:
    """The pipe to the warden process (see ``warden``); opened with the first child, opened again if the warden dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, int] = {}
        self._warden: subprocess.Popen[str] | None = None
        os.register_at_fork(after_in_child=self._let_go)

    def hold(self, pid: int, number: int) -> None:
        """Have *pid* ended with signal *number* when this process is gone."""
        with self._lock:
            self._held[pid] = number
            self._tell(f"+{pid} {number}\n")

    def release(self, pid: int) -> None:
        """*pid* has ended, or is to live on."""
        with self._lock:
            if self._held.pop(pid, None) is not None:
                self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        try:
            self._pipe().write(line)
        except BrokenPipeError:  # the warden was killed; a new one is told everything
            self._warden = None
            for pid, number in self._held.items():
                self._pipe().write(f"+{pid} {number}\n")

    def _pipe(self) -> IO[str]:
        if self._warden is None:
            self._warden = subprocess.Popen(  # noqa: S603
                [sys.executable, "-S", "-E", str(WARDEN)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
                bufsize=1,
            )
        assert self._warden.stdin is not None
        return self._warden.stdin

    def _let_go(self) -> None:
        """In a forked child the pipe must not stay open, or the warden would never see its end."""
        self._lock = threading.Lock()
        if self._warden is not None and self._warden.stdin is not None:
            with contextlib.suppress(OSError):
                os.close(self._warden.stdin.fileno())
        self._warden = None


@cache
def leash() -> Leash:
    """The one leash of this process."""
    return Leash()


class Child:
    """One process that we started: leader of its own group, output appended to *log*, ended when we are gone."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: int | None = None,
        group: int | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(log)
        self._stop_signal = stop_signal
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if user is not None else None,
            )
        self.started_at = time.monotonic()
        leash().hold(self._process.pid, stop_signal)

    @property
    def pid(self) -> int:
        """Number of the process; also of its group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        code = self._process.poll()
        if code is not None:
            leash().release(self._process.pid)
        return code

    def alive(self) -> bool:
        """True while the process runs (a stopped one runs)."""
        return self.exit_code is None

    def signal(self, number: int) -> None:
        """Send a signal to the process itself, if it still runs."""
        if self.alive():
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL the process alone, as a fault would, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        leash().release(self._process.pid)

    def stop(self, grace_seconds: float = 15.0) -> None:
        """Ask it to end; after *grace_seconds* kill its whole group."""
        self.signal(self._stop_signal)
        self.signal(signal.SIGCONT)
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        leash().release(self._process.pid)


def _rotate(log: Path) -> None:
    """Keep one older log beside the current one, so that a hub that runs for weeks does not fill the disk."""
    if log.exists() and log.stat().st_size > LOG_BYTES_KEPT:
        log.replace(log.with_suffix(log.suffix + ".1"))


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, for error messages."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
