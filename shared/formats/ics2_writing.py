"""ICS2 filings about consignments, written: one message is one filing of many houses under one LRN.

What the filings say of the message as a whole (declarant, representative, carrier, means of transport, master document) must be the same;
who differs from the first is told and left out. The declarant and the like come from ``extra`` as a reader keeps them, else from the
receiver's dialect (code map ``ics2``: ``declarant/name``, ``declarant/address/city``, …). Nothing is cut: what does not fit is an error and
its consignment is not in the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Final, NamedTuple

from shared.codes import postal
from shared.formats.base import Envelope, Written
from shared.formats.ics2 import FISCAL_IOSS, NUMBER_FIRST, PERSONS, street_line
from shared.formats.ics2_tables import (
    ADDRESS,
    FILINGS,
    HEAD_KEPT,
    HOUSE_LEVEL,
    KEPT_PLACES,
    LISTS,
    MASTER_LEVEL,
    MEANS,
    NAMESPACE,
    OTHERS,
    PLACES,
    Filed,
)
from shared.formats.losses import losses
from shared.formats.postal_files import Sheet
from shared.formats.values import plain_number
from shared.formats.xml_writing import group, leaf
from shared.identifiers import lrn
from shared.model import Consignment, Dialect, Filing, GoodsItem, Money, Movement, Party

_PERSON_CODES: Final = {person: code for code, person in PERSONS.items()}
_ISSUED: Final = "%Y-%m-%dT%H:%M:%SZ"
_PARTY_FIELDS: Final = ("name", "identifier", "type_of_person", "street_line", "street_line_2", "city", "postcode", "phone", "email")
WRITTEN: Final = frozenset(
    {"/house_transport_document_id", "/house_transport_document_type", "/master_transport_document_id", "/ucr", "/gross_mass_kg"}
    | {"/package_count", "/declared_value/", "/freight_cost/", "/postal/postage/", "/tax_ids/", "/tax_scheme", "/documents/", "/extra/"}
    | {"/mode_of_transport", "/conveyance_reference", "/departure_on", "/place_of_loading", "/place_of_arrival"}
    | {"/nature_of_transaction", "/country_of_dispatch", "/country_of_destination", "/receptacle_id"}
    | {f"/{side}/{field}" for side in ("consignor", "consignee", "seller") for field in (*_PARTY_FIELDS, "identifier_scheme", "country")}
    | {f"/{side}/country_subdivision" for side in ("consignor", "consignee", "seller")}
    | {
        f"/goods_items/*/{field}"
        for field in (
            *("sequence_number", "goods_description", "hs_code", "country_of_origin", "net_mass_kg", "gross_mass_kg"),
            *("package_count", "item_amount/amount", "item_amount/currency"),
        )
    }
)
"""Dataset paths that the filings have a place for."""


def write(codes: Sequence[str], filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* as one filing of a kind of *codes*; without one that can be written the body is empty."""
    findings = []
    houses: list[str] = []
    first: tuple[str, str] | None = None
    for filing in filings:
        sheet = Sheet(filing.key, dialect)
        written = _one(codes, filing, envelope, sheet)
        if written is not None and not _refused(sheet):
            around, house = written
            if first is None:
                first = around
            if around == first:
                houses.append(house)
                findings += losses(filing, WRITTEN, dialect)
            else:
                sheet.note("WRITE-ONE", "/extra", filing.key, "What the message says as a whole differs: it needs a message of its own.")
        findings += sheet.findings
    body = "".join([first[0], *houses, first[1]]).encode() if first is not None else b""
    return Written(body, tuple(findings))


def _refused(sheet: Sheet) -> bool:
    return any(made.severity == "error" for made in sheet.findings)


