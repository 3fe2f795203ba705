"""EPCIS 2.0 events (GS1, JSON form), the part that follows goods through warehouses and on their way.

Read are ObjectEvent, AggregationEvent, TransactionEvent and AssociationEvent of an ``EPCISDocument`` or of a single event: ``eventTime``,
``bizStep``, ``disposition``, ``epcList``, ``childEPCs``, ``parentID``, ``quantityList``, ``readPoint``, ``bizLocation``,
``bizTransactionList`` (purchase order) and ``sensorElementList``. Identifiers may be EPC URNs or GS1 Digital Links; business vocabulary
may be bare words, CBV URNs or Web URIs. Each unit an event names becomes an event of its own: a GSIN, GINC or SSCC names the consignment,
an SGTIN or LGTIN the article, each sensor report the device. TransformationEvent is refused: nothing is made in a consignment. Elements
that are not read are noted and stay with the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.formats import commerce_events, json, values
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item, message_id_of, reject
from shared.formats.json_places import Json
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "epcis"
TITLE: Final = "EPCIS 2.0 events, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json", "application/ld+json")
VERSIONS: Final[tuple[str, ...]] = ("2.0",)
SOURCE: Final = "GS1 EPCIS 2.0 and CBV 2.0, a subset"
CERTAINTY: Final[Certainty] = "published"

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "receiving": "stock_entry",
        "storing": "stock_entry",
        "stocking": "stock_entry",
        "picking": "stock_exit",
        "shipping": "stock_exit",
        "retail_selling": "stock_exit",
        "accepting": "tracking",
        "arriving": "tracking",
        "departing": "tracking",
        "loading": "tracking",
        "unloading": "tracking",
        "transporting": "tracking",
        "staging_outbound": "tracking",
        "packing": "tracking",
        "unpacking": "tracking",
        "inspecting": "tracking",
        "holding": "tracking",
        "entering_exiting": "tracking",
        "sensor_reporting": "device",
        "collecting": "return",
    }
)
"""Business step (CBV 2.0) → what the hub takes it for where an article is named; of a logistic unit, a movement of stock is tracking."""

_RETURNS: Final = frozenset({"returned", "non_sellable_other"})
_READ: Final = frozenset(
    {"@context", "type", "eventTime", "eventTimeZoneOffset", "recordTime", "eventID", "action", "bizStep", "disposition", "epcList"}
    | {"parentID", "childEPCs", "quantityList", "childQuantityList", "readPoint", "bizLocation", "bizTransactionList", "sensorElementList"}
)
_TYPES: Final = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "AssociationEvent")
_NAMES: Final[Mapping[str, str]] = MappingProxyType({})
_KEPT: Final = ("lot", "serial", "action", "event_id", "parent", "business_step", "disposition", "sensor_type")
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/code": "bizStep",
        "/kind": "bizStep",
        "/at": "eventTime",
        "/house_transport_document_id": "epcList",
        "/merchant_product_id": "epcList",
        "/standard_product_id": "epcList",
        "/quantity": "quantityList",
        "/unit": "quantityList",
        "/place": "readPoint/id",
        "/warehouse_id": "bizLocation/id",
        "/orders": "bizTransactionList",
        "/orders/*": "bizTransactionList",
        "/reason_code": "disposition",
        "/device_id": "sensorElementList",
        "/measurement": "sensorElementList",
        "/extra": "",
        **{
            f"/extra/{name}": place
            for name, place in {
                "lot": "epcList",
                "serial": "epcList",
                "action": "action",
                "event_id": "eventID",
                "parent": "parentID",
                "business_step": "bizStep",
                "disposition": "disposition",
                "sensor_type": "sensorElementList",
            }.items()
        },
    }
)


class Unit(NamedTuple):
    """What an EPC names: a consignment or logistic unit, or an article with lot and serial number; else the text itself."""

    scheme: str
    house: str | None = None
    gtin: str | None = None
    lot: str | None = None
    serial: str | None = None


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``epcisBody``, or one event with ``eventTime`` and ``type``."""
    if sketch.kind != "json":
        return UNLIKE
    if "epcisBody" in sketch.keys or {"eventTime", "type"} <= sketch.keys:
        return Likeness(1.0, "an EPCIS document")
    return Likeness(0.6 if "schemaVersion" in sketch.keys else 0.1, "JSON, but without epcisBody")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a document or one event. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    value = json.parse(raw.body)
    if not isinstance(value, dict):
        raise malformed("MSG-HEAD", "The message is no object.")
    events = _events(value)
    if not events:
        raise malformed("MSG-NO-ITEMS", path="epcisBody/eventList")
    units = [(number, event, unit) for number, event in enumerate(events, 1) for unit in _units(event)]
    if len(units) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path="epcisBody/eventList", value=str(len(units)))
    head = MessageHead(NAME, message_id_of(raw.body), _created(value))
    version = value.get("schemaVersion", "2.0")
    return Parsed(head, _items(units, "" if str(version).startswith("2.0") else str(version), head, raw, dialect), len(units))


