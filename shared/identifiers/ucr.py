"""UCR, unique consignment reference, e.g. ``6GB123456789000-JXE2603000017``.

One to 35 printable characters (WCO element 016). A reference that begins with a digit and ``GB`` is a UK declaration UCR: digit of
the year, EORI, hyphen, the trader's part; a wrong EORI in it is a warning.

>>> validate("6gb123456789000-jxe2603000017")
'6GB123456789000-JXE2603000017'
"""

from __future__ import annotations

import re

from shared.identifiers import eori
from shared.identifiers.problem import IdentifierProblem, accepted, error, warning

_LONGEST = 35
_BRITISH = re.compile(r"[0-9](?P<eori>GB[0-9]+)-.+")


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks around it."""
    return text.strip().upper()


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, normalise(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong: the form (error), the EORI inside a UK reference (warning)."""
    reference = normalise(text)
    if not (1 <= len(reference) <= _LONGEST and reference.isprintable()):
        return error(
            "UCR-FORM",
            f"A UCR has 1 to {_LONGEST} printable characters; got {len(reference)}.",
            "Send the reference of the consignment.",
        )
    british = _BRITISH.fullmatch(reference)
    if british and eori.problem(british["eori"]):
        return warning(
            "UCR-EORI",
            "The EORI inside the reference is not a British one.",
            "Check the reference with the declarant.",
        )
    return None
