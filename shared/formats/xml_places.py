"""Where the elements of an XML document stand: line and column of the ``<`` of their start tags.

The parser tells no columns, and counts lines no further than 65,535. But in a document that is well-formed, and whose comments, CDATA
sections and instructions are set aside, every ``<`` begins a tag. So the third element of a name has the third start tag of that name,
and one search for the name gives the places of all.
"""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from lxml import etree

from shared.formats.places import NOWHERE, Lines, Place
from shared.formats.xml import DECLARED, UTF16, Element, of_utf16

_STEP = re.compile(r"([^\s/\[\]@*{}]+)(?:\[([0-9]{1,7})\])?").fullmatch
_LINES_COUNTED: Final = 65_535
"""The parser counts no further than to the line before this one."""
_NAMESAKES: Final = 200_000
"""Elements of one name whose places are looked for."""
_NEAR: Final = 1024
"""Elements of one name of which it is kept which they are."""
_RETURNS: Final = 20
"""How often the elements of one name are gone through from the beginning."""
_NO_MARKUP = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL).finditer
_PIECE: Final = 64 * 1024
_BOM: Final = codecs.BOM_UTF8
_BEHIND_NAME: Final = frozenset(b" \t\r\n/>")


_Reached = tuple[etree._Element, bool, bool]
"""How far a path led: to which element; whether it goes on from there, and whether the next may be anywhere within."""


class _Namesakes:
    """The elements of one name, and where each begins. They are asked for nearly in order, so that few of them need be in memory."""

    __slots__ = ("_all", "_before", "_left", "_near", "_passed", "_returns", "_starts")

    def __init__(self, elements: Callable[[], Iterator[etree._Element]], starts: Sequence[int]) -> None:
        self._all = elements
        self._starts = starts
        self._returns = 0
        self._return()

    def _return(self) -> None:
        self._left = self._all()
        self._passed = 0
        self._near: dict[etree._Element, int] = {}
        self._before: dict[etree._Element, int] = {}

    def start(self, element: etree._Element) -> int | None:
        """Return where *element* begins; None where that takes too long to find."""
        while True:
            number = self._near.get(element, self._before.get(element))
            if number is None:
                number = self._go_on(element)
            if number is not None:
                return self._starts[number]
            if self._returns == _RETURNS:
                return None
            self._returns += 1
            self._return()

    def _go_on(self, element: etree._Element) -> int | None:
        """Go on to *element* and return its number, or None behind the last."""
        for each in self._left:
            if len(self._near) == _NEAR:
                self._before, self._near = self._near, {}
            number = self._near[each] = self._passed
            self._passed += 1
            if each is element:
                return number
        return None


