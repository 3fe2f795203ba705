"""Line and column of what a finding in XML names, of the element or of the one it is missing from."""

from __future__ import annotations

import tracemalloc

import pytest

from shared.formats import awmds, xml
from shared.formats.places import Place
from shared.formats.xml_places import Tree
from shared.model import DEFAULT_DIALECT, Dialect
from tests import samples

_BODY = b"""<m:File xmlns:m="urn:any">
 <m:Header><m:Id>1</m:Id></m:Header>
 <m:Item>
\t<m:Id>A</m:Id>
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


def place(body: bytes, where: str, encoding: str = "utf-8") -> Place:
    """Where the path leads from the document element of *body*."""
    return Tree(body, encoding).place(xml.parse(body, encoding), "", where)


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("Item[2]", (6, 2)),
        ("Item[2]/Id", (7, 3)),
        ("Item[2]/Piece[2]/HS", (10, 4)),
        ("Item[2]/Piece[2]/Origin", (9, 3)),
        ("Item[2]/Piece[7]/HS", (6, 2)),
        ("Item[2]/@Function", (6, 2)),
        ("Item[2]/…/Odd", (11, 12)),
        ("Item[2]/../Header/Id", (2, 12)),
        ("Item[1]/Id", (4, 2)),
        ("Header/Id", (2, 12)),
        ("File/Header", (2, 2)),
        ("nowhere [at all", (1, 1)),
        ("../../..", (1, 1)),
    ],
)
def test_a_path_is_followed_as_far_as_elements_are_there(where: str, place: Place) -> None:
    tree, root = Tree(_BODY, "utf-8"), xml.parse(_BODY)
    assert tree.place(root[2], "Item[2]", where) == place
    assert tree.place(root[2], "Item[2]", where) == place


def test_an_element_elsewhere_leads_to_the_document_element_first() -> None:
    assert Tree(_BODY, "utf-8").place(xml.parse(_BODY), "Item[2]", "Item[2]/Piece[2]/HS") == (10, 4)


def test_a_prefix_that_nobody_declared_belongs_to_the_name() -> None:
    body = b'<File>\n<m:Item>\n<m:Id>A</m:Id></m:Item><Item xmlns="&amp;"/></File>'
    assert Tree(body, "utf-8").place(xml.parse(body)[0], "m:Item[1]", "m:Item[1]/m:Id") == (3, 1)


def test_lines_are_told_beyond_what_the_parser_counts() -> None:
    assert place(b"<File>" + b"\n" * 70_000 + b" <Item/></File>", "Item") == (70_001, 2)


def test_a_start_tag_over_several_lines_stands_where_it_begins() -> None:
    assert place(b'<File>\n  <Item\n    Function="X"\n  ><Id/></Item></File>', "Item") == (2, 3)


def test_a_tab_and_a_letter_with_marks_are_one_column_each() -> None:
    body = "<File>\n\t<Name>Jürgen Ærø 𝄞</Name><Item/></File>"
    assert place(body.encode(), "Item") == (2, 2 + len("<Name>Jürgen Ærø 𝄞</Name>"))


@pytest.mark.parametrize(
    ("declared", "encoding", "body"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "iso-8859-1", "<File><Name>Ærø</Name><Item/></File>"),
        ('<?xml version="1.0" encoding="windows-1252"?>', "windows-1252", "<File><Name>5 €</Name><Item/></File>"),
        ('<?xml version="1.0"?>', "windows-1251", "<File><Name>Ёлка</Name><Item/></File>"),
        ('<?xml version="1.0"?>', "gb18030", "<File><Name>瓷杯𠀀</Name><Item/></File>"),
        ("\ufeff", "utf-8", "<File><Name>ü</Name><Item/></File>"),
    ],
)
def test_columns_are_characters_in_whatever_character_set(declared: str, encoding: str, body: str) -> None:
    column = len((declared + body).removeprefix("\ufeff").partition("<Item/>")[0]) + 1
    assert place((declared + body).encode(encoding), "Item", encoding) == (1, column)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_columns_of_utf_16_are_characters_whatever_its_byte_order(encoding: str) -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?><File><Name>Łódź 𝄞</Name>\n<Name>Ł</Name><Item/></File>'
    assert place(f"\ufeff{text}".encode(encoding), "Item") == (2, 15)


def test_a_carriage_return_before_the_line_feed_begins_no_line_of_its_own() -> None:
    assert place(b"<File>\r\n  <Id/>\r\n  <Item/>\r\n</File>", "Item") == (3, 3)


def test_what_only_looks_like_a_tag_is_none() -> None:
    body = (
        b'<?xml version="1.0"?><File note="&lt;Item>"><!-- <Item/> --><?go <Item/> ?><Text><![CDATA[<Item>]]></Text>'
        b"<ItemCount>1</ItemCount><Items/><Item\n/></File>"
    )
    assert place(body, "Item") == (1, body.index(b"<Item\n") + 1)


def test_elements_of_one_name_and_several_prefixes_are_told_apart() -> None:
    body = b'<File xmlns="urn:a" xmlns:a="urn:a" xmlns:b="urn:a"><a:Item/><Item/><b:Item/><Item/></File>'
    found = [place(body, f"Item[{number}]") for number in (1, 2, 3, 4)]
    assert [body[(column or 0) - 1 :].partition(b"/>")[0] for _, column in found] == [b"<a:Item", b"<Item", b"<b:Item", b"<Item"]


def test_only_the_line_is_told_of_what_a_reader_has_rearranged() -> None:
    body = b"<File>\n<Item/>\n<Item/></File>"
    root = xml.parse(body)
    root.remove(root[0])
    assert Tree(body, "utf-8").place(root, "", "Item") == (3, None)


def test_only_the_line_is_told_where_there_are_too_many_of_one_name() -> None:
    assert place(b"<File>" + b"<Item/>" * 200_001 + b"</File>", "Item[3]") == (1, None)


def test_elements_are_found_in_any_order_but_not_at_any_price() -> None:
    body = b"<File>" + b"<Item/>" * 5_000 + b"</File>"
    tree, root = Tree(body, "utf-8"), xml.parse(body)
    numbers = [1, 5_000, 2, 4_999, 4_900, 3_900, *range(4_000, 4_100), 4_099]
    assert [tree.place(root[number - 1], "Item[1]", "Item[1]") for number in numbers] == [(1, 7 * number) for number in numbers]
    told = [tree.place(root[number], f"Item[{number}]", f"Item[{number}]")[1] for number in (1, 4_000) * 50]
    assert told[:2] == [14, 28_007]
    assert told[-2:] == [None, 28_007]


def test_of_many_elements_few_are_kept_in_memory() -> None:
    body = b"<File>" + b"<Item/>" * 100_000 + b"</File>"
    root = xml.parse(body)
    tracemalloc.start()
    assert Tree(body, "utf-8").place(root[-1], "Item[1]", "Item[1]") == (1, 700_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_in_a_document_of_one_line_each_of_many_items_has_its_own_column() -> None:
    segment = "<Bol_segment><Bol_id/><Note>grün</Note></Bol_segment>"
    body = f"<Awmds>{segment * 2_000}</Awmds>"
    parsed = awmds.parse(samples.raw(body.encode()), DEFAULT_DIALECT)
    places = [(item.findings[-1].line, item.findings[-1].column) for item in parsed if item.findings]
    assert places == [(1, len("<Awmds>") + number * len(segment) + 1) for number in range(2_000)]


def test_a_message_without_declaration_is_counted_in_the_character_set_of_the_dialect() -> None:
    body = "<Awmds><Bol_segment><Note>Ёлка</Note><Bol_id/><Odd/></Bol_segment></Awmds>"
    parsed = awmds.parse(samples.raw(body.encode("windows-1251")), Dialect(encoding="windows-1251"))
    columns = [found.column for item in parsed for found in item.findings or () if found.code == "FLD-IGNORED"]
    assert columns == [body.index("<Note>") + 1, body.index("<Odd/>") + 1]
