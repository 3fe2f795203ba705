"""Where a finding stands: the line of the element it names, or of the one around it; tables and lines of text say it themselves."""

from __future__ import annotations

from typing import Any

import pytest

from shared.formats import places, recognition, xml
from shared.formats.rules import finding
from shared.model import DEFAULT_DIALECT
from tests import samples

_BODY = b"""<m:File xmlns:m="urn:any">
 <m:Header><m:Id>1</m:Id></m:Header>
 <m:Item>
  <m:Id>A</m:Id>
 </m:Item>
 <m:Item>
  <Id xmlns="urn:other">B</Id>
  <m:Piece/>
  <m:Piece>
   <m:HS>1</m:HS>
   <m:Deep><m:Odd/></m:Deep>
  </m:Piece>
 </m:Item>
</m:File>
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("Item[2]", 6),
        ("Item[2]/Id", 7),
        ("Item[2]/Piece[2]/HS", 10),
        ("Item[2]/Piece[2]/Origin", 9),
        ("Item[2]/Piece[7]/HS", 6),
        ("Item[2]/@Function", 6),
        ("Item[2]/…/Odd", 11),
        ("Item[2]/../Header/Id", 2),
        ("Item[1]/Id", 4),
        ("Header/Id", 2),
        ("File/Header", 2),
        ("nowhere [at all", 1),
        ("../../..", 1),
    ],
)
def test_a_path_is_followed_as_far_as_elements_are_there(where: str, line: int) -> None:
    second = xml.parse(_BODY)[2]
    assert places.line_of(second, "Item[2]", where) == line


def test_an_element_elsewhere_leads_to_the_document_element_first() -> None:
    root = xml.parse(_BODY)
    assert places.line_of(root, "Item[2]", "Item[2]/Piece[2]/HS") == 10


def test_a_prefix_that_nobody_declared_belongs_to_the_name() -> None:
    root = xml.parse(b'<File>\n<m:Item>\n<m:Id>A</m:Id></m:Item><Item xmlns="&amp;"/></File>')
    assert places.line_of(root[0], "m:Item[1]", "m:Item[1]/m:Id") == 3


def test_a_line_beyond_what_the_parser_counts_is_not_told() -> None:
    root = xml.parse(b"<File>" + b"\n" * 70_000 + b"<Item/></File>")
    assert places.line_of(root[0], "Item[1]", "Item[1]/Id") is None


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


_JSON = frozenset({"device-event", "epcis", "h7-json", "manifest-json", "national-item", "neutral", "order", "payment", "returns", "stock"})
"""Formats with samples in JSON: the place of the item and the path in it are the position."""


def test_every_finding_of_the_samples_has_a_position() -> None:
    for folder in sorted(path for path in samples.FOLDER.iterdir() if path.is_dir() and path.name[0] != "_"):
        for sample in samples.samples(folder.name):
            for found in _findings(samples.expected(sample)):
                where = found["sender_path"]
                if "line" not in found and not where.startswith(("UNH[", "UNB", "UNZ")):
                    assert sample.suffix == ".json" or sample.read_bytes().lstrip()[:1] in (b"{", b"["), (sample, where)
                    assert folder.name in _JSON, (sample, where)
                if "line" in found:
                    assert found["line"] <= sample.read_bytes().count(b"\n") + 1 or sample.suffix == ".xlsx", (sample, where)


def _findings(told: Any) -> list[dict[str, Any]]:
    return [found for item in told.get("items", ()) for one in item.values() for found in one.get("findings") or ()]


def test_each_of_many_items_has_its_own_line() -> None:
    body = b"<Awmds>" + b"<Bol_segment><Bol_id/></Bol_segment>\n" * 2_000 + b"</Awmds>"
    parsed = recognition.recognise(body).parse(samples.raw(body), DEFAULT_DIALECT)
    lines = [item.findings[-1].line for item in parsed if item.findings]
    assert lines[-1] == 2_000
