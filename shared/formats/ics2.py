"""ICS2, the import control system of the EU: what all its filings about consignments (IE3F20 to F33, F43) share, read.

A message is one filing with an LRN and up to 99,999 houses; each house becomes a consignment. ``IE3Axx`` amends ``IE3Fxx``: the whole
filing again under its MRN. The tables stand in :mod:`shared.formats.ics2_tables`, writing in :mod:`shared.formats.ics2_writing`.

The message id is the LRN, of an amendment the MRN and its time of issue. What the dataset has no field for (declarant, representative,
carrier, means of transport) is kept in ``extra`` under its ICS2 path. Street and number become one line, the number first where the
country writes it so. Post is keyed by its S10 number, express and freight by carrier and house document; of a direct air waybill that is
the waybill itself. Only what no filing can do without is an error; what customs demand beyond is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from lxml import etree

from shared.codes import postal
from shared.contracts import express_key, freight_key
from shared.errors import MalformedMessage
from shared.formats import checks, customs_xml, postal_items, values, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Likeness, Parsed, Sketch
from shared.formats.customs_xml import Document, misfits
from shared.formats.filings import Item, conclude, message_id_of, reject
from shared.formats.ics2_tables import (
    ACTORS,
    ADDRESS,
    AMOUNTS,
    CONTACTS,
    DOCUMENTS,
    FILINGS,
    FISCAL,
    GOODS,
    HEAD,
    HOUSE,
    HOUSE_LEVEL,
    INFORMATION,
    KEPT,
    LISTS,
    MASTER,
    MASTER_LEVEL,
    NAMESPACE,
    OTHERS,
    PARTIES,
    PARTS,
    PLACES,
    ROUTE,
    Filed,
    consignment_shape,
    message_shape,
)
from shared.formats.outlines import Outlines
from shared.identifiers import air_waybill, eori, ioss, lrn, mrn
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection

SOURCE: Final = "EU ICS2 harmonised trader interface, public information-exchange tables v2.02"
_NUMBER_FIRST = "AU CA FR GB HK IE IL IN LK LU MY NZ PH PK SG TH TW US ZA"
NUMBER_FIRST: Final = frozenset(_NUMBER_FIRST.split())
"""Countries that write the house number before the street."""
PERSONS: Final = {"1": "natural", "2": "legal", "3": "association"}
FISCAL_IOSS: Final = "FR5"
ZONED: Final = "urn:wco:datamodel:WCO:CIS:"
_HEAD_PATHS: Final = {
    "/message_id": "LRN",
    "/prepared_at": "documentIssueDate",
    "/master_transport_document_id": f"{MASTER_LEVEL}/transportDocumentMasterLevel/documentNumber",
    "/gross_mass_kg": f"{MASTER_LEVEL}/totalGrossMass",
}
_ROOT = re.compile(r"IE3([FA])([0-9]{2})").fullmatch


class Message(NamedTuple):
    """A message whose root is that of a filing: ``filed`` says which, ``amends`` whether it replaces one, ``usual`` is the format's
    first kind."""

    document: Document
    filed: Filed
    amends: bool
    usual: str


# --- the message -------------------------------------------------------------------------------------------------------------------------


def recognise(sketch: Sketch, codes: Sequence[str]) -> Likeness:
    """An XML document whose root is ``IE3`` and one of *codes* (or its amendment), in the namespace of ICS2 or in none."""
    if sketch.kind != "xml":
        return UNLIKE
    found = _ROOT(sketch.root)
    if found is None or f"F{found[2]}" not in codes:
        return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and not IE3{codes[0]}")
    if sketch.namespace and not sketch.namespace.startswith(ZONED):
        return Likeness(0.8, f"root {sketch.root}, but in the namespace {sketch.namespace}")
    return Likeness(1.0, f"root {sketch.root}")


def open_document(raw: RawMessage, dialect: Dialect, codes: Sequence[str]) -> tuple[Document, str, bool]:
    """Parse *raw*; return the filing's code and whether it is an amendment. Raises :class:`shared.errors.MalformedMessage`."""
    document = customs_xml.open_document(raw, dialect, _KNOWN)
    found = _ROOT(document.name)
    code = f"F{found[2]}" if found else ""
    if found is None or code not in codes:
        raise xml.malformed("MSG-SYNTAX", f"The document element is {document.name}, not IE3{codes[0]}.", path=document.name)
    return document, code, found[1] == "A"


