"""Does a code fit its description? Silent where it cannot tell."""

import pytest

from services.sandbox.goods import ARMS, ARTICLES, DEAR
from shared.codes import goods_description, hs2022
from shared.codes.hs_words import chapters_instead


@pytest.mark.parametrize("article", [*ARTICLES, ARMS, DEAR], ids=lambda article: article.description)
def test_honest_goods_contradict_nothing(article: object) -> None:
    assert chapters_instead(article.description, article.hs_code) == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("description", "hs_code", "chapters"),
    [
        ("Headphones", "610910", ("85",)),
        ("HEADPHONES WITH LITHIUM ION CELL", "950300", ("85",)),
        ("Smartphone, 128 GB", "620342", ("85",)),
        ("Women's dress, polyester", "950300", ("61", "62")),
        ("Men's knitted cotton T-shirt", "930200", ("61", "62")),
    ],
)
def test_goods_of_another_chapter_are_told_with_their_own(description: str, hs_code: str, chapters: tuple[str, ...]) -> None:
    assert chapters_instead(description, hs_code) == chapters


@pytest.mark.parametrize(
    ("description", "hs_code"),
    [
        ("Coffee mug", "691110"),
        ("Silicone phone case", "392690"),
        ("Leather watch strap", "911390"),
        ("Cat food bowl, stainless steel", "732393"),
        ("Horse riding boots", "640340"),
        ("Tobacco pouch of leather", "420231"),
        ("Chemise en coton", "930200"),
        ("男士针织棉T恤", "930200"),
        ("", "930200"),
    ],
)
def test_a_word_of_other_goods_or_of_another_language_contradicts_nothing(description: str, hs_code: str) -> None:
    assert chapters_instead(description, hs_code) == ()


def test_the_words_of_the_nomenclature_never_contradict_their_own_code() -> None:
    for code in sorted(hs2022.subheadings()):
        assert chapters_instead(hs2022.describe(code) or "", code) == ()


def test_a_vague_description_is_the_business_of_another_rule() -> None:
    assert goods_description.judge("gifts").action == "reject"
    assert chapters_instead("gifts", "950300") == ()
