"""Orders of a platform as JSON: the ``transaction`` of the standard dataset by its own names.

::

    ORDER | {"message_id"?, "prepared_at"?, "orders": [ORDER, …]}

    ORDER = {"order_id", "order_datetime"?, "order_status"?, "business_model"?, "function"?, "version"?,
             "order_total"?: MONEY, "shipping_charged"?: MONEY, "tax_charged"?: MONEY, "tax_rate"?, "tax_scheme"?, "tax_scheme_id"?,
             "seller"?: PARTY, "seller_account_id"?, "buyer"?: PARTY, "buyer_account_ref"?, "consignee"?: PARTY, "country_of_destination"?,
             "tracking_numbers"?: [text], "invoice_number"?, "platform_id"?,
             "lines": [{"goods_description", "quantity"?, "item_amount"?: MONEY, "unit_price"?: MONEY, "hs_code"?, …}]}
    MONEY = {"amount": "12.50", "currency": "EUR"}

Parties and lines have the names of :class:`shared.model.Party` and :class:`shared.model.OrderLine`; a name that is not among them refuses
the order. The platform is the participant (or the code agreed with it): an order that claims another ``platform_id`` is refused. A single
order may carry ``message_id`` and ``prepared_at`` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.contracts import order_key
from shared.formats import checks, own_json, values
from shared.formats.base import UNLIKE, Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item, conclude
from shared.model import Dialect, Filing, MessageHead, Order, OrderLine, OrderRef, Party, RawMessage, Rejection

NAME: Final = "order"
TITLE: Final = "Platform orders, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = "hub layout, transaction of the standard dataset"
CERTAINTY: Final[Certainty] = "reconstructed"

_LAYOUT: Final = own_json.Layout(NAME, "orders", "order", frozenset({"order_id"}))
_OWN_NAMES: Final = {"order_at": "order_datetime"}
_MONEY: Final = ("order_total", "shipping_charged", "tax_charged")
_LINE_MONEY: Final = ("unit_price", "discount_amount", "item_amount", "item_tax_amount")
_PARTIES: Final = ("seller", "buyer", "consignee")


def _paths() -> dict[str, str]:
    """Return the provenance table: the dataset's own names but for one."""
    table = {f"/{name}": _OWN_NAMES.get(name, name) for name in Order.model_fields}
    table |= {f"/{party}/{name}": f"{party}/{name}" for party in _PARTIES for name in Party.model_fields}
    table |= {f"/lines/*/{name}": f"lines[*]/{name}" for name in OrderLine.model_fields}
    for field in _MONEY:
        table |= {f"/{field}/{part}": f"{field}/{part}" for part in ("amount", "currency")}
    for field in _LINE_MONEY:
        table |= {f"/lines/*/{field}/{part}": f"lines[*]/{field}/{part}" for part in ("amount", "currency")}
    table |= {"/lines/*": "lines[*]", "/tracking_numbers/*": "tracking_numbers[*]", "/function": "function", "/version": "version"}
    return table


PATHS: Final[Mapping[str, str]] = MappingProxyType(_paths())


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``orders`` or ``order_id``, and no consignments."""
    if sketch.kind != "json":
        return UNLIKE
    others = sketch.keys & own_json.ELSEWHERE
    if others:
        return Likeness(0.2, f"JSON, but with {min(others)}")
    if sketch.keys & {"orders", "order_id"}:
        return Likeness(1.0, "an object with orders")
    if sketch.keys & {"lines", "order_datetime", "seller"}:
        return Likeness(0.7, "names of an order, but no order_id")
    return Likeness(0.1, "JSON, but without orders")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read orders. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    message = own_json.open_message(_LAYOUT, raw)
    filings = (_order(said, item, message.head, raw) for item, said in own_json.items(message, PATHS, dialect))
    return Parsed(message.head, filings, len(message.entries))


def _order(said: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    content = {name: value for name, value in said.items() if name not in own_json.CONTROL}
    platform = item.dialect.platform or raw.participant
    claimed = content.setdefault("platform_id", platform)
    if claimed != platform:
        item.note("FLD-CODE", "/platform_id", claimed, message=f"Orders of this sender belong to platform {platform}.")
    order_id = content.get("order_id")
    key = order_key(OrderRef.model_construct(platform_id=platform, order_id=order_id)) if isinstance(order_id, str) else ""
    own_json.rename(content, {"order_datetime": "order_at"}, item)
    own_json.instant(content, "order_at", item)
    for name in _MONEY:
        own_json.money(content, name, f"/{name}", item)
    for name in _PARTIES:
        _party(content.get(name), f"/{name}", item)
    own_json.country(content, "country_of_destination", "/country_of_destination", item)
    _destination(content)
    _lines(content, item)
    if isinstance(content.get("tax_scheme_id"), str):
        scheme = str(content.get("tax_scheme"))
        content["tax_scheme_id"] = checks.tax_number(scheme, content["tax_scheme_id"], "/tax_scheme_id", item)
    if isinstance(content.get("tax_rate"), float | int):
        content["tax_rate"] = str(content["tax_rate"])
    return conclude(item, "order", content, key, head, raw, function=own_json.function(said, item), version=said.get("version"))


def _party(party: Any, path: str, item: Item) -> None:
    if isinstance(party, dict):
        own_json.country(party, "country", f"{path}/country", item)
        checks.name(party, f"{path}/name", item, mandatory=False) if isinstance(party.get("name"), str) else None


def _destination(content: dict[str, Any]) -> None:
    """An order without destination goes where its consignee lives."""
    consignee = content.get("consignee")
    if "country_of_destination" not in content and isinstance(consignee, dict) and "country" in consignee:
        content["country_of_destination"] = consignee["country"]


def _lines(content: dict[str, Any], item: Item) -> None:
    lines = content.get("lines")
    if not isinstance(lines, list):
        if lines is None and content.get("order_status") not in ("cancelled", "refunded"):
            item.note("FLD-MISSING", "/lines")
        return
    for index, line in enumerate(lines):
        if isinstance(line, dict):
            _line(index, line, item)


def _line(index: int, line: dict[str, Any], item: Item) -> None:
    path = f"/lines/{index}"
    line.setdefault("sequence_number", index + 1)
    for name in _LINE_MONEY:
        own_json.money(line, name, f"{path}/{name}", item)
    own_json.as_text(line, ("quantity", "hs_code", "standard_product_id"))
    if isinstance(line.get("quantity"), str):
        checks.number(line, "quantity", values.quantity, f"{path}/quantity", item, positive="DQ-12")
    if isinstance(line.get("hs_code"), str):
        checks.hs_code(line, f"{path}/hs_code", item, wanted=False)
    if isinstance(line.get("country_of_origin"), str):
        checks.origin(line, f"{path}/country_of_origin", item)
    if isinstance(line.get("standard_product_id"), str):
        checks.standard_product(line, f"{path}/standard_product_id", item)
    if isinstance(line.get("goods_description"), str):
        checks.description(line, f"{path}/goods_description", item)
    elif "goods_description" not in line:
        item.note("FLD-MISSING", f"{path}/goods_description")
