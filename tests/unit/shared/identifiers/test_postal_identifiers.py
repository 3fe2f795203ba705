from decimal import Decimal

import pytest

from shared.errors import InvalidIdentifier
from shared.identifiers import despatch, receptacle, s10

RECEPTACLE = "USLAXANLHAGIAUN60123004100085"


@pytest.mark.parametrize("number", ["RR473124829GB", "LZ314159268US", "CY271828189US", "EE987654326KR", "UY506070808ES", "LZ161803397US"])
def test_published_numbers_are_valid(number: str) -> None:
    assert s10.problem(number) is None
    assert s10.validate(number) == number


def test_a_wrong_check_digit_is_a_warning_and_passes() -> None:
    found = s10.problem("CP001020301BR")
    assert found is not None
    assert (found.code, found.severity) == ("S10-CHECK", "warning")
    assert "7" in found.message
    assert s10.validate("CP001020301BR") == "CP001020301BR"


@pytest.mark.parametrize("text", ["rr473124829gb", "RR 473 124 829 GB", "RR-47312482-9-GB", " RR473124829GB\n"])
def test_blanks_hyphens_and_case_do_not_matter(text: str) -> None:
    assert s10.validate(text) == "RR473124829GB"


@pytest.mark.parametrize(("serial", "digit"), [("47312482", "9"), ("00000000", "5"), ("00000007", "6"), ("00000008", "0")])
def test_the_check_digit_reads_ten_as_nought_and_eleven_as_five(serial: str, digit: str) -> None:
    assert s10.check_digit(serial) == digit


def test_the_table_of_pairs_agrees_with_the_published_arithmetic() -> None:
    for serial in ("00000000", "12345678", "99999999", "10000000", "00000008", "47312482"):
        assert s10.problem(f"RR{serial}{s10.check_digit(serial)}NO") is None


@pytest.mark.parametrize("text", ["", "RR47312482GB", "R1473124829GB", "RR4731248290GB", "RR47312482XGB", "RR٤73124829GB", "ÄR473124829GB"])
def test_another_form_is_no_s10(text: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        s10.validate(text)
    assert (caught.value.code, caught.value.value) == ("S10-FORM", text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("number", "code"), [("RR473124829ZZ", "S10-COUNTRY"), ("AV473124829GB", "S10-DOMESTIC"), ("JA473124829GB", "S10-SERVICE")]
)
def test_an_odd_country_or_service_is_remarked(number: str, code: str) -> None:
    found = s10.problem(number)
    assert found is not None
    assert (found.code, found.severity) == (code, "warning")


def test_a_receptacle_splits_as_the_standard_says() -> None:
    bag = receptacle.parse(RECEPTACLE)
    sack = despatch.parse(bag.despatch)
    assert sack == ("USLAXA", "NLHAGI", "A", "UN", "6", "0123")
    assert (bag.serial, bag.is_last, bag.has_registered_or_insured, bag.gross_mass_kg) == ("004", True, False, Decimal("8.5"))


def test_9999_is_no_weight_and_9_is_no_answer() -> None:
    bag = receptacle.parse("USLAXANLHAGIAUN60123004999999")
    assert (bag.is_last, bag.has_registered_or_insured, bag.gross_mass_kg) == (None, None, None)


@pytest.mark.parametrize("text", ["", RECEPTACLE[:20], RECEPTACLE + "0", RECEPTACLE.replace("AUN", "EUN"), RECEPTACLE[:-1] + "X"])
def test_another_form_is_no_receptacle(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match="S9-FORM"):
        receptacle.validate(text)


def test_a_receptacle_is_no_despatch() -> None:
    with pytest.raises(InvalidIdentifier, match="S8-FORM"):
        despatch.validate(RECEPTACLE)


@pytest.mark.parametrize(
    ("digit", "message_year", "year"), [("6", 2026, 2026), ("9", 2030, 2029), ("0", 2026, 2030), ("2", 2026, 2022), ("1", 2026, None)]
)
def test_the_year_digit_means_the_year_within_four(digit: str, message_year: int, year: int | None) -> None:
    assert despatch.year_of(digit, message_year) == year
