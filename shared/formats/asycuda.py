"""ASYCUDA World: the parts its manifests share (``Awmds``, ``Awbolds``), in both directions.

A ``Bol_segment`` is one house, keyed by its S10 number, else by carrier and ``Bol_reference``. Element order is that of the client's
schema, names are as inconsistent as they are there. What differs between national installations is data of the dialect, code map
``asycuda``: codes (``Customs_office_code``, ``Carrier_code``, ``Bol_nature``, ``Package_type_code``, ``type:express`` = ``HAWB`` …),
lengths (``length:Exporter_address`` = ``175``), decimals of masses (``decimals``). Empty values written as ``<x><null/></x>`` are absent.

An address is lines: street, second line, postcode and city, country code. The goods lines stand in ``HS_Compliance``, one after the other
without a group; a manifest without it has one line of goods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from shared.contracts import express_key, freight_key
from shared.formats import checks, customs_xml, postal_items, values, xml
from shared.formats.customs_xml import Document, count, shape
from shared.formats.filings import Item
from shared.formats.outlines import Outlines
from shared.formats.postal_files import Sheet, qualified
from shared.formats.values import plain_number
from shared.formats.xml_writing import group, leaf
from shared.identifiers import s10
from shared.model import Consignment, Dialect, Filing, Party, RawMessage
from shared.model.dataset import Channel

SOURCE: Final = "UNCTAD ASYCUDA World XML exchange by public integrations"
MAP: Final = "asycuda"
SIDES: Final[Mapping[str, str]] = MappingProxyType({"Exporter": "consignor", "Consignee": "consignee"})
TYPES: Final[Mapping[str, Channel]] = MappingProxyType(
    {"HAWB": "express", "HSB": "express", "AWB": "freight", "HBL": "freight", "BOL": "freight", "CP": "post"}
)
"""Type of a document → channel; national lists are the dialect's (``type:<channel>``)."""
_WRITTEN_AS: Final[Mapping[str, str]] = MappingProxyType({"express": "HAWB", "freight": "HBL", "post": "CP"})
LENGTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "Bol_reference": 17,
        "Voyage_number": 17,
        "Exporter_name": 35,
        "Exporter_address": 175,
        "Consignee_name": 35,
        "Consignee_address": 175,
        "Consignee_code": 17,
        "Shipping_marks": 70,
        "Goods_description": 512,
        "Commercial_description": 512,
        "Carrier_name": 35,
    }
)
_HS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "HS_code": "hs_code",
        "Commercial_description": "goods_description",
        "Number_of_packages": "package_count",
        "Gross_mass": "gross_mass_kg",
        "Volume_in_cubic_meters": "~Volume_in_cubic_meters",
        "Package_type_code": "~Package_type_code",
        "Country_of_origin": "country_of_origin",
    }
)
"""Leaves of ``HS_Compliance`` in their order: one that comes again, or out of order, begins the next line."""
_HS_ORDER: Final = tuple(_HS)

# --- reading -----------------------------------------------------------------------------------------------------------------------------

PARTS: Final = ("~", "", "/consignor", "/consignee", "~", "~", "~")
GENERAL, HOUSE, CONSIGNOR, CONSIGNEE, GOODS, LOOSE, CONTAINERS = range(7)
_OF_SIDE: Final = {"Exporter": CONSIGNOR, "Consignee": CONSIGNEE}
_SEGMENTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "Customs": ("declared_value", "Customs"),
        "Freight": ("freight_cost", "Freight"),
        "Insurance": ("insurance_cost", "Insurance"),
    }
)
_KEPT_GOODS: Final = ("Package_type_code", "Shipping_marks", "Volume_in_cubic_meters", "Num_of_ctn_for_this_bol", "Information", "Remarks")
_KEPT_BOL: Final = ("Bol_nature", "Bol_type_code")


def open_document(raw: RawMessage, dialect: Dialect, root: str, known: Outlines) -> Document:
    """Read *raw* and judge its root; *known* is about documents of this kind. Raises :class:`shared.errors.MalformedMessage`."""
    document = customs_xml.open_document(raw, dialect, known)
    if document.name != root:
        raise xml.malformed("MSG-SYNTAX", f"The document element is {document.name}, not {root}.", path=document.name)
    return document


