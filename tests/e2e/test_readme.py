"""A newcomer's first quarter of an hour: every command of the README, in order, on a hub of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme import README, run, same, steps


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder for the hub's data; others may pass through it, because PostgreSQL does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="guichet-readme-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(480)
def test_the_readme_s_commands_print_what_it_says(var: Path) -> None:
    told = steps(README.read_text())
    printed = run([step.command for step in told], var)
    for step, lines in zip(told, printed, strict=True):
        missing = Counter(same(step.printed)) - Counter(same(lines))
        assert not missing, f"{step.command!r} printed {lines}"
