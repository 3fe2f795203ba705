"""ASYCUDA World: what is written for it, what its lanes mean."""

from datetime import UTC, datetime

from shared.contracts import Answer, Outcome
from shared.formats import asycuda_sad, awbolds, awmds
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Dialect, Filing, RawMessage
from tests.samples import FOLDER

AT = datetime(2026, 3, 2, 7, tzinfo=UTC)
ENVELOPE = Envelope("JXE260302H7000017", "JX", "CK", AT)
OFFICE = {"Customs_clearance_office_code": "CKRAR", "Type_of_declaration": "IM", "Declaration_gen_procedure_code": "4"}
DIALECT = Dialect(code_maps={"asycuda": {**OFFICE, "Declarant_code": "D77"}})


def filings(sample: str = "single.xml") -> list[Filing]:
    raw = RawMessage("jx", (FOLDER / "awmds" / sample).read_bytes(), AT)
    return [item for item in awmds.parse(raw, DEFAULT_DIALECT) if isinstance(item, Filing)]


def answers(sample: str) -> list[Answer]:
    raw = RawMessage("ck-customs", (FOLDER / "asycuda-sad" / sample).read_bytes(), AT)
    return [item for item in asycuda_sad.parse(raw, DEFAULT_DIALECT) if isinstance(item, Answer)]


def changed(filing: Filing, **changes) -> Filing:
    assert filing.consignment is not None
    return filing.model_copy(update={"consignment": filing.consignment.model_copy(update=changes)})


def told(written) -> list[tuple[str, str]]:
    return [(found.code, found.path) for found in written.findings]


def test_a_manifest_sums_its_lines() -> None:
    written = awmds.write(filings("several_channels.xml"), ENVELOPE, DEFAULT_DIALECT)
    assert b"<Total_number_of_bols>3</Total_number_of_bols><Total_number_of_packages>5</Total_number_of_packages>" in written.body
    assert b"<Total_gross_mass>8.200</Total_gross_mass>" in written.body


def test_a_house_number_longer_than_the_dialect_allows_is_refused() -> None:
    (filing,) = filings()
    written = awmds.write([changed(filing, house_transport_document_id="J" * 18)], ENVELOPE, DEFAULT_DIALECT)
    assert written.body == b""
    assert told(written) == [("WRITE-MISSING", "/house_transport_document_id")]


def test_a_description_that_does_not_fit_is_told_and_stays_with_its_line() -> None:
    (filing,) = filings()
    dialect = Dialect(code_maps={"asycuda": {"length:Goods_description": "20"}})
    written = awmds.write([filing], ENVELOPE, dialect)
    assert b"<Goods_description>COTTON T-SHIRTS; LEA</Goods_description>" in written.body
    assert b"<Commercial_description>LEATHER SHOES</Commercial_description>" in written.body
    assert told(written) == [("WRITE-CUT", "/goods_items/0/goods_description")]


def test_what_travels_otherwise_is_not_in_the_manifest() -> None:
    one, other = [*filings(), changed(filings()[0], conveyance_reference="XX9999")]
    written = awmds.write([one, other], ENVELOPE, DEFAULT_DIALECT)
    assert written.body.count(b"<Bol_segment>") == 1
    assert ("WRITE-ONE", "/conveyance_reference") in told(written)


def test_houses_are_told_under_their_master() -> None:
    (filing,) = filings()
    house = changed(filing, master_transport_document_id="888-45123072")
    written = awbolds.write([house, changed(house, master_transport_document_id="888-45123083")], ENVELOPE, DEFAULT_DIALECT)
    assert b"<Awbolds><Master_bol><Customs_office_code>CKRAR</Customs_office_code><Voyage_number>XX1234</Voyage_number>" in written.body
    assert b"<Reference_number>888-45123072</Reference_number></Master_bol><Bol_segment>" in written.body
    assert ("WRITE-ONE", "/master_transport_document_id") in told(written)


def test_a_declaration_has_its_codes_from_the_dialect() -> None:
    written = asycuda_sad.write(filings(), ENVELOPE, DIALECT)
    assert b"<Office_segment><Customs_clearance_office_code>CKRAR</Customs_clearance_office_code></Office_segment>" in written.body
    assert b"<Reference><Number>JXE260302H7000017</Number></Reference>" in written.body
    assert written.body.count(b"<Item>") == 2
    assert b"Duty_tax" not in written.body


def test_a_declaration_without_office_is_not_written() -> None:
    written = asycuda_sad.write(filings(), ENVELOPE, DEFAULT_DIALECT)
    assert written.body == b""
    assert ("WRITE-MISSING", "/extra/Customs_clearance_office_code") in told(written)


def test_the_lane_decides() -> None:
    lanes = {"single.xml": Outcome.RELEASE, "yellow_documents.xml": Outcome.DOCUMENT_CHECK, "red_examination.xml": Outcome.PHYSICAL_CHECK}
    lanes |= {"blue_later_audit_nothing_to_pay.xml": Outcome.RELEASE, "unknown_lane_is_a_hold.xml": Outcome.HOLD}
    assert {sample: answers(sample)[-1].outcome for sample in lanes} == lanes


def test_green_does_not_release_before_the_charges_are_paid() -> None:
    assert [answer.decision for answer in answers("green_but_unpaid.xml")] == ["ACCEPTED", "PAYMENT_REQUIRED"]
    paid = answers("full_green_after_payment.xml")
    assert [(answer.decision, answer.lifted) for answer in paid[1:]] == [
        ("PAYMENT_REQUIRED", None),
        ("PAYMENT_REQUIRED", True),
        ("RELEASE", None),
    ]
