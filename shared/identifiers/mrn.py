"""MRN, the reference number customs gives a declaration, e.g. ``26BE00AX7K4M2P9CT4``.

Two digits of the year, country, twelve characters of national use, one character that tells the procedure, one check character.
Check: letter values of ISO 6346 (A=10, B=12, … leaving out 11, 22, 33), weights 2^0 to 2^16, sum modulo 11, ten read as 0. Source:
European Commission, technical specification of the MRN; UK numbers follow it. ``F`` in the last place marks the fallback procedure.

>>> validate("18gbjcm3usafd2wd51")
'18GBJCM3USAFD2WD51'
>>> is_entry_summary("26BE00AX7K4M2P9CT4"), is_entry_summary("26BE0000H7K3P41AR8")
(True, False)
"""

from __future__ import annotations

import re
from itertools import count
from operator import lshift
from string import ascii_uppercase

from shared.codes import countries
from shared.identifiers.problem import (
    IdentifierProblem,
    accepted,
    compact,
    error,
    warning,
)

_FORM = re.compile(r"[0-9]{2}[A-Z]{2}[A-Z0-9]{13}[0-9F]")
_ENTRY_SUMMARY = re.compile(r"(?:2[4-9]|[3-9][0-9])[A-Z]{2}[A-Z0-9]{11}CT[0-9]")
_LETTER_VALUES = (value for value in range(10, 39) if value % 11)
_VALUES = {str(digit): digit for digit in range(10)} | dict(zip(ascii_uppercase, _LETTER_VALUES, strict=True))


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks and hyphens."""
    return compact(text)


def check_character(first17: str) -> str:
    """Return the check character of the first seventeen.

    >>> check_character("06DE586600006143E")
    '1'
    """
    return str(sum(map(lshift, map(_VALUES.__getitem__, first17), count())) % 11 % 10)


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, compact(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong: form, check character (errors), country or fallback mark (warnings)."""
    number = compact(text)
    if not _FORM.fullmatch(number):
        return error(
            "MRN-FORM",
            "An MRN has 18 characters: two digits of the year, a country, thirteen letters or digits, a check digit.",
            "Send the MRN as customs gave it.",
        )
    if number[17] == "F":
        return warning(
            "MRN-FALLBACK",
            "The MRN comes from a fallback procedure and has no check digit.",
            "Send the regular MRN once customs gives it.",
        )
    expected = check_character(number[:17])
    if number[17] != expected:
        return error(
            "MRN-CHECK",
            f"The check digit is {number[17]}; the number asks for {expected}.",
            "Copy the MRN from the customs reply again.",
        )
    if not countries.is_country(number[2:4]):
        return warning(
            "MRN-COUNTRY",
            f"{number[2:4]} is not a country.",
            "Check the third and fourth characters of the MRN.",
        )
    return None


def is_entry_summary(mrn: str) -> bool:
    """Whether a canonical MRN has the shape ICS2 gives to entry summary declarations (``C`` and ``T`` before the check digit)."""
    return _ENTRY_SUMMARY.fullmatch(mrn) is not None


def procedure(mrn: str) -> str:
    """Return the procedure letter of a canonical MRN (17th character); older and some national numbers hold anything there."""
    return mrn[16]