def flatten(root: etree._Element, body: bytes) -> None:
    """Some systems put a date-time or a country into an element of its own: its text is taken for that of the element around it."""
    if b"DateTime>" not in body and b"countryOfOrigin>" not in body:
        return
    for space in {str(root.tag).rpartition("}")[0][1:], ""}:
        for element in list(root.iter(xml.qualified(space, "DateTime"))):
            around = element.getparent()
            if around is not None and len(around) == 1 and around is not root:
                around.text = element.text
                around.remove(element)
        for element in root.iter(xml.qualified(space, "countryOfOrigin")):
            if len(element) == 1:
                element.text = element[0].text
                element.remove(element[0])


_KNOWN: Final = Outlines(HOUSE_LEVEL, flatten)


def begin(
    document: Document,
    code: str,
    said: Mapping[str, str],
    raw: RawMessage,
    name: str,
    dialect: Dialect,
    amends: bool,
) -> tuple[MessageHead, Item]:
    """Return the head of a filing and what is wrong with it: LRN or MRN, time of issue, indicator, version."""
    item = Item(document.name, _HEAD_PATHS, dialect, element=document.root, source=document.source)
    if document.namespace not in (NAMESPACE, ""):
        item.note("MSG-VERSION", value=document.namespace[:100])
    if said.get("code", code) != code:
        item.note("FLD-CODE-KEPT", at=f"{document.name}/SpecificCircumstanceIndicator", value=said["code"])
    number = said.get("mrn" if amends else "lrn")
    identifier, path = (mrn, "MRN") if amends else (lrn, "LRN")
    if number is None:
        item.note("FLD-WANTED", at=f"{document.name}/{path}")
    else:
        number = checks.identifier(number, identifier.problem(number), identifier.normalise(number), "/message_id", item)
    issued = said.get("issued")
    if issued is None:
        item.note("FLD-WANTED", at=f"{document.name}/documentIssueDate")
    prepared_at = None if issued is None else checks.moment(issued, item, "/prepared_at")
    message_id = message_id_of(raw.body) if number is None else f"{number}/{issued}" if amends else number
    if len(message_id) > 100:
        raise xml.malformed("MSG-HEAD", f"{path} is longer than 22 characters.", path=path)
    references = None if number is None else (f"{'mrn' if amends else 'lrn'}:{number}",)
    return MessageHead(name, message_id, prepared_at, "replace" if amends else "original", references=references), item


def parse(name: str, codes: Sequence[str], table: Mapping[str, str], raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a filing about consignments. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    document, code, amends = open_document(raw, dialect, codes)
    message = Message(document, FILINGS[code], amends, codes[0])
    places = _consignments(message)
    if not places:
        raise xml.malformed("MSG-NO-ITEMS", path=f"{MASTER_LEVEL}/{HOUSE_LEVEL}")
    if len(places) > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path=f"{MASTER_LEVEL}/{HOUSE_LEVEL}", value=str(len(places)))
    direct = places[0][1].tag.rpartition("}")[2] == MASTER_LEVEL
    around = xml.walk(document.root, message_shape(document.spaces, direct), len(PARTS))
    head, item = begin(document, code, around.parts[HEAD], raw, name, dialect, amends)
    if around.repeated or around.unknown:
        misfits(around, ("~",) * len(PARTS), item)
    return Parsed(head, _each(message, places, around, table, item, head, raw), len(places))


