"""CUSRES, CONTRL and APERAK: what the hub writes, it would understand itself."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from shared.contracts import (
    TYPE_OF,
    Answer,
    Charge,
    ConsignmentAccepted,
    DecisionMade,
    FilingRejected,
    Notice,
    Outcome,
    PublicView,
    Summary,
)
from shared.formats import aperak, contrl, cusres
from shared.formats.base import Received, Taken
from shared.formats.edifact_answers import error_code
from shared.formats.rules import RULES
from shared.model import DEFAULT_DIALECT, Dialect, Finding, Money, RawMessage
from tests.samples import FOLDER

AT = datetime(2026, 3, 2, 7, 2, tzinfo=UTC)


def a_notice(type: type = DecisionMade, **changes: object) -> Notice:
    given = {
        "notice_id": UUID(int=7),
        "subscription": UUID(int=1),
        "participant": "jx",
        "feed_sequence": 1,
        "type": TYPE_OF[type],
        "at": AT,
        "key": "express:jx:JXE2603000017",
        "sequence": 1,
        "message_id": "JXM20260301LGG01/20260301000017",
        "consignment": Summary(house_transport_document_id="JXE2603000017", master_transport_document_id="888-45123072", channel="express"),
    }
    return Notice.model_validate({**given, **changes})


def answers(module, body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Answer]:
    return list(module.parse(RawMessage("customs", body, AT), dialect))


def received(body: bytes, *taken: Taken, refusal: tuple[Finding, ...] = ()) -> Received:
    return Received(UUID(int=9), RawMessage("jx", body, AT), None, taken, refusal)


@pytest.mark.parametrize(
    ("outcome", "reason", "decision"),
    [
        (Outcome.RELEASE, "other", "RELEASE"),
        (Outcome.DOCUMENT_CHECK, "documents_needed", "DOCS_REQUESTED"),
        (Outcome.DOCUMENT_CHECK, "payment_due", "PAYMENT_REQUIRED"),
        (Outcome.PHYSICAL_CHECK, "examination", "EXAMINE"),
        (Outcome.REFERRAL, "description_unclear", "INFO_REQUESTED"),
        (Outcome.HOLD, "restricted_goods", "HOLD"),
        (Outcome.WITHDRAWN, "withdrawn_by_sender", "CANCELLED"),
    ],
)
def test_a_decision_comes_back_as_the_answer_it_was(outcome: Outcome, reason: str, decision: str) -> None:
    notice = a_notice(outcome=outcome, reasons=(PublicView(public=reason),))
    [answer] = answers(cusres, cusres.render([notice], DEFAULT_DIALECT))
    assert (answer.key, answer.decision, answer.issued_at) == (notice.key, decision, AT)
    assert answer.findings is None


def test_what_is_to_be_paid_comes_back() -> None:
    levied = (
        Charge(type="CUD", amount=Money(amount=Decimal("16.00"), currency="EUR"), rate_percent=Decimal("8.000")),
        Charge(type="VAT", amount=Money(amount=Decimal("49.27"), currency="EUR")),
        Charge(type="FEE", amount=Money(amount=Decimal("6.00"), currency="EUR")),
    )
    notice = a_notice(outcome=Outcome.DOCUMENT_CHECK, reasons=(PublicView(public="payment_due"),), charges=levied)
    body = cusres.render([notice], DEFAULT_DIALECT)
    assert b"TAX+5+CUD+++:::8.000'MOA+161:16.00:EUR'" in body.replace(b"\n", b"")
    [answer] = answers(cusres, body)
    assert answer.charges == levied


def test_an_amount_that_is_no_money_is_told_and_not_charged() -> None:
    body = (FOLDER / "cusres" / "charges_of_each_house.edi").read_bytes()
    [charged, *_] = answers(cusres, body)
    assert charged.charges is not None
    said = f"{charged.charges[0].amount.amount}".encode()
    [told, *_] = answers(cusres, body.replace(said, said + b"99999999", 1))
    assert len(told.charges or ()) == len(charged.charges) - 1


def test_a_cusres_names_house_master_and_the_receivers_own_document() -> None:
    dialect = Dialect(code_maps={"edifact": {"address": "JXEXPRESS:ZZZ", "hub": "CUSTOMSHUB:ZZZ"}})
    body = cusres.render([a_notice(outcome=Outcome.RELEASE)], dialect).decode()
    assert "RFF+HWB:JXE2603000017'\nRFF+MWB:888-45123072'\nRFF+ABO:JXM20260301LGG01'" in body
    assert "UNB+UNOC:3+CUSTOMSHUB:ZZZ+JXEXPRESS:ZZZ+260302:0702+" in body
    assert body == cusres.render([a_notice(outcome=Outcome.RELEASE)], dialect).decode()


def test_acceptance_and_rejection_are_no_clearance() -> None:
    finding = Finding(
        code="FLD-MISSING", message="A mandatory field is missing.", remedy="Fill the field.", sender_path="UNH[1]/CNI[1]/NAD+CN"
    )
    notices = [a_notice(ConsignmentAccepted), a_notice(FilingRejected, findings=(finding,), position="UNH[1]/CNI[1]")]
    accepted, rejected = answers(cusres, cusres.render(notices, DEFAULT_DIALECT))
    assert (accepted.decision, accepted.track) == ("ACCEPTED", "filing")
    assert (rejected.decision, rejected.track) == ("REJECTED", "filing")
    assert rejected.note is not None
    assert rejected.note.startswith("FLD-MISSING UNH[1]/CNI[1]/NAD+CN: A mandatory field is missing.")


def test_aperak_tells_each_finding() -> None:
    finding = Finding(
        code="FLD-CODE",
        message="The code is not in its list.",
        remedy="Use a code of the list.",
        sender_path="Item[1]/HS",
        line=7,
        column=12,
    )
    [accepted, first, second] = answers(
        aperak, aperak.render([a_notice(ConsignmentAccepted), a_notice(FilingRejected, findings=(finding, finding))], DEFAULT_DIALECT)
    )
    assert (accepted.key, accepted.decision) == ("lrn:JXM20260301LGG01", "ACCEPTED")
    assert first.key == second.key == "express:jx:JXE2603000017"
    assert first.decision == "REJECTED"
    assert first.note is not None
    assert "FLD-CODE Item[1]/HS (line 7, column 12): The code is not in its list." in first.note


def test_contrl_of_notices_refuses_only_what_was_refused_as_a_whole() -> None:
    finding = Finding(code="MSG-SYNTAX", message="no", remedy="no", sender_path="UNZ")
    notices = [a_notice(ConsignmentAccepted), a_notice(FilingRejected, findings=(finding,), key="rejection:1", consignment=None)]
    received, refused = answers(contrl, contrl.render(notices, DEFAULT_DIALECT))
    assert (received.key, received.decision) == ("lrn:20260301000017", "RECEIVED")
    assert (refused.decision, refused.note) == ("REJECTED", "UCI 18 unspecified error")


def test_contrl_of_bytes_names_message_and_segment() -> None:
    body = contrl.acknowledge(received((FOLDER / "cuscar/wrong_counts.edi").read_bytes()), DEFAULT_DIALECT)
    assert body is not None
    text = body.decode()
    assert "UCI+20260301000501+JXEXPRESS:ZZZ+CUSTOMSHUB:ZZZ+7+29'" in text
    assert "UCM+1+CUSCAR:D:95B:UN+7+29'\nUCS+21+29'" in text


def test_contrl_of_a_cut_off_file_refuses_it() -> None:
    body = contrl.acknowledge(received((FOLDER / "cuscar/cut_off.edi").read_bytes()), DEFAULT_DIALECT)
    assert body is not None
    [answer] = answers(contrl, body)
    assert (answer.key, answer.decision) == ("lrn:20260301000901", "REJECTED")


def test_a_contrl_is_never_answered_with_a_contrl() -> None:
    assert contrl.acknowledge(received((FOLDER / "contrl/reference.edi").read_bytes()), DEFAULT_DIALECT) is None
    assert contrl.acknowledge(received(b"no EDIFACT at all"), DEFAULT_DIALECT) is None


def test_contrl_names_a_message_that_was_refused_for_what_it_says() -> None:
    wrong = Finding(code="EDI-VERSION", message="no", remedy="no", sender_path="UNH[1]/UNH/0052")
    body = contrl.acknowledge(
        received((FOLDER / "cuscar/reference.edi").read_bytes(), Taken("UNH[1]", None, True, (wrong,))), DEFAULT_DIALECT
    )
    assert body is not None
    text = body.decode()
    assert "UCI+20260301000017+JXEXPRESS:ZZZ+CUSTOMSHUB:ZZZ+7'" in text
    assert "UCM+1+CUSCAR:D:95B:UN+4+18'" in text


def test_contrl_refuses_what_was_refused_beyond_its_syntax() -> None:
    no = Finding(code="FORMAT-NOT-AGREED", message="no", remedy="no")
    body = contrl.acknowledge(received((FOLDER / "cuscar/reference.edi").read_bytes(), refusal=(no,)), DEFAULT_DIALECT)
    assert body is not None
    assert "UCI+20260301000017+JXEXPRESS:ZZZ+CUSTOMSHUB:ZZZ+4+18'" in body.decode()


def test_error_codes_stay_distinct_in_eight_characters() -> None:
    short = {error_code(code) for code in RULES}
    assert len(short) == len(RULES)


def test_a_national_code_is_mapped_by_the_dialect_and_the_carrier_too() -> None:
    dialect = Dialect(code_maps={"cusres": {"Z9": "4"}, "carrier": {"JXEXPRESS": "jx"}})
    body = (FOLDER / "cusres/correction_approved_and_unknown_code.edi").read_bytes()
    assert [(each.key, each.decision, each.raw_code) for each in answers(cusres, body, dialect)] == [
        ("express:jx:JXE2603000017", "ACCEPTED", "15"),
        ("express:jx:JXE2603000017", "RELEASE", "Z9"),
    ]
