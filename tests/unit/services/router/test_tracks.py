"""What authorities said: what stops, what ends it, and what it never touches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.router.lifecycle import State
from shared.codes.decisions import meaning
from shared.contracts import Answer, Charge, OpenReferral, Outcome, Scope, Stop, derived_id
from shared.model import Filing, ReferralReply
from tests.builders import KEY, NOON, a_command, a_filing, a_house_consignment, an_answer, at, money
from tests.unit.services.router.test_fold import ALONE, EU, History

CUSTOMS = "nl-customs"
MASTER = "master:888-45123072"


def said(system: str, code: str, second: float, service: str = CUSTOMS, **changes: Any) -> Answer:
    """Return what *service* says with a code of its own, translated as the formats do."""
    means = meaning(system, code)
    given: dict[str, Any] = {
        "answer_id": f"{system}-{code}-{second}",
        "key": KEY,
        "service": service,
        "outcome": Outcome(means.outcome),
        "issued_at": at(second),
        "reason": means.reason,
        "raw_code": code,
        "decision": means.decision,
        "track": means.track,
        "lifted": means.lifted or None,
        "format": system,
    }
    return Answer(**{**given, **changes})


def filed(policy: Any = ALONE, **changes: Any) -> History:
    history = History(policy)
    history.add(a_filing(**changes))
    return history


def outcome(history: History) -> Outcome:
    return history.decisions[-1].outcome


# --- clearance ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected", "public"),
    [
        ("7", Outcome.HOLD, "other"),
        ("5", Outcome.PHYSICAL_CHECK, "examination"),
        ("6", Outcome.DOCUMENT_CHECK, "documents_needed"),
        ("117", Outcome.DOCUMENT_CHECK, "payment_due"),
        ("25", Outcome.HOLD, "prohibited_goods"),
        ("30", Outcome.REFERRAL, "data_missing"),
    ],
)
def test_what_customs_wants_stops_the_consignment_until_customs_releases_it(code: str, expected: Outcome, public: str) -> None:
    history = filed()
    history.add(said("cusres", code, 10))
    assert outcome(history) is expected
    assert [(reason.code, reason.public) for reason in history.decisions[-1].reasons] == [(f"CUSRES-{code}", public)]
    history.add(said("cusres", "4", 20))
    assert outcome(history) is Outcome.RELEASE
    assert history.dossier is not None
    assert history.dossier.hold_stack() == ()
    assert history.dossier.deliverable


def test_an_unknown_code_is_a_hold_that_names_it() -> None:
    history = filed()
    history.add(said("cusres", "999", 10, note="unknown_code"))
    assert outcome(history) is Outcome.HOLD
    assert history.decisions[-1].reasons[0].code == "CUSRES-999"


def test_an_agency_hold_ends_by_its_own_code_only() -> None:
    history = filed()
    history.add(said("us-air", "1H", 10))
    history.add(said("us-air", "2H", 11))
    history.add(said("us-air", "1I", 20))
    assert [reason.code for reason in history.decisions[-1].reasons] == ["US-AIR-2H"]
    history.add(said("us-air", "1C", 30))
    assert outcome(history) is Outcome.HOLD
    history.add(said("us-air", "2I", 40))
    assert outcome(history) is Outcome.RELEASE


def test_one_authority_ends_nothing_of_another() -> None:
    history = filed()
    history.add(said("cusres", "7", 10))
    history.add(said("cusres", "4", 20, service="nl-agriculture"))
    assert outcome(history) is Outcome.HOLD


def test_an_older_word_is_history_only() -> None:
    history = filed()
    history.add(said("cusres", "7", 30))
    history.add(said("cusres", "4", 20))
    assert outcome(history) is Outcome.HOLD
    history.add(said("cusres", "6", 40))
    history.add(said("cusres", "6", 35, answer_id="late", note="an older one"))
    assert "an older one" not in {one.note for one in history.dossier.statements or ()}  # type: ignore[union-attr]


def test_of_hold_and_release_at_one_instant_the_hold_stands() -> None:
    for codes in (("7", "4"), ("4", "7")):
        history = filed()
        for code in codes:
            history.add(said("cusres", code, 10))
        assert outcome(history) is Outcome.HOLD


def test_a_cancelled_entry_is_released_no_longer() -> None:
    history = filed()
    history.add(said("us-air", "1C", 10))
    history.add(said("us-air", "4E", 20))
    assert outcome(history) is Outcome.HOLD
    assert not history.dossier.deliverable  # type: ignore[union-attr]


def test_the_release_of_some_pieces_leaves_the_others_and_their_holds() -> None:
    history = filed(EU, consignment=a_house_consignment(package_count=3))
    history.add(said("cusres", "4", 10, service="risk", scope=Scope(level="pieces", pieces=2)))
    history.add(an_answer("single-window"))
    assert history.state is State.UNDER_ASSESSMENT
    history.add(said("cusres", "7", 11, service="risk", scope=Scope(level="pieces", pieces=1)))
    assert outcome(history) is Outcome.HOLD
    assert not history.dossier.deliverable  # type: ignore[union-attr]
    history.add(said("cusres", "4", 20, service="risk", scope=Scope(level="house")))
    assert outcome(history) is Outcome.RELEASE


def test_a_decision_tells_which_stop_it_takes_the_place_of() -> None:
    history = filed()
    history.add(said("us-air", "1H", 10))
    history.add(said("us-air", "1A", 11))
    history.add(said("us-air", "1I", 20))
    history.add(said("us-air", "1B", 30))
    held, both, examined, released = history.decisions[1:]
    assert held.instead_of is None
    assert both.instead_of == Stop(outcome=Outcome.HOLD, public=("other",))
    assert examined.instead_of == Stop(outcome=Outcome.HOLD, public=("examination", "other"))
    assert released.instead_of == Stop(outcome=Outcome.PHYSICAL_CHECK, public=("examination",))
    history.add(said("us-air", "1A", 40))
    assert history.decisions[-1].instead_of is None


def test_a_sender_who_withdraws_lifts_no_hold() -> None:
    history = filed()
    history.add(said("us-air", "1H", 10))
    history.add(a_filing(message_id="M2", function="cancel"))
    assert (outcome(history), history.decisions[-1].instead_of) == (Outcome.WITHDRAWN, None)
    history.add(said("us-air", "1I", 20))
    history.add(a_filing(message_id="M3"))
    assert (outcome(history), history.decisions[-1].instead_of) == (Outcome.RELEASE, Stop(outcome=Outcome.HOLD, public=("other",)))


# --- pieces ------------------------------------------------------------------------------------------------------------------------------


def pieces(number: int | None) -> Scope:
    return Scope(level="pieces", pieces=number)


def a_split(count: int | None, policy: Any = ALONE) -> History:
    """Return the history of a consignment of so many pieces."""
    return filed(policy, consignment=a_house_consignment(package_count=count))


def is_free(history: History) -> bool:
    assert history.dossier is not None
    return history.dossier.deliverable and not history.dossier.still_open()


@pytest.mark.parametrize("scope", [pieces(1), pieces(2), Scope(level="house", pieces=1)])
def test_the_release_of_the_only_piece_ends_the_hold_of_the_house(scope: Scope) -> None:
    history = a_split(1)
    history.add(said("cusres", "7", 10))
    history.add(said("cusres", "4", 20, scope=scope))
    assert outcome(history) is Outcome.RELEASE
    assert is_free(history)


def test_two_releases_of_parts_that_cover_the_whole_end_the_hold_of_the_house() -> None:
    history = a_split(3)
    history.add(said("us-air", "1A", 10))
    history.add(said("us-air", "1B", 20, scope=pieces(2)))
    assert outcome(history) is Outcome.PHYSICAL_CHECK
    history.add(said("us-air", "1C", 30, scope=pieces(1)))
    assert outcome(history) is Outcome.RELEASE
    assert is_free(history)


def test_parts_of_the_same_size_are_two_when_they_were_said_at_two_times() -> None:
    history = a_split(2)
    history.add(said("us-air", "1A", 10))
    history.add(said("us-air", "1C", 20, scope=pieces(1)))
    history.add(said("us-air", "1C", 20, scope=pieces(1), answer_id="the same status, sent again"))
    assert outcome(history) is Outcome.PHYSICAL_CHECK
    history.add(said("us-air", "1C", 30, scope=pieces(1)))
    assert is_free(history)


def test_a_part_released_before_a_hold_does_not_count_against_it() -> None:
    history = a_split(2)
    history.add(said("us-air", "1C", 10, scope=pieces(1)))
    history.add(said("us-air", "1A", 20))
    history.add(said("us-air", "1C", 30, scope=pieces(1)))
    assert outcome(history) is Outcome.PHYSICAL_CHECK
    history.add(said("us-air", "1B", 40))
    assert is_free(history)


def test_the_release_of_the_house_ends_the_holds_of_its_pieces() -> None:
    history = a_split(5)
    history.add(said("us-air", "1A", 10, scope=pieces(2)))
    history.add(said("us-air", "1A", 11, scope=pieces(1)))
    history.add(said("us-air", "1C", 20))
    assert is_free(history)


def test_the_release_of_all_pieces_ends_the_holds_of_some() -> None:
    history = a_split(5)
    history.add(said("us-air", "1A", 10, scope=pieces(2)))
    history.add(said("us-air", "1C", 20, scope=pieces(5)))
    assert is_free(history)


def test_a_partial_release_ends_only_the_hold_of_as_many_pieces() -> None:
    history = a_split(5)
    history.add(said("us-air", "1A", 10, scope=pieces(2)))
    history.add(said("us-air", "1C", 20, scope=pieces(3)))
    assert outcome(history) is Outcome.PHYSICAL_CHECK
    assert history.decisions[-1].reasons[0].value == "pieces:2"
    history.add(said("us-air", "1B", 30, scope=pieces(2)))
    assert is_free(history)


def test_the_release_of_the_house_ends_no_hold_that_another_body_laid_on_a_piece() -> None:
    history = a_split(2)
    history.add(said("us-air", "1A", 10, scope=pieces(1)))
    history.add(said("us-air", "2H", 11, scope=pieces(1)))
    history.add(said("us-air", "1C", 20))
    assert [reason.code for reason in history.decisions[-1].reasons] == ["US-AIR-2H"]
    history.add(said("us-air", "2I", 30, scope=pieces(2)))
    assert is_free(history)


def test_parts_of_a_lift_add_up_but_not_with_those_of_a_release() -> None:
    history = a_split(3)
    history.add(said("us-air", "1H", 10))
    history.add(said("us-air", "1I", 20, scope=pieces(2)))
    history.add(said("us-air", "1C", 21, scope=pieces(1)))
    assert outcome(history) is Outcome.HOLD
    history.add(said("us-air", "1I", 30, scope=pieces(1)))
    assert outcome(history) is Outcome.RELEASE
    assert not is_free(history)


@pytest.mark.parametrize("scope", [pieces(2), pieces(None)])
def test_some_pieces_of_a_number_unknown_are_not_all(scope: Scope) -> None:
    history = a_split(None)
    history.add(said("us-air", "1A", 10))
    history.add(said("us-air", "1C", 20, scope=scope))
    assert outcome(history) is Outcome.PHYSICAL_CHECK
    assert not history.dossier.deliverable  # type: ignore[union-attr]


def test_a_quantity_taken_back_is_released_no_longer() -> None:
    history = a_split(2)
    history.add(said("us-air", "1C", 10, scope=pieces(1)))
    history.add(said("us-air", "15", 20, scope=pieces(1)))
    history.add(said("us-air", "1C", 30, scope=pieces(1)))
    assert not history.dossier.deliverable  # type: ignore[union-attr]
    history.add(said("us-air", "1C", 40, scope=pieces(1)))
    assert is_free(history)


def test_pieces_of_a_master_free_no_house_beneath_it() -> None:
    history = a_split(2, EU)
    history.add(an_answer("single-window"))
    master: dict[str, Any] = {"key": MASTER, "service": "risk", "scope": Scope(level="master", pieces=25)}
    history.add(said("us-air", "1A", 10, **master))
    history.add(said("us-air", "1C", 20, **master | {"scope": Scope(level="master", pieces=10)}))
    assert outcome(history) is Outcome.PHYSICAL_CHECK
    history.add(said("us-air", "1B", 30, **master))
    assert history.state is State.UNDER_ASSESSMENT
    history.add(said("us-air", "1C", 40, service="risk"))
    assert outcome(history) is Outcome.RELEASE


def test_pieces_of_a_master_are_those_of_the_consignment_that_travels_under_it() -> None:
    history = filed(EU, consignment=a_house_consignment(package_count=25, house_transport_document_id="888-45123072"))
    history.add(an_answer("single-window"))
    history.add(said("us-air", "1C", 20, service="risk", key=MASTER, scope=Scope(level="master", pieces=25)))
    assert outcome(history) is Outcome.RELEASE


def test_parts_that_cover_the_whole_are_the_answer_of_a_body_that_policy_asks() -> None:
    history = a_split(2, EU)
    history.add(an_answer("single-window"))
    history.add(said("cusres", "4", 10, service="risk", scope=pieces(1)))
    assert history.state is State.UNDER_ASSESSMENT
    history.add(said("cusres", "4", 20, service="risk", scope=pieces(1)))
    assert outcome(history) is Outcome.RELEASE


def test_parts_released_before_the_consignment_was_filed_count() -> None:
    history = History(EU)
    history.add(said("cusres", "4", -20, service="risk", scope=pieces(1)))
    history.add(said("cusres", "4", -10, service="risk", scope=pieces(1)))
    history.add(an_answer("single-window"))
    history.add(a_filing(a_house_consignment(package_count=2)))
    assert outcome(history) is Outcome.RELEASE
    assert history.requests == {}


def test_a_part_released_for_earlier_data_does_not_count_for_later_ones() -> None:
    history = a_split(2, EU)
    history.add(an_answer("single-window"))
    history.add(said("cusres", "4", 10, service="risk", scope=pieces(1)), now=at(10))
    history.add(a_filing(a_house_consignment(package_count=2, gross_mass_kg="0.700"), message_id="M2", function="replace"), now=at(15))
    history.add(an_answer("single-window", answer_id="again", issued_at=at(20)), now=at(20))
    history.add(said("cusres", "4", 25, service="risk", scope=pieces(1)), now=at(25))
    assert history.state is State.UNDER_ASSESSMENT
    history.add(said("cusres", "4", 30, service="risk", scope=pieces(1)), now=at(30))
    assert outcome(history) is Outcome.RELEASE


# --- phases ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "late", "counts"),
    [
        (("FIN", 2), ("ADV", 3), False),
        (("FIN", 2), ("FIN", 1), False),
        (("FIN", 2), ("FIN", 3), True),
        (("ADV", 9), ("FIN", 1), True),
        ((None, None), ("ADV", 1), True),
    ],
)
def test_an_answer_older_by_its_phase_does_not_replace_the_one_held(held: Any, late: Any, counts: bool) -> None:
    history = filed(EU)
    history.add(an_answer("single-window"))
    history.add(an_answer("risk", Outcome.RELEASE, phase=held[0], phase_sequence=held[1], issued_at=at(10)))
    history.add(an_answer("risk", Outcome.HOLD, phase=late[0], phase_sequence=late[1], answer_id="risk-2", issued_at=at(20)))
    assert (outcome(history) is Outcome.HOLD) == counts


def test_a_newer_phase_counts_although_it_was_issued_earlier() -> None:
    history = filed(EU)
    history.add(an_answer("single-window"))
    history.add(an_answer("risk", Outcome.HOLD, phase="ADV", phase_sequence=1, issued_at=at(20)))
    history.add(an_answer("risk", Outcome.RELEASE, phase="FIN", phase_sequence=1, answer_id="risk-2", issued_at=at(10)))
    assert outcome(history) is Outcome.RELEASE


def test_a_late_advance_decision_does_not_undo_the_final_one() -> None:
    history = filed()
    history.add(said("cusrsp", "REGISTERED", 1, phase="REG", phase_sequence=1))
    history.add(said("cusrsp", "RELEASE", 10, phase="FIN", phase_sequence=2, final=True))
    history.add(said("cusrsp", "HOLD", 20, phase="ADV", phase_sequence=3))
    assert [decision.outcome for decision in history.decisions] == [Outcome.RELEASE]
    history.add(said("cusrsp", "HOLD", 30, phase="FIN", phase_sequence=4, final=True))
    assert outcome(history) is Outcome.HOLD


def test_after_a_final_decision_the_sender_cannot_cancel() -> None:
    history = filed()
    history.add(said("cusrsp", "RELEASE", 10, phase="FIN", final=True))
    history.add(a_filing(message_id="M2", function="cancel"))
    assert outcome(history) is Outcome.RELEASE


def test_an_officer_lifts_no_authority_hold() -> None:
    history = filed()
    history.add(said("cusres", "7", 10))
    history.add(a_command("release"))
    assert outcome(history) is Outcome.HOLD
    assert [hold.authority for hold in history.dossier.hold_stack()] == ["authority"]  # type: ignore[union-attr]


def test_what_an_authority_said_before_the_consignment_was_filed_counts() -> None:
    history = History(ALONE)
    history.add(said("cusres", "7", -10))
    assert history.state is State.ANNOUNCED
    history.add(a_filing())
    assert [decision.outcome for decision in history.decisions] == [Outcome.HOLD]


# --- bodies that policy asks --------------------------------------------------------------------------------------------------------------


def test_a_release_in_clearance_is_the_answer_of_a_body_that_policy_asks() -> None:
    history = filed(EU)
    history.add(said("cusres", "4", 10, service="risk"))
    history.add(said("cusres", "4", 10, service="single-window"))
    assert outcome(history) is Outcome.RELEASE


@pytest.mark.parametrize(("system", "code"), [("xcsn", "CO"), ("cusres", "9"), ("cusres", "17"), ("cusres", "8")])
def test_neither_an_assessment_before_loading_nor_a_receipt_releases(system: str, code: str) -> None:
    history = filed(EU)
    history.add(an_answer("single-window"))
    history.add(said(system, code, 10, service="risk"))
    assert history.decisions == []
    assert history.state is State.UNDER_ASSESSMENT
    assert not history.dossier.deliverable  # type: ignore[union-attr]


def test_a_body_that_controls_the_goods_has_answered() -> None:
    history = filed(EU)
    history.add(an_answer("single-window"))
    history.add(said("cusres", "5", 10, service="risk"))
    assert outcome(history) is Outcome.PHYSICAL_CHECK


def test_a_release_of_earlier_data_does_not_count_for_later_ones() -> None:
    history = filed(EU)
    history.add(said("cusres", "4", 10, service="risk"))
    history.add(said("cusres", "4", 10, service="single-window"))
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace"))
    assert history.state is State.UNDER_ASSESSMENT
    assert not history.dossier.deliverable  # type: ignore[union-attr]


# --- before loading -----------------------------------------------------------------------------------------------------------------------


def test_a_referral_is_open_until_the_assessment_is_complete() -> None:
    history = filed()
    history.add(said("itmref", "RFI", 10, referral_id="R1", requested=("/goods_items/0/goods_description", "/consignor/city")))
    assert outcome(history) is Outcome.REFERRAL
    assert [reason.path for reason in history.decisions[-1].reasons] == ["/goods_items/0/goods_description", "/consignor/city"]
    assert not history.dossier.loadable  # type: ignore[union-attr]
    history.add(said("itmref", "ASC", 20, referral_id="R2"))
    assert outcome(history) is Outcome.RELEASE
    assert history.dossier.loadable  # type: ignore[union-attr]


def test_do_not_load_after_the_assessment_blocks_again() -> None:
    history = filed()
    history.add(said("itmref", "ASC", 10, referral_id="R1"))
    history.add(said("itmref", "DNL", 20, referral_id="R2"))
    assert outcome(history) is Outcome.HOLD
    assert history.decisions[-1].reasons[0].public == "security"
    assert not history.dossier.loadable  # type: ignore[union-attr]


@pytest.mark.parametrize(("opened", "lifted"), [("7H", "7I"), ("8H", "8I"), ("6H", "6I")])
def test_a_lift_takes_off_its_own_entry_only(opened: str, lifted: str) -> None:
    history = filed()
    for code in ("7H", "8H", "6H"):
        history.add(said("placi", code, 10))
    history.add(said("placi", lifted, 20))
    left = {"PLACI-7H", "PLACI-8H", "PLACI-6H"} - {f"PLACI-{opened}"}
    assert {reason.code for reason in history.decisions[-1].reasons} == left


def test_a_lift_of_one_referral_leaves_the_other() -> None:
    history = filed()
    history.add(said("itmref", "RFI", 10, referral_id="R1"))
    history.add(said("itmref", "RFI", 11, referral_id="R2"))
    history.add(said("placi", "7I", 20, referral_id="R1"))
    assert [referral.referral_id for referral in history.dossier.referrals()] == ["R2"]  # type: ignore[union-attr]


def test_a_referral_that_supersedes_another_takes_its_place() -> None:
    history = filed()
    history.add(said("itmref", "RFI", 10, referral_id="R1"))
    history.add(said("itmref", "RFS", 20, referral_id="R2", extra={"SupersedesId": "R1"}))
    assert [reason.value for reason in history.decisions[-1].reasons] == ["R2"]


def test_a_release_in_clearance_ends_no_question_before_loading() -> None:
    history = filed()
    history.add(said("itmref", "RFS", 10, referral_id="R1"))
    history.add(said("cusres", "4", 20))
    assert outcome(history) is Outcome.HOLD
    assert history.dossier.deliverable  # type: ignore[union-attr]
    assert not history.dossier.loadable  # type: ignore[union-attr]


def test_the_end_of_the_assessment_ends_no_hold_in_clearance() -> None:
    history = filed()
    history.add(said("cusres", "7", 10))
    history.add(said("xcsn", "CO", 20))
    assert outcome(history) is Outcome.HOLD
    assert history.dossier.loadable  # type: ignore[union-attr]


def test_rejected_data_are_a_referral_until_they_are_accepted() -> None:
    history = filed()
    history.add(said("ics2", "IE3N99", 10))
    assert outcome(history) is Outcome.REFERRAL
    history.add(said("ics2", "IE3R01", 20))
    assert outcome(history) is Outcome.RELEASE


# --- scopes -------------------------------------------------------------------------------------------------------------------------------


def test_a_word_about_the_house_does_not_lift_a_hold_of_the_master() -> None:
    history = filed()
    inherited = said("cusres", "7", 10, key=MASTER, scope=Scope(level="master"))
    history.add(inherited.model_copy(update={"answer_id": "M"}))
    history.add(said("cusres", "4", 20))
    assert outcome(history) is Outcome.HOLD
    assert history.decisions[-1].reasons[0].value == MASTER
    history.add(said("cusres", "4", 30, key=MASTER, scope=Scope(level="master")))
    assert outcome(history) is Outcome.RELEASE


def test_a_word_about_the_master_does_not_lift_a_hold_of_the_house() -> None:
    history = filed()
    history.add(said("cusres", "7", 10))
    history.add(said("cusres", "4", 20, key=MASTER, scope=Scope(level="master")))
    assert outcome(history) is Outcome.HOLD


# --- replies ------------------------------------------------------------------------------------------------------------------------------


def a_reply(participant: str = "us-post", **changes: Any) -> Filing:
    reply = ReferralReply(**{"referral_id": "R1", "outcome": "data_sent", **changes})
    return Filing(
        filing_id=derived_id("reply", participant, reply.to_json()),
        key=KEY,
        participant=participant,
        format="refrsp",
        message_id="RR1",
        position="Reply[1]",
        received_at=NOON,
        content_digest=reply.to_json().hex(),
        reply=reply,
    )


def state(history: History) -> str:
    assert history.dossier is not None
    (referral,) = history.dossier.referrals()
    return referral.state


def test_a_reply_with_a_new_version_waits_for_that_version() -> None:
    history = filed(version=1)
    history.add(said("itmref", "RFI", 10, referral_id="R1"))
    assert state(history) == "open"
    history.add(a_reply(new_version=2))
    assert state(history) == "awaiting_data"
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace", version=2))
    assert state(history) == "answered"
    assert outcome(history) is Outcome.REFERRAL
    history.add(said("itmref", "ASC", 20, referral_id="R2"))
    assert history.dossier.referrals() == ()  # type: ignore[union-attr]
    assert outcome(history) is Outcome.RELEASE


def test_a_decision_tells_by_when_the_first_open_question_wants_its_answer() -> None:
    history = filed()
    history.add(said("itmref", "RFI", 10, referral_id="R1", due_at=at(7200)))
    history.add(said("itmref", "RFI", 11, referral_id="R2", due_at=at(3600)))
    assert [decision.answer_due_at for decision in history.decisions] == [None, at(7200), at(3600)]
    history.add(said("itmref", "RFI", 20, referral_id="R2", due_at=at(5400)))
    assert history.decisions[-1].answer_due_at == at(5400)
    history.add(said("itmref", "ASC", 30, referral_id="R3"))
    assert history.decisions[-1].answer_due_at is None


def test_a_decision_tells_what_is_to_be_paid_and_a_release_what_was() -> None:
    history = filed()
    history.add(said("cusres", "117", 10, charges=(vat("49.27"),)))
    history.add(said("cusres", "117", 20, charges=(vat("40.00"),)))
    history.add(said("cusres", "4", 30, charges=(vat("39.00"),)))
    told = [[str(charge.amount.amount) for charge in decision.charges or ()] for decision in history.decisions]
    assert told == [[], ["49.27"], ["40.00"], ["39.00"]]


def vat(amount: str) -> Charge:
    return Charge(type="VAT", amount=money(amount))


def test_a_question_before_loading_that_sets_no_time_has_a_day() -> None:
    history = filed()
    history.add(said("ics2", "IE3Q02", 10, referral_id="R1"))
    assert history.decisions[-1].answer_due_at == at(10) + timedelta(hours=24)


@pytest.mark.parametrize(("system", "code"), [("itmref", "DNL"), ("itmref", "RFS"), ("cusres", "6"), ("cusres", "7")])
def test_what_data_do_not_answer_or_has_no_time_of_its_own_tells_none(system: str, code: str) -> None:
    history = filed()
    history.add(said(system, code, 10, referral_id="R1"))
    assert history.decisions[-1].answer_due_at is None


def test_an_answered_question_wants_no_answer_any_more() -> None:
    history = filed(version=1)
    history.add(said("itmref", "RFI", 10, referral_id="R1"))
    history.add(a_reply())
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace", version=2))
    assert (outcome(history), history.decisions[-1].answer_due_at) == (Outcome.REFERRAL, None)


def test_a_decision_names_what_authorities_want_before_loading() -> None:
    history = filed()
    history.add(said("itmref", "RFI", 10, referral_id="R1", requested=("/consignor/city",), due_at=at(60)))
    history.add(said("itmref", "DNL", 11, referral_id="R2", extra={"ContactPoint": "+31205550100"}))
    history.add(said("cusres", "6", 12))
    forbidden = OpenReferral(type="DNL", referral_id="R2", contact="+31205550100")
    wanted = OpenReferral(type="RFI", referral_id="R1", requested=("/consignor/city",), due_at=at(60))
    assert set(history.decisions[-1].referrals or ()) == {wanted, forbidden}
    history.add(a_reply())
    history.add(said("cusres", "4", 20))
    assert set(history.decisions[-1].referrals or ()) == {wanted.model_copy(update={"answered": True}), forbidden}
    assert history.dossier.decision.stop.do_not_load  # type: ignore[union-attr]
    history.add(said("itmref", "ASC", 30, referral_id="R3"))
    assert history.decisions[-1].referrals is None


def test_a_reply_before_its_referral_counts() -> None:
    history = filed()
    history.add(a_reply(outcome="screened"))
    history.add(said("itmref", "RFS", 10, referral_id="R1"))
    assert state(history) == "answered"


def test_an_acknowledgement_answers_a_do_not_load_but_no_question() -> None:
    for code, expected in (("DNL", "answered"), ("RFI", "open")):
        history = filed()
        history.add(said("itmref", code, 10, referral_id="R1"))
        history.add(a_reply(outcome="acknowledged"))
        assert state(history) == expected


def test_only_a_party_answers_a_referral() -> None:
    history = filed()
    history.add(said("itmref", "RFI", 10, referral_id="R1"))
    history.add(a_reply("a-stranger"))
    assert state(history) == "open"


def test_the_facts_stay_when_nothing_new_was_said() -> None:
    history = filed()
    history.add(said("cusres", "7", 10))
    held = history.dossier.statements  # type: ignore[union-attr]
    history.add(said("cusres", "7", 10), now=NOON + timedelta(hours=1))
    assert history.dossier.statements == held  # type: ignore[union-attr]
    assert len(history.decisions) == 2


def test_an_officer_is_told_of_an_open_question_by_its_five_facts() -> None:
    history = filed(version=1)
    history.add(said("itmref", "RFI", 10, referral_id="R1"))
    assert history.dossier is not None
    (referral,) = history.dossier.referrals()
    assert list(referral.told()) == ["referral_id", "authority", "decision", "state", "due_at"]
