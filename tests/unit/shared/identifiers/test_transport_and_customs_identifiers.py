from datetime import date

import pytest

from shared.errors import InvalidIdentifier
from shared.identifiers import air_waybill, eori, house_waybill, lrn, mrn, ucr


def code_of(found: object) -> str | None:
    return getattr(found, "code", None)


@pytest.mark.parametrize("text", ["88845123072", "888 4512 3072", "888-4512 3072", "888-45123072"])
def test_air_waybills_are_kept_with_one_hyphen(text: str) -> None:
    assert air_waybill.validate(text) == "888-45123072"
    assert air_waybill.problem(text) is None


def test_a_wrong_air_waybill_check_digit_is_a_warning() -> None:
    found = air_waybill.problem("007-12345678")
    assert found is not None
    assert (found.code, found.severity) == ("AWB-CHECK", "warning")
    assert air_waybill.problem("888-11111111") is None


@pytest.mark.parametrize("number", ["888-45123079", "888-00000007"])
def test_an_air_waybill_check_digit_is_at_most_six(number: str) -> None:
    assert code_of(air_waybill.problem(number)) == "AWB-CHECK"


@pytest.mark.parametrize("text", ["", "888-4512307", "88A-45123072", "888-451230722"])
def test_another_form_is_no_air_waybill(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match="AWB-FORM"):
        air_waybill.validate(text)


def test_a_house_waybill_keeps_its_zeros_and_hyphens() -> None:
    assert house_waybill.validate(" 00-jxe17 ") == "00-JXE17"
    for text in ("", "X" * 36, "A\x00B"):
        assert code_of(house_waybill.problem(text)) == "HAWB-FORM"


@pytest.mark.parametrize(
    "number",
    [
        "06DE586600006143E1",
        "18GBJCM3USAFD2WD51",
        "20GB5M2723461FGVR3",
        "99IT9876AB88901209",
        "18GB0000601001EB15",
        "26BE00AX7K4M2P9CT4",
        "26BE00AX7K4M2Q1CT5",
        "26BE0000H7K3P41AR8",
        "26GB4ZK81TQ0N7PAR9",
    ],
)
def test_published_mrns_are_valid(number: str) -> None:
    assert mrn.problem(number) is None


def test_only_ics2_numbers_are_entry_summaries() -> None:
    assert [mrn.is_entry_summary(number) for number in ("26BE00AX7K4M2P9CT4", "26BE00AX7K4M2Q1CT5", "26BE0000H7K3P41AR8")] == [
        True,
        True,
        False,
    ]
    assert mrn.procedure("26BE0000H7K3P41AR8") == "R"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("18GBJCM3USAFD2WD5", "MRN-FORM"),
        ("1XGBJCM3USAFD2WD51", "MRN-FORM"),
        ("18GBJCM3USAFD2WD52", "MRN-CHECK"),
        ("18GBJCM3USAFD2WD5F", "MRN-FALLBACK"),
    ],
)
def test_what_is_wrong_with_an_mrn_has_a_code(text: str, code: str) -> None:
    assert code_of(mrn.problem(text)) == code


def test_an_lrn_has_at_most_22_characters_and_keeps_its_case() -> None:
    assert lrn.validate(" abC-1 ") == "abC-1"
    for text in ("", " ", "X" * 23, "A\nB"):
        assert code_of(lrn.problem(text)) == "LRN-FORM"
    assert lrn.build("JXE", date(2026, 3, 2), 0) == "JXE2603020"


@pytest.mark.parametrize(
    "number", ["GB123456789000", "XI123456789012", "BE0999888777", "FR12345678901234", "DE1234567", "GB123456789000123"]
)
def test_eori_numbers_of_known_patterns_pass(number: str) -> None:
    assert eori.problem(number) is None


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        ("", "EORI-FORM", "error"),
        ("GB", "EORI-FORM", "error"),
        ("BE1234567890123456", "EORI-FORM", "error"),
        ("UK123456789000", "EORI-COUNTRY", "error"),
        ("EU1234", "EORI-COUNTRY", "error"),
        ("GB12345", "EORI-NATIONAL", "warning"),
        ("CZ1234", "EORI-NATIONAL", "warning"),
    ],
)
def test_what_is_wrong_with_an_eori_has_a_code(text: str, code: str, severity: str) -> None:
    found = eori.problem(text)
    assert found is not None
    assert (found.code, found.severity) == (code, severity)


def test_uk_is_told_to_be_gb() -> None:
    found = eori.problem("UK123456789000")
    assert found is not None
    assert "GB" in found.remedy


def test_a_british_reference_names_a_british_operator() -> None:
    assert ucr.problem("6GB123456789000-JXE2603000017") is None
    assert code_of(ucr.problem("6GB12345-JXE2603000017")) == "UCR-EORI"
    assert code_of(ucr.problem("X" * 36)) == "UCR-FORM"