def _consignments(message: Message) -> list[tuple[str, Any]]:
    """Return the elements of the consignments with their positions: houses, or masters without any."""
    document = message.document
    found = []
    masters = customs_xml.children(document.root, MASTER_LEVEL, document.spaces)
    for number, master in enumerate(masters, 1):
        at = MASTER_LEVEL if len(masters) == 1 else f"{MASTER_LEVEL}[{number}]"
        houses = customs_xml.children(master, HOUSE_LEVEL, document.spaces)
        found += [(f"{at}/{HOUSE_LEVEL}[{place}]", house) for place, house in enumerate(houses, 1)]
        if not houses and message.filed.level == "either":
            found.append((at, master))
    loose = customs_xml.children(document.root, HOUSE_LEVEL, document.spaces)
    return found + [(f"{HOUSE_LEVEL}[{place}]", house) for place, house in enumerate(loose, 1)]


def _each(
    message: Message,
    places: list[tuple[str, Any]],
    around: xml.Record,
    table: Mapping[str, str],
    whole: Item,
    head: MessageHead,
    raw: RawMessage,
) -> Iterator[Filing | Rejection]:
    shape = consignment_shape(message.document.spaces)
    common = kept(around)
    for position, element in places:
        item = whole.another(position, element, table=table)
        try:
            record = xml.walk(element, shape, len(PARTS))
            if record.repeated or record.unknown:
                misfits(record, PARTS, item)
            yield _filing(message, record, around.parts, dict(common), item, head, raw)
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)


def kept(record: xml.Record) -> dict[str, str]:
    """Return what is kept under its own path: leaves, communications of the parties kept, countries of routing."""
    found = dict(record.parts[KEPT])
    for name in OTHERS:
        for number, contact in enumerate(record.lists[CONTACTS[name]], 1):
            found[f"{name}/communication[{number}]"] = f"{contact.get('type', '')}:{contact.get('identifier', '')}"
    if record.lists[ROUTE]:
        found["countriesOfRoutingOfMeansOfTransport"] = " ".join(each["country"] for each in record.lists[ROUTE] if "country" in each)
    return found


# --- one consignment ---------------------------------------------------------------------------------------------------------------------


def _filing(
    message: Message,
    record: xml.Record,
    around: list[dict[str, str]],
    extra: dict[str, str],
    item: Item,
    head: MessageHead,
    raw: RawMessage,
) -> Filing | Rejection:
    parts = record.parts
    content: dict[str, Any] = parts[HOUSE]
    filed = message.filed
    extra.update(kept(record))
    if filed.code != message.usual:
        extra["SpecificCircumstanceIndicator"] = filed.code
    master = around[MASTER] | parts[MASTER] if parts[MASTER] else around[MASTER]
    transport(master, content, extra, item)
    content["channel"] = filed.channel
    key = _key(content, filed, item, raw)
    for name, part in PARTIES.items():
        if name != "seller" or parts[part]:
            content[name] = _party(name, parts[part], record.lists[CONTACTS[name]], extra, item)
    for field, side in (("country_of_dispatch", "consignor"), ("country_of_destination", "consignee")):
        if content[side].get("country") in checks.COUNTRIES:
            content[field] = content[side]["country"]
    checks.contactable(content["consignee"], item)
    checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", item, mandatory=True, positive="DQ-12")
    _goods(content, record.lists[GOODS], filed, extra, item)
    _amounts(content, record.lists[AMOUNTS], extra, item)
    _lists(content, record, extra, item)
    _wanted(content, extra, filed, item)
    assumed = {}
    if message.amends and "mrn" in around[HEAD]:
        assumed["extra"] = {**extra, "MRN": around[HEAD]["mrn"]}
    if extra:
        content["extra"] = extra
    return conclude(item, "consignment", content, key, head, raw, function=head.function, assumed=assumed)


