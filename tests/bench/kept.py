"""What every benchmark keeps and shows: figures with their spread, floors, the commit and the machine."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

ROOT: Final = Path(__file__).resolve().parents[2]
RESULTS: Final = Path(__file__).with_name("results")


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, minimum and maximum."""
    digits = 3 if max(values) < 100 else 1
    return {"median": round(statistics.median(values), digits), "min": round(min(values), digits), "max": round(max(values), digits)}


def circumstances() -> dict[str, Any]:
    """Return when, on which commit and on which machine something was measured."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or "unknown",
        "machine": {
            "cores": os.cpu_count(),
            "architecture": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
    }


def floors(asked: Mapping[str, float], at_most: Collection[str]) -> dict[str, dict[str, float]]:
    """Return the floors in the form in which they are kept."""
    return {name: {"at_most" if name in at_most else "at_least": floor} for name, floor in asked.items()}


def is_met(name: str, result: Mapping[str, Any]) -> bool:
    """Say whether the median of a figure is within its floor; one without a floor is."""
    value = result["figures"][name]["median"]
    return all(value <= floor if kind == "at_most" else value >= floor for kind, floor in result["floors"].get(name, {}).items())


def keep(result: Mapping[str, Any], kind: str = "") -> Path:
    """Write *result* below ``tests/bench/results``; *kind* tells one benchmark's results from another's."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{result['at'][:10]}-{result['commit']}{f'-{kind}' if kind else ''}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def show(console: Console, result: Mapping[str, Any]) -> bool:
    """Print the figures that have a floor; return whether all floors are met."""
    table = Table(title=f"Guichet {result['commit']}, {result['machine']['cores']} cores, Python {result['machine']['python']}")
    for column in ("figure", "median", "min", "max", "asked", ""):
        table.add_column(column, justify="left" if column == "figure" else "right")
    names = [name for name in result["floors"] if name in result["figures"]]
    for name in names:
        figure = result["figures"][name]
        asked = " ".join(f"{'≤' if kind == 'at_most' else '≥'} {floor:g}" for kind, floor in result["floors"][name].items())
        table.add_row(name, *(f"{figure[key]:g}" for key in ("median", "min", "max")), asked, "✓" if is_met(name, result) else "✗")
    console.print(table)
    return all(is_met(name, result) for name in names)
