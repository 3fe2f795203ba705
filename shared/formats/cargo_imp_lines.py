"""The lines that the waybill messages of Cargo-IMP share: quantities, routes, parties, customs values, customs notes, instructions.

They are brought into the records of :mod:`shared.formats.cargo_consignment`, so that a house in text and one in XML file the same.

A quantity is glued: ``T3K2.7MC0.02`` is three pieces in total, 2.7 kilograms (``L`` pounds) and 0.02 cubic metres; ``P`` and ``S`` are
parts of ``T`` behind it. A party has a line each for name, streets, city with its region, country with postcode and telephone; the newer
versions name these lines (``NAM``, ``ADR``, ``LOC``). Which layout was sent is seen from the lines, not from the version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from shared.formats import values, xml
from shared.formats.cargo_consignment import CHARGES, HOUSE, LOOSE, NOTES, PARTS
from shared.formats.cargo_imp import Group, LineItem, Message, Row
from shared.model import DEFAULT_DIALECT

_QUANTITY = re.compile(r"([TPSDM])?([0-9]+)?(?:([KL])([0-9.]+))?(?:(MC|CF|CI|CC)([0-9.]+))?(?:DG[0-9]+)?(?:T([0-9]+))?", re.ASCII).fullmatch
_CARRIED = re.compile(r"([0-9]{3}-?[0-9]{8})([A-Z]{3})([A-Z]{3})").fullmatch
_NUMBER = re.compile(r"[0-9]{3}[- ]?[0-9 ]{7,9}")
_ROUTE = re.compile(r"([A-Z]{3})([A-Z]{3})").fullmatch
_COUNTRY = re.compile(r"[A-Z]{2}").fullmatch
_WEIGHT = re.compile(r"([KL])?([0-9.]+)").fullmatch

UNITS: Final = {"K": "KGM", "L": "LBR"}
VOLUMES: Final = {"MC": "MTQ", "CF": "FTQ", "CI": "INQ", "CC": "CMQ"}
NO_VALUE: Final = frozenset({"", "NVD", "NCV", "XXX", "NIL"})
_CONTACTS: Final = {"TE": "phone", "FX": "Fax"}
_VALUES: Final = ("carriage", "customs", "insurance")
SIDES: Final = {"SHP": "consignor", "CNE": "consignee"}
XML_NAMES: Final = {"SHP": "ConsignorParty", "CNE": "ConsigneeParty"}
TEXT: Final = 65
"""Characters of one line of free text."""

PARTY_PATHS: Final = {
    "name": "name",
    "account_id": "account",
    "street_line": "street",
    "street_line_2": "street",
    "city": "place",
    "country_subdivision": "place",
    "postcode": "postcode",
    "country": "country",
    "phone": "TE",
}


def paths() -> dict[str, str]:
    """Return what the provenance tables of the messages have in common."""
    table = {
        "/declared_value": "CVD/customs",
        "/insured_value": "CVD/insurance",
        "/documents": "OCI",
        "/documents/*": "OCI[*]",
        "/function": "",
        "/extra": "",
    }
    for field in ("declared_value", "insured_value"):
        table |= {f"/{field}/amount": table[f"/{field}"], f"/{field}/currency": "CVD/currency"}
    for line, side in SIDES.items():
        table |= {f"/{side}": line} | {f"/{side}/{field}": f"{line}/{name}" for field, name in PARTY_PATHS.items()}
        table |= {f"/{side}/{field}": f"OCI/{line}/T" for field in ("identifier", "identifier_scheme")}
    table["/country_of_dispatch"] = table["/consignor/country"]
    table["/country_of_destination"] = table["/consignee/country"]
    return table


def empty_record() -> xml.Record:
    """Return the records that :func:`shared.formats.cargo_consignment.read` reads, with nothing in them."""
    return xml.Record([{} for _ in PARTS], [[] for _ in PARTS], [], [], [])


# --- numbers and routes ------------------------------------------------------------------------------------------------------------------


class Quantity(NamedTuple):
    """What a glued quantity says. ``split`` is its letter, ``total`` the pieces of the whole where the quantity is a part."""

    split: str = ""
    pieces: str = ""
    unit: str = ""
    weight: str = ""
    volume: str = ""
    total: str = ""


def quantity(said: str) -> Quantity | None:
    """Return the parts of a glued quantity, or None for what is none.

    >>> quantity("S2K60MC0.14T5")
    Quantity(split='S', pieces='2', unit='KGM', weight='60', volume='0.14 MTQ', total='5')
    """
    found = _QUANTITY(said) if said else None
    if found is None:
        return None
    split, pieces, unit, weight, size, volume, total = (part or "" for part in found.groups())
    return Quantity(split, pieces, UNITS.get(unit, ""), weight, f"{volume} {VOLUMES[size]}" if size else "", total)


def put_quantity(said: str, record: dict[str, Any], extra: dict[str, str]) -> Quantity:
    """Fill pieces and mass from a glued quantity; what is none stays as the pieces, which refuses it with its value."""
    found = quantity(said)
    if found is None:
        if said:
            record["package_count"] = said
        return Quantity()
    if found.pieces:
        record["package_count"] = found.pieces
    if found.weight:
        record["gross_mass_kg"] = found.weight
        record["gross_mass_kg@"] = found.unit
    if found.volume:
        extra["GrossVolumeMeasure"] = found.volume
    return found


def total(said: str) -> tuple[int | None, Decimal | None]:
    """Return pieces and kilograms of a glued quantity that others are compared with; None for what it does not say."""
    found = quantity(said) or Quantity()
    weight = values.mass(found.weight, DEFAULT_DIALECT) if found.weight else None
    if weight is not None and found.unit == "LBR":
        weight = values.kilograms_of_pounds(weight)
    return int(found.pieces[:9]) if found.pieces else None, Decimal(weight) if weight is not None else None


def put_weight(said: str, record: dict[str, Any]) -> None:
    """Fill the mass from ``K0.5``; what is none is kept, to be refused with its value."""
    found = _WEIGHT(said)
    if found is None:
        if said:
            record["gross_mass_kg"] = said
            record["gross_mass_kg@"] = "KGM"
        return
    record["gross_mass_kg"] = found[2]
    if found[1]:
        record["gross_mass_kg@"] = UNITS[found[1]]


def put_route(said: str, content: dict[str, Any], item: LineItem) -> None:
    """Fill origin and destination from ``SZXLGG``; what is no pair of airports is left out and told."""
    found = _ROUTE(said)
    if found is not None:
        content["place_of_loading"], content["place_of_arrival"] = found[1], found[2]
    elif said:
        item.note("FLD-DROPPED", "/place_of_loading", said)


def carried(said: str) -> tuple[str, str]:
    """Return air waybill and route of ``888-45123072SZXLGG``; of what is not of this form as much as can be told apart."""
    found = _CARRIED(said)
    if found is not None:
        return found[1], found[2] + found[3]
    loose = _NUMBER.match(said)
    if loose is None:
        return said, ""
    return loose[0].strip(), said[loose.end() :]


# --- parties -----------------------------------------------------------------------------------------------------------------------------


def put_parties(groups: Sequence[Group], record: xml.Record, item: LineItem, *, account: bool) -> None:
    """Fill consignor and consignee; with *account* the party's own line holds its account number, else its name. Of a party that comes
    again only the first is read."""
    named: list[Group] = []
    sides: dict[str, tuple[Group, list[Group]]] = {}
    again: Group | None = None
    for group in groups:
        if group.name in SIDES:
            named = []
            again = group if group.name in sides else again
            sides.setdefault(group.name, (group, named))
        elif group.name in _NAMED:
            named.append(group)
        else:
            named = []
    for name, (group, lines) in sides.items():
        side = SIDES[name]
        item.places[f"/{side}"] = group.line
        part = PARTS.index(f"/{side}")
        party(group, lines, record.parts[part], record.parts[LOOSE], XML_NAMES[name], account=account or bool(lines))
    if again is not None:
        item.note("FLD-REPEATED", f"/{SIDES[again.name]}", at=f"{item.type} line {again.line}, {again.name}")


_NAMED: Final = ("NAM", "ADR", "LOC")
"""The lines of a party in the newer versions."""


def party(group: Group, named: Sequence[Group], into: dict[str, str], loose: dict[str, str], name: str, *, account: bool) -> None:
    """Fill one party from its lines, or from those *named* below it."""
    rows = group.continued
    own = whole(group.rows[0])
    if own and account:
        into["account_id"] = own
    elif group.first and not account:
        rows = [group.rows[0], *rows]
    if named:
        rows = _in_order(named)
    at = _country_at(rows)
    place = at - 1 if at is not None and at >= 2 else 2 if at is None and len(rows) > 2 else None
    streets = [whole(row) for row in rows[1 : place if place is not None else at]]
    _put(into, "name", whole(rows[0]) if rows and at != 0 else "")
    _put_streets(into, [street for street in streets if street])
    if place is not None:
        _put(into, "city", rows[place].get(0))
        _put(into, "country_subdivision", rows[place].get(1))
    if at is not None:
        _put_country(into, rows[at], loose, name)


def _in_order(named: Sequence[Group]) -> list[Row]:
    """Return named lines as unnamed ones: one name, the streets, the place, the country."""
    found: dict[str, list[Row]] = {"NAM": [], "ADR": [], "LOC": []}
    for group in named:
        found[group.name] += group.rows
    names, places = found["NAM"], found["LOC"]
    name = Row(names[0].line if names else named[0].line, [" ".join(whole(row) for row in names)])
    place = places[:1] or [Row(named[-1].line, [""])]
    return [name, *found["ADR"], *place, *places[1:]]


def _country_at(rows: Sequence[Row]) -> int | None:
    """Return the index of the line with the country: the last that begins with two letters, else the fourth of four."""
    for index in range(len(rows) - 1, 0, -1):
        if _COUNTRY(rows[index].get(0)):
            return index
    return len(rows) - 1 if len(rows) > 3 else None


def _put(into: dict[str, str], field: str, said: str) -> None:
    if said:
        into[field] = said


def _put_streets(into: dict[str, str], streets: Sequence[str]) -> None:
    if streets:
        into["street_line"] = streets[0]
    if len(streets) > 1:
        into["street_line_2"] = ", ".join(streets[1:])


def _put_country(into: dict[str, str], row: Row, loose: dict[str, str], name: str) -> None:
    """``/BE/4000/TE/3225550000/FX/…``"""
    _put(into, "country", row.get(0))
    _put(into, "postcode", row.get(1))
    for at in range(2, len(row.elements) - 1, 2):
        said = row.get(at + 1)
        field = _CONTACTS.get(row.get(at))
        if field == "phone":
            _put(into, field, said)
        elif field is not None and said:
            loose[f"{name}/{field}"] = said


def other_party(group: Group, loose: dict[str, str], name: str, fields: Sequence[str] = ()) -> None:
    """Keep a party that the dataset has no place for: its own line as *fields*, its name from the first continuation."""
    for index, field in enumerate(fields):
        _put(loose, f"{name}/{field}", group.element(index))
    rows = group.continued if fields else group.rows
    said = next((text for row in rows if (text := whole(row))), "")
    _put(loose, f"{name}/Name", said)


def whole(row: Row) -> str:
    """Return a line whose elements are one text."""
    elements = row.elements
    return (elements[0] if len(elements) == 1 else "/".join(elements)).strip()


# --- values, notes, texts ----------------------------------------------------------------------------------------------------------------


def put_values(group: Group, record: xml.Record, item: LineItem) -> None:
    """Fill what ``CVD`` declares: the last three elements are values for carriage, customs and insurance, before them are currency and
    the words for prepaid (``PP``) or collect."""
    elements = [each.strip() for each in group.first] or [""]
    if "/declared_value" in item.places:
        item.note("FLD-REPEATED", "/declared_value", at=f"{item.type} line {group.line}, CVD")
    item.places["/declared_value"] = item.places["/insured_value"] = group.line
    first = len(elements) - 3 if len(elements) >= 5 else 2
    charges = record.parts[CHARGES]
    paid = next((each for each in elements[1:first] if each), "")
    if paid[:1] in ("P", "C"):
        record.parts[LOOSE]["TotalChargePrepaidIndicator"] = "true" if paid[0] == "P" else "false"
    currency = elements[0]
    if currency:
        charges["currency"] = currency
    for name, said in zip(_VALUES, elements[first:], strict=False):
        if said not in NO_VALUE:
            charges[name] = said
            charges[f"{name}@"] = currency


def put_notes(group: Group, record: xml.Record, item: LineItem) -> None:
    """Fill one customs note per line: country, subject, content code, content."""
    item.places.setdefault("/documents", group.line)
    for row in group.rows:
        country, subject, code, *said = [*row.elements, "", "", "", ""][: max(4, len(row.elements))]
        note = {"country": country, "subject": subject, "code": code, "text": "/".join(said)}
        record.lists[NOTES].append({name: text for name, value in note.items() if (text := value.strip())})


TEXTS: Final = {"SSR": "HandlingSSRInstructions", "OSI": "HandlingOSIInstructions"}
CODES: Final = {"SPH": "HandlingSPHInstructions", "ULD": "UtilizedUnitLoadTransportEquipment"}


def put_lists(groups: Iterable[Group], extra: dict[str, str]) -> None:
    """Keep instructions (``SSR``, ``OSI``), handling codes (``SPH``) and devices (``ULD``), a line each."""
    found: dict[str, list[str]] = {}
    for group in groups:
        if group.name in TEXTS:
            found.setdefault(TEXTS[group.name], []).extend(filter(None, map(whole, group.rows)))
        elif group.name in CODES:
            found.setdefault(CODES[group.name], []).extend(codes_of(group.rows))
    for name, texts in found.items():
        if texts:
            extra[name] = "\n".join([extra[name], *texts] if name in extra else texts)


def codes_of(rows: Iterable[Row]) -> list[str]:
    """Return the elements of lines that are lists of codes."""
    return [text for row in rows for each in row.elements if (text := each.strip())]


def text_of(rows: Sequence[Row]) -> str:
    """Return a text of several lines: joined as they stand where all but the last are full, else with a blank between."""
    lines = ["/".join(row.elements) for row in rows]
    full = all(len(line) == TEXT for line in lines[:-1])
    return " ".join(("" if full else " ").join(lines).split())


def put_hs_codes(codes: Sequence[str], line: dict[str, Any], number: int, extra: dict[str, str], item: LineItem) -> None:
    """Fill the HS code of a line of goods; further ones are kept, since a line has one."""
    found = [code for code in codes if code]
    if not found:
        return
    line["hs_code"] = found[0]
    if len(found) > 1:
        extra[f"Item[{number}]/HTS"] = " ".join(found[1:])
        told = f"One line of goods has {len(found)} HS codes; the first was taken, the others were kept beside it."
        item.note("FLD-AGAIN", f"/goods_items/{number - 1}/hs_code", " ".join(found), message=told)


def ignored(message: Message, groups: Iterable[Group], known: frozenset[str], item: LineItem) -> None:
    """Tell of lines that the message does not have."""
    left = [group for group in groups if group.name not in known]
    for group in left[:20]:
        said = group.name or whole(group.rows[0])[:35]
        item.note("FLD-IGNORED", at=f"{message.at(group.line)}, {said}")


def route_paths(table: Mapping[str, str], line: str) -> dict[str, str]:
    """Return *table* with the fields of the line that names pieces, mass and route."""
    fields = {"package_count": "pieces", "gross_mass_kg": "weight", "place_of_loading": "route", "place_of_arrival": "route"}
    return dict(table) | {f"/{field}": f"{line}/{name}" for field, name in fields.items()}


def content_of(record: xml.Record) -> dict[str, Any]:
    """Return what a record says of the consignment or movement itself."""
    return record.parts[HOUSE]
