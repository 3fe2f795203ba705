"""Valid things for the tests of notify; each takes only what its test is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from shared.contracts import (
    TYPE_OF,
    Acknowledgement,
    ConsignmentAccepted,
    DecisionMade,
    EventBody,
    FilingRef,
    FilingRejected,
    MessageAcknowledged,
    Missing,
    Outcome,
    PolicyRef,
    Reason,
    SubmissionRead,
    Summary,
    event_headers,
)
from shared.directory import Channel, Directory, Participant, Role, Subscription, hash_of_key
from shared.model import Finding, Model, Money, OrderRef, Rejection

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

POST = Participant(id="post-cn", name="Example Post", role=Role.POST, country="CN", formats=("itmatt",))
CARRIER = Participant(id="swift-air", name="Swift Air", role=Role.CARRIER, country="DE")
PLATFORM = Participant(id="bazaar", name="Bazaar", role=Role.PLATFORM, country="FR")
PAYMENTS = Participant(id="paywell", name="Paywell", role=Role.PAYMENT_PROVIDER, country="IE")
CUSTOMS = Participant(id="customs-fr", name="Customs", role=Role.CUSTOMS, country="FR")
AGENCY = Participant(id="plant-health", name="Plant Health", role=Role.AGENCY, country="FR")
EVERYBODY = (POST, CARRIER, PLATFORM, PAYMENTS, CUSTOMS, AGENCY)


def a_summary(**values: Any) -> Summary:
    return Summary(
        **{
            "house_transport_document_id": "RR473124829CN",
            "channel": "post",
            "country_of_dispatch": "CN",
            "country_of_destination": "FR",
            "nature_of_transaction": "sale",
            "package_count": 1,
            "gross_mass_kg": Decimal("0.420"),
            "declared_value": Money(amount=Decimal("31.50"), currency="EUR"),
            "hs_codes": ("420221", "610910"),
        }
        | values
    )


def a_full_summary() -> Summary:
    """A summary that has every field, each with a value found nowhere else."""
    return a_summary(
        master_transport_document_id="057-90090044",
        business_model="b2c",
        posted_at=datetime(2026, 11, 1, 1, 1, 1, tzinfo=UTC),
        departure_on=date(2026, 11, 3),
        package_count=7731,
        gross_mass_kg=Decimal("19.773"),
        declared_value=Money(amount=Decimal("8812.37"), currency="CHF"),
        hs_codes=("930200",),
        carrier_id="CARRIER-ZQ",
        platform_id="PLATFORM-ZQ",
        orders=(OrderRef(platform_id="PLATFORM-ZR", order_id="ORDER-ZQ"),),
        origin_post="CNA",
        destination_post="FRX",
        mail_class="K",
    )


def a_filing(participant: str = "post-cn", **values: Any) -> FilingRef:
    return FilingRef(
        **{
            "filing_id": uuid4(),
            "participant": participant,
            "format": "itmatt",
            "message_id": "M-1",
            "position": "Item[1]",
            "function": "original",
            "received_at": NOW,
            "kind": "consignment",
        }
        | values
    )


def a_reason(**values: Any) -> Reason:
    return Reason(
        **{"code": "EU-DATA-01", "outcome": Outcome.HOLD, "public": "data_missing", "why": "The data set is not complete."} | values
    )


def a_decision(**values: Any) -> DecisionMade:
    return DecisionMade(
        **{
            "event_id": uuid4(),
            "key": "post:RR473124829CN",
            "sequence": 2,
            "outcome": Outcome.RELEASE,
            "decided_at": NOW,
            "received_at": NOW,
            "reasons": (),
            "category": 2,
            "policy": PolicyRef(pack="eu", version="2026.1", digest="d1" * 32),
            "consignment": a_summary(),
            "filing": a_filing(),
            "parties": ("post-cn",),
        }
        | values
    )


def an_acceptance(**values: Any) -> ConsignmentAccepted:
    return ConsignmentAccepted(
        **{
            "event_id": uuid4(),
            "key": "post:RR473124829CN",
            "sequence": 1,
            "accepted_at": NOW,
            "filing": a_filing(),
            "effect": "created",
            "consignment": a_summary(),
            "parties": ("post-cn",),
        }
        | values
    )


def a_missing(path: str = "/consignee/phone") -> Missing:
    return Missing(path=path, view="pre_arrival", holders=("POO",))


def a_finding(**values: Any) -> Finding:
    return Finding(**{"code": "GI-HS-LENGTH", "message": "HS code needs at least 6 digits.", "remedy": "Give six digits."} | values)


def a_rejection(participant: str = "post-cn", **values: Any) -> FilingRejected:
    rejection = Rejection(
        rejection_id=uuid4(), participant=participant, format="itmatt", message_id="M-1", received_at=NOW, findings=(a_finding(),)
    )
    return FilingRejected(
        **{"event_id": uuid4(), "key": "post:RR473124829CN", "rejected_at": NOW, "rejection": rejection, "parties": (participant,)} | values
    )


def a_reading(participant: str = "post-cn", **values: Any) -> SubmissionRead:
    return SubmissionRead(
        **{
            "event_id": uuid4(),
            "key": "submission",
            "submission_id": uuid4(),
            "participant": participant,
            "read_at": NOW,
            "items": 3,
            "rejected": 1,
        }
        | values
    )


def an_acknowledgement(participant: str = "post-cn", **values: Any) -> MessageAcknowledged:
    return MessageAcknowledged(
        **{
            "event_id": uuid4(),
            "key": "message:1",
            "participant": participant,
            "acknowledged_at": NOW,
            "received_at": NOW,
            "format": "cuscar",
            "items": 1,
            "rejected": 0,
            "acknowledgement": Acknowledgement(format="contrl", content_type="application/edifact", body=b"UNB\xff"),
        }
        | values
    )


def a_subscription(participant: Participant, channel: Channel = Channel.MAILBOX, **values: Any) -> Subscription:
    webhook = (
        {"endpoint": "https://example.test/hook", "secrets": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",)}
        if channel is Channel.WEBHOOK
        else {}
    )
    return Subscription(
        **{
            "id": uuid4(),
            "participant": participant.id,
            "event_types": tuple(TYPE_OF.values()),
            "channel": channel,
            "created_at": NOW,
        }
        | webhook
        | values
    )


def a_directory(
    *subscriptions: Subscription, participants: tuple[Participant, ...] = EVERYBODY, keys: dict[str, str] | None = None
) -> Directory:
    return Directory(
        participants=MappingProxyType({each.id: each for each in participants}),
        subscriptions=subscriptions,
        keys=MappingProxyType({hash_of_key(key): owner for key, owner in (keys or {}).items()}),
        revision=1,
    )


@dataclass
class ARecord:
    """A Kafka record as aiokafka hands it over."""

    value: bytes | None
    headers: list[tuple[str, bytes]]
    key: bytes | None = None
    topic: str = "exchange.decisions.v1"
    partition: int = 0
    offset: int = 0
    timestamp: int = field(default=1_763_716_800_000)


def a_record(event: EventBody | Model, type: str | None = None) -> Any:
    """Return *event* as it lies on ``decisions.v1``."""
    name = type or TYPE_OF[event.__class__]
    id: UUID = getattr(event, "event_id", None) or uuid4()
    key = getattr(event, "key", "")
    return ARecord(event.to_json(), event_headers(id=id, type=name, source="test", time=NOW, subject=key), key.encode())
