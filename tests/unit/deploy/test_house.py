"""What a fresh machine needs to be true of the files at the root."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-runtime.lock"]
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_files_have_a_hash_for_everything_and_no_addresses(lock: Path):
    text = lock.read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if PINNED.match(block))
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_the_image_runs_the_versions_that_were_tested():
    everything, runtime = (dict(PINNED.findall(lock.read_text())) for lock in LOCKS)
    assert runtime.items() <= everything.items()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_files_know_every_direct_dependency(lock: Path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [] if "runtime" in lock.name else [line for extra in project["optional-dependencies"].values() for line in extra]
    wanted = {re.split(r"[\[<>=;~ ]", line)[0] for line in [*project["dependencies"], *extras]}
    assert wanted <= set(dict(PINNED.findall(lock.read_text())))


def test_bare_make_lists_the_targets():
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "demo", "up", "down", "status", "logs", "test", "check", "fmt", "lint", "types", "unit", "contract"):
        assert re.search(rf"\b{target}\b", listed), target
