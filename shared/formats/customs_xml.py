"""What the XML of customs systems has in common (ICS2, ASYCUDA World, UK declarations): names without prefix, one walk.

Names are matched by local name in the message's own namespace or in none, so it does not matter where a sender declares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shared.formats import values, xml
from shared.formats.filings import Item
from shared.formats.outlines import Outlines
from shared.formats.places import Source
from shared.formats.postal_files import qualified
from shared.formats.xml_places import Tree
from shared.model import Dialect, RawMessage

CONTENT_TYPES: Final[tuple[str, ...]] = ("application/xml", "text/xml")
Leaves = Mapping[str, tuple[int, str]]


class Document(NamedTuple):
    """A message whose bytes are sound XML. ``spaces`` are the namespaces the names of its elements may be in; ``namespace`` may have been
    taken off them."""

    root: xml.Element
    name: str
    namespace: str
    spaces: tuple[str, ...]
    source: Source


def open_document(raw: RawMessage, dialect: Dialect, known: Outlines) -> Document:
    """Read *raw*, one of the documents that *known* is about. Raises :class:`shared.errors.MalformedMessage`."""
    root, bared = known.read(raw.body, dialect.encoding)
    namespace, _, name = str(root.tag).rpartition("}")
    namespace = namespace[1:]
    return Document(root, name, bared or namespace, (namespace, "") if namespace else ("",), Tree(raw.body, dialect.encoding))


def shape(
    spaces: Sequence[str],
    leaves: Leaves,
    inner: Mapping[str, xml.Shape] | None = None,
    *,
    measured: Mapping[str, tuple[int, str, str]] | None = None,
    left: Iterable[str] = (),
    opens: int = -1,
) -> xml.Shape:
    """Return a walker's table by qualified name; *left* are elements that are known and not read."""
    within = dict(inner or {}) | dict.fromkeys(left, xml.LEFT)
    return xml.Shape(qualified(spaces, leaves), {}, qualified(spaces, within), opens, qualified(spaces, measured or {}))


@lru_cache(maxsize=1024)
def _names(name: str, spaces: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(xml.qualified(space, name) for space in spaces)


def children(element: xml.Element, name: str, spaces: tuple[str, ...]) -> list[xml.Element]:
    """Return the children called *name*."""
    return list(element.iterchildren(*_names(name, spaces)))


def misfits(record: xml.Record, parts: Sequence[str], item: Item, once_more: Iterable[str] = ()) -> None:
    """What the walk could not place: a field twice (which one is true?), a field nobody knows.

    *parts* names the records of the walk by the dataset path before each, ``~`` for what has none (the last one was taken, with a
    warning); so it goes with the fields *once_more*, too.
    """
    for part, number, name in record.repeated:
        prefix = parts[part]
        if prefix == "~" or name[0] == "~" or name in once_more:
            item.note("FLD-AGAIN", at=f"{item.position}/…/{name.lstrip('~')}")
        elif prefix.endswith("*"):
            item.note("FLD-REPEATED", f"{prefix[:-1]}{number - 1}/{name}")
        else:
            item.note("FLD-REPEATED", f"{prefix}/{name}")
    for name in record.unknown[:20]:
        item.note("FLD-IGNORED", at=f"{item.position}/…/{name}")


def count(record: dict[str, Any], field: str, path: str, item: Item) -> None:
    """Read a number of packages in place; a decimal point without decimals is taken, zero is told (``DQ-12``)."""
    said = record.get(field)
    if said is None:
        return
    whole, _, fraction = said.partition(".")
    canonical = None if fraction.strip("0") else values.whole_number(whole)
    if canonical is None:
        item.note("FLD-FORM", path, said)
        return
    record[field] = canonical
    if canonical == "0":
        item.note("DQ-12", path, said)
