"""ITMATT, XML hub profile ``urn:hub:postal:itmatt:1``: the content of the CN 22 or CN 23 of each item, sent by the origin post before it
moves.

One file carries many items; each has a ``Function`` (ORIGINAL, REPLACE, CANCEL) and a ``Version``. An address may be structured (street,
city, postcode) or one block (``SenderAddress``, or several lines in ``SenderAddressLine1``); a block is kept whole in ``street_line``.
``Amount`` and ``NetWeight`` of a content piece are totals of the line. An item names its order by ``ExtraField name="OrderNumber"``; the
platform's code comes from ``ExtraField name="OrderPlatform"``, else from the dialect, else there is no link. The item's key is its S10
number; a post's own ``LocalId`` names nothing between posts.

The file is refused as a whole when it cannot be read, when a mandatory header field is missing or when ``ItemCount`` is wrong; an item is
refused with all its findings when a mandatory field is missing or malformed; what is merely poor (``DQ-``) travels on as a warning, with
the weight the dialect gives it.

Leaf names are those of the public classes of the UPU customs declaration system; envelope and versioning are the hub's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from shared.codes import postal
from shared.contracts import post_key
from shared.errors import MalformedMessage
from shared.formats import checks, values, xml
from shared.formats.base import ITEM_LIMIT, UNLIKE, Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item, conclude, message_id_of, reject
from shared.identifiers import s10
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection
from shared.model.filing import Function

NAME: Final = "itmatt"
TITLE: Final = "ITMATT item attributes, XML hub profile"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/xml", "text/xml")
VERSIONS: Final[tuple[str, ...]] = ("1.0",)
SOURCE: Final = "UPU M33/M52 by their public leaf names; envelope urn:hub:postal:itmatt:1"
CERTAINTY: Final[Certainty] = "reconstructed"
NAMESPACE: Final = "urn:hub:postal:itmatt:1"
ROOT: Final = "ItmattFile"

# --- the tables: element → dataset path. ``~`` marks a value that is worked on before it becomes part of the dataset. --------------------

_MAIL_OBJECT: Final = {
    "Id": "house_transport_document_id",
    "LocalId": "~LocalId",
    "LocalId2": "~LocalId2",
    "TypeCd": "~TypeCd",
    "MailClassCd": "postal/mail_class",
    "MailCategoryCd": "postal/mail_category",
    "MailSubclassCd": "postal/mail_subclass",
    "OrigPostOrgCd": "postal/origin_post",
    "DestPostOrgCd": "postal/destination_post",
    "PostingDt": "posted_at",
}
_DECLARATION: Final = {"PId": "~PId"}
_DATA: Final = {
    "GrossWeight": "gross_mass_kg",
    "HandlingClassCd": "postal/handling",
    "NatureTypeCd": "nature_of_transaction",
    "Postage": "~Postage",
    "PostageCurrencyCd": "~PostageCurrencyCd",
    "InsuredValue": "~InsuredValue",
    "InsuredValueCurrencyCd": "~InsuredValueCurrencyCd",
    "TransportMode": "mode_of_transport",
    "TransportDate": "departure_on",
    "DutyPaidRef": "~DutyPaidRef",
}
_PARTIES: Final = {"Sender": "consignor", "Recipient": "consignee"}
_PARTY: Final = {
    "Name": "name",
    "AddressLine1": "street_line",
    "AddressLine2": "street_line_2",
    "City": "city",
    "State": "country_subdivision",
    "ZIP": "postcode",
    "CountryCd": "country",
    "Telephone": "phone",
    "Email": "email",
    "IdRef": "identifier",
}
_PARTY_LOOSE: Final = ("FirstName", "LastName", "Address", "Fax")
_PIECE: Final = {
    "Index": "sequence_number",
    "Number": "quantity",
    "Description": "goods_description",
    "NetWeight": "net_mass_kg",
    "Amount": "amount",
    "CurrencyCd": "currency",
    "HS": "hs_code",
    "OrigCountryCd": "country_of_origin",
    "RevisedHS": "~RevisedHS",
    "RevisedDescription": "~RevisedDescription",
    "ImportRestrictions": "~ImportRestrictions",
    "ImportRestrictionsNotes": "~ImportRestrictionsNotes",
}
_DOCUMENT: Final = {"DocumentType": "document_type", "DocumentId": "document_id", "DocumentName": "name"}
_HEADER: Final = ("FileId", "MessageType", "SenderOrgCd", "RecipientOrgCd", "PreparedDt", "TestInd", "ItemCount")

_PARTS: Final = ("", "consignor", "consignee", "postal", "~", "goods", "document")
_CONSIGNMENT, _CONSIGNOR, _CONSIGNEE, _POSTAL, _LOOSE, _GOODS, _DOCUMENTS = range(7)

_IN_DATA: Final = "Declaration/Data/"
_IN_PIECE: Final = "Declaration/Data/ContentPieces/ContentPiece[*]/"
_IN_DOCUMENT: Final = "Declaration/Data/Documents/Document[*]/"


def _paths() -> dict[str, str]:
    """Return the provenance table, made of the same tables as the reader."""
    table = {f"/{path}": f"MailObject/{tag}" for tag, path in _MAIL_OBJECT.items() if path[0] != "~"}
    table |= {f"/{path}": _IN_DATA + tag for tag, path in _DATA.items() if path[0] != "~"}
    for side, party in _PARTIES.items():
        table |= {f"/{party}/{field}": f"{_IN_DATA}{side}{tag}" for tag, field in _PARTY.items()}
        table[f"/{party}/identifier_scheme"] = f"{_IN_DATA}{side}IdRef"
    table |= {f"/goods_items/*/{field}": _IN_PIECE + tag for tag, field in _PIECE.items() if field[0] != "~"}
    table |= {f"/documents/*/{field}": _IN_DOCUMENT + tag for tag, field in _DOCUMENT.items()}
    for field, tag in (("postal/postage", "Postage"), ("insured_value", "InsuredValue")):
        table |= {f"/{field}/amount": _IN_DATA + tag, f"/{field}/currency": f"{_IN_DATA}{tag}CurrencyCd"}
    table |= {
        "/goods_items": "Declaration/Data/ContentPieces",
        "/goods_items/*": _IN_PIECE[:-1],
        "/goods_items/*/item_amount/amount": f"{_IN_PIECE}Amount",
        "/goods_items/*/item_amount/currency": f"{_IN_PIECE}CurrencyCd",
        "/declared_value/amount": "Declaration/Data/ContentPieces/ContentPiece/Amount",
        "/declared_value/currency": "Declaration/Data/ContentPieces/ContentPiece/CurrencyCd",
        "/country_of_dispatch": f"{_IN_DATA}SenderCountryCd",
        "/country_of_destination": f"{_IN_DATA}RecipientCountryCd",
        "/is_return": f"{_IN_DATA}NatureTypeCd",
        "/tax_ids": f"{_IN_DATA}TaxId",
        "/tax_ids/*": f"{_IN_DATA}TaxId[*]",
        "/tax_scheme": f"{_IN_DATA}TaxId",
        "/orders": f"{_IN_DATA}ExtraField",
        "/platform_id": f"{_IN_DATA}ExtraField",
        "/extra": f"{_IN_DATA}ExtraField",
        "/extra/DutyPaidRef": f"{_IN_DATA}DutyPaidRef",
        "/postal/local_ids": "MailObject/LocalId",
        "/postal/declaration_id": "Declaration/PId",
        "/version": "@Version",
        "/function": "@Function",
    }
    return table


PATHS: Final[Mapping[str, str]] = MappingProxyType(_paths())


@cache
def _shape(namespace: str) -> xml.Shape:
    """Return the walker's table of one ``Item`` in *namespace*."""

    def tag(name: str) -> str:
        return xml.qualified(namespace, name)

    def leaf(path: str, part: int) -> xml.Leaf:
        if path[0] == "~":
            return xml.Leaf(part if part in (_GOODS, _DOCUMENTS) else _LOOSE, path)
        return xml.Leaf(_POSTAL, path.removeprefix("postal/")) if path.startswith("postal/") else xml.Leaf(part, path)

    def leaves(table: Mapping[str, str], part: int) -> dict[str, xml.Leaf]:
        return {tag(name): leaf(path, part) for name, path in table.items()}

    data = leaves(_DATA, _CONSIGNMENT)
    for part, side in ((_CONSIGNOR, "Sender"), (_CONSIGNEE, "Recipient")):
        data |= {tag(side + name): xml.Leaf(part, field) for name, field in _PARTY.items()}
        data |= {tag(side + name): xml.Leaf(_LOOSE, "~" + side + name) for name in _PARTY_LOOSE}
    pieces = xml.Shape({}, {}, {tag("ContentPiece"): xml.Shape(leaves(_PIECE, _GOODS), {}, {}, _GOODS)})
    documents = xml.Shape({}, {}, {tag("Document"): xml.Shape(leaves(_DOCUMENT, _DOCUMENTS), {}, {}, _DOCUMENTS)})
    marked = {tag("TaxId"): "TaxId", tag("ExtraField"): "ExtraField"}
    data_shape = xml.Shape(data, marked, {tag("ContentPieces"): pieces, tag("Documents"): documents})
    declaration = xml.Shape(leaves(_DECLARATION, _CONSIGNMENT), {}, {tag("Data"): data_shape})
    mail_object = xml.Shape(leaves(_MAIL_OBJECT, _CONSIGNMENT), {}, {})
    return xml.Shape({}, {}, {tag("MailObject"): mail_object, tag("Declaration"): declaration})


