"""Documents whose tags were seen before are read without a tree.

A sender's software writes the same tags again and again, and only the texts between them change. Tags alone decide whether a document is
well-formed and where each text belongs; so both are worked out once, by the parser and a table of :mod:`shared.formats.xml`, and kept under
the tags themselves. Of a document whose tags are known, frame and units, the texts are dealt out: 15 µs for an item of three kilobytes
that takes 41 to parse and walk.

That holds only where brackets settle everything. Characters given by their numbers, carriage returns, characters that may not be
printable, brackets in texts, another character set than UTF-8, prefixes, and documents of more than 64 kB are left to the parser, and
so are comments, CDATA and instructions, which look like tags that nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar
from xml.sax.saxutils import unescape

from shared.formats.xml import LEFT, Element, Marked, Record, Shape

LIMIT: Final = 64 * 1024
"""Bytes of a document that is cut as a whole."""
KEPT: Final = 256
"""Outlines, and frames, that are kept of one format; the oldest goes first."""

FRAME: Final = 2048
"""Characters of the tags around the units that are worth a frame."""
TAGS: Final = 512
"""Tags of a unit that is worth an outline."""

_NO_BRACKETS: Final = bytes(set(range(256)) - {ord("<"), ord(">")})
_BLANK: Final = " \t\n"
_REFERENCES: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)").search
"""A reference to a character by its number, or to nothing that XML knows."""
_QUOTES: Final = {"&quot;": '"', "&apos;": "'"}
_TAG: Final = re.compile(r'([A-Za-z_][\w.-]*)((?: [A-Za-z_][\w.-]*="[^"\n\t]*")*) ?(/?)', re.ASCII).fullmatch
_ATTRIBUTE: Final = re.compile(r'([A-Za-z_][\w.-]*)="([^"]*)"', re.ASCII).findall
_DECLARATION: Final = re.compile(r"""\?xml version="1\.0"(?: encoding="(?:UTF|utf)-8")?(?: standalone="(?:yes|no)")? ?\?""").fullmatch

Field = tuple[str, int]
"""A key of a record, and which piece of the document is its text."""


class Pieces(NamedTuple):
    """A document cut at its brackets: what stands between tags at even places, the tags (without brackets) at odd ones."""

    texts: list[str]
    tags: list[str]


def cut(body: bytes) -> Pieces | None:
    """Return *body* in pieces, or None when brackets do not settle what it says."""
    if len(body) > LIMIT:
        return None
    count = body.count(b"<")
    if body.translate(None, _NO_BRACKETS) != b"<>" * count:
        return None
    try:
        pieces = body.decode().replace(">", "<").split("<")
    except UnicodeDecodeError:
        return None
    texts = pieces[::2]
    said = "".join(texts)
    if b"&" in body:
        if _REFERENCES(said) or any("&" in tag for tag in pieces[1::2]):
            return None
        texts = [unescape(text, _QUOTES) if "&" in text else text for text in texts]
    if not said.isprintable() and not said.replace("\n", "").replace("\t", "").isprintable():
        return None
    return Pieces(texts, pieces[1::2])


class Start(NamedTuple):
    """A start tag: its name, its attributes, and whether it is its own end."""

    name: str
    attributes: dict[str, str]
    closed: bool


def start(tag: str) -> Start | None:
    """Return what a start tag says, or None when it says it in another way than most do."""
    found = _TAG(tag)
    return Start(found[1], dict(_ATTRIBUTE(found[2])), bool(found[3])) if found is not None else None


# --- frames ------------------------------------------------------------------------------------------------------------------------------


class Frame(NamedTuple):
    """What the tags around the units of a file decide: where the texts of its header stand; and what its reader made of the rest."""

    header: Sequence[Field]
    version: str | None


def encloses(pieces: Pieces) -> bool:
    """Whether nothing but blanks stands outside of the document element, and the declaration at the very beginning."""
    texts, declared = pieces.texts, pieces.tags[0].startswith("?")
    return not texts[-1].strip(_BLANK) and not (texts[0] + texts[1].strip(_BLANK) if declared else texts[0].strip(_BLANK))


def header(tags: Sequence[str], name: str) -> tuple[Field, ...]:
    """Return the leaves of the element *name*, which begins right behind the start tag of the document element.

    *tags* begin with the declaration or the document element. Raises :class:`Unplain` when anything else stands there.
    """
    at = 2 if _DECLARATION(tags[0]) else 1
    begin = _start(tags[at])
    if begin.name != name or begin.closed or start(tags[at - 1]) is None:
        raise Unplain
    found: list[Field] = []
    at += 1
    while tags[at] != f"/{name}":
        leaf = _start(tags[at])
        if not leaf.closed:
            if tags[at + 1] != f"/{leaf.name}":
                raise Unplain
            found.append((leaf.name, at + 1))
            at += 1
        at += 1
    return tuple(found)


def keep_frame(frames: dict[str, Frame], name: str, tags: Sequence[str], header_name: str, version: str | None) -> None:
    """Keep under *name* the frame that *tags* make, known to be well-formed, unless there is more to it."""
    if name not in frames and len(name) <= FRAME:
        with suppress(Unplain):
            _keep(frames, name, Frame(header(tags, header_name), version))


# --- units -------------------------------------------------------------------------------------------------------------------------------


class Filled(NamedTuple):
    """A record of the walk: its part, whether it is one of the part's list, and its fields."""

    part: int
    listed: bool
    fields: Sequence[Field]


