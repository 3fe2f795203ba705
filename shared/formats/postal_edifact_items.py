"""One postal item in EDIFACT: the segments that ITMATT and CUSITM share, read and written (profile ``HUB10``, directory D.00A).

Code lists are named in 1131 (``GIS+U:CLS``), tax numbers by scheme and role in 4000 (``RFF+AHP:IM…::IOSS/PLATFORM``), extra fields by
``FTX+ACB++name:XTR+value``. A document's name follows its ``DOC``. First and last names have no place. The declaration id is written
without hyphens; 32 hexadecimal digits are read as the GUID they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from shared.codes import postal
from shared.formats import edifact_parties
from shared.formats.base import Envelope, Written
from shared.formats.edifact import Composer, Segment, value, whole
from shared.formats.losses import losses
from shared.formats.postal_declarations import CARRIED, is_bare
from shared.formats.postal_edifact import (
    Profile,
    Take,
    Unit,
    begin,
    both,
    charset,
    coded,
    day,
    finish,
    instant,
    money,
    number,
    text,
    utc,
)
from shared.formats.postal_items import ROLES, Declared
from shared.formats.values import plain_number
from shared.formats.xml import Marked
from shared.model import Consignment, Dialect, Filing, Finding, GoodsItem, Money, Party, TaxId

FUNCTIONS: Final = {"ORI": "ORIGINAL", "REP": "REPLACE", "CAN": "CANCEL"}
_PARTIES: Final = {"CZ": ("consignor", "Sender"), "CN": ("consignee", "Recipient")}
_GUID = re.compile(r"([0-9a-fA-F]{8})([0-9a-fA-F]{4})([0-9a-fA-F]{4})([0-9a-fA-F]{4})([0-9a-fA-F]{12})")


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def _party(unit: Unit, segment: Segment, place: int) -> None:
    part, _ = _PARTIES[value(segment, 1)]
    record: dict[str, str] = {}
    edifact_parties.read(record, segment)
    if part in unit.parts:
        unit.item.note("FLD-REPEATED", f"/{part}")
    unit.parts[part] = record
    unit.item.places[f"/{part}"] = place
    unit.open = part


def _contact(unit: Unit, segment: Segment, place: int) -> None:
    channel = value(segment, 1, 1)
    if unit.open not in ("consignor", "consignee"):
        unit.item.note("FLD-IGNORED", at=f"{unit.item.position}/COM (segment {place})")
    elif channel == "FX":
        unit.put("~", f"~{'Sender' if unit.open == 'consignor' else 'Recipient'}Fax", value(segment, 1), place)
    else:
        unit.put(unit.open, "email" if channel == "EM" else "phone", value(segment, 1), place)


def _local_id(unit: Unit, segment: Segment, place: int) -> None:
    unit.put("~", "~LocalId2" if "~LocalId" in unit.parts.get("~", {}) else "~LocalId", value(segment, 1, 1), place)


def _declaration_id(unit: Unit, segment: Segment, place: int) -> None:
    said = value(segment, 1, 1)
    guid = _GUID.fullmatch(said)
    unit.put("~", "~PId", "-".join(guid.groups()) if guid else said, place)


def _tax_id(unit: Unit, segment: Segment, place: int) -> None:
    scheme, _, role = value(segment, 1, 3).partition("/")
    attributes = {"scheme": scheme or "OTHER", **({"role": role} if role else {})}
    unit.item.places[f"/tax_ids/{sum(1 for each in unit.marked if each[0] == 'TaxId')}"] = place
    unit.marked.append(Marked("TaxId", value(segment, 1, 1), attributes))


def _extra(unit: Unit, segment: Segment, place: int) -> None:
    unit.item.places["/extra"] = place
    unit.marked.append(Marked("ExtraField", whole(segment, 4, 70), {"name": value(segment, 3)}))


def _document(unit: Unit, segment: Segment, place: int) -> None:
    unit.begin("documents", place)
    unit.put("documents", "document_type", value(segment, 1), place)
    unit.put("documents", "document_id", value(segment, 2), place)


def _document_name(unit: Unit, segment: Segment, place: int) -> None:
    if "documents" in unit.parts:
        unit.put("documents", "name", whole(segment, 4, 70), place)
    else:
        unit.item.note("FLD-IGNORED", at=f"{unit.item.position}/FTX+AAI (segment {place})")


def _piece(unit: Unit, segment: Segment, place: int) -> None:
    unit.begin("goods_items", place)
    unit.put("goods_items", "sequence_number", value(segment, 1), place)
    unit.put("goods_items", "hs_code", value(segment, 2), place)


def _description(unit: Unit, segment: Segment, place: int) -> None:
    unit.put("goods_items", "goods_description", whole(segment, 4, 70), place)


TABLE: Final[Mapping[str, Take]] = {
    "CNI": both(text("", "house_transport_document_id", 2), text("~", "~Version", 2, 4)),
    "GIS+FUN": coded("~", "~Function", FUNCTIONS),
    "GIS+CLS": text("postal", "mail_class"),
    "GIS+CAT": text("postal", "mail_category"),
    "GIS+SUB": text("postal", "mail_subclass"),
    "GIS+NAT": text("", "nature_of_transaction"),
    "GIS+HDL": text("postal", "handling"),
    "GIS+TYP": text("~", "~TypeCd"),
    "RFF+CU": _local_id,
    "RFF+ABO": _declaration_id,
    "RFF+AHP": _tax_id,
    "RFF+AHR": text("~", "~DutyPaidRef", 1, 1),
    "DTM+148": instant("", "posted_at"),
    "DTM+136": day("", "departure_on"),
    "LOC+35": text("~", "~CountryOfDispatch", 2),
    "LOC+28": text("~", "~CountryOfDestination", 2),
    "LOC+5": text("postal", "origin_post", 2),
    "LOC+8": text("postal", "destination_post", 2),
    "TDT+20": text("", "mode_of_transport", 3),
    "MEA+G": number("", "gross_mass_kg", 3),
    "MOA+43": money("~", "~Declared", "~DeclaredCurrencyCd"),
    "MOA+64": money("~", "~Postage", "~PostageCurrencyCd"),
    "MOA+67": money("~", "~InsuredValue", "~InsuredValueCurrencyCd"),
    "NAD+CZ": _party,
    "NAD+CN": _party,
    "COM": _contact,
    "DOC": _document,
    "FTX+AAI": _document_name,
    "FTX+ACB": _extra,
    "CST": _piece,
    "FTX+AAA": _description,
    "QTY+1": number("goods_items", "quantity"),
    "MEA+AAL": number("goods_items", "net_mass_kg", 3),
    "MOA+40": money("goods_items", "amount", "currency"),
    "LOC+27": text("goods_items", "country_of_origin", 2),
}
"""The segments of an item."""


def paths() -> dict[str, str]:
    """Return the provenance table of an item."""
    piece = "CST[*]/"
    table = {
        "/house_transport_document_id": "CNI/1004",
        "/function": "GIS+FUN/7365",
        "/version": "CNI/1056",
        "/postal/mail_class": "GIS+CLS/7365",
        "/postal/mail_category": "GIS+CAT/7365",
        "/postal/mail_subclass": "GIS+SUB/7365",
        "/postal/handling": "GIS+HDL/7365",
        "/postal/origin_post": "LOC+5/3225",
        "/postal/destination_post": "LOC+8/3225",
        "/postal/local_ids": "RFF+CU/1154",
        "/postal/declaration_id": "RFF+ABO/1154",
        "/postal/postage/amount": "MOA+64/5004",
        "/postal/postage/currency": "MOA+64/6345",
        "/nature_of_transaction": "GIS+NAT/7365",
        "/is_return": "GIS+NAT/7365",
        "/posted_at": "DTM+148/2380",
        "/departure_on": "DTM+136/2380",
        "/mode_of_transport": "TDT+20/8067",
        "/gross_mass_kg": "MEA+G/6314",
        "/insured_value/amount": "MOA+67/5004",
        "/insured_value/currency": "MOA+67/6345",
        "/declared_value/amount": "CST/MOA+40/5004",
        "/declared_value/currency": "CST/MOA+40/6345",
        "/country_of_dispatch": "NAD+CZ/3207",
        "/country_of_destination": "NAD+CN/3207",
        "/tax_ids": "RFF+AHP",
        "/tax_ids/*": "RFF+AHP[*]",
        "/tax_ids/*/number": "RFF+AHP[*]/1154",
        "/tax_scheme": "RFF+AHP/4000",
        "/orders": "FTX+ACB",
        "/platform_id": "FTX+ACB",
        "/extra": "FTX+ACB",
        "/extra/DutyPaidRef": "RFF+AHR/1154",
        "/documents": "DOC",
        "/documents/*/document_type": "DOC[*]/1001",
        "/documents/*/document_id": "DOC[*]/1004",
        "/documents/*/name": "DOC[*]/FTX+AAI/4440",
        "/goods_items": "CST",
        "/goods_items/*": "CST[*]",
        "/goods_items/*/sequence_number": f"{piece}1496",
        "/goods_items/*/hs_code": f"{piece}7361",
        "/goods_items/*/goods_description": f"{piece}FTX+AAA/4440",
        "/goods_items/*/quantity": f"{piece}QTY+1/6060",
        "/goods_items/*/net_mass_kg": f"{piece}MEA+AAL/6314",
        "/goods_items/*/item_amount/amount": f"{piece}MOA+40/5004",
        "/goods_items/*/item_amount/currency": f"{piece}MOA+40/6345",
        "/goods_items/*/country_of_origin": f"{piece}LOC+27/3225",
    }
    fields = {"name": "3036", "street_line": "3042", "street_line_2": "3042", "city": "3164", "country_subdivision": "3229"}
    fields |= {"postcode": "3251", "country": "3207", "identifier": "3039", "identifier_scheme": "3039"}
    for qualifier, (party, side) in _PARTIES.items():
        table |= {f"/{party}/{field}": f"NAD+{qualifier}/{element}" for field, element in fields.items()}
        table |= {f"/{party}/phone": f"NAD+{qualifier}/COM+TE/3148", f"/{party}/email": f"NAD+{qualifier}/COM+EM/3148"}
        table |= {f"/extra/{side}Fax": f"NAD+{qualifier}/COM+FX/3148"}
    return table


def declared(unit: Unit) -> Declared:
    """Return what a unit says, for :func:`shared.formats.postal_items.filing`; the control total MOA+43 is compared with the lines."""
    parts, goods = unit.parts, unit.lists.get("goods_items", [])
    loose = parts.get("~", {})
    said = loose.pop("~Declared", None)
    currency = loose.pop("~DeclaredCurrencyCd", None)
    if said is not None and {piece.get("currency") for piece in goods} == {currency}:
        _compare(said, [piece.get("amount", "") for piece in goods], unit)
    return Declared(
        parts[""],
        parts.get("consignor", {}),
        parts.get("consignee", {}),
        parts.get("postal", {}),
        loose,
        goods,
        unit.lists.get("documents", []),
        [each for each in unit.marked if isinstance(each, Marked)],
    )


def _compare(said: str, amounts: Sequence[str], unit: Unit) -> None:
    try:
        total = sum(map(Decimal, amounts), Decimal(0))
        agrees = Decimal(said) == total
    except InvalidOperation:
        return
    if not agrees:
        at = f"{unit.item.position}/MOA+43/5004 (segment {unit.item.places['/~/~Declared']})"
        unit.item.note("EDI-TOTAL", at=at, value=said, message=f"The lines add up to {total}.")


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_FUNCTION_CODES: Final = {"original": "ORI", "replace": "REP", "cancel": "CAN"}
_NATURES: Final = {nature.term: nature.code for nature in postal.NATURES.values()}
_ROLE_CODES: Final = {role: name for name, role in ROLES.items()}
_SCHEMES: Final = frozenset({"ioss", "vat", "gst", "eori", "ein"})
_FAX: Final = {"consignor": "SenderFax", "consignee": "RecipientFax"}
_GIS: Final = (
    ("CLS", "mail_class"),
    ("CAT", "mail_category"),
    ("SUB", "mail_subclass"),
)
Between = Callable[[Composer, Consignment], None]


def write(
    profile: Profile,
    filings: Sequence[Filing],
    envelope: Envelope,
    dialect: Dialect,
    between: Between = lambda composer, consignment: None,
    leave: frozenset[str] = frozenset(),
    carried: frozenset[str] = CARRIED,
) -> Written:
    """Write *filings* of postal items as one message. *between* writes what a message has of its own after the posts; *leave* names the
    entries of ``extra`` it writes."""
    composer = Composer(charset(dialect), dialect)
    begin(composer, profile, envelope, ("936", "9"))
    findings: list[Finding] = []
    count = 0
    for filing in filings:
        composer.key, composer.path = filing.key, ""
        missing = _missing(filing)
        if missing:
            composer.path = missing
            composer.note("WRITE-MISSING", filing.key)
            continue
        assert filing.consignment is not None
        count += 1
        _write_item(composer, count, filing, filing.consignment, between, leave)
        findings += losses(filing, carried, dialect)
    body = finish(composer, profile, envelope, count)
    return Written(body if count else b"", (*composer.findings, *findings))


def _missing(filing: Filing) -> str | None:
    """Return the path of the first value that the profile needs and the filing has not, or None."""
    consignment = filing.consignment
    if consignment is None or not filing.key.startswith("post:"):
        return "/house_transport_document_id"
    mail = consignment.postal
    needed: list[tuple[str, object]] = [
        ("/posted_at", consignment.posted_at),
        ("/postal/origin_post", mail and mail.origin_post),
        ("/postal/destination_post", mail and mail.destination_post),
    ]
    if not (filing.function == "cancel" and is_bare(consignment)):
        needed += [("/gross_mass_kg", consignment.gross_mass_kg), ("/goods_items", consignment.goods_items)]
        for field in ("consignor", "consignee"):
            party = getattr(consignment, field)
            needed += [(f"/{field}/name", party and party.name), (f"/{field}/country", party and party.country)]
        for index, piece in enumerate(consignment.goods_items):
            needed += [(f"/goods_items/{index}/{name}", getattr(piece, name)) for name in ("goods_description", "quantity", "item_amount")]
    return next((path for path, given in needed if not given and given != 0), None)


def _write_item(composer: Composer, count: int, filing: Filing, consignment: Consignment, between: Between, leave: frozenset[str]) -> None:
    mail = consignment.postal
    assert mail is not None
    assert consignment.posted_at is not None
    extra = {name: said for name, said in (consignment.extra or {}).items() if name not in leave}
    composer.segment("CNI", str(count), [consignment.house_transport_document_id, None, None, None, str(filing.version or 1)])
    composer.segment("GIS", [_FUNCTION_CODES[filing.function], "FUN"])
    whole_item = not (filing.function == "cancel" and is_bare(consignment))
    if whole_item:
        for list_, field in _GIS:
            _gis(composer, getattr(mail, field), list_)
        _gis(composer, _NATURES.get(consignment.nature_of_transaction or ""), "NAT")
        _gis(composer, mail.handling, "HDL")
        _write_references(composer, consignment, extra)
    composer.segment("DTM", ["148", utc(consignment.posted_at), "204"])
    if whole_item:
        for qualifier, country in (("35", consignment.country_of_dispatch), ("28", consignment.country_of_destination)):
            if country:
                composer.segment("LOC", qualifier, country)
    composer.segment("LOC", "5", [mail.origin_post, "ORG"])
    composer.segment("LOC", "8", [mail.destination_post, "ORG"])
    between(composer, consignment)
    if whole_item:
        _write_declaration(composer, consignment, extra)


def _gis(composer: Composer, said: str | None, list_: str) -> None:
    if said:
        composer.segment("GIS", [said, list_])


def _write_references(composer: Composer, consignment: Consignment, extra: dict[str, str]) -> None:
    mail = consignment.postal
    assert mail is not None
    for local in (mail.local_ids or ())[:2]:
        composer.segment("RFF", ["CU", local])
    if mail.declaration_id:
        composer.segment("RFF", ["ABO", mail.declaration_id.replace("-", "") if _is_guid(mail.declaration_id) else mail.declaration_id])
    for tax_id in consignment.tax_ids or ():
        composer.segment("RFF", ["AHP", tax_id.number, None, _scheme(composer, tax_id)])
    if "DutyPaidRef" in extra:
        composer.segment("RFF", ["AHR", extra.pop("DutyPaidRef")])


def _is_guid(said: str) -> bool:
    return _GUID.fullmatch(said.replace("-", "")) is not None and [len(part) for part in said.split("-")] == [8, 4, 4, 4, 12]


def _scheme(composer: Composer, tax_id: TaxId) -> str:
    scheme = tax_id.scheme.upper() if tax_id.scheme in _SCHEMES else "OTHER"
    role = _ROLE_CODES.get(tax_id.role or "")
    composer.path = "/tax_ids"
    if scheme == "OTHER" and tax_id.scheme != "other":
        composer.note("WRITE-LOST", tax_id.scheme)
    if tax_id.role and role is None:
        composer.note("WRITE-LOST", tax_id.role)
    return f"{scheme}/{role}" if role else scheme


def _write_declaration(composer: Composer, consignment: Consignment, extra: dict[str, str]) -> None:
    mail = consignment.postal
    if consignment.mode_of_transport:
        composer.segment("TDT", "20", None, consignment.mode_of_transport)
    if consignment.departure_on:
        composer.segment("DTM", ["136", consignment.departure_on.strftime("%Y%m%d"), "102"])
    if consignment.gross_mass_kg is not None:
        composer.segment("MEA", "WT", "G", ["KGM", plain_number(consignment.gross_mass_kg, 3)])
    _moa(composer, "43", consignment.declared_value)
    _moa(composer, "64", mail.postage if mail else None)
    _moa(composer, "67", consignment.insured_value)
    for qualifier, (field, _) in _PARTIES.items():
        _write_party(composer, qualifier, field, getattr(consignment, field), extra)
    for document in consignment.documents or ():
        composer.path = "/documents"
        composer.segment("DOC", document.document_type, document.document_id)
        if document.name:
            composer.segment("FTX", "AAI", None, None, composer.cut(document.name, 70, 5))
    _write_extra(composer, consignment, extra)
    for index, piece in enumerate(consignment.goods_items):
        composer.path = f"/goods_items/{index}"
        _write_piece(composer, piece)


def _moa(composer: Composer, qualifier: str, amount: Money | None) -> None:
    if amount is not None:
        composer.segment("MOA", [qualifier, plain_number(amount.amount, 2), amount.currency])


def _write_party(composer: Composer, qualifier: str, field: str, party: Party, extra: dict[str, str]) -> None:
    composer.path = f"/{field}"
    edifact_parties.write_nad(composer, qualifier, party)
    for channel, said in (("TE", party.phone), ("EM", party.email), ("FX", extra.pop(_FAX[field], None))):
        if said:
            composer.segment("COM", [said, channel])


def _write_extra(composer: Composer, consignment: Consignment, extra: Mapping[str, str]) -> None:
    fields = list(extra.items())
    if consignment.orders:
        fields += [("OrderNumber", consignment.orders[0].order_id), ("OrderPlatform", consignment.orders[0].platform_id)]
    for name, said in fields:
        composer.path = f"/extra/{name}"
        composer.segment("FTX", "ACB", None, [name, "XTR"], composer.cut(said, 70, 5))


def _write_piece(composer: Composer, piece: GoodsItem) -> None:
    base = composer.path
    composer.segment("CST", str(piece.sequence_number), [piece.hs_code, "HSC"] if piece.hs_code else None)
    composer.path = f"{base}/goods_description"
    composer.segment("FTX", "AAA", None, None, composer.cut(piece.goods_description or "", 70, 5))
    composer.path = base
    if piece.quantity is not None:
        composer.segment("QTY", ["1", plain_number(piece.quantity), "PCE"])
    if piece.net_mass_kg is not None:
        composer.segment("MEA", "WT", "AAL", ["KGM", plain_number(piece.net_mass_kg, 3)])
    _moa(composer, "40", piece.item_amount)
    if piece.country_of_origin:
        composer.segment("LOC", "27", piece.country_of_origin)
