"""S10 postal item identifier, e.g. ``RR473124829GB``.

Two letters (service), eight digits, one check digit, two letters (ISO 3166-1 country of the issuing post, which on a return is not
the country of dispatch). Check digit: weights 8 6 4 2 3 5 9 7, 11 - sum mod 11, 10 read as 0, 11 as 5. Source: UPU standard S10.
A wrong check digit is a warning: published sample data are full of them. A number may come back after twelve months.

>>> validate("rr 473 124 829 gb")
'RR473124829GB'
>>> problem("CP001020301BR").code
'S10-CHECK'
"""

from __future__ import annotations

import re

from shared.codes import countries
from shared.identifiers.problem import (
    IdentifierProblem,
    accepted,
    compact,
    error,
    warning,
)

_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_CHECK_DIGITS = "50987654321"  # by sum mod 11: 11 - 0 is read as 5, 11 - 1 as 0
_FORM = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")

# The weighted sum of two digits at a time: four look-ups replace eight multiplications, and text that is no digit is not found.
_FIRST, _SECOND, _THIRD, _FOURTH = (
    {f"{tens}{units}": tens * left + units * right for tens in range(10) for units in range(10)}
    for left, right in zip(_WEIGHTS[::2], _WEIGHTS[1::2], strict=True)
)

# Service indicators with a meaning in UPU S10; the first letter stands for all twenty-six unless listed by pair.
_ASSIGNED_FIRST_LETTERS = "CEHLRUV"
_DOMESTIC = frozenset(
    [f"A{second}" for second in "VWXYZ"]
    + ["GA", "GD"]
    + [f"{first}{second}" for first in "BDNPZ" for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
)
_ASSIGNED = frozenset(f"{first}{second}" for first in _ASSIGNED_FIRST_LETTERS for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_COUNTRIES = countries.codes(postal=True)


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks and hyphens."""
    return compact(text)


def check_digit(serial: str) -> str:
    """Return the check digit of an eight-digit serial number.

    >>> check_digit("47312482")
    '9'
    """
    return _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(serial, _WEIGHTS, strict=True)) % 11]


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier` when the form is broken."""
    if _is_faultless(text):
        return text
    return accepted(text, compact(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return the worst thing wrong with *text*: its form (error), check digit, country or service indicator (warnings)."""
    if _is_faultless(text):
        return None
    number = compact(text)
    if not _FORM.fullmatch(number):
        return error(
            "S10-FORM",
            "An S10 identifier has two letters, nine digits and two letters.",
            "Send all 13 characters as printed on the label; use the local identifier for items without an S10.",
        )
    expected = check_digit(number[2:10])
    if number[10] != expected:
        return warning(
            "S10-CHECK",
            f"The check digit is {number[10]}; the serial number asks for {expected}.",
            "Read the label again and correct the number.",
        )
    if number[11:] not in _COUNTRIES:
        return warning(
            "S10-COUNTRY",
            f"{number[11:]} is not a country of ISO 3166-1.",
            "End the identifier with the country code of the issuing post.",
        )
    if number[:2] in _ASSIGNED:
        return None
    if number[:2] in _DOMESTIC:
        return warning(
            "S10-DOMESTIC",
            f"Service indicator {number[:2]} is for domestic, bilateral or multilateral use.",
            "Use an international service indicator unless the posts have agreed on this one.",
        )
    return warning(
        "S10-SERVICE",
        f"Service indicator {number[:2]} is not assigned.",
        "Check the first two letters against UPU standard S10.",
    )


def _is_faultless(text: str) -> bool:
    """Whether *text* is canonical and has no problem at all: the common case, decided without building anything."""
    try:
        total = _FIRST[text[2:4]] + _SECOND[text[4:6]] + _THIRD[text[6:8]] + _FOURTH[text[8:10]]
    except KeyError:
        return False
    return _CHECK_DIGITS[total % 11] == text[10:11] and text[11:] in _COUNTRIES and text[:2] in _ASSIGNED
