"""One consignment of Cargo-XML, house (XFZB) or direct air waybill (XFWB): the same children in both, judged and written here.

``GrossWeightMeasure`` in pounds becomes kilograms, as sent it stays in ``extra``. ``TypeCode`` of an item is its HS code. The value for
customs stands once for the whole consignment; the lines have none. A customs note (OCI) of consignor or consignee with content ``T`` is
its identifier (``EORI``, ``VAT`` before it say which), ``CT`` its telephone number; one of a related declaration (``M``) becomes a
document; all others are kept in ``extra`` as ``OCI[1]`` = ``country/subject/content code/content``. Of several legs of transport the last
one counts, the others are kept. Control totals that differ are told, never repaired.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shared.formats import cargo_xml, checks, values, xml
from shared.formats.cargo_xml import WEIGHT_TOLERANCE, compare, count, group, kilograms, leaf, mass, measure
from shared.formats.filings import Item
from shared.formats.postal_files import Sheet
from shared.formats.values import plain_number
from shared.identifiers import eori
from shared.model import Consignment, GoodsItem, Money, Party

PARTS: Final = ("~", "~", "", "/consignor", "/consignee", "~", "~", "~", "/goods_items/*", "~", "~")
"""The records a walk fills, by the dataset path before each."""
MASTER, HOUSE, CONSIGNOR, CONSIGNEE, LOOSE, MOVEMENTS, NOTES, GOODS, CHARGES, LINES = range(1, 11)

_AMOUNTS: Final = {
    "DeclaredValueForCarriageAmount": "carriage",
    "DeclaredValueForCustomsAmount": "customs",
    "InsuranceValueAmount": "insurance",
    "WeightTotalChargeAmount": "freight",
    "TotalPrepaidChargeAmount": "prepaid",
    "TotalCollectChargeAmount": "collect",
    "ValuationTotalChargeAmount": "valuation",
    "TaxTotalChargeAmount": "tax",
    "CarrierTotalDisbursementAmount": "disbursed",
    "AgentTotalDisbursementAmount": "disbursed_agent",
}
_INDICATORS: Final = (
    "NilCarriageValueIndicator",
    "NilCustomsValueIndicator",
    "NilInsuranceValueIndicator",
    "TotalDisbursementPrepaidIndicator",
)
_KEPT: Final = ("SummaryDescription", "PackageQuantity", "TotalChargePrepaidIndicator", "ConsignmentTransportSplitDescription")
_OTHERS: Final = ("FreightForwarderParty", "AssociatedParty")
_SUBJECTS: Final = {"SHP": "consignor", "CNE": "consignee"}
_RELATED: Final = {"EXP": "830", "IMP": "929", "TRA": "821"}
"""Declaration of export, import, transit: subject of the note → UN/EDIFACT 1001."""
_SCHEMES: Final = {"EORI": "eori", "VAT": "vat"}
_LINE_KEPT: Final = ("PackageQuantity", "Information", "GrossWeightMeasure", "TypeCode")


def paths(consignment: str, goods: str) -> dict[str, str]:
    """Return the provenance table; *consignment* leads to the group, *goods* from there to one item."""
    at = f"{consignment}/"
    line = f"{at}{goods}[*]/"
    table = {
        "/house_transport_document_id": "BusinessHeaderDocument/ID",
        "/master_transport_document_id": "MasterConsignment/TransportContractDocument/ID",
        "/package_count": f"{at}TotalPieceQuantity",
        "/gross_mass_kg": f"{at}IncludedTareGrossWeightMeasure",
        "/place_of_loading": f"{at}OriginLocation/ID",
        "/place_of_arrival": f"{at}FinalDestinationLocation/ID",
        "/conveyance_reference": f"{at}SpecifiedLogisticsTransportMovement/ID",
        "/departure_on": f"{at}SpecifiedLogisticsTransportMovement/DepartureEvent/ScheduledOccurrenceDateTime",
        "/mode_of_transport": "MessageHeaderDocument/TypeCode",
        "/declared_value": f"{at}DeclaredValueForCustomsAmount",
        "/insured_value": f"{at}InsuranceValueAmount",
        "/freight_cost": f"{at}WeightTotalChargeAmount",
        "/documents": f"{at}IncludedCustomsNote",
        "/documents/*": f"{at}IncludedCustomsNote",
        "/goods_items": f"{at}{goods}",
        "/goods_items/*": line[:-1],
        "/goods_items/*/sequence_number": f"{line}SequenceNumeric",
        "/goods_items/*/hs_code": f"{line}TypeCode",
        "/goods_items/*/gross_mass_kg": f"{line}GrossWeightMeasure",
        "/goods_items/*/package_count": f"{line}PieceQuantity",
        "/goods_items/*/goods_description": f"{line}NatureIdentificationTransportCargo/Identification",
        "/goods_items/*/country_of_origin": f"{line}OriginCountry/ID",
        "/extra": consignment,
    }
    for field in ("declared_value", "insured_value", "freight_cost"):
        table |= {f"/{field}/amount": table[f"/{field}"], f"/{field}/currency": f"{table[f'/{field}']}/@currencyID"}
    for side, name in (("consignor", "ConsignorParty"), ("consignee", "ConsigneeParty")):
        table |= {f"/{side}/{field}": f"{at}{name}/{path}" for field, path in _PARTY_PATHS.items()}
        table |= {
            f"/{side}/identifier": f"{at}IncludedCustomsNote/Content",
            f"/{side}/identifier_scheme": f"{at}IncludedCustomsNote/Content",
        }
    table["/country_of_dispatch"] = table["/consignor/country"]
    table["/country_of_destination"] = table["/consignee/country"]
    return table | cargo_xml.HEADER_PATHS


_PARTY_PATHS: Final = {
    "name": "Name",
    "account_id": "AccountID",
    "street_line": "PostalStructuredAddress/StreetName",
    "street_line_2": "PostalStructuredAddress/StreetName",
    "city": "PostalStructuredAddress/CityName",
    "postcode": "PostalStructuredAddress/PostcodeCode",
    "country": "PostalStructuredAddress/CountryID",
    "country_subdivision": "PostalStructuredAddress/CountrySubDivisionName",
    "phone": "DefinedTradeContact/DirectTelephoneCommunication/CompleteNumber",
    "email": "DefinedTradeContact/URIEmailCommunication/URIID",
}


# --- tables ------------------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=xml.SPELLINGS)
def shape(spaces: tuple[str, ...], goods: str) -> xml.Shape:
    """Return the walker's table of a consignment whose items are called *goods*."""
    build = cargo_xml.tables(spaces)
    item = line_shape(build)
    inner = {
        "ConsignorParty": build.party(CONSIGNOR, LOOSE, "ConsignorParty"),
        "ConsigneeParty": build.party(CONSIGNEE, LOOSE, "ConsigneeParty"),
        "OriginLocation": build.leaf_of(HOUSE, "place_of_loading", left=("Name",)),
        "FinalDestinationLocation": build.leaf_of(HOUSE, "place_of_arrival", left=("Name",)),
        "TransportContractDocument": build.leaf_of(LINES, "document", left=("Name", "TypeCode")),
        "SpecifiedLogisticsTransportMovement": build.movement(MOVEMENTS),
        "IncludedCustomsNote": build.note(NOTES),
        "AssociatedConsignmentCustomsProcedure": build.leaf_of(LOOSE, "GoodsStatusCode", "GoodsStatusCode"),
        "ApplicableOriginCurrencyExchange": build.leaf_of(CHARGES, "currency", "SourceCurrencyCode"),
        "ApplicableRating": build.shape({}, {goods: item}, left=("TypeCode", "TotalChargeAmount", "ConsignmentItemQuantity")),
        goods: item,
    }
    inner |= {name: build.other_party(LOOSE, name) for name in _OTHERS}
    for name in cargo_xml.LISTS:
        inner[name] = build.shape({}, marked={"DescriptionCode": name, "Description": name})
    return build.shape(
        {"ID": (LINES, "id"), "TotalPieceQuantity": (HOUSE, "package_count"), "SequenceNumeric": (LINES, "sequence")}
        | {name: (LOOSE, name) for name in _KEPT}
        | {name: (CHARGES, name) for name in _INDICATORS},
        inner,
        measured={name: (CHARGES, key) for name, key in _AMOUNTS.items()}
        | dict.fromkeys(("IncludedTareGrossWeightMeasure", "GrossWeightMeasure"), (HOUSE, "gross_mass_kg"))
        | {"GrossVolumeMeasure": (LOOSE, "GrossVolumeMeasure")},
        left=(
            "ApplicableTotalRating",
            "ApplicableLogisticsAllowanceCharge",
            "ApplicableLogisticsServiceCharge",
            "AssociatedReferenceDocument",
        ),
    )


