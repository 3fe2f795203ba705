"""One participant per family of messages, each with what it subscribes to, and a message such as it would send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from shared.contracts import derived_id
from shared.directory import Channel, Participant, Role, Subscription

ACKNOWLEDGED: Final = "guichet.message.acknowledged"
ACCEPTED: Final = "guichet.consignment.accepted"
REJECTED: Final = "guichet.filing.rejected"
DECIDED: Final = "guichet.decision.made"


class Family(NamedTuple):
    """A participant and its subscriptions to its own topic."""

    participant: Participant
    subscriptions: tuple[Subscription, ...]


def a_family(id: str, role: Role, country: str, wishes: dict[str, Sequence[str]]) -> Family:
    """Return a participant that wants to hear of events in formats (format → event types)."""
    subscriptions = tuple(
        Subscription(
            id=derived_id("family subscription", id, format),
            participant=id,
            event_types=tuple(types),
            channel=Channel.OUTBOUND,
            format=format,
            created_at=datetime.now(UTC),
        )
        for format, types in wishes.items()
    )
    return Family(Participant(id=id, name=f"The {id}", role=role, country=country), subscriptions)


EDIFACT: Final = a_family("edifact-carrier", Role.CARRIER, "CN", {"cusres": (ACKNOWLEDGED, DECIDED), "aperak": (ACCEPTED, REJECTED)})
CARGO_XML: Final = a_family("cargo-xml-carrier", Role.CARRIER, "CN", {"xcsn": (ACKNOWLEDGED, DECIDED)})
CARGO_IMP: Final = a_family("cargo-imp-carrier", Role.CARRIER, "CN", {"psn": (ACKNOWLEDGED, DECIDED)})
TABLES: Final = a_family("spreadsheet-carrier", Role.CARRIER, "CN", {"manifest-csv": (ACKNOWLEDGED, DECIDED)})
POSTAL: Final = a_family("xml-post", Role.POST, "US", dict.fromkeys(("cusrsp", "itmref", "emsevt"), (ACKNOWLEDGED, DECIDED)))
FAMILIES: Final = (EDIFACT, CARGO_XML, CARGO_IMP, TABLES, POSTAL)
