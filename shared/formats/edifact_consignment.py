"""One consignment while the segments of a cargo report or declaration (CUSCAR, CUSDEC) are read: what each segment says of it.

Takers put values under the names of the dataset and remember which segment said them; what the dataset has no field for is kept in
``extra`` under the segment's own name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from shared.formats import checks, edifact, values
from shared.formats.edifact import Segment, SegmentItem, Syntax, value, whole
from shared.formats.edifact_parties import read as read_party
from shared.identifiers import eori
from shared.model import Dialect

PARTIES: Final = {"CZ": "consignor", "CN": "consignee", "SE": "seller"}
ROLES: Final = {"CZ": "consignor", "CN": "consignee", "SE": "seller", "IM": "importer"}
PLAIN: Final = Dialect()


def whole_number(said: object) -> int:
    text = str(said or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


class House:
    """One house while its segments are read: the dataset so far, and which party and goods line are open."""

    __slots__ = (
        "content",
        "currency",
        "dialect",
        "extra",
        "goods",
        "item",
        "line",
        "marks",
        "origin",
        "party",
        "role",
        "syntax",
        "tax_ids",
        "totals",
    )

    def __init__(self, syntax: Syntax, dialect: Dialect, item: SegmentItem) -> None:
        self.syntax = syntax
        self.dialect = dialect
        self.item = item
        self.content: dict[str, Any] = {}
        self.extra: dict[str, str] = {}
        self.goods: list[dict[str, Any]] = []
        self.line: dict[str, Any] | None = None
        self.party: dict[str, str] | None = None
        self.role = ""
        self.tax_ids: list[dict[str, str]] = []
        self.marks: list[str] = []
        self.totals: dict[str, tuple[str, int]] = {}
        self.origin: str | None = None
        self.currency: str | None = None

    def take(self, segments: Sequence[str], start: int, stop: int, table: Mapping[str, Callable[[House, Segment, int], None]]) -> None:
        """Read the segments from *start* to *stop*."""
        split = self.syntax.split
        for index in range(start, stop):
            raw = segments[index]
            tag = raw[:3]
            if tag in table:
                table[tag](self, split(raw), index + 1)
            elif tag not in _SILENT:
                self.item.note("FLD-IGNORED", at=f"{self.item.position}/{tag} (segment {index + 1})")

    def put(self, field: str, said: str, place: int) -> None:
        """Keep a value of the consignment."""
        if said:
            self.content[field] = said
            self.item.places[f"/{field}"] = place

    def put_line(self, field: str, said: str, place: int) -> None:
        """Keep a value of the open goods line."""
        if said and self.line is not None:
            self.line[field] = said
            self.item.places[f"/goods_items/{len(self.goods) - 1}/{field}"] = place

    def number(self, said: str) -> str:
        """Return a number with a point."""
        return edifact.number(said, self.syntax)


def bgm(house: House, segment: Segment, place: int) -> None:
    if value(segment, 2):
        house.extra["manifest_no"] = value(segment, 2)
    house.item.places["/function"] = place


def rff(house: House, segment: Segment, place: int) -> None:
    qualifier, said = value(segment, 1), value(segment, 1, 1)
    if qualifier == "HWB":
        house.put("house_transport_document_id", said, place)
    elif qualifier in ("MWB", "AWB"):
        house.put("master_transport_document_id", said, place)
    elif qualifier in ("VA", "AHP", "AHR") and house.role:
        _tax_id(house, qualifier, said, place)
    elif qualifier == "UCN":
        house.put("ucr", said, place)
    elif qualifier == "TN":
        house.put("trader_reference", said, place)
    elif said:
        house.extra[f"RFF+{qualifier[:10]}"] = said


def _tax_id(house: House, qualifier: str, said: str, place: int) -> None:
    """A VAT or tax number of the party before it; one that begins with IM is an IOSS number."""
    if not said:
        return
    path = f"/tax_ids/{len(house.tax_ids)}"
    house.item.places[path] = place
    scheme = "ioss" if said.upper().startswith(("IM", "IN")) else "vat" if qualifier == "VA" else "other"
    tax_id = {"scheme": scheme, "number": checks.tax_number(scheme, said, path, house.item)}
    if house.role in ROLES:
        tax_id["role"] = ROLES[house.role]
    if scheme == "ioss":
        house.content["tax_scheme"] = "ioss"
    house.tax_ids.append(tax_id)


def cni(house: House, segment: Segment, place: int) -> None:
    house.put("house_transport_document_id", value(segment, 2), place)


def tdt(house: House, segment: Segment, place: int) -> None:
    house.put("conveyance_reference", value(segment, 2), place)
    house.put("mode_of_transport", value(segment, 3), place)


_PLACES: Final = {
    "9": "place_of_loading",
    "11": "place_of_arrival",
    "60": "place_of_arrival",
    "35": "country_of_dispatch",
    "28": "country_of_destination",
}


def loc(house: House, segment: Segment, place: int) -> None:
    qualifier, said = value(segment, 1), value(segment, 2)
    if qualifier == "27":
        if house.line is not None:
            house.put_line("country_of_origin", said, place)
        elif said:
            house.origin = said
    elif qualifier in _PLACES:
        house.put(_PLACES[qualifier], said, place)
    elif said:
        house.extra[f"LOC+{qualifier[:10]}"] = said


def dtm(house: House, segment: Segment, place: int) -> None:
    qualifier, said, form = value(segment, 1), value(segment, 1, 1), value(segment, 1, 2)
    if qualifier == "137":
        return
    if qualifier in ("133", "189"):
        found = edifact.instant(said, form)
        if found is None:
            house.item.note("FLD-FORM", "/departure_on", said)
        else:
            house.put("departure_on", found[0][:10], place)
    elif said:
        house.extra[f"DTM+{qualifier[:10]}"] = said


def _gis(house: House, segment: Segment, place: int) -> None:
    if value(segment, 1):
        house.extra["GIS"] = value(segment, 1)


def _cux(house: House, segment: Segment, place: int) -> None:
    house.currency = value(segment, 1, 1) or None


_AMOUNTS: Final = {
    "39": "declared_value",
    "43": "declared_value",
    "64": "freight_cost",
    "144": "freight_cost",
    "67": "insurance_cost",
}
_LINE_AMOUNTS: Final = {"40": "item_amount", "38": "item_amount", "146": "unit_price"}


def moa(house: House, segment: Segment, place: int) -> None:
    qualifier = value(segment, 1)
    said, currency = house.number(value(segment, 1, 1)), value(segment, 1, 2) or house.currency
    if house.line is not None:
        field = _LINE_AMOUNTS.get(qualifier)
        path, target = f"/goods_items/{len(house.goods) - 1}/{field}", house.line
        if field == "item_amount" and field in target and qualifier == "38":
            return
    else:
        field = _AMOUNTS.get(qualifier)
        path, target = f"/{field}", house.content
        if field in target and qualifier in ("43", "144"):
            return
    if field is None:
        house.extra[f"MOA+{qualifier[:10]}"] = f"{said} {currency or ''}".strip()
        return
    house.item.places[path] = place
    check = checks.money if field == "item_amount" else checks.spare_money
    amount = check(said or None, currency, path, house.item)
    if amount is not None:
        target[field] = amount


def nad(house: House, segment: Segment, place: int) -> None:
    house.role = role = value(segment, 1)
    field = PARTIES.get(role)
    party: dict[str, str] = {}
    house.party = party
    if field is None:
        named = whole(segment, 4, 35) or value(segment, 2)
        if role and named:
            house.extra[f"NAD+{role[:10]}"] = named
        return
    read_party(party, segment)
    if "identifier" in party:
        number = party["identifier"]
        problem = eori.problem(number)
        party["identifier_scheme"] = "eori" if problem is None or problem.severity != "error" else "other"
    house.content[field] = party
    house.item.places[f"/{field}"] = place


def com(house: House, segment: Segment, place: int) -> None:
    field = {"TE": "phone", "AL": "phone", "EM": "email"}.get(value(segment, 1, 1))
    said = value(segment, 1)
    if field and said and house.party is not None:
        house.party[field] = said
        house.item.places[f"/{PARTIES.get(house.role)}/{field}"] = place


def _gid(house: House, segment: Segment, place: int) -> None:
    house.line = {}
    house.role = ""
    house.party = None
    house.item.places[f"/goods_items/{len(house.goods)}"] = place
    house.goods.append(house.line)
    house.put_line("sequence_number", value(segment, 1), place)
    house.put_line("package_count", value(segment, 2), place)


def _ftx(house: House, segment: Segment, place: int) -> None:
    qualifier = value(segment, 1)
    said = whole(segment, 4, 70)
    if qualifier == "AAA" and house.line is not None:
        before = house.line.get("goods_description")
        house.put_line("goods_description", f"{before} {said}" if before else said, place)
    elif said:
        name = f"GID[{len(house.goods)}]/FTX+{qualifier[:10]}" if house.line is not None else f"FTX+{qualifier[:10]}"
        house.extra[name] = said


_UNITS: Final = {"KGM": Decimal(1), "": Decimal(1), "GRM": Decimal("0.001"), "LBR": values.KILOGRAMS_PER_POUND}


def _mea(house: House, segment: Segment, place: int) -> None:
    purpose, dimension = value(segment, 1), value(segment, 2)
    unit, said = value(segment, 3), house.number(value(segment, 3, 1))
    field = "net_mass_kg" if dimension in ("N", "AAL", "AAA") or purpose in ("N",) else "gross_mass_kg"
    if dimension not in ("G", "N", "AAB", "AAD", "AAL", "AAA", "") or unit not in _UNITS:
        house.item.note("FLD-IGNORED", at=f"{house.item.position}/MEA (segment {place})", value=f"{dimension} {unit}")
        return
    if unit not in ("", "KGM") and values.mass(said, PLAIN):
        said = str((Decimal(said) * _UNITS[unit]).quantize(Decimal("0.001")))
    if house.line is not None:
        house.put_line(field, said, place)
    elif field == "gross_mass_kg":
        house.put(field, said, place)


def _qty(house: House, segment: Segment, place: int) -> None:
    house.put_line("quantity", house.number(value(segment, 1, 1)), place)
    house.put_line("quantity_unit", value(segment, 1, 2), place)


def _cst(house: House, segment: Segment, place: int) -> None:
    for element in range(2, min(len(segment), 7)):
        said, list_ = value(segment, element), value(segment, element, 1)
        if list_ == "117":
            house.extra[f"GID[{len(house.goods)}]/CST+117"] = said
        elif said:
            house.put_line("hs_code", said, place)


def _pci(house: House, segment: Segment, place: int) -> None:
    house.marks += [said for said in (part.strip() for part in (segment[2] if len(segment) > 2 else [])) if said]


def cnt(house: House, segment: Segment, place: int) -> None:
    qualifier, said = value(segment, 1), house.number(value(segment, 1, 1))
    if qualifier == "7":
        house.put("gross_mass_kg", said, place)
    elif qualifier in ("8", "11"):
        house.put("package_count", said, place)


def header_cnt(house: House, segment: Segment, place: int) -> None:
    qualifier = value(segment, 1)
    if qualifier in ("7", "8", "10", "11"):
        house.totals[qualifier] = (house.number(value(segment, 1, 1)), place)


def header_nad(house: House, segment: Segment, place: int) -> None:
    role = value(segment, 1)
    said = whole(segment, 4, 35) or value(segment, 2)
    if role not in ("MS", "MR") and said:
        house.extra[f"NAD+{role[:10]}"] = said


HEADER: Final[Mapping[str, Callable[[House, Segment, int], None]]] = MappingProxyType(
    {"BGM": bgm, "DTM": dtm, "RFF": rff, "TDT": tdt, "LOC": loc, "CNT": header_cnt, "NAD": header_nad}
)
SEGMENTS: Final[Mapping[str, Callable[[House, Segment, int], None]]] = MappingProxyType(
    {
        "CNI": cni,
        "RFF": rff,
        "CNT": cnt,
        "MOA": moa,
        "LOC": loc,
        "GIS": _gis,
        "GEI": _gis,
        "CUX": _cux,
        "TDT": tdt,
        "DTM": dtm,
        "NAD": nad,
        "COM": com,
        "GID": _gid,
        "FTX": _ftx,
        "MEA": _mea,
        "QTY": _qty,
        "CST": _cst,
        "PCI": _pci,
    }
)
_SILENT: Final = frozenset(
    {"CTA", "PAC", "SGP", "HAN", "DGS", "CPI", "GIS", "GEI", "FTX", "EQD", "TSR", "MEA", "DIM", "SEL", "TMP", "RNG", "COM", "QTY", "AUT"}
)
"""Segments of the message that the dataset has no place for; they are passed over without a word."""
