"""IE3F42, F44, F21, F25: the ICS2 filings that say what travels in what, and their amendments; read and written as movements.

F42 names the receptacles of a post under a master air waybill, F44 the items in each receptacle, F21 and F25 a master air waybill with
the houses beneath it. Each receptacle is a movement keyed ``receptacle:<S9>``, each item one keyed by its S10 number, each house one of
the carrier (the dialect's, else the participant), each master one keyed ``master:``. An item of a receptacle may stand in the receptacle
or with it in a house. Which filing is written follows from the movements: items in receptacles F44, receptacles F42, houses F25, masters
F21; the dialect's code map ``ics2`` (``filing``) may say another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.contracts import freight_key
from shared.formats import checks, customs_xml, ics2, ics2_writing, postal_items, values, xml
from shared.formats.base import ITEM_LIMIT, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.customs_xml import Document, misfits
from shared.formats.filings import Item, conclude, reject
from shared.formats.ics2_tables import (
    BAG,
    BAGS,
    HEAD,
    HOUSE_LEVEL,
    INSIDE,
    MASTER,
    MASTER_LEVEL,
    PARTS,
    PLACES,
    bag_shape,
    load_shape,
)
from shared.formats.ics2_writing import Head
from shared.formats.losses import losses
from shared.formats.postal_files import Sheet
from shared.formats.values import plain_number
from shared.formats.xml_writing import group, leaf
from shared.identifiers import s10
from shared.model import Dialect, Filing, Finding, MessageHead, Movement, RawMessage, Rejection

NAME: Final = "ie3f42"
TITLE: Final = "IE3F42, F44, F21, F25 what travels in what, ICS2"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = tuple(BAGS)
SOURCE: Final = ics2.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "ics2-answers"
_MEANS: Final = "activeBorderTransportMeans"
_DEPARTURE: Final = "estimatedDateAndTimeOfDeparture"
_DEPARTED: Final = "actualDateAndTimeOfDeparture"
_ARRIVAL: Final = "estimatedDateAndTimeOfArrival"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/receptacle_id": "receptacleIdentificationNumber",
        "/house_transport_document_id": "documentNumber",
        "/master_transport_document_id": "../transportDocumentMasterLevel/documentNumber",
        "/mode_of_transport": f"../../{_MEANS}/ModeOfTransport",
        "/conveyance_reference": f"../../{_MEANS}/conveyanceReferenceNumber",
        "/departure_at": f"../../{_MEANS}/{_DEPARTURE}",
        "/arrival_at": f"../../{_MEANS}/{_ARRIVAL}",
        "/place_of_loading": "../placeOfLoading/UNLOCODE",
        "/place_of_arrival": "../placeOfUnloading/UNLOCODE",
        "/gross_mass_kg": "../totalGrossMass",
        "/goods_description": "../goodsItem/commodity/descriptionOfGoods",
        "/package_count": "transportDocumentHouseLevel",
        "/extra": "",
    }
)


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is one of the filings or its amendment."""
    return ics2.recognise(sketch, VERSIONS)


# --- reading -----------------------------------------------------------------------------------------------------------------------------


class _Load(NamedTuple):
    """One receptacle or house group: where it stands, the receptacle, the documents in it."""

    position: str
    receptacle: str | None
    documents: list[str]


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a filing. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document, code, amends = ics2.open_document(raw, dialect, VERSIONS)
    around = xml.walk(document.root, load_shape(document.spaces), len(PARTS))
    head, item = ics2.begin(document, code, around.parts[HEAD], raw, NAME, dialect, amends)
    if around.repeated or around.unknown:
        misfits(around, ("~",) * len(PARTS), item)
    loads = list(_loads(document))
    count = sum(1 + len(load.documents) for load in loads)
    if count > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path=MASTER_LEVEL, value=str(count))
    common = _common(around, code, item)
    if amends and "mrn" in around.parts[HEAD]:
        common["extra"] = {**common.get("extra", {}), "MRN": around.parts[HEAD]["mrn"]}
    if not loads and (code in ("F42", "F44") or "master_transport_document_id" not in common):
        raise xml.malformed("MSG-NO-ITEMS", path=f"{MASTER_LEVEL}/receptacle")
    return Parsed(head, _movements(loads, code, common, item, head, raw), max(count, 1))