def _one(codes: Sequence[str], filing: Filing, envelope: Envelope, sheet: Sheet) -> tuple[tuple[str, str], str] | None:
    """Return what stands around a consignment, and the consignment; None where there is none."""
    consignment = filing.consignment
    if consignment is None:
        sheet.note("WRITE-MISSING", "/house_transport_document_id", filing.key, "This is no consignment.")
        return None
    if filing.function == "cancel":
        sheet.note("WRITE-ONE", "/function", filing.function, "A filing is withdrawn by IE3Q04, not by this message.")
        return None
    extra = {**sheet.dialect.code_maps.get("ics2", {}), **(consignment.extra or {})}
    code = extra.get("SpecificCircumstanceIndicator") or extra.pop("filing", codes[0])
    filed = FILINGS.get(code) if code in codes else None
    if filed is None:
        sheet.note("WRITE-ONE", "/extra/SpecificCircumstanceIndicator", code, f"This format has no filing {code}.")
        return None
    if filed.channel == "post" and not filing.key.startswith("post:"):
        sheet.note("WRITE-MISSING", "/house_transport_document_id", filing.key, f"This is no postal item, which {filed.code} is about.")
    direct = filed.level == "either" and consignment.house_transport_document_id == consignment.master_transport_document_id
    around = _around(filing, filed, consignment, extra, envelope, sheet)
    house = _house(filed, consignment, extra, direct, sheet)
    leftovers(extra, sheet)
    return around, house if direct else group(HOUSE_LEVEL, house)


def _around(
    filing: Filing, filed: Filed, consignment: Consignment, extra: dict[str, str], envelope: Envelope, sheet: Sheet
) -> tuple[str, str]:
    root = f"IE3{'A' if filing.function == 'replace' else 'F'}{filed.code[1:]}"
    country = consignment.country_of_destination or (consignment.consignee.country if consignment.consignee else None)
    if country is not None:
        extra.setdefault("addressedMemberState/country", country)
    code = extra.pop("SpecificCircumstanceIndicator", filed.code)
    head = head_of(filing, consignment, extra, envelope, sheet)
    return opening(root, code, head), f"{head.end}</{root}>\n"


class Head(NamedTuple):
    """What stands around the content of a filing: its reference and time, the groups up to the master level, all that comes after."""

    start: str
    middle: str
    end: str


def opening(root: str, code: str, head: Head) -> str:
    """Return everything before the content of the master level."""
    indicator = leaf("SpecificCircumstanceIndicator", code)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{head.start}{indicator}{head.middle}'


def head_of(filing: Filing, content: Consignment | Movement, extra: dict[str, str], envelope: Envelope, sheet: Sheet) -> Head:
    """Return what stands around *content*; a missing declarant, a wrong LRN, an amendment without MRN are told."""
    reference = _reference(extra, filing.function == "replace", envelope, sheet)
    extra.setdefault("reEntryIndicator", "0")
    groups: dict[str, list[str]] = {}
    for path in HEAD_KEPT:
        name, _, inner = path.partition("/")
        groups.setdefault(name, []).append(leaf(inner or name, extra.pop(path, None)))
    parties = {name: _kept_party(name, extra) for name in OTHERS}
    if not parties["declarant"]:
        sheet.note("WRITE-MISSING", "/extra/declarant/identificationNumber")
    written = ["".join(made) if name in HEAD_KEPT else group(name, *made) for name, made in groups.items()]
    middle = "".join([*written, parties["representative"], means(content, extra), f"<{MASTER_LEVEL}>", parties["carrier"]])
    master = [leaf("documentNumber", content.master_transport_document_id)]
    if content.master_transport_document_id:
        master.append(leaf("type", extra.pop("transportDocumentMasterLevel/type", "N741")))
    after = group("transportDocumentMasterLevel", *master) + parties["buyer"] + _places(extra)
    issued = leaf("documentIssueDate", envelope.prepared_at.astimezone(UTC).strftime(_ISSUED))
    return Head(reference + issued, middle, f"{after}</{MASTER_LEVEL}>{parties['declarant']}")


def _reference(extra: dict[str, str], amends: bool, envelope: Envelope, sheet: Sheet) -> str:
    """Return LRN or MRN. An amendment names the MRN that customs gave."""
    if amends:
        found = extra.pop("MRN", None)
        if found is None:
            sheet.note("WRITE-MISSING", "/extra/MRN", message="An amendment names the MRN of the filing it amends.")
        return leaf("MRN", found)
    wrong = lrn.problem(envelope.message_id)
    if wrong is not None:
        sheet.note("WRITE-MISSING", "/message_id", envelope.message_id, wrong.message)
    return leaf("LRN", lrn.normalise(envelope.message_id))


