"""ICS2: which filings there are, and the tables of their elements.

Element names are the ICS2 XML names; their capitalisation is irregular (``LRN``, ``UNLOCODE``, ``lowerCamel``) and significant. One table
serves all filings: what a filing must have differs (:data:`FILINGS`), what an element means does not. Published are the tables of F32,
F43/F44's differences and F42's; the places of carrier, ports, office and means of transport are reconstructed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from shared.formats import xml
from shared.formats.customs_xml import shape
from shared.model.dataset import Channel

NAMESPACE: Final = "urn:wco:datamodel:WCO:CIS:1"
MASTER_LEVEL: Final = "consignmentMasterLevel"
HOUSE_LEVEL: Final = "consignmentHouseLevel"


class Filed(NamedTuple):
    """One kind of filing. *level* is where its consignments stand, *document* the usual type of their document (CL754 without ``N``).

    *wanted* are dataset paths that customs demand beyond what every filing needs.
    """

    code: str
    title: str
    channel: Channel
    level: Literal["house", "either"]
    document: str
    wanted: tuple[str, ...] = ()


_SHIPPING: Final = ("/master_transport_document_id", "/place_of_loading", "/place_of_arrival", "/extra/carrier/identificationNumber")
_LINE: Final = ("/goods_items/*/hs_code",)

FILINGS: Final[Mapping[str, Filed]] = MappingProxyType(
    {
        filed.code: filed
        for filed in (
            Filed("F20", "air general, complete, pre-loading", "freight", "either", "703", _SHIPPING),
            Filed("F22", "air general, house, pre-arrival", "freight", "house", "703", ("/master_transport_document_id", *_LINE)),
            Filed("F23", "air general, minimum house, pre-loading", "freight", "house", "703"),
            Filed("F24", "air general, minimum house with its master, pre-loading", "freight", "house", "703", _SHIPPING[:1]),
            Filed("F26", "air general, minimum house with more on the house, pre-loading", "freight", "house", "703"),
            Filed("F27", "air general, complete, pre-arrival", "freight", "either", "703", _SHIPPING),
            Filed("F28", "air general, direct air waybill, pre-loading", "freight", "either", "740", _SHIPPING),
            Filed("F29", "air general, direct air waybill, pre-arrival", "freight", "either", "740", _SHIPPING),
            Filed("F30", "express on its own network, complete, pre-arrival", "express", "house", "703", _SHIPPING),
            Filed("F31", "express on general air cargo, complete, pre-arrival", "express", "house", "703", _SHIPPING),
            Filed("F32", "express, minimum dataset of the house, pre-loading", "express", "house", "703", ("/ucr",)),
            Filed("F33", "express on general air cargo, house, pre-arrival", "express", "house", "703", _SHIPPING[:1]),
            Filed("F43", "post, minimum dataset of the item, pre-loading", "post", "house", "750", ("/goods_items/*/item_amount",)),
        )
    }
)
"""Filings about consignments, by their circumstance indicator."""

# --- the records of a walk ---------------------------------------------------------------------------------------------------------------

PARTS: Final = (
    *("~", "~", "", "/consignee", "/consignor", "/seller", "/goods_items/*", "~", "~", "~"),
    *("~", "~", "~", "~", "~", "~", "~", "~", "~", "~"),
    *("~",),
)
HEAD, KEPT, HOUSE, CONSIGNEE, CONSIGNOR, SELLER, GOODS, MASTER, FISCAL, DOCUMENTS = range(10)
INFORMATION, ACTORS, ROUTE, AMOUNTS, COMMUNICATION = range(10, 15)
"""COMMUNICATION of consignee, consignor, seller are 14, 15, 16; those of :data:`OTHERS` come after."""

PARTIES: Final[Mapping[str, int]] = MappingProxyType({"consignee": CONSIGNEE, "consignor": CONSIGNOR, "seller": SELLER})
OTHERS: Final = ("declarant", "representative", "carrier", "buyer")
"""Parties that the dataset has no field for; they are kept under their own names."""
CONTACTS: Final[Mapping[str, int]] = MappingProxyType({name: COMMUNICATION + place for place, name in enumerate((*PARTIES, *OTHERS))})

ADDRESS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "city": "city",
        "country": "country",
        "subDivision": "country_subdivision",
        "street": "street_line",
        "postCode": "postcode",
        "streetAdditionalLine": "street_line_2",
        "number": "~number",
        "poBox": "~poBox",
    }
)
"""Leaves of an address, in the order in which they are written."""

PARTY: Final[Mapping[str, str]] = MappingProxyType(
    {"name": "name", "identificationNumber": "identifier", "typeOfPerson": "type_of_person", "status": "~status"}
)
LISTS: Final[Mapping[str, tuple[int, tuple[str, str]]]] = MappingProxyType(
    {
        "additionalFiscalReferences": (FISCAL, ("role", "VATIdentificationNumber")),
        "supportingDocuments": (DOCUMENTS, ("type", "referenceNumber")),
        "additionalInformation": (INFORMATION, ("code", "text")),
        "additionalSupplyChainActor": (ACTORS, ("role", "identificationNumber")),
    }
)
"""Groups of a house that repeat, each of two leaves."""

LINE: Final[Mapping[str, str]] = MappingProxyType({"goodsItemNumber": "sequence_number", "typeOfGoods": "~typeOfGoods"})
PLACES: Final[Mapping[str, str]] = MappingProxyType({"placeOfLoading": "place_of_loading", "placeOfUnloading": "place_of_arrival"})
KEPT_PLACES: Final = ("placeOfAcceptance", "placeOfDelivery")
MEANS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ModeOfTransport": "mode_of_transport",
        "conveyanceReferenceNumber": "conveyance_reference",
        "identificationNumber": "~identificationNumber",
        "typeOfIdentification": "~typeOfIdentification",
        "estimatedDateAndTimeOfDeparture": "~estimatedDateAndTimeOfDeparture",
        "actualDateAndTimeOfDeparture": "~actualDateAndTimeOfDeparture",
        "estimatedDateAndTimeOfArrival": "~estimatedDateAndTimeOfArrival",
    }
)
HEADER: Final[Mapping[str, str]] = MappingProxyType(
    {"LRN": "lrn", "MRN": "mrn", "documentIssueDate": "issued", "SpecificCircumstanceIndicator": "code"}
)
HEAD_KEPT: Final = (
    "reEntryIndicator",
    "referralRequestReference",
    "addressedMemberState/country",
    "customsOfficeOfFirstEntry/referenceNumber",
    "splitConsignment/splitConsignmentIndicator",
    "splitConsignment/previousMRN",
)
"""Leaves of the message that are kept under their own names, in the order in which they are written."""


def _amount(spaces: Sequence[str], part: int, before: str) -> xml.Shape:
    return shape(spaces, {"value": (part, f"{before}value"), "currency": (part, f"{before}currency")})


def _party(spaces: Sequence[str], name: str, part: int) -> xml.Shape:
    """Return the shape of a party of the dataset, or, where *part* is KEPT, of one that is kept."""
    contacts = shape(spaces, {"identifier": (CONTACTS[name], "identifier"), "type": (CONTACTS[name], "type")}, opens=CONTACTS[name])
    if part == KEPT:
        leaves = {leaf: (KEPT, f"{name}/{leaf}") for leaf in PARTY}
        address = {leaf: (KEPT, f"{name}/address/{leaf}") for leaf in ADDRESS}
    else:
        leaves = {leaf: (part, field) for leaf, field in PARTY.items()}
        address = {leaf: (part, field) for leaf, field in ADDRESS.items()}
    return shape(spaces, leaves, {"address": shape(spaces, address), "communication": contacts})


def _lists(spaces: Sequence[str], part: int | None) -> dict[str, xml.Shape]:
    """Return the groups that repeat, each a record of its own; within a line (*part*) the last one is kept with the line."""
    found = {}
    for name, (own, leaves) in LISTS.items():
        if part is None:
            found[name] = shape(spaces, {leaf: (own, leaf) for leaf in leaves}, opens=own)
        else:
            found[name] = shape(spaces, {leaf: (part, f"~{name}/{leaf}") for leaf in leaves})
    return found


def _line(spaces: Sequence[str]) -> xml.Shape:
    codes = {"harmonizedSystemSubHeadingCode": (GOODS, "hs_code"), "combinedNomenclatureCode": (GOODS, "~cn")}
    commodity = shape(
        spaces,
        {"descriptionOfGoods": (GOODS, "goods_description"), "cusCode": (GOODS, "~cusCode")},
        {"commodityCode": shape(spaces, codes)},
    )
    inner = {
        "itemAmountInvoiced": _amount(spaces, GOODS, "~"),
        "postalValue": _amount(spaces, GOODS, "~postal_"),
        "commodity": commodity,
        "weight": shape(spaces, {"grossMass": (GOODS, "gross_mass_kg"), "netMass": (GOODS, "net_mass_kg")}),
        "packaging": shape(
            spaces,
            {
                "numberOfPackages": (GOODS, "package_count"),
                "typeOfPackages": (GOODS, "~packaging/typeOfPackages"),
                "shippingMarks": (GOODS, "~packaging/shippingMarks"),
            },
        ),
    }
    leaves = {leaf: (GOODS, field) for leaf, field in LINE.items()} | {
        "netMass": (GOODS, "net_mass_kg"),
        "countryOfOrigin": (GOODS, "country_of_origin"),
    }
    return shape(spaces, leaves, inner | _lists(spaces, GOODS), opens=GOODS)


def place(spaces: Sequence[str], part: int, key: str) -> xml.Shape:
    """Return the shape of a place: its UN/LOCODE, else a text."""
    return shape(spaces, {"UNLOCODE": (part, key), "location": (part, key)}, left=("address",))


def _document(spaces: Sequence[str], part: int, number: str, kind: str, opens: int = -1) -> xml.Shape:
    return shape(spaces, {"documentNumber": (part, number), "type": (part, kind)}, opens=opens)


@lru_cache(maxsize=xml.SPELLINGS)
def consignment_shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one house, or of a master that has no houses."""
    inner = {
        "totalAmountInvoiced": _amount(spaces, HOUSE, "~"),
        "additionsAndDeductions": shape(spaces, {"code": (AMOUNTS, "code")}, {"amount": _amount(spaces, AMOUNTS, "")}, opens=AMOUNTS),
        "postalCharges": shape(
            spaces,
            {"value": (HOUSE, "~postage_value"), "currency": (HOUSE, "~postage_currency")},
            {"amount": _amount(spaces, HOUSE, "~postage_")},
        ),
        "goodsItem": _line(spaces),
        "transportDocumentHouseLevel": _document(spaces, HOUSE, "house_transport_document_id", "house_transport_document_type"),
        "referenceNumberUCR": shape(spaces, {"referenceNumberUCR": (HOUSE, "ucr")}),
        "receptacle": shape(spaces, {"receptacleIdentificationNumber": (HOUSE, "receptacle_id")}),
    }
    inner |= {name: _party(spaces, name, part) for name, part in PARTIES.items()}
    inner |= {name: place(spaces, HOUSE, field) for name, field in PLACES.items()}
    return shape(
        spaces,
        {"totalGrossMass": (HOUSE, "gross_mass_kg")},
        inner | _lists(spaces, None) | _around(spaces),
        left=(HOUSE_LEVEL,),
    )


