"""The simple national form of one postal platform: an ``Item`` as XML or JSON, and its receptacle list ``PWS_Receptacle`` as JSON.

One item a request is usual; ``Items`` in XML and a list in JSON are taken too. There is no envelope: the message's id is the digest of
its bytes. There is no posting date and no code of a post: the date of receipt is supposed, and told. ``Gift`` tells gift from sale;
empty elements mean absent; ``TransportCosts`` are the postage. ``PWS_Receptacle`` names a receptacle and the items in it; the despatch
follows from the receptacle's number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from shared.codes import postal
from shared.errors import MalformedMessage
from shared.formats import json, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item, message_id_of, reject
from shared.formats.json_places import Json
from shared.formats.outlines import Outlines
from shared.formats.postal_files import misfits
from shared.formats.postal_items import Declared, filing
from shared.formats.postal_movements import Bag, despatch
from shared.formats.xml_places import Tree
from shared.identifiers import receptacle
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "national-item"
TITLE: Final = "Postal item and receptacle of a national platform, XML and JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/xml", "text/xml", "application/json")
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = "public end-to-end tests of a national postal customs platform"
CERTAINTY: Final[Certainty] = "published"

_ITEM: Final = {
    "ItemId": "house_transport_document_id",
    "TotalWeight": "gross_mass_kg",
    "MailClass": "postal/mail_class",
    "Gift": "~Gift",
    "TransportCosts": "~Postage",
    "TransportCurrency": "~PostageCurrencyCd",
    "OriginCountry": "country_of_dispatch",
}
_PIECE: Final = {
    "HSCode": "hs_code",
    "Weight": "net_mass_kg",
    "NumberOfPieces": "quantity",
    "Value": "amount",
    "Currency": "currency",
    "OriginCountry": "country_of_origin",
    "Description": "goods_description",
}
_ADDRESS: Final = {"Name": "name", "StreetAndNumber": "street_line", "PostCode": "postcode", "City": "city", "Country": "country"}
_HOUSE: Final = ("Street", "HouseNumber", "HouseNumberAddition")
_CONTACT: Final = {"Telephone": "phone", "Email": "email"}
_SIDES: Final = {"Sender": "consignor", "Receiver": "consignee"}

_PARTS: Final = ("", "/consignor", "/consignee", "/postal", "~", "/goods_items/*")
_CONSIGNMENT, _CONSIGNOR, _CONSIGNEE, _POSTAL, _LOOSE, _GOODS = range(6)
_OF_SIDE: Final = {"Sender": _CONSIGNOR, "Receiver": _CONSIGNEE}


def _paths() -> dict[str, str]:
    table = {f"/{field}": name for name, field in _ITEM.items()}
    table |= {f"/goods_items/*/{field}": f"ContentPiece[*]/{name}" for name, field in _PIECE.items()}
    for side, party in _SIDES.items():
        table |= {f"/{party}/{field}": f"{side}Address/{name}" for name, field in _ADDRESS.items()}
        table |= {f"/{party}/{field}": f"{side}ContactInformation/{name}" for name, field in _CONTACT.items()}
        table[f"/country_of_{'dispatch' if side == 'Sender' else 'destination'}"] = f"{side}Address/Country"
    return table | {
        "/goods_items": "ContentPiece",
        "/goods_items/*": "ContentPiece[*]",
        "/goods_items/*/item_amount/amount": "ContentPiece[*]/Value",
        "/goods_items/*/item_amount/currency": "ContentPiece[*]/Currency",
        "/declared_value": "ContentPiece/Value",
        "/postal/postage/amount": "TransportCosts",
        "/postal/postage/currency": "TransportCurrency",
        "/nature_of_transaction": "Gift",
        "/is_return": "Gift",
        "/consignee/street_line": "ReceiverAddress/Street",
        "/receptacle_id": "ReceptacleId",
        "/despatch_id": "ReceptacleId",
    }


PATHS: Final[Mapping[str, str]] = MappingProxyType(_paths())


# --- recognising -------------------------------------------------------------------------------------------------------------------------


def recognise(sketch: Sketch) -> Likeness:
    """An ``Item`` or ``Items`` of no namespace, or an object that names ``ItemId`` or ``PWS_Receptacle``."""
    if sketch.kind == "xml":
        if sketch.root in ("Item", "Items") and not sketch.namespace:
            return Likeness(1.0, f"root {sketch.root}")
        return Likeness(0.1, f"XML, but its root is {sketch.root or 'unreadable'} and not Item")
    if sketch.kind == "json":
        if "PWS_Receptacle" in sketch.keys or {"ItemId", "ContentPiece"} <= sketch.keys:
            return Likeness(1.0, "names of the national form")
        if "ItemId" in sketch.keys:
            return Likeness(0.9, "an ItemId, but no ContentPiece in the beginning")
        return Likeness(0.1, "JSON, but without ItemId")
    return UNLIKE


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a message in either syntax. Raises :class:`MalformedMessage` when it is refused as a whole."""
    head = MessageHead(NAME, message_id_of(raw.body))
    if raw.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        return _parse_xml(head, raw, dialect)
    return _parse_json(head, raw, dialect)