def _kept_party(name: str, extra: dict[str, str]) -> str:
    start = f"{name}/"
    if not any(key.startswith(start) for key in extra):
        return ""
    contacts = []
    for place in range(1, 10):
        kind, _, identifier = extra.pop(f"{name}/communication[{place}]", "").partition(":")
        contacts.append(group("communication", leaf("identifier", identifier or None), leaf("type", kind or None)))
    address = [leaf(each, extra.pop(f"{name}/address/{each}", None)) for each in ADDRESS]
    own = [leaf(each, extra.pop(f"{name}/{each}", None)) for each in ("name", "identificationNumber", "typeOfPerson", "status")]
    return group(name, *own, group("address", *address), *contacts)


def means(consignment: Consignment | Movement, extra: dict[str, str]) -> str:
    """Return the means of transport with its times and the countries on its way."""
    name = "activeBorderTransportMeans"
    said = {each: extra.pop(f"{name}/{each}", None) for each, field in MEANS.items() if field[0] == "~"}
    said |= {"ModeOfTransport": consignment.mode_of_transport, "conveyanceReferenceNumber": consignment.conveyance_reference}
    departure = "estimatedDateAndTimeOfDeparture"
    day = consignment.departure_on if isinstance(consignment, Consignment) else None
    if said[departure] is None and said["actualDateAndTimeOfDeparture"] is None and day is not None:
        said[departure] = f"{day}T00:00:00Z"
    route = extra.pop("countriesOfRoutingOfMeansOfTransport", "").split()
    return group(
        name,
        *(leaf(each, said[each]) for each in MEANS),
        *(
            group("countriesOfRoutingOfMeansOfTransport", leaf("sequenceNumber", place), leaf("country", country))
            for place, country in enumerate(route, 1)
        ),
    )


def _places(extra: dict[str, str]) -> str:
    return "".join(group(name, leaf("UNLOCODE", extra.pop(f"{name}/UNLOCODE", None))) for name in KEPT_PLACES)


# --- one consignment ---------------------------------------------------------------------------------------------------------------------


def _house(filed: Filed, consignment: Consignment, extra: dict[str, str], direct: bool, sheet: Sheet) -> str:
    """Return the children of one house, in the order of the published sample."""
    post = filed.channel == "post"
    return "".join(
        [
            _money("totalAmountInvoiced", None if post else consignment.declared_value),
            leaf("totalGrossMass", _needed(plain_number(consignment.gross_mass_kg), sheet, "/gross_mass_kg")),
            *_additions(consignment, extra),
            _money("postalCharges", consignment.postal.postage if consignment.postal else None),
            *_fiscal(consignment, extra, sheet),
            *_documents(consignment, extra),
            *_pairs("additionalInformation", extra),
            *_pairs("additionalSupplyChainActor", extra),
            party("consignee", consignment.consignee, extra, sheet),
            *_goods(filed, consignment, extra, sheet),
            party("consignor", consignment.consignor, extra, sheet),
            "" if consignment.seller is None else party("seller", consignment.seller, extra, sheet),
            group("receptacle", leaf("receptacleIdentificationNumber", consignment.receptacle_id)),
            "" if direct else _document(filed, consignment),
            group("referenceNumberUCR", leaf("referenceNumberUCR", consignment.ucr)),
            *(group(name, leaf("UNLOCODE", getattr(consignment, field))) for name, field in PLACES.items()),
        ]
    )


def _needed(value: str | None, sheet: Sheet, path: str) -> str | None:
    if value is None:
        sheet.note("WRITE-MISSING", path)
    return value


def _document(filed: Filed, consignment: Consignment) -> str:
    kind = consignment.house_transport_document_type or filed.document
    return group(
        "transportDocumentHouseLevel",
        leaf("documentNumber", consignment.house_transport_document_id),
        leaf("type", f"N{kind}"),
    )


def _money(name: str, amount: Money | None) -> str:
    return "" if amount is None else group(name, leaf("value", plain_number(amount.amount, 2)), leaf("currency", amount.currency))


