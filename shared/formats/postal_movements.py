"""What carries what in the mail: despatches (PREDES) and the arrival of receptacles (RESDES), whatever syntax they came in.

A receptacle is a row keyed ``receptacle:<S9>``, an item in it a row keyed ``post:<S10>``; a despatch of which no receptacle is named is a
row keyed ``despatch:<S8>``. A receptacle belongs to the despatch whose S8 number it starts with: any other, and what lies in it, is
refused. Untracked letters are not listed, so no item beside a count is normal. An item in two receptacles of a despatch lies in the last
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.formats import checks, postal_items, values
from shared.formats.filings import Item, conclude
from shared.model import Filing, MessageHead, RawMessage, Rejection
from shared.model.filing import Function


@dataclass(slots=True)
class Bag:
    """One receptacle as a message tells it: texts under the names of ``Movement``, ``~count``, the item records with their positions."""

    position: str
    said: dict[str, Any]
    items: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    seals: list[str] = field(default_factory=list)


def despatch(
    common: dict[str, Any],
    bags: Sequence[Bag],
    function: Function,
    item: Item,
    head: MessageHead,
    raw: RawMessage,
    *,
    closed: bool = True,
) -> Iterator[Filing | Rejection]:
    """Yield the movements of one despatch: each receptacle, then the items in it.

    *common* holds what is true of the whole despatch (texts under the names of ``Movement``); its findings are those of *item*. *closed*
    says that the format has a time of closure, which then is mandatory.
    """
    s8 = postal_items.despatch_id(common, item, mandatory=closed)
    for name in ("closed_at", "departure_at", "arrival_at"):
        postal_items.instant(common, name, item, mandatory=closed and name == "closed_at" and function != "cancel")
    common |= {"stage": "despatched", "channel": "post"}
    if not bags:
        key = f"despatch:{s8}" if s8 else ""
        yield conclude(item, "movement", dict(common), key, head, raw, function=function)
        return
    places: dict[str, list[str]] = {}
    for bag in bags:
        for position, said in bag.items:
            places.setdefault(_number(said), []).append(position)
    for bag in bags:
        yield from _bag(bag, common, s8, places, function, item, head, raw)


def _bag(
    bag: Bag,
    common: Mapping[str, Any],
    s8: str,
    places: Mapping[str, Sequence[str]],
    function: Function,
    whole: Item,
    head: MessageHead,
    raw: RawMessage,
) -> Iterator[Filing | Rejection]:
    own = whole.another(bag.position)
    said = bag.said
    s9 = postal_items.receptacle_id(said, own, mandatory=True)
    if s9 and s8 and not s9.startswith(s8):
        own.note("FLD-DESPATCH", "/receptacle_id", s9)
    count = _count(said.pop("~count", None), len(bag.items), own)
    beneath = [made for made in own.findings if made.severity == "error"]
    content = {**common, **said}
    checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", own)
    if count is not None:
        content["package_count"] = count
    if bag.seals:
        content["seals"] = bag.seals
    yield conclude(own, "movement", content, postal_items.receptacle_key(s9) if s9 else "", head, raw, function=function)
    for position, record in bag.items:
        found = places[_number(record)]
        if _number(record) and found[-1] != position:
            continue
        item = whole.another(position, findings=beneath)
        if len(found) > 1 and _number(record):
            item.note("FLD-TWICE", "/house_transport_document_id", ", ".join(found[:-1]))
        key = postal_items.identify(record, item)
        checks.number(record, "gross_mass_kg", values.mass, "/gross_mass_kg", item)
        held: dict[str, Any] = {name: said[name] for name in ("receptacle_id", "receptacle_type") if name in said}
        yield conclude(item, "movement", {**common, **held, **record}, key, head, raw, function=function)


def _number(record: Mapping[str, Any]) -> str:
    return str(record.get("house_transport_document_id", "")).replace(" ", "").upper()


def _count(said: str | None, listed: int, item: Item) -> int | None:
    """Return the number of items in a receptacle: what was said, or what was listed."""
    if said is None:
        return listed or None
    count = values.whole_number(said)
    if count is None:
        item.note("FLD-FORM", "/package_count", said)
        return None
    if listed and int(count) != listed:
        item.note("FLD-COUNT", "/package_count", said, message=f"The count is {count}, but {listed} items are listed.")
    return int(count)


def arrival(said: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    """Return the arrival of one receptacle (RESDES); *said* has texts under the names of ``Movement``."""
    s9 = postal_items.receptacle_id(said, item, mandatory=True)
    s8 = postal_items.despatch_id(said, item) or s9[:20]
    if s9 and not s9.startswith(s8):
        item.note("FLD-DESPATCH", "/receptacle_id", s9)
    if s8:
        said["despatch_id"] = s8
    postal_items.instant(said, "arrival_at", item, mandatory=True)
    checks.number(said, "gross_mass_kg", values.mass, "/gross_mass_kg", item)
    key = postal_items.receptacle_key(s9) if s9 else ""
    return conclude(item, "movement", {"stage": "received", "channel": "post", **said}, key, head, raw, function="original")
