"""Where PostgreSQL may live when the hub is started by root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local.postgres import _copied, _major, _may_pass


@pytest.mark.parametrize(("folder", "version"), [("pginstall", 0), ("pginstall18", 18), ("pginstall20", 20)])
def test_the_newest_server_in_the_wheel_is_told_by_its_folder(folder: str, version: int):
    assert _major(folder) == version


@pytest.mark.parametrize(
    ("mode", "owner", "group", "may"),
    [(0o700, 0, 0, False), (0o711, 0, 0, True), (0o700, 99, 0, True), (0o710, 0, 99, True), (0o701, 0, 99, False)],
)
def test_who_may_pass_through_a_folder(mode: int, owner: int, group: int, may: bool):
    status = os.stat_result((0o040000 | mode, 1, 1, 1, owner, group, 0, 0, 0, 0))
    assert _may_pass(status, user=99, group=99) is may


def test_copied_binaries_keep_their_libraries_beside_them_and_can_be_read_by_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("deploy.local.postgres.ROOT_FOLDER", tmp_path / "copies")
    program = tmp_path / "site" / "pgserver" / "pginstall18" / "bin" / "postgres"
    library = tmp_path / "site" / "pgserver.libs" / "libpq.so"
    for file, mode in ((program, 0o700), (library, 0o600)):
        file.parent.mkdir(parents=True)
        file.touch(mode=mode)

    copy = _copied(program.parent.parent)

    assert (copy / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copy.parent.parent / "pgserver.libs" / "libpq.so").stat().st_mode & 0o777 == 0o644
    assert _copied(program.parent.parent) == copy
