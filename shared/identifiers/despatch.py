"""S8 despatch identifier (20 characters), e.g. ``USLAXANLHAGIAUN60123``.

Origin and destination office (IMPC, 6 each), mail category (UPU list 115), mail sub-class (list 117), last digit of the year,
serial number restarting each year. Source: UPU standard S8.

>>> parse("USLAXA-NLHAGI-A-UN-6-0123").serial
'0123'
>>> year_of("6", 2027)
2026
"""

from __future__ import annotations

import re
from typing import NamedTuple

from shared.identifiers.problem import IdentifierProblem, accepted, compact, error

_FORM = re.compile(r"[A-Z]{5}[A-Z0-9][A-Z]{5}[A-Z0-9][A-D][A-Z]{2}[0-9]{5}")
_YEARS_APART = 4


class Despatch(NamedTuple):
    """The parts of an S8 identifier; ``year_digit`` needs :func:`year_of` and the date of the message."""

    origin: str
    destination: str
    category: str
    subclass: str
    year_digit: str
    serial: str


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks and hyphens."""
    return compact(text)


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, compact(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what breaks the form of *text*, or None."""
    if _FORM.fullmatch(compact(text)):
        return None
    return error(
        "S8-FORM",
        "A despatch has 20 characters: two offices of six, category A to D, two letters of sub-class, year digit, four digits.",
        "Send the S8 identifier from the despatch list unchanged.",
    )


def parse(text: str) -> Despatch:
    """Return the parts of a despatch identifier; raises :class:`shared.errors.InvalidIdentifier`."""
    number = validate(text)
    return Despatch(number[:6], number[6:12], number[12], number[13:15], number[15], number[16:20])


def year_of(year_digit: str, message_year: int) -> int | None:
    """Return the year within four of *message_year* that ends in *year_digit*; None when it is five away and could be either."""
    distance = (int(year_digit) - message_year + 5) % 10 - 5
    return message_year + distance if abs(distance) <= _YEARS_APART else None
