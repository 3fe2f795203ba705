"""A namespace that is taken off all elements before parsing makes no difference to what is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from shared.errors import MalformedMessage
from shared.formats import READERS, xml
from tests.bench import contents
from tests.samples import outcome, samples

BARED = [
    path for name in contents.XML for path in samples(name) if path.suffix == ".xml" and b"xmlns=" in path.read_bytes() and name in READERS
]
STEADY = settings(max_examples=150, deadline=None, derandomize=True)
NAMES = st.text("aZ9:._-/", min_size=1, max_size=12)
ADDRESSES = st.one_of(
    st.sampled_from(
        ["urn:hub:postal:itmatt:1", "http://schemas.example/2004/07/CDS.Operational", "urn:x", "", "rel", "urn:a b", "urn:%zz"]
    ),
    NAMES.map("urn:{}".format),
    NAMES.map("http://{}".format),
)


def as_it_stands(body: bytes, fallback_encoding: str = "utf-8") -> tuple[etree._Element, str]:
    return xml.parse(body, fallback_encoding), ""


def both_ways(body: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    bare = outcome(body)
    with monkeypatch.context() as patch:
        patch.setattr(xml, "parse_bare", as_it_stands)
        return bare, outcome(body)


@pytest.mark.parametrize("path", BARED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_is_read_alike_with_and_without_its_namespace(path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bare, qualified = both_ways(path.read_bytes(), monkeypatch)
    assert bare == qualified


@pytest.mark.parametrize("path", [path for path in BARED if path.stem in ("reference", "single", "full", "poor_data")], ids=str)
@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b"</", b"<extra>1</extra></"),
        (b"</", b"<p:extra>1</p:extra></"),
        (b"</", b'<extra xmlns="urn:other"><Id>1</Id></extra></'),
        (b"</", b"<extra note='xmlns=\"urn:other\"'/></"),
        (b" xmlns=", b' note="xmlns" xmlns='),
        (b" xmlns=", b" lang='en' xmlns="),
        (b" xmlns=", b' xml:lang="en" xmlns='),
        (b"?>", b"?><!-- xmlns -->"),
        (b"</", b""),
    ],
)
def test_a_spoiled_sample_is_read_alike(path: Any, said: bytes, instead: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    body = path.read_bytes()
    for place in (body.find(said), body.rfind(said)):
        bare, qualified = both_ways(body[:place] + instead + body[place + len(said) :], monkeypatch)
        assert bare == qualified


def read(body: bytes, bare: bool) -> tuple[str, Any]:
    try:
        root, taken = xml.parse_bare(body) if bare else as_it_stands(body)
    except MalformedMessage as exc:
        return "refused", (exc.finding_code, str(exc), exc.line, exc.column)
    return "read", [
        (xml.qualified(taken, each.tag) if taken else each.tag, each.text, each.sourceline) for each in root.iter(etree.Element)
    ]


@STEADY
@given(
    address=ADDRESSES,
    before=st.sampled_from(["", ' version="1.0"', " a='1'\n b=\"xmlns\"", ' xmlns:p="urn:p"', ' a="<"', ' a="1" a="2"']),
    inside=st.sampled_from(
        ["<a>1</a>", "<p:a/>", '<a xmlns="urn:b"/>', "<a></b>", "\n<a b='xmlns'>é</a>", "<!-- xmlns -->", "<x:x/>", "&#13;"]
    ),
)
def test_elements_texts_lines_and_refusals_are_the_same(address: str, before: str, inside: str) -> None:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Root{before} xmlns="{address}">{inside}</Root>'.encode()
    assert read(body, bare=True) == read(body, bare=False)
