"""A file whose tags are known is read as the parser and the walk would read it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from shared.formats import outlines, postal_files
from shared.model import Dialect
from tests.fuzz.mutations import inputs
from tests.samples import outcome, samples

FORMATS = ("itmatt", "cusitm", "cusrsp", "itmref", "refrsp", "resdes", "emsevt")
SPOILED = 400
TEXTS = (
    b"", b" ", b"\n", b"\t1\n", b" 1 ", b"x", "é Ω 漢".encode(), b"&amp;",
    b"A &amp; B &lt;&gt; &quot;&apos;",
    b"&amp;lt;",
    b"&amp;#60;",
    b"&lt",
    b"&foo;", b"&#11;", b"&", b">", b"]]>", b"\r\n", b"\x0b", b"\x7f", b"\x00",
    b"\xff", b"\xc2\xa0", b"\xef\xbf\xbe", b"\xef\xbb\xbf", b"<!-- -->", b"<![CDATA[1]]>", b"<?p?>", b"<x/>", b"</x>", b"1" * 400,
)  # fmt: skip


def bodies(format: str) -> list[bytes]:
    return [path.read_bytes() for path in samples(format) if path.suffix == ".xml"]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read without knowing any tags."""

    def read(body: bytes, dialect: Dialect) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(postal_files, "_known_file", lambda *_: None)
            return outcome(body, dialect)

    return read


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    postal_files._known.cache_clear()
    yield
    postal_files._known.cache_clear()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that were read by their tags."""
    found: list[bytes] = []
    original = postal_files._known_file

    def noted(profile: Any, plain: Any, raw: Any, dialect: Any) -> Any:
        file = original(profile, plain, raw, dialect)
        if file is not None:
            found.append(raw.body)
        return file

    monkeypatch.setattr(postal_files, "_known_file", noted)
    return found


def single() -> bytes:
    return next(path.read_bytes() for path in samples("itmatt") if path.stem == "update")


def taught(format: str) -> list[bytes]:
    all_bodies = bodies(format)
    for body in all_bodies * 2:
        outcome(body)
    return all_bodies


@pytest.mark.parametrize("format", FORMATS)
def test_a_sample_is_read_alike_once_its_tags_are_known(format: str, parsed: Any, known: list[bytes]) -> None:
    for body in taught(format):
        assert outcome(body) == parsed(body, Dialect())
    assert len(known) > 2


@pytest.mark.parametrize("format", FORMATS)
def test_a_spoiled_sample_is_read_alike_among_known_ones(format: str, parsed: Any) -> None:
    taught(format)
    for body in inputs(format, SPOILED, 11):
        assert outcome(body) == parsed(body, Dialect()), body


@pytest.mark.parametrize("format", FORMATS)
def test_any_text_at_any_place_between_known_tags_is_read_alike(format: str, parsed: Any, known: list[bytes]) -> None:
    random = Random(7)
    for body in taught(format):
        places = [place for place in range(len(body) + 1) if body[place - 1 : place] in (b"", b">")]
        for text in TEXTS:
            for place in random.sample(places, min(len(places), 12)):
                end = body.find(b"<", place) if body.find(b"<", place) >= 0 else len(body)
                spoiled = body[:place] + text + body[end:]
                assert outcome(spoiled) == parsed(spoiled, Dialect()), spoiled
    assert len(known) > 50


@pytest.mark.parametrize("dialect", [Dialect(encoding="iso-8859-1"), Dialect(decimal_comma=True), Dialect(platform="shop")])
def test_a_dialect_is_heeded(dialect: Dialect, parsed: Any) -> None:
    for body in taught("itmatt"):
        assert outcome(body, dialect) == parsed(body, dialect)


@pytest.mark.parametrize(
    "attribute", ["a='1'", 'a="1" a="2"', 'p:a="1"', 'xmlns="urn:x"', 'a="\n"', 'a=">"', 'a="&amp;"', "a=1", 'Version="2"']
)
def test_any_attribute_is_read_alike_the_third_time(attribute: str, parsed: Any) -> None:
    for body in bodies("itmatt"):
        for tag in (b"<Item ", b"<ItmattFile ", b"<Data", b"<HS"):
            changed = body.replace(tag, tag.rstrip() + b" " + attribute.encode() + (b" " if tag.endswith(b" ") else b""), 1)
            assert [outcome(changed) for _ in range(3)] == [parsed(changed, Dialect())] * 3, changed


def test_who_writes_other_tags_every_time_makes_no_outlines(known: list[bytes]) -> None:
    body = single()
    for number in range(2 * outlines.KEPT):
        outcome(body.replace(b"<Data>", b'<Data n="%d">' % number))
    assert not known
    assert not postal_files._known("itmatt").units._kept


def test_the_oldest_outline_goes_when_there_are_too_many() -> None:
    body = single()
    for number in range(2 * outlines.KEPT):
        for _ in range(2):
            outcome(body.replace(b"<Data>", b'<Data n="%d">' % number))
    assert len(postal_files._known("itmatt").units._kept) == outlines.KEPT
