"""``make bench-formats``: how fast formats are read and written, as ratios to other readers and writers of the same bytes in the same run.

Our reading ends at filings or answers with findings and provenance; every rival stops earlier (see :mod:`tests.bench.rivals`). Processor
time, rounds interleaved, the median of the rounds with minimum and maximum. Of an XML format single items and a file of 500 are measured,
and the worse of the two is the figure. Peak memory is resident memory of a process of its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from shared.contracts import Notice
from shared.formats import READERS, WRITERS
from shared.model import DEFAULT_DIALECT
from tests.bench import contents, kept, rivals
from tests.samples import raw
from tests.unit.shared.formats.notices import a_notice

KIND: Final = "formats"
IN_A_FILE: Final = 500
SHARE_SECONDS: Final = 0.03
"""Processor time that each side gets in a round, at least."""
XSDATA: Final = ("itmatt", "xfzb")
WRITTEN: Final = {
    "cusrsp": "post:LZ314159268US",
    "cusres": "express:sample-sender:JXE2603000017",
    "xcsn": "express:sample-sender:JXE2603000017",
}
"""What writes a decision, and whose decision."""
PEAKS: Final = (
    "itmatt", "itmatt-edifact", "xfhl", "fhl", "cuscar", "ie3f32", "h7-json", "awmds", "manifest-csv", "manifest-json", "manifest-xlsx",
    "order", "neutral", "neutral-lines", "wco-declaration",
)  # fmt: skip
"""The formats of each family whose messages hold many things."""
PARTS: Final = ("lxml", "xsdata", "edifact", "csv", "writers", "memory")

FLOORS: Final[Mapping[str, float]] = {
    **{f"{name}_over_lxml": 0.30 for name in contents.XML},
    **{f"{name}_over_xsdata": 10.0 for name in XSDATA},
    "cuscar_over_pydifact": 2.0,
    "csv_over_dictreader": 1.0,
    **{f"{name}_writes_over_json": 0.2 for name in WRITTEN},
    **{f"{name}_peak_mb": 40.0 for name in PEAKS},
}
AT_MOST: Final = frozenset(name for name in FLOORS if name.endswith("_peak_mb"))


class Compared(NamedTuple):
    """One comparison: the ratio of each round, and what ours takes for one call, in µs."""

    ratios: list[float]
    microseconds: float


def compare(ours: Callable[[], object], rival: Callable[[], object], rounds: int) -> Compared:
    """Return how many times as fast *ours* is as *rival*, in each of *rounds*; both get the same number of calls.

    What is in memory before is left out of the collector's rounds: how much that is has nothing to do with either side.
    """
    calls = max(1, round(SHARE_SECONDS / min(_seconds(rival, 3), _seconds(ours, 3))))
    gc.collect()
    gc.freeze()
    times = [(_seconds(rival, calls), _seconds(ours, calls)) for _ in range(rounds)]
    gc.unfreeze()
    return Compared([other / mine for other, mine in times], statistics.median(mine for _, mine in times) * 1e6)


def _seconds(call: Callable[[], object], times: int) -> float:
    """Return the processor time of one call."""
    began = time.process_time()
    for _ in range(times):
        call()
    return max(1e-9, (time.process_time() - began) / times)


def _each(call: Callable[[bytes], object], bodies: Iterable[bytes]) -> Callable[[], object]:
    bodies = tuple(bodies)
    return lambda: deque(map(call, bodies), maxlen=0)


def reader(name: str) -> Callable[[bytes], object]:
    """Return what reads a message item by item, as ingest does, and keeps nothing."""
    parse = READERS[name].parse
    return lambda body: deque(parse(raw(body), DEFAULT_DIALECT), maxlen=0)


def validating(name: str, bodies: Sequence[bytes]) -> Callable[[], object]:
    """Return what validates all that is read of *bodies*, as plain values, and does nothing else."""
    read = [item for body in bodies for item in READERS[name].parse(raw(body), DEFAULT_DIALECT)]
    calls = [partial(type(item).__pydantic_validator__.validate_python, item.model_dump(mode="json", exclude_none=True)) for item in read]
    return lambda: deque((call() for call in calls), maxlen=0)


class Bench:
    """All figures of one run."""

    def __init__(self, rounds: int, formats: Sequence[str], advance: Callable[[str], None]) -> None:
        self.rounds = rounds
        self.figures: dict[str, list[float]] = {}
        self.notes: dict[str, Any] = {}
        self._formats = formats
        self._advance = advance

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Return those of *names* that are asked for."""
        return [name for name in names if not self._formats or name in self._formats]

    def lxml(self) -> None:
        """XML formats against the bare parse of the same bytes; beside it what validating alone would reach, with nothing read at all."""
        for name in self.wanted(contents.XML):
            self._worse(f"{name}_over_lxml", name, rivals.lxml, model_too=True)

    def xsdata(self) -> None:
        """The same read with dataclasses of xsdata."""
        for name in self.wanted(XSDATA):
            bodies = [*contents.of_one_root(name), *filter(None, [contents.many(name, IN_A_FILE)])]
            self._worse(f"{name}_over_xsdata", name, rivals.xsdata(bodies), contents.of_one_root(name))

    def edifact(self) -> None:
        """CUSCAR to filings against pydifact reading the segments."""
        for name in self.wanted(["cuscar"]):
            self._worse("cuscar_over_pydifact", name, rivals.pydifact)

    def csv(self) -> None:
        """Rows of a manifest against ``csv.DictReader`` into the same model."""
        for name in self.wanted(["manifest-csv"]):
            file = [contents.manifest(IN_A_FILE)]
            self._take("csv_over_dictreader", {"file": compare(_each(reader(name), file), _each(rivals.dict_reader, file), self.rounds)})

    def writers(self) -> None:
        """A decision written, against the same data as JSON."""
        for name in self.wanted(WRITTEN):
            notice = decision(WRITTEN[name])
            writes = partial(WRITERS[name].render, [notice], DEFAULT_DIALECT)
            dumps = partial(json.dumps, json.loads(notice.to_json()))
            self._take(f"{name}_writes_over_json", {"one": compare(writes, dumps, self.rounds)})

    def memory(self) -> None:
        """Peak memory above a file of 5 MiB."""
        for name in self.wanted(PEAKS):
            key = f"{name}_peak_mb"
            with tempfile.NamedTemporaryFile() as file:
                body = contents.large(name)
                file.write(body)
                file.flush()
                self.figures[key] = [_child(name, file.name) for _ in range(min(3, self.rounds))]
                self.notes[key] = {"file_mb": round(len(body) / 1e6, 2), "python_counts_mb": _child(name, file.name, "traced")}
            self._advance(key)

    def _worse(
        self, key: str, name: str, rival: Callable[[bytes], object], singles: Sequence[bytes] = (), *, model_too: bool = False
    ) -> None:
        """Compare single items and a file of many where there is such a file; the worse is the figure."""
        read, many = reader(name), contents.many(name, IN_A_FILE)
        ways: dict[str, Sequence[bytes]] = {"single": singles or contents.singles(name)}
        if many is not None:
            ways["file"] = [many]
        self._take(key, {way: compare(_each(read, bodies), _each(rival, bodies), self.rounds) for way, bodies in ways.items()})
        if model_too:
            for way, bodies in ways.items():
                validated = compare(validating(name, bodies), _each(rival, bodies), self.rounds)
                self.notes[key][way]["validation"] = round(statistics.median(validated.ratios), 3)

    def _take(self, key: str, found: Mapping[str, Compared]) -> None:
        self.figures[key] = min((each.ratios for each in found.values()), key=statistics.median)
        self.notes[key] = {
            way: {"ratio": round(statistics.median(each.ratios), 3), "us": round(each.microseconds, 1)} for way, each in found.items()
        }
        self._advance(key)


