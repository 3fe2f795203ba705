"""The written things are complete and current: the README's tables against the code; every link, target, file and test that is named."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from deploy import documents
from deploy.local import PROCESSES
from services.router.policy.loading import load_pack
from shared.contracts import EVENTS, Topics
from shared.directory import Channel
from shared.formats import FORMATS
from shared.formats.rules import RULES
from shared.problems import PROBLEMS
from shared.settings import Settings
from tests.readme import README, ROOT, rewritten, same, steps

TEXT = README.read_text()
WRITTEN = sorted([README, ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy" / "adr").glob("*.md")])


@pytest.mark.parametrize("page", documents.PAGES, ids=lambda page: page.name)
def test_what_is_made_from_the_code_is_current(page: Path) -> None:
    assert documents.current(page.read_text()) == page.read_text(), "run: make documents"


def test_every_table_that_the_code_can_make_is_in_a_page() -> None:
    assert sorted(name for page in documents.PAGES for name in documents.sections_of(page.read_text())) == sorted(documents.SECTIONS)


def test_the_tables_name_everything() -> None:
    commands = [f"guichet {name}" for name, _ in documents.each_command()]
    variables = [documents.variable(field) for field in Settings.model_fields]
    rules = [rule.code for rule in load_pack("eu").content.rules]
    for word in (*FORMATS, *RULES, *PROBLEMS, *variables, *rules, *commands):
        assert f"| `{word}` |" in TEXT, word


def test_every_setting_has_a_meaning() -> None:
    assert all(row.count("|") == 4 for row in documents.settings().splitlines())


def test_every_topic_is_named() -> None:
    topics = Topics("")
    patterns = (topics.inbound("<participant>"), topics.outbound("<participant>"), topics.requests("<service>"))
    for name in (*topics.core(), *patterns, topics.release("<cc>"), topics.hold("<cc>")):
        assert f"`{name}`" in TEXT, name


def test_every_endpoint_channel_process_and_event_is_named() -> None:
    paths = json.loads((ROOT / "deploy" / "openapi.json").read_text())["paths"]
    for path, methods in paths.items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in TEXT, path
    for channel in Channel:
        assert f"| `{channel.value}` |" in TEXT
    for process in PROCESSES:
        assert f"| `{process.name}` | {process.port} |" in TEXT
    for event in EVENTS:
        assert f"`{event.removeprefix('guichet.')}`" in TEXT


def test_the_tests_named_beside_bad_input_exist() -> None:
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", TEXT)
    assert len(named) >= 15
    for file, name in named:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file}::{name}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_file_named_exists(page: Path) -> None:
    for name in re.findall(r"`((?:services|shared|deploy|tests)/[\w/.-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_every_make_target_named_exists() -> None:
    targets = {
        target
        for names in re.findall(r"^([a-z][a-z0-9 -]*):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
        for target in names.split()
    }
    for page in WRITTEN:
        named = set(re.findall(r"`make ([a-z0-9-]+)", page.read_text()))
        assert named <= targets, page.name


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("bench-formats ROUNDS=3", "-m tests.bench.formats --rounds 3"),
        ("fuzz SECONDS=5 FORMATS=itmatt", "-m tests.fuzz --seconds 5 --formats itmatt"),
        ("fuzz-mutations COUNT=9 SEED=3", "-m tests.fuzz.spoil --count 9 --seed 3"),
    ],
)
def test_options_of_a_target_reach_its_program(target: str, command: str) -> None:
    ran = subprocess.run(["make", "--no-print-directory", "-n", *target.split()], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.rstrip().endswith(command)


def test_every_adr_is_listed() -> None:
    index = (ROOT / "deploy" / "adr" / "README.md").read_text()
    for page in (ROOT / "deploy" / "adr").glob("0*.md"):
        assert f"({page.name})" in index


def test_every_command_of_the_readme_is_one_that_bash_reads() -> None:
    commands = [step.command for step in steps(TEXT)]
    assert commands[0] == "make up"
    assert commands[-1] == "make down"
    for command in commands:
        assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0, command


def test_what_differs_from_run_to_run_is_not_compared() -> None:
    one = ['"at": "2026-11-21T09:58:53.427188Z",', "door      ready    0    0         28222  http://127.0.0.1:8080"]
    other = ["door      ready    3    1         9  http://127.0.0.1:4711", '"at": "2027-01-02T00:00:00Z",']
    assert same(one) == same(other)
    assert same(["release"]) != same(["hold"])


def test_printed_lines_are_written_back() -> None:
    page = "```console\n$ make up\nold\n$ echo a \\\n> b\n```\n"
    up = "The hub is up: door http://127.0.0.1:4711, kafka 127.0.0.1:4712, logs in /some/where/log"
    written = rewritten(page, [["Starting the hub: ready", up], ["a b"]])
    assert written.splitlines()[2] == "The hub is up: door http://127.0.0.1:8080, kafka 127.0.0.1:9092, logs in var/log"
    assert written.splitlines()[3:] == ["$ echo a \\", "> b", "a b", "```"]
