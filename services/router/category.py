"""Which of the four immediate-release categories a consignment is in: the clearance policy, section 1.1, line by line.

Split groups and frequency caps (lines 6 and 7 there) need other consignments and are not looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from services.router.building import build
from services.router.quality import ItemVerdict
from shared.codes.country_profiles import Profile, profile_for
from shared.codes.exchange_rates import Rates, convert
from shared.model import Consignment, Money

DOCUMENTS_MAX_KG: Final = Decimal(2)
_WITH_FREIGHT: Final = frozenset({"CIF", "customs value", "value for duty", "declared value with charges", "goods and freight"})
"""Value bases that need the cost of transport; the others compare the goods alone."""


class Category(NamedTuple):
    """``number`` 0 (undetermined) to 4; ``rule`` the line of section 1.1; ``value`` in the profile's currency."""

    number: int
    rule: int
    value: Money | None
    profile: str | None
    flags: tuple[str, ...]


def categorise(consignment: Consignment, complete: bool, items: Sequence[ItemVerdict], arms: bool, rates: Rates, day: date) -> Category:
    """Return the category of *consignment* accepted on *day*; *complete* says whether the pre-arrival view is."""
    flags = ("regulated_goods_possible",) if any(item.possible for item in items) else ()
    if not complete:
        return Category(0, 1, None, None, flags)
    if _is_documents(consignment) and not flags:
        return Category(1, 2, None, None, flags)
    if arms or any(item.regulated for item in items):
        return Category(4, 3, None, None, flags)
    profile = _profile(consignment.country_of_destination or "", day, consignment.channel, _origin(consignment))
    if profile is None:
        return Category(4, 4, None, None, (*flags, "profile_unknown"))
    value = compared_value(consignment, profile, rates, day)
    if value is None:
        return Category(4, 4, None, profile.row_id, (*flags, "value_not_established"))
    if not profile.threshold_confirmed:
        flags = (*flags, "threshold_unconfirmed")
    return _by_value(build(Money, amount=value, currency=profile.threshold_currency), profile, flags)


def _by_value(value: Money, profile: Profile, flags: tuple[str, ...]) -> Category:
    relief = min(profile.duty_de_minimis or Decimal(0), profile.tax_de_minimis or Decimal(0))
    simplified = max(profile.simplified_limit or Decimal(0), profile.seller_collection_limit or Decimal(0))
    if relief > 0 and value.amount <= relief:
        return Category(2, 7, value, profile.row_id, flags)
    if value.amount <= simplified:
        return Category(3, 8, value, profile.row_id, flags)
    return Category(4, 9, value, profile.row_id, flags)


def _is_documents(consignment: Consignment) -> bool:
    return (
        consignment.nature_of_transaction == "documents"
        and not any(item.item_amount is not None and item.item_amount.amount > 0 for item in consignment.goods_items)
        and consignment.gross_mass_kg is not None
        and consignment.gross_mass_kg <= DOCUMENTS_MAX_KG
    )


def _origin(consignment: Consignment) -> str:
    if consignment.country_of_dispatch is not None:
        return consignment.country_of_dispatch
    return (consignment.consignor.country if consignment.consignor is not None else None) or ""


@lru_cache(maxsize=4_096)
def _profile(destination: str, day: date, channel: str, origin: str) -> Profile | None:
    return profile_for(destination, day, channel, origin)


def compared_value(consignment: Consignment, profile: Profile, rates: Rates, day: date) -> Decimal | None:
    """Return the value on the profile's basis in its currency, or None when it cannot be computed (no rate, no cost of transport, no
    value)."""
    goods = intrinsic_value(consignment, profile.threshold_currency, rates, day)
    if goods is None or profile.value_basis not in _WITH_FREIGHT:
        return goods
    if consignment.freight_cost is None:
        return None
    extra = [money for money in (consignment.freight_cost, consignment.insurance_cost) if money is not None]
    converted = _sum(extra, profile.threshold_currency, rates, day)
    return None if converted is None else goods + converted


def intrinsic_value(consignment: Consignment, currency: str, rates: Rates, day: date) -> Decimal | None:
    """Return the value of the goods alone in *currency*: the sum of the lines, else the declared value; None when no rate or no value is
    known."""
    lines = [item.item_amount for item in consignment.goods_items if item.item_amount is not None]
    if len(lines) == len(consignment.goods_items) and lines:
        return _sum(lines, currency, rates, day)
    return _sum([consignment.declared_value], currency, rates, day) if consignment.declared_value is not None else None


def _sum(amounts: Sequence[Money], currency: str, rates: Rates, day: date) -> Decimal | None:
    totals: dict[str, Decimal] = {}
    for money in amounts:
        totals[money.currency] = totals.get(money.currency, Decimal(0)) + money.amount
    total = Decimal(0)
    for code, amount in totals.items():
        converted = convert(amount, code, currency, day, rates)
        if converted is None:
            return None
        total += converted.amount
    return total