def business_shape(build: cargo_xml.Tables) -> xml.Shape:
    """Return the table of ``BusinessHeaderDocument``."""
    note = {"ContentCode": (LOOSE, "IncludedHeaderNote/ContentCode"), "Content": (LOOSE, "IncludedHeaderNote")}
    return build.shape(
        {"ID": (LINES, "header"), "SenderAssignedID": (LOOSE, "SenderAssignedID")},
        {"IncludedHeaderNote": build.shape(note)},
        left=("SignatoryConsignorAuthentication", "SignatoryCarrierAuthentication"),
    )


def line_shape(build: cargo_xml.Tables) -> xml.Shape:
    """Return the table of one goods line."""
    return build.shape(
        {
            "SequenceNumeric": (GOODS, "sequence_number"),
            "TypeCode": (GOODS, "hs_code"),
            "PieceQuantity": (GOODS, "package_count"),
            "PackageQuantity": (GOODS, "~PackageQuantity"),
            "Information": (GOODS, "~Information"),
        },
        {
            "NatureIdentificationTransportCargo": build.leaf_of(GOODS, "goods_description", "Identification"),
            "OriginCountry": build.leaf_of(GOODS, "country_of_origin"),
        },
        measured={"GrossWeightMeasure": (GOODS, "gross_mass_kg"), "GrossVolumeMeasure": (GOODS, "~volume")},
        left=(
            "TransportLogisticsPackage",
            "ApplicableFreightRateServiceCharge",
            "AssociatedUnitLoadTransportEquipment",
            "AssociatedReferenceDocument",
        ),
        opens=GOODS,
    )


