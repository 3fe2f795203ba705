"""CSV: decoded text, a header row, rows with the line they begin on; and tables written so that no spreadsheet takes a cell for a formula.

The separator is the comma, semicolon or tab the header row uses most outside of quotes; quotes are doubled; empty cells are absent. A byte
order mark says UTF-8 or UTF-16; without one the dialect's character set is taken. Refused as a whole: more than 5 MiB, another character
set than agreed, no header row, a text above 64 kB, an open quote.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from shared.errors import Misconfigured
from shared.formats.json import STRING_LIMIT
from shared.formats.xml import UTF16, check_bytes, check_size, malformed

CHARSETS: Final = frozenset(
    [
        "utf-8",
        "utf-16",
        "ascii",
        "iso8859-1",
        "iso8859-2",
        "iso8859-15",
        "cp1250",
        "cp1251",
        "cp1252",
        "gb18030",
        "gbk",
        "big5",
        "shift_jis",
    ]
)
"""Character sets a dialect may name, by Python's name of the codec; ``windows-1251`` and other aliases are read as these."""

FINDINGS: Final = "guichet_findings"
"""The column in which a table comes back with what was found; not read when the corrected table is sent again."""

_LONGEST_NAME: Final = 60
"""Characters of what may be the name of a column."""

_QUOTED = re.compile('"(?:[^"]|"")*"?')
_BARE_RETURN = re.compile(r"\r(?!\n)").search
_FORMULA = re.compile(r"'*[=+\-@\t\r]").match
_GUARDED = re.compile(r"'+[=+\-@\t\r]").match
_GUARD = re.compile(r"'[=+\-@\t\r]").search


class Row(NamedTuple):
    """One row: its first line (1-based), a text without blanks around it for each column, how many cells had no column."""

    line: int
    values: Sequence[str]
    surplus: int


class Table(NamedTuple):
    """The rows below a header, and their columns in lower case."""

    columns: tuple[str, ...]
    rows: list[Row]

    def cells(self, row: Row) -> dict[str, str]:
        """Return what stands in *row*, by column."""
        return {name: text for name, text in zip(self.columns, row.values, strict=True) if text}


def parse(body: bytes, encoding: str, columns: Mapping[str, str]) -> Table:
    """Return the rows below the header that hold anything. *columns* translates a sender's own names.

    Raises :class:`shared.errors.MalformedMessage`.
    """
    text = decoded(body, encoding)
    try:
        lines = _table(text, separator_of(text.partition("\n")[0]))
        header = columns_of(next(lines)[1], own_names(columns))
        found = table(header, lines, guarded=_GUARD(text) is not None)
        return found._replace(rows=[row for row in found.rows if row.surplus or any(row.values)])
    except csv.Error as exc:
        raise malformed("MSG-SYNTAX", f"The table cannot be read: {exc}.") from exc


def header_of(body: bytes, encoding: str) -> list[str]:
    """Return the header row as it stands. Raises :class:`shared.errors.MalformedMessage`."""
    first = decoded(body, encoding)
    separator = separator_of(first.partition("\n")[0])
    try:
        return [cell.strip() for cell in next(csv.reader(io.StringIO(first, newline=""), delimiter=separator, strict=True), [])]
    except csv.Error as exc:
        raise malformed("MSG-SYNTAX", f"The table cannot be read: {exc}.", line=1) from exc


def own_names(columns: Mapping[str, str]) -> dict[str, str]:
    """Return *columns* as header rows are compared: trimmed, in lower case."""
    return {name.strip().lower(): hub for name, hub in columns.items()}


def decoded(body: bytes, encoding: str) -> str:
    """Return *body* as text. Raises :class:`shared.errors.MalformedMessage`, and ``Misconfigured`` for a character set that is not in
    the list."""
    name = charset(encoding)
    if body.startswith(UTF16):
        check_size(body)
        name = "utf-16"
    else:
        check_bytes(body)
        if name == "utf-8" or body.startswith(codecs.BOM_UTF8):
            name = "utf-8-sig"
    try:
        text = body.decode(name)
    except UnicodeDecodeError as exc:
        raise malformed("MSG-CHARSET", f"The bytes are not {encoding}.", line=body.count(b"\n", 0, exc.start) + 1) from exc
    if "\0" in text:
        raise malformed("MSG-NUL", line=text.count("\n", 0, text.index("\0")) + 1)
    return text


def charset(encoding: str) -> str:
    """Return Python's name of a character set. Raises :class:`shared.errors.Misconfigured` for one that is not in the list."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as exc:
        raise Misconfigured(f"unknown character set {encoding[:40]!r}") from exc
    if name not in CHARSETS:
        raise Misconfigured(f"character set {encoding[:40]!r} is not accepted")
    return name


def separator_of(header: str) -> str:
    """Return the separator of a header row.

    >>> separator_of('"Name, first";hawb;pieces')
    ';'
    """
    return max(",;\t", key=_QUOTED.sub("", header).count)


def looks_headed(text: str) -> bool:
    """Whether *text* begins with a header row, whatever its names: short, no two alike, and as many cells in the row below.

    >>> looks_headed("parcel;weight\\n1;2\\n"), looks_headed("Dear customs, please find attached nothing.\\n")
    (True, False)
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text.partition("\n")[0]))
    try:
        names = [name.strip() for name in next(rows, [])]
        below = next(rows, [])
    except csv.Error:
        return False
    return 1 < len(names) == len(set(names)) == len(below) and all(0 < len(name) <= _LONGEST_NAME for name in names)


