"""The declaration part of the WCO Data Model as XML (``<Declaration>``, alone or in ``<MetaData>``): one house consignment each.

Any namespace that begins with ``urn:wco:datamodel:WCO:DEC`` is taken, as are other prefixes, none at all, and one namespace per leaf.
Names and ids follow the WCO Data Model 3.6 as public schemas print them: exporter and importer stand in where consignor and consignee are
missing; the house document is the transport contract document, else the previous document of a transport type. An amount's currency and a
mass's unit are attributes. What has no place in the dataset (procedures, office, declarant, LRN) is kept in ``extra``; other elements are
noted. Several declarations in one file are read and written though the schema has room for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from shared.codes import postal
from shared.contracts import express_key, freight_key, post_key
from shared.errors import MalformedMessage
from shared.formats import checks, postal_files, values, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.filings import Item, conclude, message_id_of, reject
from shared.formats.losses import losses
from shared.formats.outlines import Outlines
from shared.formats.xml_places import Tree
from shared.formats.xml_writing import attribute, leaf
from shared.identifiers import air_waybill, s10
from shared.model import Dialect, Filing, Finding, MessageHead, RawMessage, Rejection

NAME: Final = "wco-declaration"
TITLE: Final = "WCO Data Model declaration, XML"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/xml", "text/xml")
VERSIONS: Final[tuple[str, ...]] = ("3.6",)
SOURCE: Final = "WCO Data Model 3.6, declaration part, as printed by the public DMS declaration schema"
CERTAINTY: Final[Certainty] = "inferred"
ACKNOWLEDGED_BY: Final = "uk-notification"

FAMILY: Final = "urn:wco:datamodel:WCO:DEC"
_NAMESPACE: Final = "urn:wco:datamodel:WCO:DEC-DMS:2"
_META: Final = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"

FUNCTIONS: Final = MappingProxyType({"9": "original", "5": "replace", "4": "replace", "1": "cancel"})
"""UN/EDIFACT 1225."""

_MASTERS: Final = frozenset({"741", "704"})
_TRANSPORT: Final = frozenset({"703", "705", "714", "720", "730", "740", "750"})
_FREIGHT: Final = frozenset({"705", "714"})
_CLASSES: Final = MappingProxyType({"EN": "standard_product_id", "SA": "merchant_product_id", "MF": "manufacturer_product_id"})
"""UN/EDIFACT 7143, what a classification is when it is no tariff code."""

_HEAD, _CONSIGNOR, _CONSIGNEE, _EXPORTER, _IMPORTER, _SELLER, _DOCUMENTS, _PREVIOUS, _TAXES, _ORDERS, _SIZE = range(11)
_PARTIES: Final = {_CONSIGNOR: "consignor", _CONSIGNEE: "consignee", _SELLER: "seller"}
_KEPT: Final = {
    "lrn": "FunctionalReferenceID",
    "declaration_type": "TypeCode",
    "office": "DeclarationOfficeID",
    "declarant": "Declarant/ID",
}
_HEAD_LEAVES: Final = {
    "FunctionCode": "~function",
    "FunctionalReferenceID": "~lrn",
    "TypeCode": "~declaration_type",
    "VersionID": "~version",
    "DeclarationOfficeID": "~office",
    "TotalPackageQuantity": "package_count",
    "GoodsItemQuantity": "~items",
}
_ADDRESS: Final = {
    "CityName": "city",
    "CountryCode": "country",
    "CountrySubDivisionName": "country_subdivision",
    "Line": "street_line",
    "PostcodeID": "postcode",
}
_G: Final = "GoodsShipment/GovernmentAgencyGoodsItem[*]/"
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/house_transport_document_id": "GoodsShipment/Consignment/TransportContractDocument/ID",
        "/house_transport_document_type": "GoodsShipment/Consignment/TransportContractDocument/TypeCode",
        "/channel": "GoodsShipment/Consignment/TransportContractDocument/TypeCode",
        "/master_transport_document_id": "GoodsShipment/Consignment/TransportContractDocument/ID",
        "/mode_of_transport": "BorderTransportMeans/ModeCode",
        "/conveyance_reference": "BorderTransportMeans/JourneyID",
        "/place_of_loading": "GoodsShipment/Consignment/LoadingLocation/ID",
        "/place_of_arrival": "GoodsShipment/Consignment/UnloadingLocation/ID",
        "/package_count": "TotalPackageQuantity",
        "/gross_mass_kg": "TotalGrossMassMeasure",
        "/declared_value": "InvoiceAmount",
        "/freight_cost": "GoodsShipment/CustomsValuation/FreightChargeAmount",
        "/insurance_cost": "GoodsShipment/CustomsValuation/InsuranceChargeAmount",
        "/nature_of_transaction": "GoodsShipment/TransactionNatureCode",
        "/incoterm": "GoodsShipment/TradeTerms/ConditionCode",
        "/country_of_dispatch": "GoodsShipment/ExportCountry/ID",
        "/country_of_destination": "GoodsShipment/Destination/CountryCode",
        "/ucr": "GoodsShipment/UCR/ID",
        "/trader_reference": "GoodsShipment/UCR/TraderAssignedReferenceID",
        "/tax_ids": "GoodsShipment/DomesticDutyTaxParty",
        "/tax_scheme": "GoodsShipment/DomesticDutyTaxParty/RoleCode",
        "/function": "FunctionCode",
        "/version": "VersionID",
        "/extra": "",
        "/extra/procedures": "GoodsShipment/GovernmentAgencyGoodsItem/GovernmentProcedure",
        **{f"/extra/{name}": place for name, place in _KEPT.items()},
        **{
            f"/{party}/{field}": f"GoodsShipment/{tag}/{place}"
            for party, tag in (("consignor", "Consignor"), ("consignee", "Consignee"), ("seller", "Seller"))
            for place, field in [("Name", "name"), ("ID", "identifier"), *((f"Address/{leaf}", field) for leaf, field in _ADDRESS.items())]
        },
        **{f"/{party}": f"GoodsShipment/{party.capitalize()}" for party in ("consignor", "consignee", "seller")},
        "/goods_items": "GoodsShipment/GovernmentAgencyGoodsItem",
        "/goods_items/*": _G.rstrip("/"),
        "/goods_items/*/sequence_number": _G + "SequenceNumeric",
        "/goods_items/*/goods_description": _G + "Commodity/Description",
        "/goods_items/*/hs_code": _G + "Commodity/Classification/ID",
        "/goods_items/*/country_of_origin": _G + "Origin/CountryCode",
        "/goods_items/*/quantity": _G + "Commodity/GoodsMeasure/TariffQuantity",
        "/goods_items/*/net_mass_kg": _G + "Commodity/GoodsMeasure/NetNetWeightMeasure",
        "/goods_items/*/gross_mass_kg": _G + "Commodity/GoodsMeasure/GrossMassMeasure",
        "/goods_items/*/item_amount": _G + "Commodity/InvoiceLine/ItemChargeAmount",
        "/goods_items/*/package_count": _G + "Packaging/QuantityQuantity",
        "/goods_items/*/licence_reference": _G + "AdditionalDocument/ID",
        **{f"/goods_items/*/{field}": _G + "Commodity/Classification/ID" for field in _CLASSES.values()},
    }
)


def recognise(sketch: Sketch) -> Likeness:
    """A ``Declaration`` of the WCO's namespaces, or ``MetaData`` around one."""
    if sketch.kind != "xml" or sketch.root not in ("Declaration", "MetaData"):
        return UNLIKE
    if sketch.root == "MetaData" and "Response" in sketch.keys:
        return Likeness(0.3, "MetaData, but around a Response and no Declaration")
    if sketch.namespace.startswith((FAMILY, "urn:wco:datamodel:WCO:DocumentMetaData")):
        return Likeness(1.0, "a WCO declaration")
    return Likeness(0.6, f"{sketch.root}, but in the namespace {sketch.namespace or '(none)'}")


