"""Who hears of an event: those who subscribed and may see it, nobody else.

Senders (post, carrier, platform, payment provider) see consignments they are a party of, customs those destined for their country, an
agency those it was asked about; a rejection, a receipt and an acknowledgement belong to their sender alone, whatever his role. The
subscriptions are indexed by event type and by who may see, once per revision of the directory, so that an event costs a few look-ups
however many are subscribed. Filters see the notice as its receiver would, so a filter cannot ask about what its owner may not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.notify.render import render
from shared.contracts import (
    TYPE_OF,
    ConsignmentAccepted,
    DecisionMade,
    EventBody,
    FilingRejected,
    MessageAcknowledged,
    Notice,
    SubmissionRead,
)
from shared.directory import Channel, Directory, Participant, Role, Subscription
from shared.errors import HubError

Filter = Callable[[Any], Any]
CompileFilter = Callable[[str], Filter]

ACCEPTED: Final = TYPE_OF[ConsignmentAccepted]
DECISION: Final = TYPE_OF[DecisionMade]
REJECTED: Final = TYPE_OF[FilingRejected]
READ: Final = TYPE_OF[SubmissionRead]
ACKNOWLEDGED: Final = TYPE_OF[MessageAcknowledged]

SENDERS: Final = frozenset({Role.POST, Role.CARRIER, Role.PLATFORM, Role.PAYMENT_PROVIDER})

MAY_HEAR: Final[Mapping[Role, frozenset[str]]] = {
    Role.POST: frozenset({ACCEPTED, DECISION, REJECTED, READ, ACKNOWLEDGED}),
    Role.CARRIER: frozenset({ACCEPTED, DECISION, REJECTED, READ, ACKNOWLEDGED}),
    Role.PLATFORM: frozenset({ACCEPTED, DECISION, REJECTED, READ, ACKNOWLEDGED}),
    Role.PAYMENT_PROVIDER: frozenset({ACCEPTED, REJECTED, READ, ACKNOWLEDGED}),
    Role.CUSTOMS: frozenset({ACCEPTED, DECISION, ACKNOWLEDGED}),
    Role.AGENCY: frozenset({DECISION, ACKNOWLEDGED}),
}
"""The event types each role may hear of (column D of the visibility table: a payment provider sees no decision)."""


@dataclass(frozen=True, slots=True)
class Interest:
    """One subscription of one participant, ready to be matched."""

    subscription: Subscription
    participant: Participant
    accepts: Filter | None = None


@dataclass(slots=True)
class _Interests:
    """The interests in one event type, by what makes their owner see an event."""

    senders: dict[str, list[Interest]] = field(default_factory=dict)
    customs: dict[str, list[Interest]] = field(default_factory=dict)
    agencies: dict[str, list[Interest]] = field(default_factory=dict)

    def add(self, interest: Interest, *, own: bool) -> None:
        """Add *interest*; an event of a type that is *own* business is seen by its sender, whatever his role."""
        owner = interest.participant
        if own:
            self.senders.setdefault(owner.id, []).append(interest)
        elif owner.role is Role.CUSTOMS:
            self.customs.setdefault(owner.country, []).append(interest)
        elif owner.role is Role.AGENCY:
            self.agencies.setdefault(owner.id, []).append(interest)
        else:
            self.senders.setdefault(owner.id, []).append(interest)


class Unusable(NamedTuple):
    """A subscription that cannot be served, and why: the operator is told, its neighbours are served."""

    subscription: UUID
    why: str


@dataclass(frozen=True, slots=True)
class Index:
    """All subscriptions of one directory revision. A type that is not in ``by_type`` interests nobody, and its events need not be read."""

    by_type: Mapping[str, _Interests]
    unusable: tuple[Unusable, ...] = ()


class Audience(NamedTuple):
    """Who may see an event: these senders, the customs of this country, these agencies."""

    senders: Iterable[str]
    country: str | None = None
    agencies: Iterable[str] = ()


class Told(NamedTuple):
    """One notice to be filed in one feed."""

    interest: Interest
    notice: Notice


def index_of(directory: Directory, compile_filter: CompileFilter) -> Index:
    """Index the living subscriptions of *directory*. A parked one still fills its feed; a disabled one, or one of a closed participant,
    does not.

    *compile_filter* turns a filter's text into a function of the notice and raises ``HubError`` or ``ValueError`` when it cannot.
    """
    by_type: dict[str, _Interests] = {}
    unusable = []
    for subscription in directory.subscriptions:
        owner = directory.participants.get(subscription.participant)
        if owner is None or not owner.active or subscription.state == "disabled":
            continue
        if subscription.channel is Channel.KAFKA and owner.role is not Role.CUSTOMS:
            unusable.append(Unusable(subscription.id, "the release and hold topics of a country are written for its customs only"))
            continue
        try:
            accepts = compile_filter(subscription.filter) if subscription.filter else None
        except (HubError, ValueError) as exc:
            unusable.append(Unusable(subscription.id, str(exc)))
            continue
        for type in MAY_HEAR[owner.role].intersection(subscription.event_types):
            if type == ACKNOWLEDGED and subscription.channel is Channel.KAFKA:
                continue
            by_type.setdefault(type, _Interests()).add(Interest(subscription, owner, accepts), own=type == ACKNOWLEDGED)
    return Index(by_type, tuple(unusable))


def audience(event: EventBody) -> Audience:
    """Return who may see *event*."""
    if isinstance(event, DecisionMade):
        return Audience(event.parties, event.consignment.country_of_destination, event.asked)
    if isinstance(event, ConsignmentAccepted):
        return Audience(event.parties, event.consignment.country_of_destination if event.consignment else None)
    if isinstance(event, FilingRejected):
        return Audience((event.rejection.participant,))
    return Audience((event.participant,))


def match(index: Index, type: str, event: EventBody) -> list[Told]:
    """Return the notices that *event* causes, one per subscription that wants it and whose owner may see it."""
    interests = index.by_type.get(type)
    if interests is None:
        return []
    to = audience(event)
    country = _destination(event)
    told = []
    for interest in _seen_by(interests, to):
        wanted = interest.subscription.destination_country
        if wanted is not None and wanted != country:
            continue
        notice = render(event, type, interest.subscription.id, interest.participant)
        if interest.accepts is None or interest.accepts(notice):
            told.append(Told(interest, notice))
    return told


def _seen_by(interests: _Interests, to: Audience) -> Iterator[Interest]:
    for sender in dict.fromkeys(to.senders):
        yield from interests.senders.get(sender, ())
    if to.country is not None:
        yield from interests.customs.get(to.country, ())
    for agency in dict.fromkeys(to.agencies):
        yield from interests.agencies.get(agency, ())


def _destination(event: EventBody) -> str | None:
    consignment = getattr(event, "consignment", None)
    return consignment.country_of_destination if consignment is not None else None
