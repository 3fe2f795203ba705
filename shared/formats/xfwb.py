"""XFWB, the air waybill of IATA Cargo-XML (``Waybill``, ``iata:waybill:1``): a direct air waybill (740) or the master of a consolidation
(741).

A direct waybill is a consignment like a house: keyed by the carrier (the dialect's, else the participant) and its own number, with goods
in ``ApplicableRating/IncludedMasterConsignmentItem``. A master becomes a movement under ``master:<air waybill>``: route, flight, totals;
its parties are those of the forwarders and are kept beside it. Where the type is missing, a header note ``C`` or a description that says
so makes it a consolidation; else it is read as direct, with a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.contracts import freight_key
from shared.formats import cargo_consignment, cargo_xml, xml
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_answers import DIRECT, MASTER
from shared.formats.cargo_consignment import CONSIGNEE, CONSIGNOR, GOODS, HOUSE, LINES, LOOSE, MOVEMENTS, NOTES, PARTS
from shared.formats.cargo_xml import HEAD, Profile, count, mass
from shared.formats.filings import Item, conclude
from shared.formats.outlines import Outlines
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "xfwb"
TITLE: Final = "XFWB air waybill, IATA Cargo-XML"
CONTENT_TYPES: Final = cargo_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("3.00", "4.00", "5.00", "2.00")
SOURCE: Final = cargo_xml.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
ACKNOWLEDGED_BY: Final = "xfnm"
PROFILE: Final = Profile(NAME, "Waybill", "iata:waybill:", "1", "Air Waybill", DIRECT, VERSIONS, common=True)
_AT: Final = "MasterConsignment"
_GOODS: Final = "IncludedMasterConsignmentItem"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    cargo_consignment.paths(_AT, f"ApplicableRating/{_GOODS}")
    | {
        "/master_transport_document_id": "BusinessHeaderDocument/ID",
        "/goods_description": f"{_AT}/ApplicableRating/{_GOODS}/NatureIdentificationTransportCargo/Identification",
        "/departure_at": f"{_AT}/SpecifiedLogisticsTransportMovement/DepartureEvent/ScheduledOccurrenceDateTime",
        "/arrival_at": f"{_AT}/SpecifiedLogisticsTransportMovement/ArrivalEvent/ScheduledOccurrenceDateTime",
        "/carrier_id": f"{_AT}/SpecifiedLogisticsTransportMovement/UsedLogisticsTransportMeans/Name",
    }
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of the whole message."""
    build = cargo_xml.tables(spaces)
    return build.shape(
        {},
        {
            "MessageHeaderDocument": build.header(),
            "BusinessHeaderDocument": cargo_consignment.business_shape(build),
            _AT: cargo_consignment.shape(spaces, _GOODS),
        },
    )


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``Waybill``, in the format's namespace."""
    return cargo_xml.recognise(PROFILE, sketch)


_KNOWN: Final = Outlines()


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an air waybill. Raises :class:`shared.errors.MalformedMessage` when it cannot be read at all."""
    document = cargo_xml.open_document(PROFILE, raw, dialect, _KNOWN)
    record = xml.walk(document.root, _shape(document.spaces), len(PARTS))
    head, item = cargo_xml.begin(PROFILE, document, record.parts[HEAD], raw, PROFILE.root, PATHS, dialect)
    return Parsed(head, _read(record, item, head, raw), 1)


def _read(record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> Iterator[Filing | Rejection]:
    if record.repeated or record.unknown:
        cargo_xml.misfits(record, PARTS, item, ((GOODS, "hs_code"),))
    parts = record.parts
    if "conversation" in parts[HEAD]:
        parts[LOOSE]["ConversationID"] = parts[HEAD]["conversation"]
    number = cargo_xml.waybill(parts[LINES].get("header") or parts[LINES].get("document"), "/master_transport_document_id", item)
    if number is None:
        item.note("FLD-KEY", "/master_transport_document_id")
    carrier = item.dialect.carrier or raw.participant
    if _is_master(record, item):
        content = _movement(record, item, mandatory=head.function != "cancel")
        if number is not None:
            content["master_transport_document_id"] = number
        key = cargo_xml.master_key(number) if number else ""
        yield conclude(item, "movement", content, key, head, raw, function=head.function)
        return
    bare = head.function == "cancel" and cargo_consignment.is_bare(record)
    content = cargo_consignment.bare(record, item) if bare else cargo_consignment.read(record, item, _AT)
    content |= {"channel": "freight", "house_transport_document_type": DIRECT, "mode_of_transport": "4"}
    if number is not None:
        content |= {"house_transport_document_id": number, "master_transport_document_id": number}
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    yield conclude(item, "consignment", content, freight_key(carrier, number) if number else "", head, raw, function=head.function)


def _is_master(record: xml.Record, item: Item) -> bool:
    said = record.parts[HEAD].get("type")
    if said in (MASTER, DIRECT):
        return said == MASTER
    texts = [record.parts[LOOSE].get("IncludedHeaderNote", ""), *(line.get("goods_description", "") for line in record.lists[GOODS])]
    noted = record.parts[LOOSE].get("IncludedHeaderNote/ContentCode") == "C"
    consolidation = noted or any("CONSOL" in text.upper() for text in texts)
    kind = f"a {'master' if consolidation else 'direct'} air waybill"
    item.note("FLD-CODE-MAPPED", value=said, at=f"{item.position}/MessageHeaderDocument/TypeCode", message=f"It was read as {kind}.")
    return consolidation


def _movement(record: xml.Record, item: Item, *, mandatory: bool) -> dict[str, Any]:
    """Return the movement of a master: what it weighs, where it goes and on which flight."""
    parts = record.parts
    content: dict[str, Any] = parts[HOUSE]
    extra = parts[LOOSE]
    if record.marked:
        cargo_xml.lists(record, extra)
    cargo_xml.kept_parties(((parts[CONSIGNOR], "ConsignorParty"), (parts[CONSIGNEE], "ConsigneeParty")), extra)
    cargo_xml.notes_kept(record.lists[NOTES], extra)
    legs = record.lists[MOVEMENTS]
    if legs:
        cargo_xml.legs_kept(legs[:-1], extra)
        cargo_xml.carried(content, legs[-1], item)
    if mandatory or "package_count" in content:
        count(content, "package_count", "/package_count", item, mandatory=mandatory)
    mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure", mandatory=mandatory)
    described = [line["goods_description"] for line in record.lists[GOODS] if "goods_description" in line]
    summary = extra.pop("SummaryDescription", None)
    if described or summary:
        content["goods_description"] = " ".join((described[0] if described else summary or "").split())
    for index, said in enumerate(described[1:], 2):
        extra[f"Item[{index}]/Identification"] = said
    content |= {"stage": "planned", "channel": "freight", "mode_of_transport": "4"}
    if extra:
        content["extra"] = extra
    return content
