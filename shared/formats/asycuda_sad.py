"""ASYCUDA World declaration (``ASYCUDA``): what customs made of it, read; a simplified declaration, written.

An export of a declaration tells how far it is: registration, assessment, receipt, lane of selectivity, release for export. Each step
that is filled becomes one answer, with its own number and date; a declaration without any is refused, since it says nothing yet. Lanes:
green releases, yellow asks for documents, red for the goods, blue releases with a later audit; any other lane is a hold. A lane does not
release while assessed charges have no receipt. Installations differ in where the lane stands, so it is looked for under several names;
colours of the dialect's own stand in its code map ``asycuda-lane``. Charges are those of the taxation lines marked payable. The key is
``lrn:`` and the declarant's reference, else the previous document of the item where that is an S10 number, else ``mrn:``, office and
registration.

Written: one declaration for one consignment, its codes (office, type, procedure, declarant) from the dialect's code map ``asycuda``. Taxes
are computed there: read, never sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.contracts import Answer
from shared.formats import asycuda, customs_xml, values, xml
from shared.formats.asycuda import MAP
from shared.formats.base import UNLIKE, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.customs_answers import answer, house_key, meaning
from shared.formats.customs_xml import shape
from shared.formats.filings import Item, message_id_of, reject
from shared.formats.outlines import Outlines
from shared.formats.postal_files import Sheet
from shared.formats.single import write_one
from shared.formats.values import plain_number
from shared.formats.xml_writing import group, leaf
from shared.model import Consignment, Dialect, Filing, GoodsItem, MessageHead, Party, RawMessage, Rejection

NAME: Final = "asycuda-sad"
TITLE: Final = "ASYCUDA World declaration: state read, simplified declaration written"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("4.3",)
SOURCE: Final = asycuda.SOURCE
CERTAINTY: Final[Certainty] = "inferred"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/key": "Declarant/Reference/Number",
        "/reference": "Identification/Registration/Number",
        "/raw_code": "Identification/Selectivity_lane",
        "/issued_at": "Identification/Registration/Date",
    }
)

# --- reading -----------------------------------------------------------------------------------------------------------------------------

_PARTS: Final = ("~",) * 9
_HEAD, _REGISTRATION, _ASSESSMENT, _RECEIPT, _RELEASE, _TAXES, _PREVIOUS, _NOTICE, _OTHER = range(9)
_STEPS: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {"registration": ("Registration", _REGISTRATION), "assessment": ("Assessment", _ASSESSMENT), "receipt": ("receipt", _RECEIPT)}
)
"""Step → its element within ``Identification`` and its record."""
_YEAR: Final = re.compile(r"[0-9]{4}")
_STROKES: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})").fullmatch
_LANES: Final = ("Selectivity_lane", "Selectivity_Lane", "Lane", "Colour", "Color", "Selectivity")


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``ASYCUDA``."""
    if sketch.kind != "xml":
        return UNLIKE
    if sketch.root == "ASYCUDA":
        return Likeness(1.0, "root ASYCUDA")
    return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and not ASYCUDA")


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(spaces: tuple[str, ...]) -> xml.Shape:
    lanes = dict.fromkeys(_LANES, (_HEAD, "lane"))
    lane = {name: shape(spaces, lanes) for name in ("Selectivity_segment", "Control")}
    steps = {
        element: shape(spaces, {name: (part, name) for name in ("Serial_number", "Number", "Date")}) for element, part in _STEPS.values()
    }
    steps["Receipt"] = steps["receipt"]
    office = {"Customs_clearance_office_code": (_HEAD, "office"), "Customs_Clearance_office_code": (_HEAD, "office")}
    kind = {"Type_of_declaration": (_HEAD, "type"), "Declaration_gen_procedure_code": (_HEAD, "procedure")}
    identification = shape(
        spaces,
        lanes,
        steps | lane | {"Office_segment": shape(spaces, office), "Type": shape(spaces, kind)},
        left=("Manifest_reference_number",),
    )
    line = {
        "Duty_tax_code": (_TAXES, "code"),
        "Duty_tax_amount": (_TAXES, "amount"),
        "Duty_tax_MP": (_TAXES, "payable"),
    }
    taxes = shape(spaces, {}, {"Taxation_line": shape(spaces, line, opens=_TAXES, left=("Duty_tax_Base", "Duty_tax_rate"))})
    previous = shape(spaces, {"Summary_declaration": (_PREVIOUS, "document")}, opens=_PREVIOUS)
    leaving = {"Date_of_exit": (_RELEASE, "Date"), "Time_of_exit": (_RELEASE, "time"), "Actual_office_of_exit_code": (_RELEASE, "office")}
    inner = {
        "Identification": identification,
        "Declarant": shape(spaces, {"Declarant_code": (_HEAD, "declarant")}, {"Reference": shape(spaces, {"Number": (_HEAD, "own")})}),
        "Item": shape(spaces, {}, {"Taxation": taxes, "Previous_doc": previous}),
        "Export_release": shape(spaces, leaving),
    }
    return shape(spaces, lanes, inner | lane)


