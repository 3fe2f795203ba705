from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from shared.codes.exchange_rates import (
    Rates,
    convert,
    load_rates,
    parse_rates,
    sample_rates,
)
from shared.errors import Misconfigured

DAY = date(2013, 5, 22)
HEADER = "rate_date,base_currency,quote_currency,rate,rate_type,source,valid_from,valid_to\n"


@pytest.fixture
def rates() -> Rates:
    return sample_rates()


def test_from_the_base_currency_multiplies(rates: Rates) -> None:
    converted = convert(Decimal(150), "EUR", "NOK", DAY, rates)
    assert converted is not None
    assert converted.amount == Decimal("1119.75")
    assert [row.quote_currency for row in converted.rate_rows] == ["NOK"]


def test_to_the_base_currency_divides_and_rounds_once_to_the_minor_unit(
    rates: Rates,
) -> None:
    converted = convert(Decimal(100), "USD", "EUR", DAY, rates)
    assert converted is not None
    assert converted.amount == Decimal("77.38")


def test_cross_rates_go_through_the_base_and_name_both_rows(rates: Rates) -> None:
    converted = convert(Decimal(100), "USD", "JPY", DAY, rates)
    assert converted is not None
    assert converted.amount == Decimal(10312)
    assert [row.quote_currency for row in converted.rate_rows] == ["USD", "JPY"]


def test_the_same_currency_needs_no_rate(rates: Rates) -> None:
    converted = convert(Decimal("3.333"), "AAA", "AAA", DAY, rates)
    assert converted is not None
    assert (converted.amount, converted.rate_rows) == (Decimal("3.333"), ())


def test_without_a_rate_for_the_day_or_the_currency_nothing_is_assumed(
    rates: Rates,
) -> None:
    assert convert(Decimal(1), "USD", "EUR", date(2013, 5, 23), rates) is None
    assert convert(Decimal(1), "KWD", "EUR", DAY, rates) is None


def test_the_customs_rate_goes_before_the_reference_rate() -> None:
    rates = parse_rates(
        HEADER + "2026-03-01,EUR,USD,1.10,reference,x,2026-03-01,2026-03-01\n2026-03-01,EUR,USD,1.25,customs,x,2026-03-01,2026-03-31\n"
    )
    converted = convert(Decimal(100), "USD", "EUR", date(2026, 3, 1), rates)
    assert converted is not None
    assert (converted.amount, converted.rate_rows[0].rate_type) == (
        Decimal("80.00"),
        "customs",
    )


def test_a_settlement_rate_counts_only_when_asked_for() -> None:
    rates = parse_rates(HEADER + "2026-03-01,EUR,USD,1.25,settlement,x,2026-03-01,2026-03-31\n")
    assert convert(Decimal(100), "USD", "EUR", date(2026, 3, 1), rates) is None
    assert convert(Decimal(100), "USD", "EUR", date(2026, 3, 1), rates, ("settlement",)) is not None


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-01,EUR,USD,0,customs,x,2026-03-01,2026-03-31",
        "x,EUR,USD,1,customs,x,2026-03-01,2026-03-31",
        "2026-03-01,EUR",
    ],
)
def test_a_broken_rate_file_is_our_mistake(line: str) -> None:
    with pytest.raises(Misconfigured):
        parse_rates(HEADER + line + "\n")


def test_a_missing_rate_file_is_our_mistake(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        load_rates(tmp_path / "none.csv")