class Outline(NamedTuple):
    """What the tags of one unit decide: its attributes, its records, its marked leaves (key, place, attributes), names nobody knows."""

    attributes: Mapping[str, str]
    size: int
    records: Sequence[Filled]
    marked: Sequence[tuple[str, int, Mapping[str, str]]]
    unknown: Sequence[str]

    def record(self, texts: Sequence[str], first: int) -> Record:
        """Return what :func:`shared.formats.xml.walk` would find in the unit whose start tag is the tag number *first* of *texts*."""
        found = Record([{} for _ in range(self.size)], [[] for _ in range(self.size)], [], [], list(self.unknown))
        parts, lists = found.parts, found.lists
        for part, listed, fields in self.records:
            record = {key: text for key, place in fields if (text := texts[first + place].strip())}
            parts[part] = record
            if listed:
                lists[part].append(record)
        found.marked.extend([Marked(key, texts[first + place].strip(), dict(said)) for key, place, said in self.marked])
        return found


class Unplain(Exception):
    """Tags of which no outline is made."""


def outline(tags: Sequence[str], shape: Shape, size: int) -> Outline:
    """Return the outline of the unit that *tags* make, from its start tag to its end tag, known to be well-formed.

    Raises :class:`Unplain` when what it says depends on more than tags: a field that comes twice, one with elements inside, one with a
    unit.
    """
    begin = _start(tags[0])
    maker = _Maker(tags, size)
    try:
        end = 0 if begin.closed else maker.inside(1, shape)
    except IndexError:
        raise Unplain from None
    if end != len(tags) - 1:
        raise Unplain
    records = [Filled(part, listed, tuple(fields.items())) for part, listed, fields in maker.records if fields or listed]
    return Outline(begin.attributes, size, records, maker.marked, maker.unknown)


def _start(tag: str) -> Start:
    found = start(tag)
    if found is None or "xmlns" in found.attributes:
        raise Unplain
    return found


class _Maker:
    """Goes through the tags of a unit as the walk goes through its elements."""

    def __init__(self, tags: Sequence[str], size: int) -> None:
        self._tags = tags
        self.records: list[tuple[int, bool, dict[str, int]]] = [(part, False, {}) for part in range(size)]
        self._current = [fields for _, _, fields in self.records]
        self.marked: list[tuple[str, int, Mapping[str, str]]] = []
        self.unknown: list[str] = []

    def inside(self, at: int, shape: Shape) -> int:
        """Read elements from the tag number *at* until an end tag stands there; return its number."""
        while not self._tags[at].startswith("/"):
            at = self._element(at, _start(self._tags[at]), shape)
        return at

    def _element(self, at: int, begin: Start, shape: Shape) -> int:
        name, text = begin.name, at + 1
        bare = begin.closed or self._tags[at + 1] == f"/{name}"
        group = shape.inner.get(name)
        if name in shape.leaves:
            part, key = shape.leaves[name]
            if not bare or key in self._current[part]:
                raise Unplain
            if not begin.closed:
                self._current[part][key] = text
        elif group is None or (name in shape.marked and bare):
            if name in shape.measured or begin.closed:
                raise Unplain
            if name in shape.marked and bare:
                self.marked.append((shape.marked[name], text, {key: said.strip() for key, said in begin.attributes.items()}))
            else:
                self.unknown.append(name)
        elif not bare and group is not LEFT:
            if group.opens >= 0:
                self.records.append((group.opens, True, {}))
                self._current[group.opens] = self.records[-1][2]
            return self.inside(text, group) + 1
        return self._behind(at)

    def _behind(self, at: int) -> int:
        """Return the number of the tag behind the element that begins at *at*; what is inside is passed over, but must be plain."""
        depth = 0
        while True:
            tag = self._tags[at]
            if tag.startswith("/"):
                depth -= 1
            elif not _start(tag).closed:
                depth += 1
            at += 1
            if depth == 0:
                return at


class Outlines:
    """The outlines of one format, by the tags they are made of."""

    def __init__(self) -> None:
        self._kept: dict[str, Outline] = {}
        self._once: dict[int, None] = {}

    def get(self, tags: Sequence[str]) -> Outline | None:
        """Return the outline of *tags*, if it is kept."""
        return self._kept.get("<".join(tags))

    def learn(self, tags: Sequence[str], shape: Shape, size: int) -> None:
        """Keep the outline of *tags*, known to be well-formed, when they come for the second time: who writes every message in another way
        costs nothing."""
        if len(tags) > TAGS:
            return
        name = "<".join(tags)
        if hash(name) not in self._once:
            _keep(self._once, hash(name), None)
        elif name not in self._kept:
            with suppress(Unplain):
                _keep(self._kept, name, outline(tags, shape, size))


K = TypeVar("K")
V = TypeVar("V")


def _keep(kept: dict[K, V], key: K, value: V) -> None:
    if len(kept) >= KEPT:
        del kept[next(iter(kept))]
    kept[key] = value


class Unit:
    """One unit of a document that was not parsed. *element* gives the element it is, for those who must know its line."""

    __slots__ = ("_first", "_outline", "_texts", "element")

    def __init__(self, outline: Outline, texts: Sequence[str], first: int, element: Callable[[], Element]) -> None:
        self._outline = outline
        self._texts = texts
        self._first = first
        self.element = element

    def get(self, name: str) -> str | None:
        """Return the attribute *name*, as an element does."""
        return self._outline.attributes.get(name)

    def record(self) -> Record:
        """Return what a walk of the unit would find."""
        return self._outline.record(self._texts, self._first)
