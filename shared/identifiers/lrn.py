"""LRN, the declarant's own reference, e.g. ``JXE20260302H7000017``.

One to 22 printable characters, unique per declarant for ever: a corrected filing takes a new one and names the old.

>>> validate(" JXE20260302H7000017 ")
'JXE20260302H7000017'
>>> build("JXE", date(2026, 3, 2), 46655)
'JXE260302ZZZ'
"""

from __future__ import annotations

from datetime import date

from shared.identifiers.problem import IdentifierProblem, accepted, error

_LONGEST = 22
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def normalise(text: str) -> str:
    """Return *text* without blanks around it; letters keep their case, the reference is the declarant's."""
    return text.strip()


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, normalise(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what breaks the form of *text*, or None."""
    reference = normalise(text)
    if 1 <= len(reference) <= _LONGEST and reference.isprintable():
        return None
    return error(
        "LRN-FORM",
        f"An LRN has 1 to {_LONGEST} printable characters; got {len(reference)}.",
        "Use a new reference of at most 22 characters for every filing.",
    )


def build(system: str, on: date, sequence: int) -> str:
    """Return a reference: three characters of the system, the day as yymmdd, the sequence number in base 36."""
    digits = ""
    rest = sequence
    while rest or not digits:
        rest, digit = divmod(rest, 36)
        digits = _DIGITS[digit] + digits
    return validate(f"{system}{on:%y%m%d}{digits}")
