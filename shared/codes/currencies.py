"""Currencies: ISO 4217 as ``pycountry`` keeps it, less what is not money one can pay with.

Refused: ``XXX`` (none), ``XTS`` (test), the metals and the bond-market units, and withdrawn codes after their last day.

>>> is_currency("EUR"), is_currency("XAU"), minor_units("JPY"), minor_units("KWD")
(True, False, 0, 3)
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

import pycountry

NOT_MONEY = frozenset(
    {
        "XXX",
        "XTS",
        "XAU",
        "XAG",
        "XPT",
        "XPD",
        "XBA",
        "XBB",
        "XBC",
        "XBD",
        "XAD",
        "XUA",
        "XSU",
    }
)
"""Codes of ISO 4217 that are no currency: no currency, test, metals, bond-market and accounting units."""

WITHDRAWN = {
    "ANG": date(2025, 6, 30),
    "BGN": date(2025, 12, 31),
    "HRK": date(2022, 12, 31),
    "LTL": date(2014, 12, 31),
    "SLL": date(2023, 12, 31),
    "ZWL": date(2024, 8, 31),
}
"""Last day of currencies replaced since 2014 (euro accessions, redenominations; CLDR territory data)."""

# ISO 4217, column "minor unit", where it is not 2.
_MINOR_UNITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


@cache
def codes() -> frozenset[str]:
    """Return every accepted alpha-3 code of the list in force."""
    listed = frozenset(currency.alpha_3 for currency in pycountry.currencies)
    return listed.difference(NOT_MONEY, WITHDRAWN)


def is_currency(code: str, on: date | None = None) -> bool:
    """Whether *code* (upper case) is a currency; a withdrawn one only when *on* is given and not after its last day.

    >>> is_currency("HRK"), is_currency("HRK", date(2022, 6, 1))
    (False, True)
    """
    return code in codes() or (on is not None and code in WITHDRAWN and on <= WITHDRAWN[code])


def minor_units(code: str) -> int:
    """Return the number of decimals amounts of *code* are kept to; 2 unless ISO 4217 says otherwise."""
    return _MINOR_UNITS.get(code, 2)


def rounded(amount: Decimal, code: str) -> Decimal:
    """Round *amount* half up to the minor unit of *code*.

    >>> rounded(Decimal("10.005"), "EUR"), rounded(Decimal("10.5"), "JPY")
    (Decimal('10.01'), Decimal('11'))
    """
    return amount.quantize(_minor_unit(code), rounding=ROUND_HALF_UP)


@cache
def _minor_unit(code: str) -> Decimal:
    return Decimal(1).scaleb(-minor_units(code))
