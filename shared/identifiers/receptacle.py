"""S9 receptacle identifier (29 characters), e.g. ``USLAXANLHAGIAUN60123004100085``.

The despatch (S8, 20 characters), receptacle number, last one of the despatch (0 no, 1 yes, 9 not given), holds registered or
insured items (the same), gross weight in tenths of a kilogram (9999: above 999.8 kg). Source: UPU standard S9.

>>> bag = parse("USLAXANLHAGIAUN60123004100085")
>>> bag.despatch, bag.serial, bag.is_last, bag.has_registered_or_insured, bag.gross_mass_kg
('USLAXANLHAGIAUN60123', '004', True, False, Decimal('8.5'))
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from shared.identifiers import despatch
from shared.identifiers.problem import IdentifierProblem, accepted, compact, error

_TAIL = re.compile(r"[0-9]{9}")
_FLAGS = {"0": False, "1": True}
_ABOVE_SCALE = "9999"


class Receptacle(NamedTuple):
    """The parts of an S9 identifier; None where the post gave no answer or the mass is above 999.8 kg."""

    despatch: str
    serial: str
    is_last: bool | None
    has_registered_or_insured: bool | None
    gross_mass_kg: Decimal | None


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks and hyphens."""
    return compact(text)


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, compact(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what breaks the form of *text*, or None."""
    number = compact(text)
    if despatch.problem(number[:20]) is None and _TAIL.fullmatch(number[20:]):
        return None
    return error(
        "S9-FORM",
        "A receptacle has 29 characters: the 20 of its despatch and nine digits.",
        "Send the S9 identifier from the receptacle label unchanged.",
    )


def parse(text: str) -> Receptacle:
    """Return the parts of a receptacle identifier; raises :class:`shared.errors.InvalidIdentifier`."""
    number = validate(text)
    tenths = number[25:29]
    mass = None if tenths == _ABOVE_SCALE else Decimal(int(tenths)) / 10
    return Receptacle(number[:20], number[20:23], _FLAGS.get(number[23]), _FLAGS.get(number[24]), mass)
