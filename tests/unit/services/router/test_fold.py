"""What becomes of a consignment: filings, answers, officers and deadlines, told as business facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.router.dossier import Dossier
from services.router.fold import Event, Input, Step, fold
from services.router.lifecycle import State
from services.router.policy.loading import load_pack
from shared.contracts import (
    Answer,
    Command,
    ConsignmentAccepted,
    DecisionMade,
    FilingRejected,
    Outcome,
    ServiceRequest,
    derived_id,
)
from shared.model import Filing
from tests.builders import (
    KEY,
    NOON,
    a_command,
    a_deadline,
    a_filing,
    a_goods_item,
    a_house_consignment,
    an_answer,
    an_order,
    at,
    money,
    naming,
)

EU = load_pack("eu")
ALONE = load_pack("eu-policy-only")


class History:
    """Inputs folded one after another, and all that was said."""

    def __init__(self, policy: Any = EU) -> None:
        self.policy = policy
        self.dossier: Dossier | None = None
        self.events: list[Event] = []
        self.now = NOON

    def add(self, body: Filing | Answer | Command, *, conflict: bool = False, now: datetime | None = None) -> Step:
        kind = {Filing: "filing", Answer: "answer", Command: "command"}[type(body)]
        cause = getattr(body, "filing_id", None) or getattr(body, "command_id", None) or derived_id("answer", body.service, body.answer_id)  # type: ignore[union-attr]
        key = KEY if isinstance(body, Filing) else body.key
        step = fold(self.dossier, Input(cause, key, kind, body, conflict), self.policy, now or self.now)  # type: ignore[arg-type]
        self.dossier = step.dossier
        self.events += step.events
        return step

    def said(self, body: type) -> list[Any]:
        return [event.body for event in self.events if isinstance(event.body, body)]

    @property
    def decisions(self) -> list[DecisionMade]:
        return self.said(DecisionMade)

    @property
    def effects(self) -> list[str]:
        return [accepted.effect for accepted in self.said(ConsignmentAccepted)]

    @property
    def requests(self) -> dict[str, ServiceRequest]:
        return {request.service: request for request in self.said(ServiceRequest)}

    @property
    def state(self) -> State:
        assert self.dossier is not None
        return self.dossier.state


def asked() -> History:
    history = History()
    history.add(a_filing())
    return history


def answer_all(history: History, outcome: Outcome = Outcome.RELEASE, **changes: Any) -> None:
    for name, request in history.requests.items():
        history.add(an_answer(name, outcome, request_id=request.request_id, answer_id=str(request.request_id), **changes))


# --- deciding ----------------------------------------------------------------------------------------------------------------------------


def test_policy_alone_decides_at_once() -> None:
    history = History(ALONE)
    history.add(a_filing())
    assert history.effects == ["created"]
    assert [decision.outcome for decision in history.decisions] == [Outcome.RELEASE]
    assert history.state is State.RELEASED


def test_nothing_is_decided_before_every_service_has_answered() -> None:
    history = asked()
    assert set(history.requests) == {"risk", "single-window"}
    assert history.state is State.UNDER_ASSESSMENT
    history.add(an_answer("risk"))
    assert history.decisions == []
    history.add(an_answer("single-window"))
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_one_service_that_holds_outweighs_another_that_releases() -> None:
    history = asked()
    history.add(an_answer("risk", Outcome.PHYSICAL_CHECK, reason="examination"))
    history.add(an_answer("single-window"))
    assert history.decisions[-1].outcome is Outcome.PHYSICAL_CHECK
    assert [(reason.code, reason.public) for reason in history.decisions[-1].reasons] == [("ANSWER-RISK", "examination")]


def test_a_hold_is_told_before_the_others_have_answered() -> None:
    history = asked()
    history.add(an_answer("risk", Outcome.HOLD, reason="security"))
    assert history.decisions[-1].outcome is Outcome.HOLD


def test_an_hs_code_that_contradicts_the_description_is_told_and_stops_nothing() -> None:
    history = History(ALONE)
    lines = (a_goods_item(), a_goods_item(sequence_number=2, goods_description="Headphones, wireless"))
    history.add(a_filing(a_house_consignment(goods_items=lines)))
    (found,) = history.said(ConsignmentAccepted)[-1].findings
    assert (found.code, found.severity, found.path, found.value) == ("DQ-18", "note", "/goods_items/1/hs_code", "610910")
    assert "chapter 85" in found.message
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_arms_are_held() -> None:
    history = History(ALONE)
    history.add(a_filing(a_house_consignment(goods_items=(a_goods_item(hs_code="930200", goods_description="Revolver, calibre 38"),))))
    assert history.decisions[-1].outcome is Outcome.HOLD
    assert "ARMS-93" in {reason.code for reason in history.decisions[-1].reasons}
    assert history.state is State.HELD


def test_missing_data_are_asked_for_with_who_knows_them_best() -> None:
    history = History()
    history.add(a_filing(a_house_consignment(goods_items=(a_goods_item(hs_code=None),))))
    decision = history.decisions[-1]
    assert decision.outcome is Outcome.REFERRAL
    assert [(entry.path, entry.view, entry.holders) for entry in decision.missing or ()] == [
        ("/goods_items/0/hs_code", "pre_arrival", ("SEL", "PLT"))
    ]
    assert history.requests == {}
    assert history.state is State.INCOMPLETE


def test_a_decision_names_rule_value_and_policy() -> None:
    history = History(ALONE)
    history.add(a_filing(a_house_consignment(goods_items=(a_goods_item(goods_description="gifts"),))))
    reason = next(reason for reason in history.decisions[-1].reasons if reason.code == "DESCRIPTION-UNCLEAR")
    assert (reason.path, reason.value) == ("/goods_items/0/goods_description", "gifts")
    assert reason.source
    assert history.decisions[-1].policy.digest == ALONE.digest


def test_an_unknown_rate_is_never_taken_as_one() -> None:
    history = History(ALONE)
    history.add(a_filing(a_house_consignment(goods_items=(a_goods_item(item_amount=money("20.00", "ZMW")),))))
    assert "fx_rate_missing" in {finding.code for finding in history.said(ConsignmentAccepted)[-1].findings}
    assert history.decisions[-1].outcome is Outcome.DOCUMENT_CHECK
    assert history.decisions[-1].category == 4


# --- versions ----------------------------------------------------------------------------------------------------------------------------


def test_the_same_again_changes_nothing_but_is_heard() -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(a_filing(message_id="M2"))
    assert history.effects == ["created", "repeated"]
    assert len(history.decisions) == 1


def test_a_replacement_is_decided_anew_and_supersedes() -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace"))
    first, second = history.decisions
    assert history.effects == ["created", "changed"]
    assert second.supersedes == first.event_id
    assert second.sequence > first.sequence


def test_a_second_original_with_other_content_replaces_with_a_remark() -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2"))
    assert [finding.code for finding in history.said(ConsignmentAccepted)[-1].findings] == ["DQ-21"]


def test_an_older_version_is_stale() -> None:
    history = History(ALONE)
    history.add(a_filing(version=3))
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", version=2))
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.800"), message_id="M3", version=3, prepared_at=at(-9)))
    assert history.effects == ["created", "stale", "changed"]


def test_a_version_between_two_that_say_the_same_is_stale() -> None:
    history = History(ALONE)
    history.add(a_filing(version=1))
    history.add(a_filing(message_id="M3", version=3))
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", version=2))
    assert history.effects == ["created", "repeated", "stale"]


def test_a_message_prepared_earlier_is_stale() -> None:
    history = History(ALONE)
    history.add(a_filing(prepared_at=at(0)))
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", prepared_at=at(-60)))
    assert history.effects == ["created", "stale"]


def test_a_cancel_withdraws() -> None:
    history = asked()
    history.add(a_filing(message_id="M2", function="cancel"))
    assert history.decisions[-1].outcome is Outcome.WITHDRAWN
    assert history.state is State.WITHDRAWN
    answer_all(history)
    assert history.decisions[-1].outcome is Outcome.WITHDRAWN


def test_a_cancel_for_an_unknown_item_finds_the_older_original_stale() -> None:
    history = History(ALONE)
    history.add(a_filing(message_id="M2", function="cancel", version=2))
    history.add(a_filing(version=1))
    assert history.effects == ["withdrawn", "stale"]
    assert [decision.outcome for decision in history.decisions] == [Outcome.WITHDRAWN]


def test_what_was_withdrawn_can_be_filed_anew() -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(a_filing(message_id="M2", function="cancel"))
    history.add(a_filing(message_id="M3"))
    assert history.effects == ["created", "withdrawn", "changed"]
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_a_cancel_after_customs_final_word_is_refused() -> None:
    history = asked()
    answer_all(history, final=True)
    history.add(a_filing(message_id="M2", function="cancel"))
    assert [finding.code for finding in history.said(FilingRejected)[-1].rejection.findings] == ["DQ-22"]
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_a_change_after_customs_final_word_is_an_amendment() -> None:
    history = asked()
    answer_all(history, final=True)
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace"))
    assert [finding.code for finding in history.said(ConsignmentAccepted)[-1].findings] == ["DQ-22"]


def test_the_same_message_id_with_other_content_is_a_conflict() -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700")), conflict=True)
    rejected = history.said(FilingRejected)
    assert [finding.code for finding in rejected[-1].rejection.findings] == ["MSG-CONFLICT"]
    assert len(history.decisions) == 1


def test_nobody_joins_the_consignment_of_another() -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(a_filing(participant="other-post", message_id="M2"))
    rejected = history.said(FilingRejected)[-1]
    assert rejected.parties == ("other-post",)
    assert history.dossier is not None
    assert history.dossier.parties == ("us-post",)


# --- answers -----------------------------------------------------------------------------------------------------------------------------


def test_an_answer_before_its_consignment_counts_when_that_comes() -> None:
    history = History()
    history.add(an_answer("risk"))
    history.add(an_answer("single-window"))
    assert history.state is State.ANNOUNCED
    history.add(a_filing())
    assert history.requests == {}
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_an_answer_older_than_the_one_held_does_not_count() -> None:
    history = asked()
    history.add(an_answer("risk", issued_at=at(9)))
    history.add(an_answer("risk", Outcome.HOLD, answer_id="risk-0", issued_at=at(4)))
    history.add(an_answer("single-window"))
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_a_newer_answer_changes_the_decision() -> None:
    history = asked()
    answer_all(history)
    history.add(an_answer("risk", Outcome.HOLD, answer_id="risk-2", issued_at=at(60)))
    assert [decision.outcome for decision in history.decisions] == [Outcome.RELEASE, Outcome.HOLD]
    history.add(an_answer("risk", answer_id="risk-3", issued_at=at(90)))
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_changed_data_ask_again_and_the_answer_to_the_earlier_question_does_not_count() -> None:
    history = asked()
    earlier = history.requests["risk"]
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace"))
    assert history.requests["risk"].request_id != earlier.request_id
    history.add(an_answer("risk", Outcome.HOLD, request_id=earlier.request_id))
    answer_all(history, issued_at=at(9))
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_a_hold_stays_while_its_authority_looks_at_changed_data() -> None:
    history = asked()
    answer_all(history, Outcome.HOLD)
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace"))
    assert history.decisions[-1].outcome is Outcome.HOLD
    assert history.dossier is not None
    assert history.dossier.waiting_for() == ("risk", "single-window")
    answer_all(history)
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_a_service_the_policy_does_not_name_has_no_say() -> None:
    history = asked()
    history.add(an_answer("fortune-teller", Outcome.HOLD))
    assert history.decisions == []


def test_silence_is_decided_by_the_pack() -> None:
    history = asked()
    history.add(an_answer("single-window"))
    history.add(a_deadline("risk", history.requests["risk"].request_id))
    assert history.decisions[-1].outcome is Outcome.DOCUMENT_CHECK
    assert [(reason.code, reason.public) for reason in history.decisions[-1].reasons] == [("NO-ANSWER-RISK", "no_answer")]


def test_a_late_answer_supersedes_silence() -> None:
    history = asked()
    history.add(an_answer("single-window"))
    history.add(a_deadline("risk", history.requests["risk"].request_id))
    history.add(an_answer("risk", request_id=history.requests["risk"].request_id))
    assert [decision.outcome for decision in history.decisions] == [Outcome.DOCUMENT_CHECK, Outcome.RELEASE]


def test_a_deadline_for_an_answered_question_changes_nothing() -> None:
    history = asked()
    answer_all(history)
    history.add(a_deadline("risk", history.requests["risk"].request_id))
    assert [decision.outcome for decision in history.decisions] == [Outcome.RELEASE]


# --- officers ----------------------------------------------------------------------------------------------------------------------------


def test_an_officer_holds_and_releases() -> None:
    history = asked()
    answer_all(history)
    history.add(a_command("hold"))
    assert history.decisions[-1].outcome is Outcome.HOLD
    assert [hold.authority for hold in history.dossier.hold_stack()] == ["officer"]  # type: ignore[union-attr]
    history.add(a_command("release"))
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_two_holds_need_two_releases_by_name() -> None:
    history = asked()
    answer_all(history)
    history.add(a_command("hold", hold_code="DRUGS"))
    history.add(a_command("hold", hold_code="ARMS", because="other"))
    history.add(a_command("release", hold_code="DRUGS"))
    assert history.decisions[-1].outcome is Outcome.HOLD
    history.add(a_command("release", hold_code="ARMS", because="seen"))
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_an_officer_sets_a_rule_aside_until_the_data_change() -> None:
    arms = (a_goods_item(hs_code="930200", goods_description="Revolver, calibre 38"),)
    history = History(ALONE)
    history.add(a_filing(a_house_consignment(goods_items=arms)))
    history.add(a_command("release"))
    assert history.decisions[-1].outcome is Outcome.RELEASE
    history.add(a_filing(a_house_consignment(goods_items=arms, gross_mass_kg="0.900"), message_id="M2", function="replace"))
    assert history.decisions[-1].outcome is Outcome.HOLD


def test_an_officer_replaces_no_missing_answer_and_no_missing_data() -> None:
    history = asked()
    history.add(a_command("release"))
    assert history.decisions == []
    incomplete = History()
    incomplete.add(a_filing(a_house_consignment(goods_items=(a_goods_item(hs_code=None),))))
    incomplete.add(a_command("release"))
    assert [decision.outcome for decision in incomplete.decisions] == [Outcome.REFERRAL]


def test_a_hold_before_the_consignment_is_filed_waits_for_it() -> None:
    history = History(ALONE)
    history.add(a_command("hold"))
    history.add(a_filing())
    assert history.decisions[-1].outcome is Outcome.HOLD


# --- orders ------------------------------------------------------------------------------------------------------------------------------


def test_an_order_fills_what_the_consignment_left_out_and_says_so() -> None:
    history = History(ALONE)
    history.add(a_filing(a_house_consignment(orders=naming(), goods_items=(a_goods_item(hs_code=None),))))
    assert history.decisions[-1].outcome is Outcome.REFERRAL
    history.add(a_filing(order=an_order()))
    accepted = history.said(ConsignmentAccepted)[-1]
    assert accepted.effect == "linked"
    assert "/goods_items/0/hs_code" in {finding.path for finding in accepted.findings if finding.code == "FILLED-FROM-ORDER"}
    assert history.decisions[-1].outcome is Outcome.RELEASE


def test_the_platform_hears_the_decision_whichever_came_first() -> None:
    consignment = a_filing(a_house_consignment(orders=naming()))
    for inputs in ((consignment, a_filing(order=an_order())), (a_filing(order=an_order()), consignment)):
        history = History(ALONE)
        for filing in inputs:
            history.add(filing)
        assert set(history.decisions[-1].parties) == {"us-post", "bazaar"}


def test_a_cancelled_order_leaves_its_consignment() -> None:
    history = History(ALONE)
    history.add(a_filing(order=an_order()))
    history.add(a_filing(a_house_consignment(orders=naming(), goods_items=(a_goods_item(hs_code=None),))))
    assert history.decisions[-1].outcome is Outcome.RELEASE
    history.add(a_filing(order=an_order(), function="cancel", message_id="M2"))
    assert history.decisions[-1].outcome is Outcome.REFERRAL


def test_an_order_alone_is_kept_and_decided_nothing() -> None:
    order = a_filing(order=an_order())
    step = fold(None, Input(order.filing_id, order.key, "filing", order), EU, NOON)
    assert [type(event.body) for event in step.events] == [ConsignmentAccepted]
    assert step.dossier.state is State.ANNOUNCED
