"""Error reasons of pre-loading programmes for what is missing or wrong in a waybill (``data/placi_reasons.csv``).

Source: Transport Canada, PACT technical implementation guide. The ``MISSING_`` words also stand for a value that is there and useless.

>>> reason("/consignee/name", missing=True), reason("/goods_items/3/goods_description", missing=False)
('MISSING_CNE_NAME', 'MISSING_CARGO_DESC')
>>> paths_of("MISSING_BILL_QTY")
('/package_count',)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from shared.codes.tables import read_table

UNITS_MISSING = "MISSING_WT_UNITS"
"""A mass without its unit."""


def reason(path: str, *, missing: bool) -> str | None:
    """Return the reason for a value at a dataset path that is missing, or wrong; None where the programmes have no word."""
    pattern = "/".join("*" if step.isdecimal() else step for step in path.split("/"))
    words = _table().get(pattern)
    return None if words is None else words[0 if missing else 1]


@cache
def paths_of(word: str) -> tuple[str, ...]:
    """Return the dataset paths that a reason is about."""
    if word == UNITS_MISSING:
        return ("/gross_mass_kg",)
    return tuple(path for path, words in _table().items() if word in words)


@cache
def _table() -> Mapping[str, tuple[str, str]]:
    return MappingProxyType({row["path"]: (row["missing"], row["invalid"]) for row in read_table("placi_reasons")})
