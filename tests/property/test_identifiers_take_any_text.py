import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codes import goods_description, regulated_goods
from shared.errors import InvalidIdentifier
from shared.identifiers import IDENTIFIERS, s10

NEAR = st.text("RIMGB0123456789 -.٣ßA", max_size=40)


@pytest.mark.parametrize("name", IDENTIFIERS)
@given(text=st.text(max_size=60) | NEAR)
def test_any_text_gives_a_canonical_value_or_a_refusal(name: str, text: str) -> None:
    module = IDENTIFIERS[name]
    found = module.problem(text)
    if found is not None and found.severity == "error":
        with pytest.raises(InvalidIdentifier) as refusal:
            module.validate(text)
        assert refusal.value.code == found.code
        return
    canonical = module.validate(text)
    assert module.validate(canonical) == canonical == module.normalise(canonical)
    assert module.problem(canonical) == found


@given(serial=st.from_regex("[0-9]{8}", fullmatch=True), digit=st.sampled_from("0123456789"))
def test_exactly_one_check_digit_fits_an_s10_serial(serial: str, digit: str) -> None:
    assert (s10.problem(f"RR{serial}{digit}GB") is None) == (digit == s10.check_digit(serial))


@given(text=st.text(max_size=600), documents_allowed=st.booleans())
def test_any_text_gets_a_verdict(text: str, documents_allowed: bool) -> None:
    assert goods_description.judge(text, documents_allowed=documents_allowed).action in ("accept", "warn", "flag", "reject")


@given(hs_code=st.text("0123456789", max_size=10), text=st.text(max_size=200))
def test_any_text_is_searched_for_regulated_goods(hs_code: str, text: str) -> None:
    assert all(match.by_prefix or match.keyword for match in regulated_goods.matches(hs_code, text))