def transport(master: Mapping[str, str], content: dict[str, Any], extra: dict[str, str], item: Item) -> None:
    """Take master document, means of transport and times of a message or its master level."""
    if not master:
        return
    for name, said in master.items():
        if name[0] != "~":
            content.setdefault(name, said)
        elif name not in ("~master", "~master_type"):
            extra[f"activeBorderTransportMeans/{name[1:]}"] = said
    said_master = master.get("~master")
    if said_master is not None:
        found = air_waybill.problem(said_master)
        content["master_transport_document_id"] = checks.identifier(
            said_master, found, air_waybill.normalise(said_master), "/master_transport_document_id", item
        )
        if master.get("~master_type") not in (None, "N741", "N740"):
            extra["transportDocumentMasterLevel/type"] = master["~master_type"]
    departs = master.get("~estimatedDateAndTimeOfDeparture") or master.get("~actualDateAndTimeOfDeparture")
    if departs is not None:
        if values.instant(departs) or values.day(departs):
            content["departure_on"] = departs[:10]
        else:
            item.note("FLD-DROPPED", "/departure_on", departs)


def _key(content: dict[str, Any], filed: Filed, item: Item, raw: RawMessage) -> str:
    said = content.get("house_transport_document_type")
    content["house_transport_document_type"] = said.removeprefix("N") if said else filed.document
    if filed.channel == "post":
        return postal_items.identify(content, item)
    carrier = item.dialect.carrier or raw.participant
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    house = checks.house_number(content.get("house_transport_document_id") or content.get("master_transport_document_id"), item)
    if not house:
        return ""
    content["house_transport_document_id"] = house
    return (express_key if filed.channel == "express" else freight_key)(carrier, house)


def _party(name: str, said: dict[str, str], contacts: list[dict[str, str]], extra: dict[str, str], item: Item) -> dict[str, str]:
    path = f"/{name}"
    checks.name(said, f"{path}/name", item)
    checks.country(said, "country", f"{path}/country", item, mandatory=name != "seller")
    for field in ("~poBox", "~status"):
        if field in said:
            extra[f"{name}/{'address/' if field == '~poBox' else ''}{field[1:]}"] = said.pop(field)
    number = said.pop("~number", None)
    if number is not None:
        said["street_line"] = street_line(said.get("street_line"), number, said.get("country"))
    if name != "seller":
        code = "DQ-06" if name == "consignor" else "DQ-07"
        for field in ("street_line", "city"):
            if field not in said and f"{name}/address/poBox" not in extra:
                item.note(code, f"{path}/{field}")
    person = said.get("type_of_person")
    if person is not None:
        if person in PERSONS:
            said["type_of_person"] = PERSONS[person]
        else:
            item.note("FLD-CODE-DROPPED", f"{path}/type_of_person", said.pop("type_of_person"))
    identifier = said.get("identifier")
    if identifier is not None and eori.problem(identifier) is None:
        said |= {"identifier": eori.normalise(identifier), "identifier_scheme": "eori"}
    for place, contact in enumerate(contacts, 1):
        _contact(name, said, contact, place, extra)
    return said


_CHANNELS: Final = {"EM": "email", "TE": "phone"}


def _contact(name: str, said: dict[str, str], contact: Mapping[str, str], place: int, extra: dict[str, str]) -> None:
    """The first e-mail address and telephone number are the party's; any other means is kept."""
    kind, identifier = contact.get("type", ""), contact.get("identifier", "")
    field = _CHANNELS.get(kind)
    if field is None or field in said or len(identifier) > (254 if field == "email" else 35):
        extra[f"{name}/communication[{place}]"] = f"{kind}:{identifier}"
    elif identifier:
        said[field] = identifier


def street_line(street: str | None, number: str, country: str | None) -> str:
    """Return street and number as the country writes them.

    >>> street_line("MILL LANE", "4", "GB"), street_line("RUE DE L ESSAI", "12", "BE")
    ('4 MILL LANE', 'RUE DE L ESSAI 12')
    """
    if not street:
        return number
    return f"{number} {street}" if country in NUMBER_FIRST else f"{street} {number}"