def _name(element: xml.Element) -> str:
    return str(element.tag).rpartition("}")[2]


_KNOWN: Final = Outlines("Declaration")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read declarations. Raises :class:`shared.errors.MalformedMessage` when the message is refused as a whole."""
    root, _ = _KNOWN.read(raw.body, dialect.encoding)
    name = _name(root)
    if name not in ("Declaration", "MetaData"):
        raise xml.malformed("MSG-SYNTAX", f"The document element is {name}, not MetaData or Declaration.", path=name)
    found: list[xml.Element] = [root] if name == "Declaration" else list(root.iterchildren("{*}Declaration"))
    if not found:
        raise xml.malformed("MSG-NO-ITEMS", "There is no Declaration.", path="Declaration")
    if len(found) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", value=str(len(found)))
    said = next((each.text for each in root.iterchildren("{*}WCODataModelVersionCode")), None)
    version = said.strip()[:20] if said and said.strip() not in VERSIONS else None
    head = MessageHead(NAME, message_id_of(raw.body))
    return Parsed(head, _items(found, version, head, raw, dialect), len(found))


def _items(
    found: list[xml.Element], version: str | None, head: MessageHead, raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    source = Tree(raw.body, dialect.encoding)
    for number, declaration in enumerate(found, 1):
        item = Item(f"Declaration[{number}]", PATHS, dialect, element=declaration, source=source)
        if version is not None:
            item.note("MSG-VERSION", value=version)
        try:
            yield _declaration(declaration, item, head, raw)
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)


# --- one declaration ---------------------------------------------------------------------------------------------------------------------


def _shape(
    space: str,
    leaves: Mapping[str, str],
    part: int = _HEAD,
    inner: Mapping[str, xml.Shape] | None = None,
    opens: int = -1,
    measured: Mapping[str, str] = MappingProxyType({}),
) -> xml.Shape:
    units = {name: (part, key, "currencyID" if name.endswith("Amount") else "unitCode") for name, key in measured.items()}
    made = postal_files.shape(space, {name: (part, key) for name, key in leaves.items()}, inner, opens=opens)
    return made._replace(measured=postal_files.qualified({space, ""}, units))


@lru_cache(maxsize=xml.SPELLINGS)
def _declaration_shape(space: str) -> xml.Shape:
    def party(part: int) -> xml.Shape:
        return _shape(space, {"Name": "name", "ID": "identifier"}, part, {"Address": _shape(space, _ADDRESS, part)})

    document = {"ID": "id", "TypeCode": "type"}
    means = _shape(space, {"ModeCode": "mode_of_transport", "JourneyID": "conveyance_reference"})
    consignment = {
        "TransportContractDocument": _shape(space, document, _DOCUMENTS, opens=_DOCUMENTS),
        "LoadingLocation": _shape(space, {"ID": "place_of_loading"}),
        "UnloadingLocation": _shape(space, {"ID": "place_of_arrival"}),
        "BorderTransportMeans": means,
        "ArrivalTransportMeans": xml.LEFT,
    }
    shipment = {
        "Consignment": _shape(space, {}, inner=consignment),
        "Consignor": party(_CONSIGNOR),
        "Consignee": party(_CONSIGNEE),
        "Exporter": party(_EXPORTER),
        "Importer": party(_IMPORTER),
        "Seller": party(_SELLER),
        "GovernmentAgencyGoodsItem": xml.LEFT,
        "CustomsValuation": _shape(space, {}, measured={"FreightChargeAmount": "freight_cost", "InsuranceChargeAmount": "insurance_cost"}),
        "TradeTerms": _shape(space, {"ConditionCode": "incoterm"}),
        "ExportCountry": _shape(space, {"ID": "country_of_dispatch"}),
        "Destination": _shape(space, {"CountryCode": "country_of_destination"}),
        "UCR": _shape(space, {"ID": "ucr", "TraderAssignedReferenceID": "trader_reference"}),
        "DomesticDutyTaxParty": _shape(space, {"ID": "id", "RoleCode": "role"}, _TAXES, opens=_TAXES),
        "PreviousDocument": _shape(space, document | {"CategoryCode": "category", "LineNumeric": "line"}, _PREVIOUS, opens=_PREVIOUS),
    }
    inner = {
        "Declarant": _shape(space, {"ID": "~declarant"}),
        "Exporter": party(_EXPORTER),
        "BorderTransportMeans": means,
        "GoodsShipment": _shape(space, {"TransactionNatureCode": "~nature"}, inner=shipment),
    }
    measured = {"TotalGrossMassMeasure": "gross_mass_kg", "InvoiceAmount": "declared_value"}
    return _shape(space, _HEAD_LEAVES, inner=inner, measured=measured)


@lru_cache(maxsize=xml.SPELLINGS)
def _goods_shape(space: str) -> xml.Shape:
    measures = {"GrossMassMeasure": "gross_mass_kg", "NetNetWeightMeasure": "net_mass_kg", "TariffQuantity": "quantity"}
    commodity = {
        "Classification": _shape(space, {"ID": "id", "IdentificationTypeCode": "type"}, 1, opens=1),
        "GoodsMeasure": _shape(space, {}, measured=measures),
        "InvoiceLine": _shape(space, {}, measured={"ItemChargeAmount": "item_amount"}),
    }
    inner = {
        "Commodity": _shape(space, {"Description": "goods_description"}, inner=commodity),
        "Origin": _shape(space, {"CountryCode": "country_of_origin"}),
        "Packaging": _shape(
            space,
            {"QuantityQuantity": "quantity", "SequenceNumeric": "n", "MarksNumbersID": "marks", "TypeCode": "type"},
            2,
            opens=2,
        ),
        "GovernmentProcedure": _shape(space, {"CurrentCode": "current", "PreviousCode": "previous"}, 3, opens=3),
        "AdditionalDocument": _shape(space, {"ID": "id", "TypeCode": "type", "CategoryCode": "category"}, 4, opens=4),
    }
    return _shape(space, {"SequenceNumeric": "sequence_number"}, inner=inner)


@lru_cache(maxsize=xml.SPELLINGS)
def _any_outside(space: str) -> etree.XPath:
    """Return what tells whether an element has any below it that is not in the namespace *space*. Counting is cheaper than comparing."""
    if not space:
        return etree.XPath("boolean(.//*[namespace-uri()])")
    return etree.XPath("count(.//*) != count(.//w:*)", namespaces={"w": space})


def _bare(declaration: etree._Element) -> None:
    """Take all namespaces off: the model's leaves may each have one of their own."""
    for each in declaration.iter():
        if isinstance(each.tag, str) and each.tag[0] == "{":
            each.tag = each.tag.rpartition("}")[2]


