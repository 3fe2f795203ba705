"""One postal item, whatever syntax it came in: what a post says of it is judged and brought into the standard dataset.

A reader of the family (XML profile, EDIFACT profile, national dialect) fills :class:`Declared` with texts under the dataset's names and
hands it to :func:`filing`; so every syntax has the same keys, the same checks (``DQ-``, postal rule set) and the same remedies. The
sender's own paths come from the format's table (``item.table``); a value that is worked on before it becomes part of the dataset stands
there under ``/~<name>``.

Keys are ``post:<S10>``. ``Amount`` and ``NetWeight`` of a piece are totals of the line. An item names its order by the extra field
``OrderNumber``; the platform's code comes from ``OrderPlatform``, else from the dialect, else there is no link.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from shared.codes import postal
from shared.contracts import post_key
from shared.formats import checks, values
from shared.formats.filings import Item, conclude
from shared.formats.provenance import sender_path
from shared.formats.values import is_plain_count, is_plain_mass, is_plain_money
from shared.formats.xml import Marked
from shared.identifiers import despatch, hs, receptacle, s10
from shared.model import Dialect, Filing, MessageHead, RawMessage, Rejection
from shared.model.filing import Function

FUNCTIONS: Final[Mapping[str, Function]] = {"ORIGINAL": "original", "REPLACE": "replace", "CANCEL": "cancel"}


class Declared(NamedTuple):
    """What a message says of one item, as texts, not yet judged.

    ``consignment``, ``consignor``, ``consignee``, ``postal`` and the records of ``goods`` and ``documents`` use the dataset's names (a
    goods line has ``amount`` and ``currency``); ``loose`` holds, under ``~<name>``, what needs work: ``~LocalId``, ``~LocalId2``,
    ``~PId``, ``~Postage``, ``~PostageCurrencyCd``, ``~InsuredValue``, ``~InsuredValueCurrencyCd``, ``~DutyPaidRef`` and, for ``Sender``
    and ``Recipient``, ``~…FirstName``, ``~…LastName``, ``~…Address``, ``~…Fax``. ``marked`` are ``TaxId`` (attributes ``scheme``,
    ``role``) and ``ExtraField`` (attribute ``name``).
    """

    consignment: dict[str, str]
    consignor: dict[str, str]
    consignee: dict[str, str]
    postal: dict[str, str]
    loose: dict[str, str]
    goods: list[dict[str, str]]
    documents: list[dict[str, str]]
    marked: list[Marked]


def filing(
    said: Declared,
    item: Item,
    head: MessageHead,
    raw: RawMessage,
    *,
    function: Function,
    version: str | None,
    extra: dict[str, str] | None = None,
    assumed: Mapping[str, Any] | None = None,
    posts: bool = True,
    goods: bool = True,
) -> Filing | Rejection:
    """Return the filing of one item, or its rejection with every finding.

    *extra* is what the format kept beside the dataset; *assumed* becomes part of the content after its digest was taken; without *posts*
    a format has no origin and destination post and no posting time; without *goods* lines that are missing are a warning.
    """
    consignment, postal_part, loose = said.consignment, said.postal, said.loose
    key = identify(consignment, item)
    if posts:
        _posts(postal_part, item)
        _posted(consignment, item, raw)
    content: dict[str, Any] = dict(consignment, channel="post", house_transport_document_type="750", postal=postal_part)
    if function != "cancel" or said.goods or said.consignor:
        _declaration(content, said, item, {} if extra is None else extra, "FLD-MISSING" if goods else "FLD-WANTED")
    elif extra:
        content["extra"] = extra
    pid = None
    if loose:
        _local_ids(postal_part, loose)
        pid = loose.get("~PId")
    return conclude(
        item,
        "consignment",
        content,
        key,
        head,
        raw,
        function=function,
        version=version,
        unhashed={"declaration_id": pid} if pid else None,
        assumed=assumed,
    )


def function_and_version(said: str | None, version: str | None, item: Item) -> tuple[Function, str | None]:
    """Return function and version of an item; a missing or unknown one is an error of the item."""
    function = FUNCTIONS.get(said or "")
    if function is None:
        item.note("FLD-CODE" if said else "FLD-MISSING", "/function", said or None)
        function = "original"
    if version is None or not values.whole_number(version):
        item.note("FLD-FORM" if version else "FLD-MISSING", "/version", version)
        version = None
    return function, version


# --- who and when ------------------------------------------------------------------------------------------------------------------------


def identify(content: dict[str, Any], item: Item, *, mandatory: bool = True) -> str:
    """Return the item's key, or an empty text; the S10 number is brought into its canonical form.

    A wrong check digit is a warning: many true labels have one.
    """
    said = content.get("house_transport_document_id")
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", "/house_transport_document_id")
        return ""
    found = s10.problem(said)
    if found is None and said.isalnum():
        return post_key(said)
    number = content["house_transport_document_id"] = s10.normalise(said)
    if found is not None:
        code = "DQ-01" if found.severity == "error" else "DQ-02" if found.code == "S10-CHECK" else "FLD-IDENTIFIER"
        item.note(code, "/house_transport_document_id", said, message=found.message, remedy=found.remedy)
    return post_key(number) if number.isalnum() and len(number) < 36 else ""


def receptacle_key(number: str) -> str:
    """``receptacle:<S9>``"""
    return f"receptacle:{number}"


def receptacle_id(content: dict[str, Any], item: Item, *, mandatory: bool = False) -> str:
    """Return the receptacle's S9 number in its canonical form, or an empty text with a finding."""
    return _postal_unit(content, "receptacle_id", receptacle, item, mandatory)