def _goods(content: dict[str, Any], lines: list[dict[str, str]], filed: Filed, extra: dict[str, str], item: Item) -> None:
    if not lines:
        item.note("FLD-MISSING", "/goods_items")
    goods: list[dict[str, Any]] = [_line(index, line, extra, item) for index, line in enumerate(lines)]
    content["goods_items"] = goods
    _nature(content, goods, extra, item)
    packages = values.count_total([line.get("package_count") for line in goods])
    if packages is not None:
        content["package_count"] = packages
    total = checks.spare_money(content.pop("~value", None), content.pop("~currency", None), "/declared_value", item)
    amounts = [line["item_amount"] for line in goods if "item_amount" in line]
    used = {amount["currency"] for amount in amounts}
    if len(used) > 1:
        item.note("DQ-15", "/goods_items", " ".join(sorted(used)))
    if total is not None:
        content["declared_value"] = total
    elif len(used) == 1 and len(amounts) == len(goods):
        content["declared_value"] = {"amount": values.total([amount["amount"] for amount in amounts]), "currency": used.pop()}
        item.paths["/declared_value"] = f"{item.position}/goodsItem/{'postalValue' if filed.channel == 'post' else 'itemAmountInvoiced'}"


def _line(index: int, line: dict[str, Any], extra: dict[str, str], item: Item) -> dict[str, Any]:
    path = f"/goods_items/{index}"
    said = line.get("sequence_number")
    if said is None:
        item.note("FLD-WANTED", f"{path}/sequence_number")
        line["sequence_number"] = str(index + 1)
    elif said != str(index + 1):
        item.note("FLD-IDENTIFIER", f"{path}/sequence_number", said, message="R3017: goods items are numbered 1, 2, 3 without gaps.")
    checks.description(line, f"{path}/goods_description", item)
    checks.number(line, "gross_mass_kg", values.mass, f"{path}/gross_mass_kg", item)
    checks.number(line, "net_mass_kg", values.mass, f"{path}/net_mass_kg", item)
    customs_xml.count(line, "package_count", f"{path}/package_count", item)
    more = line.pop("~cn", None)
    checks.hs_code(line, f"{path}/hs_code", item, wanted=False)
    if more is not None and len(line.get("hs_code", "")) == 6 and more.isascii() and more.isdecimal() and len(more) == 2:
        line["hs_code"] += more
    elif more is not None:
        item.note("FLD-DROPPED", f"{path}/hs_code", more)
    if "country_of_origin" in line:
        checks.origin(line, f"{path}/country_of_origin", item)
    _value(line, f"{path}/item_amount", item)
    for name in [key for key in line if key[0] == "~" and key != "~typeOfGoods"]:
        extra[f"goodsItem[{index + 1}]/{name[1:]}"] = line.pop(name)
    return line


def _value(line: dict[str, Any], path: str, item: Item) -> None:
    before = "~postal_" if "~postal_value" in line and "~value" not in line else "~"
    amount, currency = line.pop(f"{before}value", None), line.pop(f"{before}currency", None)
    if amount is None and currency is None:
        return
    found = checks.money(amount, currency, path, item)
    if found is not None:
        line["item_amount"] = found
        if found["amount"] == "0.00" or found["amount"][0] == "-":
            item.note("DQ-14", f"{path}/amount", amount)


def _nature(content: dict[str, Any], goods: list[dict[str, Any]], extra: dict[str, str], item: Item) -> None:
    """The type of goods (CL749) is the nature of the transaction; lines that say different ones are mixed, and keep their own."""
    said = [line.pop("~typeOfGoods", None) for line in goods]
    codes = {code for code in said if code is not None}
    if not codes:
        return
    natures = {code: postal.nature(item.dialect.code_maps.get("nature", {}).get(code, code)) for code in codes}
    known = [nature for nature in natures.values() if nature is not None]
    if len(codes) == 1 and known and None not in said:
        content["nature_of_transaction"] = known[0].term
        if known[0].code not in codes:
            extra["goodsItem[1]/typeOfGoods"] = next(iter(codes))
        return
    for number, code in enumerate(said, 1):
        if code is not None:
            extra[f"goodsItem[{number}]/typeOfGoods"] = code
            if natures[code] is None:
                item.note("FLD-CODE-KEPT", "/nature_of_transaction", code)
    if known:
        content["nature_of_transaction"] = known[0].term if len({nature.term for nature in known}) == 1 else "mixed"


