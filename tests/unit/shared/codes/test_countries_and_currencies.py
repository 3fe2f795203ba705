from datetime import date
from decimal import Decimal

import pytest

from shared.codes import countries, currencies, postal, units


@pytest.mark.parametrize("code", ["NO", "GB", "BE", "XI", "XK", "EU"])
def test_customs_data_may_name_iso_countries_and_the_customs_additions(
    code: str,
) -> None:
    assert countries.is_country(code)


@pytest.mark.parametrize("code", ["XI", "XK", "EU"])
def test_a_postal_address_may_not_use_the_customs_additions(code: str) -> None:
    assert not countries.is_country(code, postal=True)


@pytest.mark.parametrize("code", ["ZZ", "XX", "AA", "QQ", "UK", "EL", "no", "", "NOR", "N"])
def test_placeholders_slips_and_other_forms_are_no_country(code: str) -> None:
    assert not countries.is_country(code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"),
        ("uk", "GB"),
        ("EL", "GR"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("Norway", "NO"),
        ("ZZ", None),
        ("", None),
    ],
)
def test_a_slip_brings_the_code_that_was_meant(text: str, code: str | None) -> None:
    assert countries.suggest(text) == code


@pytest.mark.parametrize("code", ["EUR", "USD", "NOK", "CNY", "XDR", "XOF"])
def test_currencies_in_force_are_accepted(code: str) -> None:
    assert currencies.is_currency(code)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "HRK", "BGN", "eur", "", "ABC"])
def test_no_currency_test_metals_and_withdrawn_codes_are_refused(code: str) -> None:
    assert not currencies.is_currency(code)


def test_a_withdrawn_currency_holds_until_its_last_day() -> None:
    assert currencies.is_currency("BGN", date(2025, 12, 31))
    assert not currencies.is_currency("BGN", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("code", "decimals"),
    [
        ("JPY", 0),
        ("KRW", 0),
        ("EUR", 2),
        ("BHD", 3),
        ("KWD", 3),
        ("OMR", 3),
        ("TND", 3),
        ("JOD", 3),
    ],
)
def test_minor_units_follow_iso_4217(code: str, decimals: int) -> None:
    assert currencies.minor_units(code) == decimals


def test_amounts_are_rounded_half_up_to_the_minor_unit() -> None:
    assert currencies.rounded(Decimal("1.2345"), "KWD") == Decimal("1.235")
    assert currencies.rounded(Decimal("0.5"), "JPY") == Decimal(1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kg", "KGM"),
        ("KGM", "KGM"),
        ("LB", "LBR"),
        ("pcs", "H87"),
        ("C62", "C62"),
        ("furlong", None),
    ],
)
def test_units_are_known_by_code_and_by_what_senders_write(text: str, code: str | None) -> None:
    assert units.unit_code(text) == code


def test_masses_become_kilograms_and_lengths_do_not() -> None:
    assert units.to_kilograms(Decimal(500), "GRM") == Decimal("0.5")
    assert units.to_kilograms(Decimal(10), "lb") == Decimal("4.5359237")
    assert units.to_kilograms(Decimal(1), "MTR") is None


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("11", "sale"),
        ("merchandise", "sale"),
        ("31", "gift"),
        ("GI", "gift"),
        ("sample", "commercial_sample"),
        ("991", "mixed"),
        ("OT", "other"),
    ],
)
def test_nature_of_transaction_is_read_in_three_spellings(text: str, term: str) -> None:
    found = postal.nature(text)
    assert found is not None
    assert found.term == term


def test_gd_is_ambiguous_and_stays_unknown() -> None:
    assert postal.nature("GD") is None


def test_sales_returns_and_samples_are_commercial_gifts_and_documents_are_not() -> None:
    assert {code for code, entry in postal.NATURES.items() if entry.is_commercial} == {
        "11",
        "21",
        "32",
        "991",
        "999",
    }


def test_the_gift_flag_of_a_dialect_becomes_gift_or_sale() -> None:
    assert (
        postal.nature_of_gift_flag(True).code,
        postal.nature_of_gift_flag(False).code,
    ) == ("31", "11")


def test_the_first_letter_of_a_subclass_is_the_mail_class() -> None:
    assert [postal.mail_class(text) for text in ("UN", "CC", "EN", "XX", "")] == [
        "U",
        "C",
        "E",
        None,
        None,
    ]
