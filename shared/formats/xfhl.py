"""XFHL, the house manifest of IATA Cargo-XML (``HouseManifest``, ``iata:housemanifest:1``): which houses travel under one master.

It is the check-list, the house waybills (XFZB) carry the data: each house becomes a movement of that house under the master, so that a
short description here never replaces a full one there; the last filing is the movement of the master itself with its totals. Totals that
differ from the houses' sum (pieces; mass by more than half a kilogram and half a per cent) are told with the master, never repaired. The
master's number stands in ``MasterConsignment/TransportContractDocument``: some senders put a house into the header.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.contracts import express_key
from shared.formats import cargo_xml, checks, xml
from shared.formats.base import ITEM_LIMIT, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.cargo_consignment import write_list, write_notes_kept, write_party
from shared.formats.cargo_xml import HEAD, WEIGHT_TOLERANCE, Profile, compare, count, group, kilograms, leaf, mass
from shared.formats.filings import Item, conclude
from shared.formats.losses import losses
from shared.formats.outlines import Outlines
from shared.formats.postal_files import Sheet
from shared.model import Consignment, Dialect, Filing, Finding, MessageHead, Movement, Party, RawMessage, Rejection

NAME: Final = "xfhl"
TITLE: Final = "XFHL house manifest, IATA Cargo-XML"
CONTENT_TYPES: Final = cargo_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("2.00", "3.00", "4.00", "5.00")
SOURCE: Final = cargo_xml.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
ACKNOWLEDGED_BY: Final = "xfnm"
PROFILE: Final = Profile(NAME, "HouseManifest", "iata:housemanifest:", "1", "House Manifest", "785", VERSIONS)

_UNIT: Final = "IncludedHouseConsignment"
_MASTER: Final = "MasterConsignment"
PARTS: Final = ("~", "", "~", "~", "~", "~")
_MOVEMENT, _LOOSE, _CONSIGNOR, _CONSIGNEE, _NOTES = 1, 2, 3, 4, 5
_SIDES: Final = {"ConsignorParty": _CONSIGNOR, "ConsigneeParty": _CONSIGNEE}
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/house_transport_document_id": "TransportContractDocument/ID",
        "/master_transport_document_id": "TransportContractDocument/ID",
        "/package_count": "TotalPieceQuantity",
        "/gross_mass_kg": "GrossWeightMeasure",
        "/goods_description": "SummaryDescription",
        "/place_of_loading": "OriginLocation/ID",
        "/place_of_arrival": "FinalDestinationLocation/ID",
        "/extra": "",
        **cargo_xml.HEADER_PATHS,
    }
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of the message without its houses."""
    build = cargo_xml.tables(spaces)
    business = build.leaf_of(_LOOSE, "BusinessHeaderDocument", left=("SenderAssignedID", "IncludedHeaderNote"))
    return build.shape(
        {},
        {"MessageHeaderDocument": build.header(), "BusinessHeaderDocument": business, _MASTER: _unit_shape(build, "master", left=(_UNIT,))},
    )


@lru_cache(maxsize=xml.SPELLINGS)
def _house_shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one house."""
    return _unit_shape(cargo_xml.tables(spaces), "house")


def _unit_shape(build: cargo_xml.Tables, kind: str, left: Sequence[str] = ()) -> xml.Shape:
    inner = {
        "TransportContractDocument": build.leaf_of(_MOVEMENT, f"{kind}_transport_document_id", left=("Name", "TypeCode")),
        "OriginLocation": build.leaf_of(_MOVEMENT, "place_of_loading", left=("Name",)),
        "FinalDestinationLocation": build.leaf_of(_MOVEMENT, "place_of_arrival", left=("Name",)),
        "IncludedCustomsNote": build.note(_NOTES),
    }
    inner |= {name: build.party(part, _LOOSE, name) for name, part in _SIDES.items()}
    inner |= {name: build.shape({}, marked={"DescriptionCode": name, "Description": name}) for name in cargo_xml.LISTS}
    return build.shape(
        {
            "TotalPieceQuantity": (_MOVEMENT, "package_count"),
            "SummaryDescription": (_MOVEMENT, "goods_description"),
            "PackageQuantity": (_LOOSE, "PackageQuantity"),
            "SequenceNumeric": (HEAD, "sequence"),
        },
        inner,
        measured=dict.fromkeys(("GrossWeightMeasure", "IncludedTareGrossWeightMeasure"), (_MOVEMENT, "gross_mass_kg")),
        left=left,
    )


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``HouseManifest``, in the format's namespace or in none."""
    return cargo_xml.recognise(PROFILE, sketch)


