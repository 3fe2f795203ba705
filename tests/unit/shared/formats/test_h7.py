"""Low-value declarations: EU and UK layouts of one consignment."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.contracts import Answer, Notice, Outcome, PublicView
from shared.formats import h7_json, h7_xml, uk_dms_h7, uk_notification
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Dialect, Filing, RawMessage
from tests.samples import FOLDER
from tests.unit.shared.formats.notices import a_notice

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
ENVELOPE = Envelope("JXE20260301H7000017", "JX", "GB", AT)
UK = Dialect(code_maps={"uk-dms": {"declarant": "GB123456789000", "location": "EMAEMAEMA"}, "h7": {"procedure:other": "C07"}})


def filings(sample: str = "reference.json") -> list[Filing]:
    raw = RawMessage("jx", (FOLDER / "h7-json" / sample).read_bytes(), AT)
    return [item for item in h7_json.parse(raw, DEFAULT_DIALECT) if isinstance(item, Filing)]


def changed(filing: Filing, **changes) -> Filing:
    assert filing.consignment is not None
    return filing.model_copy(update={"consignment": filing.consignment.model_copy(update=changes)})


def told(written) -> list[tuple[str, str]]:
    return [(found.code, found.path) for found in written.findings]


def test_a_declaration_has_the_names_of_the_common_data_model() -> None:
    written = h7_xml.write(filings(), ENVELOPE, DEFAULT_DIALECT)
    for part in (
        "<LRN>JXE20260301H7000017</LRN><additionalDeclarationType>D</additionalDeclarationType>",
        "<AdditionalFiscalReference><role>FR5</role><vatIdentificationNumber>IM3720000018</vatIdentificationNumber>",
        "<Procedure><additionalProcedure>C07</additionalProcedure><additionalProcedure>F48</additionalProcedure></Procedure>",
        "<harmonizedSystemSubHeadingCode>610910</harmonizedSystemSubHeadingCode>",
        "<intrinsicValue><amount>22.90</amount><currency>EUR</currency></intrinsicValue>",
        "<TransportDocument><type>N703</type><referenceNumber>JXE2603000017</referenceNumber></TransportDocument>",
    ):
        assert part in written.body.decode()


@pytest.mark.parametrize("module", [h7_json, h7_xml, uk_dms_h7])
@pytest.mark.parametrize("code", [None, "6109"])
def test_a_code_of_four_digits_is_not_declared(module, code: str | None) -> None:
    (filing,) = filings()
    assert filing.consignment is not None
    poorer = changed(filing, goods_items=tuple(line.model_copy(update={"hs_code": code}) for line in filing.consignment.goods_items))
    written = module.write([poorer], ENVELOPE, UK)
    assert written.body == b""
    assert ("WRITE-MISSING", "/goods_items/0/hs_code") in told(written)


def test_procedures_are_data_of_the_dialect() -> None:
    (filing,) = filings()
    dialect = Dialect(code_maps={"h7": {"procedure:ioss": "C07 F48 1EU"}})
    assert b'"procedures":["C07","F48","1EU"]' in h7_json.write([filing], ENVELOPE, dialect).body


def test_several_declarations_have_numbered_references() -> None:
    (filing,) = filings()
    written = h7_json.write([filing, filing], Envelope("H7-20260302", "JX", "BE", AT), DEFAULT_DIALECT)
    assert b'"lrn":"H7-20260302-1"' in written.body
    assert b'"lrn":"H7-20260302-2"' in written.body


def uk_consignment() -> Filing:
    """Return the consignment of the published sample."""
    (filing,) = filings()
    assert filing.consignment is not None
    (line,) = filing.consignment.goods_items
    money = line.item_amount
    assert money is not None
    line = line.model_copy(
        update={
            "goods_description": "COTTON KNITTED T-SHIRT",
            "gross_mass_kg": Decimal("0.450"),
            "item_amount": money.model_copy(update={"amount": Decimal("19.50"), "currency": "GBP"}),
        }
    )
    assert filing.consignment.consignor is not None
    assert filing.consignment.consignee is not None
    exporter = filing.consignment.consignor.model_copy(
        update={"street_line": "BLDG 7 FUHUA ROAD", "city": "SHENZHEN", "postcode": "518000"}
    )
    importer = filing.consignment.consignee.model_copy(
        update={"name": "JANE EXAMPLE", "street_line": "4 MILL LANE", "city": "LEEDS", "postcode": "LS1 4AP", "country": "GB"}
    )
    return changed(
        filing,
        goods_items=(line,),
        consignor=exporter,
        consignee=importer,
        ucr="6GB123456789000-JXE2603000017",
        tax_ids=None,
        tax_scheme=None,
        extra=None,
    )


def test_the_published_declaration_is_written_as_it_was_published() -> None:
    written = uk_dms_h7.write([uk_consignment()], ENVELOPE, UK)
    published = (FOLDER / "wco-declaration/reference.xml").read_text()
    assert written.body.decode().replace("\n", "") == "".join(line.strip() for line in published.splitlines())


def test_a_declaration_without_declarant_is_not_written() -> None:
    written = uk_dms_h7.write([uk_consignment()], ENVELOPE, DEFAULT_DIALECT)
    assert written.body == b""
    assert ("WRITE-MISSING", "/extra/declarant/eori") in told(written)


def answers(sample: str, dialect: Dialect = DEFAULT_DIALECT) -> list[Answer]:
    raw = RawMessage("gb-customs", (FOLDER / "uk-notification" / sample).read_bytes(), AT)
    return [item for item in uk_notification.parse(raw, dialect) if isinstance(item, Answer)]


def test_each_response_is_an_answer() -> None:
    decisions = [answer.decision for answer in answers("several_in_one.xml")]
    assert decisions == ["ACCEPTED", "EXAMINE", "RELEASE", "ACCEPTED", "RELEASE"]


def test_a_request_is_granted_or_denied_by_its_status() -> None:
    found = answers("update_request_granted_and_denied.xml")
    assert [answer.note for answer in found] == ["request granted", "request denied", "request answered"]
    assert {answer.decision for answer in found} == {"RECEIVED"}


def test_a_detention_ends_only_where_the_dialect_knows_the_status() -> None:
    (held,) = [answer for answer in answers("documents_query_and_detention.xml") if answer.raw_code == "52/70"]
    assert (held.outcome, held.lifted) == (Outcome.HOLD, None)
    dialect = Dialect(code_maps={"cds": {"52/70": "52/U"}})
    (freed,) = [answer for answer in answers("documents_query_and_detention.xml", dialect) if answer.raw_code == "52/70"]
    assert (freed.decision, freed.lifted) == ("HOLD", True)


# --- UK notifications, written -----------------------------------------------------------------------------------------------------------


def a_decision(outcome: str, *, reasons: tuple[PublicView, ...] = (), **changes: Any) -> Notice:
    notice = a_notice(outcome=outcome, reasons=reasons, **changes)
    assert notice.filing is not None
    return notice.model_copy(update={"filing": notice.filing.model_copy(update={"references": ("lrn:JXE1",)})})


@pytest.mark.parametrize(
    ("outcome", "code", "decision"),
    [
        ("release", "08", "RELEASE"),
        ("document_check", "06", "DOCS_REQUESTED"),
        ("physical_check", "05", "EXAMINE"),
        ("referral", "51", "INFO_REQUESTED"),
        ("hold", "52", "HOLD"),
        ("withdrawn", "10", "CANCELLED"),
    ],
)
def test_a_decision_is_notified_by_the_code_that_says_it(outcome: str, code: str, decision: str) -> None:
    body = uk_notification.render([a_decision(outcome)], DEFAULT_DIALECT)
    assert body == uk_notification.render([a_decision(outcome)], DEFAULT_DIALECT)
    (answer,) = uk_notification.parse(RawMessage("hub", body, a_decision(outcome).at), DEFAULT_DIALECT)
    assert isinstance(answer, Answer)
    assert (answer.key, answer.raw_code, answer.decision, answer.issued_at) == ("lrn:JXE1", code, decision, a_decision(outcome).at)
    assert answer.findings is None


def test_payment_that_is_due_is_notified_as_such() -> None:
    body = uk_notification.render([a_decision("hold", reasons=(PublicView(public="payment_due"),))], DEFAULT_DIALECT)
    assert b"<FunctionCode>14</FunctionCode>" in body
    assert b"<StatementDescription>payment due</StatementDescription>" in body


def test_no_notification_says_that_customs_accepted_in_law() -> None:
    accepted = a_decision("release", type="guichet.consignment.accepted").model_copy(update={"outcome": None})
    body = uk_notification.render([accepted], DEFAULT_DIALECT)
    assert b"<FunctionCode>02</FunctionCode>" in body
    assert b"<ID>" not in body


def test_a_mere_wait_and_a_declaration_without_its_own_reference_are_not_notified() -> None:
    waits = a_decision("hold", reasons=(PublicView(public="no_answer"),))
    assert uk_notification.render([waits, a_notice()], DEFAULT_DIALECT) == b""
