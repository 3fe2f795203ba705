"""XFFM, the flight manifest of IATA Cargo-XML (``FlightManifest``, ``iata:flightmanifest:1``): what flew.

Each ``IncludedMasterConsignment`` becomes a movement under ``master:<air waybill>``, loaded on the flight of the manifest; its unit load
device is the receptacle. Where one air waybill is on several flights or devices, ``TransportSplitDescription`` (``T`` total, ``P`` part,
``S`` split) is kept. The manifest's own total of pieces, where it has one, is compared with the sum.

The groups are those of samples in circulation; the namespace and some names are reconstructed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.formats import cargo_xml, xml
from shared.formats.base import ITEM_LIMIT, Certainty, Likeness, Parsed, Sketch
from shared.formats.cargo_xml import HEAD, LISTS, Profile, count, mass
from shared.formats.filings import Item, conclude
from shared.formats.outlines import Outlines
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "xffm"
TITLE: Final = "XFFM flight manifest, IATA Cargo-XML"
CONTENT_TYPES: Final = cargo_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("2.00", "3.00")
SOURCE: Final = cargo_xml.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "xfnm"
PROFILE: Final = Profile(NAME, "FlightManifest", "iata:flightmanifest:", "1", "Transport Loading Report", "122", VERSIONS)
_UNIT: Final = "IncludedMasterConsignment"
PARTS: Final = ("~", "", "~", "~", "~", "~")
_MOVEMENT, _LOOSE, _LEG, _NOTES, _DEVICE = 1, 2, 3, 4, 5
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/master_transport_document_id": "TransportContractDocument/ID",
        "/package_count": "TotalPieceQuantity",
        "/gross_mass_kg": "GrossWeightMeasure",
        "/goods_description": "SummaryDescription",
        "/place_of_loading": "LogisticsTransportMovement/DepartureEvent/OccurrenceDepartureLocation/ID",
        "/place_of_arrival": "ArrivalEvent/OccurrenceArrivalLocation/ID",
        "/conveyance_reference": "LogisticsTransportMovement/ID",
        "/carrier_id": "LogisticsTransportMovement/UsedLogisticsTransportMeans/Name",
        "/departure_at": "LogisticsTransportMovement/DepartureEvent/DepartureOccurrenceDateTime",
        "/arrival_at": "ArrivalEvent/ArrivalOccurrenceDateTime",
        "/receptacle_id": "UtilizedUnitLoadTransportEquipment/ID",
        "/receptacle_type": "UtilizedUnitLoadTransportEquipment/CharacteristicCode",
        "/extra": "",
        **cargo_xml.HEADER_PATHS,
    }
)
_OF_FLIGHT: Final = ("place_of_loading", "place_of_arrival", "conveyance_reference", "carrier_id", "departure_at", "arrival_at")


class _Load(NamedTuple):
    """One line of the manifest: the consignment, the device it is in, the arrival it is for."""

    element: xml.Element
    device: dict[str, str]
    leg: dict[str, str]


@lru_cache(maxsize=xml.SPELLINGS)
def _flight(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of header and flight, without the cargo."""
    build = cargo_xml.tables(spaces)
    totals = dict.fromkeys(("TotalGrossWeightMeasure", "GrossWeightMeasure"), (_LEG, "gross_mass_kg"))
    flight = build.shape(
        {
            "StageCode": (_LEG, "stage"),
            "ModeCode": (_LEG, "mode"),
            "ID": (_LEG, "flight"),
            "SequenceNumeric": (_LEG, "sequence"),
            "TotalPieceQuantity": (_LEG, "pieces"),
        },
        build.means_and_events(_LEG),
        measured=totals,
        left=("Mode", "TotalPackageQuantity", "MasterResponsibleTransportPerson", "UsedLogisticsTransportEquipment", "IncludedCustomsNote"),
    )
    business = build.shape({"ID": (_LOOSE, "BusinessHeaderDocument")}, left=("SenderAssignedID", "IncludedHeaderNote"))
    return build.shape(
        {},
        {"MessageHeaderDocument": build.header(), "BusinessHeaderDocument": business, "LogisticsTransportMovement": flight},
        left=("ArrivalEvent",),
    )


