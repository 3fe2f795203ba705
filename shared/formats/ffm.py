"""FFM, the flight manifest of IATA Cargo-IMP: what flew, or is about to.

Each air waybill line becomes a movement under ``master:<air waybill>``, loaded on the flight of the manifest and bound for the point of
unloading above it; the unit load device (``ULD``) above it is the receptacle. What the line says of a part (``P``, ``S``, ``D`` and the
total behind ``T``) and its handling codes are kept, as XFFM's are. A flight line with a day and no time departs when the message was sent,
where that is the same day or the next; that is how pre-loading programmes read it, and it is told.

A manifest ends with ``LAST``, or with ``CONT`` when another part follows; one without either may be cut off, which is told. It has
neither number nor function: its id is the hash of the transmission, the latest one wins. ``NIL`` behind a point of unloading says that
nothing is unloaded there; a manifest that is nil at every point is read, and nothing comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from shared.formats import cargo_imp, cargo_imp_lines, cargo_xml, checks
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_consignment import NOTES
from shared.formats.cargo_imp import AWB, Group, LineItem, Message, Row
from shared.formats.filings import conclude, message_id_of
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "ffm"
ACKNOWLEDGED_BY: Final = "fma"
TITLE: Final = "FFM flight manifest, IATA Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("8", "7")
SOURCE: Final = cargo_imp.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
_TYPE: Final = "FFM"
_ENDS: Final = ("LAST", "CONT")
_FLIGHT: Final = "flight line"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/master_transport_document_id": "AWB/number",
        "/package_count": "AWB/pieces",
        "/gross_mass_kg": "AWB/weight",
        "/goods_description": "AWB/goods",
        "/place_of_loading": f"{_FLIGHT}/airport",
        "/place_of_arrival": "point of unloading",
        "/conveyance_reference": f"{_FLIGHT}/flight",
        "/carrier_id": f"{_FLIGHT}/flight",
        "/departure_at": f"{_FLIGHT}/date",
        "/arrival_at": "point of unloading/date",
        "/receptacle_id": "ULD",
        "/receptacle_type": "ULD",
        "/function": "",
        "/extra": "",
    }
)
_OF_FLIGHT: Final = ("place_of_loading", "conveyance_reference", "carrier_id", "departure_at")
_POINT = re.compile(r"[A-Z]{3}").fullmatch
_NUMBERED = re.compile(r"([A-Z0-9]{2})[A-Z]?[0-9]{1,5}[A-Z]?").fullmatch
_DEVICE = re.compile(r"([A-Z]{3})[A-Z0-9]{3,12}").fullmatch


@dataclass(slots=True)
class _Flight:
    """What holds for the lines below: flight, place and time of departure, with the lines they stand in."""

    near: datetime
    said: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Load:
    """One air waybill line with the lines below it, the point of unloading and the device above it."""

    message: Message
    head: MessageHead
    flight: _Flight
    group: Group
    below: list[Group]
    point: Group | None
    device: Group | None
    notes: LineItem | None = None


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is a FFM."""
    return cargo_imp.recognise(_TYPE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the flight manifests of a transmission. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    messages, rejected = cargo_imp.of_type(cargo_imp.read(raw.body, dialect), _TYPE, raw, NAME)
    message_id = message_id_of(raw.body)
    head = cargo_imp.head(messages[0], NAME, message_id, raw)
    loads: list[_Load] = []
    nil = False
    for message in messages:
        found = _loads(message, cargo_imp.head(message, NAME, message_id, raw), raw, dialect)
        loads += found
        if not found and _is_nil(message):
            nil = True
        elif not found:
            rejected.append(cargo_imp.refuse(message, "MSG-NO-ITEMS", "AWB", raw, NAME, message_id))
    if not loads and not nil:
        raise malformed("MSG-NO-ITEMS", path=f"{messages[0].at(messages[0].line)}, AWB", line=messages[0].line, column=1)
    if len(loads) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path=loads[ITEM_LIMIT].message.at(loads[ITEM_LIMIT].group.line), value=str(len(loads)))
    return Parsed(loads[0].head if loads else head, _read(loads, rejected, raw, dialect), len(loads) + len(rejected))


def _is_nil(message: Message) -> bool:
    """Whether a manifest without lines of cargo says so itself: its points of unloading are all nil (``LGG/NIL``)."""
    points = [group for group in message.groups[1:] if not group.name]
    return bool(points) and all(group.element(1) == "NIL" for group in points)


def _loads(message: Message, head: MessageHead, raw: RawMessage, dialect: Dialect) -> list[_Load]:
    """Cut a manifest into its lines of cargo."""
    item = LineItem(message.at(message.line), PATHS, dialect, message.findings, type=_TYPE)
    cargo_imp.version(message, VERSIONS, item)
    groups = message.groups
    flight = _Flight(head.prepared_at or raw.received_at)
    if groups and not groups[0].name:
        _fill_flight(flight, groups[0], head, item)
        groups = groups[1:]
    else:
        item.note("FLD-WANTED", "/conveyance_reference")
    if not any(group.name in _ENDS for group in groups):
        item.note("IMP-CUT", at=f"{item.position}, LAST")
    found = list(_below(message, head, flight, groups))
    if found:
        found[0].notes = item
    return found


def _below(message: Message, head: MessageHead, flight: _Flight, groups: Sequence[Group]) -> Iterator[_Load]:
    point: Group | None = None
    device: Group | None = None
    load: _Load | None = None
    for group in groups:
        if group.name == AWB:
            load = _Load(message, head, flight, group, [], point, device)
            yield load
        elif not group.name:
            point, device = group, None
        elif group.name == "ULD":
            device = group
        elif load is not None:
            load.below.append(group)