# --- reading -----------------------------------------------------------------------------------------------------------------------------

_LINE_FIELDS: Final = frozenset({"sequence_number", "hs_code", "package_count", "goods_description", "country_of_origin", "gross_mass_kg"})


class Totals(NamedTuple):
    """Where a consignment says its pieces and its mass: the sender's paths, for :func:`shared.formats.cargo_xml.compare`."""

    pieces: str
    mass: str


def read(record: xml.Record, item: Item, at: str, totals: Totals | None = None) -> dict[str, Any]:
    """Return the content of one consignment, without its keys and its channel. *at* is the group's path below the item's position;
    *totals* tells where pieces and mass stand in a message that is no XML."""
    parts = record.parts
    content: dict[str, Any] = parts[HOUSE]
    extra = parts[LOOSE]
    consignor, consignee = parts[CONSIGNOR], parts[CONSIGNEE]
    if record.marked:
        cargo_xml.lists(record, extra)
    if "GrossVolumeMeasure" in extra:
        extra["GrossVolumeMeasure"] = f"{extra['GrossVolumeMeasure']} {extra.pop('GrossVolumeMeasure@', '')}".strip()
    if record.lists[MOVEMENTS]:
        _legs(content, record.lists[MOVEMENTS], extra, item)
    if record.lists[NOTES]:
        _notes(content, record.lists[NOTES], consignor, consignee, extra, item)
    for side, party, name in (("consignor", consignor, "ConsignorParty"), ("consignee", consignee, "ConsigneeParty")):
        _party(side, party, name, extra, item)
        content[side] = party
    if consignor.get("country") in checks.COUNTRIES:
        content["country_of_dispatch"] = consignor["country"]
    if consignee.get("country") in checks.COUNTRIES:
        content["country_of_destination"] = consignee["country"]
    checks.contactable(consignee, item)
    count(content, "package_count", "/package_count", item, mandatory=True)
    mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure", mandatory=True)
    _goods(
        content, record.lists[GOODS], extra, item, at, totals or Totals(f"{at}/TotalPieceQuantity", f"{at}/IncludedTareGrossWeightMeasure")
    )
    _amounts(content, parts[CHARGES], extra, item)
    if extra:
        content["extra"] = extra
    return content


def is_bare(record: xml.Record) -> bool:
    """Whether nothing but identification was sent, as in a deletion."""
    return not (record.lists[GOODS] or record.parts[CONSIGNOR] or record.parts[CONSIGNEE])