def _declaration(declaration: xml.Element, item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    space = str(declaration.tag).rpartition("}")[0][1:]
    record = xml.walk(declaration, _declaration_shape(space), _SIZE)
    if record.unknown and _any_outside(space)(xml.like(declaration)):
        item.element = declaration = xml.parsed(declaration)
        _bare(declaration)
        space = ""
        record = xml.walk(declaration, _declaration_shape(""), _SIZE)
    for name in record.unknown[:20]:
        item.note("FLD-IGNORED", at=f"{item.position}/…/{name}")
    for _, _, name in record.repeated[:20]:
        item.note("FLD-REPEATED", at=f"{item.position}/…/{name.lstrip('~')}")
    said = record.parts[_HEAD]
    extra = {name: said.pop(f"~{name}") for name in _KEPT if f"~{name}" in said}
    function = FUNCTIONS.get(said.pop("~function", "9"))
    if function is None:
        item.note("FLD-CODE", "/function")
        function = "original"
    version, declared, nature = said.pop("~version", None), said.pop("~items", None), said.pop("~nature", None)
    content: dict[str, Any] = dict(said)
    key = _documents(record, content, item, raw)
    references = (f"lrn:{extra['lrn']}",) if "lrn" in extra else ()
    if extra.get("lrn") == content.get("house_transport_document_id"):
        extra.pop("lrn", None)
    _parties(record, content, item)
    _numbers(content, item)
    if nature is not None:
        _nature(nature, content, item)
    _taxes(record.lists[_TAXES], content, item)
    goods: list[xml.Element] = list(declaration.iter(xml.qualified(space, "GovernmentAgencyGoodsItem")))
    content["goods_items"] = [_goods(index, each, space, item, extra) for index, each in enumerate(goods)]
    if declared is not None and declared != str(len(goods)):
        item.note("FLD-COUNT", "/goods_items", declared, at=f"{item.position}/GoodsItemQuantity")
    if extra:
        content["extra"] = extra
    return conclude(item, "consignment", content, key, head, raw, function=function, version=version, references=references)


def _documents(record: xml.Record, content: dict[str, Any], item: Item, raw: RawMessage) -> str:
    """Tell house and master document by their types, and return the key."""
    named = [each for each in record.lists[_DOCUMENTS] if "id" in each]
    masters = [each for each in named if each.get("type", "").lstrip("N") in _MASTERS]
    houses = [each for each in named if each not in masters]
    if len(houses) > 1 and not masters:
        masters = [each for each in houses if each.get("type", "").lstrip("N") == "740"][:1]
        houses = [each for each in houses if each not in masters]
    if not houses:
        houses = [each for each in record.lists[_PREVIOUS] if "id" in each and each.get("type", "").lstrip("N") in _TRANSPORT]
        if houses:
            item.paths["/house_transport_document_id"] = f"{item.position}/GoodsShipment/PreviousDocument/ID"
    if masters:
        number = masters[0]["id"]
        content["master_transport_document_id"] = checks.identifier(
            number, air_waybill.problem(number), air_waybill.normalise(number), "/master_transport_document_id", item
        )
    if not houses:
        item.note("FLD-KEY", "/house_transport_document_id")
        content["channel"] = "express"
        return ""
    number, kind = houses[0]["id"], houses[0].get("type", "").lstrip("N")
    if kind:
        content["house_transport_document_type"] = kind
    channel = content["channel"] = channel_of(number, kind)
    content["house_transport_document_id"] = number
    if channel == "post":
        content["house_transport_document_id"] = s10.normalise(number)
        return post_key(content["house_transport_document_id"])
    house = checks.keyed_house(content, item)
    return (freight_key if channel == "freight" else express_key)(item.dialect.carrier or raw.participant, house) if house else ""


def channel_of(number: str, kind: str) -> str:
    """Return what carries the goods, as far as the house document tells: its number (S10) or its type."""
    found = s10.problem(number)
    if found is None or (kind == "750" and found.severity == "warning"):
        return "post"
    return "freight" if kind in _FREIGHT else "express"


def _nature(said: str, content: dict[str, Any], item: Item) -> None:
    found = postal.nature(said)
    if found is None:
        item.note("FLD-CODE-DROPPED", "/nature_of_transaction", said)
    else:
        content["nature_of_transaction"] = found.term


def _parties(record: xml.Record, content: dict[str, Any], item: Item) -> None:
    for part, instead in ((_CONSIGNOR, _EXPORTER), (_CONSIGNEE, _IMPORTER)):
        if not record.parts[part] and record.parts[instead]:
            record.parts[part].update(record.parts[instead])
            item.paths[f"/{_PARTIES[part]}"] = f"{item.position}/{'Exporter' if instead == _EXPORTER else 'GoodsShipment/Importer'}"
    for part, name in _PARTIES.items():
        party: dict[str, Any] = record.parts[part]
        if not party:
            continue
        checks.name(party, f"/{name}/name", item, mandatory=False)
        checks.country(party, "country", f"/{name}/country", item, mandatory=False)
        content[name] = party
    for name in ("country_of_dispatch", "country_of_destination"):
        checks.country(content, name, f"/{name}", item, mandatory=False)


def _numbers(content: dict[str, Any], item: Item) -> None:
    checks.number(content, "package_count", lambda text, _: values.whole_number(text), "/package_count", item)
    _mass(content, "gross_mass_kg", "", item)
    for field in ("declared_value", "freight_cost", "insurance_cost"):
        _money(content, field, "", item)


def _money(record: dict[str, Any], field: str, before: str, item: Item) -> None:
    amount, currency = record.pop(field, None), record.pop(f"{field}@", None)
    if amount is not None:
        made = checks.money(amount, currency, f"{before}/{field}", item)
        if made is not None:
            record[field] = made


def _mass(record: dict[str, Any], field: str, before: str, item: Item) -> None:
    unit = record.pop(f"{field}@", "KGM").upper()
    checks.number(record, field, values.mass, f"{before}/{field}", item)
    if field not in record or unit in ("KGM", "KG"):
        return
    if unit in ("LBR", "LB") and values.mass(record[field], item.dialect):
        record[field] = values.kilograms_of_pounds(record[field])
    else:
        item.note("FLD-CODE", f"{before}/{field}", unit)


def _taxes(parties: Sequence[Mapping[str, str]], content: dict[str, Any], item: Item) -> None:
    """FR5 is the seller's IOSS number (additional fiscal reference)."""
    found = []
    for party in parties:
        if "id" in party and party.get("role") == "FR5":
            found.append({"scheme": "ioss", "number": checks.tax_number("ioss", party["id"], "/tax_ids", item), "role": "seller"})
        else:
            item.note("FLD-IGNORED", "/tax_ids", party.get("role"))
    if found:
        content |= {"tax_ids": found, "tax_scheme": "ioss"}


def _goods(index: int, goods: xml.Element, space: str, item: Item, extra: dict[str, str]) -> dict[str, Any]:
    path = f"/goods_items/{index}"
    record = xml.walk(goods, _goods_shape(space), 5)
    for name in record.unknown[:20]:
        item.note("FLD-IGNORED", at=f"{item.position}/{_G.replace('*', str(index + 1))}…/{name}")
    line: dict[str, Any] = record.parts[0]
    line.setdefault("sequence_number", str(index + 1))
    for each in record.lists[1]:
        line.setdefault(_CLASSES.get(each.get("type", ""), "hs_code"), each.get("id"))
    line = {name: value for name, value in line.items() if value is not None}
    checks.description(line, f"{path}/goods_description", item)
    checks.hs_code(line, f"{path}/hs_code", item, wanted=True)
    if "country_of_origin" in line:
        checks.origin(line, f"{path}/country_of_origin", item)
    unit = line.pop("quantity@", None)
    if unit is not None:
        line["quantity_unit"] = unit
    checks.number(line, "quantity", values.quantity, f"{path}/quantity", item)
    for field in ("gross_mass_kg", "net_mass_kg"):
        _mass(line, field, path, item)
    _money(line, "item_amount", path, item)
    checks.standard_product(line, f"{path}/standard_product_id", item)
    counts = [each["quantity"] for each in record.lists[2] if "quantity" in each]
    if counts and all(values.whole_number(count) for count in counts):
        line["package_count"] = str(sum(map(int, counts)))
    elif counts:
        item.note("FLD-FORM", f"{path}/package_count", counts[0])
    licences = [each["id"] for each in record.lists[4] if "id" in each]
    if licences:
        line["licence_reference"] = licences[0]
    for licence in licences[1:]:
        item.note("FLD-IGNORED", f"{path}/licence_reference", licence)
    procedures = [f"{each.get('current', '')} {each.get('previous', '')}".strip() for each in record.lists[3]]
    if procedures:
        extra["procedures"] = "; ".join(filter(None, [extra.get("procedures"), f"{index + 1}: {', '.join(procedures)}"]))
    return line


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_WRITTEN: Final = frozenset(
    {path for path in PATHS if not path.startswith("/extra")}
    | {f"/{field}/{part}" for field in ("declared_value", "freight_cost", "insurance_cost") for part in ("amount", "currency")}
    | {f"/goods_items/*/item_amount/{part}" for part in ("amount", "currency")}
    | {"/goods_items/*/quantity_unit", "/extra/lrn", "/extra/declaration_type", "/extra/office", "/extra/declarant"}
) - {"/tax_ids", "/tax_scheme"}


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* as declarations. What is no consignment is not written, which is an ``error``."""
    findings: list[Finding] = []
    written = [_written(filing, findings, dialect) for filing in filings]
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<md:MetaData xmlns:md="{_META}" xmlns="{_NAMESPACE}">'
        "<md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>"
    )
    return Written((head + "".join(written) + "</md:MetaData>\n").encode() if any(written) else b"", tuple(findings))


def _written(filing: Filing, findings: list[Finding], dialect: Dialect) -> str:
    sheet = postal_files.Sheet(filing.key, dialect)
    if filing.consignment is None:
        sheet.note("WRITE-MISSING", f"/{filing.kind}", message=f"A declaration has no place for: {filing.kind}.")
        findings += sheet.findings
        return ""
    said = filing.consignment.model_dump(mode="json", exclude_none=True)
    number, kind = said["house_transport_document_id"], said.get("house_transport_document_type", "")
    if channel_of(number, kind) != said["channel"]:
        sheet.note("WRITE-LOST", "/channel", said["channel"])
    ignore = _taxes_written(said)
    findings += sheet.findings + losses(filing, _WRITTEN, dialect, ignore)
    extra = said.get("extra", {})
    code = next(code for code, function in FUNCTIONS.items() if function == filing.function)
    head = leaf("DeclarationOfficeID", extra.get("office")) + leaf("FunctionCode", code)
    head += leaf("FunctionalReferenceID", extra.get("lrn", number)) + leaf("TypeCode", extra.get("declaration_type"))
    head += leaf("VersionID", None if filing.version is None else str(filing.version))
    head += leaf("GoodsItemQuantity", str(len(said.get("goods_items", ()))))
    head += _amount("InvoiceAmount", said.get("declared_value")) + _measure("TotalGrossMassMeasure", said.get("gross_mass_kg"))
    head += leaf("TotalPackageQuantity", _text(said.get("package_count"))) + _group("Declarant", leaf("ID", extra.get("declarant")))
    means = leaf("JourneyID", said.get("conveyance_reference")) + leaf("ModeCode", said.get("mode_of_transport"))
    return _group("Declaration", head + _group("BorderTransportMeans", means) + _shipment(said, number, kind))


def _shipment(said: Mapping[str, Any], number: str, kind: str) -> str:
    master = said.get("master_transport_document_id")
    documents = _group("TransportContractDocument", leaf("ID", number) + leaf("TypeCode", kind or None))
    if master is not None:
        documents += _group("TransportContractDocument", leaf("ID", master) + leaf("TypeCode", "741"))
    places = _group("LoadingLocation", leaf("ID", said.get("place_of_loading")))
    places += _group("UnloadingLocation", leaf("ID", said.get("place_of_arrival")))
    valuation = _amount("FreightChargeAmount", said.get("freight_cost")) + _amount("InsuranceChargeAmount", said.get("insurance_cost"))
    ucr = leaf("ID", said.get("ucr")) + leaf("TraderAssignedReferenceID", said.get("trader_reference"))
    parts = [
        leaf("TransactionNatureCode", _nature_code(said.get("nature_of_transaction"))),
        _group("Consignment", places + documents),
        *(_party(name.capitalize(), said.get(name, {})) for name in ("consignee", "consignor")),
        _group("CustomsValuation", valuation),
        _group("Destination", leaf("CountryCode", said.get("country_of_destination"))),
        *_tax_parties(said),
        _group("ExportCountry", leaf("ID", said.get("country_of_dispatch"))),
        *(_goods_written(line) for line in said.get("goods_items", ())),
        _party("Seller", said.get("seller", {})),
        _group("TradeTerms", leaf("ConditionCode", said.get("incoterm"))),
        _group("UCR", ucr),
    ]
    return _group("GoodsShipment", "".join(parts))


def _nature_code(term: str | None) -> str | None:
    found = postal.nature(term) if term else None
    return found.code if found else None


def _taxes_written(said: Mapping[str, Any]) -> set[str]:
    """Return the paths of the IOSS numbers of sellers, and of the scheme that follows from them."""
    found = {
        f"/tax_ids/{index}/{part}"
        for index, tax in enumerate(said.get("tax_ids", ()))
        for part in ("scheme", "number", "role")
        if tax["scheme"] == "ioss" and tax.get("role") == "seller"
    }
    return found | ({"/tax_scheme"} if found and said.get("tax_scheme") == "ioss" else set())


def _tax_parties(said: Mapping[str, Any]) -> list[str]:
    numbers = [tax["number"] for tax in said.get("tax_ids", ()) if tax["scheme"] == "ioss" and tax.get("role") == "seller"]
    return [_group("DomesticDutyTaxParty", leaf("ID", number) + leaf("RoleCode", "FR5")) for number in numbers]


def _party(tag: str, party: Mapping[str, str]) -> str:
    address = "".join(leaf(name, party.get(field)) for name, field in _ADDRESS.items())
    return _group(tag, leaf("Name", party.get("name")) + leaf("ID", party.get("identifier")) + _group("Address", address))


def _goods_written(line: Mapping[str, Any]) -> str:
    classes = [(line.get("hs_code"), "HS"), *((line.get(field), code) for code, field in _CLASSES.items())]
    commodity = leaf("Description", line.get("goods_description"))
    for number, code in classes:
        if number is not None:
            commodity += _group("Classification", leaf("ID", number) + leaf("IdentificationTypeCode", code))
    measures = _measure("GrossMassMeasure", line.get("gross_mass_kg")) + _measure("NetNetWeightMeasure", line.get("net_mass_kg"))
    measures += _measure("TariffQuantity", line.get("quantity"), line.get("quantity_unit"))
    commodity += _group("GoodsMeasure", measures) + _group("InvoiceLine", _amount("ItemChargeAmount", line.get("item_amount")))
    body = leaf("SequenceNumeric", str(line["sequence_number"]))
    body += _group("AdditionalDocument", leaf("ID", line.get("licence_reference"))) + _group("Commodity", commodity)
    body += _group("Origin", leaf("CountryCode", line.get("country_of_origin")))
    body += _group("Packaging", leaf("QuantityQuantity", _text(line.get("package_count"))))
    return _group("GovernmentAgencyGoodsItem", body)


def _group(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>" if content else ""


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _amount(name: str, money: Mapping[str, str] | None) -> str:
    return "" if money is None else f'<{name} currencyID="{money["currency"]}">{money["amount"]}</{name}>'


def _measure(name: str, value: str | None, unit: str | None = "KGM") -> str:
    if value is None:
        return ""
    return f"<{name}{f' unitCode={attribute(unit)}' if unit else ''}>{value}</{name}>"
