"""What is told about a consignment or order besides its declaration: payments, movements, events, replies to referrals.

Kept are small facts; the content stays with the transition that brought it. Nothing here replaces what was declared, and who tells it
does not become a party.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime

from services.router.building import build
from services.router.tracks import Statement
from shared.contracts import OpenReferral
from shared.model import Filing, Kind, Model

BESIDE: Final[tuple[Kind, ...]] = ("payment", "movement", "event", "reply")

Effect = Literal["linked", "repeated", "withdrawn"]


class Fact(Model):
    """One filing beside the declaration. ``about`` is what a later one of the same sender would correct: the payment, the referral, the
    unit, the event; ``version`` and ``said`` belong to a reply."""

    kind: Kind
    filing_id: UUID
    cause_id: UUID
    digest: str
    participant: str
    at: AwareDatetime
    about: str | None = None
    version: int | None = None
    said: str | None = None


class Referral(NamedTuple):
    """A question or a *do not load* that is open. ``awaiting_data``: it was answered with a version of the data that is not here yet.
    ``due_at`` is by when its authority wants the answer; a question before loading that sets no time has :data:`ANSWER_WITHIN`."""

    referral_id: str | None
    authority: str
    decision: str
    state: Literal["open", "awaiting_data", "answered"]
    due_at: datetime | None
    statement: Statement

    def told(self) -> dict[str, object]:
        """Return what an officer is told of it: the statement itself stands in the history."""
        return {name: value for name, value in self._asdict().items() if name != "statement"}


def kind_of(filing: Filing) -> Kind | None:
    """Return the kind of a filing beside a declaration; None for a declaration, an order, or a cancellation that says no more."""
    if filing.consignment is not None or filing.order is not None:
        return None
    return next((kind for kind in BESIDE if getattr(filing, kind) is not None), None)


def take(held: Sequence[Fact], filing: Filing, kind: Kind, cause_id: UUID) -> tuple[tuple[Fact, ...], Effect]:
    """Return the facts after *filing*, and what it did: the same content again does nothing, a replacement or cancellation takes the place
    of what the same sender said about the same thing."""
    new = _fact(filing, kind, cause_id)
    if filing.function != "cancel" and any(_says_the_same(one, new) for one in held):
        return tuple(held), "repeated"
    if filing.function != "original":
        held = [one for one in held if not _is_about_the_same(one, new)]
    return (tuple(held), "withdrawn") if filing.function == "cancel" else ((*held, new), "linked")


def _says_the_same(one: Fact, other: Fact) -> bool:
    return (one.kind, one.participant, one.digest) == (other.kind, other.participant, other.digest)


def _is_about_the_same(one: Fact, other: Fact) -> bool:
    return _says_the_same(one, other) or (one.kind, one.participant, one.about) == (other.kind, other.participant, other.about)


def _fact(filing: Filing, kind: Kind, cause_id: UUID) -> Fact:
    reply = filing.reply
    return build(
        Fact,
        kind=kind,
        filing_id=filing.filing_id,
        cause_id=cause_id,
        digest=filing.content_digest,
        participant=filing.participant,
        at=filing.received_at,
        about=_about(filing),
        version=reply.new_version if reply is not None else None,
        said=reply.outcome if reply is not None else None,
    )


def _about(filing: Filing) -> str | None:
    if filing.payment is not None:
        return filing.payment.payment_id
    if filing.reply is not None:
        return filing.reply.referral_id
    if filing.event is not None:
        return filing.event.code
    movement = filing.movement
    return f"{movement.stage} {movement.receptacle_id or movement.master_transport_document_id or ''}" if movement is not None else None


def units(filing: Filing) -> tuple[str, ...]:
    """Return the keys of the receptacle and the master that a movement puts its consignment, or its receptacle, in."""
    movement = filing.movement
    if movement is None or filing.function == "cancel":
        return ()
    found = []
    if movement.receptacle_id is not None:
        found.append(f"receptacle:{movement.receptacle_id}")
    if movement.master_transport_document_id is not None:
        found.append(f"master:{movement.master_transport_document_id}")
    return tuple(unit for unit in found if unit != filing.key)


_ASKS: Final = frozenset({"INFO_REQUESTED", "DOCS_REQUESTED", "SCREEN_REQUESTED", "DO_NOT_LOAD"})
_ANSWERED_BY_DATA: Final = frozenset({"INFO_REQUESTED", "DOCS_REQUESTED"})
ANSWER_WITHIN: Final = timedelta(hours=24)
"""Time for the answer to a request for information or screening (standard dataset, section 6.5)."""


def referrals(open_: Iterable[Statement], facts: Sequence[Fact], parties: Sequence[str], version: int | None) -> tuple[Referral, ...]:
    """Return the referrals among what is open. A reply counts from a party to the consignment; *version* is that of the data held.

    An answered referral still stops the consignment: only its authority ends it.
    """
    replies = [fact for fact in facts if fact.kind == "reply" and fact.participant in parties]
    return tuple(
        Referral(one.referral_id, one.authority, one.decision, _state(one, replies, version), _due_at(one), one)
        for one in open_
        if one.decision in _ASKS
    )


_TYPES: Final[Mapping[str, Literal["RFI", "RFS", "DNL"]]] = {
    "INFO_REQUESTED": "RFI",
    "DOCS_REQUESTED": "RFI",
    "SCREEN_REQUESTED": "RFS",
    "DO_NOT_LOAD": "DNL",
}


def before_loading(open_: Iterable[Referral]) -> tuple[OpenReferral, ...]:
    """Return those of *open_* referrals that hold a consignment back from being loaded, as their answerer is told of them."""
    return tuple(
        build(
            OpenReferral,
            type=_TYPES[one.decision],
            referral_id=one.referral_id,
            due_at=one.due_at,
            requested=one.statement.requested,
            contact=one.statement.contact,
            answered=True if one.state == "answered" else None,
        )
        for one in open_
        if one.statement.track == "pre_loading"
    )


def answer_due_at(open_: Iterable[Referral]) -> datetime | None:
    """Return by when the first of *open_* that data or documents answer, and none have, wants its answer. Screening is nothing that a
    notice tells of."""
    asked = (one for one in open_ if one.decision in _ANSWERED_BY_DATA and one.state != "answered")
    return min((one.due_at for one in asked if one.due_at is not None), default=None)


def _due_at(one: Statement) -> datetime | None:
    if one.due_at is not None or one.track != "pre_loading" or one.decision == "DO_NOT_LOAD":
        return one.due_at
    return one.issued_at + ANSWER_WITHIN


def _state(one: Statement, replies: Sequence[Fact], version: int | None) -> Literal["open", "awaiting_data", "answered"]:
    given = [fact for fact in replies if fact.about == one.referral_id and (fact.said != "acknowledged" or one.decision == "DO_NOT_LOAD")]
    if not given:
        return "open"
    here = any(fact.version is None or (version is not None and version >= fact.version) for fact in given)
    return "answered" if here else "awaiting_data"
