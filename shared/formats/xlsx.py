"""Workbooks (Office Open XML, .xlsx), as far as one table needs them: rows of texts out of the first sheet, and a plain sheet written.

A workbook comes from outside and is an archive of XML, so it is read by hand and with a bound on everything: 5 MiB as it comes, 40 MiB
unpacked while it streams (never trusting the sizes it claims), 200 parts, 60,000 rows, 1,000,000 cells, 300 columns. Refused with a reason:
passwords, macros, embedded objects, links to other workbooks and connections, DOCTYPEs. Nothing in an archive is opened but the list of
sheets, the shared texts, the styles and one sheet; nothing is ever fetched or computed. A hyperlink on a cell is only text.

Numbers come as plain decimals, dates by their style as ISO 8601, booleans as ``true`` and ``false``. A cell with a formula is kept apart:
its place is told, its value not used. Source: ECMA-376, parts 1 and 2.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import IO, Any, Final, NamedTuple
from xml.sax.saxutils import escape

from lxml import etree

from shared.formats import xml
from shared.formats.csv import guarded
from shared.formats.json import STRING_LIMIT
from shared.formats.xml import check_size, malformed

UNPACKED_LIMIT: Final = 40 * 1024 * 1024
PART_LIMIT: Final = 200
ROW_LIMIT: Final = 60_000
CELL_LIMIT: Final = 1_000_000
COLUMN_LIMIT: Final = 300
HIGHEST_ROW: Final = 1_048_576
"""The number of the last row that a sheet can have."""

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_ACTIVE = re.compile(
    r"vbaProject|macrosheets/|externalLinks/|embeddings/|activeX/|ctrlProps/|connections\.xml|queryTables/|webExtensions/", re.I
)
_PARSER: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
}
_DATE_STYLES: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    OverflowError,
)
"""What the archive's own reader raises for archives that are cut, forged, locked or packed in another way."""
_COLUMN = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$").match


class Sheet(NamedTuple):
    """Rows with their number (1-based); formulas by row and column (0-based); whether further sheets hold something."""

    rows: list[tuple[int, list[str]]]
    formulas: dict[int, list[int]]
    others: tuple[str, ...]


class _Bounded(io.RawIOBase):
    """A part of the archive as it unpacks; what all parts together may give is counted here."""

    def __init__(self, source: IO[bytes], left: list[int]) -> None:
        self._source = source
        self._left = left

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(min(size, 65536) if size > 0 else 65536)
        self._left[0] -= len(data)
        if self._left[0] < 0:
            raise malformed("XLS-ARCHIVE", f"The workbook is larger than {UNPACKED_LIMIT >> 20} MiB when it is unpacked.")
        return data


def read(body: bytes, *, decimal_comma: bool = False) -> Sheet:
    """Return the first visible sheet that holds two rows or more. *decimal_comma* writes numbers as the sender's texts are written.

    Raises :class:`shared.errors.MalformedMessage`.
    """
    check_size(body)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return _Reading(archive, decimal_comma).sheet()
    except etree.XMLSyntaxError as exc:
        code = "XLS-ARCHIVE" if "limit" in (exc.msg or "") else "MSG-SYNTAX"
        raise malformed(code, f"A part of the workbook is not well-formed: {(exc.msg or '')[:100]}.") from exc
    except _DAMAGED as exc:
        raise malformed("XLS-ARCHIVE", f"The workbook cannot be unpacked: {str(exc)[:100]}.") from exc
    except (LookupError, ValueError) as exc:
        raise malformed("MSG-SYNTAX", "The workbook's parts do not fit together.") from exc


