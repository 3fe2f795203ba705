"""The two forms of a house number: its own, and the shorter one by which Cargo-IMP names it, which has twelve characters.

How a carrier shortens is agreed with him and is data of his dialect: the code map ``house`` gives a short form and what it stands for, in
full or by series. A ``*`` is any one character that both forms have, in the same order; every other character is itself::

    {"house": {"JXE*********": "JXE****0*****"}}        JXE260300017 is JXE2603000017

The full number is the key of the consignment, whichever form is said; a number that no entry fits has one form alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shared.identifiers import house_waybill
from shared.model import Dialect

MAP: Final = "house"
"""The code map of the dialect."""
_ANY: Final = "*"


def full(number: str, dialect: Dialect) -> str:
    """Return the house number that the short form *number* stands for, else *number* in its canonical form.

    >>> full("jxe260300017", Dialect(code_maps={"house": {"JXE*********": "JXE****0*****"}}))
    'JXE2603000017'
    """
    return _in_other_form(number, dialect.code_maps.get(MAP, {}).items())


def short(number: str, dialect: Dialect) -> str:
    """Return the short form of the house number *number*, else *number* in its canonical form.

    >>> short("JXE2603000017", Dialect(code_maps={"house": {"JXE*********": "JXE****0*****"}}))
    'JXE260300017'
    """
    return _in_other_form(number, ((long, short) for short, long in dialect.code_maps.get(MAP, {}).items()))


def _in_other_form(number: str, forms: Iterable[tuple[str, str]]) -> str:
    """Return *number* in the other of the first two *forms* whose one it has, else in its canonical form."""
    said = house_waybill.normalise(number)
    return next((found for form, other in forms if (found := _refilled(said, form, other))), said)


def _refilled(number: str, form: str, other: str) -> str | None:
    """Return *number*, which has the *form*, in the *other* one; None when it has not, or when the two do not fit each other."""
    if len(number) != len(form) or form.count(_ANY) != other.count(_ANY):
        return None
    if any(wanted not in (_ANY, had) for wanted, had in zip(form, number, strict=True)):
        return None
    kept = iter([had for wanted, had in zip(form, number, strict=True) if wanted == _ANY])
    return "".join(next(kept) if wanted == _ANY else wanted for wanted in other)
