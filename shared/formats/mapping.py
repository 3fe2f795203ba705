"""Which column of a new spreadsheet is which of the hub's: a proposal from names and values, with its reasons.

A name counts most: the hub's own, one of the known other names (``shared.codes.column_names``), or one that shares its words. Values
speak for or against: a house waybill does not repeat like a master's, a currency is three letters of a list. What only values speak for
is proposed as doubtful. Each column of the hub is proposed once. Of the formats that read tables the one whose mandatory columns are best
proposed is taken. Character set and decimal comma are proposed too. Pure; the result becomes part of the sender's dialect.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final, Literal, NamedTuple

from charset_normalizer import from_bytes

from shared.codes.column_names import columns as other_names
from shared.errors import MalformedMessage
from shared.formats import TABLES, Sketch, Tabular, checks, csv, values, xlsx
from shared.formats.xml import check_arrival
from shared.identifiers import air_waybill, eori, gtin, ioss
from shared.model import DEFAULT_DIALECT, Dialect

Sureness = Literal["sure", "likely", "doubtful", "unknown"]
SAMPLE: Final = 200
"""Rows whose values are looked at."""


_WESTERN: Final = "cp1252"
_WORKBOOK: Final = b"PK\x03\x04"


class Proposal(NamedTuple):
    """What a column probably is. ``score`` runs from 0 to 1; ``why`` is for people."""

    name: str
    column: str | None
    sureness: Sureness
    score: float
    why: str


class Table(NamedTuple):
    """A spreadsheet before anything is known of it."""

    header: list[str]
    rows: list[list[str]]
    kind: Literal["csv", "workbook"] = "csv"


def charset(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> str:
    """Return the character set of a table: the dialect's where the bytes are that or a workbook, else the likeliest of those that a dialect
    may name, Western European where it says the same.

    Raises :class:`shared.errors.MalformedMessage` where there is none, and for what is no table at all.
    """
    check_arrival(body)
    if body.startswith(_WORKBOOK):
        return dialect.encoding
    try:
        csv.decoded(body, dialect.encoding)
    except MalformedMessage as exc:
        found = from_bytes(body, cp_isolation=sorted(csv.CHARSETS)).best() if exc.finding_code == "MSG-CHARSET" else None
        if found is None:
            raise
        return _WESTERN if _WESTERN in found.could_be_from_charset else found.encoding
    return dialect.encoding


def read(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> Table:
    """Return header and first rows of a CSV file or workbook. Raises :class:`shared.errors.MalformedMessage`."""
    if body.startswith(_WORKBOOK):
        sheet = xlsx.read(body)
        first = next((index for index, (_, texts) in enumerate(sheet.rows) if sum(map(bool, texts)) > 2), 0)
        return Table(
            sheet.rows[first][1] if sheet.rows else [], [texts for _, texts in sheet.rows[first + 1 : first + 1 + SAMPLE]], "workbook"
        )
    header = csv.header_of(body, dialect.encoding)
    named = dict(zip(header, map(str, range(len(header))), strict=False))
    table = csv.parse(body, dialect.encoding, named)
    rows = [table.cells(row) for row in table.rows[:SAMPLE]]
    return Table(header, [[cells.get(str(place), "") for place in range(len(header))] for cells in rows])


def layouts(table: Table) -> list[Tabular]:
    """Return the formats that read tables of this kind, in the order of the list."""
    return [module for module in TABLES.values() if module.recognise(Sketch(table.kind, keys=module.COLUMNS)).degree == 1]


def likeliest(table: Table) -> Tabular:
    """Return the format whose mandatory columns are best proposed; the first of the list where several are alike."""
    return max(layouts(table), key=lambda module: _support(propose(table.header, table.rows, module), module))


def _support(proposals: Iterable[Proposal], module: Tabular) -> float:
    return sum(each.score for each in proposals if each.column in module.MANDATORY) / len(module.MANDATORY)


def propose(header: Sequence[str], rows: Sequence[Sequence[str]], module: Tabular) -> list[Proposal]:
    """Return a proposal for each column of *header* among those of *module*, in its order."""
    cells = [[row[place].strip() for row in rows[:SAMPLE] if place < len(row) and row[place].strip()] for place in range(len(header))]
    ranked = sorted(
        ((*_score(name, cells[place], column), place, column) for place, name in enumerate(header) for column in module.COLUMNS),
        key=lambda each: (-each[0], each[2], each[3]),
    )
    found: dict[int, Proposal] = {}
    given: set[str] = set()
    for score, why, place, column in ranked:
        if score >= 0.35 and place not in found and column not in given:
            found[place] = Proposal(header[place], column, _sureness(score), round(score, 2), why)
            given.add(column)
    return [
        found.get(place, Proposal(name, None, "unknown", 0.0, "no name or value speaks for a column")) for place, name in enumerate(header)
    ]


def columns_of(proposals: Iterable[Proposal], least: Sureness = "likely") -> dict[str, str]:
    """Return the mapping of those proposals that are at least as sure as *least*; names that are the hub's already need none."""
    order: tuple[Sureness, ...] = ("sure", "likely", "doubtful", "unknown")
    taken = order[: order.index(least) + 1]
    return {each.name: each.column for each in proposals if each.column and each.sureness in taken and each.name.lower() != each.column}


def has_decimal_commas(proposals: Iterable[Proposal], table: Table) -> bool:
    """Whether the numbers of *table* have commas before their decimals: one has, and none is written in another way."""
    places = [place for place, each in enumerate(proposals) if each.column is not None and _TESTS.get(each.column) is _number]
    cells = [cell for row in table.rows for place in places if place < len(row) and (cell := row[place].strip())]
    return any("," in cell for cell in cells) and all(map(_WITH_COMMA, cells))