@cache
def _header_names(namespace: str) -> dict[str, str]:
    return {xml.qualified(namespace, name): name for name in _HEADER}


# --- recognising and reading -------------------------------------------------------------------------------------------------------------


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``ItmattFile``, in the profile's namespace or in none."""
    if sketch.kind != "xml":
        return UNLIKE
    if sketch.root != ROOT:
        return Likeness(0.2, f"XML, but its root is {sketch.root or 'unreadable'} and not {ROOT}")
    if sketch.namespace not in ("", NAMESPACE):
        return Likeness(0.8, f"root {ROOT}, but in the namespace {sketch.namespace} and not {NAMESPACE}")
    return Likeness(1.0, f"root {ROOT}")


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an ITMATT file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    root = xml.parse(raw.body, dialect.encoding)
    namespace, _, name = str(root.tag).rpartition("}")
    if name != ROOT:
        raise xml.malformed("MSG-SYNTAX", f"The document element is {name}, not {ROOT}.", line=root.sourceline)
    namespace = namespace.removeprefix("{")
    header = _header(root, namespace)
    item_tag = xml.qualified(namespace, "Item")
    elements = list(root.iterchildren(item_tag))
    _check_count(header, len(elements))
    head = _head(header, raw)
    return Parsed(head, _items(elements, namespace, head, raw, dialect), len(elements))


