"""Duties, taxes and fees of an authority's answer: from a message's texts to charges, and from a notice's charges to what a field holds.

Types are neutral where the message's are, or where the dialect's code map ``tax`` makes them so (``{"BC": "CUD", "IG": "GST"}``); any other
is kept as the authority's own. A charge has an amount and a currency: what has none stays a text beside the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from shared.contracts import Charge
from shared.formats.edifact import Composer
from shared.formats.values import plain_number
from shared.model import Dialect, Money

FEE: Final = "FEE"
"""Type of a charge that is no duty and no tax."""
OTHER: Final = "OTH"
_LONGEST: Final = 17
_RATE: Final = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,3})?").fullmatch
_HS: Final = re.compile(r"[0-9]{4,12}").fullmatch


def charge(type: str, amount: Mapping[str, str], rate: str | None, hs_code: str | None, dialect: Dialect) -> dict[str, Any]:
    """Return the fields of one :class:`shared.contracts.Charge`. A rate or HS code that is none is left out."""
    agreed = dialect.code_maps.get("tax", {}).get(type, type)
    return {
        "type": agreed[:_LONGEST].strip() or OTHER,
        "amount": amount,
        "rate_percent": rate if rate and _RATE(rate) else None,
        "hs_code": hs_code if hs_code and _HS(hs_code) else None,
    }


def told(tax: Mapping[str, str]) -> str:
    """Return one tax (the leaves of ``Tax`` in CUSRSP) as a line: type, rate, amount, and the goods line it is for."""
    rate = f"{tax['Rate']}%" if "Rate" in tax else ""
    goods = [f"{name}={tax[name]}" for name in ("HS", "Number", "NetWeight", "Description") if name in tax]
    return " ".join(each for each in (tax.get("Type", ""), rate, tax.get("Amount", ""), tax.get("CurrencyCd", ""), *goods) if each)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

TYPE_LENGTH: Final = 5
_FUNCTIONS: Final = {"CUD": "5", FEE: "6"}
_TAX: Final = "7"


def apart(charges: Iterable[Charge]) -> tuple[list[Charge], Charge | None]:
    """Return the charges, and apart from them the fee, where there is just one."""
    told = list(charges)
    fees = [each for each in told if each.type == FEE]
    return ([each for each in told if each.type != FEE], fees[0]) if len(fees) == 1 else (told, None)


def total(charges: Sequence[Charge]) -> Money | None:
    """Return the sum of *charges*; None without any, and where they are in several currencies."""
    sums = [Money(amount=sum((each.amount.amount for each in of), Decimal(0)), currency=name) for name, of in _by_currency(charges)]
    return sums[0] if len(sums) == 1 else None


def _by_currency(charges: Sequence[Charge]) -> Iterable[tuple[str, Iterable[Charge]]]:
    return groupby(sorted(charges, key=_currency), key=_currency)


def _currency(charge: Charge) -> str:
    return charge.amount.currency


def type_of(charge: Charge) -> str:
    """Return the type as a field of five characters holds it; an authority's own that is longer is any other."""
    return charge.type if len(charge.type) <= TYPE_LENGTH else OTHER


def segments(composer: Composer, charge: Charge) -> None:
    """Write TAX (function, type, rate) and MOA+161 (amount) of one charge; which goods it is for has no place there."""
    rate = [None, None, None, plain_number(charge.rate_percent, 3)] if charge.rate_percent is not None else None
    composer.segment("TAX", _FUNCTIONS.get(charge.type, _TAX), type_of(charge), None, None, rate)
    composer.segment("MOA", ["161", plain_number(charge.amount.amount, 2), charge.amount.currency])
