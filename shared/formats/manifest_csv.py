"""Express manifest as CSV: a header row in any order and any case, one row per goods line, unknown columns kept.

Rows of one house waybill belong to one consignment, wherever they stand; what they repeat about it must be the same (see
:mod:`shared.formats.manifest`). The message id is manifest number and master waybill with the beginning of the content's SHA-256, since a
corrected manifest keeps its number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from shared.formats import csv, manifest
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "manifest-csv"
TITLE: Final = "Express manifest, CSV"
CONTENT_TYPES: Final[tuple[str, ...]] = ("text/csv",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = manifest.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
PATHS: Final[Mapping[str, str]] = manifest.paths("")


def recognise(sketch: Sketch) -> Likeness:
    """A table whose header names ``hawb`` and a few more columns of the layout."""
    if sketch.kind != "csv":
        return UNLIKE
    known = sketch.keys & manifest.COLUMNS
    if "hawb" not in known:
        return Likeness(0.5 if len(known) > 3 else 0.1, f"a table with {len(known)} columns of the manifest, but without hawb")
    return Likeness(1.0 if len(known) > 3 else 0.6, f"a table with {len(known)} columns of the manifest")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a manifest. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    rows = csv.parse(raw.body, dialect.encoding, dialect.columns)
    groups: dict[str, list[csv.Row]] = {}
    for row in rows:
        groups.setdefault(row.cells.get("hawb", f"?{row.line}").upper(), []).append(row)
    if not groups:
        raise malformed("MSG-NO-ITEMS")
    if len(groups) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", value=str(len(groups)))
    head = MessageHead(NAME, message_id(raw.body, rows[0].cells))
    return Parsed(head, _items(groups.values(), head, raw, dialect), len(groups))


def message_id(body: bytes, cells: Mapping[str, str]) -> str:
    """Return the id of a manifest that has none of its own."""
    digest = hashlib.sha256(body).hexdigest()
    number = "/".join(cells[name] for name in ("manifest_no", "mawb") if name in cells) if "manifest_no" in cells else ""
    return f"{number[:70]}#{digest[:16]}" if number else f"sha256:{digest}"


def _items(groups: Iterable[list[csv.Row]], head: MessageHead, raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    for rows in groups:
        item = Item(f"line {rows[0].line}", PATHS, dialect)
        for index, row in enumerate(rows):
            if index:
                item.paths[f"/goods_items/{index}"] = f"line {row.line}"
            if row.surplus:
                item.note("FLD-FORM", at=f"line {row.line}", message="The row has more cells than the header has columns.")
        yield manifest.filing(_common(rows, item), _lines(rows), item, head, raw)


def _common(rows: list[csv.Row], item: Item) -> dict[str, str]:
    """Return what the rows say about the consignment; a row that says something else is refused with it."""
    common = {name: cell for name, cell in rows[0].cells.items() if name not in manifest.GOODS}
    for row in rows[1:]:
        for name, cell in row.cells.items():
            if name not in manifest.GOODS and common.setdefault(name, cell) != cell and name in manifest.COLUMNS and name != "hawb":
                item.note("FLD-DIFFERS", at=f"line {row.line}/{name}", value=cell)
    return common


def _lines(rows: list[csv.Row]) -> list[dict[str, str]]:
    lines = [{name: cell for name, cell in row.cells.items() if name in manifest.GOODS} for row in rows]
    return [line for line in lines if line]
