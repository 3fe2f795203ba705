"""How much memory reading one file takes above the file itself: ``python -m tests.bench.memory FORMAT FILE [traced]``, a process a figure.

Resident memory is the honest figure. ``traced``, what Python counts itself, sees nothing of an XML tree, which lxml keeps outside of
Python, and counts what the JSON parser reserves and never touches.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
import tracemalloc
from collections import deque
from pathlib import Path
from typing import Final

import psutil

from shared.formats import READERS
from shared.model import DEFAULT_DIALECT
from tests.bench import contents
from tests.samples import raw

_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")


def main() -> None:
    """Read the file item by item, as ingest does, and print the peak above what there was before, in MB."""
    name, path, traced = sys.argv[1], Path(sys.argv[2]), sys.argv[3:] == ["traced"]
    _read(name, contents.singles(name)[0])
    body = path.read_bytes()
    print(f"{_traced(name, body) if traced else _resident(name, body):.1f}")


def _read(name: str, body: bytes) -> None:
    deque(READERS[name].parse(raw(body), DEFAULT_DIALECT), maxlen=0)


def _traced(name: str, body: bytes) -> float:
    tracemalloc.start()
    _read(name, body)
    return tracemalloc.get_traced_memory()[1] / 1e6


def _resident(name: str, body: bytes) -> float:
    _give_back()
    before = psutil.Process().memory_info().rss
    if _RESET.exists():
        _RESET.write_text("5")
    _read(name, body)
    return (_peak() - before) / 1e6


def _give_back() -> None:
    """Free what the import left over, so that the reading cannot use it unseen."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _peak() -> int:
    """Return the highest resident memory since it was reset, in bytes; where it cannot be reset, since the start."""
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
