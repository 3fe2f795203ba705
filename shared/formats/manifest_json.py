"""Express manifest as JSON: the columns of :mod:`shared.formats.manifest` as names, goods lines under ``items``.

::

    {"message_id"?, "prepared_at"?, "manifest_no"?, "mawb", "flight", "flight_date"?, "dep_airport"?, "arr_airport"?,
     "consignments": [{"hawb", "shipper_name", …, "consignee_name", …, "pieces", "gross_weight", …,
                       "items": [{"description", "item_value", "currency", …}]}]}

``prepared_at`` is a date-time with offset. Numbers may be JSON numbers or decimal strings. The head's names may also stand in a
consignment, where they win. A name that is not part of the layout refuses the consignment (in the head: the message).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.formats import json, manifest
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.formats.json_places import Json
from shared.formats.manifest_table import message_id
from shared.formats.own_json import envelope, texts
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "manifest-json"
TITLE: Final = "Express manifest, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = manifest.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
PATHS: Final[Mapping[str, str]] = manifest.paths("items[*]/")

_HEAD: Final = (*manifest.HEAD, "manifest_no")
_ENVELOPE: Final = frozenset(_HEAD) | {"message_id", "prepared_at", "consignments"}
_ALLOWED: Final = frozenset(_HEAD) | manifest.CONSIGNMENT | {"items"}


def recognise(sketch: Sketch) -> Likeness:
    """An object that names ``consignments``, or ``hawb`` near its beginning."""
    if sketch.kind != "json":
        return UNLIKE
    if "consignments" in sketch.keys:
        return Likeness(1.0, "an object with consignments")
    if sketch.keys & {"hawb", "mawb", "manifest_no"}:
        return Likeness(0.7, "names of the manifest, but no consignments")
    return Likeness(0.1, "JSON, but without consignments")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a manifest. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    value = json.parse(raw.body)
    if not isinstance(value, dict) or not isinstance(value.get("consignments"), list):
        raise malformed("MSG-HEAD", "The message is no object with a list of consignments.", path="consignments")
    unknown = sorted(value.keys() - _ENVELOPE)
    if unknown:
        raise malformed("FLD-UNKNOWN", f"The message has no field {unknown[0][:60]!r}.", path=unknown[0][:60])
    consignments = value["consignments"]
    if not consignments:
        raise malformed("MSG-NO-ITEMS", path="consignments")
    if len(consignments) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path="consignments", value=str(len(consignments)))
    common = texts({name: value[name] for name in _HEAD if name in value})
    head = envelope(value, NAME, message_id(raw.body, common))
    return Parsed(head, _items(consignments, common, head, raw, dialect), len(consignments))


def _items(
    consignments: list[Any], common: Mapping[str, str], head: MessageHead, raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    known = manifest.Known()
    source = Json(raw.body)
    for number, consignment in enumerate(consignments, 1):
        item = Item(f"consignments[{number}]", PATHS, dialect, source=source)
        if not isinstance(consignment, dict):
            item.note("FLD-FORM", at=item.position, message="A consignment is an object.")
            consignment = {}
        for name in sorted(consignment.keys() - _ALLOWED):
            item.note("FLD-UNKNOWN", at=f"{item.position}/{name[:60]}")
        row = {**common, **texts({name: value for name, value in consignment.items() if name in _ALLOWED and name != "items"}, item)}
        for name in common:
            if name not in consignment:
                _head_path(name, item)
        yield manifest.filing(row, _lines(consignment.get("items"), item), item, head, raw, known)


def _head_path(name: str, item: Item) -> None:
    """A value of the head was not said in the consignment: its path is that of the head."""
    path = f"/{manifest.HEAD[name]}" if name in manifest.HEAD else f"/extra/{name}"
    item.paths[path] = name


def _lines(items: Any, item: Item) -> list[dict[str, str]]:
    if items is None:
        return []
    if not isinstance(items, list):
        item.note("FLD-FORM", at=f"{item.position}/items", message="items is a list of objects.")
        return []
    lines = []
    for number, line in enumerate(items, 1):
        where = f"{item.position}/items[{number}]"
        if not isinstance(line, dict):
            item.note("FLD-FORM", at=where, message="A goods line is an object.")
            continue
        for name in sorted(line.keys() - manifest.GOODS.keys()):
            item.note("FLD-UNKNOWN", at=f"{where}/{name[:60]}")
        lines.append(texts({name: value for name, value in line.items() if name in manifest.GOODS}, item))
    return lines