@lru_cache(maxsize=xml.SPELLINGS)
def _arrival(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one arrival, without its cargo."""
    build = cargo_xml.tables(spaces)
    return build.shape(
        {"ArrivalOccurrenceDateTime": (_LEG, "arrives"), "ScheduledOccurrenceDateTime": (_LEG, "arrives")},
        {"OccurrenceArrivalLocation": build.leaf_of(_LEG, "to", left=("Name", "TypeCode", "FirstArrivalCountryID"))},
        left=("ArrivalDateTimeTypeCode", "DepartureOccurrenceDateTime", "DepartureDateTimeTypeCode", "AssociatedTransportCargo"),
    )


@lru_cache(maxsize=xml.SPELLINGS)
def _cargo(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one load, without its consignments."""
    build = cargo_xml.tables(spaces)
    device = build.shape(
        {"ID": (_DEVICE, "id"), "CharacteristicCode": (_DEVICE, "type")},
        {"OperatingParty": build.leaf_of(_DEVICE, "owner", "PrimaryID", left=("Name",))},
        left=("LoadedVolumeMeasure", "GrossWeightMeasure", "LoadingRemark", "AffixedLogisticsSeal", "PositioningEvent"),
    )
    return build.shape({"TypeCode": (_DEVICE, "cargo")}, {"UtilizedUnitLoadTransportEquipment": device}, left=(_UNIT,))


@lru_cache(maxsize=xml.SPELLINGS)
def _consignment(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one consignment."""
    build = cargo_xml.tables(spaces)
    inner = {
        "TransportContractDocument": build.leaf_of(_MOVEMENT, "master_transport_document_id", left=("Name", "TypeCode")),
        "OriginLocation": build.leaf_of(_LOOSE, "OriginLocation", left=("Name",)),
        "FinalDestinationLocation": build.leaf_of(_LOOSE, "FinalDestinationLocation", left=("Name",)),
        "IncludedCustomsNote": build.note(_NOTES),
        "AssociatedConsignmentCustomsProcedure": build.leaf_of(_LOOSE, "GoodsStatusCode", "GoodsStatusCode"),
    }
    inner |= {name: build.shape({}, marked={"DescriptionCode": name, "Description": name}) for name in LISTS}
    kept = ("PackageQuantity", "TotalPackageQuantity", "DensityGroupCode", "TransportSplitDescription")
    return build.shape(
        {
            "TotalPieceQuantity": (_MOVEMENT, "package_count"),
            "PieceQuantity": (_MOVEMENT, "package_count"),
            "SummaryDescription": (_MOVEMENT, "goods_description"),
        }
        | {name: (_LOOSE, name) for name in kept},
        inner,
        measured={
            "GrossWeightMeasure": (_MOVEMENT, "gross_mass_kg"),
            "TotalGrossWeightMeasure": (_LOOSE, "TotalGrossWeightMeasure"),
            "GrossVolumeMeasure": (_LOOSE, "GrossVolumeMeasure"),
        },
        left=(
            "ConnectingTransportMovement",
            "OnCarriageTransportMovement",
            "TransportLogisticsPackage",
            "UNID",
            "IncludedHouseConsignment",
        ),
    )


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``FlightManifest``, in the format's namespace or in none."""
    return cargo_xml.recognise(PROFILE, sketch)


_KNOWN: Final = Outlines(_UNIT)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a flight manifest. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document = cargo_xml.open_document(PROFILE, raw, dialect, _KNOWN)
    record = xml.walk(document.root, _flight(document.spaces), len(PARTS))
    head, item = cargo_xml.begin(PROFILE, document, record.parts[HEAD], raw, PROFILE.root, PATHS, dialect)
    loads = list(_loads(document))
    if not loads and head.function != "cancel":
        raise xml.malformed("MSG-NO-ITEMS", path=f"ArrivalEvent/AssociatedTransportCargo/{_UNIT}")
    if len(loads) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path=_UNIT, value=str(len(loads)))
    return Parsed(head, _read(document, record, loads, item, head, raw), len(loads))


def _loads(document: cargo_xml.Document) -> Iterator[_Load]:
    spaces = document.spaces
    for arrival in document.root.iterchildren(*cargo_xml.names(spaces, "ArrivalEvent")):
        leg = xml.walk(arrival, _arrival(spaces), len(PARTS)).parts[_LEG]
        for cargo in arrival.iterchildren(*cargo_xml.names(spaces, "AssociatedTransportCargo")):
            device = xml.walk(cargo, _cargo(spaces), len(PARTS)).parts[_DEVICE]
            for element in cargo.iterchildren(*cargo_xml.names(spaces, _UNIT)):
                yield _Load(element, device, leg)


def _read(
    document: cargo_xml.Document, record: xml.Record, loads: list[_Load], first: Item, head: MessageHead, raw: RawMessage
) -> Iterator[Filing | Rejection]:
    flight = record.parts[_LEG]
    if record.repeated or record.unknown:
        cargo_xml.misfits(record, PARTS, first)
    pieces, whole = Decimal(0), True
    shape = _consignment(document.spaces)
    for number, load in enumerate(loads, 1):
        item = first.another(f"{_UNIT}[{number}]", load.element)
        found = xml.walk(load.element, shape, len(PARTS))
        content = _movement(found, load, flight, record, item, mandatory=head.function != "cancel")
        whole = whole and not item.refused and "package_count" in content
        pieces += Decimal(content["package_count"]) if whole else 0
        if number == len(loads) and whole and flight.get("pieces", "").isdecimal():
            where = "/LogisticsTransportMovement/TotalPieceQuantity"
            cargo_xml.compare(flight["pieces"], pieces, "/package_count", item, where)
        awb = content.get("master_transport_document_id")
        yield conclude(item, "movement", content, cargo_xml.master_key(awb) if awb else "", head, raw, function=head.function)


def _movement(
    found: xml.Record, load: _Load, flight: Mapping[str, str], record: xml.Record, item: Item, *, mandatory: bool
) -> dict[str, Any]:
    """Return the movement of one load."""
    if found.repeated or found.unknown:
        cargo_xml.misfits(found, PARTS, item)
    content: dict[str, Any] = found.parts[_MOVEMENT]
    extra = found.parts[_LOOSE]
    for name in ("TotalGrossWeightMeasure", "GrossVolumeMeasure"):
        if f"{name}@" in extra:
            extra[name] = f"{extra[name]} {extra.pop(f'{name}@')}"
    if found.marked:
        cargo_xml.lists(found, extra)
    cargo_xml.notes_kept(found.lists[_NOTES], extra)
    item.paths |= {f"/{field}": PATHS[f"/{field}"] for field in _OF_FLIGHT}
    cargo_xml.carried(content, {**flight, **load.leg}, item)
    for field in _OF_FLIGHT:
        if field not in content:
            del item.paths[f"/{field}"]
    _device(content, load.device, extra, item)
    awb = cargo_xml.waybill(content.get("master_transport_document_id"), "/master_transport_document_id", item)
    if awb is None:
        item.note("FLD-KEY", "/master_transport_document_id")
    else:
        content["master_transport_document_id"] = awb
    if mandatory or "package_count" in content:
        count(content, "package_count", "/package_count", item, mandatory=mandatory)
    mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure")
    for name, key in (("ConversationID", "conversation"),):
        if key in record.parts[HEAD]:
            extra[name] = record.parts[HEAD][key]
    content |= {"stage": "loaded", "channel": "freight", "mode_of_transport": "4"}
    if extra:
        content["extra"] = extra
    return content


def _device(content: dict[str, Any], device: Mapping[str, str], extra: dict[str, str], item: Item) -> None:
    """The unit load device: type, number and owner make its name (``PMC12345XX``); loose cargo has none."""
    number = device.get("id")
    if number is None:
        return
    kind = device.get("type", "")
    name = number if kind and number.startswith(kind) else f"{kind[:3]}{number}{device.get('owner', '')}"
    if len(name) > 29 or len(kind) > 3:
        extra["UtilizedUnitLoadTransportEquipment"] = f"{kind} {name}"
        return
    content["receptacle_id"] = name
    item.paths["/receptacle_id"] = PATHS["/receptacle_id"]
    if kind:
        content["receptacle_type"] = kind
        item.paths["/receptacle_type"] = PATHS["/receptacle_type"]
