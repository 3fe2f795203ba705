"""HS code as declared: six digits of the Harmonized System, up to twelve with national digits, e.g. ``610910``.

Blanks, hyphens and dots are taken out; the code is text, leading zeros count. Six zeros, ``999999`` and chapter 77 (reserved) are
not codes. Chapters 98 and 99 are national and only remarked; so is a code the edition does not have, since senders may still use
the last edition or already the next.

>>> validate("6109.10.00")
'61091000'
>>> problem("4202").code, problem("610999").code
('HS-LENGTH', 'HS-UNKNOWN')
"""

from __future__ import annotations

from shared.codes import hs2022
from shared.identifiers.problem import (
    IdentifierProblem,
    accepted,
    compact,
    error,
    warning,
)

_SHORTEST = 6
_LONGEST = 12
_SUBHEADINGS = hs2022.subheadings()


def normalise(text: str) -> str:
    """Return *text* without blanks, hyphens and dots."""
    return compact(text).replace(".", "")


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier` when it cannot be a code."""
    return text if is_plain(text) else accepted(text, normalise(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong: digits, length, a code that is none (errors); national chapter, unknown code (warnings)."""
    if is_plain(text):
        return None
    code = normalise(text)
    if is_plain(code):
        return None
    if not (code.isascii() and code.isdigit()):
        return error(
            "HS-DIGITS",
            "An HS code has digits only.",
            "Send the tariff number, not its text.",
        )
    if len(code) < _SHORTEST or len(code) > _LONGEST:
        return error(
            "HS-LENGTH",
            f"HS code needs at least {_SHORTEST} digits and at most {_LONGEST}; got {len(code)}.",
            "Send the six-digit HS code.",
        )
    return _problem_of_digits(code)


def _problem_of_digits(code: str) -> IdentifierProblem | None:
    first_six = code[:6]
    if first_six in ("000000", "999999") or code[:2] == "77":
        return error(
            "HS-JUNK",
            f"{first_six} is not a code of the Harmonized System.",
            "Send the code of the goods.",
        )
    if code[:2] in ("98", "99"):
        return warning(
            "HS-NATIONAL",
            f"Chapter {code[:2]} is national use.",
            "Send the six-digit code of the goods, if there is one.",
        )
    if first_six in _SUBHEADINGS:
        return None
    return warning(
        "HS-UNKNOWN",
        f"{first_six} is not in {hs2022.edition()}.",
        f"Check the code against {hs2022.edition()}.",
    )


def is_plain(text: str) -> bool:
    """Whether *text* is canonical and has no problem at all: the common case, decided without building anything."""
    size = len(text)
    return text[:6] in _SUBHEADINGS and (size == _SHORTEST or (size <= _LONGEST and text.isascii() and text.isdigit()))