def _header(root: etree._Element, namespace: str) -> dict[str, str]:
    element = next(root.iterchildren(xml.qualified(namespace, "Header")), None)
    if element is None:
        raise xml.malformed("MSG-HEAD", "The file has no Header.", path="Header", line=root.sourceline)
    names = _header_names(namespace)
    header = {names[child.tag]: child.text.strip() for child in element if child.text and child.tag in names}
    for name in _HEADER:
        if name not in header and name not in ("FileId", "TestInd"):
            raise xml.malformed("MSG-HEAD", f"Header/{name} is missing.", path=f"Header/{name}", line=element.sourceline)
    if header["MessageType"] != "ITMATT":
        raise xml.malformed("MSG-HEAD", path="Header/MessageType", value=header["MessageType"], line=element.sourceline)
    return header


def _check_count(header: Mapping[str, str], count: int) -> None:
    if not count:
        raise xml.malformed("MSG-NO-ITEMS", path="Item")
    if count > ITEM_LIMIT:
        raise xml.malformed("MSG-ITEMS", path="Item", value=str(count))
    declared = header["ItemCount"]
    if values.whole_number(declared) != str(count):
        raise xml.malformed(
            "MSG-COUNT", f"Header/ItemCount says {declared[:20]}, the file has {count}.", path="Header/ItemCount", value=declared[:20]
        )


