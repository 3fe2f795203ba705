"""Exchange rates from a file, and conversions that name the rows they used: ``data/fx``.

A rate is units of the quote currency for one unit of the base currency. Conversions use one rate type for all legs, customs
rates before reference rates, go through the base currency, and round once, half up, to the target's minor unit. Without a
rate for the day the answer is None: the value stays in its own currency, and one is never assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.codes.currencies import rounded
from shared.codes.tables import parse_table, read_table
from shared.errors import Misconfigured

RateType = Literal["customs", "reference", "settlement"]

PREFERRED: tuple[RateType, ...] = ("customs", "reference")
"""The rate types customs values may rest on, best first; a payment provider's own rate only when asked for by name."""


class RateRow(BaseModel):
    """One row of the hub's rate file; both validity dates are inclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_date: date
    base_currency: str = Field(pattern="^[A-Z]{3}$")
    quote_currency: str = Field(pattern="^[A-Z]{3}$")
    rate: Decimal = Field(gt=0, max_digits=18, decimal_places=8)
    rate_type: RateType
    source: str
    valid_from: date
    valid_to: date

    def covers(self, on: date) -> bool:
        """Whether the rate holds on this day."""
        return self.valid_from <= on <= self.valid_to


class Rates:
    """The rows of one or more files, found by currency and type; never changed once made."""

    def __init__(self, rows: Iterable[RateRow]) -> None:
        index: dict[tuple[str, RateType], list[RateRow]] = {}
        for row in sorted(rows, key=lambda row: row.valid_from, reverse=True):
            index.setdefault((row.quote_currency, row.rate_type), []).append(row)
        self._index: Mapping[tuple[str, RateType], Sequence[RateRow]] = index
        self.find = lru_cache(maxsize=4096)(self._find)

    def _find(self, quote_currency: str, rate_type: RateType, on: date) -> RateRow | None:
        """Return the row for *quote_currency* on a day; where periods overlap, the one that began last. ``find`` remembers it."""
        rows = self._index.get((quote_currency, rate_type), ())
        return next((row for row in rows if row.covers(on)), None)


class Conversion(NamedTuple):
    """A converted amount, rounded to the target's minor unit, and the rows it rests on (none for the same currency)."""

    amount: Decimal
    rate_rows: tuple[RateRow, ...]


def parse_rates(text: str, name: str = "rates") -> Rates:
    """Read CSV *text* in the hub's format (header as in ``data/fx/README.md``); *name* is for error messages."""
    try:
        return Rates(RateRow.model_validate(row) for row in parse_table(text, name))
    except ValidationError as exc:
        raise Misconfigured(f"exchange rates {name}: {exc}") from exc


def load_rates(path: Path) -> Rates:
    """Read a rate file; raises :class:`Misconfigured` when it is missing or breaks the format."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise Misconfigured(f"exchange rates {path}: {exc}") from exc
    return parse_rates(text, str(path))


def sample_rates() -> Rates:
    """Return the shipped sample, euro reference rates of 22 May 2013: for tests, never for live use."""
    return Rates(RateRow.model_validate(row) for row in read_table("fx/fx_rates_sample"))


def convert(
    amount: Decimal,
    currency: str,
    to: str,
    on: date,
    rates: Rates,
    rate_types: Sequence[RateType] = PREFERRED,
) -> Conversion | None:
    """Convert *amount* into *to* at the rates of day *on*, or return None when no rate type has every leg."""
    if currency == to:
        return Conversion(amount, ())
    for rate_type in rate_types:
        converted = _convert_by(rate_type, amount, currency, to, on, rates)
        if converted is not None:
            return converted
    return None


def _convert_by(rate_type: RateType, amount: Decimal, currency: str, to: str, on: date, rates: Rates) -> Conversion | None:
    source, target = rates.find(currency, rate_type, on), rates.find(to, rate_type, on)
    if target is not None and target.base_currency == currency:
        return Conversion(rounded(amount * target.rate, to), (target,))
    if source is not None and source.base_currency == to:
        return Conversion(rounded(amount / source.rate, to), (source,))
    if source is None or target is None or source.base_currency != target.base_currency:
        return None
    return Conversion(rounded(amount / source.rate * target.rate, to), (source, target))
