from datetime import date
from decimal import Decimal

import pytest

from shared.codes.country_profiles import (
    Profile,
    choose,
    profile_for,
    profiles,
    read_profiles,
)
from shared.errors import Misconfigured


def the_profile(destination: str, on: date, channel: str = "post", origin: str = "CN") -> Profile:
    found = profile_for(destination, on, channel, origin)
    assert found is not None
    return found


def test_every_row_of_the_file_is_read() -> None:
    assert sum(map(len, profiles().values())) == 255
    assert len(profiles()) == 219


def test_the_relief_of_150_euro_ends_on_1_july_2026() -> None:
    before, after = (
        the_profile("BE", date(2026, 6, 30)),
        the_profile("BE", date(2026, 7, 1)),
    )
    assert (before.duty_de_minimis, after.duty_de_minimis) == (Decimal(150), Decimal(0))
    assert before.tax_de_minimis == after.tax_de_minimis == 0
    assert after.simplified_limit == 150
    assert "EUR 3" in after.flat_charge


def test_validity_dates_are_inclusive_and_an_open_end_holds() -> None:
    assert the_profile("US", date(2025, 8, 28)).duty_de_minimis == 800
    assert the_profile("US", date(2030, 1, 1)).status == "suspended"


def test_a_suspended_row_means_zero() -> None:
    found = the_profile("US", date(2025, 8, 29))
    assert found.duty_de_minimis == found.tax_de_minimis == 0


def test_the_narrower_origin_scope_wins() -> None:
    day = date(2026, 1, 15)
    assert the_profile("MX", day, "express", "US").duty_de_minimis == 50
    assert the_profile("MX", day, "express", "CN").duty_de_minimis == 0


def test_an_express_rule_does_not_reach_the_post() -> None:
    assert profile_for("AE", date(2026, 1, 15), "post", "CN") is None
    assert the_profile("AE", date(2026, 1, 15), "express").duty_de_minimis == 1000


def test_an_announced_row_waits_for_an_operator() -> None:
    day = date(2028, 5, 1)
    announced = next(row for row in profiles()["JP"] if row.status == "announced")
    without = profile_for("JP", day, "post", "CN")
    assert without is None or without.row_id != announced.row_id
    assert profile_for("JP", day, "post", "CN", confirmed_announcements={announced.row_id}) == announced


def test_aggregator_rows_do_not_carry_a_release() -> None:
    assert not the_profile("AF", date(2026, 1, 1)).threshold_confirmed
    assert the_profile("BE", date(2026, 1, 1)).threshold_confirmed


def test_an_unknown_destination_has_no_exemption_row() -> None:
    assert profile_for("ZZ", date(2026, 1, 1), "post", "CN") is None
    assert choose((), date(2026, 1, 1), "post", "CN") is None


def test_a_row_that_breaks_the_format_is_our_mistake() -> None:
    with pytest.raises(Misconfigured):
        read_profiles([{"iso2": "BE"}])
