"""XML: one hardened parse, one walk with a table per message type.

Refused before or while parsing: more than 5 MiB, NUL bytes, any DOCTYPE (so no entity but the five of XML), another character set than
those listed, more than 32 levels or 32 attributes, a namespace of more than 300 characters. Nothing is fetched. The walk goes through the
elements once in document order, counting children as it goes, so a leaf is only read inside the element its table belongs to and no path
is ever searched.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from lxml import etree

from shared.errors import MalformedMessage
from shared.formats.base import BODY_LIMIT
from shared.formats.places import named_in
from shared.formats.rules import RULES

if TYPE_CHECKING:
    from shared.formats.outlines import Told

DEPTH_LIMIT: Final = 32
ATTRIBUTE_LIMIT: Final = 32
NAMESPACE_LIMIT: Final = 300
SPELLINGS: Final = 64
"""Namespaces for which the tables of a format are kept: real senders use a few, and a hostile one may invent any number."""

UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How UTF-16 begins."""
_BINARY: Final = (b"PK\x03\x04", *UTF16)
"""How bytes begin that may hold NUL: a ZIP archive, UTF-16."""
_NO_MESSAGES: Final = {
    b"%PDF-": "a PDF",
    b"\xd0\xcf\x11\xe0": "a file of an old office program",
    b"\x1f\x8b": "packed with gzip",
    b"BZh": "packed with bzip2",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"{\\rtf": "a text document",
}
"""How files begin that are sent by mistake, and what they are."""

CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "iso-8859-15", "windows-1252"})
"""Character sets a message may declare: all keep ASCII where it is, so the checks before parsing see what the parser sees."""

_OWN_PARSER_BYTES: Final = 64 * 1024
"""From here on a message has a parser of its own: a parser is locked while it works, and a large file may be parsed in another thread."""

DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""").match
"""The declaration of a character set at the beginning of a document."""
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>").match
_TOO_MANY_ATTRIBUTES: Final[Any] = etree.XPath(f"(//*[count(@*) > {ATTRIBUTE_LIMIT}])[1]")
_LONG_TAG = re.compile(rb"=[^<]{%d}" % (5 * ATTRIBUTE_LIMIT)).search
"""What stands behind the first sign of equality in a tag with more attributes than allowed: only then is it worth counting them. There are
few such signs, so looking behind them is cheap."""
_LONG_NAMESPACE = re.compile(rb"xmlns(?::[^\s=<>\"']{1,100})?\s{0,9}=\s{0,9}[\"'][^\"'<>]{%d}" % (NAMESPACE_LIMIT + 1)).search
_COPIED: Final = 2 * 1024 * 1024
"""Bytes of a document that may be in memory twice."""
_ONLY_NAMESPACE = re.compile(
    rb"""\s{0,20}(?:<\?xml[^<>]{0,100}\?>\s{0,20})?<[A-Za-z_][\w.-]{0,100}(?:\s{1,9}[\w.-]{1,50}="[^"<>&]{0,200}"){0,5}?\s{1,9}"""
    rb"""(xmlns="(urn:[\w.][\w.:/-]{0,250}|http://[\w.-]{1,50}(?:/[\w./-]{0,200})?)")"""
).match
"""A document element without prefix, with the declaration of its namespace: an address that libxml2 has nothing to say of."""
_TOO_DEEP = etree.XPath(f"boolean({'/'.join('*' * (DEPTH_LIMIT - 4))})")
_OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
    "remove_blank_text": True,
}
Element: TypeAlias = "etree._Element | Told"
"""An element of a document, parsed or known by its tags."""

_PARSER = etree.XMLParser(**_OPTIONS)


def malformed(code: str, message: str | None = None, **where: Any) -> MalformedMessage:
    """Return the error to raise for a whole message."""
    rule = RULES[code]
    if "line" not in where and "path" in where:
        where["line"] = named_in(where["path"])[0]
    return MalformedMessage(message or rule.message, code=code, remedy=rule.remedy, **where)


def check_size(body: bytes) -> None:
    """Refuse nothing at all, and too much. Raises :class:`MalformedMessage`."""
    if len(body) > BODY_LIMIT:
        raise malformed("MSG-TOO-LARGE")
    text = body.removeprefix(codecs.BOM_UTF8)
    if not text or text.isspace():
        raise malformed("MSG-EMPTY")


def check_arrival(body: bytes) -> None:
    """Refuse what no format takes at all. NUL bytes may stand only in what begins as a workbook or as UTF-16; the readers of text refuse
    them anyway. Raises :class:`MalformedMessage`."""
    what = next((what for start, what in _NO_MESSAGES.items() if body.startswith(start)), None)
    if what is not None:
        raise malformed("MSG-BINARY", f"The bytes are no message but {what}.")
    (check_size if body.startswith(_BINARY) else check_bytes)(body)


