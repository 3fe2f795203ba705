"""The newest kept results of the benchmarks as tables in ``docs/performance.md``: ``python -m tests.bench.report``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "performance.md"
RESULTS: Final = Path(__file__).with_name("results")
NONE_KEPT: Final = "No result is kept yet: `make bench` and `make bench-formats` measure.\n"

MEANINGS: Final[Mapping[str, str]] = {
    "hub_over_bare": "hub ÷ bare loop, decided by policy alone",
    "hub_over_naive": "hub ÷ naive",
    "hub_services_over_naive": "hub with one HTTP and one Kafka service ÷ naive",
    "ingest_over_bare": "ingest ÷ bare loop",
    "router_over_bare": "router ÷ bare loop",
    "notify_over_bare": "notify ÷ bare loop",
    "p50_ms": "door to release topic at half the sustained rate, p50, ms",
    "p99_ms": "the same, p99, ms",
    "p99_beside_file_ms": "one item's p99 while a file of 1,700 items is read, ms",
    "rss_mb": "resident memory of the largest process after 200,000 items, MB",
}
"""The figures in the order of the page. One that a result has and the list has not comes last, under its own name."""

ENDINGS: Final[Mapping[str, str]] = {
    "_over_lxml": "{} ÷ hardened parse of the same bytes",
    "_over_xsdata": "{} ÷ the same bytes into classes of xsdata",
    "_over_pydifact": "{} to filings ÷ segments by pydifact",
    "_over_dictreader": "manifest in {} ÷ `csv.DictReader` into the same model",
    "_writes_over_json": "a decision as {} ÷ the same data as JSON",
    "_peak_mb": "peak memory above a file of up to 5 MiB of {}, MB",
}
"""The figures of the formats, by the end of their keys."""

_SECTION: Final = re.compile(r"(<!-- (result|formats): from tests/bench/results -->\n).*?(<!-- end -->)", re.DOTALL)


def newest(folder: Path = RESULTS, kind: str = "result") -> Mapping[str, Any] | None:
    """Return the result of *kind* that was measured last, or None where none is kept. One without a kind is the hub's."""
    found = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    return max((result for result in found if result.get("kind", "result") == kind), key=lambda result: str(result["at"]), default=None)


def rendered(result: Mapping[str, Any] | None) -> str:
    """Return the tables of one result."""
    if result is None:
        return NONE_KEPT
    if result.get("kind") == "formats":
        return _of_formats(result)
    head = f"{_where(result)}; {result['runs']} runs of {result['items']:,} items.\n"
    tables = [head, _table(("figure", "median", "min", "max", "asked"), _figures(result))]
    if result.get("rates_per_second"):
        tables.append(_table(("items a second", "median", "min", "max", "CPU µs an item"), _rates(result)))
    return "\n".join(tables)


def _where(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    where = f"{machine['cores']} cores, {machine['architecture']}, {machine['system']}, Python {machine['python']}"
    return f"Commit `{result['commit']}`, {result['at'][:10]}, {where}"


def _of_formats(result: Mapping[str, Any]) -> str:
    rows = [
        (_meaning(name), *_spread(spread), _asked(result["floors"].get(name)), _ways(result["notes"].get(name, {})))
        for name, spread in result["figures"].items()
    ]
    head = f"{_where(result)}; {result['runs']} rounds.\n"
    return "\n".join([head, _table(("figure", "median", "min", "max", "asked", "made of"), rows)])


def _meaning(key: str) -> str:
    ending = next((ending for ending in ENDINGS if key.endswith(ending)), None)
    return f"{ENDINGS[ending].format(key.removesuffix(ending))} (`{key}`)" if ending else f"`{key}`"


def _ways(note: Mapping[str, Any]) -> str:
    """Return what a figure is made of: the ratio of each way, or the file and what Python itself counts."""
    if "file_mb" in note:
        return f"file {note['file_mb']:g} MB; Python counts {note['python_counts_mb']:g} MB"
    return "; ".join(f"{way} {measured['ratio']:g}{_model(measured)}" for way, measured in note.items())


def _model(measured: Mapping[str, float]) -> str:
    return f" (validation alone {measured['validation']:g})" if "validation" in measured else ""


def _figures(result: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    figures, floors = result["figures"], result.get("floors", {})
    for name in [*MEANINGS, *(name for name in figures if name not in MEANINGS)]:
        if name in figures:
            yield f"{MEANINGS.get(name, name)} (`{name}`)", *_spread(figures[name]), _asked(floors.get(name))


def _asked(floor: Mapping[str, float] | None) -> str:
    return "".join(f"{'≤' if kind == 'at_most' else '≥'} {value:g}" for kind, value in (floor or {}).items())


def _rates(result: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for name, spread in result["rates_per_second"].items():
        cpu = result.get("cpu_us_per_item", {}).get(name)
        yield name, *(f"{spread[key]:,.0f}" for key in ("median", "min", "max")), f"{cpu['median']:.0f}" if cpu else ""


def _spread(spread: Mapping[str, float]) -> Iterator[str]:
    return (f"{spread[key]:g}" for key in ("median", "min", "max"))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    right = ["---", *("---:" for _ in head[1:])]
    return "".join("| " + " | ".join(line) + " |\n" for line in (head, right, *rows))


def current(page: str, *results: Mapping[str, Any] | None) -> str:
    """Return the text of *page* with the tables of *results*, each in the section of its kind; a section without a result says so."""
    by_kind = {result.get("kind", "result"): result for result in results if result is not None}
    return _SECTION.sub(lambda match: match[1] + rendered(by_kind.get(match[2])) + match[3], page)


def main() -> int:
    """Write the page anew."""
    PAGE.write_text(current(PAGE.read_text(), newest(), newest(kind="formats")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
