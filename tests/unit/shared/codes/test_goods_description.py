import pytest

from shared.codes import goods_description
from shared.codes.goods_description import judge, normalised
from shared.errors import Misconfigured


@pytest.mark.parametrize(
    "text",
    [
        "men's cotton knitted T-shirts",
        "brake discs for passenger cars",
        "COTTON KNITTED T-SHIRT, LADIES",
        "power bank, lithium-ion, 37 Wh",
        "testosterone",
        "ceramics",
        "男式棉T恤",
        "хлопковая рубашка",
        "Baumwollhemd für Herren",
    ],
)
def test_texts_that_name_goods_are_accepted(text: str) -> None:
    assert judge(text).action == "accept"


@pytest.mark.parametrize(
    "text",
    [example for examples in goods_description.examples().values() for example in examples.split("; ")],
)
def test_no_shipped_example_of_a_good_description_is_rejected(text: str) -> None:
    if not text.startswith("not acceptable"):
        assert judge(text).action in ("accept", "warn", "flag")


@pytest.mark.parametrize(
    "text",
    [
        "Accessories",
        "  GIFTS ",
        "spare-parts",
        "General cargo",
        "Chemicals, hazardous",
        "N/A",
        "unknown",
    ],
)
def test_a_listed_word_as_the_whole_text_is_rejected(text: str) -> None:
    verdict = judge(text)
    assert verdict.action == "reject"
    assert verdict.hint


@pytest.mark.parametrize(
    ("text", "pattern_id"),
    [
        ("12345", "digits_only"),
        ("pdf", "file_extension"),
        ("aaaa", "same_character_run"),
        ("", "empty_characters"),
        (" - . ", "empty_characters"),
        ("?!/&", "special_characters_only"),
        ("12 % 4 ?", "digits_and_specials_only"),
        ("asdfgh", "keyboard_run"),
        ("test2", "keyboard_run"),
        ("ab", "too_short"),
        ("HS 6109.10.00", "hs_code_as_text"),
        ("AB-12345", "sku_only"),
    ],
)
def test_text_without_information_is_rejected_by_its_pattern(text: str, pattern_id: str) -> None:
    verdict = judge(text)
    assert (verdict.action, verdict.pattern_id) == ("reject", pattern_id)


def test_short_text_in_another_script_is_not_too_short() -> None:
    assert judge("茶").action == "accept"
    assert judge("é").action == "reject"


def test_a_link_beside_a_description_is_remarked_not_rejected() -> None:
    assert judge("cotton shirt https://shop.invalid/1").action == "flag"
    assert judge("cotton shirt buyer@mail.invalid").action == "flag"


def test_a_listed_word_inside_a_longer_text_is_ignored_or_flagged_as_the_list_says() -> None:
    assert judge("spare parts for sewing machine").action == "accept"
    assert judge("various cotton shirts").action == "flag"


def test_consolidation_rejects_at_house_level_and_not_at_master_level() -> None:
    text = "consolidated cargo of cotton shirts"
    assert judge(text).action == "reject"
    assert judge(text, master_level=True).action == "accept"
    assert judge("CONSOLIDATION").action == "reject"
    assert judge("CONSOLIDATION", master_level=True).action == "accept"


def test_terms_match_whole_words_only() -> None:
    assert judge("stcx cotton shirts").action == "accept"


@pytest.mark.parametrize("text", ["documents", "DOX", "docs"])
def test_documents_describe_category_1_and_nothing_else(text: str) -> None:
    assert judge(text).action == "reject"
    assert judge(text, documents_allowed=True).action == "accept"


def test_used_goods_inside_a_text_set_the_second_hand_indicator() -> None:
    assert judge("used goods: smartphone, tested and working").second_hand
    assert not judge("smartphone, new in box").second_hand


def test_one_short_word_is_too_little_and_a_longer_one_is_enough() -> None:
    assert judge("mug").pattern_id == "too_few_words"
    assert judge("teapot").action == "accept"


def test_the_name_of_a_party_is_no_description() -> None:
    assert judge("Aurora Trading", party_names=["AURORA TRADING"]).pattern_id == "equals_name"


def test_normalising_folds_case_width_and_punctuation() -> None:
    assert normalised("ＴＥＡ-Cup_Straße!") == "tea cup strasse"


def test_an_operator_may_load_another_list() -> None:
    lists = goods_description.compile_lists(
        [
            {
                "term_normalised": "widget",
                "category": "placeholder",
                "whole_text_action": "reject",
                "embedded_action": "flag",
                "hint": "Say what it is.",
            }
        ],
        [],
    )
    assert judge("widget", lists=lists).action == "reject"
    assert judge("a blue widget", lists=lists).action == "flag"
    assert judge("gifts", lists=lists).action == "accept"


def test_a_broken_list_is_our_mistake() -> None:
    with pytest.raises(Misconfigured):
        goods_description.compile_lists([{"term": "widget"}], [])