class Tree:
    """The bytes of a document, beside its elements. *fallback_encoding* is used where the document declares none.

    Nothing is done before a place is asked for. Then lines are counted once, and for each name of an element asked for the document is
    searched once. Only the line is told of elements that a reader has put elsewhere than the sender, of a name that more than 200,000 have,
    and of those asked for in no order at all, since each might take as long as the whole document.
    """

    __slots__ = ("_at", "_body", "_encoding", "_lines", "_namesakes", "_places", "_reached", "_text")

    def __init__(self, body: bytes, fallback_encoding: str) -> None:
        self._body = body
        self._encoding = fallback_encoding
        self._text: bytes | bytearray = b""
        self._lines: Lines | None = None
        self._namesakes: dict[tuple[str, str | None], _Namesakes | None] = {}
        self._at: tuple[etree._Element, str] | None = None
        self._reached: dict[str, _Reached] = {}
        self._places: dict[etree._Element, Place] = {}

    def place(self, element: Element | None, position: str, where: str) -> Place:
        """Return where the element begins that the sender's path *where* names; of a missing one, the element it is missing from.

        A path that does not begin with *position* begins at the document element, named or not. Prefixes and namespaces do not matter;
        ``..`` is the element around, ``…`` stands for any number of elements between.
        """
        if element is None:
            return NOWHERE
        told = None
        if not isinstance(element, etree._Element):
            told = element.around(position, where)
            element = element() if told is None else told.like
        at = self._at
        if at is None or at[0] is not element or at[1] != position:
            self._begin(element, position)
        found = (self._reached.get(where) or self._reach(where))[0]
        place = self._places.get(found)
        if place is None:
            place = self._places[found] = self._place(found) if told is None else self._counted().place(told.start(found))
        return place

    def _begin(self, element: etree._Element, position: str) -> None:
        """Forget what was asked for beneath another position: what is wrong with one thing comes together."""
        self._at = element, position
        self._reached = {position: (element, True, False)} if _name(element) == _last(position) else {}
        self._places = {}

    def _reach(self, where: str) -> _Reached:
        """Follow a path by the longest part of it that was followed before."""
        around, _, name = where.rpartition("/")
        if around:
            reached = _inside(self._reached.get(around) or self._reach(around), name)
        else:
            assert self._at is not None
            root = self._at[0].getroottree().getroot()
            reached = (root, True, False)
            if _name(root) != name:
                reached = _inside(reached, name)
        self._reached[where] = reached
        return reached

    def _counted(self) -> Lines:
        """Return the lines of the document."""
        if self._lines is None:
            self._text = _bare(_in_utf8(self._body, self._encoding))
            self._lines = Lines(self._text)
        return self._lines

    def _place(self, element: etree._Element) -> Place:
        lines = self._counted()
        written = str(element.tag), element.prefix
        if written not in self._namesakes:
            self._namesakes[written] = self._named(element)
        namesakes = self._namesakes[written]
        start = None if namesakes is None else namesakes.start(element)
        if start is not None:
            return lines.place(start)
        line: Any = element.sourceline
        return (line, None) if line is not None and line < _LINES_COUNTED else NOWHERE

    def _named(self, element: etree._Element) -> _Namesakes | None:
        """Return the elements that are written as *element*, if the document still has all of them."""
        name, prefix = _name(element), element.prefix
        root = element.getroottree().getroot()

        def elements() -> Iterator[etree._Element]:
            return (each for each in root.iter("{*}" + name) if each.prefix == prefix)

        starts = _tags(self._text, (f"{prefix}:{name}" if prefix else name).encode())
        return _Namesakes(elements, starts) if starts and sum(1 for _ in elements()) == len(starts) else None


def _inside(reached: _Reached, step: str) -> _Reached:
    """Return where one more *step* leads."""
    at, goes_on, within = reached
    if not goes_on:
        return reached
    if step == "…":
        return at, True, True
    inner = None
    if step == "..":
        inner = at.getparent()
    elif named := _step(step):
        tag, before = named
        found = at.iterdescendants(tag) if within else at.iterchildren(tag)
        inner = next(islice(found, before, None) if before else found, None)
    return (at, False, False) if inner is None else (inner, True, False)


def _tags(text: bytes | bytearray, name: bytes) -> array[int]:
    """Return where the start tags of *name* begin; none, where there are too many."""
    tag = b"<" + name
    behind = len(tag)
    found = array("I")
    at = text.find(tag)
    while at >= 0:
        if text[at + behind] in _BEHIND_NAME:
            if len(found) == _NAMESAKES:
                return array("I")
            found.append(at)
        at = text.find(tag, at + behind)
    return found


def _bare(text: bytes | bytearray) -> bytes | bytearray:
    """Return *text* with no bracket in what is no markup; all else stays where it is."""
    if b"<!" not in text and text.find(b"<?", 2) < 0:
        return text
    bare = bytearray(text)
    for found in _NO_MARKUP(text):
        bare[slice(*found.span())] = found[0].replace(b"<", b" ")
    return bare


def _in_utf8(body: bytes, fallback: str) -> bytes | bytearray:
    """Return *body* in UTF-8, without byte order mark; translated piece by piece, since it may be large."""
    if body.startswith(_BOM):
        return body.removeprefix(_BOM)
    if body.startswith(UTF16):
        return of_utf16(body)
    if body.isascii():
        return body
    declared = DECLARED(body)
    try:
        codec = codecs.lookup(declared[1].decode() if declared else fallback)
        if codec.name == "utf-8" or codec.incrementaldecoder is None:
            return body
    except LookupError:
        return body
    decoder = codec.incrementaldecoder("replace")
    text = bytearray()
    for at in range(0, len(body), _PIECE):
        text += decoder.decode(body[at : at + _PIECE]).encode()
    return text


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


@lru_cache(maxsize=1024)
def _last(position: str) -> str:
    """Return the name of the element at *position*."""
    return position.rpartition("/")[2].partition("[")[0]


@lru_cache(maxsize=4096)
def _step(step: str) -> tuple[str, int] | None:
    """Return the tag that *step* of a path names, in any namespace, and how many of that name stand before it; None where it names no
    element."""
    named = _STEP(step)
    return None if named is None else ("{*}" + named[1], max(int(named[2] or 1) - 1, 0))
