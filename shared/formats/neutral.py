"""Guichet's own JSON: the standard dataset as it is, for everything that can be filed.

::

    ITEM | {"guichet": "1", "message_id"?, "prepared_at"?, "items": [ITEM, …]}

    ITEM = {"guichet"?: "1", "function"?: "original" | "replace" | "cancel", "version"?, KIND: {…}}

KIND is one of consignment, order, payment, movement, event, reply; below it stand the names of :mod:`shared.model`, closed: a name that
is not among them refuses the item. ``message_id`` and ``prepared_at`` may stand beside a single item. A file of several lines, each an
item, is read too (see :mod:`shared.formats.neutral_lines`). Keys are derived, never sent: carrier, platform and provider are the
participant or what was agreed with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

from shared.contracts import express_key, freight_key, order_key, post_key
from shared.errors import MalformedMessage
from shared.formats import checks, commerce_events, json, own_json, values
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.filings import Item, conclude, message_id_of, reject
from shared.formats.json_places import Json
from shared.formats.xml import check_bytes, malformed
from shared.identifiers import house_waybill, s10
from shared.model import (
    Consignment,
    Dialect,
    Event,
    Filing,
    Kind,
    MessageHead,
    Movement,
    Order,
    OrderRef,
    Payment,
    RawMessage,
    ReferralReply,
    Rejection,
)
from shared.model.filing import KINDS

NAME: Final = "neutral"
TITLE: Final = "Standard dataset, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = "hub layout, the standard dataset itself"
CERTAINTY: Final[Certainty] = "published"

MARK: Final = "guichet"
_NO_BLANK = re.compile(rb"\S").search
_HEAD: Final = frozenset({MARK, "message_id", "prepared_at"})
_ITEM: Final = frozenset({MARK, "function", "version"})
_MONEY: Final = ("declared_value", "freight_cost", "insurance_cost", "insured_value", "paid_amount", "charges", "refund")
_ORDER_MONEY: Final = ("order_total", "shipping_charged", "tax_charged")
_LINE_MONEY: Final = ("item_amount", "unit_price", "discount_amount", "item_tax_amount")


def _patterns(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield every path of *model*, list positions as stars."""
    for name, field in model.model_fields.items():
        path = f"{before}/{name}"
        yield path
        for inner, listed in _models(field.annotation):
            if listed:
                yield f"{path}/*"
            yield from _patterns(inner, f"{path}/*" if listed else path)


