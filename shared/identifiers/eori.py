"""EORI, the number of an economic operator, e.g. ``BE0999888777``.

ISO 3166-1 country (or ``XI`` for Northern Ireland) and 1 to 15 letters or digits of national use. A right form is no proof of
registration. National patterns are known for a few countries only, so breaking one is a warning.

>>> validate("gb 123456789000")
'GB123456789000'
>>> problem("CZ1234").code
'EORI-NATIONAL'
"""

from __future__ import annotations

import re

from shared.codes import countries
from shared.identifiers.problem import (
    IdentifierProblem,
    accepted,
    compact,
    error,
    warning,
)

_FORM = re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}")
_BRITISH = re.compile(r"(?:[0-9]{12}|[0-9]{15})")
_NATIONAL = {
    "GB": _BRITISH,
    "XI": _BRITISH,
    "FR": re.compile(r"[0-9]{14}"),
    "DE": re.compile(r"[0-9]{1,15}"),
    "IT": re.compile(r"[A-Z0-9]{11,15}"),
    "CZ": re.compile(r"[A-Z0-9]{8}"),
}


def normalise(text: str) -> str:
    """Return *text* upper-case without blanks and hyphens."""
    return compact(text)


def validate(text: str) -> str:
    """Return the canonical form; raises :class:`shared.errors.InvalidIdentifier`."""
    return accepted(text, compact(text), problem(text))


def problem(text: str) -> IdentifierProblem | None:
    """Return what is wrong: form or country (errors), a national pattern (warning)."""
    number = compact(text)
    if not _FORM.fullmatch(number):
        return error(
            "EORI-FORM",
            "An EORI number has a country code and 1 to 15 letters or digits.",
            "Send the number as the customs administration issued it.",
        )
    country = number[:2]
    if country == "EU" or not countries.is_country(country):
        meant = countries.suggest(country)
        hint = f"Use {meant} as the country." if meant else "Begin with the country that issued the number."
        return error("EORI-COUNTRY", f"{country} does not issue EORI numbers.", hint)
    pattern = _NATIONAL.get(country)
    if pattern is None or pattern.fullmatch(number[2:]):
        return None
    return warning(
        "EORI-NATIONAL",
        f"The number does not look like one issued by {country}.",
        "Check the number with the operator.",
    )
