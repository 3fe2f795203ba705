"""Channel ``kafka``: notices for a country's customs on ``release.<cc>.v1`` (free) and ``hold.<cc>.v1`` (everything else), as JSON."""

from __future__ import annotations

from typing import Final

from services.notify.ledger import Filed
from shared.contracts import NOTICE_TYPE, Outcome, Topics, event_headers
from shared.kafka import Outgoing

NAME: Final = "kafka"
SOURCE: Final = "guichet/notify"


def send(filed: Filed, topics: Topics) -> Outgoing:
    """Return the record that tells *filed*: keyed by consignment, with the event's own id, so that a repetition is recognised."""
    notice = filed.notice
    country = notice.consignment.country_of_destination if notice.consignment else None
    topic = topics.release if notice.outcome is Outcome.RELEASE else topics.hold
    return Outgoing(topic(country or filed.interest.participant.country), notice.key.encode(), filed.body, headers_of(filed))


def headers_of(filed: Filed, *more: tuple[str, str]) -> list[tuple[str, bytes]]:
    """Return the CloudEvents headers of a notice: ``ce_sequence`` is its number in the feed, ``ce_consignmentsequence`` the dossier's
    own; *more* are further ones."""
    notice = filed.notice
    return event_headers(
        id=notice.notice_id,
        type=NOTICE_TYPE,
        source=SOURCE,
        time=notice.at,
        subject=notice.key,
        extra=(
            ("sequence", str(filed.sequence)),
            ("consignmentsequence", str(notice.sequence)),
            ("subscription", str(notice.subscription)),
            *more,
        ),
    )