def without_null(root: etree._Element, body: bytes) -> None:
    """What is null is absent."""
    if b"null" not in body:
        return
    for space in {str(root.tag).rpartition("}")[0][1:], ""}:
        for empty in list(root.iter(xml.qualified(space, "null"))):
            around = empty.getparent()
            if around is not None and len(around) == 1:
                around.remove(empty)


@lru_cache(maxsize=xml.SPELLINGS)
def bol_shape(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one ``Bol_segment`` but its ``HS_Compliance``."""
    value = {}
    for name, (_, before) in _SEGMENTS.items():
        leaves = {f"{before}_value": (HOUSE, f"~{name}_value"), f"{before}_currency": (HOUSE, f"~{name}_currency")}
        value[f"{name}_segment"] = shape(spaces, leaves | {"PC_indicator": (LOOSE, "PC_indicator")})
    traders = {
        name: shape(spaces, {f"{name}_code": (part, "identifier"), f"{name}_name": (part, "name"), f"{name}_address": (part, "~address")})
        for name, part in _OF_SIDE.items()
    }
    traders["Notify"] = shape(spaces, {f"Notify_{leaf_}": (LOOSE, f"Notify/{leaf_}") for leaf_ in ("code", "name", "address")})
    goods = {name: (LOOSE, name) for name in _KEPT_GOODS} | {
        "Number_of_packages": (HOUSE, "package_count"),
        "Gross_mass": (HOUSE, "gross_mass_kg"),
        "Goods_description": (GOODS, "goods_description"),
    }
    bol = {name: (LOOSE, name) for name in _KEPT_BOL} | {
        "Bol_reference": (HOUSE, "house_transport_document_id"),
        "Line_number": (GOODS, "~line"),
    }
    places = {
        "Place_of_loading_code": (HOUSE, "place_of_loading"),
        "Port_of_origin_code": (HOUSE, "place_of_loading"),
        "Place_of_unloading_code": (HOUSE, "place_of_arrival"),
    }
    return shape(
        spaces,
        {},
        {
            "Bol_id": shape(spaces, bol),
            "Load_unload_place": shape(spaces, places),
            "Traders_segment": shape(spaces, {}, traders),
            "ctn_segment": shape(
                spaces,
                {"Ctn_reference": (CONTAINERS, "Ctn_reference")},
                opens=CONTAINERS,
                left=("Number_of_packages", "Type_of_container", "Empty_Full", "Marks1", "Marks2", "Marks3", "Sealing_Party"),
            ),
            "Goods_segment": shape(spaces, goods, left=("Seals_segment",)),
            "Value_segment": shape(spaces, {}, value, left=("Transport_segment",)),
            "Location": shape(spaces, {"Location_code": (LOOSE, "Location_code"), "Location_info": (LOOSE, "Location_info")}),
        },
        left=("HS_Compliance",),
    )


def bol(element: xml.Element, document: Document, common: Mapping[str, Any], item: Item, raw: RawMessage) -> tuple[dict[str, Any], str]:
    """Return the content of one house with its key; *common* is what the manifest says of all of them."""
    record = xml.walk(element, bol_shape(document.spaces), len(PARTS))
    if record.repeated or record.unknown:
        customs_xml.misfits(record, PARTS, item)
    content: dict[str, Any] = {**common, **record.parts[HOUSE]}
    extra = dict(record.parts[LOOSE])
    if record.lists[CONTAINERS]:
        extra["Ctn_reference"] = " ".join(each["Ctn_reference"] for each in record.lists[CONTAINERS] if "Ctn_reference" in each)
    content["channel"] = _channel(content, extra, item)
    key = _key(content, item, raw)
    for name, part in _OF_SIDE.items():
        content[SIDES[name]] = _party(SIDES[name], record.parts[part], item)
    for field, side in (("country_of_dispatch", "consignor"), ("country_of_destination", "consignee")):
        if content[side].get("country") in checks.COUNTRIES:
            content[field] = content[side]["country"]
    count(content, "package_count", "/package_count", item)
    checks.number(content, "gross_mass_kg", values.mass, "/gross_mass_kg", item, mandatory=True, positive="DQ-12")
    _goods(content, element, document, record.parts[GOODS], extra, item)
    for name, (field, _) in _SEGMENTS.items():
        amount = checks.spare_money(content.pop(f"~{name}_value", None), content.pop(f"~{name}_currency", None), f"/{field}", item)
        if amount is not None:
            content[field] = amount
    if extra:
        content["extra"] = extra
    return content, key


def _channel(content: Mapping[str, Any], extra: dict[str, str], item: Item) -> Channel:
    """By the type of document, else by the number and the mode of transport. The type is kept where it is not what would be written."""
    said = extra.get("Bol_type_code", "")
    settings = item.dialect.code_maps.get(MAP, {})
    own: dict[str, Channel] = {code: channel for channel in ("post", "express", "freight") if (code := settings.get(f"type:{channel}"))}
    channel = own.get(said) or TYPES.get(said)
    if channel is None:
        number_ = content.get("house_transport_document_id", "")
        channel = "post" if s10.problem(number_) is None else "express" if content.get("mode_of_transport") == "4" else "freight"
    if said == settings.get(f"type:{channel}", _WRITTEN_AS[channel]):
        del extra["Bol_type_code"]
    if extra.get("Bol_nature") == settings.get("Bol_nature", "23"):
        del extra["Bol_nature"]
    return channel


def _key(content: dict[str, Any], item: Item, raw: RawMessage) -> str:
    if content["channel"] == "post":
        return postal_items.identify(content, item)
    carrier = item.dialect.carrier or raw.participant
    if len(carrier) <= 17:
        content["carrier_id"] = carrier
    house = checks.keyed_house(content, item)
    return (express_key if content["channel"] == "express" else freight_key)(carrier, house) if house else ""


def _party(side: str, said: dict[str, str], item: Item) -> dict[str, str]:
    said |= read_address(said.pop("~address", ""))
    checks.name(said, f"/{side}/name", item)
    if "country" not in said:
        item.note("FLD-WANTED", f"/{side}/country")
    for field in ("street_line", "city"):
        if field not in said:
            item.note("DQ-06" if side == "consignor" else "DQ-07", f"/{side}/{field}")
    return said


def read_address(text: str) -> dict[str, str]:
    """Return the fields of an address in lines: the country last, postcode and city before it.

    >>> read_address("12 RUE DE L ESSAI\\n4000 LIEGE\\nBE")
    {'country': 'BE', 'city': 'LIEGE', 'postcode': '4000', 'street_line': '12 RUE DE L ESSAI'}
    """
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    found: dict[str, str] = {}
    if lines and lines[-1] in checks.COUNTRIES:
        found["country"] = lines.pop()
    if len(lines) > 1:
        words = lines.pop().split(" ")
        code = next((place for place, word in enumerate(words) if not any(mark.isdigit() for mark in word)), len(words))
        if 0 < code < len(words):
            found |= {"city": " ".join(words[code:]), "postcode": " ".join(words[:code])}
        else:
            found["city"] = " ".join(words)
    if lines:
        found["street_line"] = lines[0]
    if len(lines) > 1:
        found["street_line_2"] = ", ".join(lines[1:])
    return found


def _goods(
    content: dict[str, Any], element: xml.Element, document: Document, whole: dict[str, str], extra: dict[str, str], item: Item
) -> None:
    lines = _hs_lines(element, document)
    if not lines:
        lines = [{"goods_description": whole["goods_description"]}] if "goods_description" in whole else []
        lines = [{**line, **{f: content[f] for f in ("package_count", "gross_mass_kg") if f in content}} for line in lines]
        if not lines:
            item.note("FLD-MISSING", "/goods_items")
    elif whole.get("goods_description") not in (None, joined(line.get("goods_description") for line in lines)):
        extra["Goods_description"] = whole["goods_description"]
    for index, line in enumerate(lines):
        path = f"/goods_items/{index}"
        line["sequence_number"] = str(index + 1)
        checks.description(line, f"{path}/goods_description", item)
        count(line, "package_count", f"{path}/package_count", item)
        checks.number(line, "gross_mass_kg", values.mass, f"{path}/gross_mass_kg", item)
        checks.hs_code(line, f"{path}/hs_code", item, wanted=False)
        if "country_of_origin" in line:
            checks.origin(line, f"{path}/country_of_origin", item)
        for name in [name for name in line if name[0] == "~"]:
            extra[f"HS_Compliance[{index + 1}]/{name[1:]}"] = line.pop(name)
    content["goods_items"] = lines


@lru_cache(maxsize=xml.SPELLINGS)
def _compliance(spaces: tuple[str, ...]) -> xml.Shape:
    """Return the walker's table of one ``HS_Compliance``, whose leaves count in their order."""
    return xml.Shape({}, qualified(spaces, {name: name for name in _HS}), {})


def _hs_lines(element: xml.Element, document: Document) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    shape = _compliance(document.spaces)
    for compliance in customs_xml.children(element, "HS_Compliance", document.spaces):
        last = len(_HS_ORDER)
        for name, said, _ in xml.walk(compliance, shape, 0).marked:
            if not said:
                continue
            place = _HS_ORDER.index(name)
            if place <= last:
                lines.append({})
            last = place
            lines[-1][_HS[name]] = said
    return lines


def joined(descriptions: Iterable[str | None]) -> str:
    """Return the descriptions of all lines as one text."""
    return "; ".join(text for text in descriptions if text)


def paths() -> dict[str, str]:
    """Return the provenance table of one ``Bol_segment``."""
    table = {
        "/house_transport_document_id": "Bol_id/Bol_reference",
        "/house_transport_document_type": "Bol_id/Bol_type_code",
        "/channel": "Bol_id/Bol_type_code",
        "/place_of_loading": "Load_unload_place/Place_of_loading_code",
        "/place_of_arrival": "Load_unload_place/Place_of_unloading_code",
        "/package_count": "Goods_segment/Number_of_packages",
        "/gross_mass_kg": "Goods_segment/Gross_mass",
        "/goods_items": "Goods_segment/Goods_description",
        "/country_of_dispatch": "Traders_segment/Exporter/Exporter_address",
        "/country_of_destination": "Traders_segment/Consignee/Consignee_address",
        "/conveyance_reference": "../General_segment/General_segment_id/Voyage_number",
        "/departure_on": "../General_segment/General_segment_id/Date_of_departure",
        "/mode_of_transport": "../General_segment/Transport_information/Mode_of_transport_code",
        "/extra": "",
    }
    table |= {f"/goods_items/*/{field}": f"HS_Compliance/{name}[*]" for name, field in _HS.items() if field[0] != "~"}
    for name, (field, before) in _SEGMENTS.items():
        table[f"/{field}"] = f"Value_segment/{name}_segment"
        table[f"/{field}/amount"] = f"Value_segment/{name}_segment/{before}_value"
        table[f"/{field}/currency"] = f"Value_segment/{name}_segment/{before}_currency"
    for name, side in SIDES.items():
        table |= {
            f"/{side}": f"Traders_segment/{name}",
            f"/{side}/name": f"Traders_segment/{name}/{name}_name",
            f"/{side}/identifier": f"Traders_segment/{name}/{name}_code",
        }
        address = f"Traders_segment/{name}/{name}_address"
        table |= {f"/{side}/{field}": address for field in ("street_line", "street_line_2", "city", "postcode", "country")}
    return table


# --- writing -----------------------------------------------------------------------------------------------------------------------------

CARRIED: Final = frozenset(
    {"/house_transport_document_id", "/place_of_loading", "/place_of_arrival", "/package_count", "/gross_mass_kg", "/conveyance_reference"}
    | {"/departure_on", "/mode_of_transport", "/country_of_dispatch", "/country_of_destination", "/extra/"}
    | {f"/{field}/" for field, _ in _SEGMENTS.values()}
    | {f"/{side}/{field}" for side in SIDES.values() for field in ("name", "street_line", "street_line_2", "city", "postcode", "country")}
    | {"/consignor/identifier", "/consignee/identifier"}
    | {f"/goods_items/*/{field}" for field in _HS.values()}
    | {"/goods_items/*/sequence_number"}
)
"""Dataset paths that a manifest has a place for."""


class Page:
    """One house while it is written: what the dialect says, what was kept, what was found."""

    __slots__ = ("extra", "settings", "sheet")

    def __init__(self, consignment: Consignment, sheet: Sheet) -> None:
        self.settings: Mapping[str, str] = sheet.dialect.code_maps.get(MAP, {})
        self.extra = dict(consignment.extra or {})
        self.sheet = sheet

    def said(self, name: str, default: str | None = None) -> str | None:
        """Return what was kept under *name*, else what the dialect says."""
        return self.extra.pop(name, None) or self.settings.get(name, default)

    def length(self, name: str) -> int:
        """Return the length of a field."""
        said = self.settings.get(f"length:{name}", "")
        return int(said) if said.isdecimal() else LENGTHS[name]

    def fit(self, name: str, value: str | None, path: str) -> str:
        """Return one leaf; a text that is longer than its field is cut with a finding."""
        return leaf(name, None if value is None else self.sheet.fit(value, self.length(name), path))

    def mass(self, value: Decimal | None) -> str | None:
        """Return a mass with the decimals of the dialect; what has more is told."""
        if value is None:
            return None
        places = int(said) if (said := self.settings.get("decimals", "3")).isdecimal() else 3
        rounded = round(value, places)
        if rounded != value:
            self.sheet.note("WRITE-CUT", "/gross_mass_kg", value, f"The receiver takes {places} decimals.")
        return plain_number(rounded, places)


def write_bol(consignment: Consignment, line_number: int, page: Page) -> str:
    """Return one ``Bol_segment``."""
    house = consignment.house_transport_document_id
    longest = page.length("Bol_reference")
    if len(house) > longest:
        page.sheet.note("WRITE-MISSING", "/house_transport_document_id", house, f"The number has more than {longest} characters.")
    kind = page.extra.pop("Bol_type_code", None) or page.settings.get(f"type:{consignment.channel}", _WRITTEN_AS[consignment.channel])
    loading = "Port_of_origin_code" if page.settings.get("loading") == "Port_of_origin_code" else "Place_of_loading_code"
    return group(
        "Bol_segment",
        group(
            "Bol_id",
            leaf("Bol_reference", house),
            leaf("Line_number", line_number),
            leaf("Bol_nature", page.said("Bol_nature", "23")),
            leaf("Bol_type_code", kind),
        ),
        group(
            "Load_unload_place",
            leaf(loading, consignment.place_of_loading),
            leaf("Place_of_unloading_code", consignment.place_of_arrival),
        ),
        group(
            "Traders_segment",
            _write_party("Exporter", consignment.consignor, page),
            group("Notify", *(leaf(f"Notify_{name}", page.extra.pop(f"Notify/{name}", None)) for name in ("code", "name", "address"))),
            _write_party("Consignee", consignment.consignee, page),
        ),
        "".join(group("ctn_segment", leaf("Ctn_reference", each)) for each in page.extra.pop("Ctn_reference", "").split()),
        _write_goods(consignment, page),
        _write_values(consignment, page),
        group("Location", leaf("Location_code", page.said("Location_code")), leaf("Location_info", page.said("Location_info"))),
        _write_hs(consignment, page),
    )


def _write_party(name: str, party: Party | None, page: Page) -> str:
    side = SIDES[name]
    if party is None or party.name is None:
        page.sheet.note("WRITE-MISSING", f"/{side}/name")
        return ""
    return group(
        name,
        leaf(f"{name}_code", party.identifier),
        page.fit(f"{name}_name", party.name, f"/{side}/name"),
        leaf(f"{name}_address", _write_address(name, party, page)),
    )


def _write_address(name: str, party: Party, page: Page) -> str | None:
    """Return the lines of an address; where they are too long, the country still ends them."""
    place = " ".join(part for part in (party.postcode, party.city) if part)
    lines = "\n".join(line for line in (party.street_line, party.street_line_2, place) if line)
    room = page.length(f"{name}_address") - 3
    lines = page.sheet.fit(lines, room, f"/{SIDES[name]}/street_line")
    return "\n".join(part for part in (lines, party.country) if part) or None


def _write_goods(consignment: Consignment, page: Page) -> str:
    if not consignment.goods_items:
        page.sheet.note("WRITE-MISSING", "/goods_items")
    packages = packages_of(consignment)
    if packages is None:
        page.sheet.note("WRITE-MISSING", "/package_count")
    if consignment.gross_mass_kg is None:
        page.sheet.note("WRITE-MISSING", "/gross_mass_kg")
    description = page.extra.pop("Goods_description", None) or joined(line.goods_description for line in consignment.goods_items)
    return group(
        "Goods_segment",
        leaf("Number_of_packages", packages),
        leaf("Package_type_code", page.said("Package_type_code", "PK")),
        leaf("Gross_mass", page.mass(consignment.gross_mass_kg)),
        page.fit("Shipping_marks", page.said("Shipping_marks"), "/extra/Shipping_marks"),
        page.fit("Goods_description", description or None, "/goods_items/0/goods_description"),
        *(leaf(name, page.said(name)) for name in _KEPT_GOODS[2:]),
    )


def packages_of(consignment: Consignment) -> int | None:
    """Return the packages of a house: its own number, else the sum of its lines."""
    if consignment.package_count is not None:
        return consignment.package_count
    counts = [line.package_count for line in consignment.goods_items]
    return sum(each for each in counts if each is not None) if counts and None not in counts else None


def _write_values(consignment: Consignment, page: Page) -> str:
    groups = []
    for name in ("Freight", "Customs", "Insurance"):
        field, before = _SEGMENTS[name]
        amount = getattr(consignment, field)
        if amount is None:
            continue
        first = leaf("PC_indicator", page.said("PC_indicator")) if name == "Freight" else ""
        value = leaf(f"{before}_value", plain_number(amount.amount, 2)) + leaf(f"{before}_currency", amount.currency)
        groups.append(group(f"{name}_segment", first, value))
    return group("Value_segment", *groups)


def _write_hs(consignment: Consignment, page: Page) -> str:
    """Return the goods lines one after the other. A manifest of one line without a code needs none."""
    leaves: list[str] = []
    for index, line in enumerate(consignment.goods_items, 1):
        at = f"HS_Compliance[{index}]/"
        leaves += [
            leaf("HS_code", line.hs_code),
            page.fit("Commercial_description", line.goods_description, f"/goods_items/{index - 1}/goods_description"),
            leaf("Number_of_packages", line.package_count),
            leaf("Gross_mass", page.mass(line.gross_mass_kg)),
            leaf("Volume_in_cubic_meters", page.extra.pop(f"{at}Volume_in_cubic_meters", None)),
            leaf("Package_type_code", page.extra.pop(f"{at}Package_type_code", None)),
            leaf("Country_of_origin", line.country_of_origin),
        ]
    return group("HS_Compliance", *leaves)


def to_write(filing: Filing, sheet: Sheet) -> Consignment | None:
    """Return the consignment that *filing* brings into a manifest; of any other filing it is told why it is not in it."""
    if filing.consignment is None:
        sheet.note("WRITE-MISSING", "/house_transport_document_id", filing.key, "This is no consignment.")
    elif filing.function == "cancel":
        sheet.note("WRITE-ONE", "/function", filing.function, "A manifest has no line that takes another back.")
    else:
        return filing.consignment
    return None


def leftovers(page: Page, known: Sequence[str] = ()) -> None:
    """Tell of kept values that the message has no place for."""
    for name, value in page.extra.items():
        if name not in known:
            page.sheet.note("WRITE-LOST", f"/extra/{name}", value)


def day(value: date | None) -> str | None:
    """Return a date as ASYCUDA writes it."""
    return None if value is None else value.isoformat()
