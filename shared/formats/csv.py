"""CSV: decoded text, a header row, rows with the line they begin on.

The separator is the comma, semicolon or tab the header row uses most; quotes are doubled; empty cells are absent. Refused as a whole:
more than 5 MiB, another character set than agreed, no header row, a text above 64 kB, an open quote.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import NamedTuple

from shared.formats.json import STRING_LIMIT
from shared.formats.xml import check_bytes, malformed


class Row(NamedTuple):
    """One row: its first line (1-based), its cells by lower-case column name, how many cells had no column."""

    line: int
    cells: dict[str, str]
    surplus: int


def parse(body: bytes, encoding: str, columns: Mapping[str, str]) -> list[Row]:
    """Return the rows below the header. *columns* translates a sender's own names. Raises :class:`shared.errors.MalformedMessage`."""
    check_bytes(body)
    text = _decoded(body, encoding)
    try:
        return _rows(text, {name.strip().lower(): hub for name, hub in columns.items()})
    except csv.Error as exc:
        raise malformed("MSG-SYNTAX", f"The table cannot be read: {exc}.") from exc


def _decoded(body: bytes, encoding: str) -> str:
    name = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    try:
        return body.decode(name)
    except UnicodeDecodeError as exc:
        raise malformed("MSG-CHARSET", f"The bytes are not {encoding}.", line=body.count(b"\n", 0, exc.start) + 1) from exc


def _rows(text: str, own: Mapping[str, str]) -> list[Row]:
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header = [cell.strip().lower() for cell in next(reader)]
    header = [own.get(name, name) for name in header]
    if len(set(header)) != len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise malformed("MSG-DUPLICATE-KEY", f"The column {twice[:60]!r} is named twice.", value=twice[:60], line=1)
    rows = []
    line = reader.line_num + 1
    for cells in reader:
        found = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell and not cell.isspace()}
        if found:
            if max(map(len, found.values())) > STRING_LIMIT:
                raise malformed("MSG-STRING", line=line)
            rows.append(Row(line, found, sum(1 for cell in cells[len(header) :] if cell.strip())))
        line = reader.line_num + 1
    return rows
