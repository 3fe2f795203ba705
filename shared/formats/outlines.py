"""Documents whose tags were seen before are read without a tree.

A sender's software writes the same tags again and again, and only the texts between them change. Tags alone decide whether a document is
well-formed and where each text belongs. So a document of the same tags, with numbers for its texts, is parsed once, and walked once by each
table of :mod:`shared.formats.xml`: the numbers that come out say which text belongs under which key. Of a document whose tags are known the
texts are dealt out: 15 µs for an item of three kilobytes that takes 41 to parse and walk. A message of many like units (items, houses,
statuses) is cut at their end tags; the tags around them make a frame, and each unit is known by its own.

That holds only where brackets settle everything. Characters given by their numbers, characters that XML forbids, brackets in texts and
other character sets than UTF-8 are left to the parser, and so are comments, CDATA and instructions, which no outline has. What only a tree
can tell (a field that comes twice, a text beside elements) is asked of the tree, which is parsed then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice, pairwise
from threading import Lock
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import unescape

from lxml import etree

from shared.errors import MalformedMessage
from shared.formats import xml
from shared.formats.base import BODY_LIMIT, ITEM_LIMIT
from shared.formats.xml import Element, Marked, Record, Shape

LIMIT: Final = 64 * 1024
"""Bytes that are cut at once: a document, or some of its units."""
TAGS: Final = 512
"""Tags of a document or a unit that are worth an outline."""
KEPT: Final = 48 * 1024
"""Tags of all outlines that one kind of document keeps, and characters of them by the 32; the oldest go first."""
ONCE: Final = 4096
"""Documents and units whose tags came once."""
ALONE: Final = 64
"""Units of one document that are parsed each on its own, because their tags are new or brackets do not settle them."""

_NAMES_AROUND: Final = 4
_UTF8: Final = frozenset({"utf-8", "utf8"})
_NO_BRACKETS: Final = bytes(set(range(256)) - {ord("<"), ord(">")})
_BLANK: Final = " \t\n"
_MARK: Final = "\ue000"
_MIXED: Final = "\ue001"
"""The text of an element with others inside."""
_NO_MARK: Final = frozenset((_MARK, _MIXED, "\r"))
_REFERENCES: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)").search
"""A reference to a character by its number, or to nothing that XML knows."""
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]").search
"""A character that XML does not allow, or a carriage return alone."""
_QUOTES: Final = {"&quot;": '"', "&apos;": "'"}
_DECLARATION: Final = re.compile(
    r"""\?xml version=["']1\.0["'](?: encoding=["'](?:UTF|utf)-8["'])?(?: standalone=["'](?:yes|no)["'])? ?\?"""
).fullmatch


_NAMESPACE: Final = re.compile(r"""\sxmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')""").findall


class Pieces(NamedTuple):
    """A document cut at its brackets: what stands before each tag and behind the last one, and the tags (without brackets)."""

    texts: list[str]
    tags: list[str]


def cut(body: bytes, most: int = LIMIT) -> Pieces | None:
    """Return *body* in pieces, or None when brackets do not settle what it says, or when it has more than *most* tags."""
    count = body.count(b"<")
    if count > most or body.translate(None, _NO_BRACKETS) != b"<>" * count:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    pieces = text.replace(">", "<").split("<")
    texts = pieces[::2]
    said = "".join(texts)
    if "&" in said:
        if _REFERENCES(said):
            return None
        texts = [unescape(text, _QUOTES) if "&" in text else text for text in texts]
    if not said.isprintable() and not said.replace("\n", "").replace("\t", "").isprintable() and _FORBIDDEN(said):
        return None
    return Pieces(texts, pieces[1::2])


# --- what tags say -----------------------------------------------------------------------------------------------------------------------


Fields = Sequence[tuple[str, int]]
"""Keys of a record, each with the place of its text."""


class _Listed(NamedTuple):
    """A record of a part that repeats: its part, its fields, and the units of some of them."""

    part: int
    fields: Fields
    units: Mapping[str, str]


