"""ICS2 filings: what is written, what is told instead."""

from datetime import UTC, datetime

import pytest

from shared.formats import ie3f32
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Dialect, Filing, RawMessage
from tests.samples import FOLDER

AT = datetime(2026, 3, 1, 4, 20, tzinfo=UTC)
ENVELOPE = Envelope("JXE2603010000017A1", "JX", "ICS2", AT)


def read(sample: str, dialect: Dialect = DEFAULT_DIALECT) -> list[Filing]:
    raw = RawMessage("jx", (FOLDER / "ie3f32" / sample).read_bytes(), AT)
    return [item for item in ie3f32.parse(raw, dialect) if isinstance(item, Filing)]


def told(written) -> list[tuple[str, str]]:
    return [(found.code, found.path) for found in written.findings]


def test_the_published_sample_is_written_as_it_was_published() -> None:
    written = ie3f32.write(read("reference.xml"), ENVELOPE, DEFAULT_DIALECT)
    flat = "".join(line.strip() for line in (FOLDER / "ie3f32/reference.xml").read_text().splitlines())
    assert written.body.decode().replace("\n", "") == flat
    assert not written.findings


def test_houses_of_one_declarant_share_a_message() -> None:
    written = ie3f32.write(read("several.xml"), ENVELOPE, DEFAULT_DIALECT)
    assert written.body.count(b"<consignmentHouseLevel>") == 2


def test_a_house_of_another_declarant_needs_its_own_message() -> None:
    one, other = read("reference.xml") + read("full.xml")
    written = ie3f32.write([one, other], ENVELOPE, DEFAULT_DIALECT)
    assert written.body.count(b"<consignmentHouseLevel>") == 1
    assert ("WRITE-ONE", "/extra") in told(written)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"gross_mass_kg": None}, "/gross_mass_kg"),
        ({"consignee": None}, "/consignee/name"),
        ({"goods_items": ()}, "/goods_items"),
        ({"extra": None}, "/extra/declarant/identificationNumber"),
    ],
)
def test_what_customs_need_is_not_left_out_in_silence(changes: dict, path: str) -> None:
    (filing,) = read("reference.xml")
    assert filing.consignment is not None
    poorer = filing.model_copy(update={"consignment": filing.consignment.model_copy(update=changes)})
    written = ie3f32.write([poorer], ENVELOPE, DEFAULT_DIALECT)
    assert written.body == b""
    assert ("WRITE-MISSING", path) in told(written)


def test_a_name_that_does_not_fit_is_not_cut() -> None:
    (filing,) = read("reference.xml")
    assert filing.consignment is not None
    assert filing.consignment.consignee is not None
    consignee = filing.consignment.consignee.model_copy(update={"name": "N" * 71})
    longer = filing.model_copy(update={"consignment": filing.consignment.model_copy(update={"consignee": consignee})})
    written = ie3f32.write([longer], ENVELOPE, DEFAULT_DIALECT)
    assert written.body == b""
    assert told(written) == [("WRITE-MISSING", "/consignee/name")]


def test_an_lrn_of_more_than_22_characters_is_told() -> None:
    written = ie3f32.write(read("reference.xml"), Envelope("M" * 23, "JX", "ICS2", AT), DEFAULT_DIALECT)
    assert written.body == b""
    assert told(written) == [("WRITE-MISSING", "/message_id")]


def test_a_withdrawal_is_another_message() -> None:
    (filing,) = read("reference.xml")
    written = ie3f32.write([filing.model_copy(update={"function": "cancel"})], ENVELOPE, DEFAULT_DIALECT)
    assert (written.body, told(written)) == (b"", [("WRITE-ONE", "/function")])


def test_the_declarant_may_come_from_the_dialect() -> None:
    dialect = Dialect(code_maps={"ics2": {"declarant/name": "HUB BROKER", "declarant/identificationNumber": "BE0999888777"}})
    (filing,) = read("minimal.xml")
    written = ie3f32.write([filing], ENVELOPE, dialect)
    assert b"<declarant><name>HUB BROKER</name>" in written.body
    assert not [found for found in written.findings if found.severity == "error"]


def test_the_dialect_says_which_filing_is_meant() -> None:
    (filing,) = read("reference.xml")
    written = ie3f32.write([filing], ENVELOPE, Dialect(code_maps={"ics2": {"filing": "F33"}}))
    assert b"<IE3F33 " in written.body
    assert b"<SpecificCircumstanceIndicator>F33<" in written.body