def _loads(document: Document) -> Iterator[_Load]:
    """Yield what is named, in the order of the message: receptacles with what is in them, houses with theirs."""
    shape = bag_shape(document.spaces)
    for parent in [document.root, *customs_xml.children(document.root, MASTER_LEVEL, document.spaces)]:
        before = "" if parent is document.root else f"{MASTER_LEVEL}/"
        for name in ("receptacle", HOUSE_LEVEL):
            for place, element in enumerate(customs_xml.children(parent, name, document.spaces), 1):
                record = xml.walk(element, shape, 2)
                bags = [each["number"] for each in record.lists[BAG] if "number" in each]
                bag = record.parts[BAG].get("number") if not bags else bags[0]
                documents = [each["number"] for each in record.lists[INSIDE] if "number" in each]
                yield _Load(f"{before}{name}[{place}]", bag, documents)


def _common(around: xml.Record, code: str, item: Item) -> dict[str, Any]:
    """Return what is true of every movement of the message."""
    kept = ics2.kept(around)
    content: dict[str, Any] = {"channel": "post" if code in ("F42", "F44") else "freight"}
    ics2.transport(around.parts[MASTER], content, kept, item)
    content.pop("departure_on", None)
    for field, name in (("departure_at", _DEPARTURE), ("arrival_at", _ARRIVAL)):
        said = kept.get(f"{_MEANS}/{name}")
        if said is not None and values.instant(said):
            content[field] = kept.pop(f"{_MEANS}/{name}")
    checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", item)
    departed = f"{_MEANS}/{_DEPARTED}" in kept
    content["stage"] = "despatched" if code == "F44" else "loaded" if departed else "planned"
    if kept:
        content["extra"] = kept
    return content


def _movements(
    loads: Sequence[_Load], code: str, common: dict[str, Any], whole: Item, head: MessageHead, raw: RawMessage
) -> Iterator[Filing | Rejection]:
    if not loads or code in ("F21", "F25"):
        item = whole.another(MASTER_LEVEL, table=PATHS)
        master = common.get("master_transport_document_id")
        if master is None:
            item.note("FLD-KEY", "/master_transport_document_id")
        houses = sum(len(load.documents) for load in loads)
        content = {**common, "package_count": houses} if houses else dict(common)
        yield conclude(item, "movement", content, f"master:{master}" if master else "", head, raw, function=head.function)
    for load in loads:
        yield from _load(load, common, whole, head, raw)


_OF_THE_WHOLE: Final = ("gross_mass_kg", "goods_description")


def _load(load: _Load, common: Mapping[str, Any], whole: Item, head: MessageHead, raw: RawMessage) -> Iterator[Filing | Rejection]:
    shared = {name: value for name, value in common.items() if name not in _OF_THE_WHOLE}
    if load.receptacle is not None:
        item = whole.another(load.position, table=PATHS)
        content: dict[str, Any] = {**shared, "receptacle_id": load.receptacle}
        number_ = postal_items.receptacle_id(content, item, mandatory=True)
        if load.documents:
            content["package_count"] = len(load.documents)
        key = postal_items.receptacle_key(number_) if number_ else ""
        yield conclude(item, "movement", content, key, head, raw, function=head.function)
        if number_:
            shared["receptacle_id"] = number_
    for place, document in enumerate(load.documents, 1):
        item = whole.another(f"{load.position}/transportDocumentHouseLevel[{place}]", table=PATHS)
        content = {**shared, "house_transport_document_id": document}
        yield conclude(item, "movement", content, _key(content, item, raw), head, raw, function=head.function)
    if load.receptacle is None and not load.documents:
        item = whole.another(load.position, table=PATHS)
        item.note("FLD-KEY", "/receptacle_id")
        yield reject(item, head, raw)