class Outline(NamedTuple):
    """What a walk finds below one element, with places instead of texts: the fields of each part, records of parts that repeat, marked
    leaves, names nobody knows."""

    parts: Sequence[Fields]
    units: Mapping[int, Mapping[str, str]]
    listed: Sequence[_Listed]
    marked: Sequence[tuple[str, int | None, Mapping[str, str]]]
    unknown: Sequence[str]

    def record(self, texts: Sequence[str]) -> Record:
        """Return what the walk would find where *texts* stand between the tags."""
        parts = [{key: text for key, place in fields if (text := texts[place].strip())} if fields else {} for fields in self.parts]
        if self.units:
            for part, units in self.units.items():
                parts[part] = _with_units(parts[part], units)
        lists: list[list[dict[str, str]]] = [[] for _ in parts]
        for part, fields, units in self.listed:
            record = {key: text for key, place in fields if (text := texts[place].strip())}
            parts[part] = _with_units(record, units) if units else record
            lists[part].append(parts[part])
        marked = []
        if self.marked:
            marked = [Marked(key, "" if place is None else texts[place].strip(), dict(said)) for key, place, said in self.marked]
        return Record(parts, lists, marked, [], list(self.unknown))


def _with_units(record: Mapping[str, str], units: Mapping[str, str]) -> dict[str, str]:
    """Return *record* with the unit of each value behind it, as the walk leaves it."""
    found = {}
    for key, text in record.items():
        found[key] = text
        if key in units:
            found[key + "@"] = units[key]
    return found


def outline(element: etree._Element, shape: Shape, size: int) -> Outline | None:
    """Return the outline of *element*, in whose leaves places stand for texts; None where the walk depends on more than tags."""
    try:
        found = xml.walk(element, shape, size)
    except MalformedMessage:
        return None
    parts = [{} if found.lists[part] else record for part, record in enumerate(found.parts)]
    listed = [_Listed(part, _fields(record), _units(record)) for part in range(size) for record in found.lists[part]]
    if found.repeated or any(_MIXED in record.values() for record in (*parts, *chain(*found.lists))):
        return None
    units = {part: said for part, record in enumerate(parts) if (said := _units(record))}
    marked = [(key, _place(text), attributes) for key, text, attributes in found.marked]
    return Outline([_fields(record) for record in parts], units, listed, marked, found.unknown)


def _fields(record: Mapping[str, str]) -> Fields:
    return tuple((key, place) for key, text in record.items() if (place := _place(text)) is not None)


def _units(record: Mapping[str, str]) -> Mapping[str, str]:
    return {key.removesuffix("@"): text for key, text in record.items() if _place(text) is None}


def _place(text: str | None) -> int | None:
    return int(text[1:]) if text and text[0] == _MARK and text[1:].rstrip().isdecimal() else None


class Node:
    """An element that many documents have, with everything that was ever asked of it."""

    __slots__ = ("_found", "element", "outlines", "place", "tag")

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        self.tag = str(element.tag)
        self.place = _place(element.text)
        self._found: dict[tuple[bool, tuple[str, ...]], tuple[Node, ...]] = {}
        self.outlines: dict[int, tuple[Shape, Outline | None]] = {}

    def found(self, tags: tuple[str, ...], deep: bool) -> tuple[Node, ...]:
        """Return the children with these *tags*; where *deep*, the element itself and everything below."""
        found = self._found.get((deep, tags))
        if found is None:
            elements = self.element.iter(*tags) if deep else self.element.iterchildren(*tags)
            found = self._found[deep, tags] = tuple(map(Node, elements))
        return found

    def learn(self, shape: Shape, size: int) -> tuple[Shape, Outline | None]:
        """Keep the outline of a walk by *shape*, which must not go away before it."""
        if len(self.outlines) >= _SHAPES:
            self.outlines.clear()
        known = self.outlines[id(shape)] = shape, outline(self.element, shape, size)
        return known


_SHAPES: Final = 8
"""Tables by which one element is walked; a reader has one or two."""


class _Model:
    """What the tags of a document, of a unit or of the frame around units decide; *stands* is the element that is for all units.
    *changed*: elements were taken out of the tree."""

    __slots__ = ("bared", "changed", "root", "size", "stands")

    def __init__(self, root: etree._Element, bared: str, tags: Sequence[str], stands: etree._Element | None = None) -> None:
        self.root = Node(root)
        self.bared = bared
        self.stands = stands
        self.size = len(tags)
        self.changed = sum(map(_opens, tags)) + sum(tag.endswith("/") for tag in tags) != sum(1 for _ in root.iter())