def _fill_flight(found: _Flight, group: Group, head: MessageHead, item: LineItem) -> None:
    """``1/XX8012/01MAR/SZX/BNCF1``: sequence number, flight, day (with time), airport, registration."""
    elements = [each.strip() for each in group.first]
    if elements and elements[0].isdecimal():
        del elements[0]
    number, day, airport, registration = [*elements, "", "", "", ""][:4]
    for name in _OF_FLIGHT:
        item.places[f"/{name}"] = found.places[f"/{name}"] = group.line
    numbered = _NUMBERED(number)
    if numbered is not None:
        found.said |= {"conveyance_reference": number, "carrier_id": numbered[1]}
    else:
        item.note("FLD-WANTED" if not number else "FLD-DROPPED", "/conveyance_reference", number or None)
    if _POINT(airport):
        found.said["place_of_loading"] = airport
    elif airport:
        item.note("FLD-DROPPED", "/place_of_loading", airport)
    departs = _departure(day, found.near, head.prepared_at, item)
    if departs is not None:
        found.said["departure_at"] = departs.isoformat()
        found.near = departs
    if registration:
        found.extra["UsedLogisticsTransportMeans/ID"] = registration


def _departure(said: str, near: datetime, sent: datetime | None, item: LineItem) -> datetime | None:
    at = cargo_imp.moment(said, near)
    if at is not None:
        return at
    day = cargo_imp.day(said, near)
    if day is None:
        item.note("FLD-DROPPED" if said else "FLD-WANTED", "/departure_at", said or None)
        return None
    if sent is not None and timedelta() <= sent.date() - day <= timedelta(days=1):
        told = "The line has no time of departure; that of sending was taken."
        item.note("FLD-ASSUMED", "/departure_at", said, message=told, remedy="Send the time with the day, e.g. 01MAR1830.")
        return sent
    return checks.moment(day.isoformat(), item, "/departure_at")


# --- lines -------------------------------------------------------------------------------------------------------------------------------


def _read(loads: Sequence[_Load], rejected: Sequence[Rejection], raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    yield from rejected
    for load in loads:
        places = {"": load.group.line, **load.flight.places}
        findings = list(load.notes.findings) if load.notes is not None else []
        item = LineItem(load.message.at(load.group.line), PATHS, dialect, findings, type=_TYPE, places=places)
        content = _movement(load, item)
        awb = content.get("master_transport_document_id")
        key = cargo_xml.master_key(awb) if awb else ""
        yield conclude(item, "movement", content, key, load.head, raw, function="original")


def _movement(load: _Load, item: LineItem) -> dict[str, Any]:
    """``888-45123072SZXLGG/S2K60MC0.14T5/CONSOLIDATION/SPX``"""
    content: dict[str, Any] = dict(load.flight.said)
    extra = dict(load.flight.extra)
    said, route = cargo_imp_lines.carried(load.group.element(0))
    number = cargo_xml.waybill(said, "/master_transport_document_id", item)
    if number is not None:
        content["master_transport_document_id"] = number
    if len(route) == 6:
        extra |= {"OriginLocation": route[:3], "FinalDestinationLocation": route[3:]}
    elif route:
        item.note("FLD-DROPPED", value=route, at=f"{item.position}, AWB/route")
    amount = cargo_imp_lines.put_quantity(load.group.element(1), content, extra)
    if amount.split:
        extra["TransportSplitDescription"] = amount.split
    if amount.total:
        extra["TotalPieceQuantity"] = amount.total
    if load.group.element(2):
        content["goods_description"] = load.group.element(2)
    codes = cargo_imp_lines.codes_of([Row(load.group.line, load.group.first[3:]), *load.group.continued])
    if codes:
        extra["HandlingSPHInstructions"] = "\n".join(codes)
    _details(load, extra, item)
    _unloading(load, content, item)
    cargo_xml.count(content, "package_count", "/package_count", item, mandatory=True)
    cargo_xml.mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure")
    content |= {"stage": "loaded", "channel": "freight", "mode_of_transport": "4"}
    if extra:
        content["extra"] = extra
    return content


def _details(load: _Load, extra: dict[str, str], item: LineItem) -> None:
    """The lines below an air waybill."""
    record = cargo_imp_lines.empty_record()
    for group in load.below:
        if group.name == "OCI":
            cargo_imp_lines.put_notes(group, record, item)
        elif group.name in ("COR", "SCI") and group.element(0):
            extra["GoodsStatusCode"] = group.element(0)
    cargo_imp_lines.put_lists(load.below, extra)
    cargo_xml.notes_kept(record.lists[NOTES], extra)


def _unloading(load: _Load, content: dict[str, Any], item: LineItem) -> None:
    """Point of unloading and device of the line."""
    if load.point is not None:
        item.places["/place_of_arrival"] = item.places["/arrival_at"] = load.point.line
        airport = load.point.element(0)
        if _POINT(airport):
            content["place_of_arrival"] = airport
        else:
            item.note("FLD-DROPPED", "/place_of_arrival", airport)
        arrives = cargo_imp.moment(load.point.element(1), load.flight.near)
        if arrives is not None:
            content["arrival_at"] = arrives.isoformat()
    else:
        item.note("FLD-WANTED", "/place_of_arrival")
    if load.device is not None:
        item.places["/receptacle_id"] = load.device.line
        name = load.device.element(0)
        found = _DEVICE(name)
        if found is not None:
            content |= {"receptacle_id": name, "receptacle_type": found[1]}
        elif name:
            item.note("FLD-DROPPED", "/receptacle_id", name)