def decision(key: str) -> Notice:
    """Return the decision about one consignment as a receiver is told it."""
    changes: dict[str, Any] = {"key": key, "notice_id": UUID(int=77)}
    if key.startswith("express:"):
        carrier, number = key.split(":")[1:]
        told = a_notice()
        assert told.consignment is not None
        summary = {"house_transport_document_id": number, "channel": "express", "carrier_id": carrier, "country_of_destination": "BE"}
        changes["consignment"] = told.consignment.model_copy(update=summary)
    return a_notice(**changes)


def _child(name: str, path: str, *how: str) -> float:
    """Return the peak that a process of its own has above the file, in MB."""
    ran = subprocess.run([sys.executable, "-m", "tests.bench.memory", name, path, *how], cwd=kept.ROOT, capture_output=True, check=True)
    return float(ran.stdout)


def main() -> int:
    """Measure, keep, print; 1 when a floor is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.formats",
        description=__doc__,
        epilog="example: python -m tests.bench.formats --rounds 3 --only lxml csv",
    )
    only: dict[str, Any] = {"nargs": "*", "default": [], "help": "only these; nothing is kept then"}
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each figure (default 7)")
    parser.add_argument("--only", choices=PARTS, **only)
    parser.add_argument("--formats", choices=sorted(READERS), metavar="FORMAT", **only)
    parser.add_argument("--no-keep", action="store_true", help="do not write the result below tests/bench/results")
    args = parser.parse_args()
    console, began = Console(), time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description:32}"), TextColumn("{task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("")
        bench = Bench(args.rounds, args.formats, lambda key: progress.update(task, description=key, advance=1))
        for part in args.only or PARTS:
            getattr(bench, part)()
    result = {
        "kind": KIND,
        "figures": {name: kept.spread(values) for name, values in bench.figures.items()},
        "floors": kept.floors(FLOORS, AT_MOST),
        "notes": bench.notes,
        "runs": bench.rounds,
        "took_seconds": round(time.monotonic() - began),
    } | kept.circumstances()
    if not (args.no_keep or args.only or args.formats):
        kept.keep(result, KIND)
    good = kept.show(console, result)
    console.print(_ways(bench.notes))
    return 0 if good else 1


def _ways(notes: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return what each figure is made of: the ratio of each way, or the size of the file and what Python itself counts."""
    table = Table(title="what the figures are made of")
    for column in ("figure", "way", "ratio", "µs a call", "validation alone", "file MB", "Python counts MB"):
        table.add_column(column, justify="left" if column in ("figure", "way") else "right")
    for key, note in notes.items():
        if "file_mb" in note:
            table.add_row(key, "", "", "", "", f"{note['file_mb']:g}", f"{note['python_counts_mb']:g}")
        else:
            for way, measured in note.items():
                table.add_row(key, way, f"{measured['ratio']:g}", f"{measured['us']:,.0f}", f"{measured.get('validation', '')}")
    return table


if __name__ == "__main__":
    sys.exit(main())