def bare(record: xml.Record, item: Item) -> dict[str, Any]:
    """Return what a deletion says beside its identification."""
    content: dict[str, Any] = record.parts[HOUSE]
    extra = record.parts[LOOSE]
    count(content, "package_count", "/package_count", item)
    mass(content, "/gross_mass_kg", item, extra, "GrossWeightMeasure")
    if extra:
        content["extra"] = extra
    return content


def _legs(content: dict[str, Any], legs: list[dict[str, str]], extra: dict[str, str], item: Item) -> None:
    """The last leg is the one that arrives; what it says of places goes before the route of the consignment, which is kept."""
    cargo_xml.legs_kept(legs[:-1], extra)
    leg = legs[-1]
    if "flight" in leg:
        content["conveyance_reference"] = leg["flight"]
    for field, name, kept in (("place_of_loading", "from", "OriginLocation"), ("place_of_arrival", "to", "FinalDestinationLocation")):
        said = leg.get(name)
        if said is not None and said != content.get(field):
            if field in content:
                extra[kept] = content[field]
            content[field] = said
            item.paths[f"/{field}"] = f"{item.position}/SpecifiedLogisticsTransportMovement/{kept}"
    departs = leg.get("departs")
    if departs is None:
        return
    if values.day(departs[:10]) and (values.day(departs) or "T" in departs):
        content["departure_on"] = departs[:10]
        if departs[10:] not in ("", "T00:00:00", "T00:00:00Z"):
            extra["ScheduledOccurrenceDateTime"] = departs
    else:
        checks.moment(departs, item, "/departure_on")


def _notes(
    content: dict[str, Any],
    notes: list[dict[str, str]],
    consignor: dict[str, str],
    consignee: dict[str, str],
    extra: dict[str, str],
    item: Item,
) -> None:
    parties = {"SHP": consignor, "CNE": consignee}
    others = []
    documents = []
    for note in notes:
        subject, code, said = note.get("subject", ""), note.get("code"), note.get("text")
        party = parties.get(subject)
        if said is None:
            continue
        if party is not None and code == "T" and "identifier" not in party and len(said) < 36:
            _identifier(_SUBJECTS[subject], party, said, item)
        elif party is not None and code == "CT" and "phone" not in party and len(said) < 36:
            party["phone"] = said
        elif code == "M" and subject in _RELATED:
            documents.append({"document_id": said, "document_type": _RELATED[subject]})
        else:
            others.append(note)
    if documents:
        content["documents"] = documents
    cargo_xml.notes_kept(others, extra)


def _identifier(side: str, party: dict[str, str], said: str, item: Item) -> None:
    """A trader's number, with the type it may be prefixed with; one of an unknown type is kept whole as a tax number."""
    scheme, identifier = "tin", said
    for prefix, name in _SCHEMES.items():
        if said.startswith(prefix) and len(said) > len(prefix):
            scheme, identifier = name, said[len(prefix) :].strip()
    if scheme == "eori":
        identifier = checks.identifier(identifier, eori.problem(identifier), eori.normalise(identifier), f"/{side}/identifier", item)
    party["identifier"] = identifier
    party["identifier_scheme"] = scheme


def _party(side: str, party: dict[str, str], name: str, extra: dict[str, str], item: Item) -> None:
    """Bring one party into shape: second name, second line of the street, country by name, post office box."""
    for field in ("name", "city"):
        if "\n" in party.get(field, ""):
            party[field] = " ".join(party[field].split())
    street = party.get("street_line")
    if extra:
        _spare(party, name, extra)
    if street is not None and "\n" in street:
        first, _, rest = street.partition("\n")
        party["street_line"] = first.strip()
        if rest.strip():
            party["street_line_2"] = checks.one_block(rest)
    checks.name(party, f"/{side}/name", item)
    checks.country(party, "country", f"/{side}/country", item, mandatory=True)
    code = "DQ-06" if side == "consignor" else "DQ-07"
    for field in ("street_line", "city"):
        if field not in party:
            item.note(code, f"/{side}/{field}")
    if "postcode" not in party and "city" in party and party.get("country") not in checks.NO_POSTCODE:
        item.note("DQ-08", f"/{side}/postcode")