_KNOWN: Final = Outlines(_UNIT)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a house manifest. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document = cargo_xml.open_document(PROFILE, raw, dialect, _KNOWN)
    houses = cargo_xml.units(document, _MASTER, _UNIT)
    record = xml.walk(document.root, _shape(document.spaces), len(PARTS))
    head, item = cargo_xml.begin(PROFILE, document, record.parts[HEAD], raw, _MASTER, PATHS, dialect)
    if not houses and head.function != "cancel":
        raise xml.malformed("MSG-NO-ITEMS", path=f"{_MASTER}/{_UNIT}")
    if len(houses) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path=f"{_MASTER}/{_UNIT}", value=str(len(houses)))
    return Parsed(head, _Manifest(document, record, item, head, raw).read(houses), len(houses) + 1)


class _Manifest:
    """One manifest while it is read: the master it is about, the sums of its houses so far."""

    def __init__(self, document: cargo_xml.Document, record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> None:
        self.document = document
        self.record = record
        self.head = head
        self.raw = raw
        self.header = list(item.findings)
        self.item = item
        self.content: dict[str, Any] = record.parts[_MOVEMENT]
        self.master = cargo_xml.waybill(self.content.get("master_transport_document_id"), "/master_transport_document_id", item)
        self.carrier = item.dialect.carrier or raw.participant
        self.pieces = Decimal(0)
        self.kilos = Decimal(0)
        self.sound = True
        self.listed = 0

    def read(self, houses: Sequence[xml.Element]) -> Iterator[Filing | Rejection]:
        """Yield the movement of each house, then that of the master."""
        shape = _house_shape(self.document.spaces)
        self.listed = len(houses)
        for number, element in enumerate(houses, 1):
            item = self.item.another(f"{_UNIT}[{number}]", element, findings=self.header)
            yield self._house(xml.walk(element, shape, len(PARTS)), item)
        yield self._of_master()

    def _house(self, record: xml.Record, item: Item) -> Filing | Rejection:
        content: dict[str, Any] = record.parts[_MOVEMENT]
        house = checks.keyed_house(content, item)
        key = express_key(self.carrier, house) if house else ""
        if self.master is None:
            item.note("FLD-WANTED", "/master_transport_document_id", at=f"{_MASTER}/TransportContractDocument/ID")
        else:
            content["master_transport_document_id"] = self.master
            item.paths["/master_transport_document_id"] = f"{_MASTER}/TransportContractDocument/ID"
        _complete(record, content, item, mandatory=self.head.function != "cancel")
        self._add(content, item)
        return self._conclude(content, item, key)

    def _add(self, content: Mapping[str, Any], item: Item) -> None:
        if item.refused or "package_count" not in content or "gross_mass_kg" not in content:
            self.sound = False
        else:
            self.pieces += Decimal(content["package_count"])
            self.kilos += Decimal(content["gross_mass_kg"])

    def _of_master(self) -> Filing | Rejection:
        item, content = self.item, self.content
        item.paths["/gross_mass_kg"] = f"{_MASTER}/IncludedTareGrossWeightMeasure"
        extra = self.record.parts[_LOOSE]
        if extra.get("BusinessHeaderDocument") in (self.master, content.get("master_transport_document_id")):
            extra.pop("BusinessHeaderDocument", None)
        conversation = self.record.parts[HEAD].get("conversation")
        if conversation is not None:
            extra["ConversationID"] = conversation
        _complete(self.record, content, item, mandatory=False)
        if self.master is None:
            item.note("FLD-KEY", "/master_transport_document_id")
        else:
            content["master_transport_document_id"] = self.master
        if self.listed and self.sound and not item.refused:
            compare(content.get("package_count"), self.pieces, "/package_count", item, "TotalPieceQuantity")
            compare(content.get("gross_mass_kg"), self.kilos, "/gross_mass_kg", item, "IncludedTareGrossWeightMeasure", WEIGHT_TOLERANCE)
        elif self.listed and not item.refused:
            item.note("FLD-COUNT", "/package_count", message="The totals could not be compared: a house lacks pieces or mass.")
        return self._conclude(content, item, cargo_xml.master_key(self.master) if self.master else "")

    def _conclude(self, content: dict[str, Any], item: Item, key: str) -> Filing | Rejection:
        content |= {"stage": "planned", "channel": "express", "mode_of_transport": "4"}
        if len(self.carrier) <= 17:
            content["carrier_id"] = self.carrier
        return conclude(item, "movement", content, key, self.head, self.raw, function=self.head.function)


def _complete(record: xml.Record, content: dict[str, Any], item: Item, *, mandatory: bool) -> None:
    """Numbers, parties and notes of one house, or of the master."""
    if record.repeated or record.unknown:
        cargo_xml.misfits(record, PARTS, item)
    extra = record.parts[_LOOSE]
    if record.marked:
        cargo_xml.lists(record, extra)
    cargo_xml.kept_parties([(record.parts[part], name) for name, part in _SIDES.items()], extra)
    cargo_xml.notes_kept(record.lists[_NOTES], extra)
    if "package_count" in content or mandatory:
        count(content, "package_count", "/package_count", item, mandatory=mandatory)
    mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure", mandatory=mandatory)
    if mandatory and "goods_description" not in content:
        item.note("FLD-MISSING", "/goods_description")
    if "\n" in content.get("goods_description", ""):
        content["goods_description"] = " ".join(content["goods_description"].split())
    if extra:
        content["extra"] = extra


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_CARRIED: Final = frozenset(
    {"/house_transport_document_id", "/master_transport_document_id", "/package_count", "/gross_mass_kg", "/goods_description"}
    | {"/place_of_loading", "/place_of_arrival", "/stage", "/mode_of_transport", "/extra/"}
)
_CARRIED_OF_CONSIGNMENT: Final = (_CARRIED - {"/goods_description", "/stage", "/extra/"}) | {
    "/goods_items/*/goods_description",
    "/goods_items/*/sequence_number",
    "/consignor/",
    "/consignee/",
    "/country_of_dispatch",
    "/country_of_destination",
}
_DESCRIPTION: Final = 70


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the houses of one master, each a movement or a consignment, in order.

    The master is that of the first filing; its totals come from a movement of the master itself, else they are the sums. A house of
    another master is told as not written.
    """
    houses: list[str] = []
    findings: list[Finding] = []
    whole = next((filing for filing in filings if _is_master(filing)), None)
    master = next((number for filing in filings if (number := _master_of(filing))), None)
    pieces, kilos = 0, Decimal(0)
    for filing in filings:
        if filing is whole:
            continue
        sheet = Sheet(filing.key, dialect)
        written = _write_house(filing, master, sheet, len(houses) + 1)
        if not any(made.severity == "error" for made in sheet.findings):
            houses.append(written)
            findings += losses(filing, _CARRIED if filing.movement else _CARRIED_OF_CONSIGNMENT, dialect)
            pieces += filing.content.package_count or 0  # type: ignore[union-attr]
            kilos += filing.content.gross_mass_kg or Decimal(0)  # type: ignore[union-attr]
        findings += sheet.findings
    of_whole = whole.movement if whole is not None and whole.movement is not None else _summed(master, filings, pieces, kilos)
    sheet = Sheet(filings[0].key if whole is None else whole.key, dialect)
    if master is None:
        sheet.note("WRITE-MISSING", "/master_transport_document_id")
    if envelope.test:
        sheet.note("WRITE-LOST", "/test", "true")
    if whole is not None:
        findings += losses(whole, _CARRIED, dialect)
    body = b""
    if master is not None and (houses or (whole is not None and whole.function == "cancel")):
        body = _write(of_whole, houses, envelope, cargo_xml.purpose((whole or filings[0]).function), sheet)
    elif whole is not None:
        sheet.note("WRITE-MISSING", "/house_transport_document_id", message="There is no house under the master that could be written.")
    return Written(body, (*findings, *sheet.findings))


def _is_master(filing: Filing) -> bool:
    return filing.movement is not None and filing.movement.house_transport_document_id is None


def _master_of(filing: Filing) -> str | None:
    number: str | None = getattr(filing.content, "master_transport_document_id", None)
    return number


def _summed(master: str | None, filings: Sequence[Filing], pieces: int, kilos: Decimal) -> Movement:
    first = filings[0].content
    return Movement(
        stage="planned",
        channel="express",
        master_transport_document_id=master,
        package_count=pieces or None,
        gross_mass_kg=kilos or None,
        place_of_loading=getattr(first, "place_of_loading", None),
        place_of_arrival=getattr(first, "place_of_arrival", None),
    )


def _write(master: Movement, houses: Sequence[str], envelope: Envelope, purpose: str, sheet: Sheet) -> bytes:
    extra = dict(master.extra or {})
    number = master.master_transport_document_id
    groups = [
        f"<rsm:BusinessHeaderDocument>{leaf('ID', extra.pop('BusinessHeaderDocument', number))}</rsm:BusinessHeaderDocument>",
        f"<rsm:{_MASTER}>{kilograms('IncludedTareGrossWeightMeasure', master.gross_mass_kg)}",
        leaf("PackageQuantity", extra.pop("PackageQuantity", None)),
        leaf("TotalPieceQuantity", master.package_count),
        leaf("SummaryDescription", master.goods_description),
        group("TransportContractDocument", leaf("ID", number)),
        _parties(extra),
        _route(master),
        *(write_list(name, extra) for name in cargo_xml.LISTS),
        write_notes_kept(extra),
        *houses,
        f"</rsm:{_MASTER}>",
    ]
    conversation = extra.pop("ConversationID", None)
    _leftovers(extra, sheet)
    return cargo_xml.write_document(PROFILE, envelope, groups, purpose=purpose, conversation=conversation)


def _write_house(filing: Filing, master: str | None, sheet: Sheet, number: int) -> str:
    content = filing.content
    if not isinstance(content, Movement | Consignment) or content.house_transport_document_id is None:
        sheet.note("WRITE-MISSING", "/house_transport_document_id", filing.key, "This is no house.")
        return ""
    if content.master_transport_document_id not in (master, None):
        sheet.note("WRITE-ONE", "/master_transport_document_id", content.master_transport_document_id, "The house has another master.")
    for field in ("package_count", "gross_mass_kg"):
        if getattr(content, field) is None and filing.function != "cancel":
            sheet.note("WRITE-MISSING", f"/{field}")
    extra = dict(content.extra or {}) if isinstance(content, Movement) else {}
    written = group(
        _UNIT,
        leaf("SequenceNumeric", number),
        kilograms("GrossWeightMeasure", content.gross_mass_kg),
        leaf("PackageQuantity", extra.pop("PackageQuantity", None)),
        leaf("TotalPieceQuantity", content.package_count),
        leaf("SummaryDescription", _description(filing, content, sheet)),
        group("TransportContractDocument", leaf("ID", content.house_transport_document_id)),
        _parties(extra) if isinstance(content, Movement) else _parties_of(content, sheet),
        _route(content),
        *(write_list(name, extra) for name in cargo_xml.LISTS),
        write_notes_kept(extra),
    )
    _leftovers(extra, sheet)
    return written


def _leftovers(extra: Mapping[str, str], sheet: Sheet) -> None:
    """Tell of kept values that the message has no place for."""
    for name, value in extra.items():
        if name not in cargo_xml.LISTS:
            sheet.note("WRITE-LOST", f"/extra/{name}", value)


def _description(filing: Filing, content: Movement | Consignment, sheet: Sheet) -> str | None:
    if isinstance(content, Movement):
        said, path = content.goods_description, "/goods_description"
    else:
        said, path = next((line.goods_description for line in content.goods_items), None), "/goods_items/0/goods_description"
    if said is None:
        if filing.function != "cancel":
            sheet.note("WRITE-MISSING", path)
        return None
    return said if isinstance(content, Movement) else sheet.fit(said, _DESCRIPTION, path)


def _parties(extra: dict[str, str]) -> str:
    """Return the parties that a manifest said; they were kept beside the movement."""
    parts = []
    for name in _SIDES:
        fields: dict[str, Any] = {field: extra.pop(f"{name}/{field}", None) for field in Party.model_fields}
        if any(fields.values()):
            parts.append(write_party(name, Party.model_construct(**fields), "", None, extra))
    return "".join(parts)


def _parties_of(consignment: Consignment, sheet: Sheet) -> str:
    sides = (("ConsignorParty", "/consignor", consignment.consignor), ("ConsigneeParty", "/consignee", consignment.consignee))
    return "".join(write_party(name, party, path, sheet, {}) for name, path, party in sides if party is not None)


def _route(content: Movement | Consignment) -> str:
    origin = group("OriginLocation", leaf("ID", content.place_of_loading))
    return origin + group("FinalDestinationLocation", leaf("ID", content.place_of_arrival))
