"""``make fuzz``: each parser under the coverage-guided fuzzer atheris for a while, from its samples and the corpus kept.

What ends a run: anything but a filing, an answer, a rejection or a refusal of the whole; an input that then, without instrumentation, takes
more than 50 ms of processor time for each 3 kB. Such an input stands below ``var/fuzz/<format>`` and is named; mend the parser and put it
among the samples of the format, or make it a test. ``--keep`` adds what reached new code to the corpus in ``tests/fuzz/corpus``.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from shared.formats import READERS
from tests.fuzz import corpus
from tests.fuzz.judging import Wrong, judge, seeds

ROOT: Final = Path(__file__).resolve().parents[2]
VAR: Final = ROOT / "var" / "fuzz"
LONGEST: Final = 16 * 1024
"""Bytes of one input: speed is worth more than size here; giant fields are for ``make fuzz-mutations``."""
SPARE_SECONDS: Final = 120
"""What a child may take beyond its time: to import, to read its corpus, to end."""
MISSING: Final = 2
"""Exit code where there is no atheris."""
_TOLD = re.compile(r"^(?: ?=== |Traceback|[\w.]+(?:Error|Exception|Wrong|Malformed\w*)\b|==\d+==)")
_DONE = re.compile(r"Done (\d+) runs")
_COVERED = re.compile(r"cov: (\d+)")


class Outcome(NamedTuple):
    """One format's run: how many inputs were tried, how much code was reached, what is wrong."""

    tried: int
    covered: int
    wrong: list[str]


def fuzz(format: str, seconds: int, folder: Path = VAR, *, keep: bool = False) -> Outcome:
    """Fuzz one parser for *seconds*."""
    place = folder / format
    grown, given = place / "corpus", place / "seeds"
    shutil.rmtree(given, ignore_errors=True)
    _put(given, seeds(format))
    _put(grown, corpus.read(format))
    before = set(place.iterdir())
    told = _child(format, seconds, place, f"-max_total_time={seconds}", str(grown), str(given))
    wrong = [f"{_complaint(told)}\n  {path}" for path in sorted(set(place.iterdir()) - before) if path.is_file()]
    done, covered = _DONE.search(told), [int(number) for number in _COVERED.findall(told)]
    if done is None and not wrong:
        wrong.append(f"the fuzzer ended early: {_complaint(told)}")
    wrong += _slow(format, grown)
    if keep and not wrong:
        _keep(format, place)
    return Outcome(int(done[1]) if done else 0, max(covered, default=0), wrong)


def _put(folder: Path, inputs: Iterable[tuple[str, bytes]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in inputs:
        (folder / name).write_bytes(body)


def _child(format: str, seconds: int, place: Path, *arguments: str) -> str:
    """Run atheris on one format and return what it said."""
    options = (f"-max_len={LONGEST}", f"-artifact_prefix={place}/", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=0")
    command = [sys.executable, "-m", "tests.fuzz.guided", format, *options, *arguments]
    try:
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=seconds + SPARE_SECONDS, check=False)
    except subprocess.TimeoutExpired as exc:
        return (exc.stderr or b"").decode(errors="replace") + "\nTimeoutError: the fuzzer did not end in time"
    return (ran.stdout + ran.stderr).decode(errors="replace")


def _complaint(told: str) -> str:
    """Return the line that says what happened: the last of those that look like it."""
    lines = [line.strip() for line in told.splitlines() if _TOLD.match(line)]
    errors = [line for line in lines if not line.startswith(("=", "Traceback"))]
    return (errors or lines or told.splitlines()[-1:] or ["nothing was said"])[-1][:300]


def _slow(format: str, grown: Path) -> Iterator[str]:
    for path in sorted(grown.iterdir()):
        try:
            judge(format, path.read_bytes())
        except Wrong as exc:
            yield f"Wrong: {exc}\n  {path}"


def _keep(format: str, place: Path) -> None:
    """Keep the fewest inputs that reach what all of them reach."""
    fewest = place / "fewest"
    shutil.rmtree(fewest, ignore_errors=True)
    fewest.mkdir()
    _child(format, SPARE_SECONDS, place, "-merge=1", str(fewest), str(place / "seeds"), str(place / "corpus"))
    inputs = [(path.name, path.read_bytes()) for path in fewest.iterdir()]
    if inputs:
        corpus.write(format, inputs)


def main() -> int:
    """Fuzz, tell; 1 when anything was wrong, 2 where there is no atheris."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, epilog="example: python -m tests.fuzz --seconds 10 --formats itmatt xfzb"
    )
    parser.add_argument("--seconds", type=int, default=60, help="time of each format (default 60)")
    parser.add_argument("--formats", nargs="*", choices=sorted(READERS), metavar="FORMAT", help="only these (default: all that are read)")
    parser.add_argument("--keep", action="store_true", help="write what reaches new code to tests/fuzz/corpus")
    args = parser.parse_args()
    console, failed = Console(), 0
    if importlib.util.find_spec("atheris") is None:
        here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
        console.print(f"Nothing was fuzzed: atheris does not exist for {here}. make fuzz-mutations runs everywhere.", highlight=False)
        return MISSING
    columns = (SpinnerColumn(), TextColumn("{task.description:20}"), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    names = args.formats or list(READERS)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(names))
        for name in names:
            progress.update(task, description=name)
            outcome = fuzz(name, args.seconds, keep=args.keep)
            failed += bool(outcome.wrong)
            verdict = "wrong" if outcome.wrong else "sound"
            console.print(f"{name:20} {outcome.tried:>9,} inputs, {outcome.covered:>5} places reached: {verdict}", highlight=False)
            for wrong in outcome.wrong:
                console.print(f"  {wrong}", markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)
    return 1 if failed else 0
