"""XFSU, the status update of IATA Cargo-XML (``StatusMessage``, ``iata:statusmessage:1``): what happened to an air waybill.

Each ``ReportedStatus`` becomes an event under ``master:<air waybill>``, with the carrier's own code (``RCF``) and the hub's word for it
(``shared/codes/data/cargo_statuses.csv``); an unknown code is kept without one. A status says what it is about by its pieces and weight:
all of the waybill, or a part of it. The time is that of the status, else of the arrival or departure that it names, else the message's.

The groups are those of samples in circulation; the namespace and some names are reconstructed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.codes import cargo_statuses
from shared.formats import cargo_xml, checks, xml
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_xml import HEAD, Profile, count, mass
from shared.formats.filings import Item, conclude
from shared.formats.outlines import Outlines
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "xfsu"
TITLE: Final = "XFSU status update, IATA Cargo-XML"
CONTENT_TYPES: Final = cargo_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("3.00", "2.00", "4.00", "5.00")
SOURCE: Final = cargo_xml.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "xfnm"
PROFILE: Final = Profile(NAME, "StatusMessage", "iata:statusmessage:", "1", "Status Message", "", VERSIONS, common=True)
_UNIT: Final = "ReportedStatus"
PARTS: Final = ("~", "~", "", "~", "~", "~")
_MASTER, _EVENT, _LOOSE, _LEG, _NOTES = 1, 2, 3, 4, 5
_WITHIN: Final = "AssociatedStatusConsignment/"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/code": "ReasonCode",
        "/means": "ReasonCode",
        "/kind": "ReasonCode",
        "/at": f"{_WITHIN}OccurrenceDateTime",
        "/place": f"{_WITHIN}OccurrenceLocation/ID",
        "/next_place": f"{_WITHIN}SpecifiedLogisticsTransportMovement/ArrivalEvent/OccurrenceArrivalLocation/ID",
        "/pieces": f"{_WITHIN}PieceQuantity",
        "/gross_mass_kg": f"{_WITHIN}GrossWeightMeasure",
        "/conveyance_reference": f"{_WITHIN}SpecifiedLogisticsTransportMovement/ID",
        "/condition_code": f"{_WITHIN}DiscrepancyDescriptionCode",
        "/master_transport_document_id": "MasterConsignment/TransportContractDocument/ID",
        "/extra": "",
        **cargo_xml.HEADER_PATHS,
    }
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of the message without its statuses."""
    build = cargo_xml.tables(spaces)
    master = build.shape(
        {"TotalPieceQuantity": (_MASTER, "pieces"), "PieceQuantity": (_MASTER, "part")},
        {
            "TransportContractDocument": build.leaf_of(_MASTER, "awb", left=("Name", "TypeCode")),
            "OriginLocation": build.leaf_of(_LOOSE, "OriginLocation", left=("Name",)),
            "FinalDestinationLocation": build.leaf_of(_LOOSE, "FinalDestinationLocation", left=("Name",)),
        },
        left=("GrossWeightMeasure", "TotalGrossWeightMeasure", "RoutingLocation", "HandlingOSIInstructions", _UNIT),
    )
    business = build.leaf_of(_MASTER, "header", left=("Reference", "IncludedHeaderNote"))
    return build.shape({}, {"MessageHeaderDocument": build.header(), "BusinessHeaderDocument": business, "MasterConsignment": master})


@lru_cache(maxsize=xml.SPELLINGS)
def _status(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one status; what its consignment says may also stand with the status itself."""
    build = cargo_xml.tables(spaces)
    leaves = {
        "ReasonCode": (_EVENT, "code"),
        "PieceQuantity": (_EVENT, "pieces"),
        "DiscrepancyDescriptionCode": (_EVENT, "condition_code"),
        "TransportSplitDescription": (_LOOSE, "TransportSplitDescription"),
        "OccurrenceDateTime": (_LEG, "at"),
        "ActualOccurrenceDateTime": (_LEG, "at"),
    }
    event = build.shape(dict.fromkeys(("OccurrenceDateTime", "ActualOccurrenceDateTime", "ScheduledOccurrenceDateTime"), (_LEG, "at")))
    inner = {
        "OccurrenceLocation": build.leaf_of(_EVENT, "place", left=("Name", "TypeCode")),
        "SpecifiedLocation": build.leaf_of(_EVENT, "place", left=("Name", "TypeCode", "FlightStatusTypeCode")),
        "SpecifiedEvent": event,
        "AssociatedManifestDocument": build.leaf_of(_LOOSE, "AssociatedManifestDocument", left=("Name",)),
        "SpecifiedLogisticsTransportMovement": build.shape(
            {"ID": (_LEG, "flight"), "SequenceNumeric": (_LEG, "sequence")},
            build.means_and_events(_LEG),
            left=("StageCode", "ModeCode", "Mode"),
        ),
        "IncludedCustomsNote": build.note(_NOTES),
        "NotifiedParty": build.leaf_of(_LOOSE, "NotifiedParty", "Name"),
        "DeliveryParty": build.leaf_of(_LOOSE, "DeliveryParty", "Name"),
    }
    inner |= {name: build.shape({}, marked={"DescriptionCode": name, "Description": name}) for name in cargo_xml.LISTS}
    measured = {"GrossWeightMeasure": (_EVENT, "gross_mass_kg"), "GrossVolumeMeasure": (_LOOSE, "GrossVolumeMeasure")}
    left = ("DensityGroupCode", "UtilizedUnitLoadTransportEquipment", "AssociatedTransferCargo", "ChargesDocument")
    consignment = build.shape(leaves, inner, measured=measured, left=left)
    return build.shape(leaves, {**inner, "AssociatedStatusConsignment": consignment}, measured=measured, left=left)


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``StatusMessage``, in the format's namespace."""
    return cargo_xml.recognise(PROFILE, sketch)


_KNOWN: Final = Outlines(_UNIT)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a status update. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document = cargo_xml.open_document(PROFILE, raw, dialect, _KNOWN)
    statuses = cargo_xml.units(document, "MasterConsignment", _UNIT)
    record = xml.walk(document.root, _shape(document.spaces), len(PARTS))
    head, item = cargo_xml.begin(PROFILE, document, record.parts[HEAD], raw, PROFILE.root, PATHS, dialect)
    if not statuses:
        raise xml.malformed("MSG-NO-ITEMS", path=f"MasterConsignment/{_UNIT}")
    if len(statuses) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path=_UNIT, value=str(len(statuses)))
    return Parsed(head, _read(document, record, statuses, item, head, raw), len(statuses))


