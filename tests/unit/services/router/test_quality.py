"""What is missing for which view, and whether a description describes."""

from __future__ import annotations

from typing import Any

import pytest

from services.router.policy.loading import load_pack
from services.router.quality import Views, judge_item
from shared.errors import Misconfigured
from tests.builders import a_goods_item, a_house_consignment, a_party

EU = load_pack("eu")


def missing(**changes: Any) -> list[tuple[str, str]]:
    return [(entry.path, entry.view) for entry in EU.views.missing_of(a_house_consignment(**changes))]


def test_a_full_consignment_lacks_nothing() -> None:
    assert missing() == []


def test_what_both_views_need_is_asked_for_once_by_the_earlier() -> None:
    assert missing(consignee=a_party(name=None)) == [("/consignee/name", "pre_loading")]


def test_a_party_that_is_not_there_lacks_everything() -> None:
    assert {path for path, _ in missing(consignor=None, country_of_dispatch="US")} == {
        "/consignor/name",
        "/consignor/street_line",
        "/consignor/country",
    }


def test_four_digits_are_no_subheading() -> None:
    assert missing(goods_items=(a_goods_item(), a_goods_item(sequence_number=2, hs_code="6109"))) == [
        ("/goods_items/1/hs_code", "pre_arrival")
    ]


def test_correspondence_needs_no_code_and_no_value() -> None:
    letter = (a_goods_item(hs_code=None, quantity=None, item_amount=None),)
    assert missing(nature_of_transaction="documents", goods_items=letter) == []


def test_pieces_are_asked_of_express_and_not_of_the_post() -> None:
    assert missing(package_count=None) == []
    assert ("/package_count", "pre_loading") in missing(package_count=None, channel="express", conveyance_reference="XX8012")


def test_a_view_names_only_elements_of_the_dataset() -> None:
    with pytest.raises(Misconfigured, match=r"consignment\.colour"):
        Views.of({"pre_loading": {"post": ["consignment.colour"]}}, {}, {})


def test_a_control_needs_code_and_description_together() -> None:
    assert judge_item("Fireworks for display", "360410", False).regulated
    assert not judge_item("Fireworks poster of paper", "491110", False).regulated
    assert not judge_item("Wireless router for home", "851762", False).regulated
