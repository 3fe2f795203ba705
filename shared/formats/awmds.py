"""ASYCUDA World cargo manifest (``Awmds``): the houses of one flight, voyage or lorry, written for customs and read back.

Written from the consignments of one transport; a movement among the filings gives carrier, times and places of the whole. Consignments
of another voyage or day are told and left out. Totals are sums; read, a total that differs is told. A house number that is longer than
the dialect allows is refused, never cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.errors import MalformedMessage
from shared.formats import asycuda, customs_xml, values, xml
from shared.formats.asycuda import GENERAL, PARTS, Page
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.customs_xml import Document, shape
from shared.formats.filings import Item, conclude, message_id_of, reject
from shared.formats.losses import losses
from shared.formats.outlines import Outlines
from shared.formats.postal_files import Sheet
from shared.formats.values import plain_number
from shared.formats.xml_writing import group, leaf
from shared.model import Consignment, Dialect, Filing, Finding, MessageHead, Movement, RawMessage, Rejection

NAME: Final = "awmds"
TITLE: Final = "ASYCUDA World cargo manifest (Awmds)"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("4.3",)
SOURCE: Final = asycuda.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
PATHS: Final[Mapping[str, str]] = MappingProxyType(asycuda.paths())
_KEPT: Final = (
    *("Customs_office_code", "Date_of_arrival", "Time_of_arrival", "Carrier_code", "Carrier_name", "Carrier_address"),
    *("Shipping_Agent_code", "Shipping_Agent_name", "Identity_of_transporter", "Nationality_of_transporter_code"),
    *("Place_of_transporter", "Registration_number_of_transport_code", "Date_of_registration", "Master_information"),
    *("Place_of_departure_code", "Place_of_destination_code"),
)
"""Leaves of the general segment that are kept under their own names."""


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``Awmds``."""
    if sketch.kind != "xml":
        return UNLIKE
    if sketch.root == "Awmds":
        return Likeness(1.0, "root Awmds")
    return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and not Awmds")


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    kept = {name: (GENERAL, name) for name in _KEPT}
    names = {
        **kept,
        "Voyage_number": (GENERAL, "conveyance_reference"),
        "Date_of_departure": (GENERAL, "departure_on"),
        "Mode_of_transport_code": (GENERAL, "mode_of_transport"),
    }
    totals = ("Total_number_of_bols", "Total_number_of_packages", "Total_number_of_containers", "Total_gross_mass")
    inner = {
        "General_segment_id": shape(spaces, names),
        "Totals_segment": shape(spaces, {name: (GENERAL, name) for name in totals}),
        "Transport_information": shape(spaces, names, {name: shape(spaces, kept) for name in ("Carrier", "Shipping_Agent")}),
        "Load_unload_place": shape(spaces, kept),
    }
    return shape(spaces, {}, {"General_segment": shape(spaces, {}, inner)}, left=("Bol_segment",))


_KNOWN: Final = Outlines("Bol_segment", asycuda.without_null)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a manifest. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document = asycuda.open_document(raw, dialect, "Awmds", _KNOWN)
    bols = customs_xml.children(document.root, "Bol_segment", document.spaces)
    if not bols:
        raise xml.malformed("MSG-NO-ITEMS", path="Bol_segment")
    if len(bols) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path="Bol_segment", value=str(len(bols)))
    record = xml.walk(document.root, _shape(document.spaces), len(PARTS))
    item = Item("General_segment", PATHS, dialect, element=document.root, source=document.source)
    if record.repeated or record.unknown:
        customs_xml.misfits(record, PARTS, item)
    common = _common(record.parts[GENERAL], len(bols), item)
    head = MessageHead(NAME, message_id_of(raw.body))
    return Parsed(head, _each(bols, document, common, item, head, raw), len(bols))


def _common(said: Mapping[str, str], bols: int, item: Item) -> dict[str, Any]:
    """Return what the manifest says of every house: fields of the dataset, and what is kept."""
    content: dict[str, Any] = {name: said[name] for name in ("conveyance_reference", "mode_of_transport") if name in said}
    departure = said.get("departure_on")
    if departure is not None:
        if values.day(departure):
            content["departure_on"] = departure
        else:
            item.note("FLD-DROPPED", "/departure_on", departure)
    content["~general"] = {name: said[name] for name in _KEPT if name in said}
    content["~totals"] = {name: text for name, text in said.items() if name.startswith("Total_")}
    declared = said.get("Total_number_of_bols")
    if declared is not None and values.whole_number(declared) != str(bols):
        at = "General_segment/Totals_segment/Total_number_of_bols"
        item.note("FLD-COUNT", at=at, value=declared, message=f"The total is {declared[:20]}, the manifest has {bols} lines.")
    return content


def _each(
    bols: list[xml.Element], document: Document, common: dict[str, Any], whole: Item, head: MessageHead, raw: RawMessage
) -> Iterator[Filing | Rejection]:
    general, totals = common.pop("~general"), common.pop("~totals")
    packages, kilos = 0, Decimal(0)
    for place, element in enumerate(bols, 1):
        item = whole.another(f"Bol_segment[{place}]", element)
        try:
            content, key = asycuda.bol(element, document, common, item, raw)
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)
            continue
        if general:
            content["extra"] = {**general, **content.get("extra", {})}
        packages += int(values.whole_number(content.get("package_count", "")) or 0)
        kilos += Decimal(content["gross_mass_kg"]) if values.mass(content.get("gross_mass_kg", ""), whole.dialect) else 0
        if place == len(bols):
            _compare(totals, packages, kilos, item)
        yield conclude(item, "consignment", content, key, head, raw, function="original")