# --- documents that were not parsed ------------------------------------------------------------------------------------------------------


class _Document:
    """The bytes of a document; and its tree as soon as somebody asks for it. Of one with *units* an element in the *frame* *stands* for
    them, whose tag has the number *place*; the last unit ends at the byte *last*. *changed*: elements are taken out of its tree."""

    units: Sequence[_Unit] = ()
    frame: _Unit | None = None
    place = TAGS
    last = 0
    _root: etree._Element | None = None
    _found: Sequence[etree._Element] = ()

    def __init__(self, body: bytes, model: _Model, parse: Callable[[bytes, str], etree._Element]) -> None:
        self.body = body
        self.stands = model.stands
        self.changed = model.changed
        self._bared = model.bared
        self._parse = parse

    def root(self) -> etree._Element:
        """Return the document element."""
        if self._root is None:
            self._root = self._parse(self.body, self._bared)
            if self.stands is not None:
                self._found = list(self._root.iter("{*}" + str(self.stands.tag).rpartition("}")[2]))
        return self._root

    def unit(self, number: int) -> etree._Element:
        """Return the unit *number*."""
        self.root()
        return self._found[number]


_BRACKETS: Final = re.compile(b"<").finditer


def _number(element: etree._Element) -> int:
    """Return the number of the start tag of *element*, which stands on a line of its own."""
    line: Any = element.sourceline
    return int(line) - 1


class _Unit(NamedTuple):
    """A unit of a document, or the whole of it: its texts, and where it begins. One without texts was parsed on its own."""

    root: Node
    texts: Sequence[str] | None
    at: int


