"""FSU, the status update of IATA Cargo-IMP: what happened to an air waybill.

Each status line (``RCF/XX8012/02MAR0610/LGG/T3K2.7``) becomes an event under ``master:<air waybill>``, with the carrier's own code and the
hub's word for it, as XFSU's do. Its elements are told apart by their form, since each status has an order of its own and carriers vary
it: a flight, a day (with time), an airport or two glued ones, a quantity, times of departure and arrival (``A1830`` actual, ``E``
estimated, ``S`` scheduled), for a discrepancy (``DIS``) its code of four letters; what is none of these is kept as ``Element[n]``, and for
``NFD`` and ``DLV`` it is the name of who was notified or took delivery. Times are local times of the airport: they are read in the
dialect's zone, with a note. Layout reconstructed from messages in circulation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.formats import cargo_imp, cargo_imp_lines, cargo_xml, checks
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_consignment import NOTES
from shared.formats.cargo_imp import AWB, Group, LineItem, Message
from shared.formats.filings import conclude, message_id_of
from shared.formats.xfsu import DEPARTING, put_meaning, put_places
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "fsu"
ACKNOWLEDGED_BY: Final = "fma"
TITLE: Final = "FSU status update, IATA Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("14", "12", "15", "13", "11", "10", "9")
SOURCE: Final = cargo_imp.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
_TYPE: Final = "FSU"
_BELOW: Final = frozenset({"ULD", "DIM", "OCI", "OSI", "SSR", "SPH"})
"""Lines about the status above them."""

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/code": "status",
        "/means": "status",
        "/kind": "status",
        "/at": "time",
        "/place": "airport",
        "/next_place": "airport",
        "/pieces": "pieces",
        "/gross_mass_kg": "weight",
        "/conveyance_reference": "flight",
        "/condition_code": "discrepancy",
        "/master_transport_document_id": "AWB/number",
        "/function": "",
        "/extra": "",
    }
)
_WHEN = re.compile(r"([0-9]{2}[A-Z]{3}(?:[0-9]{2})??)([0-9]{4})?").fullmatch
_FLIGHT = re.compile(r"[A-Z0-9]{2}[A-Z]?[0-9]{2,5}[A-Z]?").fullmatch
_ROUTE = re.compile(r"([A-Z]{3})([A-Z]{3})").fullmatch
_AIRPORT = re.compile(r"[A-Z]{3}").fullmatch
_AMOUNT = re.compile(r"[TPSD][0-9]+(?:[KL][0-9.]+.*)?").fullmatch
_CLOCK = re.compile(r"([ASE])((?:[01][0-9]|2[0-3])[0-5][0-9])(?:-[PNST]|[+-][0-9])?").fullmatch
_DISCREPANCY = re.compile(r"[A-Z]{4}").fullmatch
_NAMES: Final = {"NFD": "NotifiedParty", "DLV": "DeliveryParty", "DDL": "DeliveryParty"}


class _Status(NamedTuple):
    """One status line with the lines below it, and the air waybill above it. ``first`` holds what was found about its message."""

    message: Message
    head: MessageHead
    waybill: Group | None
    group: Group
    below: list[Group]
    first: LineItem | None


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is a FSU."""
    return cargo_imp.recognise(_TYPE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the status updates of a transmission. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    messages, rejected = cargo_imp.of_type(cargo_imp.read(raw.body, dialect), _TYPE, raw, NAME)
    message_id = message_id_of(raw.body)
    statuses: list[_Status] = []
    for message in messages:
        found = list(_statuses(message, cargo_imp.head(message, NAME, message_id, raw), dialect))
        statuses += found
        if not found:
            rejected.append(cargo_imp.refuse(message, "MSG-NO-ITEMS", "status", raw, NAME, message_id))
    if not statuses:
        raise malformed("MSG-NO-ITEMS", path=f"{messages[0].at(messages[0].line)}, status", line=messages[0].line, column=1)
    if len(statuses) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path=messages[0].at(statuses[ITEM_LIMIT].group.line), value=str(len(statuses)))
    return Parsed(statuses[0].head, _read(statuses, rejected, raw, dialect), len(statuses) + len(rejected))


def _statuses(message: Message, head: MessageHead, dialect: Dialect) -> Iterator[_Status]:
    first: LineItem | None = LineItem(message.at(message.line), PATHS, dialect, message.findings, type=_TYPE)
    assert first is not None
    cargo_imp.version(message, VERSIONS, first)
    waybill: Group | None = None
    below: list[Group] | None = None
    for group in message.groups:
        if group.name == AWB or (group is message.groups[0] and not group.name):
            waybill, below = group, None
        elif group.name in _BELOW and below is not None:
            below.append(group)
        elif group.name not in _BELOW and group.name not in ("LAST", "CONT", ""):
            below = []
            yield _Status(message, head, waybill, group, below, first)
            first = None


# --- statuses ----------------------------------------------------------------------------------------------------------------------------


