import pytest

from shared.codes.dataset import (
    Requirement,
    View,
    element,
    elements,
    required,
    visibility,
    visible,
)


def test_every_element_has_an_entity_and_a_class_of_the_visibility_table() -> None:
    classes = set(next(iter(visibility().values())))
    assert len(elements()) == 145
    assert {entry.data_class for entry in elements().values()} <= classes


def test_the_hs_code_is_optional_before_loading_and_mandatory_before_arrival() -> None:
    hs_code = element("goods_item.hs_code")
    assert [hs_code.requirement(view) for view in View] == [
        Requirement.OPTIONAL,
        *[Requirement.MANDATORY] * 3,
    ]
    assert hs_code.wco_id == "145"
    assert hs_code.best_holders == ("SEL", "PLT")


def test_the_pre_loading_view_asks_for_the_seven_plus_one() -> None:
    asked = {entry.path for entry in required(View.PRE_LOADING)}
    seven = {entry.path for entry in elements().values() if entry.is_seven_plus_one}
    assert seven <= asked
    assert {
        "goods_item.goods_description",
        "consignment.gross_mass_kg",
        "party.name",
        "party.street_line",
    } <= seven


def test_holders_that_depend_on_the_role_are_left_to_the_role() -> None:
    assert element("party.name").best_holders == ()


def test_an_unknown_element_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        element("goods_item.colour")


@pytest.mark.parametrize(
    ("role", "data_class", "degree"),
    [
        ("customs_targeting", "S", "full"),
        ("customs_declaration", "S", "none"),
        ("partner_agency", "V", "banded"),
        ("postal_operator", "D", "outcome"),
        ("buyer", "I", "self"),
        ("nobody", "G", "none"),
        ("buyer", "?", "none"),
    ],
)
def test_each_role_sees_its_degree_and_strangers_see_nothing(role: str, data_class: str, degree: str) -> None:
    assert visible(role, data_class) == degree
