"""GTIN, the trade item number behind the bar code: 8, 12, 13 or 14 digits, e.g. ``4006381333931``.

Last digit is the check digit: weights 3 and 1 from the right, up to the next ten. Source: GS1 General Specifications. The verdict
on a doubtful number is python-stdnum's (``stdnum.ean``); the common case is decided by a table of the same sums.

>>> validate("978-0-471-11709-4")
'9780471117094'
>>> problem("4006381333932").code
'GTIN-CHECK'
"""

from __future__ import annotations

from stdnum import ean
from stdnum.exceptions import InvalidChecksum, ValidationError

from shared.identifiers.problem import IdentifierProblem, accepted, compact, error

_LENGTHS = frozenset({8, 12, 13, 14})
# Two digits at a time, weights 3 and 1, of the number padded to fourteen: the sum with its check digit ends in 0.
_PAIRS = {f"{left}{right}": 3 * left + right for left in range(10) for right in range(10)}


def normalise(text: str) -> str:
    """Return *text* without blanks and hyphens; the number keeps its length."""
    return compact(text)


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return text if _is_faultless(text) else accepted(text, compact(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong with *text* (always an error), or None."""
    if _is_faultless(text):
        return None
    number = compact(text)
    if _is_faultless(number):
        return None
    if len(set(number)) == 1 and len(number) in _LENGTHS:
        return error(
            "GTIN-JUNK",
            "The number repeats one digit.",
            "Leave the number out when the article has none.",
        )
    try:
        ean.validate(number)
    except InvalidChecksum:
        return error(
            "GTIN-CHECK",
            "The check digit does not fit the number.",
            "Read the bar code again and correct the number.",
        )
    except ValidationError:
        pass
    return error(
        "GTIN-FORM",
        "A GTIN has 8, 12, 13 or 14 digits.",
        "Send the digits under the bar code; put a seller's own number into the SKU.",
    )


def _is_faultless(text: str) -> bool:
    if len(text) not in _LENGTHS:
        return False
    full = text if len(text) == 14 else text.zfill(14)
    pairs = _PAIRS
    try:
        total = (
            pairs[full[:2]]
            + pairs[full[2:4]]
            + pairs[full[4:6]]
            + pairs[full[6:8]]
            + pairs[full[8:10]]
            + pairs[full[10:12]]
            + pairs[full[12:]]
        )
    except KeyError:
        return False
    return total % 10 == 0 and text.count(text[0]) != len(text)
