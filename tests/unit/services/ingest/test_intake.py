"""Intake: who may send what, and what becomes of it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.ingest import intake
from shared.contracts import Answer, FilingRejected, SubmissionRead
from shared.directory import Participant, Role
from shared.model import Filing, RawMessage, Rejection
from tests.samples import FOLDER, RECEIVED_AT

NOW = datetime(2026, 11, 21, 18, 0, 1, tzinfo=UTC)
POST = Participant(id="usp", name="Sample post", role=Role.POST, country="US")
REFERENCE = RawMessage("usp", (FOLDER / "itmatt" / "reference.xml").read_bytes(), RECEIVED_AT)
SUBMISSION = UUID(int=42)


def refusal_of(raw: RawMessage, participant: Participant | None = POST) -> str:
    reading = intake.read(raw, participant)
    (outcome,) = reading
    assert outcome is reading.refusal
    assert isinstance(outcome, Rejection)
    assert outcome.position is None
    return outcome.findings[0].code


def test_the_filings_of_a_message_are_the_sender_s() -> None:
    outcomes = list(intake.read(REFERENCE, POST))
    assert [outcome.key for outcome in outcomes if isinstance(outcome, Filing)] == ["post:LZ314159268US", "post:CY271828189US"]
    assert {outcome.participant for outcome in outcomes if isinstance(outcome, Filing)} == {"usp"}


def test_nobody_registered_may_send() -> None:
    assert refusal_of(REFERENCE, None) == "SENDER-UNKNOWN"


def test_an_inactive_participant_may_not_send() -> None:
    assert refusal_of(REFERENCE, POST.model_copy(update={"active": False})) == "SENDER-INACTIVE"


def test_a_format_must_be_agreed() -> None:
    assert refusal_of(REFERENCE, POST.model_copy(update={"formats": ("order",)})) == "FORMAT-NOT-AGREED"
    assert len(list(intake.read(REFERENCE, POST.model_copy(update={"formats": ("itmatt",)})))) == 2


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        ("itmatt/doctype.xml", "MSG-DOCTYPE"),
        ("itmatt/entity_bomb.xml", "MSG-DOCTYPE"),
        ("itmatt/wrong_charset.xml", "MSG-CHARSET"),
        ("itmatt/truncated.xml", "MSG-SYNTAX"),
        ("itmatt/nul_byte.xml", "MSG-NUL"),
        ("itmatt/wrong_count.xml", "MSG-COUNT"),
        ("manifest-json/too_deep.json", "MSG-DEPTH"),
        ("manifest-json/duplicate_key.json", "MSG-DUPLICATE-KEY"),
        ("unrecognised/empty.bin", "MSG-EMPTY"),
        ("unrecognised/other_document.xml", "MSG-FORMAT"),
    ],
)
def test_each_bad_message_has_its_own_code(sample: str, code: str) -> None:
    assert refusal_of(replace(REFERENCE, body=(FOLDER / sample).read_bytes())) == code


def test_a_message_nested_two_hundred_deep_is_refused() -> None:
    body = (FOLDER / "itmatt" / "too_deep.xml").read_bytes()
    (outcome,) = intake.read(replace(REFERENCE, body=body), POST)
    assert isinstance(outcome, Rejection)
    assert outcome.findings[0].code == "MSG-DEPTH"


def test_a_receipt_hears_how_many_items_went_on() -> None:
    body = (FOLDER / "itmatt" / "refused_item.xml").read_bytes()
    reading = intake.read(replace(REFERENCE, body=body, submission_id=SUBMISSION), POST)
    filings = tuple(outcome.filing_id for outcome in reading if isinstance(outcome, Filing))
    summary = reading.summary(NOW)
    assert summary is not None
    assert (summary.items, summary.rejected, summary.filings) == (2, 1, filings)
    assert (summary.submission_id, summary.read_at, summary.format) == (SUBMISSION, NOW, "itmatt")
    assert SubmissionRead.from_json(summary.to_json()) == summary


def test_an_authority_hears_how_many_of_its_answers_went_on() -> None:
    customs = Participant(id="customs-nl", name="Customs", role=Role.CUSTOMS, country="NL")
    body = (FOLDER / "cusrsp" / "several.xml").read_bytes()
    reading = intake.read(replace(REFERENCE, body=body, submission_id=SUBMISSION), customs)
    answers = [outcome for outcome in reading if isinstance(outcome, Answer)]
    summary = reading.summary(NOW)
    assert summary is not None
    assert (summary.items, summary.rejected, summary.filings) == (len(answers), 0, ())
    assert len(answers) > 1


def test_a_message_without_receipt_has_no_summary() -> None:
    reading = intake.read(REFERENCE, POST)
    assert list(reading)
    assert reading.summary(NOW) is None


def test_a_test_message_has_no_effects() -> None:
    body = REFERENCE.body.replace(b"<TestInd>false<", b"<TestInd>true<")
    reading = intake.read(replace(REFERENCE, body=body, submission_id=SUBMISSION), POST)
    assert list(reading) == []
    summary = reading.summary(NOW)
    assert summary is not None
    assert summary.items == 0


def test_a_rejection_is_told_to_its_sender_alone() -> None:
    reading = intake.read(replace(REFERENCE, body=b""), POST)
    (outcome,) = reading
    assert isinstance(outcome, Rejection)
    event = intake.rejected(outcome, NOW)
    assert event.parties == ("usp",)
    assert event.event_id == intake.rejected(outcome, NOW).event_id
    assert FilingRejected.from_json(event.to_json()) == event