def _additions(consignment: Consignment, extra: dict[str, str]) -> Iterable[str]:
    if consignment.freight_cost is not None:
        code = leaf("code", extra.pop("additionsAndDeductions/code", None))
        yield group("additionsAndDeductions", code, _money("amount", consignment.freight_cost))
    for key in _numbered("additionsAndDeductions", extra):
        code, _, rest = extra.pop(key).partition("/")
        said, _, currency = rest.partition(" ")
        yield group("additionsAndDeductions", leaf("code", code or None), group("amount", leaf("value", said), leaf("currency", currency)))


def _numbered(name: str, extra: Mapping[str, str]) -> list[str]:
    """Return the keys ``name[n]`` of what was kept, by their numbers."""
    found = [key for key in extra if key.startswith(f"{name}[") and key.endswith("]") and key[len(name) + 1 : -1].isdecimal()]
    return sorted(found, key=lambda key: int(key[len(name) + 1 : -1]))


def _pair(name: str, first: str, second: str) -> str:
    """Return one group of two leaves; the one that says what the other is, comes after it, as in the published tables."""
    leaves = LISTS[name][1]
    if name in ("additionalInformation",):
        return group(name, leaf(leaves[0], first or None), leaf(leaves[1], second or None))
    return group(name, leaf(leaves[1], second or None), leaf(leaves[0], first or None))


def _pairs(name: str, extra: dict[str, str]) -> Iterable[str]:
    for key in _numbered(name, extra):
        first, _, second = extra.pop(key).partition("/")
        yield _pair(name, first, second)


def _fiscal(consignment: Consignment, extra: dict[str, str], sheet: Sheet) -> Iterable[str]:
    for index, tax in enumerate(consignment.tax_ids or ()):
        if tax.scheme == "ioss":
            yield _pair("additionalFiscalReferences", FISCAL_IOSS, tax.number)
        else:
            sheet.note("WRITE-LOST", f"/tax_ids/{index}", tax.scheme)
    yield from _pairs("additionalFiscalReferences", extra)


def _documents(consignment: Consignment, extra: dict[str, str]) -> Iterable[str]:
    for document in consignment.documents or ():
        yield _pair("supportingDocuments", f"N{document.document_type or ''}", document.document_id or "")
    yield from _pairs("supportingDocuments", extra)


_LIMITS: Final = {"name": 70, "street_line": 70, "street_line_2": 70, "city": 35}


def party(name: str, said: Party | None, extra: dict[str, str], sheet: Sheet) -> str:
    """Return one party; name and country are mandatory, a text longer than its field is an error (R3002 asks for street and number)."""
    if said is None or said.name is None or said.country is None:
        sheet.note("WRITE-MISSING", f"/{name}/{'country' if said and said.name else 'name'}")
        return ""
    for field, limit in _LIMITS.items():
        value = getattr(said, field)
        if value is not None and len(value) > limit:
            sheet.note("WRITE-MISSING", f"/{name}/{field}", value, f"The text has {len(value)} characters, the field {limit}.")
    if said.identifier_scheme not in (None, "eori"):
        sheet.note("WRITE-LOST", f"/{name}/identifier_scheme", said.identifier_scheme)
    street, house_number = split_street(said.street_line, said.country)
    address = {
        "city": said.city,
        "country": said.country,
        "subDivision": said.country_subdivision,
        "street": street,
        "postCode": said.postcode,
        "streetAdditionalLine": said.street_line_2,
        "number": house_number,
        "poBox": extra.pop(f"{name}/address/poBox", None),
    }
    contacts = [
        group("communication", leaf("identifier", value), leaf("type", kind))
        for value, kind in ((said.email, "EM"), (said.phone, "TE"))
        if value
    ]
    for key in _numbered(f"{name}/communication", extra):
        kind, _, identifier = extra.pop(key).partition(":")
        contacts.append(group("communication", leaf("identifier", identifier or None), leaf("type", kind or None)))
    return group(
        name,
        leaf("name", said.name),
        leaf("identificationNumber", said.identifier),
        leaf("typeOfPerson", _PERSON_CODES.get(said.type_of_person or "")),
        leaf("status", extra.pop(f"{name}/status", None)),
        group("address", *(leaf(each, address[each]) for each in ADDRESS)),
        *contacts,
    )


