"""CUSRSP: what a post reads of the hub's notices."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.contracts import FilingRef, Missing, Notice, Outcome, PublicView, Summary
from shared.formats import cusrsp
from shared.model import DEFAULT_DIALECT, Finding

AT = datetime(2026, 11, 23, 8, 12, 30, tzinfo=UTC)
POSTED = datetime(2026, 11, 20, 17, 42, 10, tzinfo=UTC)


def a_notice(type: str = "guichet.decision.made", **changes: Any) -> Notice:
    summary = Summary(
        house_transport_document_id="LZ314159268US",
        channel="post",
        posted_at=POSTED,
        origin_post="USP",
        destination_post="NLP",
        mail_class="U",
    )
    filing = FilingRef(
        filing_id=UUID(int=1),
        participant="usp",
        format="itmatt",
        message_id="USP-1",
        position="Item[1]",
        function="original",
        version=3,
        received_at=AT,
        kind="consignment",
    )
    values = {
        "notice_id": UUID(int=77),
        "subscription": UUID(int=5),
        "participant": "usp",
        "feed_sequence": 9,
        "type": type,
        "at": AT,
        "key": "post:LZ314159268US",
        "sequence": 4,
        "outcome": Outcome.RELEASE if type == "guichet.decision.made" else None,
        "consignment": summary,
        "filing": filing,
    }
    return Notice.model_validate(values | changes)


def response_of(notice: Notice) -> cusrsp.Response:
    return cusrsp.read(cusrsp.render([notice], DEFAULT_DIALECT)).responses[0]


def test_what_is_written_can_be_read() -> None:
    response = response_of(a_notice())
    assert response == cusrsp.Response(
        s10="LZ314159268US",
        response_id=cusrsp.response_id(UUID(int=77)),
        phase="FIN",
        sequence=4,
        decision_code="2",
        hub_decision="RELEASE",
        in_response_to="USP-1",
        version=3,
        posted_at=POSTED,
        mail_class="U",
        origin_post="USP",
        destination_post="NLP",
        cleared_at=AT,
    )


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
    response = response_of(a_notice(outcome=outcome, reasons=(PublicView(public=reason),)))
    assert (response.hub_decision, response.phase) == (decision, phase)


def test_a_hold_after_a_release_overrides_it() -> None:
    assert response_of(a_notice(outcome=Outcome.HOLD, supersedes=UUID(int=3))).phase == "FIN"


def test_a_security_reason_reads_like_an_examination() -> None:
    texts = {
        response_of(a_notice(outcome=Outcome.HOLD, reasons=(PublicView(public=public),))).reason for public in ("security", "examination")
    }
    assert len(texts) == 1


def test_a_referral_names_the_elements_in_the_sender_s_own_words() -> None:
    missing = (Missing(path="/consignee/street_line", view="pre_arrival", holders=("POO",)),)
    response = response_of(a_notice(outcome=Outcome.REFERRAL, referred=("/goods_items/1/hs_code",), missing=missing))
    assert [complaint.path for complaint in response.requested] == [
        "Declaration/Data/ContentPieces/ContentPiece[2]/HS",
        "Declaration/Data/RecipientAddressLine1",
    ]


def test_an_accepted_item_is_registered() -> None:
    response = response_of(a_notice("guichet.consignment.accepted", effect="created"))
    assert (response.phase, response.hub_decision, response.decision_code) == ("REG", "REGISTERED", "99")


def test_a_refused_item_lists_its_errors() -> None:
    finding = Finding(code="DQ-01", message="Not <S10> & co.", remedy="Look\x01 again.", sender_path="Item[2]/MailObject/Id")
    response = response_of(
        a_notice("guichet.filing.rejected", sequence=0, findings=(finding,), filing=None, consignment=None, message_id="USP-1")
    )
    assert (response.phase, response.hub_decision, response.in_response_to) == ("REG", "REJECTED_DATA", "USP-1")
    assert response.errors == (cusrsp.Complaint("DQ-01", "Item[2]/MailObject/Id", "Not <S10> & co. Look? again."),)


def test_a_file_refused_as_a_whole_has_no_item() -> None:
    finding = Finding(code="MSG-SYNTAX", message="Broken.", remedy="Mend it.")
    notice = a_notice("guichet.filing.rejected", key="rejection:1", sequence=0, findings=(finding,), filing=None, consignment=None)
    file = cusrsp.read(cusrsp.render([notice], DEFAULT_DIALECT))
    assert file.responses == ()
    assert [error.code for error in file.errors] == ["MSG-SYNTAX"]


def test_several_notices_make_one_file() -> None:
    notices = [a_notice(), a_notice(notice_id=UUID(int=78), key="post:CY271828189US")]
    assert [response.s10 for response in cusrsp.read(cusrsp.render(notices, DEFAULT_DIALECT)).responses] == [
        "LZ314159268US",
        "CY271828189US",
    ]