def _compare(totals: Mapping[str, str], packages: int, kilos: Decimal, item: Item) -> None:
    """Tell totals that differ from the sums, with the last line."""
    for name, found in (("Total_number_of_packages", Decimal(packages)), ("Total_gross_mass", kilos)):
        said = values.mass(totals.get(name, ""), item.dialect)
        if said is not None and Decimal(said) != found:
            at = f"General_segment/Totals_segment/{name}"
            item.note("FLD-COUNT", at=at, value=totals[name], message=f"The total is {totals[name][:20]}, the lines make {found}.")


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* as one manifest. Without a consignment that can be written the body is empty."""
    travels = next((filing for filing in filings if filing.movement is not None), None)
    movement = travels.movement if travels is not None else None
    findings: list[Finding] = []
    bols: list[str] = []
    first: str | None = None
    totals: list[Any] = [0, Decimal(0), 0]
    for filing in filings:
        if filing is travels:
            continue
        sheet = Sheet(filing.key, dialect)
        consignment = asycuda.to_write(filing, sheet)
        if consignment is None:
            findings += sheet.findings
            continue
        page = Page(consignment, sheet)
        general = _general(consignment, movement, page)
        written = asycuda.write_bol(consignment, len(bols) + 1, page)
        asycuda.leftovers(page)
        if not any(made.severity == "error" for made in sheet.findings):
            first = first or general
            if general == first:
                bols.append(written)
                totals[0] += asycuda.packages_of(consignment) or 0
                totals[1] += Decimal(page.mass(consignment.gross_mass_kg) or 0)
                totals[2] += written.count("<Ctn_reference>")
                findings += losses(filing, asycuda.CARRIED, dialect, ("/consignor/identifier_scheme", "/consignee/identifier_scheme"))
            else:
                sheet.note("WRITE-ONE", "/conveyance_reference", consignment.conveyance_reference, "It travels with another transport.")
        findings += sheet.findings
    if first is not None:
        return Written(_document(first, bols, totals), tuple(findings))
    if travels is not None:
        sheet = Sheet(travels.key, dialect)
        sheet.note("WRITE-MISSING", "/goods_items", message="There is no consignment on the transport that could be written.")
        findings += sheet.findings
    return Written(b"", tuple(findings))


_SPLIT: Final = "\0"


def _document(general: str, bols: Sequence[str], totals: Sequence[Any]) -> bytes:
    before, after = general.split(_SPLIT)
    summed = group(
        "Totals_segment",
        leaf("Total_number_of_bols", len(bols)),
        leaf("Total_number_of_packages", totals[0]),
        leaf("Total_number_of_containers", totals[2]),
        leaf("Total_gross_mass", plain_number(totals[1], 3)),
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<Awmds><General_segment>{before}{summed}{after}</General_segment>'
    return "".join([head, *bols, "</Awmds>\n"]).encode()


def _general(consignment: Consignment, movement: Movement | None, page: Page) -> str:
    """Return the general segment with a mark where the totals go."""
    departure = consignment.departure_on or (movement.departure_at.date() if movement and movement.departure_at else None)
    arrival = movement.arrival_at if movement else None
    voyage = consignment.conveyance_reference or (movement.conveyance_reference if movement else None)
    office = page.said("Customs_office_code")
    for value, path in ((office, "/extra/Customs_office_code"), (voyage, "/conveyance_reference"), (departure, "/departure_on")):
        if value is None:
            page.sheet.note("WRITE-MISSING", path)
    identity = group(
        "General_segment_id",
        leaf("Customs_office_code", office),
        page.fit("Voyage_number", voyage, "/conveyance_reference"),
        leaf("Date_of_departure", asycuda.day(departure)),
        leaf("Date_of_arrival", page.said("Date_of_arrival") or _part(arrival, "%Y-%m-%d")),
        leaf("Time_of_arrival", page.said("Time_of_arrival") or _part(arrival, "%H:%M")),
    )
    mode = consignment.mode_of_transport or (movement.mode_of_transport if movement else None)
    carrier = page.said("Carrier_code") or (movement.carrier_id if movement else None)
    transport = group(
        "Transport_information",
        group(
            "Carrier",
            leaf("Carrier_code", carrier),
            page.fit("Carrier_name", page.said("Carrier_name"), "/extra/Carrier_name"),
            leaf("Carrier_address", page.said("Carrier_address")),
        ),
        group("Shipping_Agent", *(leaf(name, page.said(name)) for name in ("Shipping_Agent_code", "Shipping_Agent_name"))),
        leaf("Mode_of_transport_code", mode),
        *(leaf(name, page.said(name)) for name in _KEPT[8:14]),
    )
    places = [
        leaf("Place_of_departure_code", page.said("Place_of_departure_code") or (movement.place_of_loading if movement else None)),
        leaf("Place_of_destination_code", page.said("Place_of_destination_code") or (movement.place_of_arrival if movement else None)),
    ]
    return identity + _SPLIT + transport + group("Load_unload_place", *places)


def _part(at: datetime | None, form: str) -> str | None:
    return None if at is None else at.strftime(form)
