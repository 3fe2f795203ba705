"""H7 low-value declaration as the hub's own JSON, read and written.

::

    DECLARATION | {"message_id"?, "prepared_at"?, "declarations": [DECLARATION, …]}

    {"lrn", "function"?, "additional_declaration_type"?, "office"?, "location"?, "previous_document"?, "ucr"?,
     "declarant"?: PARTY, "representative"?: PARTY, "transport_document": {"type"?, "number"}, "fiscal_reference"?: {"role"?, "number"},
     "exporter": PARTY, "importer": PARTY, "transport_cost"?: MONEY, "total_gross_kg"?,
     "items": [{"no"?, "procedures"?: […], "hs6", "cn2"?, "description", "gross_kg", "net_kg"?, "packages", "origin"?,
                "intrinsic_value": MONEY}]}

A name that is not part of the layout refuses the declaration. A single declaration's message id is its LRN. Goods with and without IOSS
cannot share a declaration, so the reference stands once. The transport document is the key: an S10 number, else the carrier's house.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import orjson

from shared.contracts import express_key
from shared.formats import checks, h7, own_json, postal_items, values
from shared.formats.base import UNLIKE, Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.customs_xml import count
from shared.formats.filings import Item, conclude
from shared.formats.h7 import Declaration
from shared.formats.losses import losses
from shared.formats.own_json import Layout
from shared.formats.postal_files import Sheet
from shared.formats.values import plain_number
from shared.formats.xml import malformed
from shared.identifiers import eori, ioss, s10
from shared.model import Consignment, Dialect, Filing, Finding, MessageHead, Money, Party, RawMessage, Rejection

NAME: Final = "h7-json"
TITLE: Final = "H7 low-value declaration, JSON"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/json",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = h7.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
LAYOUT: Final = Layout(NAME, "declarations", "declaration", frozenset({"lrn", "transport_document"}))

_PARTY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "name",
        "street": "street_line",
        "street2": "street_line_2",
        "city": "city",
        "region": "country_subdivision",
        "postcode": "postcode",
        "country": "country",
        "phone": "phone",
        "email": "email",
        "eori": "identifier",
        "person_type": "type_of_person",
    }
)
_ITEM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no": "sequence_number",
        "hs6": "hs_code",
        "description": "goods_description",
        "gross_kg": "gross_mass_kg",
        "net_kg": "net_mass_kg",
        "packages": "package_count",
        "origin": "country_of_origin",
    }
)
_SIDES: Final = {"exporter": "consignor", "importer": "consignee"}
_PLAIN: Final = ("additional_declaration_type", "office", "location", "previous_document")
_FIELDS: Final = frozenset(
    {"lrn", "function", "ucr", "declarant", "representative", "transport_document", "fiscal_reference", "transport_cost", "total_gross_kg"}
    | {"items", *_SIDES, *_PLAIN}
)
_PERSONS: Final = {"1": "natural", "2": "legal", "3": "association"}
_PERSON_CODES: Final = {name: int(code) for code, name in _PERSONS.items()}


def _paths() -> dict[str, str]:
    table = {
        "/house_transport_document_id": "transport_document/number",
        "/house_transport_document_type": "transport_document/type",
        "/tax_ids": "fiscal_reference",
        "/tax_ids/*/number": "fiscal_reference/number",
        "/tax_scheme": "items/procedures",
        "/nature_of_transaction": "items/procedures",
        "/freight_cost": "transport_cost",
        "/gross_mass_kg": "total_gross_kg",
        "/package_count": "items/packages",
        "/declared_value": "items/intrinsic_value",
        "/ucr": "ucr",
        "/function": "function",
        "/country_of_dispatch": "exporter/country",
        "/country_of_destination": "importer/country",
        "/goods_items": "items",
        "/goods_items/*": "items[*]",
        "/goods_items/*/item_amount": "items[*]/intrinsic_value",
        "/extra": "",
    }
    table |= {f"/goods_items/*/{field}": f"items[*]/{name}" for name, field in _ITEM.items()}
    for name, side in _SIDES.items():
        table[f"/{side}"] = name
        table |= {f"/{side}/{field}": f"{name}/{own}" for own, field in _PARTY.items()}
        table[f"/{side}/identifier_scheme"] = f"{name}/eori"
    return table


PATHS: Final[Mapping[str, str]] = MappingProxyType(_paths())


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def recognise(sketch: Sketch) -> Likeness:
    """An object with ``declarations``, or with ``lrn`` and ``transport_document``."""
    if sketch.kind != "json":
        return UNLIKE
    return own_json.recognise(LAYOUT, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a message. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    message = own_json.open_message(LAYOUT, raw)
    single = message.entries[0][0] == LAYOUT.thing and message.entries[0][1].get("lrn")
    head = message.head
    if isinstance(single, str) and head.message_id.startswith("sha256:"):
        if len(single) > 100:
            raise malformed("MSG-HEAD", "lrn is longer than 22 characters.", path="lrn")
        head = MessageHead(NAME, single, head.prepared_at)
    return Parsed(head, _each(message, head, raw, dialect), len(message.entries))


def _each(message: own_json.Message, head: MessageHead, raw: RawMessage, dialect: Dialect) -> Iterator[Filing | Rejection]:
    for item, said in own_json.items(message, PATHS, dialect):
        for name in sorted(said.keys() - _FIELDS):
            item.note("FLD-UNKNOWN", at=f"{item.position}/{name[:60]}")
        yield _declaration(said, item, head, raw)


def _object(said: Mapping[str, Any], name: str, allowed: frozenset[str] | set[str], item: Item) -> dict[str, Any]:
    """Return an inner object's known names; what is none, or unknown in it, is told."""
    value = said.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        item.note("FLD-FORM", at=f"{item.position}/{name}", message="This is an object.")
        return {}
    for unknown in sorted(value.keys() - allowed):
        item.note("FLD-UNKNOWN", at=f"{item.position}/{name}/{unknown[:60]}")
    return {field: inner for field, inner in value.items() if field in allowed}


