"""A pack loads only when every rule says why, names its source, and does what its samples say."""

from __future__ import annotations

import shutil
from datetime import date
from importlib.resources import as_file
from pathlib import Path

import pytest

from services.router.policy.loading import POLICIES, compiled, load_pack, packs, policy_of, read_content
from shared.errors import Misconfigured


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with as_file(POLICIES.joinpath("eu")) as source:
        return Path(shutil.copytree(source, tmp_path / "eu"))


def changed(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", packs())
def test_every_pack_that_ships_loads(name: str) -> None:
    assert load_pack(name).ref.pack == name


def test_the_union_pack_has_its_rules_and_asks_two_services() -> None:
    policy = load_pack("eu")
    assert len(policy.rules) >= 15
    assert set(policy.services) == {"risk", "single-window"}
    assert all(rule.why and rule.source for rule in policy.rules.values())


def test_policy_alone_asks_nobody() -> None:
    assert not any(rule.ask for rule in load_pack("eu-policy-only").rules.values())


def test_a_stored_policy_is_the_same_policy() -> None:
    policy = load_pack("eu")
    assert policy_of(policy.canonical).digest == policy.digest


def test_a_pack_that_is_not_there_is_named() -> None:
    with pytest.raises(Misconfigured, match="no policy pack 'atlantis'"):
        load_pack("atlantis")


@pytest.mark.parametrize("part", ["why", "source", "meets", "misses"])
def test_a_rule_without_its_grounds_does_not_load(folder: Path, part: str) -> None:
    lines = (folder / "goods.toml").read_text().split("\n")
    place = next(number for number, line in enumerate(lines) if line.startswith(f"{part} ="))
    (folder / "goods.toml").write_text("\n".join(lines[:place] + lines[place + 1 :]))
    with pytest.raises(Misconfigured, match=rf"goods\.toml, rule ARMS-93: without {part}"):
        read_content(folder)


def test_a_rule_that_does_not_do_what_its_sample_says_does_not_load(folder: Path) -> None:
    changed(folder, "goods.toml", "startswith('93')", "startswith('94')")
    with pytest.raises(Misconfigured, match="rule ARMS-93: does not fire on the sample that meets it"):
        compiled(read_content(folder), "eu")


def test_a_mistake_in_a_condition_is_told_with_its_place(folder: Path) -> None:
    changed(folder, "goods.toml", "hs_code.startswith", "hs_cod.startswith")
    with pytest.raises(Misconfigured, match="ARMS-93: unknown field 'hs_cod'"):
        compiled(read_content(folder), "eu")


def test_silence_never_releases(folder: Path) -> None:
    changed(folder, "pack.toml", 'when_silent = "document_check"', 'when_silent = "release"')
    with pytest.raises(Misconfigured, match="silence neither releases nor withdraws"):
        read_content(folder)


def test_a_changed_rule_changes_the_digest(folder: Path) -> None:
    before = compiled(read_content(folder), "eu").digest
    changed(folder, "goods.toml", "are examined on every entry", "are examined")
    assert compiled(read_content(folder), "eu").digest != before


def test_rules_hold_between_their_days() -> None:
    rule = load_pack("eu").rules["RELIEF-150"]
    assert rule.holds_on(date(2026, 6, 30))
    assert not rule.holds_on(date(2026, 7, 1))
