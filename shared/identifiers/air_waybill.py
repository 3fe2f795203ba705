"""Air waybill number, e.g. ``888-45123072``.

Airline prefix (3 digits), serial (7 digits), check digit: the serial modulo 7; the prefix does not count. Source: IATA
Resolution 600a. Public samples often fail the check, so on reading it is a warning; :func:`build` writes it right.
Airlines use numbers again after about a year.

>>> validate("888 4512 3072")
'888-45123072'
>>> problem("007-12345678").code
'AWB-CHECK'
"""

from __future__ import annotations

import re

from shared.identifiers.problem import (
    IdentifierProblem,
    accepted,
    compact,
    error,
    warning,
)

_FORM = re.compile(r"[0-9]{11}")
_CANONICAL = re.compile(r"[0-9]{3}-[0-9]{8}")


def normalise(text: str) -> str:
    """Return the form with one hyphen after the prefix, when there are eleven characters; otherwise the characters alone."""
    number = compact(text)
    return f"{number[:3]}-{number[3:]}" if len(number) == 11 else number


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier` when the form is broken."""
    return text if _is_faultless(text) else accepted(text, normalise(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong: the form (error) or the check digit (warning)."""
    if _is_faultless(text):
        return None
    number = compact(text)
    if not _FORM.fullmatch(number):
        return error(
            "AWB-FORM",
            "An air waybill number has eleven digits: three of the airline, eight of the number.",
            "Send the master air waybill number, e.g. 888-45123072.",
        )
    expected = int(number[3:10]) % 7
    if int(number[10]) == expected:
        return None
    return warning(
        "AWB-CHECK",
        f"The check digit is {number[10]}; the serial number asks for {expected}.",
        "Check the air waybill number with the carrier.",
    )


def build(prefix: str, serial: int) -> str:
    """Return the number for an airline *prefix* (three digits) and a *serial* below ten million.

    >>> build("888", 4512307)
    '888-45123072'
    """
    return validate(f"{prefix}-{serial:07d}{serial % 7}")


def _is_faultless(text: str) -> bool:
    return _CANONICAL.fullmatch(text) is not None and (int(text[4:11]) - int(text[11])) % 7 == 0 and text[11] < "7"
