"""Stock in and out of a fulfilment centre, JSON or CSV with the same names: the indirect model, where goods come before any sale.

::

    MOVE | {"message_id"?, "prepared_at"?, "stock_events": [MOVE, …]}

    MOVE = {"stock_event_ref", "movement": "entry" | "exit", "moved_at", "warehouse_id", "sku"? | "gtin"?, "quantity", "unit"?, "lot"?,
            "gross_mass_kg"?, "country"?, "place"?, "order_id"? + "platform_id"?, "tracking_number"? + "carrier"?, "reason_code"?,
            "customs_reference"?, "bonded"?, "valuation_basis"?, "unit_value"?, "note"?, "function"?, "version"?}

In CSV each row is one movement; a column that is not among the names is kept. ``bonded`` is yes or no; ``valuation_basis`` says on what
the value at entry rests while there is no sale. Entry and exit of one article share ``stock:<warehouse>:<article>`` until an exit names
its order or consignment; ``stock_event_ref``, article and ``lot`` join them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.formats import commerce_events, csv, own_json
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item, message_id_of
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "stock"
TITLE: Final = "Stock entry and exit, JSON or CSV"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json", "text/csv")
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = "hub layout after the indirect model of the standard dataset"
CERTAINTY: Final[Certainty] = "reconstructed"

_NAMES: Final = MappingProxyType({"movement": "code", "moved_at": "at"})
_KEPT: Final = ("stock_event_ref", "lot", "bonded", "valuation_basis", "unit_value")
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {**commerce_events.paths(_NAMES, _KEPT), "/kind": "movement", "/orders/*/order_id": "order_id", "/orders/*/platform_id": "platform_id"}
)
_LAYOUT: Final = own_json.Layout(NAME, "stock_events", "stock_event", frozenset({"stock_event_ref", "movement"}))
_KINDS: Final = {"entry": "stock_entry", "in": "stock_entry", "exit": "stock_exit", "out": "stock_exit"}
COLUMNS: Final = frozenset(
    {*_NAMES, *_KEPT, *own_json.CONTROL, "tracking_number", "master_number", "sku", "gtin", "unit", "carrier", "order_id", "platform_id"}
    | {"warehouse_id", "quantity", "gross_mass_kg", "pieces", "country", "place", "reason_code", "customs_reference", "note"}
    | {"receptacle_id", "condition_code"}
)
"""Columns of the table, and names of the object."""

MANDATORY: Final[tuple[str, ...]] = ("stock_event_ref", "movement", "moved_at", "warehouse_id", "quantity")
"""Columns without which no row is taken."""


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``stock_events``, or a table with ``stock_event_ref`` and ``movement``."""
    if sketch.kind in ("csv", "text"):
        known, lacking = sketch.keys & COLUMNS, " and ".join(sorted(_LAYOUT.marks - sketch.keys))
        if not known:
            return Likeness(0.05, f"the first line names no column of stock movements, such as {lacking}")
        told = f"a table with {len(known)} columns of stock movements"
        return Likeness(0.1, f"{told}, but without {lacking}") if lacking else Likeness(1.0, told)
    return own_json.recognise(_LAYOUT, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read stock movements. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    if raw.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        message = own_json.open_message(_LAYOUT, raw)
        filings = (_move(said, item, message.head, raw) for item, said in own_json.items(message, PATHS, dialect))
        return Parsed(message.head, filings, len(message.entries))
    table = csv.parse(raw.body, dialect.encoding, dialect.columns)
    count = len(table.rows)
    if not count:
        raise malformed("MSG-NO-ITEMS")
    if count > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", value=str(count))
    head = MessageHead(NAME, message_id_of(raw.body))
    return Parsed(head, _rows(table, head, raw, dialect), count)


def _rows(table: csv.Table, head: MessageHead, raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    for row in table.rows:
        item = Item(f"line {row.line}", PATHS, dialect)
        if row.surplus:
            item.note("FLD-FORM", at=item.position, message="The row has more cells than the header has columns.")
        cells = table.cells(row)
        known: dict[str, Any] = {name: cell for name, cell in cells.items() if name in COLUMNS}
        unknown = {name: cell for name, cell in cells.items() if name not in COLUMNS}
        yield _move(known, item, head, raw, unknown)


def _move(
    said: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage, unknown: Mapping[str, str] | None = None
) -> Filing | Rejection:
    movement = said.get("movement")
    kind = _KINDS.get(movement.strip().lower()) if isinstance(movement, str) else None
    if kind is None:
        item.note("FLD-MISSING" if movement is None else "FLD-CODE", "/code", movement, remedy="entry or exit.")
        kind = "stock_entry"
    for name, path in (("stock_event_ref", "/extra/stock_event_ref"), ("warehouse_id", "/warehouse_id"), ("quantity", "/quantity")):
        if name not in said:
            item.note("FLD-MISSING", path)
    content = dict(said)
    if isinstance(content.get("bonded"), bool):
        content["bonded"] = "yes" if content["bonded"] else "no"
    own_json.as_text(content, ("unit_value",))
    content["movement"] = "ENTRY" if kind == "stock_entry" else "EXIT"
    return commerce_events.filing(content, kind, _NAMES, _KEPT, item, head, raw, extra=unknown)
