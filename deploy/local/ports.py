"""Free TCP ports on this machine."""

from __future__ import annotations

import socket
from collections.abc import Collection

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """True when nothing listens on *port* and a server could."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(wished: int = 0, *, taken: Collection[int] = ()) -> int:
    """*wished* where it is free and not among *taken*, else any free port."""
    if wished and wished not in taken and is_free(wished):
        return wished
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def answers(port: int, timeout_seconds: float = 0.5) -> bool:
    """True when something accepts connections on *port*."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