class _Export(NamedTuple):
    """A declaration as it was exported: its records, the document's head, the charges."""

    record: xml.Record
    head: MessageHead
    raw: RawMessage
    item: Item
    charges: Mapping[str, str]
    due: Decimal


_KNOWN: Final = Outlines(prepare=asycuda.without_null)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an export. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document = asycuda.open_document(raw, dialect, "ASYCUDA", _KNOWN)
    record = xml.walk(document.root, _shape(document.spaces), len(_PARTS))
    head = MessageHead(NAME, message_id_of(raw.body))
    charges, due = _charges(record.lists[_TAXES], dialect)
    item = Item("ASYCUDA", PATHS, dialect, element=document.root, source=document.source)
    answers = list(_answers(_Export(record, head, raw, item, charges, due)))
    return Parsed(head, answers, len(answers))


def _charges(lines: Sequence[Mapping[str, str]], dialect: Dialect) -> tuple[dict[str, str], Decimal]:
    """Return the charges by tax code, and the sum of those that are payable."""
    found: dict[str, str] = {}
    due = Decimal(0)
    for line in lines:
        amount = values.money(line.get("amount", ""), dialect)
        if amount is None:
            continue
        name = f"tax[{line.get('code', '')[:20]}]"
        found[name] = values.total([found[name], amount]) if name in found else amount
        if line.get("payable", "1") != "0":
            due += Decimal(amount)
    return found, due


def _answers(export: _Export) -> Iterator[Answer | Rejection]:
    """Yield one answer for each step that is filled, in the order of the procedure."""
    parts = export.record.parts
    made = 0
    registered = _reference(parts[_REGISTRATION])
    for step, (_, part) in _STEPS.items():
        said = parts[part]
        if said.get("Number") or said.get("Date"):
            made += 1
            code = "assessment-nil" if step == "assessment" and not export.due else step
            yield _answer(export, code, code, said, registered)
    lane = parts[_HEAD].get("lane")
    if lane is not None:
        made += 1
        native = export.item.dialect.code_maps.get("asycuda-lane", {}).get(lane, lane)
        last = parts[_RECEIPT] or parts[_ASSESSMENT] or parts[_REGISTRATION]
        unpaid = export.due and parts[_ASSESSMENT].get("Number") and not parts[_RECEIPT].get("Number")
        if not (unpaid and meaning("asycuda", native.lower(), export.item.dialect).decision == "RELEASE"):
            yield _answer(export, native.lower(), lane, last, registered)
    if parts[_RELEASE]:
        made += 1
        yield _answer(export, "export_release", "export_release", parts[_RELEASE], registered)
    if not made:
        export.item.note("FLD-MISSING", "/reference", remedy="Export the declaration once it is registered.")
        yield reject(export.item, export.head, export.raw)


def _reference(said: Mapping[str, str]) -> str:
    year = _YEAR.search(said.get("Date", ""))
    return " ".join(part for part in (said.get("Serial_number"), said.get("Number"), year[0] if year else None) if part)


def _answer(export: _Export, code: str, native: str, said: Mapping[str, str], registered: str) -> Answer | Rejection:
    head = export.record.parts[_HEAD]
    item = export.item.another("ASYCUDA", findings=())
    key = _key(export, registered)
    if key is None:
        item.note("FLD-KEY", "/key", remedy="Give the declarant's reference or the registration.")
        return reject(item, export.head, export.raw)
    extra = {name: head.get(name, "") for name in ("office", "type", "procedure", "declarant", "lane")}
    if code in ("assessment", "assessment-nil", "receipt"):
        extra |= export.charges
    return answer(
        item,
        export.head,
        export.raw,
        meaning("asycuda", code, export.item.dialect),
        identity=f"{key[0][:60]}/{native[:20]}/{said.get('Number', '')[:10]}",
        key=key[0],
        code=native,
        at=_moment(said.get("Date"), item),
        authority=head.get("office"),
        level=key[1],
        reference=registered[:100] or None,
        extra=extra,
    )