def _events(value: dict[str, Any]) -> list[Any]:
    if "epcisBody" not in value:
        return [value]
    body = value["epcisBody"]
    events = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(events, list):
        raise malformed("MSG-HEAD", "epcisBody has no eventList.", path="epcisBody/eventList")
    return events


def _created(value: dict[str, Any]) -> datetime | None:
    said = value.get("creationDate")
    try:
        return datetime.fromisoformat(values.instant(said) or "") if isinstance(said, str) else None
    except ValueError:
        return None


def _units(event: Any) -> list[dict[str, Any]]:
    """Return the parts of the content that differ: one for each unit, quantity and sensor report of an event."""
    if not isinstance(event, dict):
        return [{}]
    found: list[dict[str, Any]] = [_named(epc) for name in ("epcList", "childEPCs") for epc in _texts(event.get(name))]
    for name in ("quantityList", "childQuantityList"):
        found += [_quantity(each) for each in _objects(event.get(name))]
    if not found and isinstance(event.get("parentID"), str):
        found = [_named(event["parentID"])]
    reports = [report for element in _objects(event.get("sensorElementList")) for report in _reports(element)]
    return [{**unit, **report} for unit in found or [{}] for report in reports] if reports else found or [{}]


def _named(epc: str) -> dict[str, Any]:
    unit = identify(epc)
    named = {"tracking_number": unit.house, "gtin": unit.gtin, "lot": unit.lot, "serial": unit.serial}
    found: dict[str, Any] = {name: value for name, value in named.items() if value}
    if not unit.house and not unit.gtin:
        found["sku"] = epc
    return found


def _quantity(each: dict[str, Any]) -> dict[str, Any]:
    found = _named(each["epcClass"]) if isinstance(each.get("epcClass"), str) else {}
    found |= {name: each[own] for name, own in (("quantity", "quantity"), ("unit", "uom")) if own in each}
    return found


def _reports(element: dict[str, Any]) -> list[dict[str, Any]]:
    metadata = element.get("sensorMetadata")
    common = metadata if isinstance(metadata, dict) else {}
    return [_report({**common, **report}) for report in _objects(element.get("sensorReport"))]


def _report(report: dict[str, Any]) -> dict[str, Any]:
    found = {name: report[own] for name, own in (("device_id", "deviceID"), ("measurement", "value"), ("unit", "uom")) if own in report}
    if isinstance(report.get("time"), str):
        found["at"] = report["time"]
    if isinstance(report.get("type"), str):
        found["sensor_type"] = word(report["type"])
    if isinstance(found.get("device_id"), str):
        found["device_id"] = word(found["device_id"])
    return found