def _around(spaces: tuple[str, ...]) -> dict[str, xml.Shape]:
    """Return what may stand with the message, with the master or with the house."""
    means: dict[str, tuple[int, str]] = {leaf: (MASTER, field) for leaf, field in MEANS.items()}
    means["modeOfTransport"] = means["ModeOfTransport"]
    route = shape(spaces, {"country": (ROUTE, "country")}, opens=ROUTE, left=("sequenceNumber",))
    found = {name: _party(spaces, name, KEPT) for name in OTHERS}
    found |= {name: place(spaces, KEPT, f"{name}/UNLOCODE") for name in KEPT_PLACES}
    found |= {
        "transportDocumentMasterLevel": _document(spaces, MASTER, "~master", "~master_type"),
        "transportDocument": _document(spaces, MASTER, "~master", "~master_type"),
        "activeBorderTransportMeans": shape(spaces, means, {"countriesOfRoutingOfMeansOfTransport": route}),
    }
    return found


def _head_groups(spaces: Sequence[str]) -> dict[str, xml.Shape]:
    """Return the groups of leaves that are kept for the whole message."""
    groups: dict[str, dict[str, tuple[int, str]]] = {}
    for path in HEAD_KEPT:
        group, _, leaf = path.partition("/")
        if leaf:
            groups.setdefault(group, {})[leaf] = (KEPT, path)
    return {group: shape(spaces, leaves) for group, leaves in groups.items()}


