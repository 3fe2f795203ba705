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
SYSTEM_POST: Final = a_family("system-post", Role.POST, "US", {"cds-view": (ACKNOWLEDGED, DECIDED)})
NATIONAL_POST: Final = a_family("national-post", Role.POST, "ES", {"json": (ACKNOWLEDGED, DECIDED)})
ICS2: Final = a_family("ics2-filer", Role.CARRIER, "CN", {"ics2-answers": (ACKNOWLEDGED,), "json": (ACKNOWLEDGED, DECIDED)})
LOW_VALUE: Final = a_family("h7-declarant", Role.CARRIER, "CN", {"json": (ACKNOWLEDGED, DECIDED)})
UK: Final = a_family("uk-declarant", Role.CARRIER, "CN", {"uk-notification": (ACKNOWLEDGED, DECIDED)})
ASYCUDA: Final = a_family("asycuda-carrier", Role.CARRIER, "NZ", {"json": (ACKNOWLEDGED, DECIDED)})
SHOP: Final = a_family("json-shop", Role.PLATFORM, "NL", {"json": (ACKNOWLEDGED, ACCEPTED, DECIDED)})
PAYMENTS: Final = a_family("json-payments", Role.PAYMENT_PROVIDER, "NL", {"json": (ACKNOWLEDGED, ACCEPTED)})
NEUTRAL: Final = a_family("dataset-carrier", Role.CARRIER, "CN", {"json": (ACKNOWLEDGED, DECIDED)})
FAMILIES: Final = (
    EDIFACT,
    CARGO_XML,
    CARGO_IMP,
    TABLES,
    POSTAL,
    SYSTEM_POST,
    NATIONAL_POST,
    ICS2,
    LOW_VALUE,
    UK,
    ASYCUDA,
    SHOP,
    PAYMENTS,
    NEUTRAL,
)