def _items(
    units: list[tuple[int, Any, dict[str, Any]]], version: str, head: MessageHead, raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    place, order, source = 0, 0, Json(raw.body, "epcisBody")
    for number, event, unit in units:
        place, order = number, order + 1 if number == place else 1
        position = f"eventList[{number}]" + (f"#{order}" if order > 1 else "")
        item = Item(position, PATHS, dialect, source=source)
        if version:
            item.note("MSG-VERSION", value=version)
        if isinstance(event, dict) and event.get("type") in _TYPES:
            yield _event(event, unit, item, head, raw)
        else:
            said = event.get("type") if isinstance(event, dict) else None
            item.note("FLD-CODE", at=f"{position}/type", value=said if isinstance(said, str) else None)
            yield reject(item, head, raw)


def _event(event: dict[str, Any], unit: dict[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    for name in sorted(event.keys() - _READ)[:20]:
        item.note("FLD-IGNORED", at=f"{item.position}/{name[:60]}")
    step, disposition = _word_of(event, "bizStep"), _word_of(event, "disposition")
    content: dict[str, Any] = {"at": event.get("eventTime")} | unit
    content |= {"code": (step or str(event["type"]))[:17], "business_step": step, "disposition": disposition}
    content |= {"action": event.get("action"), "event_id": event.get("eventID"), "parent": event.get("parentID")}
    for name, place in (("place", "readPoint"), ("warehouse_id", "bizLocation")):
        where = event.get(place)
        if isinstance(where, dict) and isinstance(where.get("id"), str):
            content[name] = word(where["id"])[:35]
    order = _order(event)
    if order is not None:
        content["order_id"] = order
    content = {name: value for name, value in content.items() if value is not None and (name not in _KEPT or isinstance(value, str))}
    kind = _kind(step, disposition, unit)
    return commerce_events.filing(content, kind, _NAMES, _KEPT, item, head, raw)


def _kind(step: str | None, disposition: str | None, unit: Mapping[str, Any]) -> str:
    if "device_id" in unit or "measurement" in unit:
        return "device"
    if disposition in _RETURNS:
        return "return"
    kind = KINDS.get(step or "", "tracking")
    return "tracking" if "tracking_number" in unit and kind.startswith("stock") else kind


def _order(event: dict[str, Any]) -> str | None:
    for transaction in _objects(event.get("bizTransactionList")):
        said, kind = transaction.get("bizTransaction"), transaction.get("type", "po")
        if isinstance(said, str) and isinstance(kind, str) and word(kind) == "po":
            return word(said)
    return None


def _word_of(event: dict[str, Any], name: str) -> str | None:
    said = event.get(name)
    return word(said) if isinstance(said, str) and said else None


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def word(text: str) -> str:
    """Return the last part of a URN or Web URI, e.g. ``receiving`` for ``urn:epcglobal:cbv:bizstep:receiving``.

    >>> word("https://ref.gs1.org/cbv/BizStep-shipping")
    'shipping'
    """
    if text.startswith(("http://", "https://")):
        last = text.rstrip("/").rpartition("/")[2]
        return last.partition("-")[2] if "/cbv/" in text.lower() and "-" in last else last
    return text.rpartition(":")[2] if text.startswith("urn:") else text


_URN = re.compile(r"urn:epc:(?:id|class|idpat):(sscc|sgtin|lgtin|gsin|ginc):([0-9]{6,12})\.([^.]{0,30})(?:\.([^.]{1,40}))?").fullmatch
_LINK = re.compile(r"https?://[^/]{1,200}/(?:.*/)?(00|01|401|402)/([^/?#]{1,40})(?:/10/([^/?#]{1,40}))?(?:/21/([^/?#]{1,40}))?").match
_APPLICATION: Final = {"00": "sscc", "01": "sgtin", "401": "ginc", "402": "gsin"}


def identify(epc: str) -> Unit:
    """Return what an EPC names. GS1 keys get their check digit back, which the URN form leaves out.

    >>> identify("urn:epc:id:sgtin:0614141.107346.2017").gtin
    '10614141073464'
    >>> identify("urn:epc:id:sscc:0614141.1234567890").house
    '106141412345678908'
    """
    link = _LINK(epc) if epc.startswith("http") else None
    if link:
        scheme = _APPLICATION[link[1]]
        if scheme == "sgtin":
            return Unit(scheme, gtin=link[2].zfill(14) if link[2].isdecimal() and len(link[2]) <= 14 else None, lot=link[3], serial=link[4])
        return Unit(scheme, house=link[2][:35])
    urn = _URN(epc)
    if urn is None:
        return Unit("other")
    scheme, company, reference, last = urn[1], urn[2], urn[3], urn[4]
    if scheme == "ginc":
        return Unit(scheme, house=(company + reference)[:30])
    if scheme == "gsin":
        return Unit(scheme, house=_checked(company + reference)) if reference.isdecimal() else Unit(scheme)
    if not reference.isdecimal():
        return Unit(scheme)
    number = _checked(reference[0] + company + reference[1:])
    if scheme == "sscc":
        return Unit(scheme, house=number if len(number) == 18 else None)
    gtin = number if len(number) == 14 else None
    return Unit(scheme, gtin=gtin, lot=last if scheme == "lgtin" else None, serial=last if scheme == "sgtin" else None)


def _checked(digits: str) -> str:
    """Return *digits* with the GS1 check digit (weights 3 and 1 from the right)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)
