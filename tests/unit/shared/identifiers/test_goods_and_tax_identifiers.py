import pytest
from stdnum import ean

from shared.errors import InvalidIdentifier
from shared.identifiers import gtin, hs, ioss, voec


@pytest.mark.parametrize("number", ["73513537", "9780471117094", "98412345678908", "4006381333931", "036000291452"])
def test_trade_item_numbers_of_every_length_pass(number: str) -> None:
    assert gtin.validate(number) == number


def test_the_table_agrees_with_stdnum_on_every_last_digit() -> None:
    for stem in ("7351353", "978047111709", "9841234567890", "03600029145"):
        for digit in "0123456789":
            assert (gtin.problem(stem + digit) is None) == ean.is_valid(stem + digit)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4006381333932", "GTIN-CHECK"),
        ("00000000", "GTIN-JUNK"),
        ("123", "GTIN-FORM"),
        ("AB-1234567", "GTIN-FORM"),
        ("", "GTIN-FORM"),
        ("٤٠٠٦٣٨١٣", "GTIN-FORM"),
    ],
)
def test_what_is_wrong_with_a_gtin_has_a_code(text: str, code: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        gtin.validate(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "code"), [("6109.10", "610910"), ("6109 10 00", "61091000"), ("010121", "010121"), ("610910001080", "610910001080")]
)
def test_hs_codes_are_text_of_six_to_twelve_digits(text: str, code: str) -> None:
    assert hs.validate(text) == code
    assert hs.problem(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4202", "HS-LENGTH"),
        ("6109100010801", "HS-LENGTH"),
        ("shirts", "HS-DIGITS"),
        ("", "HS-DIGITS"),
        ("٦١٠٩١٠", "HS-DIGITS"),
        ("000000", "HS-JUNK"),
        ("999999", "HS-JUNK"),
        ("770100", "HS-JUNK"),
    ],
)
def test_what_cannot_be_an_hs_code_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        hs.validate(text)
    assert caught.value.code == code


@pytest.mark.parametrize(("text", "code"), [("980100", "HS-NATIONAL"), ("990000", "HS-NATIONAL"), ("610999", "HS-UNKNOWN")])
def test_national_and_unknown_codes_pass_with_a_remark(text: str, code: str) -> None:
    found = hs.problem(text)
    assert found is not None
    assert (found.code, found.severity) == (code, "warning")
    assert hs.validate(text) == text


@pytest.mark.parametrize("number", ["IM3720000018", "IM9001234567", "IM7520000000"])
def test_ioss_numbers_of_the_member_states_and_northern_ireland_pass(number: str) -> None:
    assert ioss.validate(number.lower()) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("IN3720000018", "IOSS-INTERMEDIARY"),
        ("IM8260000018", "IOSS-STATE"),
        ("IM372000001", "IOSS-FORM"),
        ("EU372022452", "IOSS-FORM"),
        ("IM372000001X", "IOSS-FORM"),
        ("", "IOSS-FORM"),
    ],
)
def test_what_is_wrong_with_an_ioss_number_has_a_code(text: str, code: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        ioss.validate(text)
    assert caught.value.code == code
    assert not text or text not in str(caught.value)


def test_a_masked_ioss_number_shows_scheme_and_state_only() -> None:
    assert ioss.masked("IM3720000018") == "IM372*******"


def test_a_voec_number_has_seven_digits() -> None:
    assert voec.validate("voec 2012345") == "2012345"
    for text in ("", "123456", "12345678", "123456A"):
        with pytest.raises(InvalidIdentifier, match="VOEC-FORM"):
            voec.validate(text)
