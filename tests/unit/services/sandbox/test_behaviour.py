"""Pretend services misbehave as told, and the same way each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.sandbox.behaviour import Behaviour, Reaction, behave
from services.sandbox.verdict import BAD_SHAPE, UNKNOWN_KEY, answer, answers, outcome_of
from shared.contracts import Answer, Outcome, ServiceRequest
from shared.model import Consignment

ASKED_AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def a_request(key: str = "post:LZ314159268US", request_id: int = 1) -> ServiceRequest:
    return ServiceRequest(
        request_id=UUID(int=request_id),
        key=key,
        service="risk",
        sequence=1,
        asked_at=ASKED_AT,
        answer_due_at=ASKED_AT + timedelta(minutes=2),
        consignment=Consignment(house_transport_document_id="LZ314159268US", channel="post"),
        category=3,
    )


def said(behaviour: Behaviour) -> tuple[tuple[str, bytes], ...]:
    return answers(7, a_request(), behaviour, behave(7, a_request().request_id, behaviour))


def test_a_well_behaved_service_answers_at_once_and_once():
    assert behave(7, "a", Behaviour()) == Reaction(0.0, *[False] * 7)
    assert len(said(Behaviour())) == 1


def test_the_same_question_meets_the_same_reaction():
    behaviour = Behaviour(delay_max_ms=500, silence_rate=0.3, double_rate=0.3)
    assert [behave(7, n, behaviour) for n in range(50)] == [behave(7, n, behaviour) for n in range(50)]


@pytest.mark.parametrize(
    "field", ["silence_rate", "double_rate", "unknown_key_rate", "bad_shape_rate", "late_rate", "error_rate", "hang_rate"]
)
def test_a_third_is_about_a_third(field: str):
    behaviour = Behaviour.model_validate({field: 1 / 3})
    name = {"silence_rate": "silent"}.get(field, field.removesuffix("_rate"))
    hit = sum(getattr(behave(7, n, behaviour), name) for n in range(3000))
    assert 900 < hit < 1100


def test_an_error_may_be_gone_at_the_next_attempt():
    behaviour = Behaviour(error_rate=0.5)
    assert {behave(7, "a", behaviour, attempt).error for attempt in range(1, 20)} == {True, False}


def test_delays_stay_in_their_span_and_lateness_comes_on_top():
    delays = [behave(7, n, Behaviour(delay_min_ms=50, delay_max_ms=150)).delay_ms for n in range(200)]
    assert 50 <= min(delays) < max(delays) <= 150
    assert behave(7, 1, Behaviour(late_rate=1.0, late_ms=900)).delay_ms == 900


def test_a_consignment_meets_one_verdict_however_often_it_is_asked_about():
    first, second = (answer(7, a_request(request_id=n), Behaviour(hold_rate=0.5)) for n in (1, 2))
    assert first.outcome is second.outcome
    assert first.answer_id != second.answer_id


def test_the_same_question_gets_the_same_bytes():
    assert answer(7, a_request(), Behaviour()).to_json() == answer(7, a_request(), Behaviour()).to_json()


def test_verdicts_follow_their_shares():
    behaviour = Behaviour(hold_rate=0.2, physical_rate=0.0, document_rate=0.3)
    drawn = [outcome_of(7, "risk", f"post:{n}", behaviour) for n in range(2000)]
    assert 330 < drawn.count(Outcome.HOLD) < 470
    assert 520 < drawn.count(Outcome.DOCUMENT_CHECK) < 680
    assert drawn.count(Outcome.PHYSICAL_CHECK) == 0


def test_double_answers_have_one_id():
    first, second = said(Behaviour(double_rate=1.0))
    assert first == second


def test_wrong_answers_are_wrong_in_the_way_asked_for():
    assert said(Behaviour(silence_rate=1.0)) == ()
    assert said(Behaviour(bad_shape_rate=1.0)) == (("post:LZ314159268US", BAD_SHAPE),)
    ((key, body),) = said(Behaviour(unknown_key_rate=1.0))
    assert key == Answer.from_json(body).key == UNKNOWN_KEY