def _read(statuses: Sequence[_Status], rejected: Sequence[Rejection], raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    yield from rejected
    for status in statuses:
        findings = list(status.first.findings) if status.first is not None else []
        line = status.group.line
        item = LineItem(status.message.at(line), PATHS, dialect, findings, type=_TYPE, places={"": line})
        content = _event(status, item, raw)
        awb = content.get("master_transport_document_id")
        key = cargo_xml.master_key(awb) if awb else ""
        yield conclude(item, "event", content, key, status.head, raw, function="original")


def _event(status: _Status, item: LineItem, raw: RawMessage) -> dict[str, Any]:
    content: dict[str, Any] = {"code": status.group.name, "kind": "tracking"}
    extra: dict[str, str] = {}
    code = put_meaning(content, item)
    _waybill(status.waybill, content, extra, item)
    leg = _elements(status, code, content, extra, item)
    near = status.head.prepared_at or raw.received_at
    _put_time(leg, code, content, near, item)
    put_places(content, leg, code)
    if "pieces" in content:
        cargo_xml.count(content, "pieces", "/pieces", item)
    cargo_xml.mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure")
    if extra:
        content["extra"] = extra
    return content


def _waybill(group: Group | None, content: dict[str, Any], extra: dict[str, str], item: LineItem) -> None:
    """``888-45123072SZXLGG/T3K2.7``"""
    said, route = cargo_imp_lines.carried(group.element(0)) if group is not None else ("", "")
    if group is not None:
        item.places["/master_transport_document_id"] = group.line
    number = cargo_xml.waybill(said or None, "/master_transport_document_id", item)
    if number is None:
        item.note("FLD-KEY", "/master_transport_document_id")
        return
    content["master_transport_document_id"] = number
    found = _ROUTE(route)
    if found is not None:
        extra |= {"OriginLocation": found[1], "FinalDestinationLocation": found[2]}
    total = cargo_imp_lines.quantity(group.element(1)) if group is not None else None
    if total is not None and total.pieces:
        extra["TotalPieceQuantity"] = total.pieces


def _elements(status: _Status, code: str, content: dict[str, Any], extra: dict[str, str], item: LineItem) -> dict[str, str]:
    """Tell the elements of a status apart by their form; return what they say of flight, places and times."""
    leg: dict[str, str] = {}
    left: list[str] = []
    elements = [said for row in status.group.rows for each in row.elements if (said := each.strip())]
    if elements and _FLIGHT(elements[0]) and not _WHEN(elements[0]):
        leg["flight"] = elements.pop(0)
    for said in elements:
        if not _of_leg(said, code, leg) and not _of_status(said, code, content, extra):
            left.append(said)
    name = _NAMES.get(code)
    if name is not None and left:
        extra[name] = left.pop(0)
    for number, said in enumerate(left, 1):
        extra[f"Element[{number}]"] = said
    _below(status, extra, item)
    return leg


def _of_leg(said: str, code: str, leg: dict[str, str]) -> bool:
    """Take a day, airports, or a time of departure (the first of its kind) or arrival; what is there already is left."""
    when, clock, route = _WHEN(said), _CLOCK(said), _ROUTE(said)
    if when is not None and "day" not in leg:
        leg["day"] = when[1]
        if when[2]:
            leg["clock"] = when[2]
    elif clock is not None and f"{clock[1]}2" not in leg:
        leg[f"{clock[1]}{2 if f'{clock[1]}1' in leg else 1}"] = clock[2]
    elif route is not None and not leg.keys() & _AIRPORTS:
        leg["from"], leg["to"] = route[1], route[2]
    elif _AIRPORT(said) and not leg.keys() & _AIRPORTS:
        leg["from" if code in DEPARTING else "to"] = said
    else:
        return False
    return True


_AIRPORTS: Final = frozenset({"from", "to"})


def _of_status(said: str, code: str, content: dict[str, Any], extra: dict[str, str]) -> bool:
    """Take a quantity, or the code of a discrepancy."""
    if _AMOUNT(said) and "pieces" not in content:
        record: dict[str, Any] = {}
        found = cargo_imp_lines.put_quantity(said, record, extra)
        content["pieces"] = record.pop("package_count")
        content |= record
        if found.split:
            extra["TransportSplitDescription"] = found.split
        return True
    if code == "DIS" and _DISCREPANCY(said) and "condition_code" not in content:
        content["condition_code"] = said
        return True
    return False


def _below(status: _Status, extra: dict[str, str], item: LineItem) -> None:
    """The lines below a status: devices, customs notes, instructions."""
    record = cargo_imp_lines.empty_record()
    for group in status.below:
        if group.name == "OCI":
            cargo_imp_lines.put_notes(group, record, item)
    cargo_imp_lines.put_lists(status.below, extra)
    cargo_xml.notes_kept(record.lists[NOTES], extra)


def _put_time(leg: Mapping[str, str], code: str, content: dict[str, Any], near: datetime, item: LineItem) -> None:
    """Fill the time: the day's own, else the actual, estimated or scheduled one of the status's end of the flight; without a day that of
    sending or arrival."""
    said = leg.get("day", "")
    day = cargo_imp.day(said, near)
    clock = leg.get("clock") or _clock(leg, "1" if code in DEPARTING else "2")
    at = None
    if day is not None:
        at = checks.moment(f"{day}T{clock[:2]}:{clock[2:]}" if clock else f"{day}", item, "/at")
    else:
        item.note("FLD-DROPPED" if said else "FLD-WANTED", "/at", said or None)
    content["at"] = at or near


def _clock(leg: Mapping[str, str], end: str) -> str:
    """Return a time of departure (*end* 1) or arrival (2)."""
    return next((leg[name] for kind in "AES" for name in (kind + end, kind + "1") if name in leg), "")
