"""IOSS number: VAT identification in the EU import scheme, e.g. ``IM3720000018``.

``IM``, three digits for the member state of identification (ISO 3166-1 numeric, 900 for Northern Ireland), six digits, one check
digit. The rule of the check digit is not public, so it is not tested. The list of states is python-stdnum's. The number of an
intermediary (``IN…``) must not stand in a declaration. Mask the number in logs (:func:`masked`): others misuse a leaked one.

>>> validate("im 372 000001 8")
'IM3720000018'
>>> problem("IN3720000018").code, masked("IM3720000018")
('IOSS-INTERMEDIARY', 'IM372*******')
"""

from __future__ import annotations

from stdnum.eu import oss

from shared.identifiers.problem import IdentifierProblem, accepted, compact, error

_STATES = frozenset(f"IM{state}" for state in oss.ISO_3166_1_MEMBER_STATES)
_LENGTH = 12


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks and hyphens."""
    return compact(text)


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return text if _is_faultless(text) else accepted(text, compact(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong with *text* (always an error), or None."""
    number = compact(text)
    if _is_faultless(number):
        return None
    if number.startswith("IN"):
        return error(
            "IOSS-INTERMEDIARY",
            "This is the number of an intermediary, which a declaration must not carry.",
            "Send the IOSS number that begins with IM.",
        )
    if not (number.startswith("IM") and len(number) == _LENGTH and _is_digits(number[2:])):
        return error(
            "IOSS-FORM",
            "An IOSS number is IM and ten digits.",
            "Send the IOSS number as the seller or platform got it.",
        )
    return error(
        "IOSS-STATE",
        f"{number[2:5]} is not a member state of identification.",
        "Check the third to fifth digit of the number.",
    )


def masked(number: str) -> str:
    """Return *number* fit for a log: the scheme and the state, the rest hidden."""
    return number[:5] + "*" * (len(number) - 5)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_faultless(text: str) -> bool:
    return text[:5] in _STATES and len(text) == _LENGTH and _is_digits(text[5:])