def _spare(party: dict[str, str], name: str, extra: dict[str, str]) -> None:
    """Take the place of a field that is missing from what was said elsewhere."""
    for field, spare in (("country", "CountryName"), ("country_subdivision", "CountrySubDivisionID"), ("street_line", "PostOfficeBox")):
        if field not in party and f"{name}/{spare}" in extra:
            party[field] = extra.pop(f"{name}/{spare}")
    if "country" in party:
        extra.pop(f"{name}/CountryName", None)


def _goods(content: dict[str, Any], goods: list[dict[str, Any]], extra: dict[str, str], item: Item, at: str, totals: Totals) -> None:
    summary = extra.get("SummaryDescription")
    if not goods:
        goods = _from_summary(content, summary, item, at)
    for index, line in enumerate(goods):
        _line(index, line, extra, item)
    content["goods_items"] = goods
    if summary is not None and goods and goods[0].get("goods_description", "").startswith(summary):
        del extra["SummaryDescription"]
    if not item.refused:
        _line_totals(content, goods, item, totals)


def _from_summary(content: Mapping[str, Any], summary: str | None, item: Item, at: str) -> list[dict[str, Any]]:
    """A consignment without lines is one line of what the summary says."""
    if summary is None:
        item.note("FLD-MISSING", "/goods_items")
        return []
    item.note("FLD-WANTED", "/goods_items")
    item.paths["/goods_items/0/goods_description"] = f"{item.position}/{at}/SummaryDescription"
    return [{"goods_description": summary, "sequence_number": "1"}]


def _line(index: int, line: dict[str, Any], extra: dict[str, str], item: Item) -> None:
    path = f"/goods_items/{index}"
    if "sequence_number" not in line:
        line["sequence_number"] = str(index + 1)
    said = line.get("goods_description")
    if said is not None and "\n" in said:
        line["goods_description"] = " ".join(said.split())
    checks.description(line, path + "/goods_description", item)
    if "package_count" in line:
        count(line, "package_count", path + "/package_count", item)
    mass(line, path + "/gross_mass_kg", item, extra, f"Item[{index + 1}]/GrossWeightMeasure")
    code = line.get("hs_code")
    if code is not None and len(code) > 12 and code.isdecimal():
        extra[f"Item[{index + 1}]/TypeCode"] = code
        line["hs_code"] = code[:10]
        item.note(
            "FLD-CODE-MAPPED", path + "/hs_code", code, message="The code is longer than an HS code; its first ten digits were taken."
        )
    checks.hs_code(line, path + "/hs_code", item, wanted=True)
    checks.origin(line, path + "/country_of_origin", item)
    if not _LINE_FIELDS.issuperset(line):
        _set_aside(index, line, extra)


def _set_aside(index: int, line: dict[str, Any], extra: dict[str, str]) -> None:
    if "~volume" in line:
        extra[f"Item[{index + 1}]/GrossVolumeMeasure"] = f"{line.pop('~volume')} {line.pop('~volume@', '')}".strip()
    for name in [key for key in line if key[0] == "~"]:
        extra[f"Item[{index + 1}]/{name[1:]}"] = line.pop(name)


def _line_totals(content: Mapping[str, Any], goods: list[dict[str, Any]], item: Item, totals: Totals) -> None:
    """Pieces and mass of the lines against those of the consignment, where every line says them."""
    if len(goods) == 1:
        line = goods[0]
        if line.get("package_count", content.get("package_count")) == content.get("package_count") and (
            line.get("gross_mass_kg", content.get("gross_mass_kg")) == content.get("gross_mass_kg")
        ):
            return
    if all("package_count" in line for line in goods):
        pieces = sum(Decimal(line["package_count"]) for line in goods)
        compare(content.get("package_count"), Decimal(pieces), "/package_count", item, totals.pieces)
    if all("gross_mass_kg" in line for line in goods):
        kilos = sum((Decimal(line["gross_mass_kg"]) for line in goods), Decimal(0))
        compare(content.get("gross_mass_kg"), kilos, "/gross_mass_kg", item, totals.mass, WEIGHT_TOLERANCE)


