from shared.codes import hs2022, regulated_goods


def test_the_nomenclature_has_all_chapters_headings_and_subheadings() -> None:
    sizes = [sum(len(code) == digits for code in hs2022.entries()) for digits in (2, 4, 6)]
    assert sizes == [96, 1228, 5612]
    assert len(hs2022.sections()) == 21
    assert hs2022.edition() == "HS 2022"


def test_subheadings_are_text_with_their_leading_zeros() -> None:
    assert hs2022.is_subheading("010121")
    assert not hs2022.is_subheading("10121")
    assert hs2022.describe("010121") == "Horses; live, pure-bred breeding animals"


def test_reserved_and_statistical_codes_are_not_in_the_edition() -> None:
    assert not any(hs2022.is_subheading(code) for code in ("000000", "999999", "770000", "980000"))


def test_a_heading_has_four_digits() -> None:
    assert hs2022.is_heading("0101")
    assert not hs2022.is_heading("01")


def test_every_rule_points_at_a_code_of_the_edition_and_a_known_agency() -> None:
    for rule in regulated_goods.rules():
        assert rule.hs_prefix in hs2022.entries()
        assert set(rule.agency_types) <= regulated_goods.agency_types().keys()


def test_arms_are_met_by_prefix() -> None:
    met = regulated_goods.matches("930200", "ornament")
    assert ("RG0002", True, "") in [(match.rule.rule_id, match.by_prefix, match.keyword) for match in met]


def test_a_keyword_without_its_prefix_is_met_too() -> None:
    met = regulated_goods.matches("950300", "Toy PISTOL, plastic")
    weapons = [match for match in met if match.rule.category == "weapons"]
    assert weapons
    assert all(match.keyword == "pistol" and not match.by_prefix for match in weapons)


def test_prefix_and_keyword_together_show_as_both() -> None:
    met = {match.rule.rule_id: match for match in regulated_goods.matches("930200", "steel revolver")}
    assert met["RG0002"].by_prefix
    assert met["RG0002"].keyword == "revolver"


def test_keywords_match_whole_words() -> None:
    assert not [match for match in regulated_goods.matches("", "riflestand") if match.rule.category == "weapons"]


def test_ordinary_goods_without_a_code_meet_nothing() -> None:
    assert regulated_goods.matches("", "ceramic plate") == ()