def _key(export: _Export, registered: str) -> tuple[str, str | None] | None:
    head = export.record.parts[_HEAD]
    own = head.get("own")
    if own is not None:
        return f"lrn:{own}", None
    houses = {each["document"] for each in export.record.lists[_PREVIOUS] if "document" in each}
    if len(houses) == 1:
        key = house_key(houses.pop(), head.get("declarant", ""), export.item.dialect)
        if key is not None:
            return key, "house"
    return (f"mrn:{head.get('office', '')} {registered}", None) if registered else None


def _moment(said: str | None, item: Item) -> datetime | None:
    """Return a date (midnight of the dialect's zone) or date-time; day, month, year with strokes is taken too."""
    if said is None:
        item.note("FLD-WANTED", "/issued_at")
        return None
    strokes = _STROKES(said)
    if strokes:
        said = f"{strokes[3]}-{strokes[2]:0>2}-{strokes[1]:0>2}"
    at = values.local_instant(said, item.dialect) or values.instant(said)
    if at is None:
        item.note("FLD-DROPPED", "/issued_at", said)
        return None
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        item.note("FLD-DROPPED", "/issued_at", said)
        return None


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_CARRIED: Final = frozenset(
    {"/house_transport_document_id", "/package_count", "/conveyance_reference", "/mode_of_transport", "/place_of_loading", "/incoterm"}
    | {"/country_of_dispatch", "/country_of_destination", "/declared_value/", "/freight_cost/", "/insurance_cost/", "/gross_mass_kg"}
    | {f"/{side}/{field}" for side in ("consignor", "consignee") for field in ("name", "identifier", "identifier_scheme")}
    | {
        f"/{side}/{field}"
        for side in ("consignor", "consignee")
        for field in ("street_line", "street_line_2", "city", "postcode", "country")
    }
    | {
        f"/goods_items/*/{field}"
        for field in (
            *("sequence_number", "goods_description", "hs_code", "country_of_origin", "net_mass_kg", "gross_mass_kg", "package_count"),
            *("item_amount/amount", "item_amount/currency"),
        )
    }
)
_NEEDED: Final = ("Customs_clearance_office_code", "Type_of_declaration", "Declaration_gen_procedure_code", "Declarant_code")


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the first consignment as a declaration; one document holds one, further ones are told as not written."""

    def declared(_: Filing, consignment: Consignment, sheet: Sheet) -> bytes:
        return _declaration(consignment, envelope, sheet)

    return write_one(filings, dialect, _CARRIED, declared)


def _declaration(consignment: Consignment, envelope: Envelope, sheet: Sheet) -> bytes:
    said = sheet.dialect.code_maps.get(MAP, {})
    for name in _NEEDED:
        if not said.get(name):
            sheet.note("WRITE-MISSING", f"/extra/{name}", message=f"The dialect's code map asycuda has no {name}.")
    if not consignment.goods_items:
        sheet.note("WRITE-MISSING", "/goods_items")
    packages = asycuda.packages_of(consignment)
    if packages is None:
        sheet.note("WRITE-MISSING", "/package_count")
    parts = [
        group(
            "Property",
            leaf("Sad_flow", said.get("Sad_flow", "I")),
            group("Forms", leaf("Number_of_the_form", 1), leaf("Total_number_of_forms", 1 + (len(consignment.goods_items) + 1) // 3)),
            group("Nbers", leaf("Total_number_of_items", len(consignment.goods_items)), leaf("Total_number_of_packages", packages)),
            leaf("Place_of_declaration", said.get("Place_of_declaration")),
            leaf("Date_of_declaration", envelope.prepared_at.astimezone(UTC).date().isoformat()),
        ),
        group(
            "Identification",
            group("Office_segment", leaf("Customs_clearance_office_code", said.get("Customs_clearance_office_code"))),
            group("Type", *(leaf(name, said.get(name)) for name in ("Type_of_declaration", "Declaration_gen_procedure_code"))),
        ),
        group("Traders", _trader("Exporter", consignment.consignor, sheet), _trader("Consignee", consignment.consignee, sheet)),
        group(
            "Declarant",
            leaf("Declarant_code", said.get("Declarant_code")),
            leaf("Declarant_representative", said.get("Declarant_representative")),
            group("Reference", leaf("Number", envelope.message_id)),
        ),
        _countries(consignment),
        _transport(consignment, said),
        _valuation(consignment, said),
        *_items(consignment, said, sheet),
    ]
    return "".join(['<?xml version="1.0" encoding="UTF-8"?>\n<ASYCUDA>', *parts, "</ASYCUDA>\n"]).encode()


def _trader(name: str, party: Party | None, sheet: Sheet) -> str:
    side = asycuda.SIDES[name]
    if party is None or party.name is None:
        sheet.note("WRITE-MISSING", f"/{side}/name")
        return ""
    place = " ".join(part for part in (party.postcode, party.city) if part)
    lines = [line for line in (party.name, party.street_line, party.street_line_2, place, party.country) if line]
    return group(name, leaf(f"{name}_code", party.identifier), leaf(f"{name}_name", "\n".join(lines)))


def _countries(consignment: Consignment) -> str:
    return group(
        "General_information",
        group(
            "Country",
            leaf("Country_first_destination", consignment.country_of_dispatch),
            leaf("Trading_country", consignment.country_of_dispatch),
            group("Export", leaf("Export_country_code", consignment.country_of_dispatch)),
            group("Destination", leaf("Destination_country_code", consignment.country_of_destination)),
        ),
    )


def _transport(consignment: Consignment, said: Mapping[str, str]) -> str:
    arrival = group("Departure_arrival_information", leaf("Identity", consignment.conveyance_reference))
    border = group("Border_information", leaf("Identity", consignment.conveyance_reference), leaf("Mode", consignment.mode_of_transport))
    return group(
        "Transport",
        group("Means_of_transport", arrival, border),
        leaf("Container_flag", "false"),
        group("Delivery_terms", leaf("Code", consignment.incoterm)),
        group("Border_office", leaf("Code", said.get("Border_office"))),
        group("Place_of_loading", leaf("Code", consignment.place_of_loading)),
        leaf("Location_of_goods", said.get("Location_of_goods")),
    )


def _valuation(consignment: Consignment, said: Mapping[str, str]) -> str:
    amounts = (
        ("Gs_Invoice", consignment.declared_value),
        ("Gs_external_freight", consignment.freight_cost),
        ("Gs_insurance", consignment.insurance_cost),
    )
    return group(
        "Valuation",
        leaf("Calculation_working_mode", said.get("Calculation_working_mode", "0")),
        *(
            group(name, leaf("Amount_foreign_currency", plain_number(amount.amount, 2)), leaf("Currency_code", amount.currency))
            for name, amount in amounts
            if amount is not None
        ),
    )


def _items(consignment: Consignment, said: Mapping[str, str], sheet: Sheet) -> Iterable[str]:
    for index, line in enumerate(consignment.goods_items):
        yield _item(consignment, index, line, said, sheet)


def _item(consignment: Consignment, index: int, line: GoodsItem, said: Mapping[str, str], sheet: Sheet) -> str:
    path = f"/goods_items/{index}"
    for field in ("goods_description", "hs_code"):
        if getattr(line, field) is None:
            sheet.note("WRITE-MISSING", f"{path}/{field}")
    code = line.hs_code or ""
    alone = len(consignment.goods_items) == 1
    return group(
        "Item",
        group(
            "Packages",
            leaf("Number_of_packages", line.package_count if line.package_count is not None or not alone else consignment.package_count),
            leaf("Marks1_of_packages", consignment.house_transport_document_id),
            leaf("Kind_of_packages_code", said.get("Package_type_code", "PK")),
        ),
        group(
            "Tarification",
            group("HScode", leaf("Commodity_code", code[:8] or None), leaf("Precision_1", code[8:] or None)),
            leaf("Preference_code", said.get("Preference_code")),
            leaf("Extended_customs_procedure", said.get("Extended_customs_procedure", "4000")),
            leaf("National_customs_procedure", said.get("National_customs_procedure", "000")),
            leaf("Item_price", plain_number(line.item_amount.amount, 2) if line.item_amount else None),
            leaf("Valuation_method_code", said.get("Valuation_method_code", "1")),
        ),
        group(
            "Goods_description",
            leaf("Country_of_origin_code", line.country_of_origin),
            leaf("Description_of_goods", line.goods_description),
            leaf("Commercial_Description", line.goods_description),
        ),
        group("Previous_doc", leaf("Summary_declaration", consignment.house_transport_document_id)),
        group(
            "Valuation_item",
            group(
                "Weight_itm",
                leaf("Gross_weight_itm", plain_number(line.gross_mass_kg or (consignment.gross_mass_kg if alone else None), 3)),
                leaf("Net_weight_itm", plain_number(line.net_mass_kg, 3)),
            ),
        ),
    )
