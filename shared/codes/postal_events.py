"""Tracking events of the mail (EMSEVT) and the reasons they carry (``data/postal_events.csv``, ``data/postal_reasons.csv``).

The events are those in public use; of the lists of reasons only code 65 is publicly known, the others are the hub's own defaults, and a
participant's dialect translates them (``code_maps = {"retention": {"20": "…"}}``).

>>> means("EME"), means("EMX"), means("ZZZ")
('IMP_HELD', 'SORT_OUT', None)
>>> retention_of("payment_due")
'20'
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from shared.codes.tables import names, read_table


def means(code: str) -> str | None:
    """Return the hub's word for an event, or None when the code is unknown."""
    return events().get(code)


@cache
def events() -> Mapping[str, str]:
    """Return code → word for all events; ``EMX`` is read but never written."""
    return MappingProxyType({row["code"]: row["means"] for row in read_table("postal_events")})


def reason(list: str, code: str) -> str | None:
    """Return what *code* means in a list of reasons (``retention``, ``non_delivery``, ``measure``), or None when it is unknown."""
    return _reasons().get((list, code))


def retention_of(public: str) -> str:
    """Return the retention reason that a public reason of a decision stands for; ``90`` (other) where none does."""
    return _by_public().get(public, "90")


@cache
def _reasons() -> Mapping[tuple[str, str], str]:
    return MappingProxyType({(row["list"], row["code"]): row["meaning"] for row in read_table("postal_reasons")})


@cache
def _by_public() -> Mapping[str, str]:
    return MappingProxyType(
        {public: row["code"] for row in read_table("postal_reasons") if row["list"] == "retention" for public in names(row["public"])}
    )