def _amounts(content: dict[str, Any], charges: dict[str, str], extra: dict[str, str], item: Item) -> None:
    """Value for customs and insurance, and the freight: the first of weight charge, prepaid and collect total; the rest is kept."""
    if "@" not in "".join(charges):
        return
    currency = charges.get("currency")
    for field, names in _FIELDS_OF_AMOUNTS:
        for name in names:
            if name in charges:
                said = charges.pop(name)
                amount = checks.spare_money(said, charges.pop(name + "@", currency), f"/{field}", item)
                if amount is not None and (field != "freight_cost" or "freight_cost" not in content):
                    content[field] = amount
                elif amount is not None:
                    extra[_LEAVES[name]] = f"{amount['amount']} {amount['currency']}"
    for name, said in charges.items():
        if name in _LEAVES:
            extra[_LEAVES[name]] = f"{said} {charges.get(name + '@', currency or '')}".strip()


_FIELDS_OF_AMOUNTS: Final = (
    ("declared_value", ("customs",)),
    ("insured_value", ("insurance",)),
    ("freight_cost", ("freight", "prepaid", "collect")),
)
_LEAVES: Final = {key: name for name, key in _AMOUNTS.items()}


# --- writing -----------------------------------------------------------------------------------------------------------------------------

CARRIED: Final = frozenset(
    {"/house_transport_document_id", "/master_transport_document_id", "/package_count", "/gross_mass_kg", "/place_of_loading"}
    | {"/place_of_arrival", "/conveyance_reference", "/departure_on", "/mode_of_transport", "/country_of_dispatch"}
    | {"/country_of_destination", "/declared_value/", "/insured_value/", "/freight_cost/", "/extra/"}
    | {f"/{side}/{field}" for side in ("consignor", "consignee") for field in (*_PARTY_PATHS, "identifier", "identifier_scheme")}
    | {
        f"/goods_items/*/{field}"
        for field in ("sequence_number", "hs_code", "gross_mass_kg", "package_count", "goods_description", "country_of_origin")
    }
    | {"/documents/*/document_id", "/documents/*/document_type"}
)
"""Dataset paths that the messages have a place for."""

_HANDLED: Final = frozenset(
    {"ConversationID", "GoodsStatusCode", "GrossVolumeMeasure", "OriginLocation", "FinalDestinationLocation", "ScheduledOccurrenceDateTime"}
    | {*_KEPT, *cargo_xml.LISTS, "DeclaredValueForCarriageAmount", "TotalPrepaidChargeAmount", "TotalCollectChargeAmount"}
)


def write(consignment: Consignment, sheet: Sheet, goods: str) -> str:
    """Return the children of the consignment in the order of the published samples."""
    extra = dict(consignment.extra or {})
    return "".join(
        [
            _write_amounts(consignment, extra),
            kilograms("IncludedTareGrossWeightMeasure", _needed(consignment.gross_mass_kg, sheet, "/gross_mass_kg")),
            _unit(extra.get("GrossVolumeMeasure"), "GrossVolumeMeasure", "unitCode", sheet),
            leaf("PackageQuantity", extra.get("PackageQuantity")),
            leaf("TotalPieceQuantity", _needed(consignment.package_count, sheet, "/package_count")),
            leaf("SummaryDescription", extra.get("SummaryDescription") or _summary(consignment)),
            write_party("ConsignorParty", consignment.consignor, "/consignor", sheet, extra),
            write_party("ConsigneeParty", consignment.consignee, "/consignee", sheet, extra),
            *(_write_other(name, extra) for name in _OTHERS),
            _route(consignment, extra),
            _write_leg(consignment, extra),
            *(write_list(name, extra) for name in cargo_xml.LISTS),
            *_write_notes(consignment, extra, sheet),
            group("AssociatedConsignmentCustomsProcedure", leaf("GoodsStatusCode", extra.get("GoodsStatusCode"))),
            *_write_goods(consignment, goods, sheet, extra),
            _leftovers(extra, sheet),
        ]
    )


def _needed(value: Any, sheet: Sheet, path: str) -> Any:
    if value is None:
        sheet.note("WRITE-MISSING", path)
    return value


def _amount(name: str, money: Money | None) -> str:
    return "" if money is None else measure(name, plain_number(money.amount, 2), "currencyID", money.currency)


def _unit(kept: str | None, name: str, attribute: str, sheet: Sheet) -> str:
    if kept is None:
        return ""
    said, _, unit = kept.partition(" ")
    return measure(name, said, attribute, unit)


