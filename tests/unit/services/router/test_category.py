"""The four immediate-release categories, by data, day and destination."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.router.assess import judge_consignment
from services.router.policy.loading import load_pack
from tests.builders import a_goods_item, a_house_consignment, a_party, money

EU = load_pack("eu")
TODAY = date(2026, 11, 21)


def category(day: date = TODAY, **changes: Any) -> Any:
    return judge_consignment(a_house_consignment(**changes), (), EU, day).category


def priced(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"goods_items": (a_goods_item(item_amount=money(amount, currency)),)}


def test_incomplete_data_have_no_category() -> None:
    assert category(consignor=a_party(name=None))[:2] == (0, 1)


def test_documents_without_value_are_category_1() -> None:
    documents = (a_goods_item(goods_description="printed contract on paper", hs_code="490199", item_amount=None),)
    assert category(nature_of_transaction="documents", goods_items=documents)[:2] == (1, 2)
    assert category(nature_of_transaction="documents", goods_items=documents, gross_mass_kg=Decimal("2.1")).number != 1


def test_controlled_goods_are_category_4_whatever_the_value() -> None:
    fireworks = (a_goods_item(hs_code="360410", goods_description="Fireworks for display", item_amount=money("1.00")),)
    assert category(goods_items=fireworks)[:2] == (4, 3)


@pytest.mark.parametrize(("amount", "expected"), [("0.01", 3), ("150.00", 3), ("150.01", 4)])
def test_the_union_has_no_category_2_and_simplifies_up_to_150(amount: str, expected: int) -> None:
    assert category(**priced(amount)).number == expected


def test_the_profile_is_the_one_of_the_day() -> None:
    assert category(date(2026, 6, 30)).profile == "NL/2021-07-01/all/all"
    assert category(date(2026, 7, 1)).profile == "NL/2026-07-01/all/all"


def test_a_value_in_another_currency_is_converted_at_the_days_rate() -> None:
    found = category(**priced("115.00", "USD"))
    assert found.value is not None
    assert (found.value.amount, found.value.currency) == (Decimal("100.00"), "EUR")


def test_without_a_rate_the_value_is_not_established() -> None:
    found = category(**priced("20.00", "ZMW"))
    assert found[:2] == (4, 4)
    assert "value_not_established" in found.flags


def test_a_destination_that_counts_freight_needs_it() -> None:
    swiss: dict[str, Any] = {"country_of_destination": "CH", "consignee": a_party(country="CH")}
    assert "value_not_established" in category(**swiss).flags
    assert category(**swiss, freight_cost=money("5.00")).value is not None


def test_an_unconfirmed_threshold_is_flagged() -> None:
    assert "threshold_unconfirmed" in category(country_of_destination="CO", consignee=a_party(country="CO"), **priced("5.00", "USD")).flags
