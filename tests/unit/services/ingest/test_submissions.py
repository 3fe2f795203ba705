"""What the status of a submission tells of a decision is what every party may hear."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest

from services.ingest.submissions import changes
from shared.contracts import DecisionMade, FilingRef, Outcome, PolicyRef, PublicReason, Reason, Summary

AT = datetime(2026, 11, 21, tzinfo=UTC)


def told(outcome: Outcome, *reasons: tuple[Outcome, PublicReason]) -> str:
    """Return the reasons that the door keeps of one decision."""
    event = DecisionMade(
        event_id=uuid4(),
        key="post:A",
        sequence=1,
        outcome=outcome,
        decided_at=AT,
        received_at=AT,
        reasons=tuple(Reason(code="R", outcome=each, public=public, why="w") for each, public in reasons),
        category=1,
        policy=PolicyRef(pack="eu", version="1", digest="0" * 64),
        consignment=Summary(house_transport_document_id="A", channel="post"),
        filing=FilingRef(
            filing_id=uuid4(),
            participant="poste-a",
            format="itmatt",
            message_id="m",
            position="Item[1]",
            function="original",
            received_at=AT,
            kind="consignment",
        ),
        parties=("poste-a",),
    )
    record = SimpleNamespace(
        headers=[("ce_submission", str(uuid4()).encode()), ("ce_type", b"guichet.decision.made")], value=event.to_json()
    )
    (row,) = changes([record]).decisions
    return str(row["reasons"])


@pytest.mark.parametrize("public", ["security", "examination", "other"])
def test_of_a_release_nobody_learns_that_somebody_looked(public: PublicReason) -> None:
    assert told(Outcome.RELEASE, (Outcome.RELEASE, public)) == ""


def test_what_stops_a_parcel_is_told_once_in_public_words() -> None:
    kept = told(
        Outcome.HOLD,
        (Outcome.HOLD, "examination"),
        (Outcome.HOLD, "examination"),
        (Outcome.RELEASE, "payment_due"),
        (Outcome.RELEASE, "other"),
    )
    assert kept == "examination payment_due"
