"""What each role is told, and that nothing else of the event appears anywhere in the payload."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.notify.render import SUMMARY_VIEW, render
from shared.codes.dataset import visible
from shared.contracts import TYPE_OF, Charge, EventBody, OpenReferral, Outcome, Stop, Summary
from shared.directory import Participant, Role
from shared.model import Money
from tests.unit.services.notify.builders import (
    AGENCY,
    CARRIER,
    CUSTOMS,
    EVERYBODY,
    NOW,
    PAYMENTS,
    PLATFORM,
    POST,
    a_decision,
    a_filing,
    a_finding,
    a_full_summary,
    a_missing,
    a_reading,
    a_reason,
    a_rejection,
    an_acceptance,
)

SUBSCRIPTION = UUID(int=7)

CLASS_OF = {
    "T": {
        "house_transport_document_id",
        "master_transport_document_id",
        "channel",
        "country_of_dispatch",
        "country_of_destination",
        "posted_at",
        "departure_on",
        "package_count",
        "carrier_id",
        "origin_post",
        "destination_post",
        "mail_class",
    },
    "G": {"nature_of_transaction", "business_model", "gross_mass_kg", "hs_codes"},
    "V": {"declared_value"},
    "C": {"platform_id", "orders"},
}
TABLE_ROLE = {
    Role.POST: "postal_operator",
    Role.CARRIER: "express_carrier",
    Role.PLATFORM: "platform",
    Role.PAYMENT_PROVIDER: "payment_provider",
    Role.CUSTOMS: "customs_targeting",
    Role.AGENCY: "partner_agency",
}

SENTINELS = {
    "master_transport_document_id": "057-90090044",
    "posted_at": "2026-11-01T01:01:01",
    "departure_on": "2026-11-03",
    "package_count": "7731",
    "gross_mass_kg": "19.773",
    "declared_value": "8812.37",
    "hs_codes": "930200",
    "carrier_id": "CARRIER-ZQ",
    "platform_id": "PLATFORM-ZQ",
    "orders": "ORDER-ZQ",
    "origin_post": "CNA",
    "destination_post": "FRX",
}
"""Of each field of the full summary, text that appears nowhere else in an event."""


def told(event: EventBody, receiver: Participant) -> dict[str, Any]:
    return orjson.loads(payload(event, receiver))


def payload(event: EventBody, receiver: Participant) -> str:
    return render(event, TYPE_OF[event.__class__], SUBSCRIPTION, receiver).to_json().decode()


def a_telling_decision(filed_by: str = "somebody-else") -> EventBody:
    """A decision full of things that most may not see."""
    return a_decision(
        outcome=Outcome.HOLD,
        consignment=a_full_summary(),
        category=87654,
        filing=a_filing(filed_by, message_id="MESSAGE-ZQ", position="POSITION-ZQ"),
        missing=(a_missing("/consignee/phone-zq"),),
        asked=("plant-health", "risk-zq"),
        parties=("post-cn", "swift-air", "bazaar", "party-zq"),
        answer_due_at=datetime(2031, 7, 7, tzinfo=UTC),
        reasons=(
            a_reason(code="RISK-ZQ", public="security", why="WHY-ZQ", source="SOURCE-ZQ", path="/PATH-ZQ", value="VALUE-ZQ"),
            a_reason(code="DATA-ZQ", public="data_missing", why="WHY-ZR", source="SOURCE-ZR", path="/consignee/phone", value="VALUE-ZR"),
        ),
    )


@pytest.mark.parametrize("role", list(Role))
def test_the_allow_lists_follow_the_visibility_table(role: Role) -> None:
    for data_class, fields in CLASS_OF.items():
        degree = visible(TABLE_ROLE[role], data_class)
        if degree in ("none", "banded"):
            assert not fields & set(SUMMARY_VIEW[role]), (role, data_class)
    assert set().union(*CLASS_OF.values()) == set(Summary.model_fields)


@pytest.mark.parametrize("receiver", [each for each in EVERYBODY if each is not PAYMENTS], ids=lambda each: each.role)
def test_no_element_outside_a_roles_list_appears_anywhere_in_its_payload(receiver: Participant) -> None:
    text = payload(a_telling_decision(), receiver)
    for field, sentinel in SENTINELS.items():
        assert (sentinel in text) == (field in SUMMARY_VIEW[receiver.role]), field


@pytest.mark.parametrize("receiver", [POST, CARRIER, PLATFORM, AGENCY], ids=lambda each: each.role)
@pytest.mark.parametrize(
    "hidden",
    [
        "RISK-ZQ",
        "DATA-ZQ",
        "WHY-Z",
        "SOURCE-Z",
        "PATH-ZQ",
        "VALUE-Z",
        "87654",
        "digest",
        "risk-zq",
        "party-zq",
        "MESSAGE-ZQ",
        "POSITION-ZQ",
        "2031-07-07",
        "phone",
    ],
)
def test_nobody_but_customs_learns_rules_scores_or_other_parties_filings(receiver: Participant, hidden: str) -> None:
    assert hidden not in payload(a_telling_decision(), receiver)


def test_customs_see_the_rules_the_category_and_the_policy_but_not_the_other_parties() -> None:
    notice = told(a_telling_decision(), CUSTOMS)
    assert [(each["code"], each["why"], each["source"]) for each in notice["reasons"]] == [
        ("RISK-ZQ", "WHY-ZQ", "SOURCE-ZQ"),
        ("DATA-ZQ", "WHY-ZR", "SOURCE-ZR"),
    ]
    assert notice["category"] == 87654
    assert notice["policy"]["pack"] == "eu"
    for hidden in ("party-zq", "risk-zq", "MESSAGE-ZQ", "phone-zq"):
        assert hidden not in payload(a_telling_decision(), CUSTOMS)


@pytest.mark.parametrize("receiver", [POST, CARRIER, PLATFORM], ids=lambda each: each.role)
def test_a_sender_is_told_outcome_public_reasons_and_what_is_missing_in_its_own_filing(receiver: Participant) -> None:
    notice = told(a_telling_decision(filed_by=receiver.id), receiver)
    assert notice["outcome"] == "hold"
    assert notice["reasons"] == [{"public": "security"}, {"public": "data_missing", "path": "/consignee/phone"}]
    assert notice["filing"]["message_id"] == notice["message_id"] == "MESSAGE-ZQ"
    assert [each["path"] for each in notice["missing"]] == ["/consignee/phone-zq"]
    assert "category" not in notice
    assert "policy" not in notice


@pytest.mark.parametrize("public", ["security", "examination"])
def test_security_and_examination_carry_no_detail_even_to_the_filings_own_sender(public: str) -> None:
    decision = a_decision(outcome=Outcome.HOLD, reasons=(a_reason(public=public, path="/goods_items/0", value="x"),))
    assert told(decision, POST)["reasons"] == [{"public": public}]


def test_the_number_of_rules_behind_one_public_reason_is_not_told() -> None:
    reasons = tuple(a_reason(code=f"RISK-{n}", public="security") for n in range(4))
    assert told(a_decision(outcome=Outcome.HOLD, reasons=reasons), POST)["reasons"] == [{"public": "security"}]


def test_a_released_consignment_does_not_tell_that_it_was_looked_at() -> None:
    reasons = (a_reason(public="security", outcome=Outcome.RELEASE), a_reason(public="value_query", outcome=Outcome.RELEASE))
    assert [each["public"] for each in told(a_decision(reasons=reasons), POST)["reasons"]] == ["value_query"]


def test_who_was_not_told_of_a_stop_does_not_learn_of_it_when_it_is_lifted() -> None:
    decision = a_decision(parties=("post-cn", "bazaar"), instead_of=Stop(outcome=Outcome.HOLD, public=("security",)))
    for receiver in (POST, CUSTOMS):
        assert told(decision, receiver)["instead_of"] == {"outcome": "hold", "public": ["security"]}
    assert "security" not in payload(decision, PLATFORM)


def test_the_question_goes_only_to_the_one_who_filed() -> None:
    asked = OpenReferral(type="RFS", referral_id="REFERRAL-ZQ")
    decision = a_decision(parties=("post-cn", "swift-air", "bazaar"), referrals=(asked,))
    for receiver in (POST, CUSTOMS):
        assert told(decision, receiver)["referrals"] == [{"type": "RFS", "referral_id": "REFERRAL-ZQ"}]
    for receiver in (CARRIER, PLATFORM, AGENCY):
        assert "referrals" not in told(decision, receiver)


def test_what_is_to_be_paid_is_told_to_the_filer_and_to_customs_only() -> None:
    vat = Charge(type="VAT", amount=Money(amount=Decimal("49.27"), currency="EUR"))
    decision = a_decision(parties=("post-cn", "swift-air", "bazaar"), charges=(vat,))
    for receiver in (POST, CUSTOMS):
        assert told(decision, receiver)["charges"] == [{"type": "VAT", "amount": {"amount": "49.27", "currency": "EUR"}}]
    for receiver in (CARRIER, PLATFORM, AGENCY):
        assert "charges" not in told(decision, receiver)


def test_a_referral_names_the_paths_it_asks_about_to_the_filer_only() -> None:
    reasons = (a_reason(outcome=Outcome.REFERRAL, public="description_unclear", path="/goods_items/0/goods_description"),)
    decision = a_decision(outcome=Outcome.REFERRAL, reasons=reasons, parties=("post-cn", "bazaar"), answer_due_at=NOW)
    assert told(decision, POST)["referred"] == ["/goods_items/0/goods_description"]
    assert told(decision, POST)["answer_due_at"] == "2026-11-21T09:00:00Z"
    assert {"referred", "answer_due_at"}.isdisjoint(told(decision, PLATFORM))


def test_findings_and_effect_of_an_acceptance_are_told_to_the_filer_only() -> None:
    accepted = an_acceptance(missing=(a_missing(),), findings=(a_finding(),), parties=("post-cn", "bazaar"))
    own, other = told(accepted, POST), told(accepted, PLATFORM)
    assert own["effect"] == "created"
    assert own["findings"][0]["code"] == "GI-HS-LENGTH"
    for hidden in ("effect", "findings", "missing", "filing", "message_id"):
        assert hidden not in other


def test_a_payment_provider_sees_nothing_of_the_consignment() -> None:
    text = payload(an_acceptance(consignment=a_full_summary(), parties=("post-cn", "paywell")), PAYMENTS)
    assert not [sentinel for sentinel in SENTINELS.values() if sentinel in text]


def test_a_rejection_tells_its_sender_every_finding() -> None:
    notice = told(a_rejection(), POST)
    assert [each["code"] for each in notice["findings"]] == ["GI-HS-LENGTH"]
    assert notice["message_id"] == "M-1"


def test_a_read_submission_tells_how_many_items_went_on() -> None:
    notice = told(a_reading(), POST)
    assert (notice["items"], notice["rejected"]) == (3, 1)


def test_the_notice_carries_the_events_own_id_and_time() -> None:
    decision = a_decision()
    notice = render(decision, "guichet.decision.made", SUBSCRIPTION, POST)
    assert (notice.notice_id, notice.at, notice.sequence, notice.subscription) == (
        decision.event_id,
        decision.decided_at,
        decision.sequence,
        SUBSCRIPTION,
    )
    assert type(notice).from_json(notice.to_json()) == notice