def _check_number(count: int) -> None:
    if not count:
        raise xml.malformed("MSG-NO-ITEMS", path="Item")
    if count > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path="Item", value=str(count))


# --- XML ---------------------------------------------------------------------------------------------------------------------------------


@cache
def _shape() -> xml.Shape:
    inner = {"ContentPiece": xml.Shape(_leaves(_PIECE, _GOODS), {}, {}, _GOODS)}
    for side, part in _OF_SIDE.items():
        house = {name: (_LOOSE, f"~{side}{name}") for name in _HOUSE}
        inner[f"{side}Address"] = xml.Shape(house | _leaves(_ADDRESS, part), {}, {})
        inner[f"{side}ContactInformation"] = xml.Shape(_leaves(_CONTACT, part), {}, {})
    return xml.Shape(_leaves(_ITEM, _CONSIGNMENT), {}, inner)


def _leaves(table: Mapping[str, str], part: int) -> dict[str, tuple[int, str]]:
    return {name: _place(field, part) for name, field in table.items()}


def _place(field: str, part: int) -> tuple[int, str]:
    if field.startswith("postal/"):
        return _POSTAL, field.removeprefix("postal/")
    return (_LOOSE if field[0] == "~" else part), field


_KNOWN: Final = Outlines("Item")


def _parse_xml(head: MessageHead, raw: RawMessage, dialect: Dialect) -> Parsed:
    root, bared = _KNOWN.read(raw.body, dialect.encoding)
    elements: list[xml.Element] = [root] if root.tag == "Item" else list(root.iterchildren("Item"))
    if bared:
        elements = []
    _check_number(len(elements))
    return Parsed(head, _xml_items(elements, head, raw, dialect), len(elements))


def _xml_items(elements: list[xml.Element], head: MessageHead, raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    source = Tree(raw.body, dialect.encoding)
    for number, element in enumerate(elements, 1):
        item = Item(f"Item[{number}]", PATHS, dialect, element=element, source=source)
        try:
            record = xml.walk(element, _shape(), len(_PARTS))
            misfits(record, _PARTS, item)
            yield _filing(record.parts, record.lists[_GOODS], item, head, raw)
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)


# --- JSON --------------------------------------------------------------------------------------------------------------------------------


def _parse_json(head: MessageHead, raw: RawMessage, dialect: Dialect) -> Parsed:
    value = json.parse(raw.body)
    listed = value if isinstance(value, list) else [value]
    _check_number(len(listed))
    return Parsed(head, _json_items(listed, head, raw, dialect), len(listed))