@lru_cache(maxsize=xml.SPELLINGS)
def message_shape(spaces: tuple[str, ...], direct: bool) -> xml.Shape:
    """Return the walker's table of what stands around the consignments; *direct*: the master is itself the consignment."""
    leaves = {name: (HEAD, key) for name, key in HEADER.items()}
    leaves |= {path: (KEPT, path) for path in HEAD_KEPT if "/" not in path}
    inner = _around(spaces) | _head_groups(spaces)
    if not direct:
        places = {name: place(spaces, MASTER, field) for name, field in PLACES.items()}
        ours = ("totalGrossMass", "totalAmountInvoiced", "consignee", "consignor", "goodsItem", "seller")
        inner[MASTER_LEVEL] = shape(spaces, {}, _around(spaces) | places, left=(HOUSE_LEVEL, "receptacle", *ours))
        return shape(spaces, leaves, inner, left=(HOUSE_LEVEL, "receptacle"))
    return shape(spaces, leaves, inner, left=(MASTER_LEVEL, HOUSE_LEVEL))


# --- what travels in what ----------------------------------------------------------------------------------------------------------------

BAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "F42": "post by air: master air waybill and its receptacles, pre-arrival",
        "F44": "post: receptacles and the items in them, pre-loading",
        "F21": "air general, master air waybill, pre-arrival",
        "F25": "air general, master air waybill and its houses, pre-loading",
    }
)
"""Filings that say what travels in what, by their circumstance indicator."""


