"""FWB, the air waybill of IATA Cargo-IMP: a direct air waybill, or the master of a consolidation.

It files what XFWB files: a direct waybill (``NG``, goods in the lines of ``RTD``) is a consignment keyed by the carrier (the dialect's,
else the participant) and its own number; a master (``NC``) becomes a movement under ``master:<air waybill>`` with the parties of the
forwarders kept beside it. Where neither line stands, a text that says so makes it a consolidation, else it is read as direct, with a
finding. Of several flights the last one counts, the others are kept; a flight's day is the one nearest to the date of issue (``ISU``),
else to the time of sending, else to the arrival. The first weight charge (``PPD``, ``COL``) in the currency of ``CVD`` is the freight.

The message has neither number nor function: its id is the hash of the transmission, the latest waybill wins, and nothing in it cancels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from types import MappingProxyType
from typing import Any, Final

from shared.contracts import freight_key
from shared.formats import cargo_consignment, cargo_imp, cargo_imp_lines, cargo_xml
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_answers import DIRECT
from shared.formats.cargo_consignment import CHARGES, CONSIGNEE, CONSIGNOR, GOODS, HOUSE, LINES, LOOSE, NOTES, Totals
from shared.formats.cargo_imp import AWB, Group, LineItem, Message, Row
from shared.formats.filings import conclude, message_id_of
from shared.formats.xml import Record, malformed
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "fwb"
ACKNOWLEDGED_BY: Final = "fma"
TITLE: Final = "FWB air waybill, IATA Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("17", "16", "15", "14", "13", "12", "11", "10", "9")
SOURCE: Final = cargo_imp.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
_TYPE: Final = "FWB"
_LEFT: Final = "ACC OTH CER ISU CDC REF COI SII ARD NOM OPI CTC HBA"
_READ: Final = "FLT RTG SHP CNE NAM ADR LOC AGT NFY SSR OSI SPH CVD RTD PPD COL COR SRI OCI"
_KNOWN: Final = frozenset([AWB, *_LEFT.split(), *_READ.split()])

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    cargo_imp_lines.route_paths(cargo_imp_lines.paths(), AWB)
    | {
        "/house_transport_document_id": "AWB/number",
        "/master_transport_document_id": "AWB/number",
        "/goods_description": "RTD/NC",
        "/conveyance_reference": "FLT/flight",
        "/departure_on": "FLT/day",
        "/departure_at": "FLT/day",
        "/carrier_id": "RTG/carrier",
        "/freight_cost": "PPD/WT",
        "/freight_cost/amount": "PPD/WT",
        "/freight_cost/currency": "CVD/currency",
        "/goods_items": "RTD",
        "/goods_items/*": "RTD[*]",
        "/goods_items/*/sequence_number": "RTD[*]",
        "/goods_items/*/package_count": "RTD[*]/P",
        "/goods_items/*/gross_mass_kg": "RTD[*]/K",
        "/goods_items/*/goods_description": "RTD[*]/NG",
        "/goods_items/*/hs_code": "RTD[*]/NH",
        "/goods_items/*/country_of_origin": "RTD[*]/NO",
    }
)
_PIECES = re.compile(r"P[0-9]+").fullmatch
_MASS = re.compile(r"[KL][0-9.]+").fullmatch
_CHARGE = re.compile(r"(WT|CT)([0-9.]+)").fullmatch


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is a FWB."""
    return cargo_imp.recognise(_TYPE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the air waybills of a transmission. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    messages, rejected = cargo_imp.of_type(cargo_imp.read(raw.body, dialect), _TYPE, raw, NAME)
    if not messages[0].groups:
        raise malformed("MSG-NO-ITEMS", path=f"{messages[0].at(messages[0].line)}, AWB", line=messages[0].line, column=1)
    if len(messages) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path=messages[ITEM_LIMIT].at(messages[ITEM_LIMIT].line), value=str(len(messages)))
    message_id = message_id_of(raw.body)
    head = cargo_imp.head(messages[0], NAME, message_id, raw)
    return Parsed(head, _read(messages, rejected, message_id, raw, dialect), len(messages) + len(rejected))


