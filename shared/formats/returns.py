"""Returns as a platform or fulfilment centre tells them, JSON: the link between goods that come back and what was once sent out.

::

    RETURN | {"message_id"?, "prepared_at"?, "returns": [RETURN, …]}

    RETURN = {"return_id", "order_id" + "platform_id"? | "orders": [{"order_id", "platform_id"?}], "status"?, "returned_at",
              "tracking_number"?, "carrier"?, "original_reference"?, "original_tracking_number"?, "reason_code"?, "condition_code"?,
              "sku"?, "gtin"?, "quantity"?, "pieces"?, "gross_mass_kg"?, "refund"?: {"amount", "currency"}, "warehouse_id"?, "place"?,
              "country"?, "note"?, "function"?, "version"?}

``status`` is requested, shipped, received, refunded or refused (``received`` where it is missing). ``original_reference`` is the
declaration of the outward journey (LRN or MRN): without it or an order the goods are new goods.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.formats import commerce_events, own_json
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "returns"
TITLE: Final = "Returns, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = "hub layout after the returns of the standard dataset"
CERTAINTY: Final[Certainty] = "reconstructed"

_NAMES: Final = MappingProxyType({"status": "code", "returned_at": "at", "original_reference": "customs_reference"})
_KEPT: Final = ("return_id", "original_tracking_number")
PATHS: Final[Mapping[str, str]] = commerce_events.paths(_NAMES, _KEPT)
_LAYOUT: Final = own_json.Layout(NAME, "returns", "return", frozenset({"return_id"}))
STATUS: Final = ("requested", "shipped", "received", "refunded", "refused")


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``returns`` or ``return_id``."""
    return own_json.recognise(_LAYOUT, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read returns. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    message = own_json.open_message(_LAYOUT, raw)
    filings = (_return(said, item, message.head, raw) for item, said in own_json.items(message, PATHS, dialect))
    return Parsed(message.head, filings, len(message.entries))


def _return(said: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    status = said.get("status", "received")
    if status not in STATUS:
        item.note("FLD-CODE", "/code", status, remedy=f"One of {', '.join(STATUS)}.")
    if not isinstance(said.get("return_id"), str):
        item.note("FLD-MISSING", "/extra/return_id")
    if not ({"order_id", "orders", "original_reference"} & said.keys()):
        item.note("FLD-WANTED", "/customs_reference", message="Without order or original declaration the goods are new goods.")
    return commerce_events.filing(said, "return", _NAMES, _KEPT, item, head, raw, code="RECEIVED")