def check_bytes(body: bytes) -> None:
    """Refuse what no text format takes: nothing at all, too much, NUL bytes. Raises :class:`MalformedMessage`."""
    check_size(body)
    if b"\0" in body:
        raise malformed("MSG-NUL", line=body.count(b"\n", 0, body.index(b"\0")) + 1)


def parse(body: bytes, fallback_encoding: str = "utf-8") -> etree._Element:
    """Return the document element of *body*. *fallback_encoding* is used where the document declares none.

    Raises :class:`MalformedMessage`.
    """
    body, fallback_encoding = _checked(body, fallback_encoding)
    _check_namespaces(body)
    return _tree(body, fallback_encoding)


def parse_bare(body: bytes, fallback_encoding: str = "utf-8") -> tuple[etree._Element, str]:
    """Return the document element of *body*, and the namespace that was taken off all its elements, if any.

    One namespace, declared at the document element without a prefix, is that of every element: it is blanked before parsing, since a
    qualified name costs as much to read as the text below it. Lines and columns stay as they are.

    Raises :class:`MalformedMessage`.
    """
    body, fallback_encoding = _checked(body, fallback_encoding)
    only = _ONLY_NAMESPACE(body) if len(body) <= _COPIED else None
    if only is None or not body.find(b"xmlns") == body.rfind(b"xmlns") == only.start(1):
        _check_namespaces(body)
        return _tree(body, fallback_encoding), ""
    begin, end = only.span(1)
    return _tree(b"".join((body[:begin], b" " * (end - begin), body[end:])), fallback_encoding), only[2].decode()


def of_utf16(body: bytes) -> bytes:
    """Return a document in UTF-16 with its byte order mark in UTF-8. Its declaration is blanked, so that nothing moves.

    Raises :class:`MalformedMessage`.
    """
    check_size(body)
    try:
        text = body.decode("utf-16")
    except UnicodeDecodeError as exc:
        raise malformed("MSG-CHARSET", "The bytes are not UTF-16, as their byte order mark says.") from exc
    declared = _DECLARATION(text)
    if declared is not None:
        text = " " * declared.end() + text[declared.end() :]
    return text.encode()


def _checked(body: bytes, encoding: str) -> tuple[bytes, str]:
    """Return a document that may be parsed, with its character set where it declares none; UTF-16 becomes UTF-8."""
    if body.startswith(UTF16):
        body, encoding = of_utf16(body), "utf-8"
    check_bytes(body)
    if b"!" in body and b"<!DOCTYPE" in body:
        raise malformed("MSG-DOCTYPE", line=body.count(b"\n", 0, body.find(b"<!DOCTYPE")) + 1)
    return body, encoding


def _check_namespaces(body: bytes) -> None:
    if (long := _LONG_NAMESPACE(body)) is not None:
        raise malformed("MSG-NAMESPACE", line=body.count(b"\n", 0, long.start()) + 1)


def _tree(body: bytes, fallback_encoding: str) -> etree._Element:
    declared = DECLARED(body)
    parser = _PARSER if len(body) < _OWN_PARSER_BYTES else etree.XMLParser(**_OPTIONS)
    if declared is None:
        if fallback_encoding.lower() not in {"utf-8", "utf8"}:
            parser = etree.XMLParser(encoding=fallback_encoding, **_OPTIONS)
    elif (said := declared[1].decode().lower()) not in CHARSETS and not _same(said, fallback_encoding):
        raise malformed("MSG-CHARSET", f"The character set {declared[1].decode()} is not accepted.", line=1)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as exc:
        raise _syntax(exc) from exc
    if _LONG_TAG(body) and (found := _TOO_MANY_ATTRIBUTES(root)):
        raise malformed("MSG-ATTRIBUTES", line=found[0].sourceline)
    return root


def _same(charset: str, agreed: str) -> bool:
    """Whether *charset* is another spelling of the one that was agreed with the sender."""
    try:
        return codecs.lookup(charset).name == codecs.lookup(agreed).name
    except LookupError:
        return False


def _syntax(exc: etree.XMLSyntaxError) -> MalformedMessage:
    """Translate the parser's error. Encoding errors have their own code, and so has libxml2's own depth limit."""
    text = exc.msg or "not well-formed"
    line, column = exc.position
    if "encoding" in text.lower() or "not proper UTF-8" in text:
        return malformed("MSG-CHARSET", f"The bytes are not in the declared character set: {text[:150]}", line=line, column=column)
    if "depth" in text.lower():
        return malformed("MSG-DEPTH", line=line, column=column)
    return malformed("MSG-SYNTAX", f"The XML is not well-formed: {text[:150]}", line=line or None, column=column or None)