def _models(annotation: Any, listed: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, listed
    elif get_origin(annotation) in (Union, UnionType, tuple):
        for inner in get_args(annotation):
            yield from _models(inner, listed or get_origin(annotation) is tuple)


def _own(path: str) -> str:
    """Return a dataset path as the sender's: list positions in brackets."""
    return path[1:].replace("/*", "[*]")


PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {path: _own(path) for model in (Consignment, Order, Payment, Movement, Event, ReferralReply) for path in _patterns(model)}
)


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``guichet``."""
    if sketch.kind != "json":
        return UNLIKE
    if MARK in sketch.keys:
        return Likeness(1.0, "the hub's own layout")
    kinds = sketch.keys & set(KINDS)
    return Likeness(0.5, f'an object with {min(kinds)}, but without "guichet"') if kinds else Likeness(0.1, 'JSON, but without "guichet"')


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read items. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    start = _NO_BLANK(raw.body)
    end = raw.body.find(b"\n", start.start()) if start else -1
    if start and end >= 0 and _NO_BLANK(raw.body, end) and _is_object(raw.body[start.start() : end]):
        return parse_lines(raw, dialect, NAME)
    value = json.parse(raw.body)
    if not isinstance(value, dict):
        raise malformed("MSG-HEAD", "The message is no object.")
    head = own_json.envelope(value, NAME, message_id_of(raw.body))
    version = _version(value)
    if "items" not in value:
        single = {name: inner for name, inner in value.items() if name not in _HEAD}
        return Parsed(head, _filings([("item", single)], version, head, raw, dialect, Json(raw.body)), 1)
    unknown = sorted(value.keys() - _HEAD - {"items"})
    if unknown:
        raise malformed("FLD-UNKNOWN", f"The message has no field {unknown[0][:60]!r}.", path=unknown[0][:60])
    items = value["items"]
    if not isinstance(items, list) or not items:
        raise malformed("MSG-NO-ITEMS", path="items")
    if len(items) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path="items", value=str(len(items)))
    entries = ((f"items[{number}]", item) for number, item in enumerate(items, 1))
    return Parsed(head, _filings(entries, version, head, raw, dialect, Json(raw.body)), len(items))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line.removeprefix(b"\xef\xbb\xbf")), dict)
    except orjson.JSONDecodeError:
        return False


def _version(value: Mapping[str, Any]) -> str | None:
    """Return the version of the layout where it is not one of the list."""
    said = value.get(MARK, "1")
    return None if said in VERSIONS else str(said)[:20]


def parse_lines(raw: RawMessage, dialect: Dialect, name: str, mark: str = MARK) -> Parsed:
    """Read one item from each line; a line that cannot be read costs that line only.

    The first line may be the message's head: *mark* with ``message_id`` and ``prepared_at``. Raises
    :class:`shared.errors.MalformedMessage`.
    """
    check_bytes(raw.body)
    lines = [(number, line) for number, line in enumerate(raw.body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1) if line.strip()]
    head, version = MessageHead(name, message_id_of(raw.body)), None
    opening = _head_line(lines[0][1], mark)
    if opening is not None:
        head, version = own_json.envelope(opening, name, head.message_id), _version({MARK: opening.get(mark, "1")})
        lines = lines[1:]
    if not lines:
        raise malformed("MSG-NO-ITEMS")
    if len(lines) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", value=str(len(lines)))
    return Parsed(head, _lines(lines, version, head, raw, dialect), len(lines))


def _head_line(line: bytes, mark: str) -> dict[str, Any] | None:
    value = json.parse(line)
    if not isinstance(value, dict) or mark not in value or value.keys() - {mark, "message_id", "prepared_at"}:
        return None
    return value


def _lines(
    lines: Sequence[tuple[int, bytes]], version: str | None, head: MessageHead, raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    source = Json(raw.body)
    for number, line in lines:
        try:
            yield from _filings([(f"line {number}", json.parse(line))], version, head, raw, dialect, source)
        except MalformedMessage as exc:
            item = Item(f"line {number}", PATHS, dialect, source=source)
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)


def _filings(
    entries: Iterable[tuple[str, Any]], version: str | None, head: MessageHead, raw: RawMessage, dialect: Dialect, source: Json
) -> Iterator[Filing | Rejection]:
    for position, entry in entries:
        item = Item(position, PATHS, dialect, source=source)
        if version is not None:
            item.note("MSG-VERSION", value=version)
        yield _filing(entry, item, head, raw)


def _filing(entry: Any, item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    said = entry if isinstance(entry, dict) else {}
    kinds = [kind for kind in KINDS if kind in said]
    for name in sorted(said.keys() - _ITEM - set(KINDS)):
        item.note("FLD-UNKNOWN", at=f"{item.position}/{name[:60]}")
    content = said.get(kinds[0]) if len(kinds) == 1 else None
    if not isinstance(content, dict):
        item.note("FLD-FORM", at=item.position, message=f"An item is an object with one of {', '.join(KINDS)}.")
        return reject(item, head, raw)
    kind: Kind = kinds[0]
    function = said.get("function", "original")
    if function not in ("original", "replace", "cancel"):
        item.note("FLD-CODE", at=f"{item.position}/function", value=function)
        function = "original"
    version = said.get("version")
    item.position = f"{item.position}/{kind}"
    content = dict(content)
    key = _key(kind, content, item, raw)
    if not key:
        item.note("FLD-KEY")
    if function != "cancel":
        _check(content, item)
    return conclude(item, kind, content, key, head, raw, function=function, version=version)


# --- keys --------------------------------------------------------------------------------------------------------------------------------


def _key(kind: Kind, content: dict[str, Any], item: Item, raw: RawMessage) -> str:
    carrier = item.dialect.carrier or raw.participant
    if kind == "consignment":
        return _consignment_key(content, carrier)
    if kind == "order":
        return _order_key(content, item, raw)
    if kind == "payment":
        _own_code(content, "payment_provider_id", raw.participant, item)
        return own_json.first_order(content)
    if kind == "event":
        return commerce_events.key_of(content, item.dialect.carrier, item, raw)
    if kind == "movement":
        return _movement_key(content, carrier)
    house = _consignment_key({"channel": "any", **content}, carrier)
    referral = content.get("referral_id")
    return house or (f"referral:{referral}" if isinstance(referral, str) and referral else "")


def _consignment_key(content: dict[str, Any], carrier: str) -> str:
    """Return the key of the house document: a postal number in the post and wherever the channel is not said, else the carrier's."""
    said, channel = content.get("house_transport_document_id"), content.get("channel")
    if not isinstance(said, str) or not said.strip():
        return ""
    problem = s10.problem(said)
    sound = problem is None or problem.severity == "warning"
    if channel == "post" or (channel not in ("express", "freight") and sound):
        return post_key(s10.normalise(said) if sound else said)
    if house_waybill.problem(said) is not None:
        return ""
    return (freight_key if channel == "freight" else express_key)(carrier, house_waybill.normalise(said))


