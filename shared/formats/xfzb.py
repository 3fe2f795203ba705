"""XFZB, the house waybill of IATA Cargo-XML (``HouseWaybill``, ``iata:housewaybill:1``): one house with parties and goods.

One message is one house consignment, keyed like a row of an express manifest: by the carrier (the dialect's, else the participant) and
the house waybill. The master may follow later. Its pieces and weight are a control total: a house cannot be more than its master. What a
consignment of the family says, and what becomes of it, stands in :mod:`shared.formats.cargo_consignment`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.codes import units
from shared.contracts import express_key
from shared.formats import cargo_consignment, cargo_xml, checks, values, xml
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.cargo_consignment import HOUSE, LINES, LOOSE, MASTER, PARTS
from shared.formats.cargo_xml import HEAD, Profile, group, kilograms, leaf
from shared.formats.filings import Item, conclude
from shared.formats.outlines import Outlines
from shared.formats.postal_files import Sheet
from shared.formats.single import write_one
from shared.model import Consignment, Dialect, Filing, MessageHead, RawMessage, Rejection

NAME: Final = "xfzb"
TITLE: Final = "XFZB house waybill, IATA Cargo-XML"
CONTENT_TYPES: Final = cargo_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("3.00", "4.00", "5.00", "2.00")
SOURCE: Final = cargo_xml.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
ACKNOWLEDGED_BY: Final = "xfnm"
PROFILE: Final = Profile(NAME, "HouseWaybill", "iata:housewaybill:", "1", "House Waybill", "703", VERSIONS)
_AT: Final = "MasterConsignment/IncludedHouseConsignment"
_GOODS: Final = "IncludedHouseConsignmentItem"
PATHS: Final[Mapping[str, str]] = MappingProxyType(cargo_consignment.paths(_AT, _GOODS))


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of the whole message."""
    build = cargo_xml.tables(spaces)
    master = build.shape(
        {"TotalPieceQuantity": (MASTER, "pieces")},
        {
            "TransportContractDocument": build.leaf_of(MASTER, "awb", left=("Name", "TypeCode")),
            "OriginLocation": build.leaf_of(MASTER, "from", left=("Name",)),
            "FinalDestinationLocation": build.leaf_of(MASTER, "to", left=("Name",)),
            "IncludedHouseConsignment": cargo_consignment.shape(spaces, _GOODS),
        },
        measured=dict.fromkeys(("IncludedTareGrossWeightMeasure", "GrossWeightMeasure"), (MASTER, "gross_mass_kg")),
    )
    return build.shape(
        {},
        {
            "MessageHeaderDocument": build.header(),
            "BusinessHeaderDocument": cargo_consignment.business_shape(build),
            "MasterConsignment": master,
        },
    )


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``HouseWaybill``, in the format's namespace or in none."""
    return cargo_xml.recognise(PROFILE, sketch)


_KNOWN: Final = Outlines()


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a house waybill. Raises :class:`shared.errors.MalformedMessage` when it cannot be read at all."""
    document = cargo_xml.open_document(PROFILE, raw, dialect, _KNOWN)
    record = xml.walk(document.root, _shape(document.spaces), len(PARTS))
    head, item = cargo_xml.begin(PROFILE, document, record.parts[HEAD], raw, PROFILE.root, PATHS, dialect)
    return Parsed(head, _read(record, item, head, raw), 1)


def _read(record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> Iterator[Filing | Rejection]:
    if record.repeated or record.unknown:
        cargo_xml.misfits(record, PARTS, item, ((cargo_consignment.GOODS, "hs_code"),))
    parts = record.parts
    if "conversation" in parts[HEAD]:
        parts[LOOSE]["ConversationID"] = parts[HEAD]["conversation"]
    house = _house(parts, item)
    for field, place in (("place_of_loading", "from"), ("place_of_arrival", "to")):
        if field not in parts[HOUSE] and place in parts[MASTER]:
            parts[HOUSE][field] = parts[MASTER][place]
    if head.function == "cancel" and cargo_consignment.is_bare(record):
        content = cargo_consignment.bare(record, item)
    else:
        content = cargo_consignment.read(record, item, _AT)
        _within_master(content, parts[MASTER], item)
    content |= {"channel": "express", "house_transport_document_type": "703", "mode_of_transport": "4"}
    if house:
        content["house_transport_document_id"] = house
    master = cargo_xml.waybill(parts[MASTER].get("awb"), "/master_transport_document_id", item)
    if master is None:
        item.note("FLD-WANTED", "/master_transport_document_id")
    else:
        content["master_transport_document_id"] = master
    carrier = item.dialect.carrier or raw.participant
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    key = express_key(carrier, house) if house else ""
    yield conclude(item, "consignment", content, key, head, raw, function=head.function)


def _house(parts: list[dict[str, str]], item: Item) -> str:
    """Return the house waybill: the header's, else that of the house itself; two different ones are told."""
    names = parts[LINES]
    said = names.get("header") or names.get("id") or names.get("document")
    other = names.get("id") or names.get("document")
    if said is not None and other is not None and other != said:
        item.note("FLD-OTHER-NAME", "/house_transport_document_id", other, at=f"{item.position}/{_AT}/ID")
    return checks.house_number(said, item)