def _amounts(content: dict[str, Any], additions: list[dict[str, str]], extra: dict[str, str], item: Item) -> None:
    """The first addition is the freight; any other is kept. Charges of a post are the postage."""
    for number, said in enumerate(additions, 1):
        amount = checks.spare_money(said.get("value"), said.get("currency"), "/freight_cost", item)
        if amount is not None and "freight_cost" not in content:
            content["freight_cost"] = amount
            if "code" in said:
                extra["additionsAndDeductions/code"] = said["code"]
        elif amount is not None:
            extra[f"additionsAndDeductions[{number}]"] = f"{said.get('code', '')}/{amount['amount']} {amount['currency']}"
    postage = checks.spare_money(content.pop("~postage_value", None), content.pop("~postage_currency", None), "/postal/postage", item)
    if postage is not None:
        content["postal"] = {"postage": postage}


def _lists(content: dict[str, Any], record: xml.Record, extra: dict[str, str], item: Item) -> None:
    """IOSS and documents have their fields; the other groups that repeat are kept, as ``name[1]`` = ``first leaf/second leaf``."""
    if record.lists[FISCAL]:
        _fiscal(content, record.lists[FISCAL], extra, item)
    documents = []
    for number, said in enumerate(record.lists[DOCUMENTS], 1):
        kind, reference = said.get("type", ""), said.get("referenceNumber", "")
        if len(kind) == 4 and kind[0] == "N" and reference:
            documents.append({"document_type": kind[1:], "document_id": reference})
        else:
            extra[f"supportingDocuments[{number}]"] = f"{kind}/{reference}"
    if documents:
        content["documents"] = documents
    for name, part in (("additionalInformation", INFORMATION), ("additionalSupplyChainActor", ACTORS)):
        first, second = LISTS[name][1]
        for number, said in enumerate(record.lists[part], 1):
            extra[f"{name}[{number}]"] = f"{said.get(first, '')}/{said.get(second, '')}"


def _fiscal(content: dict[str, Any], references: list[dict[str, str]], extra: dict[str, str], item: Item) -> None:
    for number, said in enumerate(references, 1):
        role, vat = said.get("role", ""), said.get("VATIdentificationNumber", "")
        if role == FISCAL_IOSS and vat and "tax_ids" not in content:
            canonical = checks.identifier(vat, ioss.problem(vat), ioss.normalise(vat), "/tax_ids/0/number", item)
            content["tax_ids"] = [{"scheme": "ioss", "number": canonical, "role": "seller"}]
            content["tax_scheme"] = "ioss"
        else:
            extra[f"additionalFiscalReferences[{number}]"] = f"{role}/{vat}"


_ALWAYS: Final = ("/extra/declarant/identificationNumber", "/consignee/type_of_person", "/consignor/type_of_person")


@cache
def _demands(filed: Filed) -> tuple[tuple[str, str, str], ...]:
    """Return each path that customs demand, as group, field and path; extra's own names have strokes."""
    found = []
    for path in (*_ALWAYS, *filed.wanted):
        group, _, field = path[1:].partition("/")
        found.append((group, field, path))
    return tuple(found)


def _wanted(content: Mapping[str, Any], extra: Mapping[str, str], filed: Filed, item: Item) -> None:
    """Tell what customs demand of this filing beyond what every filing needs."""
    for group, field, path in _demands(filed):
        if group == "extra":
            if field not in extra:
                item.note("FLD-WANTED", path)
        elif group == "goods_items":
            for index, line in enumerate(content["goods_items"]):
                if field[2:] not in line:
                    item.note("FLD-WANTED", f"/goods_items/{index}/{field[2:]}")
        elif group not in content or (field and field not in content[group]):
            item.note("FLD-WANTED", path)
    for index, line in enumerate(content["goods_items"]):
        if "package_count" not in line:
            item.note("FLD-MISSING", f"/goods_items/{index}/package_count")