def _order_key(content: dict[str, Any], item: Item, raw: RawMessage) -> str:
    platform = item.dialect.platform or raw.participant
    _own_code(content, "platform_id", platform, item)
    order_id = content.get("order_id")
    return order_key(OrderRef.model_construct(platform_id=platform, order_id=order_id)) if isinstance(order_id, str) and order_id else ""


def _own_code(content: dict[str, Any], name: str, own: str, item: Item) -> None:
    """A sender speaks for itself only."""
    said = content.setdefault(name, own)
    if said != own:
        item.note("FLD-CODE", f"/{name}", said, message=f"Data of this sender belong to {own}.")


def _movement_key(content: dict[str, Any], carrier: str) -> str:
    house = _consignment_key(content, carrier)
    if house:
        return house
    for name, prefix in (("receptacle_id", "receptacle"), ("despatch_id", "despatch"), ("master_transport_document_id", "master")):
        if isinstance(content.get(name), str) and content[name]:
            return f"{prefix}:{content[name]}"
    return ""


# --- quality -----------------------------------------------------------------------------------------------------------------------------


def _check(content: dict[str, Any], item: Item) -> None:
    """The checks every format makes, where the values are texts; the rest is for the model."""
    for name in (*_MONEY, *_ORDER_MONEY):
        own_json.money(content, name, f"/{name}", item)
    own_json.as_text(content, ("gross_mass_kg", "tax_rate", "quantity", "measurement"))
    for name in ("gross_mass_kg",):
        if isinstance(content.get(name), str):
            checks.number(content, name, values.mass, f"/{name}", item)
    for name in ("consignor", "consignee", "seller", "buyer"):
        party = content.get(name)
        if isinstance(party, dict):
            content[name] = party = dict(party)
            own_json.country(party, "country", f"/{name}/country", item)
            if isinstance(party.get("name"), str):
                checks.name(party, f"/{name}/name", item)
    for name in ("country_of_dispatch", "country_of_destination", "country", "payer_country"):
        own_json.country(content, name, f"/{name}", item)
    for name in ("goods_items", "lines"):
        lines = content.get(name)
        if isinstance(lines, list):
            content[name] = [
                _line(dict(line), f"/{name}/{index}", item) if isinstance(line, dict) else line for index, line in enumerate(lines)
            ]


def _line(line: dict[str, Any], path: str, item: Item) -> dict[str, Any]:
    for name in _LINE_MONEY:
        own_json.money(line, name, f"{path}/{name}", item)
    own_json.as_text(line, ("quantity", "hs_code", "gross_mass_kg", "net_mass_kg", "standard_product_id"))
    for name in ("gross_mass_kg", "net_mass_kg"):
        if isinstance(line.get(name), str):
            checks.number(line, name, values.mass, f"{path}/{name}", item)
    if isinstance(line.get("quantity"), str):
        checks.number(line, "quantity", values.quantity, f"{path}/quantity", item)
    if isinstance(line.get("hs_code"), str):
        checks.hs_code(line, f"{path}/hs_code", item, wanted=False)
    if isinstance(line.get("country_of_origin"), str):
        checks.origin(line, f"{path}/country_of_origin", item)
    if isinstance(line.get("goods_description"), str):
        checks.description(line, f"{path}/goods_description", item)
    return line


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write everything that is filed; nothing is lost but what belongs to the message it came in."""
    items = b",\n".join(orjson.dumps(plain(filing)) for filing in filings)
    return Written(orjson.dumps(opening(envelope, MARK))[:-1] + b',"items":[\n' + items + b"\n]}\n")


def opening(envelope: Envelope, mark: str) -> dict[str, str]:
    """Return what a written message says of itself."""
    return {mark: VERSIONS[-1], "message_id": envelope.message_id, "prepared_at": envelope.prepared_at.isoformat()}


def plain(filing: Filing) -> dict[str, Any]:
    """Return a filing as an item of the layout."""
    said: dict[str, Any] = {} if filing.function == "original" else {"function": filing.function}
    if filing.version is not None:
        said["version"] = filing.version
    return said | {filing.kind: orjson.loads(filing.content.to_json())}
