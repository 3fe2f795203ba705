"""Every sample gives exactly what stands beside it."""

from pathlib import Path

import pytest

from shared.formats import READERS
from tests.samples import FOLDER, expected, outcome, samples

FORMATS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__")
MESSAGES = [path for format in FORMATS for path in samples(format)]


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_sample_becomes_what_stands_beside_it(path: Path) -> None:
    assert outcome(path.read_bytes()) == expected(path)


def test_every_format_that_reads_has_samples() -> None:
    assert set(FORMATS) >= set(READERS)
    assert all(any(path.stem == "reference" or path.stem == "single" for path in samples(format)) for format in READERS)


@pytest.mark.parametrize("format", READERS)
def test_every_format_that_reads_shows_eight_cases_and_among_them_a_rejection(format: str) -> None:
    outcomes = [expected(path) for path in samples(format)]
    assert len(outcomes) >= 8
    assert any("refused" in outcome or any("rejection" in item for item in outcome["items"]) for outcome in outcomes)
