"""CUSRSP: what a post reads of the hub's notices, and the hub of an authority's decisions."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.contracts import Answer, Missing, Notice, Outcome, PublicView
from shared.formats import cusrsp
from shared.model import DEFAULT_DIALECT, Dialect, Finding
from tests.samples import FOLDER, raw
from tests.unit.shared.formats.notices import AT, a_notice

REFERENCE = (FOLDER / "cusrsp" / "reference.xml").read_bytes()


def answers(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Answer]:
    return [item for item in cusrsp.parse(raw(body), dialect) if isinstance(item, Answer)]


def response_of(notice: Notice) -> Answer:
    return answers(cusrsp.render([notice], DEFAULT_DIALECT))[0]


# --- written -----------------------------------------------------------------------------------------------------------------------------


def test_what_is_written_can_be_read() -> None:
    answer = response_of(a_notice())
    assert answer.key == "post:LZ314159268US"
    assert answer.answer_id == cusrsp.response_id(UUID(int=77))
    assert (answer.phase, answer.phase_sequence, answer.raw_code, answer.decision) == ("FIN", 4, "2", "RELEASE")
    assert (answer.version_judged, answer.issued_at, answer.final) == (3, AT, True)
    assert answer.extra is not None
    assert answer.extra["InResponseTo"] == "USP-1"


def test_what_is_to_be_paid_is_written_tax_by_tax() -> None:
    levied = answers(REFERENCE)[1].charges
    assert response_of(a_notice(outcome=Outcome.DOCUMENT_CHECK, charges=levied)).charges == levied


def test_the_same_notice_always_gives_the_same_bytes() -> None:
    assert cusrsp.render([a_notice()], DEFAULT_DIALECT) == cusrsp.render([a_notice()], DEFAULT_DIALECT)


def test_a_response_id_fits_its_field() -> None:
    assert len(cusrsp.response_id(UUID(int=2**128 - 1))) <= 35


@pytest.mark.parametrize(
    ("outcome", "reason", "decision", "phase"),
    [
        (Outcome.RELEASE, "other", "RELEASE", "FIN"),
        (Outcome.DOCUMENT_CHECK, "documents_needed", "QUERY", "ADV"),
        (Outcome.DOCUMENT_CHECK, "payment_due", "PAY", "ADV"),
        (Outcome.DOCUMENT_CHECK, "agency_control", "HOLD", "ADV"),
        (Outcome.PHYSICAL_CHECK, "examination", "EXAMINE", "ADV"),
        (Outcome.REFERRAL, "data_missing", "QUERY", "ADV"),
        (Outcome.HOLD, "prohibited_goods", "HOLD", "ADV"),
        (Outcome.HOLD, "payment_due", "PAY", "ADV"),
        (Outcome.WITHDRAWN, "withdrawn_by_sender", "REGISTERED", "REG"),
    ],
)
def test_an_outcome_becomes_a_hub_decision(outcome: Outcome, reason: Any, decision: str, phase: str) -> None:
    notice = a_notice(outcome=outcome, reasons=(PublicView(public=reason),))
    assert cusrsp.hub_decision(notice) == decision
    assert response_of(notice).phase == phase


def test_a_hold_after_a_release_overrides_it() -> None:
    assert response_of(a_notice(outcome=Outcome.HOLD, supersedes=UUID(int=3))).phase == "FIN"


def test_a_security_reason_reads_like_an_examination() -> None:
    texts = {
        response_of(a_notice(outcome=Outcome.HOLD, reasons=(PublicView(public=public),))).note for public in ("security", "examination")
    }
    assert len(texts) == 1


def test_a_referral_names_the_elements_in_the_sender_s_own_words() -> None:
    missing = (Missing(path="/consignee/street_line", view="pre_arrival", holders=("POO",)),)
    notice = a_notice(outcome=Outcome.REFERRAL, referred=("/goods_items/1/hs_code",), missing=missing)
    body = cusrsp.render([notice], DEFAULT_DIALECT)
    assert b">Declaration/Data/ContentPieces/ContentPiece[2]/HS<" in body
    assert b">Declaration/Data/RecipientAddressLine1<" in body
    assert answers(body)[0].requested == ("/goods_items/1/hs_code", "/consignee/street_line")


def test_an_accepted_item_is_registered() -> None:
    answer = response_of(a_notice("guichet.consignment.accepted", effect="created"))
    assert (answer.phase, answer.decision, answer.track, answer.raw_code) == ("REG", "ACCEPTED", "filing", "99")


def test_a_refused_item_lists_its_errors() -> None:
    finding = Finding(code="DQ-01", message="Not <S10> & co.", remedy="Look\x01 again.", sender_path="Item[2]/MailObject/Id", line=3)
    answer = response_of(
        a_notice("guichet.filing.rejected", sequence=0, findings=(finding,), filing=None, consignment=None, message_id="USP-1")
    )
    assert (answer.phase, answer.decision) == ("REG", "REJECTED")
    assert answer.extra is not None
    assert answer.extra["Error[1]"] == "DQ-01 Item[2]/MailObject/Id Not <S10> & co. Look? again. line 3"


def test_a_file_refused_as_a_whole_has_no_item() -> None:
    finding = Finding(code="MSG-SYNTAX", message="Broken.", remedy="Mend it.")
    notice = a_notice("guichet.filing.rejected", key="rejection:1", sequence=0, findings=(finding,), filing=None, consignment=None)
    body = cusrsp.render([notice], DEFAULT_DIALECT)
    assert b"<ItemCount>0</ItemCount>" in body
    assert b'<FileError code="MSG-SYNTAX"' in body


def test_several_notices_make_one_file() -> None:
    notices = [a_notice(), a_notice(notice_id=UUID(int=78), key="post:CY271828189US")]
    assert [answer.key for answer in answers(cusrsp.render(notices, DEFAULT_DIALECT))] == ["post:LZ314159268US", "post:CY271828189US"]


# --- read --------------------------------------------------------------------------------------------------------------------------------


def numbered(phase: str, sequence: int, decision: str, prepared: str = "2026-11-23T09:12:30+01:00") -> Answer:
    """Return the first answer of the reference file in another phase."""
    body = REFERENCE.replace(b"<Phase>FIN</Phase><Sequence>1<", f"<Phase>{phase}</Phase><Sequence>{sequence}<".encode())
    body = body.replace(b"<HubDecision>RELEASE<", f"<HubDecision>{decision}<".encode())
    body = re.sub(b"<ClearanceDt>[^<]*</ClearanceDt>", b"", body)
    return answers(body.replace(b"2026-11-23T09:12:30+01:00", prepared.encode()))[0]


def test_a_late_advance_decision_does_not_undo_a_final_one() -> None:
    came = [numbered("REG", 1, "REGISTERED"), numbered("FIN", 1, "RELEASE"), numbered("ADV", 9, "HOLD", "2026-11-25T00:00:00+01:00")]
    assert max(came, key=lambda answer: answer.rank).decision == "RELEASE"


def test_a_final_decision_is_overridden_by_a_final_one_of_higher_sequence() -> None:
    came = [numbered("FIN", 2, "HOLD"), numbered("FIN", 1, "RELEASE")]
    assert max(came, key=lambda answer: answer.rank).decision == "HOLD"


def test_a_native_code_means_what_was_agreed() -> None:
    body = (FOLDER / "cusrsp" / "unknown_native_code.xml").read_bytes()
    unknown = answers(body)[0]
    assert (unknown.outcome, unknown.decision, unknown.raw_code) == (Outcome.HOLD, "HOLD", "77")
    assert unknown.note is not None
    assert unknown.note.startswith("unknown_code")
    agreed = answers(body, Dialect(code_maps={"decision": {"77": "SEIZE", "FIN:77": "RELEASE"}}))[0]
    assert (agreed.outcome, agreed.decision) == (Outcome.RELEASE, "RELEASE")


def test_one_post_may_speak_for_several_authorities() -> None:
    dialect = Dialect(code_maps={"service": {"NLCUST": "nl-customs"}})
    assert {answer.service for answer in answers(REFERENCE, dialect)} == {"nl-customs"}
    assert {answer.service for answer in answers(REFERENCE)} == {"sample-sender"}


def test_duties_taxes_and_the_fee_have_their_amounts() -> None:
    agreed = answers(REFERENCE, Dialect(code_maps={"tax": {"VAT": "GST"}}))[1]
    assert agreed.charges is not None
    assert [(each.type, each.amount.amount, each.hs_code) for each in agreed.charges] == [
        ("CUD", Decimal("16.00"), "640399"),
        ("GST", Decimal("49.27"), None),
        ("FEE", Decimal("6.00"), None),
    ]


def test_an_amount_that_is_none_stays_a_text() -> None:
    answer = answers(REFERENCE.replace(b"<Amount>16.00<", b"<Amount>much<"))[1]
    assert answer.charges is not None
    assert answer.extra is not None
    assert [each.type for each in answer.charges] == ["VAT", "FEE"]
    assert answer.extra["Tax[1]"] == "CUD 8.000% much EUR HS=640399"
    assert [finding.sender_path for finding in answer.findings or ()] == ["Item[2]/Response/Data/Taxes/Tax[1]/Amount"]


def test_taxes_and_directives_are_kept() -> None:
    extra = answers(REFERENCE)[1].extra
    assert extra is not None
    assert extra["Tax[2]"] == "VAT 21.000% 49.27 EUR"
    assert extra["Directive[1]"] == "HOLD_UNTIL payment"
    assert extra["TotalFee"] == "6.00 EUR"


def test_the_same_file_gives_the_same_answers() -> None:
    assert answers(REFERENCE) == answers(REFERENCE)