def _head(header: Mapping[str, str], raw: RawMessage) -> MessageHead:
    prepared = values.instant(header["PreparedDt"])
    try:
        prepared_at = datetime.fromisoformat(prepared) if prepared else None
    except ValueError:
        prepared_at = None
    if prepared_at is None:
        raise xml.malformed(
            "MSG-HEAD", "Header/PreparedDt is no date-time with offset.", path="Header/PreparedDt", value=header["PreparedDt"][:40]
        )
    file_id = header.get("FileId") or message_id_of(raw.body)
    if len(file_id) > 100:
        raise xml.malformed("MSG-HEAD", "Header/FileId is longer than 35 characters.", path="Header/FileId", value=file_id[:100])
    return MessageHead(NAME, file_id, prepared_at, "original", header.get("TestInd", "").lower() in ("true", "1"))


def _items(
    elements: list[etree._Element], namespace: str, head: MessageHead, raw: RawMessage, dialect: Dialect
) -> Iterator[Filing | Rejection]:
    shape = _shape(namespace)
    for number, element in enumerate(elements, 1):
        item = Item(f"Item[{number}]", PATHS, dialect)
        try:
            record = xml.walk(element, shape, len(_PARTS))
            yield _read_item(element, record, item, head, raw)
        except MalformedMessage as exc:
            item.note(exc.finding_code, at=item.position, message=str(exc))
            yield reject(item, head, raw)


_FUNCTIONS: Final[Mapping[str, Function]] = {"ORIGINAL": "original", "REPLACE": "replace", "CANCEL": "cancel"}


