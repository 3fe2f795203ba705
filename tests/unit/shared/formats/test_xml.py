"""The hardened parse: what is refused as a whole, and what is taken off a document before it is read."""

import string

import pytest

from shared.errors import MalformedMessage
from shared.formats import xml

NAMES = [*string.ascii_letters][: xml.ATTRIBUTE_LIMIT + 1]


def with_attributes(count: int) -> bytes:
    said = "".join(f' {name}=""' for name in NAMES[:count])
    return f"<root><leaf{said}/></root>".encode()


def test_the_shortest_attributes_are_counted_like_any_others() -> None:
    xml.parse(with_attributes(xml.ATTRIBUTE_LIMIT))
    with pytest.raises(MalformedMessage) as caught:
        xml.parse(with_attributes(xml.ATTRIBUTE_LIMIT + 1))
    assert caught.value.finding_code == "MSG-ATTRIBUTES"


def test_a_long_text_behind_an_attribute_is_no_attribute() -> None:
    xml.parse(b'<root a="1">' + b"=" * 500 + b"</root>")


def test_the_only_namespace_of_a_document_is_taken_off_its_names() -> None:
    root, taken = xml.parse_bare(b'<?xml version="1.0"?>\n<root version="1" xmlns="urn:hub:x:1">\n<leaf>1</leaf></root>')
    assert (root.tag, root[0].tag, taken) == ("root", "leaf", "urn:hub:x:1")
    assert (root.get("version"), root[0].sourceline) == ("1", 3)


@pytest.mark.parametrize(
    "body",
    [
        b'<root xmlns="urn:a" xmlns:p="urn:b"><p:leaf/></root>',
        b'<root xmlns="urn:a"><leaf xmlns="urn:b"/></root>',
        b'<p:root xmlns:p="urn:a"><p:leaf/></p:root>',
    ],
)
def test_where_there_are_two_namespaces_or_prefixes_names_stay_qualified(body: bytes) -> None:
    root, taken = xml.parse_bare(body)
    assert (root.tag, taken) == ("{urn:a}root", "")


def test_a_refusal_names_the_same_place_without_the_namespace() -> None:
    body = b'<root xmlns="urn:a"><leaf></root>'
    found = []
    for parse in (xml.parse, xml.parse_bare):
        with pytest.raises(MalformedMessage) as caught:
            parse(body)
        found.append((str(caught.value), caught.value.line, caught.value.column))
    assert found[0] == found[1]