def _within_master(content: Mapping[str, Any], master: Mapping[str, str], item: Item) -> None:
    """Tell where the house is more than the whole master."""
    mine, whole = content.get("package_count", ""), master.get("pieces", "")
    pieces, of = values.whole_number(mine), values.whole_number(whole)
    if pieces is not None and of is not None and int(pieces) > int(of):
        _told("/package_count", f"{mine} of {whole}", "TotalPieceQuantity", item)
    mine, whole = content.get("gross_mass_kg", ""), master.get("gross_mass_kg", "")
    try:
        factor = _POUND if units.unit_code(master.get("gross_mass_kg@", "KGM")) == "LBR" else 1.0
        more = float(mine) > float(whole) * factor + 0.5
    except ValueError:
        return
    if more:
        _told("/gross_mass_kg", f"{mine} of {whole} {master.get('gross_mass_kg@', 'KGM')}", "IncludedTareGrossWeightMeasure", item)


_POUND: Final = float(values.KILOGRAMS_PER_POUND)


def _told(path: str, value: str, leaf_name: str, item: Item) -> None:
    where = f"{item.position}/MasterConsignment/{leaf_name}"
    item.note("FLD-COUNT", path, value, at=where, message=f"The house is more than its master: {value}.")


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the first filing of a house consignment; one message holds one house, further filings are told as not written.

    Without a filing that can be written the body is empty.
    """

    def declared(filing: Filing, consignment: Consignment, sheet: Sheet) -> bytes:
        return _write(filing, consignment, envelope, sheet)

    return write_one(filings, dialect, cargo_consignment.CARRIED, declared, cancels=True)


def _write(filing: Filing, consignment: Consignment, envelope: Envelope, sheet: Sheet) -> bytes:
    extra = consignment.extra or {}
    house = consignment.house_transport_document_id
    if envelope.test:
        sheet.note("WRITE-LOST", "/test", "true")
    note = leaf("ContentCode", extra.get("IncludedHeaderNote/ContentCode")) + leaf("Content", extra.get("IncludedHeaderNote"))
    business = f"{leaf('ID', house)}{leaf('SenderAssignedID', extra.get('SenderAssignedID'))}{group('IncludedHeaderNote', note)}"
    bare = filing.function == "cancel" and not consignment.goods_items and consignment.consignor is None
    inner = _bare(consignment) if bare else cargo_consignment.write(consignment, sheet, _GOODS)
    master = (
        f"{kilograms('IncludedTareGrossWeightMeasure', consignment.gross_mass_kg)}{leaf('TotalPieceQuantity', consignment.package_count)}"
        f"{group('TransportContractDocument', leaf('ID', consignment.master_transport_document_id))}"
        f"{group('OriginLocation', leaf('ID', extra.get('OriginLocation', consignment.place_of_loading)))}"
        f"{group('FinalDestinationLocation', leaf('ID', extra.get('FinalDestinationLocation', consignment.place_of_arrival)))}"
        f"<ram:IncludedHouseConsignment>{leaf('ID', house)}{inner}</ram:IncludedHouseConsignment>"
    )
    groups = [
        f"<rsm:BusinessHeaderDocument>{business}</rsm:BusinessHeaderDocument>",
        f"<rsm:MasterConsignment>{master}</rsm:MasterConsignment>",
    ]
    return cargo_xml.write_document(
        PROFILE, envelope, groups, purpose=cargo_xml.purpose(filing.function), conversation=extra.get("ConversationID")
    )


def _bare(consignment: Consignment) -> str:
    return kilograms("IncludedTareGrossWeightMeasure", consignment.gross_mass_kg) + leaf("TotalPieceQuantity", consignment.package_count)
