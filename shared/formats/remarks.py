"""Signs that an item may not be what it says: notes that stop nothing and are counted (postal rule set, DQ-24 and DQ-25).

They look at a whole consignment once it was read and found valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from shared.model import Consignment

if TYPE_CHECKING:
    from shared.formats.filings import Item

_COMPANY: Final = re.compile(
    r"\b(?:limited|ltda?|llc|llp|plc|inc|incorporated|corp|corporation|company|co[., ]+ltd|gmbh|mbh|s[. ]?a[. ]?r[. ]?l|s[. ]?r[. ]?l|"
    r"s[.]p[.]a|spa|b[.]v|bv|pty|pte|sdn[. ]+bhd|bhd|oy|aps|a[.]s|a/s|ooo|kft|d[.]o[.]o|sp[. ]+z[. ]+o[. ]?o)[.]?$",
    re.IGNORECASE,
)
"""How the names of companies end. What is also the end of people's names (``Sa``, ``Co``, ``Ag``) is not among them."""
_TRADERS: Final = frozenset({"eori", "vat"})
"""Schemes of identifiers that only traders have; a tax number may be a person's."""


class Widths(NamedTuple):
    """Characters of the fields of texts, as a format's guide gives them; 0 where it gives none."""

    description: int
    name: int
    street: int
    city: int


_POSTAL: Final = Widths(255, 70, 70, 35)
_LINES: Final = Widths(65, 35, 35, 17)
_ICS2: Final = Widths(512, 70, 0, 35)

WIDTHS: Final[Mapping[str, Widths]] = MappingProxyType(
    dict.fromkeys(("itmatt", "cusitm", "itmatt-edifact", "cusitm-edifact"), _POSTAL)
    | {"fhl": _LINES}
    | dict.fromkeys(("ie3f32", "ie3f43", "h7-json"), _ICS2)
)
"""By name of the format. A spreadsheet has none; ICS2 gives street and house number in two fields."""


def remark(consignment: Consignment, format: str, item: Item) -> bool:
    """Note what only the whole of *consignment*, read from a message of *format*, shows; return whether anything was noted."""
    before = len(item.findings)
    if consignment.nature_of_transaction == "gift":
        for path, value in _signs_of_trade(consignment):
            item.note("DQ-24", path, value)
            break
    widths = WIDTHS.get(format)
    if widths is not None and _may_be_cut(consignment, widths):
        for path, value in _cut(consignment, widths):
            item.note("DQ-25", path, value)
    return len(item.findings) > before


def _signs_of_trade(consignment: Consignment) -> Iterator[tuple[str, str]]:
    """Yield what makes a sender look like a shop: the form of a company in his name, a trader's number, a scheme for distance sales, an
    order behind the gift."""
    sender = consignment.consignor
    if sender is not None and sender.name is not None and _COMPANY.search(sender.name.strip()):
        yield "/consignor/name", sender.name
    if sender is not None and sender.identifier is not None and sender.identifier_scheme in _TRADERS:
        yield "/consignor/identifier", sender.identifier
    for place, tax in enumerate(consignment.tax_ids or ()):
        if tax.role != "consignee":
            yield f"/tax_ids/{place}/number", tax.number
    for order in consignment.orders or ():
        yield "/orders/0/order_id", order.order_id
    if consignment.extra is not None and "OrderNumber" in consignment.extra:
        yield "/extra/OrderNumber", consignment.extra["OrderNumber"]


# --- texts that end where their field ends -----------------------------------------------------------------------------------------------


def _may_be_cut(consignment: Consignment, widths: Widths) -> bool:
    """Return whether a text fills its field to the last character: asked of every item, so nothing is built for the answer."""
    description, name, street, city = widths
    for goods in consignment.goods_items:
        if goods.goods_description is not None and len(goods.goods_description) == description:
            return True
    for party in (consignment.consignor, consignment.consignee):
        if party is None:
            continue
        if len(party.name or "") == name or (street and len(party.street_line or "") == street) or len(party.city or "") == city:
            return True
    return False


def _cut(consignment: Consignment, widths: Widths) -> Iterator[tuple[str, str]]:
    for side, party in (("consignor", consignment.consignor), ("consignee", consignment.consignee)):
        if party is not None:
            said = {"name": (party.name, widths.name), "street_line": (party.street_line, widths.street), "city": (party.city, widths.city)}
            yield from ((f"/{side}/{field}", text) for field, (text, width) in said.items() if text and len(text) == width)
    for place, goods in enumerate(consignment.goods_items):
        if goods.goods_description is not None and len(goods.goods_description) == widths.description:
            yield f"/goods_items/{place}/goods_description", goods.goods_description