class Told:
    """An element that was not parsed: it answers what readers ask of an element. Called, it returns the parsed element itself."""

    __slots__ = ("_document", "_node", "_number", "_unit")

    def __init__(self, node: Node, document: _Document, unit: _Unit, number: int = -1) -> None:
        self._node = node
        self._document = document
        self._unit = unit
        self._number = number

    @property
    def tag(self) -> str:
        """The qualified name."""
        return self._node.tag

    @property
    def text(self) -> str | None:
        """The text before the first element inside."""
        place, texts = self._node.place, self._unit.texts
        if place is not None and texts is not None:
            return texts[place]
        text = self._node.element.text
        return self().text if texts is not None and text == _MIXED else text

    @property
    def like(self) -> etree._Element:
        """An element that has the same elements inside, and other texts."""
        return self._node.element

    @property
    def nsmap(self) -> dict[str | None, str]:
        """Prefixes and their namespaces."""
        return self._node.element.nsmap

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the attribute *name*."""
        found = self._node.element.get(name)
        return default if found is None else str(found)

    def __iter__(self) -> Iterator[Told]:
        return self.iterchildren()

    def iterchildren(self, *tags: str) -> Iterator[Told]:
        """Yield the children with these *tags*, or all."""
        return self._each(self._node.found(tags, False))

    def iter(self, *tags: str) -> Iterator[Told]:
        """Yield the element itself and everything below that has these *tags*."""
        return self._each(self._node.found(tags, True))

    def _each(self, nodes: Sequence[Node]) -> Iterator[Told]:
        document, stands = self._document, self._document.stands
        found: list[Told] = []
        for node in nodes:
            if stands is not None and node.element is stands:
                found += [Told(unit.root, document, unit, number) for number, unit in enumerate(document.units)]
            else:
                found.append(Told(node, document, self._unit, self._number))
        return iter(found)

    def record(self, shape: Shape, size: int) -> Record:
        """Return what a walk of the element by *shape* finds."""
        texts = self._unit.texts
        if texts is None:
            with suppress(MalformedMessage):
                return xml.walk(self._node.element, shape, size)
            return xml.walk(self(), shape, size)
        _, known = self._node.outlines.get(id(shape)) or self._node.learn(shape, size)
        return xml.walk(self(), shape, size) if known is None else known.record(texts)

    def around(self, position: str, where: str) -> Told | None:
        """Return an element known by its tags in whose :attr:`like` the path *where* leads as in the document, or None; *position* is that
        of this one."""
        document, unit = self._document, self._unit
        if document.changed:
            return None
        if document.stands is None:
            return self
        name = document.stands.tag.rpartition("}")[2]
        if self._number >= 0 and where.startswith(position) and position.rpartition("/")[2].partition("[")[0] == name:
            return None if unit.texts is None or ".." in where else self
        if document.frame is None or "…" in where or name in where:
            return None
        return Told(document.frame.root, document, document.frame)

    def start(self, inner: etree._Element) -> int:
        """Return the byte at which the start tag begins of what *inner* is in :attr:`like`."""
        document, tag, at = self._document, _number(inner), self._unit.at
        if self._number < 0 and tag > document.place:
            tag, at = tag - document.place - 1, document.last
        return next(islice(_BRACKETS(document.body, at), tag, None)).start()

    def __call__(self) -> etree._Element:
        """Return the element itself: the document is parsed."""
        top, at = self._unit.root.element, self._node.element
        steps: list[int] = []
        while at is not top:
            around = at.getparent()
            assert around is not None
            steps.append(around.index(at) + self._shifted(around, at))
            at = around
        found = self._document.root() if self._number < 0 else self._document.unit(self._number)
        for step in reversed(steps):
            found = found[step]
        return found

    def _shifted(self, around: etree._Element, at: etree._Element) -> int:
        """Return how many elements more stand before *at* in the document than in its frame."""
        stands = self._document.stands
        behind = stands is not None and stands.getparent() is around and around.index(stands) < around.index(at)
        return len(self._document.units) - 1 if behind else 0


# --- documents by their tags -------------------------------------------------------------------------------------------------------------


class _Around(NamedTuple):
    """The tags around the units of a document, with one between that is for all of them."""

    name: str
    tags: Sequence[str]
    place: int

    def enclosed(self, unit: bytes) -> bytes:
        """Return a document of one *unit*."""
        return b"".join((_tagged(self.tags[: self.place]), unit, _tagged(self.tags[self.place + 1 :])))


_Key = tuple[str, str]
"""The tags around a unit, or nothing, and those of the unit or the document."""


def _weight(key: _Key, model: _Model | None) -> int:
    """Return how much of :data:`KEPT` a model takes: its tags, and more where they are long."""
    return (model.size if model is not None else 1) + (len(key[0]) + len(key[1])) // 32


class Outlines:
    """What is known of one kind of documents by their tags.

    *unit* is the local name of the element that repeats, where a reader asks for such elements by their name and no walk of what stands
    around them reads them. *prepare* changes each tree before it is read, by its tags alone; it gets the bytes, too.
    """

    def __init__(self, unit: str = "", prepare: Callable[[etree._Element, bytes], None] | None = None) -> None:
        self._unit = unit
        self._prepare = prepare
        self._closing = f"{unit}>".encode()
        self._ends = re.compile(rb"</((?:[A-Za-z_][\w.-]{0,100}:)?%s)>" % unit.encode()).match
        self._kept: dict[_Key, _Model | None] = {}
        self._size = 0
        self._once: dict[int, None] = {}
        self._lock = Lock()

    def read(self, body: bytes, encoding: str) -> tuple[Element, str]:
        """Return the document element of *body*, and the namespace that was taken off all its elements, if any.

        *encoding* is used where the document declares none. Raises :class:`MalformedMessage`.
        """
        if encoding.lower() not in _UTF8 or len(body) > BODY_LIMIT:
            return self._parse(body, encoding)
        last = self._last_end(body) if self._unit else None
        if last is not None and (len(body) > LIMIT or body.find(last[0]) < last.start()):
            return self._file(body, last) or self._parse(body)
        pieces = cut(body, TAGS) if len(body) <= LIMIT else None
        if pieces is None or not pieces.tags:
            return self._parse(body)
        key = ("", "<".join(pieces.tags))
        model = self._kept.get(key)
        if model is not None and _encloses(pieces):
            document = _Document(body, model, self._tree)
            return Told(model.root, document, _Unit(model.root, pieces.texts, 0)), model.bared
        found = self._parse(body)
        if model is None:
            self._learn(key, partial(self._whole, pieces.tags))
        return found

    def _parse(self, body: bytes, encoding: str = "utf-8") -> tuple[etree._Element, str]:
        root, bared = xml.parse_bare(body, encoding)
        if self._prepare is not None:
            self._prepare(root, body)
        return root, bared

    def _tree(self, body: bytes, bared: str) -> etree._Element:
        """Return the document element of *body* without the namespace *bared*, whatever its texts say of namespaces."""
        root, found = self._parse(body)
        if found != bared:
            for each in root.iter(etree.Element):
                each.tag = str(each.tag).rpartition("}")[2]
        return root

    # --- files of many units ---

    def _last_end(self, body: bytes) -> re.Match[bytes] | None:
        """Return the end tag of the last unit; names around the units may end as theirs does."""
        at = len(body)
        for _ in range(_NAMES_AROUND):
            at = body.rfind(self._closing, 0, at)
            found = self._ends(body, body.rfind(b"</", 0, at)) if at >= 0 else None
            if found is not None or at < 0:
                return found
        return None

    def _file(self, body: bytes, end: re.Match[bytes]) -> tuple[Element, str] | None:
        """Return a document whose last unit ends with *end*; None where it must be parsed as a whole."""
        start = re.search(rb"<%s[\s>]" % re.escape(end[1]), body)
        begin, last, name = start.start() if start else 0, end.end(), end[1].decode()
        if max(begin, len(body) - last) > LIMIT:
            return None
        head, tail = cut(body[:begin]), cut(body[last:])
        if head is None or tail is None or not head.tags or not tail.tags:
            return None
        spaces = "".join(_NAMESPACE(body[begin : body.index(b">", begin)].decode("utf-8", "replace")))
        pieces = Pieces([*head.texts, *tail.texts], [*head.tags, f"{name}{spaces}/", *tail.tags])
        around = _Around(name, pieces.tags, len(head.tags))
        key = ("", "<".join(pieces.tags))
        frame = self._kept.get(key) or self._learn(key, partial(self._frame, around))
        if frame is None or not _encloses(pieces):
            return None
        document = _Document(body, frame, self._tree)
        units = self._units(document, (begin, last), end[0], around, frame)
        if units is None:
            return None
        document.units, document.place, document.last = units, around.place, last
        document.frame = _Unit(frame.root, pieces.texts, 0)
        return Told(frame.root, document, document.frame), frame.bared

    def _units(self, document: _Document, within: tuple[int, int], end: bytes, around: _Around, frame: _Model) -> list[_Unit] | None:
        """Return the units of *body*, each known by its tags or parsed on its own; None where that goes wrong or is not worth it."""
        found: list[_Unit] = []
        body = document.body
        name, alone = "<".join(around.tags), 0
        for at, behind, pieces in _cuts(body, within, end):
            model = None
            if pieces is not None:
                key = (name, "<".join(pieces.tags))
                model = self._kept.get(key) or self._learn(key, partial(self._one, pieces.tags, around, frame))
            if len(found) == ITEM_LIMIT:
                return None
            if pieces is not None and model is not None:
                document.changed |= model.changed
                found.append(_Unit(model.root, pieces.texts, at))
                continue
            alone += 1
            element = self._alone(body[at:behind], around, frame) if alone <= ALONE else None
            if element is None:
                return None
            document.changed |= self._prepare is not None
            found.append(_Unit(Node(element), None, at))
        return found

    def _alone(self, unit: bytes, around: _Around, frame: _Model) -> etree._Element | None:
        """Return a unit parsed on its own, between the tags around it; None where it is not just one element."""
        if re.match(rb"\s*<%s[\s>]" % re.escape(around.name.encode()), unit) is None:
            return None
        try:
            return self._only(self._parse(around.enclosed(unit)), frame)
        except MalformedMessage:
            return None

    def _only(self, found: tuple[etree._Element, str], frame: _Model | None = None) -> etree._Element | None:
        """Return the one unit in *found*; None where there are more, or where its name is not that of the units in *frame*."""
        root, bared = found
        units = list(root.iterdescendants("{*}" + self._unit))
        if len(units) != 1 or (frame is not None and (frame.stands is None or frame.stands.tag != units[0].tag or frame.bared != bared)):
            return None
        return units[0]

    # --- learning ---

    def _learn(self, key: _Key, make: Callable[[], _Model | None]) -> _Model | None:
        """Keep what *make* makes when *key* comes for the second time: who writes every message in another way costs nothing."""
        with self._lock:
            if key in self._kept:
                return self._kept[key]
            if hash(key) not in self._once:
                self._once[hash(key)] = None
                if len(self._once) > ONCE:
                    del self._once[next(iter(self._once))]
                return None
            model = self._kept[key] = make()
            self._size += _weight(key, model)
            while self._size > KEPT:
                oldest = next(iter(self._kept))
                self._size -= _weight(oldest, self._kept.pop(oldest))
            return model

    def _whole(self, tags: Sequence[str]) -> _Model | None:
        """Return the model of a document."""
        found = self._model(tags, _numbered(tags))
        return None if found is None else _Model(*found, tags)

    def _frame(self, around: _Around) -> _Model | None:
        """Return the model of what stands around units."""
        found = self._model(around.tags, _numbered(around.tags))
        stands = None if found is None else self._only(found)
        return None if found is None or stands is None else _Model(*found, around.tags, stands)

    def _one(self, tags: Sequence[str], around: _Around, frame: _Model) -> _Model | None:
        """Return the model of one unit."""
        if tags[0].partition(" ")[0] != around.name:
            return None
        found = self._model(tags, around.enclosed(_numbered(tags)))
        only = None if found is None else self._only(found, frame)
        return None if found is None or only is None else _Model(only, found[1], tags)

    def _model(self, tags: Sequence[str], body: bytes) -> tuple[etree._Element, str] | None:
        """Parse *body*, made of *tags*; None where there is more to them than elements in UTF-8."""
        declared = tags[0].startswith("?")
        if len(tags) > TAGS or (declared and not _DECLARATION(tags[0])):
            return None
        if any(tag[:1] in ("?", "!") or not _NO_MARK.isdisjoint(tag) for tag in tags[declared:]):
            return None
        try:
            root, bared = self._parse(body)
        except MalformedMessage:
            return None
        for each in root.iter():
            if len(each):
                each.text = _MIXED
        return root, bared


def _cuts(body: bytes, within: tuple[int, int], end: bytes) -> Iterator[tuple[int, int, Pieces | None]]:
    """Yield for each unit where it begins and ends, and its pieces where brackets settle it: many are cut at once."""
    at, last = within
    while at < last:
        behind = max(body.rfind(end, at, min(at + LIMIT, last)), body.index(end, at)) + len(end)
        pieces = cut(body[at:behind]) if behind - at <= LIMIT else None
        ends = []
        while at < behind:
            ends.append((at, at := body.index(end, at) + len(end)))
        if pieces is None:
            yield from ((begin, stop, cut(body[begin:stop]) if len(ends) > 1 else None) for begin, stop in ends)
        else:
            yield from _dealt(pieces, ends, end[1:-1].decode())


def _dealt(pieces: Pieces, ends: Sequence[tuple[int, int]], end: str) -> Iterator[tuple[int, int, Pieces]]:
    """Yield the pieces of each unit that ends with the tag *end*."""
    texts, tags = pieces
    first = 0
    for begin, stop in ends:
        behind = tags.index(end, first) + 1
        yield begin, stop, Pieces(texts[first : behind + 1], tags[first:behind])
        first = behind


def _encloses(pieces: Pieces) -> bool:
    """Whether nothing but blanks stands outside of the document element, and the declaration at the very beginning."""
    texts, declared = pieces.texts, pieces.tags[0].startswith("?")
    return not texts[-1].strip(_BLANK) and not (texts[0] + texts[1].strip(_BLANK) if declared else texts[0].strip(_BLANK))


def _tagged(tags: Sequence[str]) -> bytes:
    return "".join(f"<{_on_one_line(tag)}>" for tag in tags).encode()


def _opens(tag: str) -> bool:
    return not tag.startswith(("/", "?")) and not tag.endswith("/")


def _numbered(tags: Sequence[str]) -> bytes:
    """Return a document of *tags*, each on a line of its own, with a number for the text at the beginning of each element."""
    tags = list(map(_on_one_line, tags))
    parts = [f"<{tags[0]}>"]
    for place, (before, tag) in enumerate(pairwise(tags), 1):
        text = f"{_MARK}{place}" if _opens(before) else ""
        parts.append(f"{text}\n<{tag}>")
    return "".join(parts).encode()


def _on_one_line(tag: str) -> str:
    """Return *tag* with blanks for line breaks, as the parser reads them."""
    return tag.replace("\n", " ")
