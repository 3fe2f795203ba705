"""Reading the CSV files under ``data/``: UTF-8, first row names the columns."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from importlib.resources import files

from shared.errors import Misconfigured

Row = dict[str, str]


def read_table(name: str) -> list[Row]:
    """Return the rows of ``data/<name>.csv`` in file order; every value is text, an empty cell is ``""``.

    Raises :class:`Misconfigured` when the file is missing or a row has more or fewer cells than the header.
    """
    source = files("shared.codes").joinpath("data", *f"{name}.csv".split("/"))
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as exc:
        raise Misconfigured(f"code list {name}.csv cannot be read: {exc}") from exc
    return parse_table(text, name)


def parse_table(text: str, name: str) -> list[Row]:
    """Return the rows of CSV *text*; *name* appears in error messages only."""
    reader = csv.DictReader(text.splitlines())
    rows = list(reader)
    for row in rows:
        if None in row or None in row.values():
            raise Misconfigured(f"code list {name}, line {reader.line_num}: the number of cells differs from the header")
    return rows


def names(cell: str, separator: str = "|") -> tuple[str, ...]:
    """Split a cell that holds several values.

    >>> names("seller|buyer")
    ('seller', 'buyer')
    """
    return tuple(part.strip() for part in cell.split(separator) if part.strip())


def amount(cell: str, where: str) -> Decimal | None:
    """Read a decimal cell; an empty cell is None."""
    if not cell:
        return None
    try:
        return Decimal(cell)
    except InvalidOperation as exc:
        raise Misconfigured(f"code list {where}: {cell!r} is not a number") from exc
