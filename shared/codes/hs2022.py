"""Harmonized System, edition 2022, to six digits: ``data/hs2022``.

Codes are text (leading zeros count). The edition is a label, not an assumption: HS 2028 follows on 1 January 2028.

>>> is_subheading("610910"), is_subheading("999999"), describe("0101")
(True, False, 'Horses, asses, mules and hinnies; live')
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from shared.codes.tables import read_table

EDITION = "HS 2022"


class HsEntry(NamedTuple):
    """One line of the nomenclature; ``level`` is ``chapter``, ``heading`` or ``subheading``."""

    code: str
    level: str
    parent: str
    section: str
    description: str


def edition() -> str:
    """Return the label of the edition the shipped table holds."""
    return EDITION


@cache
def entries() -> dict[str, HsEntry]:
    """Return every chapter (2 digits), heading (4) and subheading (6) by its code."""
    return {row["code"]: HsEntry(**row) for row in read_table("hs2022/hs2022")}


@cache
def subheadings() -> frozenset[str]:
    """Return the six-digit codes."""
    return frozenset(code for code in entries() if len(code) == 6)


def is_subheading(code6: str) -> bool:
    """Whether *code6* is a six-digit code of the edition."""
    return code6 in subheadings()


def is_heading(code4: str) -> bool:
    """Whether *code4* is a four-digit code of the edition."""
    return len(code4) == 4 and code4 in entries()


def describe(code: str) -> str | None:
    """Return the description of a chapter, heading or subheading, or None when the edition has no such code."""
    entry = entries().get(code)
    return entry.description if entry else None


@cache
def sections() -> dict[str, str]:
    """Return the names of the 21 sections by their roman numeral."""
    return {row["section"]: row["name"] for row in read_table("hs2022/sections")}
