"""Which format are these bytes? By content; never by a file name, and by headers only where the content leaves a doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from shared.errors import UnknownFormat
from shared.formats import READERS, TABLES, csv
from shared.formats.base import Likeness, Reader, Sketch
from shared.formats.xml import UTF16

HEAD: Final = 4096
"""Bytes looked at."""

_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_ROOT = re.compile(rb"<(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)([^>]*)")
_NAMESPACE = re.compile(rb"""xmlns(?::([\w.-]+))?\s*=\s*["']([^"']*)["']""")
_KEY = re.compile(rb'"((?:[^"\\]|\\.){1,60})"\s*:')
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f]")
_SERVICE = re.compile(rb"UNA(.)(.).{3}(.)|UN[BH](\+)", re.DOTALL)
_CARGO_IMP = re.compile(rb"(?:\A|[\r\n])[ \t\x01-\x03]*(FWB|FHL|FFM|FSU|FNA|FMA|PSN|PER|FSN|FER)(?:/[0-9]{1,3})?[ \t]*(?=[\r\n\x03]|\Z)")
_ARCHIVE: Final = b"PK\x03\x04"
_SHEETS: Final = b"xl/workbook.xml"
_COLUMNS: Final = frozenset[str]().union(*(module.COLUMNS for module in TABLES.values()))
_CERTAIN: Final = 1.0
_HINTED: Final = 0.5
"""A format named by the sender is taken when the content is at least that much like it: its reader then says exactly what is wrong."""


def recognise(
    body: bytes,
    content_type: str | None = None,
    hint: str | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
) -> Reader:
    """Return the format of *body*.

    *hint* is a format's name and *content_type* a media type, as a header gave them; *columns* translates a sender's own column names,
    *encoding* is the character set agreed with it.
    Raises :class:`UnknownFormat`, which says what came near and why not.
    """
    sketch = look(body, columns or {}, encoding)
    found = _certain(sketch)
    if found is not None:
        return found
    likenesses = [(module, module.recognise(sketch)) for module in READERS.values()]
    for module, likeness in likenesses:
        if likeness.degree >= _HINTED and (hint == module.NAME or _media_type(content_type) in module.CONTENT_TYPES):
            return module
    raise UnknownFormat(_explain(sketch, likenesses))


@lru_cache(maxsize=4096)
def _certain(sketch: Sketch) -> Reader | None:
    """Return the first format that is sure; one sender's messages all begin alike, so the formats are asked once."""
    return next((module for module in READERS.values() if module.recognise(sketch).degree >= _CERTAIN), None)


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _explain(sketch: Sketch, likenesses: Iterable[tuple[Reader, Likeness]]) -> str:
    near = sorted((pair for pair in likenesses if pair[1].degree > 0), key=lambda pair: -pair[1].degree)
    looks = {
        "xml": "XML",
        "json": "JSON",
        "csv": "a table",
        "text": "text without a header row",
        "workbook": "a workbook",
        "edifact": "EDIFACT",
        "cargo-imp": "Cargo-IMP",
        "other": sketch.root or "no known syntax",
    }[sketch.kind]
    why = "; ".join(f"{module.NAME}: {likeness.why}" for module, likeness in near[:4])
    return f"The bytes look like {looks}. {why}".rstrip()


def look(body: bytes, columns: Mapping[str, str] | None = None, encoding: str = "utf-8") -> Sketch:
    """Return what the first 4 kB tell."""
    if body.startswith(_ARCHIVE):
        return Sketch("workbook") if _SHEETS in body else Sketch("other", "a ZIP archive without a workbook")
    head = body[:HEAD]
    if head.startswith(UTF16):
        head = head.decode("utf-16", "ignore").encode()
        encoding = "utf-8"
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first = head[:1]
    if first == b"<":
        return _look_at_xml(head)
    if first in (b"{", b"["):
        return Sketch("json", keys=frozenset(key.decode("utf-8", "replace") for key in _KEY.findall(head)))
    if first == b"U" and (service := _SERVICE.match(head)):
        return _look_at_edifact(head, service)
    if text := _CARGO_IMP.match(head):
        return Sketch("cargo-imp", text[1].decode())
    line = head.partition(b"\n")[0].rstrip()
    beside = not _CONTROL.search(line) and any(separator in line for separator in (b",", b";", b"\t"))
    names = column_names(_decoded(line, encoding), columns or {}) if beside else frozenset()
    known = names & _COLUMNS
    if len(known) > 1 or (beside and csv.looks_headed(_decoded(head, encoding))):
        return Sketch("csv", keys=names)
    if text := _CARGO_IMP.search(head):
        return Sketch("cargo-imp", text[1].decode())
    return Sketch("text", keys=known) if beside else Sketch("other")


def _decoded(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding, "replace")
    except LookupError:
        return line.decode("utf-8", "replace")


def _look_at_xml(head: bytes) -> Sketch:
    root = _ROOT.search(head)
    if root is None or head.find(b"<!--", 0, root.end()) >= 0:
        head = _COMMENT.sub(b"", head)
        root = _ROOT.search(head)
    if root is None:
        return Sketch("xml")
    sketch = _of_root(root[0])
    if sketch.root not in ("Envelope", "MetaData"):
        return sketch
    inside = frozenset(match[2].decode("utf-8", "replace") for match in _ROOT.finditer(_COMMENT.sub(b"", head)))
    return Sketch("xml", sketch.root, sketch.namespace, inside)


@lru_cache(maxsize=1024)
def _of_root(start_tag: bytes) -> Sketch:
    """Return what the start tag of a document element tells."""
    root = _ROOT.match(start_tag)
    assert root is not None
    namespaces = {name or b"": address for name, address in _NAMESPACE.findall(root[3])}
    return Sketch("xml", root[2].decode("utf-8", "replace"), namespaces.get(root[1] or b"", b"").decode("utf-8", "replace"))


def _look_at_edifact(head: bytes, service: re.Match[bytes]) -> Sketch:
    """UNA or UNB came first: the first UNH says the rest."""
    component, element = service[1] or b":", service[2] or b"+"
    plus, other = re.escape(element), rb"[^" + re.escape(element) + rb"]*"
    unh = re.search(rb"UNH" + plus + other + plus + rb"([\w\s" + re.escape(component) + rb"]{0,60})", head)
    said = [part.decode("latin-1").strip() for part in unh[1].split(component)] if unh else []
    said += [""] * (5 - len(said))
    return Sketch("edifact", said[0], said[4], frozenset({f"{said[1]}:{said[2]}"}))


def column_names(line: str, columns: Mapping[str, str]) -> frozenset[str]:
    """Return the names of a header row in lower case, after *columns* translated a sender's own."""
    own = {name.strip().lower(): hub for name, hub in columns.items()}
    names = (cell.strip().strip('"').strip().lower() for cell in re.split(r"[,;\t]", line))
    return frozenset(own.get(name, name) for name in names)
