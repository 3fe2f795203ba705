"""What is told besides the declaration never replaces it, and makes nobody a party."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from services.router.handlers import Unreadable, received
from shared.contracts import ConsignmentAccepted, FilingRejected, Outcome, Topics, derived_id
from shared.model import Event, Filing, Model, Movement, Payment
from tests.builders import KEY, NOON, a_filing, a_house_consignment, an_order, naming
from tests.unit.services.router.test_fold import ALONE, History

PAYMENT = Payment(payment_id="P-1", payment_provider_id="paywell", payment_status="captured")
MOVEMENT = Movement(stage="despatched", channel="post", receptacle_id="USLAXANLHAGIAUN60123004100085")
SCAN = Event(kind="tracking", code="EMC", at=NOON)


def beside(content: Model, participant: str = "paywell", message_id: str = "B1", **changes: Any) -> Filing:
    """Return a filing about :data:`KEY` that is neither a declaration nor an order."""
    kind = {Payment: "payment", Movement: "movement", Event: "event"}[type(content)]
    given: dict[str, Any] = {
        "filing_id": derived_id(participant, message_id, kind),
        "key": KEY,
        "participant": participant,
        "format": kind,
        "message_id": message_id,
        "position": "1",
        "received_at": NOON,
        "content_digest": hashlib.sha256(content.to_json()).hexdigest(),
        kind: content,
    }
    return Filing(**{**given, **changes})


@pytest.mark.parametrize("content", [PAYMENT, MOVEMENT, SCAN], ids=lambda content: type(content).__name__)
def test_it_is_kept_beside_the_declaration_and_changes_no_decision(content: Model) -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(beside(content))
    assert [decision.outcome for decision in history.decisions] == [Outcome.RELEASE]
    assert history.effects == ["created", "linked"]
    assert history.dossier is not None
    assert history.dossier.filing is not None
    assert history.dossier.filing.ref.kind == "consignment"
    (fact,) = history.dossier.facts or ()
    assert (fact.kind, fact.participant, fact.at) == (type(content).__name__.lower(), "paywell", NOON)


def test_its_sender_hears_of_it_and_of_nothing_else() -> None:
    history = History(ALONE)
    history.add(a_filing())
    history.add(beside(PAYMENT))
    accepted = history.said(ConsignmentAccepted)[-1]
    assert accepted.parties == ("paywell",)
    assert accepted.consignment is None
    assert accepted.filing.kind == "payment"
    history.add(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace"))
    assert history.decisions[-1].parties == ("us-post",)


def test_the_same_again_is_repeated() -> None:
    history = History(ALONE)
    history.add(beside(SCAN))
    history.add(beside(SCAN, message_id="B2"))
    assert history.effects == ["linked", "repeated"]
    assert len(history.dossier.facts or ()) == 1  # type: ignore[union-attr]


def test_it_waits_for_the_declaration() -> None:
    history = History(ALONE)
    history.add(beside(MOVEMENT))
    assert history.state == "announced"
    history.add(a_filing())
    assert history.effects == ["linked", "created"]
    assert history.dossier.facts  # type: ignore[union-attr]


def test_a_correction_takes_the_place_of_what_its_sender_said() -> None:
    history = History(ALONE)
    history.add(beside(PAYMENT))
    refunded = PAYMENT.model_copy(update={"payment_status": "refunded"})
    history.add(beside(refunded, message_id="B2", function="replace"))
    assert len(history.dossier.facts or ()) == 1  # type: ignore[union-attr]
    history.add(beside(refunded, message_id="B3", function="cancel"))
    assert history.effects == ["linked", "linked", "withdrawn"]
    assert history.dossier.facts is None  # type: ignore[union-attr]


def test_a_used_message_id_with_other_content_is_refused() -> None:
    history = History(ALONE)
    history.add(beside(SCAN))
    history.add(beside(SCAN.model_copy(update={"code": "EMD"})), conflict=True)
    assert [finding.code for finding in history.said(FilingRejected)[-1].rejection.findings] == ["MSG-CONFLICT"]


def test_a_filing_is_about_exactly_one_thing() -> None:
    def a_record(filing: Filing) -> ConsumerRecord[bytes, bytes]:
        return ConsumerRecord(Topics().filings, 0, 0, 0, 0, b"", filing.to_json(), None, 0, 0, ())

    order = an_order()
    for filing in (a_filing(), a_filing(order=order), beside(PAYMENT), beside(MOVEMENT), beside(SCAN)):
        assert received(a_record(filing), Topics(), NOON).entry.body == filing
    two = beside(PAYMENT, movement=MOVEMENT), a_filing(a_house_consignment(orders=naming())).model_copy(update={"order": order})
    for filing in (*two, a_filing().model_copy(update={"consignment": None})):
        with pytest.raises(Unreadable):
            received(a_record(filing), Topics(), NOON)
