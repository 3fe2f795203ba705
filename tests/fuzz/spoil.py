"""``make fuzz-mutations``: spoiled samples of each format through its parser, and what it must never do counted.

Judged are what comes out, 50 ms of processor time for each 3 kB, and that memory does not grow with the number of inputs. An input that
fails is kept below ``var/fuzz`` and named; the same seed finds it again.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import traceback
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from shared.formats import READERS
from tests.fuzz.judging import judge
from tests.fuzz.mutations import inputs

ROOT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = ROOT / "var" / "fuzz"
GROWTH_MB: Final = 24.0
"""Resident memory that may come between the first fifth of a format's inputs and the last: pools and caches fill, leaks go on."""
SHOWN: Final = 5


def keep(format: str, body: bytes) -> Path:
    """Keep an input that failed."""
    path = KEPT / format / f"wrong-{hashlib.sha256(body).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def wrongs(format: str, count: int, seed: int, progress: Progress) -> dict[str, Path]:
    """Return what went wrong, each kind once, with the first input that did it."""
    task = progress.add_task(format, total=count)
    found: dict[str, Path] = {}
    settled = 0.0
    for number, body in enumerate(inputs(format, count, seed)):
        try:
            judge(format, body)
        except Exception as exc:
            place = traceback.extract_tb(exc.__traceback__)[-1]
            kind = f"{type(exc).__name__} in {Path(place.filename).name}:{place.lineno}: "
            if not any(known.startswith(kind) for known in found):
                found[kind + str(exc)[:200]] = keep(format, body)
        if number == count // 5:
            settled = _resident_mb()
        progress.advance(task)
    if count >= 1000 and (growth := _resident_mb() - settled) > GROWTH_MB:
        found[f"memory grew by {growth:.0f} MB over {count - count // 5} inputs"] = KEPT / format
    return found


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def main() -> int:
    """Spoil, judge, tell; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.spoil",
        description=__doc__,
        epilog="example: python -m tests.fuzz.spoil --count 1000 --formats itmatt xfzb",
    )
    parser.add_argument("--count", type=int, default=10_000, help="inputs a format (default 10,000)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other inputs (default 7)")
    parser.add_argument("--formats", nargs="*", choices=sorted(READERS), metavar="FORMAT", help="only these (default: all that are read)")
    args = parser.parse_args()
    console, failed = Console(), 0
    columns = (TextColumn("{task.description:20}"), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for name in args.formats or READERS:
            found = wrongs(name, args.count, args.seed, progress)
            failed += bool(found)
            for what, path in list(found.items())[:SHOWN]:
                console.print(f"{name}: {what}\n  {path}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(args.formats or READERS)} formats, {args.count} inputs each: {failed or 'none'} went wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