def _read_item(element: etree._Element, record: xml.Record, item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    """Turn one flat record into a filing."""
    consignment, consignor, consignee, postal_part, loose, _, _ = record.parts
    if record.repeated or record.unknown:
        _misfits(record, item)
    said = element.get("Function", "")
    function = _FUNCTIONS.get(said)
    if function is None:
        item.note("FLD-CODE" if said else "FLD-MISSING", "/function", said or None)
    version = element.get("Version")
    if version is None or not values.whole_number(version):
        item.note("FLD-FORM" if version else "FLD-MISSING", "/version", version)
        version = None
    key = _identify(consignment, item)
    _post(consignment, postal_part, loose, item, raw)
    content: dict[str, Any] = dict(consignment, channel="post", house_transport_document_type="750", postal=postal_part)
    if function != "cancel" or record.lists[_GOODS] or consignor:
        _declaration(content, consignor, consignee, loose, record, item)
    _local_ids(postal_part, loose)
    pid = loose.get("~PId")
    return conclude(
        item,
        "consignment",
        content,
        key,
        head,
        raw,
        function=function or "original",
        version=version,
        unhashed={"declaration_id": pid} if pid else None,
    )


# --- the item ----------------------------------------------------------------------------------------------------------------------------


def _identify(consignment: dict[str, str], item: Item) -> str:
    """Return the item's key; the S10 number is brought into its canonical form. A wrong check digit is a warning: many true labels have
    one."""
    said = consignment.get("house_transport_document_id")
    if said is None:
        item.note("FLD-MISSING", "/house_transport_document_id")
        return ""
    found = s10.problem(said)
    if found is None and said.isalnum():
        return post_key(said)
    number = consignment["house_transport_document_id"] = s10.normalise(said)
    if found is not None:
        code = "DQ-01" if found.severity == "error" else "DQ-02" if found.code == "S10-CHECK" else "FLD-IDENTIFIER"
        item.note(code, "/house_transport_document_id", said, message=found.message, remedy=found.remedy)
    return post_key(number) if number.isalnum() and len(number) < 36 else ""


def _post(consignment: dict[str, str], postal_part: dict[str, str], loose: dict[str, str], item: Item, raw: RawMessage) -> None:
    """Posts, class and posting time: what a cancellation must also say."""
    for field in ("origin_post", "destination_post"):
        if field not in postal_part:
            item.note("FLD-MISSING", f"/postal/{field}")
    posted = consignment.get("posted_at")
    if posted is None:
        item.note("FLD-MISSING", "/posted_at")
        return
    if not values.instant(posted):
        local = values.local_instant(posted, item.dialect)
        if local is None:
            item.note("FLD-FORM", "/posted_at", posted)
            return
        item.note("TIME-ZONE-ASSUMED", "/posted_at", posted)
        consignment["posted_at"] = local
    _posting_time(consignment["posted_at"], item, raw)


def _posting_time(posted: str, item: Item, raw: RawMessage) -> None:
    try:
        age = raw.received_at - datetime.fromisoformat(posted)
    except ValueError:
        return
    if not -_DAY <= age <= _SIXTY_DAYS:
        item.note("DQ-04", "/posted_at", posted)


_DAY: Final = timedelta(days=1)
_SIXTY_DAYS: Final = timedelta(days=60)


def _declaration(
    content: dict[str, Any], consignor: dict[str, str], consignee: dict[str, str], loose: dict[str, str], record: xml.Record, item: Item
) -> None:
    """The customs declaration of the item: everything a cancellation may leave out."""
    dialect = item.dialect
    extra: dict[str, str] = {}
    if "mail_class" not in content["postal"]:
        item.note("FLD-WANTED", "/postal/mail_class")
    _party("Sender", "consignor", consignor, loose, item, extra)
    _party("Recipient", "consignee", consignee, loose, item, extra)
    content["consignor"] = consignor
    content["consignee"] = consignee
    if consignor.get("country") in checks.COUNTRIES:
        content["country_of_dispatch"] = consignor["country"]
    if consignee.get("country") in checks.COUNTRIES:
        content["country_of_destination"] = consignee["country"]
    checks.contactable(consignee, item)
    nature = _nature(content, item)
    goods = record.lists[_GOODS]
    content["package_count"] = 1
    _goods(content, goods, nature is None or nature.is_commercial, item, extra)
    _mass(content, goods, item)
    if "departure_on" in content and not values.day(content["departure_on"]):
        item.note("FLD-FORM", "/departure_on", content["departure_on"])
    postage = checks.spare_money(loose.get("~Postage"), loose.get("~PostageCurrencyCd"), "/postal/postage", item)
    if postage is not None:
        content["postal"]["postage"] = postage
    elif "~Postage" not in loose:
        item.note("DQ-20", "/postal/postage")
    insured = checks.spare_money(loose.get("~InsuredValue"), loose.get("~InsuredValueCurrencyCd"), "/insured_value", item)
    if insured is not None:
        content["insured_value"] = insured
    if record.lists[_DOCUMENTS]:
        content["documents"] = record.lists[_DOCUMENTS]
    if record.marked:
        _marked(content, record.marked, extra, item, dialect)
    if "~DutyPaidRef" in loose:
        extra["DutyPaidRef"] = loose["~DutyPaidRef"]
    if extra:
        content["extra"] = extra


def _misfits(record: xml.Record, item: Item) -> None:
    """What the walk could not place: a field twice (which one is true?), a field nobody knows."""
    for part, number, name in record.repeated:
        if part == _GOODS:
            item.note("FLD-REPEATED", f"/goods_items/{number - 1}/{name}", at=None)
        elif part == _DOCUMENTS:
            item.note("FLD-REPEATED", f"/documents/{number - 1}/{name}")
        elif part == _LOOSE:
            item.note("FLD-REPEATED", at=f"{item.position}/…/{name[1:]}")
        else:
            prefix = _PARTS[part]
            item.note("FLD-REPEATED", f"/{prefix}/{name}" if prefix else f"/{name}")
    for name in record.unknown[:20]:
        item.note("FLD-IGNORED", at=f"{item.position}/…/{name}")


def _local_ids(postal_part: dict[str, Any], loose: dict[str, str]) -> None:
    ids = [loose[name] for name in ("~LocalId", "~LocalId2") if name in loose]
    if ids:
        postal_part["local_ids"] = ids


# --- parties -----------------------------------------------------------------------------------------------------------------------------


def _party(side: str, field: str, party: dict[str, str], loose: dict[str, str], item: Item, extra: dict[str, str]) -> None:
    """Bring one party into shape: name in one or two fields, address structured or as a block, country as its code."""
    if loose:
        _loose_party(side, field, party, loose, item, extra)
    checks.name(party, f"/{field}/name", item)
    checks.country(party, "country", f"/{field}/country", item, mandatory=True)
    street = party.get("street_line")
    if street is None:
        item.note("DQ-06" if side == "Sender" else "DQ-07", f"/{field}/street_line")
    elif "\n" in street:
        party["street_line"] = checks.one_block(street)
    elif "city" not in party and f"~{side}Address" not in loose:
        item.note("DQ-06" if side == "Sender" else "DQ-07", f"/{field}/city")
    if "postcode" not in party and "city" in party and party.get("country") not in checks.NO_POSTCODE:
        item.note("DQ-08", f"/{field}/postcode")
    if "identifier" in party:
        party["identifier_scheme"] = "other"


def _loose_party(side: str, field: str, party: dict[str, str], loose: dict[str, str], item: Item, extra: dict[str, str]) -> None:
    """The older shape: first and last name, address as one block, fax."""
    if "name" not in party:
        names = [loose[key] for key in (f"~{side}FirstName", f"~{side}LastName") if key in loose]
        if names:
            party["name"] = " ".join(names)
            item.paths[f"/{field}/name"] = f"{item.position}/{_IN_DATA}{side}FirstName"
    block = loose.get(f"~{side}Address")
    if block is not None and "street_line" not in party:
        party["street_line"] = checks.one_block(block)
        item.paths[f"/{field}/street_line"] = f"{item.position}/{_IN_DATA}{side}Address"
    if f"~{side}Fax" in loose:
        extra[f"{side}Fax"] = loose[f"~{side}Fax"]


# --- goods -------------------------------------------------------------------------------------------------------------------------------


def _nature(content: dict[str, Any], item: Item) -> postal.Nature | None:
    """Read the nature of transaction; an unknown one is left out with a warning."""
    said = content.get("nature_of_transaction")
    if said is None:
        item.note("FLD-WANTED", "/nature_of_transaction")
        return None
    mapped = item.dialect.code_maps.get("nature", {}).get(said, said)
    nature = postal.NATURES.get(mapped) or postal.nature(mapped)
    if nature is None:
        item.note("FLD-CODE-DROPPED", "/nature_of_transaction", said)
        del content["nature_of_transaction"]
        return None
    content["nature_of_transaction"] = nature.term
    content["is_return"] = nature.code == "21"
    return nature


def _goods(content: dict[str, Any], goods: list[dict[str, Any]], commercial: bool, item: Item, extra: dict[str, str]) -> None:
    """Bring the goods lines into shape and add up the declared value, where all lines share a currency."""
    content["goods_items"] = goods
    if not goods:
        item.note("FLD-MISSING", "/goods_items")
        return
    amounts: list[str] = []
    used: set[str] = set()
    for index, piece in enumerate(goods):
        _piece(f"/goods_items/{index}", piece, commercial, item)
        amount = piece.get("item_amount")
        if amount is not None:
            amounts.append(amount["amount"])
            used.add(amount["currency"])
        if len(piece) > _PIECE_FIELDS:
            _set_aside(index, piece, extra)
    if len(used) > 1:
        item.note("DQ-15", "/goods_items", " ".join(sorted(used)))
    elif len(amounts) == len(goods):
        content["declared_value"] = {"amount": values.total(amounts), "currency": used.pop()}


_PIECE_FIELDS: Final = 7
"""Fields of a piece that became part of the dataset; any more were set aside by the walk."""


def _piece(path: str, piece: dict[str, Any], commercial: bool, item: Item) -> None:
    if "sequence_number" not in piece:
        item.note("FLD-MISSING", path + "/sequence_number")
    checks.description(piece, path + "/goods_description", item)
    checks.number(piece, "quantity", values.quantity, path + "/quantity", item, mandatory=True, positive="DQ-12")
    checks.number(piece, "net_mass_kg", values.mass, path + "/net_mass_kg", item)
    amount = checks.money(piece.pop("amount", None), piece.pop("currency", None), path + "/item_amount", item)
    if amount is not None:
        piece["item_amount"] = amount
        if amount["amount"] == "0.00" or amount["amount"][0] == "-":
            item.note("DQ-14", path + "/item_amount/amount", amount["amount"])
    checks.hs_code(piece, path + "/hs_code", item, wanted=commercial)
    checks.origin(piece, path + "/country_of_origin", item)


def _set_aside(index: int, piece: dict[str, Any], extra: dict[str, str]) -> None:
    """Keep what posts and customs revised or restricted beside the declared values, never over them."""
    for name in [key for key in piece if key[0] == "~"]:
        extra[f"ContentPiece[{index + 1}]/{name[1:]}"] = piece.pop(name)


def _mass(content: dict[str, Any], goods: list[dict[str, Any]], item: Item) -> None:
    """DQ-11, DQ-12: gross mass more than zero, at most 50 kg, and no less than its lines together."""
    checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", item, mandatory=True, positive="DQ-12")
    gross = content.get("gross_mass_kg")
    if gross is None:
        return
    try:
        net = sum([float(piece["net_mass_kg"]) for piece in goods if "net_mass_kg" in piece])
        doubtful = float(gross) > 50 or net > float(gross) + 0.0005
    except ValueError:
        return  # already found to be no number
    if doubtful:
        item.note("DQ-11", "/gross_mass_kg", gross)


# --- tax numbers, orders, extra fields ---------------------------------------------------------------------------------------------------

_TAX_SCHEMES: Final = frozenset({"ioss", "vat", "gst", "eori", "ein", "other", "voec", "ovr", "gst_au", "gst_nz"})
_CLAIMS: Final = frozenset({"ioss", "voec", "ovr", "gst_au", "gst_nz"})
_ROLES: Final = {"SENDER": "consignor", "ADDRESSEE": "consignee", "PLATFORM": "platform"}


def _marked(content: dict[str, Any], marked: list[xml.Marked], extra: dict[str, str], item: Item, dialect: Dialect) -> None:
    tax_ids: list[dict[str, str]] = []
    order = None
    platform = dialect.platform
    for key, text, attributes in marked:
        if not text:
            continue
        if key == "TaxId":
            tax_ids.append(_tax_id(text, attributes, len(tax_ids), item))
            continue
        name = attributes.get("name", "")
        if name == "OrderNumber":
            order = text
        elif name == "OrderPlatform":
            platform = text
        elif name:
            extra[name] = text
        else:
            item.note("FLD-IGNORED", at=f"{item.position}/{_IN_DATA}ExtraField", value=text)
    if tax_ids:
        content["tax_ids"] = tax_ids
        claimed = [tax_id["scheme"] for tax_id in tax_ids if tax_id["scheme"] in _CLAIMS]
        if claimed:
            content["tax_scheme"] = claimed[0]
    if order is not None and platform is not None:
        content["orders"] = [{"platform_id": platform, "order_id": order}]
        content["platform_id"] = platform
    elif order is not None:
        extra["OrderNumber"] = order


def _tax_id(text: str, attributes: Mapping[str, str], index: int, item: Item) -> dict[str, str]:
    scheme = attributes.get("scheme", "OTHER").lower()
    if scheme not in _TAX_SCHEMES:
        item.note(
            "FLD-CODE-MAPPED", f"/tax_ids/{index}", scheme, message=f"Scheme {scheme[:20]!r} is unknown; the number is kept as other."
        )
        scheme = "other"
    tax_id = {"scheme": scheme, "number": checks.tax_number(scheme, text, f"/tax_ids/{index}/number", item)}
    role = _ROLES.get(attributes.get("role", "").upper())
    if role is not None:
        tax_id["role"] = role
    return tax_id
