"""House waybill number: the express carrier's or forwarder's own, e.g. ``JXE2603000017``.

One to 35 characters (Cargo-XML; pre-loading programmes refuse longer), no check digit. Never padded, leading zeros kept, compared
in upper case. Forwarders use numbers again.

>>> validate(" jxe2603000017 ")
'JXE2603000017'
"""

from __future__ import annotations

from shared.identifiers.problem import IdentifierProblem, accepted, error

_LONGEST = 35


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks around it; blanks and hyphens inside belong to the number."""
    return text.strip().upper()


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, normalise(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what breaks the form of *text*, or None."""
    number = normalise(text)
    if 1 <= len(number) <= _LONGEST and number.isprintable():
        return None
    return error(
        "HAWB-FORM",
        f"A house waybill number has 1 to {_LONGEST} printable characters; got {len(number)}.",
        "Send the number printed on the house waybill.",
    )
