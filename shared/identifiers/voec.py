"""VOEC number: seller registration of Norway's scheme for low-value goods, seven digits, e.g. ``2012345``.

No check digit is published. Source: Norwegian Tax Administration.

>>> validate("VOEC 2012345")
'2012345'
"""

from __future__ import annotations

from shared.identifiers.problem import IdentifierProblem, accepted, compact, error

_LENGTH = 7


def normalise(text: str) -> str:
    """Return *text* without blanks, hyphens and the word VOEC before the digits."""
    return compact(text).removeprefix("VOEC")


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, normalise(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong with *text*, or None."""
    number = normalise(text)
    if len(number) == _LENGTH and number.isascii() and number.isdigit():
        return None
    return error(
        "VOEC-FORM",
        "A VOEC number has seven digits.",
        "Send the number the Norwegian tax administration gave the seller.",
    )