BAG, INSIDE = range(2)
"""Parts of what only names what is in it: a receptacle, and the documents in it."""


@lru_cache(maxsize=xml.SPELLINGS)
def bag_shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the table of a house or receptacle that only names what is in it."""
    bag = {"receptacleIdentificationNumber": (BAG, "number")}
    house = _document(spaces, INSIDE, "number", "type", INSIDE)
    inner = {"transportDocumentHouseLevel": house, "transportDocument": house}
    return shape(spaces, bag, inner | {"receptacle": shape(spaces, bag, inner, opens=BAG)})


@lru_cache(maxsize=xml.SPELLINGS)
def load_shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the table of a whole message of :data:`BAGS` but its houses and receptacles."""
    leaves = {name: (HEAD, key) for name, key in HEADER.items()}
    leaves |= {path: (KEPT, path) for path in HEAD_KEPT if "/" not in path}
    around = _around(spaces) | {name: place(spaces, MASTER, field) for name, field in PLACES.items()}
    commodity = shape(spaces, {"descriptionOfGoods": (MASTER, "goods_description")})
    goods = shape(spaces, {}, {"commodity": commodity}, left=("packaging", "weight"))
    named = ("receptacle", HOUSE_LEVEL, "consignee", "consignor")
    master = shape(spaces, {"totalGrossMass": (MASTER, "gross_mass_kg")}, around | {"goodsItem": goods}, left=named)
    return shape(spaces, leaves, around | _head_groups(spaces) | {MASTER_LEVEL: master}, left=("receptacle", HOUSE_LEVEL))