def despatch_id(content: dict[str, Any], item: Item, *, mandatory: bool = False) -> str:
    """Return the despatch's S8 number in its canonical form, or an empty text with a finding."""
    return _postal_unit(content, "despatch_id", despatch, item, mandatory)


def _postal_unit(content: dict[str, Any], field: str, module: Any, item: Item, mandatory: bool) -> str:
    said = content.get(field)
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", f"/{field}")
        return ""
    found = module.problem(said)
    if found is None:
        number: str = module.normalise(said)
        content[field] = number
        return number
    item.note("FLD-FORM" if mandatory else "FLD-IDENTIFIER", f"/{field}", said, message=found.message, remedy=found.remedy)
    if not mandatory:
        del content[field]
    return ""


def _posts(postal_part: Mapping[str, str], item: Item) -> None:
    for field in ("origin_post", "destination_post"):
        if field not in postal_part:
            item.note("FLD-MISSING", f"/postal/{field}")


def _posted(consignment: dict[str, str], item: Item, raw: RawMessage) -> None:
    """DQ-04. A cancellation, too, says when the item was posted: an S10 number may come back after a year."""
    posted = instant(consignment, "posted_at", item, mandatory=True)
    if posted is not None and not -_DAY <= raw.received_at - posted <= _SIXTY_DAYS:
        item.note("DQ-04", "/posted_at", consignment["posted_at"])


_DAY: Final = timedelta(days=1)
_SIXTY_DAYS: Final = timedelta(days=60)
_SHORT_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{2}(?:[T ].*)?", re.DOTALL).fullmatch


def instant(record: dict[str, Any], field: str, item: Item, *, mandatory: bool = False, path: str | None = None) -> datetime | None:
    """Read an instant in place. A missing offset is filled from the dialect's zone, a year of two digits from this century; both are told.

    *path* is the dataset path where it is not ``/<field>``.
    """
    said = record.get(field)
    where = path or f"/{field}"
    if said is None:
        if mandatory:
            item.note("FLD-MISSING", where)
        return None
    text = said
    if not values.instant(text):
        if _SHORT_YEAR(text):
            item.note("TIME-YEAR-ASSUMED", where, said)
            text = "20" + text
        if not values.instant(text):
            local = values.local_instant(text, item.dialect)
            if local is None:
                item.note("FLD-FORM", where, said)
                return None
            item.note("TIME-ZONE-ASSUMED", where, said)
            text = local
        record[field] = text
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        item.note("FLD-FORM", where, said)
        return None


