"""The books tell lost, doubled and disordered apart from merely repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.sandbox.checker import Checker, Delivered, Sent, percentiles_ms, sees
from shared.contracts import (
    Answer,
    Command,
    ConsignmentAccepted,
    DecisionMade,
    FilingRef,
    FilingRejected,
    Outcome,
    PolicyRef,
    ServiceRequest,
    Summary,
    derived_id,
)
from shared.directory import Channel, Participant, Role, Subscription
from shared.model import Consignment, Finding, OrderRef, Rejection

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEY = "post:LZ314159268US"
SUBSCRIPTION = UUID(int=5)


def a_ref(message: str = "F1") -> FilingRef:
    return FilingRef(
        filing_id=derived_id("us-post", message, "Item[1]"),
        participant="us-post",
        format="itmatt",
        message_id=message,
        position="Item[1]",
        function="original",
        received_at=AT,
        kind="consignment",
    )


SUMMARY = Summary(house_transport_document_id="LZ314159268US", channel="post", country_of_destination="NL")


def accepted(sequence: int = 1, *, message: str = "F1", effect: str = "created", id: int = 1) -> ConsignmentAccepted:
    return ConsignmentAccepted.model_validate(
        {
            "event_id": UUID(int=id),
            "key": KEY,
            "sequence": sequence,
            "accepted_at": AT,
            "filing": a_ref(message),
            "effect": effect,
            "consignment": SUMMARY,
            "parties": ("us-post",),
        }
    )


def decided(sequence: int = 1, *, id: int = 2, outcome: Outcome = Outcome.RELEASE) -> DecisionMade:
    return DecisionMade(
        event_id=UUID(int=id),
        key=KEY,
        sequence=sequence,
        outcome=outcome,
        decided_at=AT,
        received_at=AT,
        reasons=(),
        category=2,
        policy=PolicyRef(pack="eu", version="1", digest="0" * 64),
        consignment=SUMMARY,
        filing=a_ref(),
        parties=("us-post",),
    )


def rejected(message: str = "F1", id: int = 3) -> FilingRejected:
    finding = Finding(code="GW", message="No gross weight.", remedy="Give it.")
    refusal = Rejection(rejection_id=UUID(int=id), participant="us-post", message_id=message, received_at=AT, findings=(finding,))
    return FilingRejected(event_id=UUID(int=id), key=KEY, rejected_at=AT, rejection=refusal, parties=("us-post",))


def delivered(sequence: int = 1, *, id: str = "w1", notice: int = 2, place: str = "webhook") -> Delivered:
    return Delivered(place, SUBSCRIPTION, "guichet.decision.made", KEY, sequence, id, UUID(int=notice), AT)


def a_subscription(**changes: object) -> Subscription:
    values = {
        "id": SUBSCRIPTION,
        "participant": "us-post",
        "event_types": ("guichet.decision.made",),
        "channel": Channel.WEBHOOK,
        "created_at": AT,
    }
    return Subscription.model_validate(values | changes)


PARTICIPANTS = {
    "us-post": Participant(id="us-post", name="Post", role=Role.POST, country="US"),
    "nl-customs": Participant(id="nl-customs", name="Customs", role=Role.CUSTOMS, country="NL"),
    "de-customs": Participant(id="de-customs", name="Customs", role=Role.CUSTOMS, country="DE"),
}


@pytest.fixture
def checker() -> Checker:
    books = Checker()
    books.sent(Sent("us-post", {"F1"}, (KEY,), 0))
    return books


def test_accepted_and_decided_balances(checker: Checker):
    checker.saw_event(accepted(), AT)
    checker.saw_event(decided(), AT + timedelta(milliseconds=40))
    assert checker.accounts().clean
    assert checker.outcomes() == {"release": 1}
    assert checker.door_to_decision() == [timedelta(milliseconds=40)]


def test_an_item_without_answer_is_lost(checker: Checker):
    assert checker.accounts().lost == (f"no answer: us-post F1 {KEY} (original)",)


def test_a_consignment_without_decision_is_lost(checker: Checker):
    checker.saw_event(accepted(), AT)
    assert checker.accounts().lost == (f"no decision: {KEY} after 1",)


def test_a_change_asks_for_another_decision(checker: Checker):
    checker.sent(Sent("us-post", {"F2"}, (KEY,), 0))
    for event in (accepted(1), decided(1), accepted(2, message="F2", effect="changed", id=11)):
        checker.saw_event(event, AT)
    assert checker.accounts().lost == (f"no decision: {KEY} after 2",)
    checker.saw_event(decided(2, id=12), AT)
    assert checker.accounts().clean


def test_the_same_again_asks_for_none(checker: Checker):
    checker.sent(Sent("us-post", {"F2"}, (KEY,), 0))
    for event in (accepted(1), decided(1), accepted(1, message="F2", effect="repeated", id=11)):
        checker.saw_event(event, AT)
    assert checker.accounts().clean


def test_a_repetition_under_the_same_id_is_only_counted(checker: Checker):
    for event in (accepted(), decided(), accepted(), decided()):
        checker.saw_event(event, AT)
    assert checker.accounts().clean
    assert checker.accounts().repeated == 2


def test_the_same_fact_under_another_id_is_a_duplicate(checker: Checker):
    for event in (accepted(), decided(1, id=2), decided(1, id=99)):
        checker.saw_event(event, AT)
    assert len(checker.accounts().duplicated) == 1


def test_an_older_decision_after_a_newer_one_is_out_of_order(checker: Checker):
    for event in (accepted(), decided(2, id=4), decided(1, id=2)):
        checker.saw_event(event, AT)
    assert len(checker.accounts().out_of_order) == 1


def test_an_old_event_repeated_is_not_out_of_order(checker: Checker):
    for event in (accepted(), decided(1, id=2), decided(2, id=4), decided(1, id=2)):
        checker.saw_event(event, AT)
    assert checker.accounts().clean


def test_a_good_item_rejected_is_unexpected(checker: Checker):
    checker.saw_event(rejected(), AT)
    assert "should be accepted" in checker.accounts().unexpected[0]


def test_a_bad_message_needs_its_rejection():
    books = Checker()
    books.sent(Sent("us-post", {"F9", "sha256:aa"}, (), 1))
    assert books.accounts().lost
    books.saw_event(rejected("sha256:aa"), AT)
    assert books.accounts().clean


def test_an_answer_to_nothing_sent_is_unexpected(checker: Checker):
    checker.saw_event(accepted(message="F7"), AT)
    assert "never sent" in checker.accounts().unexpected[0]


def test_a_receipt_names_a_message_too(checker: Checker):
    receipt = UUID(int=77)
    message = checker.sent(Sent("us-post", {"manifest 4"}, (), 1))
    checker.also_named(message, str(receipt))
    event = rejected("sha256:bb")
    refusal = event.rejection.model_copy(update={"submission_id": receipt})
    checker.saw_event(event.model_copy(update={"rejection": refusal}), AT)
    assert len(message.refusals) == 1


def test_a_message_under_a_used_name_owes_one_rejection_more(checker: Checker):
    checker.sent(Sent("us-post", {"F1"}, (), 1))
    for event in (accepted(), decided()):
        checker.saw_event(event, AT)
    assert checker.accounts().lost == ("no rejection: us-post F1: 1 of 1 (original)",)
    checker.saw_event(rejected("F1"), AT)
    assert checker.accounts().clean


def test_a_notice_that_is_due_must_come_and_come_once(checker: Checker):
    for event in (accepted(), decided()):
        checker.saw_event(event, AT)
        checker.saw_due(event, [a_subscription()], sees(PARTICIPANTS))
    assert checker.accounts().lost == (f"no notice: {KEY} event {UUID(int=2)} to {SUBSCRIPTION}",)
    checker.saw_notice(delivered())
    checker.saw_notice(delivered())
    assert checker.accounts().clean
    checker.saw_notice(delivered(id="w2"))
    assert len(checker.accounts().duplicated) == 1


def test_notices_of_one_consignment_keep_their_order(checker: Checker):
    for event in (accepted(), decided(1, id=2), decided(2, id=4)):
        checker.saw_event(event, AT)
        checker.saw_due(event, [a_subscription()], sees(PARTICIPANTS))
    checker.saw_notice(delivered(2, id="w2", notice=4))
    checker.saw_notice(delivered(1, id="w1", notice=2))
    assert len(checker.accounts().out_of_order) == 1


def test_a_notice_nobody_should_have_is_unexpected(checker: Checker):
    for event in (accepted(), decided()):
        checker.saw_event(event, AT)
    checker.saw_notice(delivered())
    assert "not due" in checker.accounts().unexpected[0]


def test_customs_see_what_comes_to_their_country_and_a_rejection_is_its_senders_alone():
    may = sees(PARTICIPANTS)
    assert may(a_subscription(participant="nl-customs"), decided())
    assert not may(a_subscription(participant="de-customs"), decided())
    assert may(a_subscription(), rejected())
    assert not may(a_subscription(participant="nl-customs"), rejected())
    assert not may(a_subscription(destination_country="DE"), decided())


def a_question(number: int) -> ServiceRequest:
    consignment = Consignment(house_transport_document_id="LZ314159268US", channel="post")
    values = {"service": "risk", "sequence": 1, "asked_at": AT, "answer_due_at": AT, "category": 3}
    return ServiceRequest.model_validate({"request_id": UUID(int=number), "key": KEY, "consignment": consignment, **values})


def an_answer(number: int) -> Answer:
    question = UUID(int=number)
    return Answer(answer_id=f"a{number}", key=KEY, service="risk", request_id=question, outcome=Outcome.RELEASE, issued_at=AT)


def test_a_question_without_answer_is_outstanding():
    books = Checker()
    books.saw_request(a_question(1))
    assert books.accounts().lost == (f"no answer from risk: {KEY} ({UUID(int=1)})",)
    books.saw_answer(an_answer(1))
    assert books.accounts().clean


def test_an_answer_may_be_seen_before_its_question():
    books = Checker()
    books.saw_answer(an_answer(1))
    books.saw_request(a_question(1))
    assert books.accounts().clean


def test_the_answer_to_an_older_question_does_not_close_the_newer():
    books = Checker()
    books.saw_request(a_question(1))
    books.saw_request(a_question(2))
    books.saw_answer(an_answer(1))
    assert not books.accounts().clean
    late = {"command_id": UUID(int=9), "key": KEY, "action": "deadline", "by": "clock", "because": "no answer", "issued_at": AT}
    books.saw_answer(Command.model_validate({**late, "service": "risk", "request_id": UUID(int=2)}))
    assert books.accounts().clean


def test_a_question_told_again_does_not_replace_the_newer():
    books = Checker()
    books.saw_request(a_question(1))
    books.saw_request(a_question(2))
    books.saw_request(a_question(1))
    books.saw_answer(an_answer(2))
    assert books.accounts().clean


def test_a_question_replaced_waits_for_nobody_even_when_the_answer_to_the_newer_was_seen_first():
    books = Checker()
    books.saw_answer(an_answer(2))
    books.saw_request(a_question(1))
    books.saw_request(a_question(2))
    assert books.accounts().clean


def test_an_answer_under_another_key_closes_nothing():
    books = Checker()
    books.saw_answer(an_answer(1).model_copy(update={"key": "post:ZZ999999999ZZ"}))
    books.saw_request(a_question(1))
    assert not books.accounts().clean


def test_a_withdrawn_consignment_waits_for_nobody(checker: Checker):
    checker.saw_request(a_question(1))
    for event in (accepted(1), accepted(2, effect="withdrawn", id=11), decided(2, outcome=Outcome.WITHDRAWN)):
        checker.saw_event(event, AT)
    assert checker.accounts().clean


def test_a_platform_whose_order_was_linked_is_owed_a_decision(checker: Checker):
    books = checker
    books.sent(Sent("bazaar", {"B1"}, ("order:bazaar:4",), 0))
    link = accepted(2, effect="linked", id=11)
    filed = link.filing.model_copy(update={"participant": "bazaar", "message_id": "B1", "filing_id": UUID(int=40)})
    order = OrderRef(platform_id="bazaar", order_id="4")
    for event in (accepted(1), decided(1), link.model_copy(update={"filing": filed, "order": order})):
        books.saw_event(event, AT)
    assert books.accounts().lost == (f"no decision: {KEY} for bazaar, who joined",)
    books.saw_event(decided(3, id=12).model_copy(update={"parties": ("us-post", "bazaar")}), AT)
    assert books.accounts().clean


def test_percentiles_by_nearest_rank():
    assert percentiles_ms(timedelta(milliseconds=n) for n in range(1, 101)) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles_ms([timedelta(milliseconds=3)]) == {"p50": 3.0, "p95": 3.0, "p99": 3.0}
    assert percentiles_ms([]) == {}
