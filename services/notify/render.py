"""From an event to the notice of one receiver: a view built from an allow list, never a filtered dump.

What a role sees follows the visibility table of the standard dataset (``shared/codes/data/standard_dataset/visibility.csv``): T
transport, G goods, V values, C commercial relations, S risk and security, D decision. Only customs see rules (S). Everybody else hears
the outcome and public reasons, and details of data only where the filing judged was his own. ``security`` and ``examination`` carry no
detail to anybody but customs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from shared.contracts import (
    SILENT_WHEN_FREE,
    ConsignmentAccepted,
    DecisionMade,
    EventBody,
    FilingRejected,
    MessageAcknowledged,
    Notice,
    Outcome,
    PublicReason,
    PublicView,
    Reason,
    SubmissionRead,
    Summary,
)
from shared.directory import Participant, Role

_TRANSPORT = (
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
)
_STATUS = ("house_transport_document_id", "channel", "country_of_dispatch", "country_of_destination", "carrier_id")
_GOODS = ("nature_of_transaction", "business_model", "gross_mass_kg", "hs_codes")
_VALUES = ("declared_value",)
_COMMERCE = ("platform_id", "orders")

SUMMARY_VIEW: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.POST: _TRANSPORT + _GOODS,
    Role.CARRIER: _TRANSPORT + _GOODS + _VALUES,
    Role.PLATFORM: _STATUS + _GOODS + _VALUES + _COMMERCE,
    Role.PAYMENT_PROVIDER: (),
    Role.CUSTOMS: _TRANSPORT + _GOODS + _VALUES + _COMMERCE,
    Role.AGENCY: _TRANSPORT + _GOODS,
}
"""The fields of a consignment's summary that each role may see. A role with none gets no summary at all."""

_GETTERS = {role: attrgetter(*fields) for role, fields in SUMMARY_VIEW.items() if fields}

CORRECTABLE: Final[frozenset[PublicReason]] = frozenset(
    {"data_missing", "description_unclear", "value_query", "documents_needed", "address_problem", "scheme_invalid"}
)
"""Public reasons that a sender can mend in his own data; only these tell him where."""


def render(event: EventBody, type: str, subscription: UUID, receiver: Participant) -> Notice:
    """Return what *receiver* may know of *event*, not yet numbered (``feed_sequence`` 0).

    The caller has checked that the receiver may hear of the event at all (``services.notify.match``).
    """
    if isinstance(event, DecisionMade):
        return _decision(event, type, subscription, receiver)
    if isinstance(event, ConsignmentAccepted):
        return _accepted(event, type, subscription, receiver)
    if isinstance(event, FilingRejected):
        return _rejected(event, type, subscription, receiver)
    if isinstance(event, MessageAcknowledged):
        return _acknowledged(event, type, subscription, receiver)
    return _read(event, type, subscription, receiver)


def summary_for(role: Role, summary: Summary | None) -> Summary | None:
    """Return the fields of *summary* that *role* may see."""
    if summary is None or role is Role.CUSTOMS:
        return summary
    fields = SUMMARY_VIEW[role]
    return Summary.model_construct(**dict(zip(fields, _GETTERS[role](summary), strict=True))) if fields else None


def reasons_for(role: Role, reasons: Sequence[Reason], *, own: bool) -> tuple[PublicView, ...]:
    """Return *reasons* as *role* may see them; for all but customs equal ones are told once, so that their number tells nothing of the
    rules."""
    if role is Role.CUSTOMS:
        return tuple(
            PublicView.model_construct(public=each.public, code=each.code, why=each.why, source=each.source, path=each.path)
            for each in reasons
        )
    told = {
        (each.public, each.path if own and each.public in CORRECTABLE else None): None
        for each in reasons
        if not (each.outcome is Outcome.RELEASE and each.public in SILENT_WHEN_FREE)
    }
    return tuple(PublicView.model_construct(public=public, path=path) for public, path in told)


_BLANK: Final = Notice(
    notice_id=UUID(int=0),
    subscription=UUID(int=0),
    participant="",
    feed_sequence=0,
    type="",
    at=datetime.min.replace(tzinfo=UTC),
    key="",
    sequence=0,
)