_NUMBER = re.compile(r"[0-9][0-9A-Za-z/-]{0,9}").fullmatch


def split_street(line: str | None, country: str | None) -> tuple[str | None, str | None]:
    """Return street and number of a line; the whole line without a number where none stands where the country writes it.

    >>> split_street("RUE DE L ESSAI 12", "BE"), split_street("4 MILL LANE", "GB"), split_street("PO BOX", "KE")
    (('RUE DE L ESSAI', '12'), ('MILL LANE', '4'), ('PO BOX', None))
    """
    if line is None:
        return None, None
    street, _, found = reversed(line.partition(" ")) if country in NUMBER_FIRST else line.rpartition(" ")
    if street and _NUMBER(found) and street_line(street, found, country) == line:
        return street, found
    return line, None


def _goods(filed: Filed, consignment: Consignment, extra: dict[str, str], sheet: Sheet) -> Iterable[str]:
    if not consignment.goods_items:
        sheet.note("WRITE-MISSING", "/goods_items")
    nature = consignment.nature_of_transaction
    code = next((each.code for each in postal.NATURES.values() if each.term == nature), None)
    kept = any(key.endswith("/typeOfGoods") for key in extra)
    for index, line in enumerate(consignment.goods_items):
        own = extra.pop(f"goodsItem[{index + 1}]/typeOfGoods", None)
        yield _line(filed, index, line, own if (kept and own is not None) or (nature == "mixed" and kept) else code, extra, sheet)


def _line(filed: Filed, index: int, line: GoodsItem, nature: str | None, extra: dict[str, str], sheet: Sheet) -> str:
    path = f"/goods_items/{index}"
    code = line.hs_code
    if code is not None and len(code) not in (6, 8):
        if len(code) < 6:
            sheet.note("WRITE-MISSING", f"{path}/hs_code", code, "The receiver takes HS codes of six digits or of eight.")
        else:
            sheet.note("WRITE-CUT", f"{path}/hs_code", code, "The receiver takes HS codes of six digits or of eight.")
    packages = _needed(None if line.package_count is None else str(line.package_count), sheet, f"{path}/package_count")
    at = f"goodsItem[{index + 1}]/"
    codes = group(
        "commodityCode",
        leaf("harmonizedSystemSubHeadingCode", code[:6] if code else None),
        leaf("combinedNomenclatureCode", code[6:8] if code and len(code) > 7 else None),
    )
    return group(
        "goodsItem",
        _money("postalValue" if filed.channel == "post" else "itemAmountInvoiced", line.item_amount),
        leaf("goodsItemNumber", line.sequence_number),
        leaf("typeOfGoods", nature),
        *(
            _pair(name, extra.pop(f"{at}{name}/{leaves[0]}", ""), extra.pop(f"{at}{name}/{leaves[1]}", ""))
            for name, (_, leaves) in LISTS.items()
        ),
        group(
            "commodity",
            leaf("descriptionOfGoods", _needed(line.goods_description, sheet, f"{path}/goods_description")),
            leaf("cusCode", extra.pop(f"{at}cusCode", None)),
            codes,
        ),
        group("weight", leaf("grossMass", plain_number(line.gross_mass_kg)), leaf("netMass", plain_number(line.net_mass_kg))),
        group(
            "packaging",
            leaf("numberOfPackages", packages),
            leaf("typeOfPackages", extra.pop(f"{at}packaging/typeOfPackages", None)),
            leaf("shippingMarks", extra.pop(f"{at}packaging/shippingMarks", None)),
        ),
        leaf("countryOfOrigin", line.country_of_origin) and group("countryOfOrigin", leaf("country", line.country_of_origin)),
    )


_OURS: Final = frozenset({"filing", "MRN"})


def leftovers(extra: Mapping[str, str], sheet: Sheet) -> None:
    """Tell of kept values that the message has no place for."""
    for name, value in extra.items():
        if name not in _OURS:
            sheet.note("WRITE-LOST", f"/extra/{name}", value)