# --- the declaration ---------------------------------------------------------------------------------------------------------------------


def _declaration(content: dict[str, Any], said: Declared, item: Item, extra: dict[str, str], no_goods: str) -> None:
    """The customs declaration of the item: everything a cancellation may leave out. *no_goods* is the finding for one without lines."""
    consignor, consignee, loose, goods = said.consignor, said.consignee, said.loose, said.goods
    if "mail_class" not in said.postal:
        item.note("FLD-WANTED", "/postal/mail_class")
    _party(_SENDER, consignor, loose, item, extra)
    _party(_RECIPIENT, consignee, loose, item, extra)
    content["consignor"] = consignor
    content["consignee"] = consignee
    if (country := consignor.get("country")) in checks.COUNTRIES:
        content["country_of_dispatch"] = country
    if (country := consignee.get("country")) in checks.COUNTRIES:
        content["country_of_destination"] = country
    checks.contactable(consignee, item)
    nature = _nature(content, item)
    content["package_count"] = 1
    if not goods:
        item.note(no_goods, "/goods_items")
    _goods(content, goods, nature is None or nature.is_commercial, item, extra)
    _mass(content, goods, item)
    if "departure_on" in content and not values.day(content["departure_on"]):
        item.note("FLD-FORM", "/departure_on", content["departure_on"])
    _money(content, loose, item)
    if said.documents:
        content["documents"] = said.documents
    if said.marked:
        _marked(content, said.marked, extra, item)
    if "~DutyPaidRef" in loose:
        extra["DutyPaidRef"] = loose["~DutyPaidRef"]
    if extra:
        content["extra"] = extra


def _money(content: dict[str, Any], loose: Mapping[str, str], item: Item) -> None:
    """DQ-20: postage, and the value insured."""
    if "~Postage" in loose:
        postage = checks.spare_money(loose["~Postage"], loose.get("~PostageCurrencyCd"), "/postal/postage", item)
        if postage is not None:
            content["postal"]["postage"] = postage
    else:
        item.note("DQ-20", "/postal/postage")
    if "~InsuredValue" in loose:
        insured = checks.spare_money(loose["~InsuredValue"], loose.get("~InsuredValueCurrencyCd"), "/insured_value", item)
        if insured is not None:
            content["insured_value"] = insured


def _local_ids(postal_part: dict[str, Any], loose: Mapping[str, str]) -> None:
    ids = [loose[name] for name in ("~LocalId", "~LocalId2") if name in loose]
    if ids:
        postal_part["local_ids"] = ids


# --- parties -----------------------------------------------------------------------------------------------------------------------------


class Side(NamedTuple):
    """One party: its name in the messages, its field, the finding for a poor address, and the paths of what is looked at."""

    name: str
    field: str
    poor_address: str

    def path(self, field: str) -> str:
        return f"/{self.field}/{field}"


_SENDER: Final = Side("Sender", "consignor", "DQ-06")
_RECIPIENT: Final = Side("Recipient", "consignee", "DQ-07")


def _party(side: Side, party: dict[str, str], loose: dict[str, str], item: Item, extra: dict[str, str]) -> None:
    """Bring one party into shape: name in one or two fields, address structured or as a block, country as its code."""
    if loose:
        _loose_party(side, party, loose, item, extra)
    if not checks.is_well_named(party):
        checks.name(party, side.path("name"), item)
    if party.get("country") not in checks.COUNTRIES:
        checks.country(party, "country", side.path("country"), item, mandatory=True)
    street = party.get("street_line")
    if street is None:
        item.note(side.poor_address, side.path("street_line"))
    elif "\n" in street:
        party["street_line"] = checks.one_block(street)
    elif "city" not in party and f"~{side.name}Address" not in loose:
        item.note(side.poor_address, side.path("city"))
    if "postcode" not in party and "city" in party and party.get("country") not in checks.NO_POSTCODE:
        item.note("DQ-08", side.path("postcode"))
    if "identifier" in party and "identifier_scheme" not in party:
        party["identifier_scheme"] = "other"


