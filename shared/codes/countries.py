"""Countries: ISO 3166-1 alpha-2 as ``pycountry`` keeps it, with the few codes customs practice adds.

Customs data may also say ``XI`` (Northern Ireland), ``XK`` (Kosovo) and ``EU`` (origin "European Union", where a regime allows
it); postal addresses may not. ``UK`` and ``EL`` are common slips for ``GB`` and ``GR``; ``ZZ``, ``XX``, ``AA``, ``QQ`` are
placeholders and mean nothing.

>>> is_country("NO"), is_country("XI"), is_country("XI", postal=True), is_country("UK")
(True, True, False, False)
>>> suggest("UK")
'GB'
"""

from __future__ import annotations

from functools import cache

import pycountry

CUSTOMS_ADDITIONS = {"XI": "Northern Ireland", "XK": "Kosovo", "EU": "European Union"}
"""Codes customs data may use beside ISO 3166-1 (EU and UK customs practice)."""

PLACEHOLDERS = frozenset({"ZZ", "XX", "AA", "QQ"})
"""User-assigned codes that stand for "not known"; never a country."""

_SLIPS = {"UK": "GB", "EL": "GR"}


@cache
def codes(postal: bool = False) -> frozenset[str]:
    """Return every accepted alpha-2 code: ISO 3166-1, and unless *postal* the customs additions."""
    iso = frozenset(country.alpha_2 for country in pycountry.countries)
    return iso if postal else iso.union(CUSTOMS_ADDITIONS)


def is_country(code: str, postal: bool = False) -> bool:
    """Whether *code* (upper case, two letters) names a country; with *postal* in an address, else in customs data."""
    return code in codes(postal)


@cache
def names() -> dict[str, str]:
    """Return the English short name of every accepted code."""
    iso = {country.alpha_2: str(getattr(country, "common_name", country.name)) for country in pycountry.countries}
    return iso | CUSTOMS_ADDITIONS


def suggest(text: str) -> str | None:
    """Return the code *text* was probably meant to be, or None.

    Understands other cases, alpha-3 and numeric codes, English names, and the slips ``UK`` and ``EL``.

    >>> suggest("de"), suggest("DEU"), suggest("Norway"), suggest("Atlantis")
    ('DE', 'DE', 'NO', None)
    """
    wanted = text.strip()
    slip = _SLIPS.get(wanted.upper())
    if slip or not wanted:
        return slip
    try:
        return str(pycountry.countries.lookup(wanted).alpha_2)
    except LookupError:
        return None
