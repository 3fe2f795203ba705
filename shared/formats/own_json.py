"""What the hub's own JSON layouts share: one thing or a list of them with a head, closed field lists, canonical values.

::

    THING | {"message_id"?, "prepared_at"?, "<things>": [THING, …]}

A single thing may carry ``message_id`` and ``prepared_at`` itself. A name that is not part of the layout refuses the thing (in the head:
the message) and is named in the finding. Times are RFC 3339; one without offset is read in the dialect's zone and marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from shared.contracts import express_key, order_key, post_key
from shared.formats import checks, json, values
from shared.formats.base import ITEM_LIMIT, UNLIKE, Likeness, Sketch
from shared.formats.filings import Item, message_id_of
from shared.formats.json_places import Json
from shared.formats.xml import malformed
from shared.identifiers import house_waybill, s10
from shared.model import Dialect, MessageHead, Model, OrderRef, RawMessage

ENVELOPE: Final = frozenset({"message_id", "prepared_at"})
CONTROL: Final = frozenset({"function", "version"})
"""What a thing says of itself as a message: original, replace or cancel; its number."""


_NEUTRAL: Final = frozenset({"guichet", "guichet_lines"})
_ELSEWHERE = "consignments payments payment_id returns return_id stock_events stock_event_ref device_events device_id epcisBody"
ELSEWHERE: Final = _NEUTRAL.union(_ELSEWHERE.split())
"""Names by which another layout than that of orders is known: all of them may name orders."""


class Layout(NamedTuple):
    """One JSON layout. ``marks`` are the names of which one or the list's own must stand near the beginning."""

    format: str
    things: str
    thing: str
    marks: frozenset[str]


class Message(NamedTuple):
    """A message whose head is sound; each entry with the position it has."""

    head: MessageHead
    entries: list[tuple[str, Any]]
    source: Json


def recognise(layout: Layout, sketch: Sketch) -> Likeness:
    """An object that has the list, or a thing's own id."""
    if sketch.kind != "json":
        return UNLIKE
    if sketch.keys & _NEUTRAL:
        return Likeness(0.2, "JSON, but of the hub's neutral layout")
    if layout.things in sketch.keys or sketch.keys >= layout.marks:
        return Likeness(1.0, f"an object with {layout.things}")
    if sketch.keys & layout.marks:
        return Likeness(0.5, f"names of a {layout.thing}, but not {', '.join(sorted(layout.marks - sketch.keys))}")
    return Likeness(0.1, f"JSON, but without {layout.things}")


def open_message(layout: Layout, raw: RawMessage) -> Message:
    """Judge a message as a whole. Raises :class:`shared.errors.MalformedMessage`."""
    value = json.parse(raw.body)
    if not isinstance(value, dict):
        raise malformed("MSG-HEAD", "The message is no object.")
    head = envelope(value, layout.format, message_id_of(raw.body))
    source = Json(raw.body)
    if layout.things not in value:
        return Message(head, [(layout.thing, {name: inner for name, inner in value.items() if name not in ENVELOPE})], source)
    unknown = sorted(value.keys() - ENVELOPE - {layout.things})
    if unknown:
        raise malformed("FLD-UNKNOWN", f"The message has no field {unknown[0][:60]!r}.", path=unknown[0][:60])
    things = value[layout.things]
    if not isinstance(things, list) or not things:
        raise malformed("MSG-NO-ITEMS", path=layout.things)
    if len(things) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path=layout.things, value=str(len(things)))
    return Message(head, [(f"{layout.things}[{number}]", thing) for number, thing in enumerate(things, 1)], source)


def items(message: Message, table: Mapping[str, str], dialect: Dialect) -> Iterator[tuple[Item, dict[str, Any]]]:
    """Yield each thing of *message* with the item that collects its findings."""
    for position, thing in message.entries:
        item = Item(position, table, dialect, source=message.source)
        if not isinstance(thing, dict):
            item.note("FLD-FORM", at=position, message="This is no object.")
            thing = {}
        yield item, thing


def envelope(value: Mapping[str, Any], name: str, fallback_id: str) -> MessageHead:
    """Return the head of a JSON message: its ``message_id`` and ``prepared_at``, both optional."""
    said = texts({field: value[field] for field in ENVELOPE if field in value})
    prepared = None
    if "prepared_at" in said:
        try:
            prepared = datetime.fromisoformat(values.instant(said["prepared_at"]) or "")
        except ValueError:
            message = "prepared_at is no date-time with offset."
            raise malformed("MSG-HEAD", message, path="prepared_at", value=said["prepared_at"][:40]) from None
    if len(said.get("message_id", "")) > 100:
        raise malformed("MSG-HEAD", "message_id is longer than 100 characters.", path="message_id")
    return MessageHead(name, said.get("message_id", fallback_id), prepared)


def texts(values_: Mapping[str, Any], item: Item | None = None) -> dict[str, str]:
    """Return the scalars of an object as texts; a list or object where a scalar belongs is a finding, or refuses the message."""
    found = {}
    for name, value in values_.items():
        try:
            text = json.text_of(value)
        except TypeError:
            if item is None:
                raise malformed("MSG-HEAD", f"{name} is no text and no number.", path=name) from None
            item.note("FLD-FORM", at=f"{item.position}/{name}")
            continue
        if text is not None:
            found[name] = text
    return found


def function(said: Mapping[str, Any], item: Item) -> str:
    """Return what a thing does to what was said before."""
    found = said.get("function", "original")
    if found not in ("original", "replace", "cancel"):
        item.note("FLD-CODE", "/function", found)
        return "original"
    return str(found)


