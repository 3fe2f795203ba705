"""The pages under docs: their examples compile, their figures are those of the newest result."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from services.router.policy.model import SCHEMA
from shared import expressions
from shared.contracts import Notice
from shared.expressions import Schema, compile_expression
from shared.expressions.functions import _FUNCTIONS as FUNCTIONS
from shared.expressions.translation import METHODS
from tests.bench import report
from tests.readme import ROOT

EXPRESSIONS = (ROOT / "docs" / "expressions.md").read_text()
RESULT = {
    "figures": {"p50_ms": {"median": 31.0, "min": 30.0, "max": 33.0}, "new_figure": {"median": 1.5, "min": 1.0, "max": 2.0}},
    "floors": {"p50_ms": {"at_most": 80.0}},
    "rates_per_second": {
        "ingest": {"median": 5123.4, "min": 5000.0, "max": 5300.0},
        "hub": {"median": 2100.0, "min": 2000.0, "max": 2200.0},
    },
    "cpu_us_per_item": {"ingest": {"median": 171.2, "min": 170.0, "max": 172.0}},
    "runs": 3,
    "items": 20000,
    "at": "2026-11-21T10:00:00+00:00",
    "commit": "abc1234",
    "machine": {"cores": 2, "architecture": "x86_64", "system": "Linux", "python": "3.11.7"},
}


def examples(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)\n```$", EXPRESSIONS, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", examples("rule"))
def test_every_example_of_a_rule_compiles(example: str) -> None:
    compile_expression(example, SCHEMA)


@pytest.mark.parametrize("example", examples("filter"))
def test_every_example_of_a_filter_compiles(example: str) -> None:
    compile_expression(example, Schema.of(Notice))


def test_the_grammar_is_the_one_of_the_code() -> None:
    (grammar,) = examples("text")
    docstring = " ".join((expressions.__doc__ or "").split())
    assert " ".join(grammar.split()) in docstring


def test_every_function_and_method_is_explained() -> None:
    for name in (*FUNCTIONS, *METHODS):
        assert f"{name}(" in EXPRESSIONS, name


def test_the_figures_are_those_of_the_newest_result() -> None:
    page = report.PAGE.read_text()
    assert report.current(page, report.newest(), report.newest(kind="formats")) == page, "run: python -m tests.bench.report"


def test_a_result_becomes_tables() -> None:
    lines = report.rendered(RESULT).splitlines()
    assert lines[0] == "Commit `abc1234`, 2026-11-21, 2 cores, x86_64, Linux, Python 3.11.7; 3 runs of 20,000 items."
    assert "| door to release topic at half the sustained rate, p50, ms (`p50_ms`) | 31 | 30 | 33 | ≤ 80 |" in lines
    assert "| new_figure (`new_figure`) | 1.5 | 1 | 2 |  |" in lines
    assert "| ingest | 5,123 | 5,000 | 5,300 | 171 |" in lines
    assert "| hub | 2,100 | 2,000 | 2,200 |  |" in lines


def test_the_newest_result_is_the_one_measured_last(tmp_path: Path) -> None:
    assert report.newest(tmp_path) is None
    for name, at in (("b", "2026-11-20T00:00:00+00:00"), ("a", "2026-11-21T00:00:00+00:00")):
        (tmp_path / f"{name}.json").write_text(json.dumps(RESULT | {"at": at}))
    newest = report.newest(tmp_path)
    assert newest is not None
    assert newest["at"].startswith("2026-11-21")
    assert report.rendered(None) == report.NONE_KEPT
