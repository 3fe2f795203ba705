"""H7 low-value declaration as XML with the names of EUCDM, written only.

There is no common XML of the member states: each has its own on these names. This is the neutral form that an adapter of a state starts
from; its elements carry their EUCDM numbers in :data:`ELEMENTS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.formats import customs_xml, h7
from shared.formats.base import Certainty, Envelope, Written
from shared.formats.h7 import Declaration
from shared.formats.h7_json import WRITTEN
from shared.formats.postal_files import Sheet
from shared.formats.single import write_one
from shared.formats.values import plain_number
from shared.formats.xml_writing import group, leaf
from shared.model import Consignment, Dialect, Filing, Money, Party

NAME: Final = "h7-xml"
TITLE: Final = "H7 low-value declaration, XML with EUCDM names"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = h7.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
NAMESPACE: Final = "urn:hub:customs:h7:1"

ELEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "additionalDeclarationType": "11 02",
        "declarationGoodsItemNumber": "11 03",
        "additionalProcedure": "11 10",
        "PreviousDocument": "12 01",
        "TransportDocument": "12 05",
        "referenceNumberUCR": "12 08",
        "LRN": "12 09",
        "Exporter": "13 01",
        "Importer": "13 04",
        "Declarant": "13 05",
        "Representative": "13 06",
        "AdditionalFiscalReference": "13 16",
        "intrinsicValue": "14 14",
        "transportAndInsuranceCostsToTheDestination": "14 15",
        "LocationOfGoods": "16 15",
        "CustomsOfficeOfPresentation": "17 10",
        "grossMass": "18 04",
        "descriptionOfGoods": "18 05",
        "numberOfPackages": "18 06",
        "harmonizedSystemSubHeadingCode": "18 09",
    }
)
_CARRIED: Final = WRITTEN - {"/goods_items/*/net_mass_kg", "/goods_items/*/country_of_origin", "/consignor/phone", "/consignor/email"}


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write the first consignment as a declaration; one document holds one, further ones are told as not written."""

    def declared(filing: Filing, consignment: Consignment, sheet: Sheet) -> bytes:
        reference = (consignment.extra or {}).get("lrn", envelope.message_id)
        return _declaration(Declaration(consignment, reference, sheet))

    return write_one(filings, dialect, _CARRIED, declared)


def _declaration(declaration: Declaration) -> bytes:
    consignment = declaration.consignment
    declaration.extra.pop("lrn", None)
    declaration.check(6)
    kind = consignment.house_transport_document_type or ("750" if consignment.channel == "post" else "703")
    ioss = declaration.ioss()
    parts = [
        leaf("LRN", declaration.lrn),
        leaf("additionalDeclarationType", declaration.said("additional_declaration_type")),
        group("CustomsOfficeOfPresentation", leaf("referenceNumber", declaration.said("office"))),
        _person("Declarant", "declarant", declaration),
        _person("Representative", "representative", declaration),
        "<GoodsShipment>",
        leaf("referenceNumberUCR", consignment.ucr),
        leaf("grossMass", plain_number(consignment.gross_mass_kg)),
        _party("Exporter", consignment.consignor),
        _party("Importer", consignment.consignee),
        group("AdditionalFiscalReference", leaf("role", "FR5"), leaf("vatIdentificationNumber", ioss)) if ioss else "",
        _money("transportAndInsuranceCostsToTheDestination", consignment.freight_cost),
        group("LocationOfGoods", leaf("unLocodeExtendedCode", declaration.said("location"))),
        group("PreviousDocument", leaf("referenceNumber", declaration.said("previous_document"))),
        group("TransportDocument", leaf("type", f"N{kind}"), leaf("referenceNumber", consignment.house_transport_document_id)),
        *(_line(index, declaration) for index in range(len(consignment.goods_items))),
        "</GoodsShipment>",
    ]
    declaration.rest()
    return "".join(['<?xml version="1.0" encoding="UTF-8"?>\n', f'<H7 xmlns="{NAMESPACE}">', *parts, "</H7>\n"]).encode()


def _person(name: str, kept: str, declaration: Declaration) -> str:
    said = {field: declaration.said(f"{kept}/{field}") for field in ("name", "eori", "status")}
    return group(name, leaf("name", said["name"]), leaf("identificationNumber", said["eori"]), leaf("status", said["status"]))


def _party(name: str, party: Party | None) -> str:
    if party is None:
        return ""
    street = ", ".join(line for line in (party.street_line, party.street_line_2) if line)
    address = group(
        "Address",
        leaf("streetAndNumber", street or None),
        leaf("postcode", party.postcode),
        leaf("city", party.city),
        leaf("subDivision", party.country_subdivision),
        leaf("country", party.country),
    )
    contact = group("ContactPerson", leaf("phoneNumber", party.phone), leaf("eMailAddress", party.email))
    return group(name, leaf("name", party.name), leaf("identificationNumber", party.identifier), address, contact)


def _money(name: str, amount: Money | None) -> str:
    return "" if amount is None else group(name, leaf("amount", plain_number(amount.amount, 2)), leaf("currency", amount.currency))


def _line(index: int, declaration: Declaration) -> str:
    line = declaration.consignment.goods_items[index]
    return group(
        "GoodsItem",
        leaf("declarationGoodsItemNumber", line.sequence_number),
        group("Procedure", *(leaf("additionalProcedure", code) for code in declaration.procedures(index))),
        group(
            "Commodity",
            leaf("descriptionOfGoods", line.goods_description),
            group("CommodityCode", leaf("harmonizedSystemSubHeadingCode", line.hs_code[:6] if line.hs_code else None)),
            group("GoodsMeasure", leaf("grossMass", plain_number(declaration.gross(line)))),
        ),
        group("Packaging", leaf("numberOfPackages", declaration.packages(line))),
        _money("intrinsicValue", line.item_amount),
    )