def _key(content: dict[str, Any], item: Item, raw: RawMessage) -> str:
    said = content["house_transport_document_id"]
    if content["channel"] == "post" or s10.problem(said) is None:
        return postal_items.identify(content, item)
    house = checks.keyed_house(content, item)
    return freight_key(item.dialect.carrier or raw.participant, house) if house else ""


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_CARRIED: Final = frozenset(
    {"/stage", "/receptacle_id", "/house_transport_document_id", "/master_transport_document_id", "/mode_of_transport", "/package_count"}
    | {"/conveyance_reference", "/departure_at", "/arrival_at", "/place_of_loading", "/place_of_arrival", "/gross_mass_kg"}
    | {"/goods_description", "/extra/"}
)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the movements of *filings* as one filing; without one that can be written the body is empty."""
    findings: list[Finding] = []
    moved: list[Movement] = []
    first: Head | None = None
    for filing in filings:
        sheet = Sheet(filing.key, dialect)
        movement = filing.movement
        if movement is None:
            sheet.note("WRITE-MISSING", "/receptacle_id", filing.key, "This is no movement.")
        elif filing.function == "cancel":
            sheet.note("WRITE-ONE", "/function", filing.function, "A filing is withdrawn by IE3Q04, not by this message.")
        else:
            around = _around(filing, movement, envelope, sheet)
            if not any(made.severity == "error" for made in sheet.findings):
                first = first or around
                if around == first:
                    moved.append(movement)
                    findings += losses(filing, _CARRIED, dialect)
                else:
                    sheet.note("WRITE-ONE", "/extra", filing.key, "What the message says as a whole differs.")
        findings += sheet.findings
    if first is None:
        return Written(b"", tuple(findings))
    code = _code(moved, dialect)
    root = f"IE3{'A' if first.start.startswith('<MRN>') else 'F'}{code[1:]}"
    parts = [ics2_writing.opening(root, code, first), *_write_loads(code, moved), first.end, f"</{root}>\n"]
    return Written("".join(parts).encode(), tuple(findings))


def _code(moved: Sequence[Movement], dialect: Dialect) -> str:
    said = dialect.code_maps.get("ics2", {}).get("filing")
    if said is not None and said in BAGS:
        return said
    receptacles = any(movement.receptacle_id for movement in moved)
    houses = any(movement.house_transport_document_id for movement in moved)
    return ("F44" if houses else "F42") if receptacles else ("F25" if houses else "F21")


def _around(filing: Filing, movement: Movement, envelope: Envelope, sheet: Sheet) -> Head:
    """Return what stands around the master level's own content."""
    extra = {**sheet.dialect.code_maps.get("ics2", {}), **(movement.extra or {})}
    for field, name in (("departure_at", _DEPARTURE), ("arrival_at", _ARRIVAL)):
        at = getattr(movement, field)
        if at is not None:
            extra[f"{_MEANS}/{name}"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    extra.pop("SpecificCircumstanceIndicator", None)
    head = ics2_writing.head_of(filing, movement, extra, envelope, sheet)
    ics2_writing.leftovers(extra, sheet)
    return head


def _write_loads(code: str, moved: Sequence[Movement]) -> Iterator[str]:
    """Yield the master level's own content: mass and description of the master, receptacles, houses."""
    master = next((each for each in moved if not each.receptacle_id and not each.house_transport_document_id), None)
    if master is not None:
        yield leaf("totalGrossMass", plain_number(master.gross_mass_kg))
        yield group("goodsItem", group("commodity", leaf("descriptionOfGoods", master.goods_description)))
    bags: dict[str, list[str]] = {}
    for each in moved:
        if each.receptacle_id or each.house_transport_document_id:
            inside = bags.setdefault(each.receptacle_id or "", [])
            if each.house_transport_document_id:
                inside.append(each.house_transport_document_id)
    for bag, houses in bags.items():
        receptacle = group("receptacle", leaf("receptacleIdentificationNumber", bag or None))
        kind = "N750" if code == "F44" else "N703"
        documents = [group("transportDocumentHouseLevel", leaf("documentNumber", house), leaf("type", kind)) for house in houses]
        yield receptacle if not houses else group(HOUSE_LEVEL, receptacle, *documents)
    place = moved[0]
    for name, field in PLACES.items():
        yield group(name, leaf("UNLOCODE", getattr(place, field)))
