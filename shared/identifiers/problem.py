"""What can be wrong with an identifier, and the step from a problem to a refusal."""

from __future__ import annotations

from typing import Literal, NamedTuple

from shared.errors import InvalidIdentifier

Severity = Literal["error", "warning"]


class IdentifierProblem(NamedTuple):
    """One thing wrong with an identifier.

    ``code`` is stable (``S10-CHECK``), ``message`` says what is wrong, ``remedy`` what the sender can do. A *warning* leaves the
    identifier usable: the value is passed on with a remark.
    """

    code: str
    severity: Severity
    message: str
    remedy: str


def error(code: str, message: str, remedy: str) -> IdentifierProblem:
    """Return a problem that makes the identifier unusable."""
    return IdentifierProblem(code, "error", message, remedy)


def warning(code: str, message: str, remedy: str) -> IdentifierProblem:
    """Return a problem the identifier can be used with."""
    return IdentifierProblem(code, "warning", message, remedy)


def accepted(text: str, canonical: str, found: IdentifierProblem | None) -> str:
    """Return *canonical* unless *found* is an error; then raise :class:`InvalidIdentifier` with the *text* as sent."""
    if found is not None and found.severity == "error":
        raise InvalidIdentifier(found.code, text, found.remedy)
    return canonical


def compact(text: str) -> str:
    """Return *text* upper-case without blanks and hyphens: the canonical form of most identifiers."""
    return text.upper() if text.isalnum() else "".join(text.split()).replace("-", "").upper()
