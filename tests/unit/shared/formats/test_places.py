"""Where a finding stands, whatever the format: tables and lines of text say it themselves, all others are looked up."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shared.formats import recognition, xml
from shared.formats.places import Lines
from shared.formats.rules import finding
from shared.model import DEFAULT_DIALECT, Finding
from tests import samples


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("line 3/hs_code", (3, None)),
        ("FHL line 13, column 6", (13, 6)),
        ("FHL line 13, CNE/TE", (13, None)),
        ("UNH[1]/CNI[1]/line 3", (None, None)),
        ("line 12345678901", (None, None)),
        ("consignments[1]/line 4", (None, None)),
    ],
)
def test_tables_and_lines_of_text_name_their_line_themselves(where: str, place: tuple[int | None, int | None]) -> None:
    made = finding("FLD-FORM", DEFAULT_DIALECT, sender_path=where)
    assert made is not None
    assert (made.line, made.column) == place


_SEGMENT = re.compile(r"UNH\[.*[A-Z]{3}.* \(segment [0-9]+\)|(?:UNB\[.*/)?UN[BZ](?:/00[0-9]{2})?").fullmatch
"""A segment of a message with its number; of the interchange's own there is one each."""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"sender_path": "Item[2]/HS", "line": 3, "column": 7}, "Item[2]/HS (line 3, column 7)"),
        ({"sender_path": "line 3/hs_code", "line": 3}, "line 3/hs_code"),
        ({"sender_path": "line 3/note", "line": 3, "column": 7}, "line 3/note (column 7)"),
        ({"sender_path": "FHL line 13, column 6", "line": 13, "column": 6}, "FHL line 13, column 6"),
        ({"line": 15, "column": 48}, "(line 15, column 48)"),
        ({"path": "/goods_items/0/hs_code"}, "/goods_items/0/hs_code"),
        ({}, ""),
    ],
)
def test_a_place_in_words_names_line_and_column_once(said: dict[str, Any], words: str) -> None:
    assert Finding(code="FLD-FORM", message="No.", remedy="Yes.", **said).where == words


def test_every_finding_of_the_samples_has_a_position() -> None:
    for folder in sorted(path for path in samples.FOLDER.iterdir() if path.is_dir() and path.name[0] != "_"):
        for sample in samples.samples(folder.name):
            for found in _findings(samples.expected(sample)):
                where = found["sender_path"]
                assert "line" in found or _SEGMENT(where), (sample, where)
                if sample.suffix in (".xml", ".json", ".jsonl"):
                    body = sample.read_bytes()
                    line = body.decode("utf-16" if body.startswith(xml.UTF16) else "utf-8").split("\n")[found["line"] - 1]
                    begins = line[found["column"] - 1 :]
                    assert begins.startswith("<" if sample.suffix == ".xml" else tuple('{["-0123456789tfn')), (sample, where)
                elif "line" in found:
                    assert found["line"] <= sample.read_bytes().count(b"\n") + 1 or sample.suffix == ".xlsx", (sample, where)


def _findings(told: Any) -> list[dict[str, Any]]:
    return [found for item in told.get("items", ()) for one in item.values() for found in one.get("findings") or ()]


def test_each_of_many_items_has_its_own_line() -> None:
    body = b"<Awmds>" + b"<Bol_segment><Bol_id/></Bol_segment>\n" * 2_000 + b"</Awmds>"
    parsed = recognition.recognise(body).parse(samples.raw(body), DEFAULT_DIALECT)
    lines = [item.findings[-1].line for item in parsed if item.findings]
    assert lines[-1] == 2_000


def test_line_and_column_are_those_of_the_character_however_far_behind_the_line_begins() -> None:
    text = "".join("ä€\n" if number % 97 == 0 else "x" * (number % 7) + "𝄞" + "\n" * (number % 5 == 4) for number in range(5_000))
    text += "ü" * 10_000
    lines = Lines(text.encode())
    for at in [*range(0, len(text), 1_013), len(text) - 1]:
        before = text[:at]
        assert lines.place(len(before.encode())) == (before.count("\n") + 1, at - before.rfind("\n"))
