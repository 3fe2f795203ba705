"""Express manifest as a workbook: the columns of :mod:`shared.formats.manifest` in the first sheet with a header row.

Titles above the header are passed over: the header is the first of twenty rows that names ``hawb`` and another column. A cell with a
formula refuses its consignment; other consignments are taken. What a workbook may be at all stands in :mod:`shared.formats.xlsx`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shared.contracts import Notice
from shared.formats import csv, manifest, manifest_table, xlsx
from shared.formats.base import UNLIKE, Certainty, Envelope, Likeness, Parsed, Received, Sketch, Written
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, RawMessage

NAME: Final = "manifest-xlsx"
TITLE: Final = "Express manifest, workbook"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",)
VERSIONS: Final[tuple[str, ...]] = ("1",)
SOURCE: Final = manifest.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = NAME
PATHS: Final[Mapping[str, str]] = manifest_table.PATHS
COLUMNS: Final = manifest.COLUMNS
MANDATORY: Final[tuple[str, ...]] = manifest.MANDATORY

_TITLES: Final = 20


def recognise(sketch: Sketch) -> Likeness:
    """Any workbook: there is no other format in one, and the reader says what is missing."""
    return Likeness(1.0, "a workbook") if sketch.kind == "workbook" else UNLIKE


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a manifest. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    sheet = xlsx.read(raw.body, decimal_comma=dialect.decimal_comma)
    start, header = _header(sheet, csv.own_names(dialect.columns))
    table = csv.table(header, sheet.rows[start + 1 :], guarded=True)
    table = table._replace(rows=[row for row in table.rows if any(row.values) or row.line in sheet.formulas])
    formulas = {number: [_name(header, place) for place in places] for number, places in sheet.formulas.items()}
    return manifest_table.read(NAME, table, raw, dialect, formulas, sheet.others)


def _header(sheet: xlsx.Sheet, own: Mapping[str, str]) -> tuple[int, list[str]]:
    """Return where the header stands among the rows, and its columns."""
    for index, (number, texts) in enumerate(sheet.rows[:_TITLES]):
        names = {own.get(text.strip().lower(), text.strip().lower()) for text in texts}
        if manifest_table.HAWB in names and len(names & manifest.COLUMNS) > 1:
            if number in sheet.formulas:
                raise malformed("XLS-FORMULA", "The header row holds a formula.", line=number)
            return index, csv.columns_of(texts, own)
    raise malformed("MSG-HEAD", "No row of the first sheet is a header with hawb.", path=manifest_table.HAWB)


def _name(header: Sequence[str], place: int) -> str:
    return header[place] if place < len(header) and header[place] else xlsx.column_name(place)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write a manifest of *filings*, one row per goods line."""
    header, rows, findings = manifest_table.filed(filings, dialect)
    return Written(xlsx.write(header, rows) if rows else b"", tuple(findings))


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write a list of what was decided."""
    return xlsx.write(manifest_table.NOTICE_COLUMNS, manifest_table.told(notices))


def acknowledge(received: Received, dialect: Dialect) -> bytes:
    """Return the first sheet that came, as texts, with a last column of what was found (see
    :func:`shared.formats.manifest_table.returned`)."""
    if received.refusal:
        return xlsx.write(*manifest_table.refused(received.refusal))
    sheet = xlsx.read(received.raw.body, decimal_comma=dialect.decimal_comma)
    start, _ = _header(sheet, csv.own_names(dialect.columns))
    rows = [(number, [csv.unguarded(text) for text in texts]) for number, texts in sheet.rows[start + 1 :]]
    return manifest_table.returned(received.taken, sheet.rows[start][1], rows, xlsx.write)
