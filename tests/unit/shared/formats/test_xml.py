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


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "gb18030", "Windows-1251"])
def test_a_document_may_declare_the_character_set_that_was_agreed_with_its_sender_and_no_other(charset: str) -> None:
    body = f'<?xml version="1.0" encoding="{charset}"?><root>Накладная</root>'.encode(charset)
    agreed = "cp1251" if "1251" in charset else charset
    assert xml.parse(body, agreed).text == xml.parse_bare(body, agreed)[0].text == "Накладная"
    with pytest.raises(MalformedMessage) as caught:
        xml.parse(body)
    assert caught.value.finding_code == "MSG-CHARSET"


@pytest.mark.parametrize("body", ["<root>Łódź</root>", '<?xml version="1.0" encoding="UTF-16"?>\n<root>Łódź</root>'])
def test_utf_16_with_its_mark_is_read_whatever_character_set_was_agreed(body: str) -> None:
    assert xml.parse(body.encode("utf-16"), "windows-1251").text == "Łódź"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff\xfe<\x00r", "MSG-CHARSET"),
        ("\ufeff<root>\0</root>".encode("utf-16-le"), "MSG-NUL"),
        ("\ufeff<!DOCTYPE root [<!ENTITY a 'b'>]><root/>".encode("utf-16-be"), "MSG-DOCTYPE"),
    ],
)
def test_utf_16_is_refused_for_what_utf_8_is_refused_for(body: bytes, code: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        xml.parse_bare(body)
    assert caught.value.finding_code == code


@pytest.mark.parametrize("body", [b"%PDF-1.7\n", b"\x1f\x8b\x08\x00", b"\xd0\xcf\x11\xe0\xa1\xb1", b"\x89PNG\r\n\x1a\n\x00"])
def test_what_was_sent_by_mistake_is_called_what_it_is(body: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        xml.check_arrival(body)
    assert caught.value.finding_code == "MSG-BINARY"
