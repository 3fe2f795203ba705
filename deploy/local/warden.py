"""Ends processes whose supervisor died without a word (``kill -9``).

Runs as a process of its own with the standard library only. Its standard input is a pipe from the supervisor:
``+PID SIGNAL`` puts a process in its care, ``-PID`` takes it out. When the pipe closes, the supervisor is gone: every
process still in care gets its signal, then ten seconds, then SIGKILL for its whole process group. Where the system
has pid file descriptors they are used, so that a reused number is never hit.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_SECONDS = 10.0


class Ward:
    """One process in care: a process group leader and the signal that ends it politely."""

    def __init__(self, pid: int, number: int) -> None:
        self.pid = pid
        self.number = number
        try:
            self.descriptor = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        except OSError:
            self.descriptor = -1

    def send(self, number: int) -> bool:
        """Signal the process; False when it is gone."""
        try:
            if self.descriptor >= 0:
                signal.pidfd_send_signal(self.descriptor, number)
            else:
                os.kill(self.pid, number)
        except OSError:
            return False
        return True

    def finish(self) -> None:
        """Kill the group, for children that the process left behind."""
        if self.send(0):
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except OSError:
                self.send(signal.SIGKILL)

    def close(self) -> None:
        """Give the descriptor back."""
        if self.descriptor >= 0:
            os.close(self.descriptor)


def main() -> None:
    """Keep the list until the pipe closes, then end what is on it, the youngest first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wards: dict[int, Ward] = {}
    for line in sys.stdin:
        words = line[1:].split()
        if line.startswith("+"):
            wards[int(words[0])] = Ward(int(words[0]), int(words[1]))
        elif line.startswith("-") and (left := wards.pop(int(words[0]), None)):
            left.close()
    alive = [ward for ward in reversed(wards.values()) if ward.send(ward.number)]
    until = time.monotonic() + GRACE_SECONDS
    while alive and time.monotonic() < until:
        time.sleep(0.1)
        alive = [ward for ward in alive if ward.send(0)]
    for ward in alive:
        ward.finish()


if __name__ == "__main__":
    main()