def missing(proposals: Iterable[Proposal], module: Tabular) -> list[str]:
    """Return the mandatory columns of *module* that nothing was proposed for."""
    given = {each.column for each in proposals}
    return [column for column in module.MANDATORY if column not in given]


def _sureness(score: float) -> Sureness:
    return "sure" if score >= 0.9 else "likely" if score >= 0.6 else "doubtful"


def _score(name: str, cells: Sequence[str], column: str) -> tuple[float, str]:
    by_name, why = _by_name(name, column)
    test = _TESTS.get(column)
    if test is None or not cells:
        return by_name, why
    share = sum(1 for cell in cells if test(cell)) / len(cells)
    if by_name:
        if share >= 0.8:
            return min(by_name + 0.15, 1.0), f"{why}; {share:.0%} of the values have its form"
        return (by_name * 0.6, f"{why}, but only {share:.0%} of the values have its form") if share < 0.3 else (by_name, why)
    telling = share >= 0.9 and column in _TELLING
    return (0.5 if share == 1 else 0.4, f"{share:.0%} of the values have its form") if telling else (0.0, "")


def _by_name(name: str, column: str) -> tuple[float, str]:
    said = plain(name)
    if not said:
        return 0.0, ""
    if said == plain(column):
        return 1.0, "the hub's own name"
    known = _known(column)
    if said in known:
        return 0.85, "a name it goes by"
    words = set(said.split())
    best = max((len(words & set(other.split())) / len(words | set(other.split())) for other in known), default=0.0)
    return (best * 0.8, "its words are like those of a known name") if best >= 0.5 else (0.0, "")


@cache
def _known(column: str) -> frozenset[str]:
    return frozenset(map(plain, (column, *other_names().get(column, ()))))


def plain(name: str) -> str:
    """Return a column name as words: no case, accents, punctuation; abbreviations written out.

    >>> plain("N° de  Lettre-Transport"), plain("HAWB No.")
    ('number de lettre transport', 'hawb number')
    """
    text = unicodedata.normalize("NFKD", name.replace("№", "no ").replace("N°", "no ").replace("#", " no ")).lower()
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    words = re.sub(r"[\W_]+", " ", text).split()
    return " ".join("number" if word in ("no", "nr", "num", "nbr", "numero", "nummer") else word for word in words)


def _number(cell: str) -> bool:
    return values.money(cell, DEFAULT_DIALECT) is not None or values.money(cell, Dialect(decimal_comma=True)) is not None


_WITH_COMMA: Final = re.compile(r"[+-]?(?:[0-9]{1,3}(?:[. ][0-9]{3})+|[0-9]+)(?:,[0-9]+)?").fullmatch


def _of(pattern: str) -> Callable[[str], bool]:
    match = re.compile(pattern).fullmatch
    return lambda cell: match(cell) is not None


_country: Callable[[str], bool] = checks.COUNTRIES.__contains__
_email, _phone, _airport = _of(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"), _of(r"\+?[0-9 ()./-]{7,20}"), _of(r"[A-Z]{3}|[A-Z]{2}[A-Z0-9]{3}")
_TESTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "mawb": lambda cell: air_waybill.problem(cell) is None,
    "hawb": _of(r"(?=.*[0-9])[A-Za-z0-9/-]{5,35}"),
    "flight": _of(r"[A-Z0-9]{2,3} ?[0-9]{1,4}[A-Z]?"),
    "flight_date": _of(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}"),
    "dep_airport": _airport,
    "arr_airport": _airport,
    "shipper_country": _country,
    "consignee_country": _country,
    "origin_country": _country,
    "currency": checks.CURRENCIES.__contains__,
    "freight_currency": checks.CURRENCIES.__contains__,
    "shipper_email": _email,
    "consignee_email": _email,
    "shipper_phone": _phone,
    "consignee_phone": _phone,
    "shipper_eori": lambda cell: eori.problem(cell) is None,
    "consignee_eori": lambda cell: eori.problem(cell) is None,
    "importer_eori": lambda cell: eori.problem(cell) is None,
    "ioss_no": lambda cell: ioss.problem(cell) is None,
    "hs_code": _of(r"[0-9]{4}[. ]?[0-9]{2}(?:[. ]?[0-9]{2}){0,2}"),
    "pieces": _of(r"[0-9]{1,4}"),
    "item_no": _of(r"[0-9]{1,4}"),
    "quantity": _number,
    "gross_weight": _number,
    "item_gross_kg": _number,
    "item_net_kg": _number,
    "item_value": _number,
    "freight_value": _number,
    "insurance_value": _number,
    "weight_unit": _of(r"(?i)kgm?|lbs?|lbr|k|l"),
    "url": _of(r"https?://\S+"),
    "incoterm": _of(r"EXW|FCA|FOB|CFR|CIF|CPT|CIP|DAP|DPU|DDP|DDU|FAS"),
    "sale_type": _of(r"(?i)b2c|b2b|c2c"),
    "movement": _of(r"(?i)entry|exit|in|out"),
    "moved_at": _of(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}.*"),
    "gtin": lambda cell: gtin.problem(cell) is None,
    "bonded": _of(r"(?i)yes|no"),
    "unit_value": _number,
    "gross_mass_kg": _number,
    "country": _country,
    "master_number": lambda cell: air_waybill.problem(cell) is None,
}
_TELLING: Final = frozenset(
    {"mawb", "currency", "ioss_no", "url", "consignee_email", "weight_unit", "incoterm", "sale_type", "hs_code", "movement", "gtin"}
)
"""Columns that are known by their values alone."""
