"""A document whose tags are known is read as the parser and the walk would read it."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest

from shared.formats import outlines
from shared.formats.base import ITEM_LIMIT
from shared.formats.outlines import Outlines, Told
from shared.model import Dialect
from tests.bench import contents
from tests.fuzz.mutations import inputs, spoiled
from tests.samples import outcome, samples

FORMATS = contents.XML
SPOILED = 250
IN_A_FILE = 4
TEXTS = (
    b"", b" ", b"\n", b"\t1\n", b" 1 ", b"x", "é Ω 漢".encode(), b"&amp;",
    b"A &amp; B &lt;&gt; &quot;&apos;",
    b"&amp;lt;",
    b"&amp;#60;",
    b"&lt",
    b"&foo;", b"&#11;", b"&", b">", b"]]>", b"\r\n", b"\x0b", b"\x7f", b"\x00",
    b"\xff", b"\xc2\xa0", "\u3000A\u3000".encode(), "A\u0085\u2028\u200bB".encode(),
    b"a\rb", b"\xc2\xad", b"\xef\xbf\xbe", b"\xef\xbb\xbf", b"\xee\x80\x80", b"\xee\x80\x801", b"xmlns", b"null", b"<!-- -->",
    b"<![CDATA[1]]>", b"<?p?>", b"<x/>", b"</x>", b"1" * 400,
)  # fmt: skip


@cache
def bodies(format: str) -> tuple[bytes, ...]:
    """The samples of a format in XML, and a message of several items."""
    several = contents.many(format, IN_A_FILE)
    return (*(path.read_bytes() for path in samples(format) if path.suffix == ".xml"), *([several] if several else []))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read without knowing any tags."""

    def read(body: bytes, dialect: Dialect) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(Outlines, "read", Outlines._parse)
            return outcome(body, dialect)

    return read


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that were read by their tags."""
    found: list[bytes] = []
    original = Outlines.read

    def noted(self: Outlines, body: bytes, encoding: str) -> Any:
        root, bared = original(self, body, encoding)
        if isinstance(root, Told):
            found.append(body)
        return root, bared

    monkeypatch.setattr(Outlines, "read", noted)
    return found


def taught(format: str) -> tuple[bytes, ...]:
    """Read everything three times: then it is known."""
    for body in bodies(format) * 3:
        outcome(body)
    return bodies(format)


@pytest.mark.parametrize("format", FORMATS)
def test_a_sample_is_read_alike_once_its_tags_are_known(format: str, parsed: Any, known: list[bytes]) -> None:
    taught(format)
    known.clear()
    for body in bodies(format):
        assert outcome(body) == parsed(body, Dialect())
    assert len(known) > len(bodies(format)) / 2


@pytest.mark.parametrize("format", FORMATS)
def test_a_sample_with_the_line_breaks_of_windows_is_known_as_well(format: str, parsed: Any, known: list[bytes]) -> None:
    taught(format)
    known.clear()
    for body in bodies(format):
        body = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        assert outcome(body) == parsed(body, Dialect())
    assert len(known) > len(bodies(format)) / 2


@pytest.mark.parametrize("format", FORMATS)
def test_a_spoiled_sample_is_read_alike_among_known_ones(format: str, parsed: Any) -> None:
    taught(format)
    for body in inputs(format, SPOILED, 11):
        assert outcome(body) == parsed(body, Dialect()), body


@pytest.mark.parametrize("format", FORMATS)
def test_a_spoiled_sample_is_read_alike_when_it_comes_again_and_again(format: str, parsed: Any) -> None:
    for body in inputs(format, SPOILED // 4, 12):
        assert [outcome(body) for _ in range(3)] == [parsed(body, Dialect())] * 3, body


@pytest.mark.parametrize("format", FORMATS)
def test_a_spoiled_file_of_several_items_is_read_alike(format: str, parsed: Any) -> None:
    *_, body = taught(format)
    random = Random(5)
    for _ in range(SPOILED // 4):
        changed = spoiled(body, random)
        assert [outcome(changed) for _ in range(3)] == [parsed(changed, Dialect())] * 3, changed


@pytest.mark.parametrize("format", FORMATS)
def test_any_text_at_any_place_between_known_tags_is_read_alike(format: str, parsed: Any, known: list[bytes]) -> None:
    random = Random(7)
    every = taught(format)
    for body in [*random.sample(every[:-1], min(len(every) - 1, 4)), every[-1]]:
        places = [place for place in range(len(body) + 1) if body[place - 1 : place] in (b"", b">")]
        for text in TEXTS:
            for place in random.sample(places, min(len(places), 6)):
                end = body.find(b"<", place) if body.find(b"<", place) >= 0 else len(body)
                changed = body[:place] + text + body[end:]
                assert outcome(changed) == parsed(changed, Dialect()), changed
    assert len(known) > 50


@pytest.mark.parametrize("format", FORMATS)
def test_an_element_more_anywhere_is_read_alike_the_third_time(format: str, parsed: Any) -> None:
    random = Random(9)
    for body in bodies(format):
        tags = [place for place in range(len(body)) if body[place : place + 1] == b"<"]
        for place in random.sample(tags, min(len(tags), 6)):
            end = body.find(b">", place) + 1
            tag = body[place + 1 : end - 1].partition(b" ")[0].strip(b"/")
            for more in (b"<%s/>" % tag, b"<%s>1</%s>" % (tag, tag), b"<null/>", b"<!--x-->", b"text"):
                changed = body[:end] + more + body[end:]
                assert [outcome(changed) for _ in range(3)] == [parsed(changed, Dialect())] * 3, changed


@pytest.mark.parametrize("dialect", [Dialect(encoding="iso-8859-1"), Dialect(decimal_comma=True), Dialect(platform="shop")])
@pytest.mark.parametrize("format", ["itmatt", "ie3f32", "xfzb"])
def test_a_dialect_is_heeded(format: str, dialect: Dialect, parsed: Any) -> None:
    for body in taught(format):
        assert outcome(body, dialect) == parsed(body, dialect)


@pytest.mark.parametrize(
    "attribute",
    ["a='1'", 'a="1" a="2"', 'p:a="1"', 'xmlns="urn:x"', 'xmlns:p="urn:x"', 'a="\n"', 'a=">"', 'a="&amp;"', "a=1", 'Version="2"'],
)
def test_any_attribute_is_read_alike_the_third_time(attribute: str, parsed: Any) -> None:
    for body in bodies("itmatt"):
        for tag in (b"<Item ", b"<ItmattFile ", b"<Data", b"<HS"):
            changed = body.replace(tag, tag.rstrip() + b" " + attribute.encode() + (b" " if tag.endswith(b" ") else b""), 1)
            assert [outcome(changed) for _ in range(3)] == [parsed(changed, Dialect())] * 3, changed


# --- what is kept ---


def told(known: Outlines, body: bytes) -> bool:
    return isinstance(known.read(body, "utf-8")[0], Told)


def test_tags_are_known_when_they_come_for_the_third_time() -> None:
    known = Outlines()
    assert [told(known, b"<a><b>%d</b></a>" % number) for number in range(4)] == [False, False, True, True]


def test_a_file_of_units_is_known_by_its_frame_and_by_each_unit() -> None:
    known = Outlines("u")
    files = [b"<f><h>1</h>" + b"<u><v>2</v></u>" * count + b"<t/></f>" for count in (2, 3, 4, 50)]
    assert [told(known, body) for body in files] == [False, True, True, True]


def test_names_around_the_units_may_end_as_theirs_does() -> None:
    known = Outlines("u")
    assert [told(known, b"<ArrayOfu>" + b"<u><v>2</v></u>" * 3 + b"</ArrayOfu>") for _ in range(3)] == [False, True, True]


def test_who_writes_other_tags_every_time_makes_no_outlines() -> None:
    known = Outlines()
    assert not any(told(known, b'<a n="%d"/>' % number) for number in range(2 * outlines.ONCE))
    assert not known._kept
    assert len(known._once) <= outlines.ONCE


def test_the_oldest_outlines_go_when_there_are_too_many_tags() -> None:
    known, last = Outlines(), outlines.KEPT // 2
    for number in range(last + 1):
        for _ in range(2):
            told(known, b'<a n="%d"><b/></a>' % number)
    assert sum(model.size for model in known._kept.values() if model) <= outlines.KEPT
    assert told(known, b'<a n="%d"><b/></a>' % last)
    assert not told(known, b'<a n="0"><b/></a>')


def test_tags_of_any_length_take_no_more_than_their_share() -> None:
    known = Outlines()
    for number in range(200):
        for _ in range(2):
            told(known, b'<a n="%d%s"/>' % (number, b"1" * 40_000))
    assert sum(len(tags) for _, tags in known._kept) <= 32 * outlines.KEPT


def test_more_units_than_a_message_may_hold_are_left_to_the_parser() -> None:
    known = Outlines("u")
    for _ in range(3):
        known.read(b"<f>" + b"<u></u>" * 3 + b"</f>", "utf-8")
    assert told(known, b"<f>" + b"<u></u>" * ITEM_LIMIT + b"</f>")
    assert not told(known, b"<f>" + b"<u></u>" * (ITEM_LIMIT + 1) + b"</f>")


def test_a_unit_that_brackets_do_not_settle_is_parsed_alone() -> None:
    known = Outlines("u")
    plain, other = b"<u><v>2</v></u>", b"<u><v>&#50;</v></u>"
    for _ in range(3):
        known.read(b"<f>" + plain * 3 + b"</f>", "utf-8")
    root, _ = known.read(b"<f>" + plain + other + plain + b"</f>", "utf-8")
    assert isinstance(root, Told)
    assert [[leaf.text for leaf in unit] for unit in root] == [["2"]] * 3


def test_a_message_of_units_that_are_all_new_is_parsed_as_a_whole() -> None:
    known = Outlines("u")
    for _ in range(3):
        body = b"<f>" + b"".join(b'<u n="%d"/><u><v>1</v></u>' % number for number in range(3)) + b"</f>"
        assert not told(known, body)
    files = [
        b"<f>" + b"".join(b'<u n="%d.%d"></u>' % (each, number) for number in range(outlines.ALONE + 1)) + b"</f>" for each in range(3)
    ]
    assert not any(told(known, body) for body in files)


def test_who_must_know_its_line_gets_the_parsed_element_itself() -> None:
    known = Outlines("u")
    body = b"<f>\n<h>\n1</h>\n<u><v>\n</v><w/></u>\n<u><v/>\n\n<w>1</w></u><t>\n</t>\n<s/></f>"
    for _ in range(3):
        root, _ = known.read(body, "utf-8")
    assert isinstance(root, Told)
    first, second = root.iterchildren("u")
    asked = [root, *root, *first, *second]
    assert [each().sourceline for each in asked] == [1, 2, 4, 6, 8, 10, 4, 5, 6, 8]
    assert all(each().tag == each.tag for each in asked)


def test_the_parsed_element_has_the_name_of_the_one_that_was_not_parsed() -> None:
    known = Outlines()
    for _ in range(3):
        root, bared = known.read(b'<f xmlns="urn:f"><h>1</h></f>', "utf-8")
    root, bared = known.read(b'<f xmlns="urn:f"><h>xmlns</h></f>', "utf-8")
    assert isinstance(root, Told)
    assert [bared, *(each().tag for each in (root, *root))] == ["urn:f", "f", "h"]