def _read(
    document: cargo_xml.Document, record: xml.Record, statuses: list[xml.Element], first: Item, head: MessageHead, raw: RawMessage
) -> Iterator[Filing | Rejection]:
    if record.repeated or record.unknown:
        cargo_xml.misfits(record, PARTS, first)
    shape = _status(document.spaces)
    for number, element in enumerate(statuses, 1):
        item = first.another(f"{_UNIT}[{number}]", element)
        said = record.parts[_MASTER].get("awb") or record.parts[_MASTER].get("header")
        item.paths["/master_transport_document_id"] = PATHS["/master_transport_document_id"]
        awb = cargo_xml.waybill(said, "/master_transport_document_id", item)
        content = _event(xml.walk(element, shape, len(PARTS)), record, item, head, raw.received_at)
        if awb is None:
            item.note("FLD-KEY", "/master_transport_document_id")
        else:
            content["master_transport_document_id"] = awb
        yield conclude(item, "event", content, cargo_xml.master_key(awb) if awb else "", head, raw, function=head.function)


def _event(found: xml.Record, record: xml.Record, item: Item, head: MessageHead, received_at: datetime) -> dict[str, Any]:
    """Return the event of one status."""
    if found.repeated or found.unknown:
        cargo_xml.misfits(found, PARTS, item)
    content: dict[str, Any] = found.parts[_EVENT]
    extra = {**record.parts[_LOOSE], **found.parts[_LOOSE]}
    leg = found.parts[_LEG]
    if "GrossVolumeMeasure" in extra:
        extra["GrossVolumeMeasure"] = f"{extra['GrossVolumeMeasure']} {extra.pop('GrossVolumeMeasure@', '')}".strip()
    if found.marked:
        cargo_xml.lists(found, extra)
    cargo_xml.notes_kept(found.lists[_NOTES], extra)
    code = put_meaning(content, item)
    content["at"] = _time(leg, code, item) or head.prepared_at or received_at
    put_places(content, leg, code)
    if "pieces" in content:
        count(content, "pieces", "/pieces", item)
    mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure")
    if "conversation" in record.parts[HEAD]:
        extra["ConversationID"] = record.parts[HEAD]["conversation"]
    if record.parts[_MASTER].get("pieces"):
        extra["TotalPieceQuantity"] = record.parts[_MASTER]["pieces"]
    content["kind"] = "tracking"
    if extra:
        content["extra"] = extra
    return content


def put_meaning(content: dict[str, Any], item: Item) -> str:
    """Fill the hub's word for the status code, and return the code; one without a word is told."""
    code: str | None = content.get("code")
    if code is None:
        item.note("FLD-MISSING", "/code")
        return ""
    code = content["code"] = code.upper()
    means = cargo_statuses.meaning(item.dialect.code_maps.get("status", {}).get(code, code))
    if means is not None:
        content["means"] = means
    else:
        item.note("FLD-CODE-MAPPED", "/code", code, message="The code is not in the hub's list; it is kept without a meaning.")
    return code


def _time(leg: Mapping[str, str], code: str, item: Item) -> datetime | None:
    order = (
        ("at", "departed", "departs", "arrived", "arrives") if code in DEPARTING else ("at", "arrived", "arrives", "departed", "departs")
    )
    said = next((leg[name] for name in order if name in leg), None)
    return checks.moment(said, item, "/at") if said is not None else None


DEPARTING: Final = frozenset({"BKD", "RCS", "MAN", "DEP", "PRE", "FOH"})
"""Statuses about the place a flight leaves from; all others are about the place it reaches."""


def put_places(content: dict[str, Any], leg: Mapping[str, str], code: str) -> None:
    """Fill flight, place and next place of a status from the leg of transport it names."""
    if "flight" in leg:
        content["conveyance_reference"] = leg["flight"]
    here, there = ("from", "to") if code in DEPARTING else ("to", "from")
    if "place" not in content and here in leg:
        content["place"] = leg[here]
    elif "place" not in content and there in leg and code not in DEPARTING:
        content["place"] = leg[there]
    if here == "from" and "to" in leg:
        content["next_place"] = leg["to"]
