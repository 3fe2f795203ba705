"""Order and consignment: what the carrier or post did not say is taken from the order behind it, and noted as such.

Only gaps are filled; what the consignment's own filing says stands. Merging between several holders of one element comes with its own
rules later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from shared.model import Consignment, Filing, GoodsItem, Model, Order, OrderLine, Party

_LINE: Final = (
    "goods_description",
    "hs_code",
    "country_of_origin",
    "quantity",
    "unit_price",
    "discount_amount",
    "item_amount",
    "merchant_product_id",
    "standard_product_id",
    "brand",
    "product_url",
)
_HEAD: Final = ("business_model", "tax_scheme", "country_of_destination", "platform_id")
_PARTY: Final = tuple(Party.model_fields)


class Merged(NamedTuple):
    """The consignment as the hub sees it, and the paths that came from an order."""

    consignment: Consignment
    filled: tuple[str, ...]


def merge(consignment: Consignment, orders: Sequence[Filing]) -> Merged:
    """Fill the gaps of *consignment* from *orders* (filings of orders), in the order they were attached."""
    if not orders:
        return Merged(consignment, ())
    filled: list[str] = []
    changes: dict[str, Any] = {}
    for filing in orders:
        if filing.order is not None:
            _fill_head(consignment, filing.order, changes, filled)
    lines = [line for filing in orders if filing.order is not None for line in filing.order.lines]
    _fill_items(consignment.goods_items, lines, changes, filled)
    return Merged(consignment.model_copy(update=changes), tuple(filled)) if filled else Merged(consignment, ())


def _fill_head(consignment: Consignment, order: Order, changes: dict[str, Any], filled: list[str]) -> None:
    for name in _HEAD:
        if getattr(consignment, name) is None and name not in changes and getattr(order, name) is not None:
            changes[name] = getattr(order, name)
            filled.append(f"/{name}")
    for name in ("seller", "consignee"):
        held = changes.get(name, getattr(consignment, name))
        party = _filled_party(held, getattr(order, name), name, filled)
        if party is not held:
            changes[name] = party


def _filled_party(held: Party | None, offered: Party | None, name: str, filled: list[str]) -> Party | None:
    if offered is None:
        return held
    if held is None:
        filled.append(f"/{name}")
        return offered
    gaps = _gaps(held, offered, _PARTY)
    filled.extend(f"/{name}/{gap}" for gap in gaps)
    return held.model_copy(update=gaps) if gaps else held


def _fill_items(items: Sequence[GoodsItem], lines: Sequence[OrderLine], changes: dict[str, Any], filled: list[str]) -> None:
    pairs = _pairs(items, lines)
    merged = list(items)
    for place, line in pairs.items():
        gaps = _gaps(items[place], line, _LINE)
        if gaps:
            merged[place] = items[place].model_copy(update=gaps)
            filled.extend(f"/goods_items/{place}/{gap}" for gap in gaps)
    if any(new is not old for new, old in zip(merged, items, strict=True)):
        changes["goods_items"] = tuple(merged)


def _pairs(items: Sequence[GoodsItem], lines: Sequence[OrderLine]) -> dict[int, OrderLine]:
    """Pair goods items with order lines: by the seller's product id, else by position where both have as many."""
    by_product = {line.merchant_product_id: line for line in lines if line.merchant_product_id is not None}
    pairs = {place: by_product[item.merchant_product_id] for place, item in enumerate(items) if item.merchant_product_id in by_product}
    if len(items) == len(lines):
        for place, item in enumerate(items):
            if item.merchant_product_id is None:
                pairs.setdefault(place, lines[place])
    return pairs


def _gaps(held: Model, offered: Model, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(offered, name) for name in names if getattr(held, name) is None and getattr(offered, name) is not None}
