"""``MailObject`` and ``Declaration`` of one postal item in XML: the tables that ITMATT, CUSITM and the view of the customs declaration
system share, read and written.

Leaf names are those of the public classes of the UPU customs declaration system. A value under ``~`` is worked on before it becomes part
of the dataset (see :mod:`shared.formats.postal_items`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from shared.codes import postal
from shared.formats import xml
from shared.formats.losses import losses
from shared.formats.postal_files import Sheet, qualified
from shared.formats.postal_items import ROLES, Declared
from shared.formats.values import plain_number
from shared.formats.xml_writing import attribute, text
from shared.model import Consignment, Document, Filing, Finding, GoodsItem, Money, Party

MAIL_OBJECT: Final = {
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
DATA: Final = {
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
PARTIES: Final = {"Sender": "consignor", "Recipient": "consignee"}
PARTY: Final = {
    "Name": ("name", 70),
    "AddressLine1": ("street_line", 70),
    "AddressLine2": ("street_line_2", 70),
    "City": ("city", 35),
    "State": ("country_subdivision", 35),
    "ZIP": ("postcode", 17),
    "CountryCd": ("country", 2),
    "Telephone": ("phone", 35),
    "Email": ("email", 80),
    "IdRef": ("identifier", 35),
}
"""Leaf → field and characters."""
PARTY_LOOSE: Final = ("FirstName", "LastName", "Address", "Fax")
PIECE: Final = {
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
DOCUMENT: Final = {"DocumentType": "document_type", "DocumentId": "document_id", "DocumentName": "name"}

PARTS: Final = ("", "/consignor", "/consignee", "/postal", "~", "/goods_items/*", "/documents/*")
"""The records a walk fills, by the dataset path before each."""
_CONSIGNMENT, _CONSIGNOR, _CONSIGNEE, _POSTAL, LOOSE, _GOODS, _DOCUMENTS = range(7)

_IN_DATA: Final = "Declaration/Data/"
_IN_PIECE: Final = "Declaration/Data/ContentPieces/ContentPiece[*]/"
_IN_DOCUMENT: Final = "Declaration/Data/Documents/Document[*]/"


def paths() -> dict[str, str]:
    """Return the provenance table, made of the same tables as the reader."""
    table = {_dataset_path(path): f"MailObject/{tag}" for tag, path in MAIL_OBJECT.items()}
    table |= {_dataset_path(path): _IN_DATA + tag for tag, path in DATA.items()}
    for side, party in PARTIES.items():
        table |= {f"/{party}/{field}": f"{_IN_DATA}{side}{tag}" for tag, (field, _) in PARTY.items()}
        table |= {f"/~{side}{tag}": f"{_IN_DATA}{side}{tag}" for tag in PARTY_LOOSE}
        table[f"/{party}/identifier_scheme"] = f"{_IN_DATA}{side}IdRef"
    table |= {f"/goods_items/*/{field}": _IN_PIECE + tag for tag, field in PIECE.items()}
    table |= {f"/documents/*/{field}": _IN_DOCUMENT + tag for tag, field in DOCUMENT.items()}
    for field, tag in (("postal/postage", "Postage"), ("insured_value", "InsuredValue")):
        table |= {f"/{field}/amount": _IN_DATA + tag, f"/{field}/currency": f"{_IN_DATA}{tag}CurrencyCd"}
    return table | {
        "/postal/postage": f"{_IN_DATA}Postage",
        "/insured_value": f"{_IN_DATA}InsuredValue",
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


def _dataset_path(path: str) -> str:
    return f"/{path}"


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def item_shape(
    namespaces: Iterable[str], declaration: Mapping[str, str] | None = None, beside: Mapping[str, Mapping[str, str]] | None = None
) -> xml.Shape:
    """Return the walker's table of one item.

    *declaration* are more leaves of ``Declaration`` and *beside* more elements with their leaves; all their values are loose.
    """
    spaces = tuple(namespaces)
    data: dict[str, tuple[int, str]] = _leaves(DATA, _CONSIGNMENT)
    for part, side in ((_CONSIGNOR, "Sender"), (_CONSIGNEE, "Recipient")):
        data |= {side + name: (part, field) for name, (field, _) in PARTY.items()}
        data |= {side + name: (LOOSE, f"~{side}{name}") for name in PARTY_LOOSE}
    pieces = _inside(spaces, "ContentPiece", xml.Shape(qualified(spaces, _leaves(PIECE, _GOODS)), {}, {}, _GOODS))
    documents = _inside(spaces, "Document", xml.Shape(qualified(spaces, _leaves(DOCUMENT, _DOCUMENTS)), {}, {}, _DOCUMENTS))
    marked = qualified(spaces, {"TaxId": "TaxId", "ExtraField": "ExtraField"})
    data_shape = xml.Shape(qualified(spaces, data), marked, qualified(spaces, {"ContentPieces": pieces, "Documents": documents}))
    of_declaration = qualified(spaces, _leaves({"PId": "~PId", **(declaration or {})}, LOOSE))
    inner = {
        "MailObject": xml.Shape(qualified(spaces, _leaves(MAIL_OBJECT, _CONSIGNMENT)), {}, {}),
        "Declaration": xml.Shape(of_declaration, {}, qualified(spaces, {"Data": data_shape})),
    }
    for name, table in (beside or {}).items():
        inner[name] = xml.Shape(qualified(spaces, _leaves(table, LOOSE)), {}, {})
    return xml.Shape({}, {}, qualified(spaces, inner))


def _inside(spaces: Iterable[str], name: str, shape: xml.Shape) -> xml.Shape:
    return xml.Shape({}, {}, qualified(spaces, {name: shape}))


def _leaves(table: Mapping[str, str], part: int) -> dict[str, tuple[int, str]]:
    return {name: _leaf(path, part) for name, path in table.items()}


def _leaf(path: str, part: int) -> tuple[int, str]:
    if path[0] == "~":
        return (part if part in (_GOODS, _DOCUMENTS) else LOOSE, path)
    return (_POSTAL, path.removeprefix("postal/")) if path.startswith("postal/") else (part, path)


def declared(record: xml.Record) -> Declared:
    """Return what one walk found, for :func:`shared.formats.postal_items.filing`."""
    parts = record.parts
    return Declared(parts[0], parts[1], parts[2], parts[3], parts[4], record.lists[_GOODS], record.lists[_DOCUMENTS], record.marked)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_NATURE_CODES: Final = {nature.term: nature.code for nature in postal.NATURES.values()}
_ROLE_CODES: Final = {role: code for code, role in ROLES.items()}
_SCHEMES: Final = frozenset({"ioss", "vat", "gst", "eori", "ein"})
_LIMIT_OF_PIECES: Final = 99
_INSIDE: Final = ("RevisedHS", "RevisedDescription", "ImportRestrictions", "ImportRestrictionsNotes")

CARRIED: Final = frozenset(
    {"/house_transport_document_id", "/posted_at", "/gross_mass_kg", "/nature_of_transaction", "/is_return", "/mode_of_transport"}
    | {"/departure_on", "/country_of_dispatch", "/country_of_destination", "/package_count", "/tax_scheme", "/platform_id"}
    | {"/declared_value/", "/insured_value/", "/postal/", "/tax_ids/", "/orders/*/", "/extra/"}
    | {f"/{party}/{field}" for party in PARTIES.values() for field, _ in PARTY.values()}
    | {f"/{party}/identifier_scheme" for party in PARTIES.values()}
    | {f"/goods_items/*/{field}" for field in PIECE.values() if field[0] != "~"}
    | {"/goods_items/*/item_amount/"}
    | {f"/documents/*/{field}" for field in DOCUMENT.values()}
)
"""Dataset paths that the family has a place for."""


def write_mail_object(consignment: Consignment, sheet: Sheet) -> str:
    """Return ``MailObject``; what is mandatory and missing is an error."""
    mail = consignment.postal
    ids = (mail.local_ids or ()) if mail else ()
    parts = ["<MailObject><Id>", text(consignment.house_transport_document_id), "</Id>"]
    parts += [f"<{name}>{text(value)}</{name}>" for name, value in zip(("LocalId", "LocalId2"), ids, strict=False)]
    if len(ids) > 2:
        sheet.note("WRITE-LOST", "/postal/local_ids", " ".join(ids[2:]))
    for tag, path in MAIL_OBJECT.items():
        if path.startswith("postal/"):
            value = getattr(mail, path.removeprefix("postal/")) if mail else None
            if value is not None:
                parts.append(f"<{tag}>{text(value)}</{tag}>")
            elif tag in ("OrigPostOrgCd", "DestPostOrgCd"):
                sheet.note("WRITE-MISSING", f"/{path}")
    if consignment.posted_at is None:
        sheet.note("WRITE-MISSING", "/posted_at")
    else:
        parts.append(f"<PostingDt>{consignment.posted_at.isoformat()}</PostingDt>")
    return "".join([*parts, "</MailObject>"])


def write_data(consignment: Consignment, sheet: Sheet, leave: Iterable[str] = ()) -> str:
    """Return ``Data`` of the declaration. *leave* names entries of ``extra`` that the caller writes elsewhere."""
    extra = {name: value for name, value in (consignment.extra or {}).items() if name not in leave}
    parts = ["<Data>"]
    _number(parts, "GrossWeight", consignment.gross_mass_kg, 3, sheet, "/gross_mass_kg")
    if consignment.postal and consignment.postal.handling:
        parts.append(f"<HandlingClassCd>{text(consignment.postal.handling)}</HandlingClassCd>")
    if consignment.nature_of_transaction:
        parts.append(f"<NatureTypeCd>{_NATURE_CODES[consignment.nature_of_transaction]}</NatureTypeCd>")
    _money(parts, "Postage", "PostageCurrencyCd", consignment.postal.postage if consignment.postal else None)
    _money(parts, "InsuredValue", "InsuredValueCurrencyCd", consignment.insured_value)
    if consignment.mode_of_transport:
        parts.append(f"<TransportMode>{consignment.mode_of_transport}</TransportMode>")
    if consignment.departure_on:
        parts.append(f"<TransportDate>{consignment.departure_on}</TransportDate>")
    for side, field in PARTIES.items():
        _party(parts, side, getattr(consignment, field), f"/{field}", sheet, extra)
    _tax_ids(parts, consignment, sheet)
    if "DutyPaidRef" in extra:
        parts.append(f"<DutyPaidRef>{text(sheet.fit(extra.pop('DutyPaidRef'), 35, '/extra/DutyPaidRef'))}</DutyPaidRef>")
    _pieces(parts, consignment, sheet, extra)
    if consignment.documents:
        parts += ["<Documents>", *(_document(document) for document in consignment.documents), "</Documents>"]
    _extra(parts, consignment, extra, sheet)
    return "".join([*parts, "</Data>"])


def _number(parts: list[str], tag: str, value: Decimal | None, least: int, sheet: Sheet, path: str, *, mandatory: bool = True) -> None:
    if value is not None:
        parts.append(f"<{tag}>{plain_number(value, least)}</{tag}>")
    elif mandatory:
        sheet.note("WRITE-MISSING", path)


def _money(parts: list[str], tag: str, currency: str, money: Money | None) -> None:
    if money is not None:
        parts.append(f"<{tag}>{plain_number(money.amount, 2)}</{tag}><{currency}>{money.currency}</{currency}>")


def _party(parts: list[str], side: str, party: Party | None, path: str, sheet: Sheet, extra: dict[str, str]) -> None:
    if party is None or party.name is None or party.country is None:
        sheet.note("WRITE-MISSING", f"{path}/{'country' if party and party.name else 'name'}")
        return
    for tag, (field, limit) in PARTY.items():
        value = getattr(party, field)
        if value is not None:
            parts.append(f"<{side}{tag}>{text(sheet.fit(value, limit, f'{path}/{field}'))}</{side}{tag}>")
    if party.identifier and party.identifier_scheme not in (None, "other"):
        sheet.note("WRITE-LOST", f"{path}/identifier_scheme", party.identifier_scheme)
    if f"{side}Fax" in extra:
        parts.append(f"<{side}Fax>{text(sheet.fit(extra.pop(f'{side}Fax'), 35, f'/extra/{side}Fax'))}</{side}Fax>")


def _tax_ids(parts: list[str], consignment: Consignment, sheet: Sheet) -> None:
    for index, tax_id in enumerate(consignment.tax_ids or ()):
        scheme = tax_id.scheme.upper() if tax_id.scheme in _SCHEMES else "OTHER"
        if scheme == "OTHER" and tax_id.scheme != "other":
            sheet.note("WRITE-LOST", f"/tax_ids/{index}/scheme", tax_id.scheme)
        role = _ROLE_CODES.get(tax_id.role or "")
        if tax_id.role and role is None:
            sheet.note("WRITE-LOST", f"/tax_ids/{index}/role", tax_id.role)
        whose = f' role="{role}"' if role else ""
        parts.append(f'<TaxId scheme="{scheme}"{whose}>{text(tax_id.number)}</TaxId>')


def _pieces(parts: list[str], consignment: Consignment, sheet: Sheet, extra: dict[str, str]) -> None:
    pieces = consignment.goods_items
    if not 1 <= len(pieces) <= _LIMIT_OF_PIECES:
        sheet.note(
            "WRITE-MISSING", "/goods_items", len(pieces), f"An item has 1 to {_LIMIT_OF_PIECES} content pieces; this has {len(pieces)}."
        )
    parts.append("<ContentPieces>")
    for index, piece in enumerate(pieces):
        _piece(parts, piece, f"/goods_items/{index}", sheet)
        for name in _INSIDE:
            kept = extra.pop(f"ContentPiece[{index + 1}]/{name}", None)
            if kept is not None:
                parts.append(f"<{name}>{text(kept)}</{name}>")
        parts.append("</ContentPiece>")
    parts.append("</ContentPieces>")


def _piece(parts: list[str], piece: GoodsItem, path: str, sheet: Sheet) -> None:
    parts.append(f"<ContentPiece><Index>{piece.sequence_number}</Index>")
    _number(parts, "Number", piece.quantity, 0, sheet, f"{path}/quantity")
    if piece.goods_description is None:
        sheet.note("WRITE-MISSING", f"{path}/goods_description")
    else:
        parts.append(f"<Description>{text(sheet.fit(piece.goods_description, 255, f'{path}/goods_description'))}</Description>")
    _number(parts, "NetWeight", piece.net_mass_kg, 3, sheet, f"{path}/net_mass_kg", mandatory=False)
    if piece.item_amount is None:
        sheet.note("WRITE-MISSING", f"{path}/item_amount")
    _money(parts, "Amount", "CurrencyCd", piece.item_amount)
    if piece.hs_code:
        parts.append(f"<HS>{sheet.fit(piece.hs_code, 10, f'{path}/hs_code')}</HS>")
    if piece.country_of_origin:
        parts.append(f"<OrigCountryCd>{piece.country_of_origin}</OrigCountryCd>")


def _document(document: Document) -> str:
    leaves = [(tag, getattr(document, field)) for tag, field in DOCUMENT.items()]
    return "".join(["<Document>", *(f"<{tag}>{text(value)}</{tag}>" for tag, value in leaves if value is not None), "</Document>"])


def _extra(parts: list[str], consignment: Consignment, extra: Mapping[str, str], sheet: Sheet) -> None:
    fields = list(extra.items())
    if consignment.orders:
        first = consignment.orders[0]
        fields += [("OrderNumber", first.order_id), ("OrderPlatform", first.platform_id)]
        for index, order in enumerate(consignment.orders[1:], 1):
            sheet.note("WRITE-LOST", f"/orders/{index}", f"{order.platform_id} {order.order_id}")
    for name, value in fields:
        parts.append(f"<ExtraField name={attribute(name)}>{text(sheet.fit(value, 255, f'/extra/{name}'))}</ExtraField>")


def write_items(
    filings: Iterable[Filing],
    sheet_of: Callable[[Filing], Sheet],
    write: Callable[[Filing, Consignment, Sheet], str],
    carried: frozenset[str] = CARRIED,
) -> tuple[list[str], tuple[Finding, ...]]:
    """Return the items that can be written, and the findings of all."""
    items: list[str] = []
    findings: list[Finding] = []
    for filing in filings:
        sheet = sheet_of(filing)
        if filing.consignment is None or not filing.key.startswith("post:"):
            sheet.note("WRITE-MISSING", "/house_transport_document_id", filing.key, "This is no postal item.")
            findings += sheet.findings
            continue
        item = write(filing, filing.consignment, sheet)
        if not any(made.severity == "error" for made in sheet.findings):
            items.append(item)
            findings += losses(filing, carried, sheet.dialect)
        findings += sheet.findings
    return items, tuple(findings)


def item_start(filing: Filing) -> str:
    """Return the beginning of ``Item`` with its attributes."""
    return f'<Item Function="{filing.function.upper()}" Version="{filing.version or 1}">'


def is_bare(consignment: Any) -> bool:
    """Whether nothing but identification was filed, as in a cancellation."""
    return not consignment.goods_items and consignment.consignor is None