class _Reading:
    """One workbook while it is read."""

    def __init__(self, archive: zipfile.ZipFile, decimal_comma: bool) -> None:
        self._archive = archive
        self._left = [UNPACKED_LIMIT]
        self._comma = decimal_comma
        self._check()
        self._targets = self._relations()
        self._strings = self._texts()
        self._dates, self._epoch = self._styles(), datetime.fromisoformat("1899-12-30")

    def _check(self) -> None:
        parts = self._archive.infolist()
        if len(parts) > PART_LIMIT:
            raise malformed("XLS-ARCHIVE", f"The archive has {len(parts)} parts.")
        for part in parts:
            if part.flag_bits & 1:
                raise malformed("XLS-ARCHIVE", "The workbook is protected by a password.")
            if _ACTIVE.search(part.filename):
                raise malformed("XLS-ACTIVE", value=part.filename[:100])
        if len({part.filename for part in parts}) != len(parts):
            raise malformed("XLS-ARCHIVE", "The archive names a part twice.")

    def _elements(self, name: str, *tags: str) -> Iterator[etree._Element]:
        """Yield the elements of a part as they end, each emptied after use; comes to nothing where there is no such part."""
        try:
            source = self._archive.open(name)
        except KeyError:
            return
        wanted = [space + tag for tag in tags for space in (_MAIN, _STRICT)]
        with source:
            walk = etree.iterparse(_Bounded(source, self._left), events=("end",), tag=wanted, **_PARSER)
            for _, element in walk:
                if element.getroottree().docinfo.internalDTD is not None:
                    raise malformed("MSG-DOCTYPE", path=name)
                yield element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]

    def _relations(self) -> dict[str, str]:
        with self._archive.open("xl/_rels/workbook.xml.rels") as source:
            text = _Bounded(source, self._left).read(1024 * 1024)
        found = {}
        for relation in xml.parse(text):
            if relation.get("TargetMode") == "External":
                raise malformed("XLS-ACTIVE", "The workbook is linked to something outside.", value=str(relation.get("Target"))[:100])
            target = str(relation.get("Target"))
            found[str(relation.get("Id"))] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        return found

    def _texts(self) -> list[str]:
        return [_text(element) for element in self._elements("xl/sharedStrings.xml", "si")]

    def _styles(self) -> list[bool]:
        """Return for each cell style whether it shows a date."""
        formats: dict[int, str] = {}
        found: list[bool] = []
        for element in self._elements("xl/styles.xml", "numFmt", "cellXfs"):
            if element.tag.endswith("numFmt"):
                formats[int(element.get("numFmtId", "0"))] = str(element.get("formatCode", ""))
            else:
                found = [_shows_date(int(style.get("numFmtId", "0")), formats) for style in element]
        return found

    def sheet(self) -> Sheet:
        names: list[tuple[str, str]] = []
        for element in self._elements("xl/workbook.xml", "workbookPr", "sheet"):
            if element.tag.endswith("workbookPr"):
                if element.get("date1904") in ("1", "true"):
                    self._epoch = datetime.fromisoformat("1904-01-01")
            elif element.get("state") in (None, "visible"):
                relation = element.get(_RELATION) or element.get(_STRICT_RELATION)
                names.append((str(element.get("name")), self._targets[str(relation)]))
        for index, (_, target) in enumerate(names):
            sheet = self._rows(target)
            if len(sheet.rows) > 1 or index == len(names) - 1:
                return sheet._replace(others=tuple(name for name, _ in names[index + 1 :]))
        raise malformed("MSG-NO-ITEMS", "The workbook has no visible sheet.")

    def _rows(self, target: str) -> Sheet:
        rows: list[tuple[int, list[str]]] = []
        formulas: dict[int, list[int]] = {}
        number = cells = 0
        for element in self._elements(target, "row"):
            number = _number(element.get("r"), number)
            texts: list[str] = []
            for cell in element:
                self._cell(cell, texts, number, formulas)
            cells += len(texts)
            if any(texts) or number in formulas:
                rows.append((number, texts))
            if len(rows) > ROW_LIMIT or cells > CELL_LIMIT:
                raise malformed("XLS-SIZE", line=number)
        return Sheet(rows, formulas, ())

    def _cell(self, cell: etree._Element, texts: list[str], number: int, formulas: dict[int, list[int]]) -> None:
        place = _place(cell.get("r"), len(texts))
        texts.extend([""] * (place - len(texts)))
        if cell.find(_MAIN + "f") is not None or cell.find(_STRICT + "f") is not None:
            formulas.setdefault(number, []).append(place)
            texts.append("")
            return
        text = self._value(cell)
        if len(text) > STRING_LIMIT:
            raise malformed("MSG-STRING", line=number)
        if "\0" in text:
            raise malformed("MSG-NUL", line=number)
        texts.append(text.strip())

    def _value(self, cell: etree._Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _text(cell)
        value = next((child.text or "" for child in cell if str(child.tag).endswith("}v")), "")
        if kind == "s":
            return self._strings[int(value)] if value else ""
        if kind == "b":
            return "true" if value == "1" else "false"
        if kind == "e":
            return ""
        if kind != "n" or not value:
            return value
        style = int(cell.get("s", "0"))
        if style < len(self._dates) and self._dates[style]:
            return self._date(float(value))
        text = _plain(value)
        return text.replace(".", ",") if self._comma else text

    def _date(self, serial: float) -> str:
        """Return a day, or a time of a day, as the sheet counts them."""
        if not 0 <= serial < 2_958_466:
            return str(serial)
        at = self._epoch + timedelta(seconds=round(serial * 86400))
        return at.date().isoformat() if serial == int(serial) else at.isoformat()


def _number(said: str | None, before: int) -> int:
    """Return the number of a row: what it says, else the one behind the row *before*."""
    number = int(said) if said else before + 1
    if not before < number <= HIGHEST_ROW:
        raise malformed("XLS-SIZE", f"Row {said or number} is out of place: rows are numbered upwards, to {HIGHEST_ROW:,}.")
    return number


def _place(reference: str | None, otherwise: int) -> int:
    found = _COLUMN(reference) if reference else None
    place = otherwise
    if found:
        place = 0
        for letter in found[1]:
            place = place * 26 + ord(letter) - 64
        place -= 1
    if place >= COLUMN_LIMIT or place < otherwise:
        raise malformed("XLS-SIZE", f"The cell {reference or place} is out of place: a row has at most {COLUMN_LIMIT} cells, in order.")
    return place


def _text(element: etree._Element) -> str:
    """Return the text of a string item, rich or plain, without phonetic hints."""
    pieces = []
    for part in element.iter():
        if str(part.tag).endswith("}t") and not any(str(above.tag).endswith("}rPh") for above in part.iterancestors()):
            pieces.append(part.text or "")
    return "".join(pieces)


def _shows_date(number: int, formats: Mapping[int, str]) -> bool:
    if number in _DATE_STYLES:
        return True
    return any(letter in _LITERAL.sub("", formats.get(number, "")).lower() for letter in "ydhs")


def _plain(value: str) -> str:
    """Return a number without exponent; binary fractions as the fifteen digits people see."""
    if value.isdecimal():
        return value
    number = float(value)
    if number != number or abs(number) >= 1e15:
        return value
    text = f"{number:.15g}"
    return f"{number:.15f}".rstrip("0").rstrip(".") if "e" in text else text


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PARTS: Final = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override '
    'PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Guichet" sheetId="1" '
    'r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write(header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> bytes:
    """Return a workbook of one sheet: texts only, guarded as in CSV, so that nothing becomes a formula wherever it is copied to. The
    same rows always give the same bytes."""
    lines = "".join(_line(number, cells) for number, cells in enumerate([header, *rows], 1))
    pane = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}">{pane}<sheetData>{lines}</sheetData></worksheet>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(zipfile.ZipInfo(name), _DECLARATION + content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _line(number: int, cells: Sequence[str | None]) -> str:
    written = "".join(
        f'<c r="{column_name(place)}{number}" t="inlineStr"><is><t xml:space="preserve">{_escaped(text)}</t></is></c>'
        for place, text in enumerate(cells)
        if text
    )
    return f'<row r="{number}">{written}</row>'


def _escaped(text: str) -> str:
    return escape(_ILLEGAL.sub("?", guarded(text)), {"\r": "&#13;"})


def column_name(place: int) -> str:
    """Return the letters of a column, 0-based.

    >>> column_name(0), column_name(27)
    ('A', 'AB')
    """
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
