"""What policy says of the data: completeness, the lists, the category, then the rules of the pack."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from services.router.building import build
from services.router.category import Category, categorise, intrinsic_value
from services.router.dossier import Assessment
from services.router.merge import merge
from services.router.quality import HS_DIGITS, ItemVerdict, judge_items
from shared.contracts import Missing, Reason, Summary
from shared.identifiers import ioss
from shared.model import Consignment, Filing, Finding, GoodsItem, Severity
from shared.model.findings import cut

if TYPE_CHECKING:
    from services.router.policy.model import Policy

_WORST: Final = {"accept": 0, "warn": 1, "flag": 2, "reject": 3}
ARMS_CHAPTER: Final = "93"
"""Harmonized System, chapter 93: arms and ammunition; parts and accessories thereof."""


class Judgement(NamedTuple):
    """Everything worked out about a consignment before it is decided."""

    codes: list[str]
    missing: tuple[Missing, ...]
    category: Category
    items: list[ItemVerdict]


class Assessed(NamedTuple):
    """The assessment, the consignment with its gaps filled, and what the sender should hear of it."""

    assessment: Assessment
    summary: Summary
    consignment: Consignment
    findings: tuple[Finding, ...]


def assess(filing: Filing, orders: Sequence[Filing], policy: Policy, day: date) -> Assessed:
    """Judge the consignment of *filing*, with what its *orders* add, by the rules in force on *day*."""
    assert filing.consignment is not None
    consignment, filled = merge(filing.consignment, orders)
    judgement = judge_consignment(consignment, orders, policy, day)
    category = judgement.category
    assessment = build(
        Assessment,
        category=category.number,
        category_rule=category.rule,
        value=f"{category.value.amount} {category.value.currency}" if category.value is not None else None,
        profile=category.profile,
        flags=category.flags,
        missing=judgement.missing,
        rules=tuple(_pointing(reason, consignment, judgement) for reason in policy.reasons(judgement.codes)),
        required=policy.to_ask(judgement.codes),
        seen=filing.content_digest if not filled else "+".join((filing.content_digest, *(str(order.filing_id) for order in orders))),
    )
    return Assessed(assessment, summary_of(consignment), consignment, _findings(consignment, judgement, filled))


def judge_consignment(consignment: Consignment, orders: Sequence[Filing], policy: Policy, day: date) -> Judgement:
    """Return what the lists, the category and the rules of *policy* say of *consignment* on *day*."""
    missing = policy.views.missing_of(consignment)
    items = judge_items(consignment)
    arms = any(item.hs_code is not None and item.hs_code.startswith(ARMS_CHAPTER) for item in consignment.goods_items)
    category = categorise(consignment, not missing, items, arms, policy.rates, day)
    judged = _judged(consignment, orders, missing, items, category, policy, day)
    root = SimpleNamespace(**consignment.__dict__, assessment=judged)
    return Judgement(policy.fired(root, day), missing, category, items)


def _judged(
    consignment: Consignment,
    orders: Sequence[Filing],
    missing: tuple[Missing, ...],
    items: list[ItemVerdict],
    category: Category,
    policy: Policy,
    day: date,
) -> SimpleNamespace:
    """Return the values of ``assessment`` in an expression: the fields of :class:`services.router.policy.model.Judged`."""
    value = _value(consignment, category, policy, day)
    numbers = [tax.number for tax in consignment.tax_ids if tax.scheme == "ioss"] if consignment.tax_ids else []
    goods = consignment.goods_items
    codes = [item.hs_code for item in goods if item.hs_code is not None]
    subheadings = {code[:HS_DIGITS] for code in codes if len(code) >= HS_DIGITS}
    return SimpleNamespace(
        in_territory=consignment.country_of_destination in policy.territory,
        category=category.number,
        value=value if value is not None else Decimal(0),
        value_known=value is not None,
        threshold_unconfirmed="threshold_unconfirmed" in category.flags,
        missing_pre_loading=sum(entry.view == "pre_loading" for entry in missing) if missing else 0,
        missing_pre_arrival=len(missing),
        description=max((item.description for item in items), key=_WORST.__getitem__, default="accept"),
        second_hand=any(item.second_hand for item in items),
        regulated=any(item.regulated for item in items),
        enforcement=any(item.enforcement for item in items),
        commercial=consignment.nature_of_transaction == "sale" or consignment.business_model in ("b2c", "b2b", "b2b2c"),
        hs_short=len(goods) - sum(len(code) >= HS_DIGITS for code in codes),
        subheadings=len(subheadings),
        product_ids_missing=sum(item.merchant_product_id is None for item in goods),
        ioss_numbers=len(set(numbers)),
        ioss_malformed=sum(ioss.problem(number) is not None for number in numbers),
        has_order=bool(orders),
    )


def _value(consignment: Consignment, category: Category, policy: Policy, day: date) -> Decimal | None:
    currency = policy.content.currency
    if category.value is not None and category.value.currency == currency:
        return category.value.amount
    return intrinsic_value(consignment, currency, policy.rates, day)


def _pointing(reason: Reason, consignment: Consignment, judgement: Judgement) -> Reason:
    """Return *reason* with the path and value that made its rule fire, where one element alone did."""
    at: tuple[str, str] | None = None
    if reason.public == "data_missing" and judgement.missing:
        at = judgement.missing[0].path, ""
    elif reason.public == "description_unclear":
        at = _first(judgement.items, lambda item: item.description == "reject", consignment, "goods_description")
    elif reason.public in ("restricted_goods", "prohibited_goods", "agency_control"):
        at = _first(judgement.items, lambda item: bool(item.regulated), consignment, "hs_code")
    if at is None:
        return reason
    return build(Reason, **{**reason.__dict__, "path": at[0], "value": at[1] or None})


def _first(items: Sequence[ItemVerdict], meets: Any, consignment: Consignment, name: str) -> tuple[str, str] | None:
    for place, item in enumerate(items):
        if meets(item):
            return f"/goods_items/{place}/{name}", cut(getattr(consignment.goods_items[place], name) or "")
    return None


def _findings(consignment: Consignment, judgement: Judgement, filled: tuple[str, ...]) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for place, item in enumerate(judgement.items):
        if item.description == "reject":
            found.append(_undescribed(place, consignment.goods_items[place], item))
        elif item.elsewhere:
            found.append(_implausible(place, consignment.goods_items[place], item))
    if "value_not_established" in judgement.category.flags:
        found.append(_VALUE_NOT_ESTABLISHED)
    found += [_FILLED.model_copy(update={"path": path}) for path in filled]
    return tuple(found)


def _undescribed(place: int, goods: GoodsItem, verdict: ItemVerdict) -> Finding:
    return Finding(
        code="DQ-13",
        severity=Severity.WARNING,
        message="The goods description does not tell what the goods are.",
        remedy=verdict.hint or "Say in plain words what the goods are, with material or function.",
        path=f"/goods_items/{place}/goods_description",
        value=cut(goods.goods_description or ""),
    )


def _implausible(place: int, goods: GoodsItem, verdict: ItemVerdict) -> Finding:
    message = f"The description speaks of goods of HS chapter {' or '.join(verdict.elsewhere)}, the code is of another."
    where = f"/goods_items/{place}/hs_code"
    return _CONTRADICTED.model_copy(update={"message": message, "path": where, "value": cut(goods.hs_code or "")})


_CONTRADICTED: Final = Finding(
    code="DQ-18",
    severity=Severity.NOTE,
    message="The description speaks of goods of another HS chapter than the code.",
    remedy="Check the HS code, or describe the goods as they are.",
)
_VALUE_NOT_ESTABLISHED: Final = Finding(
    code="fx_rate_missing",
    severity=Severity.WARNING,
    message="The value cannot be compared with the threshold: no exchange rate, or no cost of transport, is known for the day.",
    remedy="Declare the value in a currency with a published rate, and the cost of transport where the destination counts it.",
    path="/declared_value",
)
_FILLED: Final = Finding(
    code="FILLED-FROM-ORDER",
    severity=Severity.NOTE,
    message="This element was not given with the consignment and was taken from its order.",
    remedy="Nothing to do; send the element with the consignment if the order is wrong.",
)


def summary_of(consignment: Consignment) -> Summary:
    """Return what of *consignment* may travel with events: no person."""
    postal = consignment.postal
    return build(
        Summary,
        house_transport_document_id=consignment.house_transport_document_id,
        master_transport_document_id=consignment.master_transport_document_id,
        channel=consignment.channel,
        nature_of_transaction=consignment.nature_of_transaction,
        business_model=consignment.business_model,
        country_of_dispatch=consignment.country_of_dispatch,
        country_of_destination=consignment.country_of_destination,
        posted_at=consignment.posted_at,
        departure_on=consignment.departure_on,
        package_count=consignment.package_count,
        gross_mass_kg=consignment.gross_mass_kg,
        declared_value=consignment.declared_value,
        hs_codes=tuple(dict.fromkeys(item.hs_code for item in consignment.goods_items if item.hs_code is not None)),
        carrier_id=consignment.carrier_id,
        platform_id=consignment.platform_id,
        orders=consignment.orders,
        origin_post=postal.origin_post if postal is not None else None,
        destination_post=postal.destination_post if postal is not None else None,
        mail_class=postal.mail_class if postal is not None else None,
    )
