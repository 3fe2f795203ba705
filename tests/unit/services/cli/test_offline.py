"""``parse``, ``decide``, ``formats`` and ``policy`` on messages of invented traffic: what they print and how they end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.cli.main import app
from services.sandbox.bench import DESTINATIONS
from services.sandbox.traffic import Send, traffic
from shared.errors import HubError

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
AT = "2026-11-21T10:00:00Z"
SENDS = traffic(400, 7, NOW).sends


def guichet(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)  # type: ignore[return-value]


def printed(result: Result) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def a_send(sender: str, kind: str = "original", content_type: str = "") -> Send:
    return next(s for s in SENDS if s.sender == sender and s.kind == kind and s.content_type.startswith(content_type))


@pytest.fixture
def post_file(tmp_path: Path) -> Path:
    path = tmp_path / "itmatt.xml"
    path.write_bytes(a_send("us-post").body)
    return path


# --- parse --------------------------------------------------------------------------------------------------------------------------------


def test_each_filing_is_one_json_object_with_the_place_of_every_value(post_file: Path) -> None:
    result = guichet("parse", post_file)
    assert result.exit_code == 0, result.stderr
    entries = printed(result)
    assert [entry["key"] for entry in entries] == list(a_send("us-post").accepted)
    first = entries[0]
    assert (first["kind"], first["format"], first["position"], first["findings"]) == ("filing", "itmatt", "Item[1]", [])
    assert first["data"]["goods_items"][0]["goods_description"]
    assert first["provenance"]["/goods_items/0/goods_description"].startswith("Item[1]/")


@pytest.mark.parametrize(
    ("sender", "content_type", "format"),
    [
        ("us-post", "application/xml", "itmatt"),
        ("swift-express", "text/csv", "manifest-csv"),
        ("swift-express", "application/json", "manifest-json"),
        ("bazaar", "application/json", "order"),
    ],
)
def test_formats_are_recognised_from_the_bytes_of_standard_input(sender: str, content_type: str, format: str) -> None:
    result = guichet("parse", "-", stdin=a_send(sender, content_type=content_type).body)
    assert result.exit_code == 0, result.stderr
    assert {(entry["kind"], entry["format"]) for entry in printed(result)} == {("filing", format)}


def test_a_bad_item_is_rejected_among_good_ones_and_the_status_says_so() -> None:
    send = a_send("us-post", "a bad item among good ones")
    result = guichet("parse", "-", stdin=send.body)
    assert result.exit_code == 1
    kinds = [entry["kind"] for entry in printed(result)]
    assert kinds.count("rejection") == send.rejected
    assert kinds.count("filing") == len(send.accepted)
    rejection = next(entry for entry in printed(result) if entry["kind"] == "rejection")
    assert rejection["findings"][0]["code"]
    assert rejection["findings"][0]["remedy"]


@pytest.mark.parametrize("body", [b"", b"\x00\x01", b"hello", b"<?xml version='1.0'?><!DOCTYPE a []><a/>", b"{", b"[" * 10_000])
def test_whatever_comes_in_is_a_rejection_and_no_traceback(body: bytes) -> None:
    result = guichet("parse", "-", stdin=body)
    assert result.exit_code == 1
    (entry,) = printed(result)
    assert (entry["kind"], entry["data"]) == ("rejection", None)
    assert entry["findings"]


@pytest.mark.parametrize(
    "arguments",
    [("parse",), ("parse", "nowhere.xml"), ("parse", "--format", "nonsense", "-"), ("nonsense",), ("decide", "-", "--at", "yesterday")],
)
def test_a_mistake_of_the_command_line_is_status_2(arguments: tuple[str, ...]) -> None:
    result = guichet(*arguments, stdin=b"<a/>")
    assert result.exit_code == 2
    assert not result.stdout


def test_a_dialect_file_is_checked(tmp_path: Path, post_file: Path) -> None:
    dialect = tmp_path / "dialect.json"
    dialect.write_text('{"time_zone": "Europe/Paris"}')
    assert guichet("parse", post_file, "--dialect", dialect).exit_code == 0
    dialect.write_text('{"timezone": "Europe/Paris"}')
    assert guichet("parse", post_file, "--dialect", dialect).exit_code == 2


def test_formats_are_listed() -> None:
    names = {entry["name"]: entry for entry in orjson.loads(guichet("formats", "--json").stdout)}
    assert {"itmatt", "manifest-csv", "manifest-json", "order"} <= {name for name, entry in names.items() if entry["reads"]}
    assert "itmatt" in guichet("formats").stdout


# --- decide -------------------------------------------------------------------------------------------------------------------------------


def test_without_answers_the_decision_names_whom_it_waits_for(post_file: Path) -> None:
    result = guichet("decide", post_file, "--at", AT)
    assert result.exit_code == 0, result.stderr
    entries = printed(result)
    assert [entry["key"] for entry in entries] == list(a_send("us-post").accepted)
    for entry in entries:
        assert entry["policy"]["pack"] == "eu"
        assert entry["outcome"] is not None or entry["waiting_for"]


def test_an_answer_of_every_service_decides_and_says_why(tmp_path: Path, post_file: Path) -> None:
    waiting = printed(guichet("decide", post_file, "--at", AT))
    services = sorted({service for entry in waiting for service in entry["required"]})
    free = [entry["key"] for entry in waiting if entry["outcome"] is None and not entry["rules"]]
    answers = tmp_path / "answers.json"
    answers.write_bytes(orjson.dumps([{"service": service, "outcome": "release"} for service in services]))
    entries = {entry["key"]: entry for entry in printed(guichet("decide", post_file, "--at", AT, "--answers", answers))}
    assert free
    assert {entries[key]["outcome"] for key in free} == {"release"}
    assert all(entry["waiting_for"] == [] for entry in entries.values())
    hold = [{"service": services[0], "outcome": "hold", "reason": "examination", "key": free[0]}]
    answers.write_bytes(orjson.dumps(hold))
    held = {entry["key"]: entry for entry in printed(guichet("decide", post_file, "--at", AT, "--answers", answers))}
    assert held[free[0]]["outcome"] == "hold"
    assert held[free[0]]["reasons"][0]["public"] == "examination"
    assert all(entry["outcome"] != "hold" for key, entry in held.items() if key != free[0] and not entry["rules"])


def test_the_same_messages_are_decided_the_same_way(post_file: Path) -> None:
    assert guichet("decide", post_file, "--at", AT).stdout == guichet("decide", post_file, "--at", AT).stdout


def test_orders_among_the_files_are_linked_whichever_comes_first(tmp_path: Path) -> None:
    keys = {key for send in SENDS if send.sender == "bazaar" for key in send.accepted}
    paths = []
    for number, send in enumerate(send for send in SENDS if send.kind == "original" and send.sender in ("bazaar", "swift-express")):
        paths.append(tmp_path / f"{number}.msg")
        paths[-1].write_bytes(send.body)
    forth = {entry["key"]: entry for entry in printed(guichet("decide", *paths, "--at", AT))}
    back = {entry["key"]: entry for entry in printed(guichet("decide", *reversed(paths), "--at", AT))}
    linked = {key: set(entry["orders"]) for key, entry in forth.items() if entry["orders"]}
    assert linked
    assert set().union(*linked.values()) <= keys
    assert linked == {key: set(entry["orders"]) for key, entry in back.items() if entry["orders"]}


def test_a_rejected_message_is_told_on_standard_error() -> None:
    result = guichet("decide", "-", "--at", AT, stdin=b"hello")
    assert result.exit_code == 1
    assert result.stderr.startswith("rejected message: MSG-FORMAT")


@pytest.mark.parametrize("answers", ["{", "7", '[{"service": "risk"}]', '[{"service": "risk", "outcome": "perhaps"}]'])
def test_answers_are_checked(tmp_path: Path, post_file: Path, answers: str) -> None:
    path = tmp_path / "answers.json"
    path.write_text(answers)
    assert guichet("decide", post_file, "--answers", path).exit_code == 2


# --- policy -------------------------------------------------------------------------------------------------------------------------------


def test_the_pack_that_ships_is_sound() -> None:
    result = guichet("policy", "check", "eu")
    assert result.exit_code == 0
    assert "rules" in result.stdout
    shown = orjson.loads(guichet("policy", "show", "eu", "--json").stdout)
    assert shown["pack"] == "eu"
    assert all(rule["why"] and rule["source"] for rule in shown["rules"])
    assert set(DESTINATIONS) <= set(shown["territory"])


def test_an_unknown_pack_is_an_error_of_the_hub() -> None:
    result = guichet("policy", "check", "atlantis")
    assert isinstance(result.exception, HubError)
    assert "atlantis" in str(result.exception)
