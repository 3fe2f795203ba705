"""Payments and refunds of a payment provider as JSON: the ``payment`` of the standard dataset by its own names.

::

    PAYMENT | {"message_id"?, "prepared_at"?, "payments": [PAYMENT, …]}

    PAYMENT = {"payment_id", "payment_provider_id"?, "orders": [{"order_id", "platform_id"?}] | "order_id" + "platform_id"?,
               "paid_amount"?: {"amount": "12.50", "currency": "EUR"}, "paid_datetime"?, "payment_status"?, "payment_method"?,
               "refund_of"?, "reason"?, "payer_ref"?, "payer_country"?, "payee_account_ref"?, "function"?, "version"?}

A refund is a payment of its own: ``payment_status`` refunded or part_refunded, ``refund_of`` the payment given back, its amount what was
given back. The provider is the participant; a payment is keyed by the first order it names. References to persons are keyed hashes: an
e-mail address or a card number in their place refuses the payment, and its value is not repeated in the finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.formats import own_json
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item, conclude
from shared.model import Dialect, Filing, MessageHead, Payment, RawMessage, Rejection

NAME: Final = "payment"
TITLE: Final = "Payments and refunds, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = "hub layout, payment of the standard dataset"
CERTAINTY: Final[Certainty] = "reconstructed"
PATHS: Final[Mapping[str, str]] = MappingProxyType(own_json.paths(Payment, {"paid_at": "paid_datetime"}, ("paid_amount",)))

_LAYOUT: Final = own_json.Layout(NAME, "payments", "payment", frozenset({"payment_id"}))
_NO_HASH = re.compile(r"@|\s|^[0-9 -]{12,23}$").search
_REFUNDS: Final = ("refunded", "part_refunded", "chargeback")


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``payments`` or ``payment_id``."""
    return own_json.recognise(_LAYOUT, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read payments. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    message = own_json.open_message(_LAYOUT, raw)
    filings = (_payment(said, item, message.head, raw) for item, said in own_json.items(message, PATHS, dialect))
    return Parsed(message.head, filings, len(message.entries))


def _payment(said: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    content = {name: value for name, value in said.items() if name not in own_json.CONTROL}
    provider = content.setdefault("payment_provider_id", raw.participant)
    if provider != raw.participant:
        item.note("FLD-CODE", "/payment_provider_id", provider, message=f"Payments of this sender belong to provider {raw.participant}.")
    own_json.orders(content, item, raw)
    key = own_json.first_order(content)
    if not key:
        item.note("FLD-KEY", "/orders", message="The payment names no order.", remedy="Give order_id and platform_id.")
    own_json.rename(content, {"paid_datetime": "paid_at"}, item)
    own_json.instant(content, "paid_at", item)
    own_json.money(content, "paid_amount", "/paid_amount", item)
    own_json.country(content, "payer_country", "/payer_country", item)
    for name in ("payer_ref", "payee_account_ref"):
        _pseudonym(content, name, item)
    if content.get("payment_status") in _REFUNDS and "refund_of" not in content:
        item.note("FLD-WANTED", "/refund_of")
    return conclude(item, "payment", content, key, head, raw, function=own_json.function(said, item), version=said.get("version"))


def _pseudonym(content: dict[str, Any], name: str, item: Item) -> None:
    said = content.get(name)
    if isinstance(said, str) and _NO_HASH(said):
        item.note("FLD-FORM", f"/{name}", message="The reference is no keyed hash.", remedy="Send a keyed hash, never the data themselves.")
        del content[name]
