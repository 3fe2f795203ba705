"""What the layouts of returns, stock and devices share: one thing becomes one event, kept beside what is declared.

An event is keyed by the consignment it names (a sound S10 number, or house waybill with ``carrier``), else by its order, its receptacle,
its master document, then by the thing itself: ``stock:<warehouse>:<article>``, ``device:<participant>:<device>``. A house waybill with
nothing else beside it is taken for one of the sender's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.formats import own_json
from shared.formats.filings import Item, conclude
from shared.identifiers import air_waybill
from shared.model import Event, Filing, MessageHead, RawMessage, Rejection

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tracking_number": "house_transport_document_id",
        "master_number": "master_transport_document_id",
        "sku": "merchant_product_id",
        "gtin": "standard_product_id",
        "unit": "unit",
    }
)
"""The layouts' own names → the dataset's, in all of them."""

AMOUNTS: Final = ("charges", "refund")


def paths(own_names: Mapping[str, str], kept: tuple[str, ...]) -> Mapping[str, str]:
    """Return the provenance table of a layout: *own_names* are its own (own → dataset), *kept* what goes to ``extra``."""
    table = own_json.paths(Event, {name: own for own, name in {**NAMES, **own_names}.items()}, AMOUNTS)
    return MappingProxyType(table | {f"/extra/{name}": name for name in kept})


def filing(
    said: dict[str, Any],
    kind: str,
    own_names: Mapping[str, str],
    kept: tuple[str, ...],
    item: Item,
    head: MessageHead,
    raw: RawMessage,
    *,
    code: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> Filing | Rejection:
    """Return the filing of one event of *kind*. *code* is used where the thing says none; *extra* is kept beside it."""
    content = {name: value for name, value in said.items() if name not in own_json.CONTROL}
    carrier = content.pop("carrier", None) or item.dialect.carrier
    for name in ("kind", "extra"):
        if content.pop(name, None) is not None:
            item.note("FLD-UNKNOWN", at=f"{item.position}/{name}")
    if extra:
        content["extra"] = dict(extra)
    own_json.rename(content, {own: name for own, name in {**NAMES, **own_names}.items() if own != name}, item)
    content["kind"] = kind
    if code is not None:
        content.setdefault("code", code)
    if isinstance(content.get("code"), str):
        content["code"] = content["code"].strip().upper()
    own_json.instant(content, "at", item, mandatory=True)
    for name in AMOUNTS:
        own_json.money(content, name, f"/{name}", item)
    own_json.country(content, "country", "/country", item)
    own_json.goods(content, item)
    own_json.orders(content, item, raw)
    own_json.keep(content, kept)
    key = key_of(content, carrier, item, raw)
    if not key:
        item.note("FLD-KEY")
    return conclude(item, "event", content, key, head, raw, function=own_json.function(said, item), version=said.get("version"))


def key_of(content: dict[str, Any], carrier: object, item: Item, raw: RawMessage) -> str:
    """Return the key of what an event names, or an empty text."""
    text = {name: value for name, value in content.items() if isinstance(value, str) and value}
    named = own_json.consignment_key(content, carrier, item) or own_json.first_order(content)
    if named:
        return named
    if "receptacle_id" in text:
        return f"receptacle:{text['receptacle_id']}"
    if "master_transport_document_id" in text:
        said = text["master_transport_document_id"]
        return f"master:{said if air_waybill.problem(said) else air_waybill.normalise(said)}"
    if "device_id" in text:
        return f"device:{raw.participant}:{text['device_id']}"
    article = text.get("merchant_product_id") or text.get("standard_product_id")
    if article:
        return f"stock:{text.get('warehouse_id', raw.participant)}:{article}"
    return own_json.consignment_key(content, raw.participant, item)
