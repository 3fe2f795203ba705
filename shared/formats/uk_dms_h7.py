"""UK super-reduced declaration (H7): the declaration part of the customs declaration service (``WCO_DEC_2_DMS``), written only.

One message is one declaration. Codes that the consignment does not say come from the dialect's code map ``uk-dms`` (``declarant``,
``location``, ``type``, ``procedure``, ``previous_category``, ``previous_type``), the additional procedures from ``h7`` as for any low-value
declaration. Values are written in the currency they were sent in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shared.formats import customs_xml
from shared.formats.base import Certainty, Envelope, Written
from shared.formats.h7 import Declaration
from shared.formats.h7_json import WRITTEN
from shared.formats.postal_files import Sheet
from shared.formats.single import write_one
from shared.formats.values import plain_number
from shared.formats.xml_writing import group, leaf, measure
from shared.model import Consignment, Dialect, Filing, Party

NAME: Final = "uk-dms-h7"
TITLE: Final = "UK low-value declaration H7, customs declaration service"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("v2.1",)
SOURCE: Final = "public schemas and samples of the UK customs declaration service"
CERTAINTY: Final[Certainty] = "published"
MAP: Final = "uk-dms"
_META: Final = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
_DECLARATION: Final = "urn:wco:datamodel:WCO:DEC-DMS:2"
_HEAD: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<md:MetaData xmlns:md="{_META}" xmlns="{_DECLARATION}">'
    "<md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>"
    "<md:ResponsibleCountryCode>GB</md:ResponsibleCountryCode><md:ResponsibleAgencyName>HMRC</md:ResponsibleAgencyName>"
    "<md:AgencyAssignedCustomizationCode>v2.1</md:AgencyAssignedCustomizationCode>"
)
_USUAL: Final[Mapping[str, str]] = {
    "type": "IMD",
    "procedure": "40 00",
    "previous_category": "Y",
    "previous_type": "740",
    "package": "PK",
    "location_type": "A",
    "location_address": "U",
}
_CARRIED: Final = WRITTEN - {
    *("/tax_scheme", "/nature_of_transaction", "/freight_cost/", "/declared_value/", "/goods_items/*/net_mass_kg"),
    *("/goods_items/*/country_of_origin", "/consignor/type_of_person", "/consignee/type_of_person"),
    *(f"/{side}/{field}" for side in ("consignor", "consignee") for field in ("phone", "email", "country_subdivision")),
}


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the first consignment as a declaration; one message holds one, further ones are told as not written."""

    def declared(filing: Filing, consignment: Consignment, sheet: Sheet) -> bytes:
        return _declaration(filing, Declaration(consignment, envelope.message_id, sheet))

    return write_one(filings, dialect, _CARRIED, declared, ("/house_transport_document_type",))


def _declaration(filing: Filing, declaration: Declaration) -> bytes:
    consignment = declaration.consignment
    settings = {**_USUAL, **declaration.sheet.dialect.code_maps.get(MAP, {})}
    declaration.check(6)
    declarant = declaration.said("declarant/eori") or settings.get("declarant")
    declaration.needed(declarant, "/extra/declarant/eori")
    declaration.needed(settings.get("location"), "/extra/location")
    if declaration.intrinsic() is None:
        declaration.needed(None, "/declared_value")
    ucr = consignment.ucr
    ioss = declaration.ioss()
    parts = [
        leaf("FunctionCode", "9" if filing.function == "original" else "13"),
        leaf("FunctionalReferenceID", declaration.lrn),
        leaf("TypeCode", settings["type"]),
        leaf("GoodsItemQuantity", len(consignment.goods_items)),
        leaf("TotalPackageQuantity", consignment.package_count),
        group("Declarant", leaf("ID", declarant)),
        _party("Exporter", consignment.consignor),
        "<GoodsShipment>",
        _location(settings),
        group("DomesticDutyTaxParty", leaf("ID", ioss), leaf("RoleCode", "FR5")) if ioss else "",
        *(_line(index, declaration, settings) for index in range(len(consignment.goods_items))),
        _party("Importer", consignment.consignee),
        group(
            "PreviousDocument",
            leaf("CategoryCode", settings["previous_category"]),
            leaf("ID", declaration.said("previous_document") or consignment.house_transport_document_id),
            leaf("TypeCode", settings["previous_type"]),
            leaf("LineNumeric", 1),
        ),
        group("UCR", leaf("TraderAssignedReferenceID", ucr)),
        "</GoodsShipment>",
    ]
    declaration.rest(("office", "location", "additional_declaration_type", "lrn"))
    return "".join([_HEAD, "<Declaration>", *parts, "</Declaration></md:MetaData>\n"]).encode()


def _location(settings: Mapping[str, str]) -> str:
    address = group("Address", leaf("TypeCode", settings["location_address"]), leaf("CountryCode", "GB"))
    return group(
        "Consignment",
        group("GoodsLocation", leaf("Name", settings.get("location")), leaf("TypeCode", settings["location_type"]), address),
    )


def _party(name: str, party: Party | None) -> str:
    if party is None:
        return ""
    line = ", ".join(each for each in (party.street_line, party.street_line_2) if each)
    address = group(
        "Address",
        leaf("CityName", party.city),
        leaf("CountryCode", party.country),
        leaf("Line", line or None),
        leaf("PostcodeID", party.postcode),
    )
    return group(name, leaf("Name", party.name), leaf("ID", party.identifier), address)


def _line(index: int, declaration: Declaration, settings: Mapping[str, str]) -> str:
    consignment: Consignment = declaration.consignment
    line = consignment.goods_items[index]
    current, _, previous = settings["procedure"].partition(" ")
    amount = line.item_amount
    price = measure("ItemChargeAmount", plain_number(amount.amount, 2), "currencyID", amount.currency) if amount else ""
    return group(
        "GovernmentAgencyGoodsItem",
        leaf("SequenceNumeric", line.sequence_number),
        group(
            "Commodity",
            leaf("Description", line.goods_description),
            group("Classification", leaf("ID", line.hs_code[:6] if line.hs_code else None), leaf("IdentificationTypeCode", "TSP")),
            group("GoodsMeasure", measure("GrossMassMeasure", plain_number(declaration.gross(line), 3), "unitCode", "KGM")),
            group("InvoiceLine", price),
        ),
        group("GovernmentProcedure", leaf("CurrentCode", current), leaf("PreviousCode", previous or None)),
        *(group("GovernmentProcedure", leaf("CurrentCode", code)) for code in declaration.procedures(index)),
        group(
            "Packaging",
            leaf("SequenceNumeric", 1),
            leaf("MarksNumbersID", consignment.house_transport_document_id),
            leaf("QuantityQuantity", declaration.packages(line)),
            leaf("TypeCode", settings["package"]),
        ),
    )
