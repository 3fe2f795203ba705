"""How senders name the columns of tables: ``data/column_names/tables.csv``, gathered from spreadsheets in use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from shared.codes.tables import names, read_table


@cache
def columns() -> Mapping[str, tuple[str, ...]]:
    """Return each column of the hub's layouts with the other names it goes by."""
    return MappingProxyType({row["column"]: names(row["names"]) for row in read_table("column_names/tables")})