def table(header: Sequence[str], lines: Iterable[tuple[int, Sequence[str]]], *, guarded: bool) -> Table:
    """Return the rows that *lines* make, each with its number, below a header of :func:`columns_of`. What the hub itself found in it once
    is left out; *guarded* says that cells may be written as :func:`write` does."""
    width = len(header)
    kept = [place for place, name in enumerate(header) if name not in ("", FINDINGS)]
    nameless = [place for place, name in enumerate(header) if not name]
    rows = []
    for line, cells in lines:
        values = [*map(str.strip, cells)]
        if guarded:
            values = [*map(unguarded, values)]
        surplus = 0
        if len(values) < width:
            values += [""] * (width - len(values))
        elif len(values) > width or nameless:
            surplus = sum(map(bool, [*values[width:], *[values[place] for place in nameless]]))
        rows.append(Row(line, values if len(values) == len(kept) else [values[place] for place in kept], surplus))
    return Table(tuple([header[place] for place in kept]), rows)


def _table(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row with the line it begins on; the header comes first, and empty where there is none."""
    reader = csv.reader(_lines(text), delimiter=separator, strict=True)
    long = max(map(len, text.split("\n"))) > STRING_LIMIT
    yield 1, next(reader, [])
    number = reader.line_num + 1
    for cells in reader:
        if (long or reader.line_num > number) and max(map(len, cells), default=0) > STRING_LIMIT:
            raise malformed("MSG-STRING", line=number)
        yield number, cells
        number = reader.line_num + 1


def _lines(text: str) -> Iterator[str]:
    """Return the lines of *text* with their ends, one by one: a ``StringIO`` would hold four bytes a character meanwhile."""
    return _cut(text) if _BARE_RETURN(text) is None else io.StringIO(text, newline="")


def _cut(text: str) -> Iterator[str]:
    start = 0
    while end := text.find("\n", start) + 1:
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def columns_of(cells: Iterable[str], own: Mapping[str, str]) -> list[str]:
    """Return the header row in the hub's names. Raises :class:`shared.errors.MalformedMessage` when a column is named twice."""
    header = [cell.strip().lower() for cell in cells]
    header = [own.get(name, name) for name in header]
    named = [name for name in header if name]
    if len(set(named)) != len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise malformed("MSG-DUPLICATE-KEY", f"The column {twice[:60]!r} is named twice.", value=twice[:60], line=1)
    return header


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def guarded(text: str) -> str:
    """Return *text* so that a spreadsheet takes it for text: an apostrophe before ``= + - @``, tab and carriage return.

    >>> guarded("=HYPERLINK(A1)"), guarded("+32 4 255"), guarded("mug")
    ("'=HYPERLINK(A1)", "'+32 4 255", 'mug')
    """
    return f"'{text}" if _FORMULA(text) else text


def unguarded(text: str) -> str:
    """Return what :func:`guarded` was given."""
    return text[1:] if _GUARDED(text) else text


def write(header: Sequence[str], rows: Iterable[Sequence[str | None]], separator: str = ",") -> bytes:
    """Return a table in UTF-8 with byte order mark, every cell quoted and guarded."""
    lines = [header, *rows]
    return ("\ufeff" + "".join(separator.join(map(_cell, line)) + "\r\n" for line in lines)).encode("utf-8", "replace")


def _cell(text: str | None) -> str:
    return '"' + guarded(text or "").replace('"', '""') + '"'


def as_it_came(body: bytes, encoding: str) -> tuple[str, list[str], list[tuple[int, list[str]]]]:
    """Return the separator, the header and the rows of a table, each with its line.

    Raises :class:`shared.errors.MalformedMessage` when it is no table.
    """
    text = decoded(body, encoding)
    separator = separator_of(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = next(reader, [])
        line = reader.line_num + 1
        for cells in reader:
            rows.append((line, [unguarded(cell) for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as exc:
        raise malformed("MSG-SYNTAX", f"The table cannot be read: {exc}.") from exc
    return separator, header, rows


def annotated(
    header: Sequence[str], rows: Sequence[tuple[int, list[str]]], findings: Mapping[int, str]
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows with a last column of findings, in place of one that was there before."""
    before = header.index(FINDINGS) if FINDINGS in header else len(header)
    width = max([len(header), *(len(cells) for _, cells in rows)])

    def whole(cells: Sequence[str]) -> list[str]:
        padded = [*cells, *[""] * (width - len(cells))]
        return padded[:before] + padded[before + 1 :] if before < len(header) else padded

    return [*whole(header), FINDINGS], [[*whole(cells), findings.get(line, "")] for line, cells in rows]
