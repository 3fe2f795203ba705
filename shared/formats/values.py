"""Values as senders write them, in the form the standard dataset keeps.

Each function returns the canonical text, so that two ways of writing one value give one content digest; None means the text is no such
value. Decimals have a point, no exponent, no leading zeros; money keeps at least two decimals and mass three, so that common values pass
unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import Misconfigured
from shared.model import Dialect

KILOGRAMS_PER_POUND: Final = Decimal("0.45359237")

is_plain_money: Final = re.compile(r"(?:0|[1-9][0-9]{0,11})\.[0-9]{2}").fullmatch
is_plain_mass: Final = re.compile(r"(?:0|[1-9][0-9]{0,6})\.[0-9]{3}").fullmatch
is_plain_count: Final = re.compile(r"[1-9][0-9]{0,10}").fullmatch
"""The common forms: what is written so is canonical already, whatever the dialect. A count is more than zero, the others not less."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,9})?").fullmatch
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})").fullmatch
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?").fullmatch
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def money(text: str, dialect: Dialect) -> str | None:
    """Return an amount with at least two decimals, e.g. ``54.00`` for ``54``."""
    return text if is_plain_money(text) else _decimal(text, dialect, 2)


def mass(text: str, dialect: Dialect) -> str | None:
    """Return a mass with at least three decimals, e.g. ``0.870`` for ``0.87``."""
    return text if is_plain_mass(text) else _decimal(text, dialect, 3)


def quantity(text: str, dialect: Dialect) -> str | None:
    """Return a number without needless decimals, e.g. ``2`` for ``2.000``."""
    return text if is_plain_count(text) else _decimal(text, dialect, 0)


def _decimal(text: str, dialect: Dialect, places: int) -> str | None:
    if dialect.decimal_comma:
        text = text.replace(".", "").replace(" ", "").replace(",", ".")
    if not _NUMBER(text):
        return None
    sign = "-" if text[0] == "-" else ""
    whole, _, fraction = text.lstrip("+-").partition(".")
    fraction = fraction.rstrip("0").ljust(places, "0")
    whole = whole.lstrip("0") or "0"
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


@overload
def plain_number(value: Decimal, least: int = 0) -> str: ...
@overload
def plain_number(value: Decimal | None, least: int = 0) -> str | None: ...
def plain_number(value: Decimal | None, least: int = 0) -> str | None:
    """Return a decimal without exponent, with at least *least* places and no zero beyond them.

    >>> plain_number(Decimal("2.7"), 3), plain_number(Decimal("22.9000"), 2), plain_number(Decimal("2E+1"))
    ('2.700', '22.90', '20')
    """
    if value is None:
        return None
    whole, _, fraction = f"{value:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0")
    return f"{whole}.{fraction}" if fraction else whole


def kilograms_of_pounds(pounds: str) -> str:
    """Return kilograms, rounded half even to three decimals."""
    return str((Decimal(pounds) * KILOGRAMS_PER_POUND).quantize(Decimal("0.001"), ROUND_HALF_EVEN))


def whole_number(text: str) -> str | None:
    """Return a count of up to nine digits without leading zeros."""
    return (text.lstrip("0") or "0") if text.isascii() and text.isdecimal() and len(text) < 10 else None


def count_total(counts: Sequence[str | None]) -> str | None:
    """Return the sum of *counts*, or None when there is none or one of them is no count."""
    found = [whole_number(count) if count else None for count in counts]
    return str(sum(int(each) for each in found if each)) if found and all(found) else None


def instant(text: str) -> str | None:
    """Return an RFC 3339 date-time with offset as it stands, or None."""
    return text if _INSTANT(text) else None


def local_instant(text: str, dialect: Dialect) -> str | None:
    """Return a date-time without offset (or a bare date: midnight) read in the dialect's time zone, or None.

    Raises :class:`shared.errors.Misconfigured` when the dialect names no IANA time zone.
    """
    if not (_LOCAL(text) or _DATE(text)):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone(dialect)).isoformat()
    except ValueError:
        return None


def zone(dialect: Dialect) -> ZoneInfo:
    """Return the zone of local times. Raises :class:`shared.errors.Misconfigured` when the dialect names no IANA time zone."""
    try:
        return ZoneInfo(dialect.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise Misconfigured(f"unknown time zone {dialect.time_zone!r}") from exc


def day(text: str) -> str | None:
    """Return an ISO 8601 calendar date as it stands, or None."""
    return text if _DATE(text) else None


def digits(text: str) -> str:
    """Return an HS code without the dots, blanks and hyphens people put into it."""
    return text if text.isdecimal() else text.replace(".", "").replace(" ", "").replace("-", "")


def total(amounts: list[str]) -> str:
    """Return the sum of canonical amounts as a canonical amount."""
    if len(amounts) == 1:
        return amounts[0]
    return str(sum(map(Decimal, amounts), Decimal(0)))
