"""Notices to start a test of a writing format from."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.contracts import FilingRef, Notice, Outcome, Summary

AT = datetime(2026, 11, 23, 8, 12, 30, tzinfo=UTC)
POSTED = datetime(2026, 11, 20, 17, 42, 10, tzinfo=UTC)


def a_notice(type: str = "guichet.decision.made", **changes: Any) -> Notice:
    """Return the release of an item from the United States, told to its post."""
    summary = Summary(
        house_transport_document_id="LZ314159268US",
        channel="post",
        country_of_destination="NL",
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