def _json_items(listed: list[Any], head: MessageHead, raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    source = Json(raw.body)
    for number, said in enumerate(listed, 1):
        if isinstance(said, dict) and isinstance(said.get("PWS_Receptacle"), dict):
            yield from _receptacle(said["PWS_Receptacle"], f"PWS_Receptacle[{number}]", head, raw, dialect, source)
            continue
        item = Item(f"Item[{number}]", PATHS, dialect, source=source)
        inner = said.get("Item", said) if isinstance(said, dict) else None
        if not isinstance(inner, dict):
            item.note("FLD-FORM", at=item.position, message="An item is an object.")
            yield reject(item, head, raw)
            continue
        parts: list[dict[str, str]] = [{} for _ in _PARTS]
        goods = _json_item(inner, parts, item)
        yield _filing(parts, goods, item, head, raw)


def _json_item(said: Mapping[str, Any], parts: list[dict[str, str]], item: Item) -> list[dict[str, str]]:
    shape = _shape()
    goods: list[dict[str, str]] = []
    for name, value in said.items():
        below = shape.inner.get(name)
        if below is None:
            _json_leaf(name, value, shape, parts, item)
            continue
        for each in value if isinstance(value, list) else [value]:
            if below.opens == _GOODS:
                parts[_GOODS] = {}
                goods.append(parts[_GOODS])
            if not isinstance(each, dict):
                item.note("FLD-FORM", at=f"{item.position}/{name}", message="This is an object.")
                continue
            for leaf, content in each.items():
                _json_leaf(leaf, content, below, parts, item, f"{name}/")
    return goods


def _json_leaf(name: str, value: Any, shape: xml.Shape, parts: list[dict[str, str]], item: Item, before: str = "") -> None:
    leaf = shape.leaves.get(name)
    if leaf is None:
        item.note("FLD-IGNORED", at=f"{item.position}/{before}{name[:60]}")
    elif isinstance(value, dict | list):
        item.note("FLD-FORM", at=f"{item.position}/{before}{name}", message="This is one value.")
    elif (text := _text(value)) is not None:
        parts[leaf[0]][leaf[1]] = text


def _text(value: Any) -> str | None:
    """Return a JSON value as the text an XML element would have; an empty one is absent."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value).strip() or None


def _receptacle(
    said: Mapping[str, Any], position: str, head: MessageHead, raw: RawMessage, dialect: Dialect, source: Json
) -> Iterator[Filing | Rejection]:
    item = Item(position, PATHS, dialect, source=source)
    number = _text(said.get("ReceptacleId")) or ""
    bag = Bag(position, {"receptacle_id": number} if number else {})
    listed = said.get("Item", [])
    for place, each in enumerate(listed if isinstance(listed, list) else [listed], 1):
        identifier = _text(each.get("ItemId")) if isinstance(each, dict) else None
        bag.items.append((f"{position}/Item[{place}]", {"house_transport_document_id": identifier} if identifier else {}))
    common = {"despatch_id": receptacle.normalise(number)[:20]} if number and receptacle.problem(number) is None else {}
    yield from despatch(common, [bag], "original", item, head, raw, closed=False)


# --- the item ----------------------------------------------------------------------------------------------------------------------------

_GIFT: Final = {"true": True, "1": True, "false": False, "0": False}


def _filing(parts: list[dict[str, str]], goods: list[dict[str, str]], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    consignment, consignor, consignee, postal_part, loose = parts[:5]
    gift = loose.pop("~Gift", None)
    if gift is not None:
        flag = _GIFT.get(gift.lower())
        if flag is None:
            item.note("FLD-CODE-DROPPED", "/nature_of_transaction", gift)
        else:
            consignment["nature_of_transaction"] = postal.nature_of_gift_flag(flag).code
            item.note("FLD-ASSUMED", "/nature_of_transaction", gift, message="The nature of the transaction is derived from the gift flag.")
    for side, party in (("Sender", consignor), ("Receiver", consignee)):
        street = [loose.pop(name) for name in [f"~{side}{part}" for part in _HOUSE] if name in loose]
        if street and "street_line" not in party:
            party["street_line"] = " ".join(street)
    for number, piece in enumerate(goods, 1):
        piece["sequence_number"] = str(number)
    dispatched = consignment.pop("country_of_dispatch", None)
    if dispatched and "country" not in consignor:
        consignor["country"] = dispatched
    item.note("FLD-ASSUMED", "/posted_at", message="The form has no posting date; the date of receipt was taken.")
    said = Declared(consignment, consignor, consignee, postal_part, loose, goods, [], [])
    return filing(said, item, head, raw, function="original", version=None, assumed={"posted_at": raw.received_at.isoformat()}, posts=False)