def _loose_party(side: Side, party: dict[str, str], loose: dict[str, str], item: Item, extra: dict[str, str]) -> None:
    """The older shape: first and last name, address as one block, fax."""
    if "name" not in party:
        names = [key for key in (f"~{side.name}FirstName", f"~{side.name}LastName") if key in loose]
        if names:
            party["name"] = " ".join([loose[key] for key in names])
            item.paths[side.path("name")] = own_path(names[0], item)
    if "street_line" not in party and (block := loose.get(f"~{side.name}Address")) is not None:
        party["street_line"] = checks.one_block(block)
        item.paths[side.path("street_line")] = own_path(f"~{side.name}Address", item)
    fax = loose.get(f"~{side.name}Fax")
    if fax is not None:
        extra[f"{side.name}Fax"] = fax


def own_path(loose: str, item: Item) -> str:
    """Return the sender's path of a value under ``~<name>``."""
    return sender_path(f"/{loose}", item.position, item.table, {}) or item.position


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
    amounts: list[str] = []
    used: set[str] = set()
    for index, piece in enumerate(goods):
        _piece(index, piece, commercial, item)
        amount = piece.get("item_amount")
        if amount is not None:
            amounts.append(amount["amount"])
            used.add(amount["currency"])
        if len(piece) > _PIECE_FIELDS:
            _set_aside(index, piece, extra)
    if len(used) > 1:
        item.note("DQ-15", "/goods_items", " ".join(sorted(used)))
    elif amounts and len(amounts) == len(goods):
        content["declared_value"] = {"amount": values.total(amounts), "currency": used.pop()}


_PIECE_FIELDS: Final = 7
"""Fields of a piece that became part of the dataset; any more were set aside by the walk."""


def _piece(index: int, piece: dict[str, Any], commercial: bool, item: Item) -> None:
    """Bring one goods line into shape; most are already."""
    if is_plain(piece, commercial):
        piece["item_amount"] = {"amount": piece.pop("amount"), "currency": piece.pop("currency")}
    else:
        mend(f"/goods_items/{index}", piece, commercial, item)


def is_plain(piece: Mapping[str, str], commercial: bool) -> bool:
    """Whether :func:`mend` has nothing to say of *piece* and nothing to change but the shape of its amount."""
    said = piece.get
    description, hs_code, mass, amount = said("goods_description", ""), said("hs_code"), said("net_mass_kg"), said("amount", "")
    return (
        len(description) > 2
        and description.isascii()
        and not description.isdecimal()
        and is_plain_count(said("quantity", "")) is not None
        and is_plain_money(amount) is not None
        and amount != "0.00"
        and (not commercial if hs_code is None else hs.is_plain(hs_code))
        and said("country_of_origin") in checks.ORIGINS
        and said("currency") in checks.CURRENCIES
        and (mass is None or is_plain_mass(mass) is not None)
        and "sequence_number" in piece
    )


def mend(path: str, piece: dict[str, Any], commercial: bool, item: Item) -> None:
    """Judge every value of a goods line and bring it into its canonical form."""
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
    gross = content.get("gross_mass_kg")
    if gross is None or gross == "0.000" or not is_plain_mass(gross):
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
ROLES: Final = {"SENDER": "consignor", "ADDRESSEE": "consignee", "PLATFORM": "platform"}


def _marked(content: dict[str, Any], marked: list[Marked], extra: dict[str, str], item: Item) -> None:
    tax_ids: list[dict[str, str]] = []
    order = None
    platform = item.dialect.platform
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
            item.note("FLD-IGNORED", "/extra", text)
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
    role = ROLES.get(attributes.get("role", "").upper())
    if role is not None:
        tax_id["role"] = role
    return tax_id


def dialect_code(dialect: Dialect, table: str, said: str) -> str:
    """Return *said* as the dialect's code map *table* translates it, else as it stands."""
    return dialect.code_maps.get(table, {}).get(said, said)