# --- values ------------------------------------------------------------------------------------------------------------------------------


def rename(content: dict[str, Any], names: Mapping[str, str], item: Item) -> None:
    """Put the dataset's names for the layout's own; the dataset's name is not part of the layout then."""
    for own, name in names.items():
        if name in content:
            item.note("FLD-UNKNOWN", at=f"{item.position}/{name}")
        if own in content:
            content[name] = content.pop(own)


def instant(content: dict[str, Any], name: str, item: Item, *, mandatory: bool = False) -> None:
    """Bring a time into its form."""
    said = content.get(name)
    path = f"/{name}"
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", path)
        return
    found = values.instant(said) if isinstance(said, str) else None
    if found is None and isinstance(said, str):
        found = values.local_instant(said, item.dialect)
        if found is not None:
            item.note("TIME-ZONE-ASSUMED", path, said)
    if found is None:
        item.note("FLD-FORM", path, said)
        del content[name]
    else:
        content[name] = found


def money(record: dict[str, Any], name: str, path: str, item: Item) -> None:
    """Bring an amount into its form; what is no amount at all is for the model to refuse."""
    said = record.get(name)
    if not isinstance(said, dict):
        return
    amount = said.get("amount")
    amount = json.text_of(amount) if isinstance(amount, str | int | float) else None
    currency = said.get("currency")
    canonical = checks.money(amount, currency if isinstance(currency, str) else None, path, item)
    if canonical is not None:
        record[name] = {**said, **canonical}


def as_text(record: dict[str, Any], names: Iterable[str]) -> None:
    """Take numbers for the texts they stand for: a code or quantity without quotes."""
    for name in names:
        if isinstance(record.get(name), int | float) and not isinstance(record[name], bool):
            record[name] = str(record[name])


def country(record: dict[str, Any], field: str, path: str, item: Item) -> None:
    """Check a country where one is given as text; anything else is for the model to refuse."""
    if isinstance(record.get(field), str):
        checks.country(record, field, path, item, mandatory=False)


def keep(content: dict[str, Any], names: Iterable[str]) -> None:
    """Move fields that have no place in the dataset into ``extra``."""
    found = {name: content.pop(name) for name in names if isinstance(content.get(name), str)}
    if found:
        content["extra"] = {**content.get("extra", {}), **found}


def goods(record: dict[str, Any], item: Item) -> None:
    """The goods that an event names: their number, quantity and mass."""
    as_text(record, ("quantity", "gross_mass_kg", "standard_product_id", "measurement"))
    if isinstance(record.get("quantity"), str):
        checks.number(record, "quantity", values.quantity, "/quantity", item, positive="DQ-12")
    if isinstance(record.get("gross_mass_kg"), str):
        checks.number(record, "gross_mass_kg", values.mass, "/gross_mass_kg", item)
    if isinstance(record.get("measurement"), str):
        checks.number(record, "measurement", values.quantity, "/measurement", item)
    if isinstance(record.get("standard_product_id"), str):
        checks.standard_product(record, "/standard_product_id", item)


def orders(content: dict[str, Any], item: Item, raw: RawMessage) -> None:
    """Take ``order_id`` and ``platform_id`` as the one order they name, and give orders without platform that of the sender."""
    platform = content.pop("platform_id", None) or item.dialect.platform or raw.participant
    if "order_id" in content:
        if "orders" in content:
            item.note("FLD-REPEATED", "/orders", at=f"{item.position}/order_id")
        content.setdefault("orders", [{"order_id": content.pop("order_id")}])
        item.paths["/orders/0"] = item.position
    named = content.get("orders")
    if isinstance(named, list):
        content["orders"] = [{"platform_id": platform, **order} if isinstance(order, dict) else order for order in named]


def first_order(content: Mapping[str, Any]) -> str:
    """Return the key of the first order named, or an empty text."""
    named = content.get("orders")
    first = named[0] if isinstance(named, list) and named else None
    if not isinstance(first, dict):
        return ""
    order, platform = first.get("order_id"), first.get("platform_id")
    if not (isinstance(order, str) and order and isinstance(platform, str) and platform):
        return ""
    return order_key(OrderRef.model_construct(platform_id=platform, order_id=order))


def consignment_key(content: dict[str, Any], carrier: object, item: Item) -> str:
    """Return the key of the consignment named: by a sound S10 number, or by carrier and house waybill; else an empty text."""
    said = content.get("house_transport_document_id")
    if not isinstance(said, str) or not said:
        return ""
    number = s10.normalise(said)
    problem = s10.problem(number)
    if problem is None:
        content["house_transport_document_id"] = number
        return post_key(number)
    if not isinstance(carrier, str) or not carrier or house_waybill.problem(said) is not None:
        return ""
    number = content["house_transport_document_id"] = house_waybill.normalise(said)
    return express_key(carrier, number)


def paths(model: type[Model], own_names: Mapping[str, str], amounts: Iterable[str] = ()) -> dict[str, str]:
    """Return the provenance table of a layout that uses the dataset's names but for *own_names* (dataset → own)."""
    table = {f"/{name}": own_names.get(name, name) for name in model.model_fields}
    for name in amounts:
        table |= {f"/{name}/{part}": f"{name}/{part}" for part in ("amount", "currency")}
    table |= {f"/orders/*/{name}": f"orders[*]/{name}" for name in OrderRef.model_fields}
    return table | {"/orders/*": "orders[*]", "/function": "function", "/version": "version"}