def _write_amounts(consignment: Consignment, extra: dict[str, str]) -> str:
    def either(indicator: str, amount: str) -> str:
        return amount or leaf(indicator, "true")

    carriage, _, currency = extra.get("DeclaredValueForCarriageAmount", "").partition(" ")
    parts = [
        either(
            "NilCarriageValueIndicator", measure("DeclaredValueForCarriageAmount", carriage, "currencyID", currency) if carriage else ""
        ),
        either("NilCustomsValueIndicator", _amount("DeclaredValueForCustomsAmount", consignment.declared_value)),
        either("NilInsuranceValueIndicator", _amount("InsuranceValueAmount", consignment.insured_value)),
        leaf("TotalChargePrepaidIndicator", extra.get("TotalChargePrepaidIndicator")),
        _amount("WeightTotalChargeAmount", consignment.freight_cost),
    ]
    for name in ("TotalPrepaidChargeAmount", "TotalCollectChargeAmount"):
        said, _, currency = extra.get(name, "").partition(" ")
        parts.append(measure(name, said, "currencyID", currency) if said else "")
    return "".join(parts)


def _summary(consignment: Consignment) -> str | None:
    """The description for the manifest: 70 characters of the first line's, which stands in full with the line."""
    first = consignment.goods_items[0].goods_description if consignment.goods_items else None
    return first[:70].rstrip() if first else None


def write_party(name: str, party: Party | None, path: str, sheet: Sheet | None, extra: dict[str, str]) -> str:
    """Return a party. A postcode that is missing is written as an empty element, as pre-loading programmes demand.

    With *sheet*, name and country are mandatory.
    """
    if party is None:
        party = Party()
    if sheet is not None and (party.name is None or party.country is None):
        sheet.note("WRITE-MISSING", f"{path}/{'country' if party.name else 'name'}")
        return ""
    street = "\n".join(line for line in (party.street_line, party.street_line_2) if line)
    if sheet is not None and party.street_line_2 and not party.street_line:
        sheet.note("WRITE-LOST", f"{path}/street_line_2", "A second line without a first is written as the first.")
    address = group(
        "PostalStructuredAddress",
        leaf("PostcodeCode", party.postcode or ""),
        leaf("StreetName", street or None),
        leaf("CityName", party.city),
        leaf("CountryID", party.country),
        leaf("CityID", extra.pop(f"{name}/CityID", None)),
        leaf("PostOfficeBox", extra.pop(f"{name}/PostOfficeBox", None)),
        leaf("CountrySubDivisionName", party.country_subdivision),
        leaf("CountrySubDivisionID", extra.pop(f"{name}/CountrySubDivisionID", None)),
    )
    contact = group(
        "DefinedTradeContact",
        leaf("PersonName", extra.pop(f"{name}/PersonName", None)),
        leaf("DepartmentName", extra.pop(f"{name}/DepartmentName", None)),
        group("DirectTelephoneCommunication", leaf("CompleteNumber", party.phone)),
        group("FaxCommunication", leaf("CompleteNumber", extra.pop(f"{name}/Fax", None))),
        group("URIEmailCommunication", leaf("URIID", party.email)),
    )
    primary = leaf("PrimaryID", extra.pop(f"{name}/PrimaryID", None))
    return group(name, primary, leaf("Name", party.name), leaf("AccountID", party.account_id), address, contact)


def _write_other(name: str, extra: dict[str, str]) -> str:
    return group(name, *(leaf(each, extra.pop(f"{name}/{each}", None)) for each in ("Name", "AccountID", "CargoAgentID", "RoleCode")))


def _route(consignment: Consignment, extra: Mapping[str, str]) -> str:
    origin = extra.get("OriginLocation", consignment.place_of_loading)
    destination = extra.get("FinalDestinationLocation", consignment.place_of_arrival)
    return group("OriginLocation", leaf("ID", origin)) + group("FinalDestinationLocation", leaf("ID", destination))


def _write_leg(consignment: Consignment, extra: Mapping[str, str]) -> str:
    """The leg of transport; also where only places or a date are known that the route does not say."""
    told = consignment.conveyance_reference or consignment.departure_on
    if not (told or "OriginLocation" in extra or "FinalDestinationLocation" in extra):
        return ""
    departs = extra.get("ScheduledOccurrenceDateTime")
    if departs is None and consignment.departure_on is not None:
        departs = f"{consignment.departure_on}T00:00:00"
    places = [
        group(f"Occurrence{name}Location", leaf("ID", place), leaf("TypeCode", "Airport" if place else None))
        for name, place in (("Arrival", consignment.place_of_arrival), ("Departure", consignment.place_of_loading))
    ]
    return group(
        "SpecifiedLogisticsTransportMovement",
        leaf("StageCode", "Main-Carriage"),
        leaf("ModeCode", "4"),
        leaf("Mode", "Air transport"),
        leaf("ID", consignment.conveyance_reference),
        leaf("SequenceNumeric", "1"),
        group("ArrivalEvent", places[0]),
        group("DepartureEvent", leaf("ScheduledOccurrenceDateTime", departs), places[1]),
    )