# --- provenance --------------------------------------------------------------------------------------------------------------------------


def paths(amount: str = "itemAmountInvoiced") -> dict[str, str]:
    """Return the provenance table, relative to the house; ``../`` leads out of it. *amount* is the element of a line's value."""
    line = "goodsItem[*]/"
    table = {
        "/message_id": "../../LRN",
        "/prepared_at": "../../documentIssueDate",
        "/house_transport_document_id": "transportDocumentHouseLevel/documentNumber",
        "/house_transport_document_type": "transportDocumentHouseLevel/type",
        "/master_transport_document_id": "../transportDocumentMasterLevel/documentNumber",
        "/receptacle_id": "receptacle/receptacleIdentificationNumber",
        "/mode_of_transport": "../../activeBorderTransportMeans/ModeOfTransport",
        "/conveyance_reference": "../../activeBorderTransportMeans/conveyanceReferenceNumber",
        "/departure_on": "../../activeBorderTransportMeans/estimatedDateAndTimeOfDeparture",
        "/gross_mass_kg": "totalGrossMass",
        "/package_count": "goodsItem/packaging/numberOfPackages",
        "/declared_value": "totalAmountInvoiced",
        "/declared_value/amount": "totalAmountInvoiced/value",
        "/declared_value/currency": "totalAmountInvoiced/currency",
        "/freight_cost": "additionsAndDeductions/amount",
        "/freight_cost/amount": "additionsAndDeductions/amount/value",
        "/freight_cost/currency": "additionsAndDeductions/amount/currency",
        "/postal/postage": "postalCharges",
        "/postal/postage/amount": "postalCharges/value",
        "/postal/postage/currency": "postalCharges/currency",
        "/tax_ids": "additionalFiscalReferences/VATIdentificationNumber",
        "/tax_scheme": "additionalFiscalReferences/role",
        "/documents": "supportingDocuments",
        "/ucr": "referenceNumberUCR/referenceNumberUCR",
        "/nature_of_transaction": "goodsItem/typeOfGoods",
        "/country_of_dispatch": "consignor/address/country",
        "/country_of_destination": "consignee/address/country",
        "/goods_items": "goodsItem",
        "/goods_items/*": line[:-1],
        "/goods_items/*/sequence_number": f"{line}goodsItemNumber",
        "/goods_items/*/goods_description": f"{line}commodity/descriptionOfGoods",
        "/goods_items/*/hs_code": f"{line}commodity/commodityCode/harmonizedSystemSubHeadingCode",
        "/goods_items/*/gross_mass_kg": f"{line}weight/grossMass",
        "/goods_items/*/net_mass_kg": f"{line}weight/netMass",
        "/goods_items/*/package_count": f"{line}packaging/numberOfPackages",
        "/goods_items/*/country_of_origin": f"{line}countryOfOrigin",
        "/goods_items/*/item_amount": f"{line}{amount}",
        "/goods_items/*/item_amount/amount": f"{line}{amount}/value",
        "/goods_items/*/item_amount/currency": f"{line}{amount}/currency",
        "/extra": "",
        "/extra/declarant": "../../declarant",
        "/extra/representative": "../../representative",
        "/extra/carrier": "../../carrier",
    }
    for name, place in PLACES.items():
        table[f"/{place}"] = f"{name}/UNLOCODE"
    for side in PARTIES:
        table[f"/{side}"] = side
        table |= {f"/{side}/{field}": f"{side}/address/{leaf}" for leaf, field in ADDRESS.items() if field[0] != "~"}
        table |= {
            f"/{side}/name": f"{side}/name",
            f"/{side}/identifier": f"{side}/identificationNumber",
            f"/{side}/identifier_scheme": f"{side}/identificationNumber",
            f"/{side}/type_of_person": f"{side}/typeOfPerson",
            f"/{side}/phone": f"{side}/communication/identifier",
            f"/{side}/email": f"{side}/communication/identifier",
        }
    return table