def _declaration(said: Mapping[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Filing | Rejection:
    plain = own_json.texts({name: said[name] for name in (*_PLAIN, "lrn", "ucr", "total_gross_kg", "function") if name in said}, item)
    extra: dict[str, str] = {name: plain[name] for name in _PLAIN if name in plain}
    for name in ("declarant", "representative"):
        kept = own_json.texts(_object(said, name, {*_PARTY, "tax_id", "status"}, item), item)
        extra |= {f"{name}/{field}": text for field, text in kept.items()}
    function = own_json.function(plain, item)
    content: dict[str, Any] = {"ucr": plain["ucr"]} if "ucr" in plain else {}
    key = _key(content, own_json.texts(_object(said, "transport_document", {"type", "number"}, item), item), item, raw)
    if "lrn" not in plain:
        item.note("FLD-MISSING", at=f"{item.position}/lrn")
    elif plain["lrn"] != head.message_id:
        extra["lrn"] = plain["lrn"]
    if function != "cancel" or "items" in said:
        _content(content, said, plain, extra, item)
    if extra:
        content["extra"] = extra
    references = (f"lrn:{plain['lrn']}",) if "lrn" in plain else ()
    return conclude(item, "consignment", content, key, head, raw, function=function, references=references)


def _key(content: dict[str, Any], document: Mapping[str, str], item: Item, raw: RawMessage) -> str:
    kind = document.get("type", "")
    said = document.get("number")
    if said is None:
        item.note("FLD-KEY", "/house_transport_document_id")
        content |= {"channel": "express"}
        return ""
    content["house_transport_document_id"] = said
    post = s10.problem(said) is None
    content |= {
        "channel": "post" if post else "express",
        "house_transport_document_type": kind.removeprefix("N") or ("750" if post else "703"),
    }
    if post:
        return postal_items.identify(content, item)
    carrier = item.dialect.carrier or raw.participant
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    house = checks.keyed_house(content, item)
    return express_key(carrier, house) if house else ""


def _content(content: dict[str, Any], said: Mapping[str, Any], plain: Mapping[str, str], extra: dict[str, str], item: Item) -> None:
    for name, side in _SIDES.items():
        content[side] = _party(name, side, own_json.texts(_object(said, name, set(_PARTY), item), item), item)
    for field, side in (("country_of_dispatch", "consignor"), ("country_of_destination", "consignee")):
        if content[side].get("country") in checks.COUNTRIES:
            content[field] = content[side]["country"]
    goods, procedures = _goods(said.get("items"), item)
    content["goods_items"] = goods
    _scheme(content, procedures, said, extra, item)
    cost = own_json.texts(_object(said, "transport_cost", {"amount", "currency"}, item), item)
    if cost:
        found = checks.money(cost.get("amount"), cost.get("currency"), "/freight_cost", item)
        content |= {"freight_cost": found} if found else {}
    _totals(content, goods, plain, item)


def _totals(content: dict[str, Any], goods: list[dict[str, Any]], plain: Mapping[str, str], item: Item) -> None:
    """Return gross mass, packages and value of the whole: as said, else the sums of the lines."""
    if "total_gross_kg" in plain:
        content["gross_mass_kg"] = plain["total_gross_kg"]
        checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", item, positive="DQ-12")
    elif goods and all("gross_mass_kg" in line for line in goods) and not item.refused:
        content["gross_mass_kg"] = values.total([line["gross_mass_kg"] for line in goods])
        item.paths["/gross_mass_kg"] = f"{item.position}/items/gross_kg"
    packages = values.count_total([line.get("package_count") for line in goods])
    if packages is not None:
        content["package_count"] = packages
    amounts = [line["item_amount"] for line in goods if "item_amount" in line]
    used = {amount["currency"] for amount in amounts}
    if len(used) > 1:
        item.note("DQ-15", "/goods_items", " ".join(sorted(used)))
    elif amounts and len(amounts) == len(goods):
        content["declared_value"] = {"amount": values.total([amount["amount"] for amount in amounts]), "currency": used.pop()}


def _party(name: str, side: str, said: dict[str, str], item: Item) -> dict[str, str]:
    found = {_PARTY[own]: text for own, text in said.items()}
    checks.name(found, f"/{side}/name", item)
    checks.country(found, "country", f"/{side}/country", item, mandatory=True)
    person = found.get("type_of_person")
    if person is not None:
        found["type_of_person"] = _PERSONS.get(person, person)
    identifier = found.get("identifier")
    if identifier is not None:
        found["identifier"] = checks.identifier(
            identifier, eori.problem(identifier), eori.normalise(identifier), f"/{side}/identifier", item
        )
        found["identifier_scheme"] = "eori"
    return found


def _goods(listed: Any, item: Item) -> tuple[list[dict[str, Any]], list[str | None]]:
    """Return the lines, and the additional procedures of each as one text."""
    if not isinstance(listed, list) or not listed:
        item.note("FLD-MISSING" if listed is None else "FLD-FORM", "/goods_items", message="items is a list of objects.")
        return [], []
    goods: list[dict[str, Any]] = []
    procedures: list[str | None] = []
    for index, said in enumerate(listed):
        at = f"items[{index + 1}]"
        line = _object({at: said}, at, {*_ITEM, "cn2", "procedures", "intrinsic_value"}, item)
        codes = line.pop("procedures", None)
        if codes is not None and not (isinstance(codes, list) and all(isinstance(code, str) and code.strip() for code in codes)):
            item.note("FLD-FORM", at=f"{item.position}/{at}/procedures", message="procedures is a list of codes.")
            codes = None
        procedures.append(" ".join(code.strip() for code in codes) if codes else None)
        value = own_json.texts(_object(line, "intrinsic_value", {"amount", "currency"}, item), item)
        line.pop("intrinsic_value", None)
        goods.append(_line(index, own_json.texts(line, item), value, item))
    return goods, procedures


def _line(index: int, said: dict[str, str], value: Mapping[str, str], item: Item) -> dict[str, Any]:
    path = f"/goods_items/{index}"
    more = said.pop("cn2", None)
    line: dict[str, Any] = {_ITEM[name]: text for name, text in said.items()}
    line.setdefault("sequence_number", str(index + 1))
    checks.description(line, f"{path}/goods_description", item)
    checks.number(line, "gross_mass_kg", values.mass, f"{path}/gross_mass_kg", item, mandatory=True, positive="DQ-12")
    checks.number(line, "net_mass_kg", values.mass, f"{path}/net_mass_kg", item)
    count(line, "package_count", f"{path}/package_count", item)
    checks.hs_code(line, f"{path}/hs_code", item, wanted=True)
    if more is not None and len(line.get("hs_code", "")) == 6 and len(more) == 2 and more.isascii() and more.isdecimal():
        line["hs_code"] += more
    elif more is not None:
        item.note("FLD-DROPPED", at=f"{item.position}/items[{index + 1}]/cn2", value=more)
    if "country_of_origin" in line:
        checks.origin(line, f"{path}/country_of_origin", item)
    amount = checks.money(value.get("amount"), value.get("currency"), f"{path}/item_amount", item)
    if amount is not None:
        line["item_amount"] = amount
        if amount["amount"] == "0.00" or amount["amount"][0] == "-":
            item.note("DQ-14", f"{path}/item_amount/amount", amount["amount"])
    return line


def _scheme(content: dict[str, Any], procedures: Sequence[str | None], said: Mapping[str, Any], extra: dict[str, str], item: Item) -> None:
    """Tax scheme and nature follow from fiscal reference and procedures; procedures that do not follow from them again are kept."""
    reference = own_json.texts(_object(said, "fiscal_reference", {"role", "number"}, item), item)
    codes = {code for each in procedures if each for code in each.split()}
    if reference.get("role", "FR5") == "FR5" and "number" in reference:
        said_number = reference["number"]
        canonical = checks.identifier(said_number, ioss.problem(said_number), ioss.normalise(said_number), "/tax_ids/0/number", item)
        content["tax_ids"] = [{"scheme": "ioss", "number": canonical, "role": "seller"}]
        content["tax_scheme"] = "ioss"
    elif reference:
        extra["fiscal_reference"] = f"{reference.get('role', '')}/{reference.get('number', '')}"
    if "F49" in codes:
        content["tax_scheme"] = "special_arrangement"
    elif "F48" in codes and "tax_ids" not in content:
        item.note("FLD-MISSING", "/tax_ids/0/number", remedy="Goods under IOSS need its number.")
    elif "C08" in codes:
        content["nature_of_transaction"] = "gift"
    elif "C07" in codes and "tax_ids" not in content:
        content["tax_scheme"] = "standard"
    expected = h7.procedures(content.get("tax_scheme"), content.get("nature_of_transaction"), h7.usual(item))
    for number_, each in enumerate(procedures, 1):
        if each is None:
            item.note("FLD-ASSUMED", at=f"{item.position}/items[{number_}]/procedures", message=f"{expected} was supposed.")
        elif each != expected:
            extra[f"items[{number_}]/procedures"] = each


# --- writing -----------------------------------------------------------------------------------------------------------------------------

WRITTEN: Final = frozenset(
    {"/house_transport_document_id", "/house_transport_document_type", "/ucr", "/tax_ids/", "/tax_scheme", "/nature_of_transaction"}
    | {"/freight_cost/", "/gross_mass_kg", "/package_count", "/declared_value/", "/country_of_dispatch", "/country_of_destination"}
    | {f"/{side}/{field}" for side in _SIDES.values() for field in (*_PARTY.values(), "identifier_scheme")}
    | {f"/goods_items/*/{field}" for field in (*_ITEM.values(), "item_amount/amount", "item_amount/currency")}
    | {"/extra/"}
)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings*, one declaration each: alone, or several under ``declarations`` with numbered LRNs."""
    findings: list[Finding] = []
    written: list[dict[str, Any]] = []
    several = len(filings) > 1
    for place, filing in enumerate(filings, 1):
        sheet = Sheet(filing.key, dialect)
        if filing.consignment is None:
            sheet.note("WRITE-MISSING", "/house_transport_document_id", filing.key, "This is no consignment.")
        else:
            reference = (filing.consignment.extra or {}).get("lrn") or (
                f"{envelope.message_id}-{place}" if several else envelope.message_id
            )
            declaration = Declaration(filing.consignment, reference, sheet)
            made = _write(filing, declaration)
            if not any(found.severity == "error" for found in sheet.findings):
                written.append(made)
                findings += losses(filing, WRITTEN, dialect)
        findings += sheet.findings
    if not written:
        return Written(b"", tuple(findings))
    head = {"message_id": envelope.message_id, "prepared_at": envelope.prepared_at.isoformat()}
    whole = {**head, "declarations": written} if several else {**written[0], "prepared_at": head["prepared_at"]}
    return Written(orjson.dumps(whole, option=orjson.OPT_APPEND_NEWLINE), tuple(findings))


def _write(filing: Filing, declaration: Declaration) -> dict[str, Any]:
    consignment = declaration.consignment
    declaration.extra.pop("lrn", None)
    kind = consignment.house_transport_document_type or ("750" if consignment.channel == "post" else "703")
    document = {"type": f"N{kind}", "number": consignment.house_transport_document_id}
    made: dict[str, Any] = {"lrn": declaration.lrn}
    if filing.function != "original":
        made["function"] = filing.function
    made |= {name: said for name in _PLAIN if (said := declaration.said(name)) is not None}
    for name in ("declarant", "representative"):
        fields = {field: said for field in (*_PARTY, "tax_id", "status") if (said := declaration.said(f"{name}/{field}")) is not None}
        made |= {name: fields} if fields else {}
    made["transport_document"] = document
    if consignment.ucr is not None:
        made["ucr"] = consignment.ucr
    if filing.function == "cancel" and not consignment.goods_items:
        return made
    declaration.check()
    number_ = declaration.ioss()
    if number_ is not None:
        made["fiscal_reference"] = {"role": "FR5", "number": number_}
    elif (kept := declaration.extra.pop("fiscal_reference", None)) is not None:
        role, _, said = kept.partition("/")
        made["fiscal_reference"] = {"role": role, "number": said}
    made |= {name: _write_party(getattr(consignment, side)) for name, side in _SIDES.items()}
    if consignment.freight_cost is not None:
        made["transport_cost"] = _write_money(consignment.freight_cost)
    if consignment.gross_mass_kg is not None and consignment.gross_mass_kg != _sum_of_lines(consignment):
        made["total_gross_kg"] = plain_number(consignment.gross_mass_kg)
    made["items"] = [_write_line(index, declaration) for index in range(len(consignment.goods_items))]
    declaration.rest()
    return made


def _sum_of_lines(consignment: Consignment) -> Decimal | None:
    masses = [line.gross_mass_kg for line in consignment.goods_items]
    return None if None in masses else sum((mass for mass in masses if mass is not None), Decimal(0))


def _write_party(party: Party | None) -> dict[str, Any]:
    said = {own: getattr(party, field, None) for own, field in _PARTY.items()}
    if said["person_type"] is not None:
        said["person_type"] = _PERSON_CODES[said["person_type"]]
    return {name: value for name, value in said.items() if value is not None}


def _write_money(amount: Money) -> dict[str, str]:
    return {"amount": plain_number(amount.amount, 2) or "", "currency": amount.currency}


def _write_line(index: int, declaration: Declaration) -> dict[str, Any]:
    line = declaration.consignment.goods_items[index]
    said: dict[str, Any] = {
        "no": line.sequence_number,
        "procedures": declaration.procedures(index),
        "hs6": line.hs_code[:6] if line.hs_code else None,
        "cn2": line.hs_code[6:8] if line.hs_code and len(line.hs_code) == 8 else None,
        "description": line.goods_description,
        "gross_kg": plain_number(declaration.gross(line)),
        "net_kg": plain_number(line.net_mass_kg),
        "packages": declaration.packages(line),
        "origin": line.country_of_origin,
        "intrinsic_value": _write_money(line.item_amount) if line.item_amount else None,
    }
    return {name: value for name, value in said.items() if value is not None}