def write_list(name: str, extra: Mapping[str, str]) -> str:
    """Return the handling codes or instructions that were kept under *name*."""
    if name not in extra:
        return ""
    inner = "DescriptionCode" if name == "HandlingSPHInstructions" else "Description"
    return "".join(group(name, leaf(inner, each)) for each in extra.get(name, "").split("\n") if each)


def _write_notes(consignment: Consignment, extra: dict[str, str], sheet: Sheet) -> list[str]:
    found = []
    for subject, side in _SUBJECTS.items():
        party: Party | None = getattr(consignment, side)
        if party is not None and party.identifier:
            prefix = next((prefix for prefix, scheme in _SCHEMES.items() if scheme == party.identifier_scheme), "")
            if not prefix and party.identifier_scheme not in (None, "tin"):
                sheet.note("WRITE-LOST", f"/{side}/identifier_scheme", party.identifier_scheme)
            found.append(_note(party.country or "", subject, "T", prefix + party.identifier))
    subjects = {type_: subject for subject, type_ in _RELATED.items()}
    for index, document in enumerate(consignment.documents or ()):
        subject = subjects.get(document.document_type or "", "")
        if subject and document.document_id:
            found.append(_note(document.document_id[2:4] if len(document.document_id) == 18 else "", subject, "M", document.document_id))
        else:
            sheet.note("WRITE-LOST", f"/documents/{index}", document.document_id)
    return [*found, write_notes_kept(extra)]


def write_notes_kept(extra: dict[str, str]) -> str:
    """Return the customs notes that were kept, and take them out of *extra*."""
    found: list[str] = []
    while (kept := extra.pop(f"OCI[{len(found) + 1}]", None)) is not None:
        country, subject, code, said = [*kept.split("/", 3), "", "", ""][:4]
        found.append(_note(country, subject, code, said))
    return "".join(found)


def _note(country: str, subject: str, code: str, said: str) -> str:
    return group(
        "IncludedCustomsNote",
        leaf("ContentCode", code or None),
        leaf("Content", said or None),
        leaf("SubjectCode", subject or None),
        leaf("CountryID", country or None),
    )


def _write_goods(consignment: Consignment, name: str, sheet: Sheet, extra: dict[str, str]) -> list[str]:
    if not consignment.goods_items:
        sheet.note("WRITE-MISSING", "/goods_items")
    return [_write_line(name, line, f"/goods_items/{index}", sheet, extra) for index, line in enumerate(consignment.goods_items)]


def _write_line(name: str, line: GoodsItem, path: str, sheet: Sheet, extra: dict[str, str]) -> str:
    kept = {each: extra.pop(f"Item[{int(path[13:]) + 1}]/{each}", None) for each in (*_LINE_KEPT, "GrossVolumeMeasure")}
    return group(
        name,
        leaf("SequenceNumeric", line.sequence_number),
        leaf("TypeCode", kept["TypeCode"] or line.hs_code),
        kilograms("GrossWeightMeasure", line.gross_mass_kg),
        _unit(kept["GrossVolumeMeasure"], "GrossVolumeMeasure", "unitCode", sheet),
        leaf("PackageQuantity", kept["PackageQuantity"]),
        leaf("PieceQuantity", line.package_count),
        leaf("Information", kept["Information"]),
        group(
            "NatureIdentificationTransportCargo",
            leaf("Identification", _needed(line.goods_description, sheet, f"{path}/goods_description")),
        ),
        group("OriginCountry", leaf("ID", line.country_of_origin)),
    )


def _leftovers(extra: Mapping[str, str], sheet: Sheet) -> str:
    """Tell of kept values that the message has no place for."""
    for name, value in extra.items():
        if name not in _HANDLED:
            sheet.note("WRITE-LOST", f"/extra/{name}", value)
    return ""