def _notice(**values: Any) -> Notice:
    """Return a notice of parts that are valid already: a copy of a blank one costs a fifth of building one with all its fields."""
    return _BLANK.model_copy(update=values)


def _decision(event: DecisionMade, type: str, subscription: UUID, receiver: Participant) -> Notice:
    own = event.filing.participant == receiver.id
    customs = receiver.role is Role.CUSTOMS
    return _notice(
        notice_id=event.event_id,
        subscription=subscription,
        participant=receiver.id,
        type=type,
        at=event.decided_at,
        key=event.key,
        sequence=event.sequence,
        outcome=event.outcome,
        reasons=reasons_for(receiver.role, event.reasons, own=own),
        consignment=summary_for(receiver.role, event.consignment),
        filing=event.filing if own else None,
        missing=event.missing if own else None,
        referred=_referred(event) if own else None,
        category=event.category if customs else None,
        policy=event.policy if customs else None,
        received_at=event.received_at if own or customs else None,
        answer_due_at=event.answer_due_at if own else None,
        instead_of=event.instead_of if own or customs else None,
        referrals=event.referrals if own or customs else None,
        charges=event.charges if own or customs else None,
        supersedes=event.supersedes,
        submission_id=event.filing.submission_id if own else None,
        format=event.filing.format if own else None,
        message_id=event.filing.message_id if own else None,
        position=event.filing.position if own else None,
    )


def _referred(event: DecisionMade) -> tuple[str, ...] | None:
    """Return the dataset paths that a referral asks its sender about."""
    asked = (each.path for each in event.reasons if each.outcome is Outcome.REFERRAL and each.public in CORRECTABLE and each.path)
    return tuple(dict.fromkeys(asked)) or None


def _accepted(event: ConsignmentAccepted, type: str, subscription: UUID, receiver: Participant) -> Notice:
    own = event.filing.participant == receiver.id
    sees_order = own or receiver.role is Role.CUSTOMS
    return _notice(
        notice_id=event.event_id,
        subscription=subscription,
        participant=receiver.id,
        type=type,
        at=event.accepted_at,
        key=event.key,
        sequence=event.sequence,
        effect=event.effect if own else None,
        consignment=summary_for(receiver.role, event.consignment),
        filing=event.filing if own else None,
        order=event.order if sees_order else None,
        missing=event.missing if own else None,
        findings=event.findings if own else None,
        received_at=event.filing.received_at if own else None,
        submission_id=event.filing.submission_id if own else None,
        format=event.filing.format if own else None,
        message_id=event.filing.message_id if own else None,
        position=event.filing.position if own else None,
    )


def _rejected(event: FilingRejected, type: str, subscription: UUID, receiver: Participant) -> Notice:
    rejection = event.rejection
    return _notice(
        notice_id=event.event_id,
        subscription=subscription,
        participant=receiver.id,
        type=type,
        at=event.rejected_at,
        key=event.key,
        sequence=0,
        findings=rejection.findings,
        received_at=rejection.received_at,
        submission_id=rejection.submission_id,
        format=rejection.format,
        message_id=rejection.message_id,
        position=rejection.position,
    )


def _acknowledged(event: MessageAcknowledged, type: str, subscription: UUID, receiver: Participant) -> Notice:
    return _notice(
        notice_id=event.event_id,
        subscription=subscription,
        participant=receiver.id,
        type=type,
        at=event.acknowledged_at,
        key=event.key,
        sequence=0,
        received_at=event.received_at,
        submission_id=event.submission_id,
        format=event.format,
        message_id=event.message_id,
        items=event.items,
        rejected=event.rejected,
        acknowledgement=event.acknowledgement,
        details=event.details,
    )


def _read(event: SubmissionRead, type: str, subscription: UUID, receiver: Participant) -> Notice:
    return _notice(
        notice_id=event.event_id,
        subscription=subscription,
        participant=receiver.id,
        type=type,
        at=event.read_at,
        key=event.key,
        sequence=0,
        submission_id=event.submission_id,
        format=event.format,
        message_id=event.message_id,
        items=event.items,
        rejected=event.rejected,
    )