class Leaf(NamedTuple):
    """Where the text of an element goes: into record *part*, under *key*. A plain tuple is walked faster."""

    part: int
    key: str


class Shape(NamedTuple):
    """One element with children: its leaves, leaves whose attributes count, and inner elements, all by qualified name.

    *opens* is the part that gets a fresh record each time this element begins, or -1. A leaf of *measured* goes where a leaf goes, and its
    attribute (the third value: a unit, a currency) beside it under the key with ``@`` behind.
    """

    leaves: Mapping[str, tuple[int, str]]
    marked: Mapping[str, str]
    inner: Mapping[str, Shape]
    opens: int = -1
    measured: Mapping[str, tuple[int, str, str]] = MappingProxyType({})


LEFT: Final = Shape({}, {}, {})
"""The shape of an element that is known and not read."""


def qualified(namespace: str, name: str) -> str:
    """Return ``{namespace}name`` as lxml writes it."""
    return f"{{{namespace}}}{name}" if namespace else name


def parsed(element: Element) -> etree._Element:
    """Return *element* as one that was parsed."""
    return element if isinstance(element, etree._Element) else element()


def like(element: Element) -> etree._Element:
    """Return *element*, or one that has the same elements inside and other texts."""
    return element if isinstance(element, etree._Element) else element.like


class Marked(NamedTuple):
    """A leaf with its attributes (by local name)."""

    key: str
    text: str
    attributes: dict[str, str]


class Record(NamedTuple):
    """What one walk found: a flat dict per part, the lists of those parts that repeat, and what did not fit."""

    parts: list[dict[str, str]]
    lists: list[list[dict[str, str]]]
    marked: list[Marked]
    repeated: list[tuple[int, int, str]]
    unknown: list[str]


def walk(element: Element, shape: Shape, size: int) -> Record:
    """Read *element* into flat records, *size* parts of them. Texts are trimmed; an empty element is an absent one.

    Raises :class:`MalformedMessage` when the element is nested deeper than 32 levels.
    """
    if not isinstance(element, etree._Element):
        return element.record(shape, size)
    found = Record([{} for _ in range(size)], [[] for _ in range(size)], [], [], [])
    _walk(element, shape, found)
    if found.repeated:
        found.repeated[:] = dict.fromkeys(found.repeated)
    return found


def _walk(element: etree._Element, shape: Shape, found: Record) -> None:
    """Read the children of *element*; a known element with children of its own is gone into, so the table bounds the depth."""
    leaves, marked, inner, parts = shape.leaves, shape.marked, shape.inner, found.parts
    for child in element:
        tag = child.tag
        leaf = leaves.get(tag)
        if leaf is not None:
            text = child.text
            if text and (text := text.strip()):
                part, key = leaf
                record = parts[part]
                if key in record:
                    found.repeated.append((part, len(found.lists[part]), key))
                record[key] = text
            elif len(child):
                _unknown(child, found)
            continue
        group = inner.get(tag)
        if group is None or (marked and tag in marked and not len(child)):
            _branch(child, tag, shape, found)
        elif group.opens < 0:
            if group is not LEFT:
                _walk(child, group, found)
        elif len(child):
            fresh: dict[str, str] = {}
            parts[group.opens] = fresh
            found.lists[group.opens].append(fresh)
            _walk(child, group, found)


def _branch(child: etree._Element, tag: Any, shape: Shape, found: Record) -> None:
    """Keep a leaf whose unit or attributes matter, note one that is unknown."""
    measured = shape.measured.get(tag)
    if measured is not None and not len(child):
        _measure(child, measured, found)
        return
    key = shape.marked.get(tag)
    if key is None or len(child):
        _unknown(child, found)
    else:
        attributes = {_local(name): str(value).strip() for name, value in child.items()}
        found.marked.append(Marked(key, (child.text or "").strip(), attributes))


def _measure(child: etree._Element, measured: tuple[int, str, str], found: Record) -> None:
    """Keep a value with its unit. One that is given twice is noted like any leaf."""
    text = child.text
    if text and (text := text.strip()):
        part, key, attribute = measured
        record = found.parts[part]
        if key in record:
            found.repeated.append((part, len(found.lists[part]), key))
        record[key] = text
        unit = child.get(attribute)
        if unit:
            record[key + "@"] = str(unit).strip()


def _unknown(child: etree._Element, found: Record) -> None:
    found.unknown.append(_local(child.tag))
    if len(child) and _TOO_DEEP(child):
        raise malformed("MSG-DEPTH", line=child.sourceline)


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]
