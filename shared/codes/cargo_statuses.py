"""Status codes of air cargo (FSU and XFSU) and the hub's words for them (``data/cargo_statuses.csv``).

The codes are those in general use between airlines; a carrier's own codes are mapped in his dialect.

>>> meaning("RCF")
'received'
>>> meaning("ZZZ") is None
True
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from shared.codes.tables import read_table


def meaning(code: str) -> str | None:
    """Return the hub's word for a status, or None."""
    return _table().get(code)


@cache
def _table() -> Mapping[str, str]:
    return MappingProxyType({row["code"]: row["means"] for row in read_table("cargo_statuses")})