def _read(
    messages: Sequence[Message], rejected: Sequence[Rejection], message_id: str, raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    yield from rejected
    for message in messages:
        item = LineItem(message.at(message.line), PATHS, dialect, message.findings, type=_TYPE)
        cargo_imp.version(message, VERSIONS, item)
        yield _waybill(message, item, cargo_imp.head(message, NAME, message_id, raw), raw)


def _waybill(message: Message, item: LineItem, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    record = cargo_imp_lines.empty_record()
    _lines(message, record, item)
    goods = _Goods([row for group in message.all("RTD") for row in group.rows], record, item)
    number = cargo_xml.waybill(record.parts[LINES].get("number"), "/master_transport_document_id", item)
    if number is None:
        item.note("FLD-KEY", "/master_transport_document_id")
    legs = _legs(message, record.parts[HOUSE], item, _near(message, head, raw))
    if _is_master(goods, record, item):
        content = _movement(record, legs, item)
        key = cargo_xml.master_key(number) if number else ""
        return conclude(item, "movement", content | _named(number), key, head, raw, function="original")
    _carried(legs, record.parts[HOUSE], record.parts[LOOSE], item)
    at = message.at(message.groups[0].line) if message.groups else item.position
    content = cargo_consignment.read(record, item, "RTD", Totals(f"/{at}, AWB/pieces", f"/{at}, AWB/weight"))
    content |= {"channel": "freight", "house_transport_document_type": DIRECT, "mode_of_transport": "4"} | _named(number)
    carrier = item.dialect.carrier or raw.participant
    if number is not None:
        content["house_transport_document_id"] = number
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    return conclude(item, "consignment", content, freight_key(carrier, number) if number else "", head, raw, function="original")


def _named(number: str | None) -> dict[str, str]:
    return {} if number is None else {"master_transport_document_id": number}


def _near(message: Message, head: MessageHead, raw: RawMessage) -> datetime:
    """Return the time that the days of the message are nearest to."""
    issue = message.group("ISU")
    issued = cargo_imp.day(issue.element(0), raw.received_at) if issue is not None else None
    return datetime.combine(issued, time(), UTC) if issued is not None else head.prepared_at or raw.received_at


# --- lines -------------------------------------------------------------------------------------------------------------------------------


def _lines(message: Message, record: Record, item: LineItem) -> None:
    """Bring all lines but those of the goods and the flights into *record*."""
    extra = record.parts[LOOSE]
    for index, group in enumerate(message.groups):
        name = group.name
        if name == AWB or (index == 0 and not name):
            _awb(group, record, item)
        elif name == "CVD":
            cargo_imp_lines.put_values(group, record, item)
        elif name == "OCI":
            cargo_imp_lines.put_notes(group, record, item)
        elif name == "AGT":
            cargo_imp_lines.other_party(group, extra, "FreightForwarderParty", ("AccountID", "CargoAgentID"))
        elif name == "NFY":
            cargo_imp_lines.other_party(group, extra, "AssociatedParty")
        elif name in _SINGLE and group.element(0):
            extra[_SINGLE[name]] = group.element(0)
    cargo_imp_lines.put_lists(message.groups, extra)
    cargo_imp_lines.put_parties(message.groups, record, item, account=True)
    _charges(message, record.parts[CHARGES], item)
    cargo_imp_lines.ignored(message, message.groups if message.groups[:1] and message.groups[0].name else message.groups[1:], _KNOWN, item)


_SINGLE: Final = {"COR": "GoodsStatusCode", "SRI": "SenderAssignedID"}


def _awb(group: Group, record: Record, item: LineItem) -> None:
    """``888-45123072SZXLGG/T3K2.7MC0.02``"""
    number, route = cargo_imp_lines.carried(group.element(0))
    record.parts[LINES]["number"] = number
    for field in ("", "/house_transport_document_id", "/master_transport_document_id"):
        item.places[field] = group.line
    cargo_imp_lines.put_route(route, record.parts[HOUSE], item)
    cargo_imp_lines.put_quantity(group.element(1), record.parts[HOUSE], record.parts[LOOSE])


def _charges(message: Message, charges: dict[str, str], item: LineItem) -> None:
    """The weight charge and the totals, in the currency of the waybill."""
    currency = charges.get("currency")
    if currency is None:
        return
    for group in message.groups:
        if group.name in ("PPD", "COL"):
            for row in group.rows:
                for said in row.elements:
                    found = _CHARGE(said.strip())
                    if found is not None:
                        name = "freight" if found[1] == "WT" else "prepaid" if group.name == "PPD" else "collect"
                        charges.setdefault(name, found[2])
                        charges[f"{name}@"] = currency
                        item.places.setdefault("/freight_cost", row.line)


# --- goods -------------------------------------------------------------------------------------------------------------------------------


class _Goods:
    """The lines of ``RTD``: each number of pieces begins a line of goods, what follows describes it."""

    def __init__(self, rows: Sequence[Row], record: Record, item: LineItem) -> None:
        self.item = item
        self.extra: dict[str, str] = record.parts[LOOSE]
        self.lines: list[dict[str, Any]] = record.lists[GOODS]
        self.texts: list[list[Row]] = []
        self.codes: list[list[str]] = []
        self.consolidated: bool | None = None
        for row in rows:
            self._row(row)
        self._close()

    def _row(self, row: Row) -> None:
        elements = row.elements[1:] if row.elements and row.elements[0].strip().isdecimal() else row.elements
        tag = elements[0].strip() if elements else ""
        said = elements[1:]
        if tag in ("NG", "NC"):
            self.consolidated = self.consolidated or tag == "NC"
            self._open(row)
            self.texts[-1].append(Row(row.line, said))
        elif tag == "NH":
            self._open(row)
            self.codes[-1] += [each.strip() for each in said]
            self.item.places[f"/goods_items/{len(self.lines) - 1}/hs_code"] = row.line
        elif tag in ("NV", "NO", "NS"):
            self._detail(tag, row, said[0].strip() if said else "")
        elif tag not in ("ND", "NU"):
            self._rate(row, elements)

    def _detail(self, tag: str, row: Row, said: str) -> None:
        line = self._open(row)
        volume = cargo_imp_lines.quantity(said) if tag == "NV" else None
        if volume is not None and volume.volume:
            line["~volume"], _, line["~volume@"] = volume.volume.partition(" ")
        elif tag != "NV" and said:
            line["country_of_origin" if tag == "NO" else "~PackageQuantity"] = said

    def _rate(self, row: Row, elements: Sequence[str]) -> None:
        """``P3/K2.7/CQ/W3/R4.00/T12.00``; only pieces and mass are of the goods."""
        for each in elements:
            said = each.strip()
            if _PIECES(said):
                line = self._open(row, fresh=bool(self.lines) and "package_count" in self.lines[-1])
                line["package_count"] = said[1:]
            elif _MASS(said):
                line = self._open(row, fresh=bool(self.lines) and "gross_mass_kg" in self.lines[-1])
                cargo_imp_lines.put_weight(said, line)

    def _open(self, row: Row, *, fresh: bool = False) -> dict[str, Any]:
        """Return the line of goods that is open, or begin one."""
        if fresh or not self.lines:
            self.item.places[f"/goods_items/{len(self.lines)}"] = row.line
            self.lines.append({"sequence_number": str(len(self.lines) + 1)})
            self.texts.append([])
            self.codes.append([])
        return self.lines[-1]

    def _close(self) -> None:
        for number, (line, rows, codes) in enumerate(zip(self.lines, self.texts, self.codes, strict=True), 1):
            text = " ".join(" ".join(cargo_imp_lines.whole(row) for row in rows).split())
            if text:
                line["goods_description"] = text
                self.item.places[f"/goods_items/{number - 1}/goods_description"] = rows[0].line
            cargo_imp_lines.put_hs_codes(codes, line, number, self.extra, self.item)


def _is_master(goods: _Goods, record: Record, item: LineItem) -> bool:
    if goods.consolidated is not None:
        return goods.consolidated
    texts = [record.parts[LOOSE].get("HandlingSSRInstructions", ""), record.parts[LOOSE].get("HandlingOSIInstructions", "")]
    consolidation = any("CONSOL" in text.upper() for text in texts)
    kind = f"a {'master' if consolidation else 'direct'} air waybill"
    item.note("FLD-CODE-MAPPED", at=f"{item.position}, RTD/NG", message=f"Neither NG nor NC says what it is; it was read as {kind}.")
    return consolidation


# --- flights -----------------------------------------------------------------------------------------------------------------------------


def _legs(message: Message, route: Mapping[str, str], item: LineItem, near: datetime) -> list[dict[str, str]]:
    """Return the legs of transport: airports and carriers of ``RTG``, flights and days of ``FLT``."""
    flights = _flights(message.group("FLT"), item, near)
    group = message.group("RTG")
    points = [said for row in group.rows for each in row.elements if (said := each.strip())] if group is not None else []
    if group is not None:
        item.places["/carrier_id"] = group.line
    legs = []
    start = route.get("place_of_loading")
    for index in range(max(len(flights), len(points))):
        leg = dict(flights[index]) if index < len(flights) else {}
        if start is not None:
            leg["from"] = start
        start = None
        if index < len(points) and len(points[index]) >= 3:
            start = leg["to"] = points[index][:3]
            if len(points[index]) == 5:
                leg["carrier"] = points[index][3:]
        legs.append(leg)
    return legs


def _flights(group: Group | None, item: LineItem, near: datetime) -> list[dict[str, str]]:
    """``FLT/XX8012/01/XX100/02``"""
    if group is None:
        return []
    said = [each.strip() for row in group.rows for each in row.elements]
    for field in ("/conveyance_reference", "/departure_on", "/departure_at"):
        item.places[field] = group.line
    found = []
    for at in range(0, len(said), 2):
        leg = {"flight": said[at]} if said[at] else {}
        day = said[at + 1] if at + 1 < len(said) else ""
        when = cargo_imp.day(day, near)
        if when is not None:
            leg["departs"] = when.isoformat()
        elif day:
            item.note("FLD-DROPPED", "/departure_on", day)
        found.append(leg)
    return found


def _carried(legs: Sequence[dict[str, str]], content: dict[str, Any], extra: dict[str, str], item: LineItem) -> None:
    """The last leg is the one that arrives; what it says of places goes before the route of the waybill, which is kept."""
    if not legs:
        return
    cargo_xml.legs_kept(legs[:-1], extra)
    leg = legs[-1]
    for field, name in (("conveyance_reference", "flight"), ("departure_on", "departs")):
        if name in leg:
            content[field] = leg[name]
    for field, name, kept in (("place_of_loading", "from", "OriginLocation"), ("place_of_arrival", "to", "FinalDestinationLocation")):
        said = leg.get(name)
        if said is not None and said != content.get(field):
            if field in content:
                extra[kept] = content[field]
            content[field] = said
            item.paths[f"/{field}"] = f"{item.position}/RTG"


def _movement(record: Record, legs: Sequence[dict[str, str]], item: LineItem) -> dict[str, Any]:
    """Return the movement of a master: what it weighs, where it goes and on which flight."""
    parts = record.parts
    content: dict[str, Any] = parts[HOUSE]
    extra = parts[LOOSE]
    cargo_xml.kept_parties(((parts[CONSIGNOR], "ConsignorParty"), (parts[CONSIGNEE], "ConsigneeParty")), extra)
    cargo_xml.notes_kept(record.lists[NOTES], extra)
    if legs:
        cargo_xml.legs_kept(legs[:-1], extra)
        cargo_xml.carried(content, legs[-1], item)
    cargo_xml.count(content, "package_count", "/package_count", item, mandatory=True)
    cargo_xml.mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure", mandatory=True)
    described = [line["goods_description"] for line in record.lists[GOODS] if "goods_description" in line]
    if described:
        content["goods_description"] = described[0]
    for index, said in enumerate(described[1:], 2):
        extra[f"Item[{index}]/Identification"] = said
    content |= {"stage": "planned", "channel": "freight", "mode_of_transport": "4"}
    if extra:
        content["extra"] = extra
    return content
