"""The benchmark of the formats: what it measures with, and that it can be run."""

import json
from pathlib import Path

import pytest

from shared.formats import READERS
from shared.model import Filing
from tests.bench import contents, formats, kept, memory, report, rivals

RESULT = {
    "kind": "formats",
    "figures": {
        "itmatt_over_lxml": {"median": 0.31, "min": 0.3, "max": 0.32},
        "cuscar_peak_mb": {"median": 41.0, "min": 40.0, "max": 42.0},
    },
    "floors": {"itmatt_over_lxml": {"at_least": 0.3}, "cuscar_peak_mb": {"at_most": 40}},
    "notes": {"itmatt_over_lxml": {"single": {"ratio": 0.31, "us": 70.0}}, "cuscar_peak_mb": {"file_mb": 5.2, "python_counts_mb": 38}},
    "runs": 7,
    "at": "2026-11-21T13:00:00+00:00",
    "commit": "abc1234",
    "machine": {"cores": 2, "architecture": "x86_64", "system": "Linux", "python": "3.11.7"},
}


def test_every_format_that_is_xml_has_its_floor() -> None:
    assert {f"{name}_over_lxml" for name in contents.XML} <= set(formats.FLOORS)
    assert all(contents.singles(name) for name in contents.XML)


@pytest.mark.parametrize("name", formats.PEAKS)
def test_a_file_of_many_items_is_read_whole(name: str) -> None:
    body = contents.many(name, 20)
    assert body is not None
    found = contents.items(name, body)
    assert len({item.key for item in found}) == len(found) == 20


def test_a_file_ends_before_the_limit() -> None:
    assert 90_000 < len(contents.large("neutral-lines", 400_000)) <= 400_000


@pytest.mark.parametrize(
    ("number", "other"), [("LZ314159268US", "LZ000000076US"), ("888-45123072", "888-00000070"), ("JXE2603000017", "JXE2600000007")]
)
def test_numbers_of_copies_are_of_the_same_kind(number: str, other: str) -> None:
    assert contents.numbered(number, 7) == other


def test_every_rival_reads_what_we_read() -> None:
    single = contents.of_one_root("itmatt")
    assert getattr(rivals.xsdata(single)(single[0]), "element_0", None) is not None
    assert len(rivals.pydifact(contents.singles("cuscar")[0])) > 10  # type: ignore[arg-type]


def test_the_rival_of_the_manifest_reads_all_that_we_read_of_consignments_no_two_of_which_are_alike() -> None:
    body = contents.manifest(20)
    ours = {item.key: item for item in contents.items("manifest-csv", body) if isinstance(item, Filing)}
    theirs = rivals.dict_reader(body)
    assert len(ours) == len(theirs) == 20
    assert len({item.consignment.consignee for item in theirs if item.consignment}) == 20
    for each in theirs:
        assert each.consignment == ours[each.key].consignment


def test_the_benchmark_runs_and_keeps_only_whole_results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    monkeypatch.setattr(formats, "SHARE_SECONDS", 0.001)
    monkeypatch.setattr("sys.argv", ["formats", "--rounds", "1", "--only", "writers", "csv", "lxml", "--formats", "cusrsp", "manifest-csv"])
    assert formats.main() in (0, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_missed_floor_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "SHARE_SECONDS", 0.001)
    monkeypatch.setattr(formats, "FLOORS", {"cusrsp_writes_over_json": 1000.0})
    monkeypatch.setattr("sys.argv", ["formats", "--rounds", "1", "--only", "writers", "--formats", "cusrsp"])
    assert formats.main() == 1


def test_a_result_of_each_kind_has_its_own_section(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(RESULT))
    assert report.newest(tmp_path) is None
    page = "<!-- result: from tests/bench/results -->\nold\n<!-- end -->\n<!-- formats: from tests/bench/results -->\nold\n<!-- end -->\n"
    written = report.current(page, report.newest(tmp_path, "formats"))
    assert "No result is kept yet" in written.partition("<!-- formats")[0]
    assert "| itmatt ÷ hardened parse of the same bytes (`itmatt_over_lxml`) | 0.31 | 0.3 | 0.32 | ≥ 0.3 | single 0.31 |" in written
    assert "of cuscar, MB (`cuscar_peak_mb`) | 41 | 40 | 42 | ≤ 40 | file 5.2 MB; Python counts 38 MB |" in written


def test_a_peak_is_more_than_nothing() -> None:
    body = contents.many("itmatt", 500) or b""
    assert memory._resident("itmatt", body) >= 0
    assert set(formats.PEAKS) <= set(READERS)
