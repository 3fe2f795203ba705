"""The books of a run: what was sent, what came back, and whether the two agree. Pure; a shell tells it what it saw
(``services.sandbox.tail``).

* **lost**: an answer that was due and never came: an item neither accepted nor rejected, a consignment without decision, a notice not
delivered.
* **duplicated**: one fact told under two ids. The same id again is a repetition, which an at-least-once hub may do; it is counted apart.
* **out of order**: an event of a consignment whose first appearance comes after that of a later one, in one place (a topic, a feed).
* **unexpected**: an answer that contradicts what was sent, such as a good item rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.contracts import (
    Answer,
    Command,
    ConsignmentAccepted,
    DecisionMade,
    EventBody,
    FilingRejected,
    MessageAcknowledged,
    Outcome,
    ServiceRequest,
    SubmissionRead,
)
from shared.directory import Participant, Role, Subscription

_ASKS_FOR_A_DECISION: Final = frozenset({"created", "changed", "withdrawn"})
_TYPES: Final = {
    ConsignmentAccepted: "guichet.consignment.accepted",
    DecisionMade: "guichet.decision.made",
    FilingRejected: "guichet.filing.rejected",
    SubmissionRead: "guichet.submission.read",
    MessageAcknowledged: "guichet.message.acknowledged",
}

Sees = Callable[[Subscription, EventBody], bool]


@dataclass(slots=True)
class Sent:
    """One message as its sender remembers it. ``accepted`` are keys, ``rejected`` a number; ``names`` the message ids and receipts that
    mean it."""

    participant: str
    names: set[str]
    accepted: tuple[str, ...]
    rejected: int
    kind: str = "original"
    items: int = 1
    sent_at: datetime | None = None
    answered: set[str] = field(default_factory=set)
    refusals: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Delivered:
    """One notice as its receiver got it. ``id`` stays the same when it comes again, ``place`` is where order is judged."""

    place: str
    subscription: UUID
    type: str
    key: str
    sequence: int
    id: str
    notice_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the books say. Each list names its cases; empty lists are what one wants."""

    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    out_of_order: tuple[str, ...]
    unexpected: tuple[str, ...]
    repeated: int

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.out_of_order or self.unexpected)


@dataclass(slots=True)
class _Story:
    """One key's facts: the highest sequence that called for a decision, the highest decided, the outcome last heard, the parties told, and
    those who joined since."""

    changed: int = -1
    decided: int = -1
    outcome: str = ""
    is_order: bool = False
    told: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)


class Checker:
    """Keeps the books. Call ``sent`` for each message, ``saw_event`` for each record of ``decisions.v1``, ``saw_notice`` for each
    delivery."""

    def __init__(self) -> None:
        self.messages: list[Sent] = []
        self.stories: dict[str, _Story] = {}
        self.due: dict[tuple[UUID, UUID], str] = {}
        self.delivered: dict[tuple[UUID, UUID], datetime] = {}
        self.first_decided: dict[str, tuple[DecisionMade, datetime]] = {}
        self.repeated = 0
        self.open_questions: dict[tuple[str, str], UUID] = {}
        self._asked: set[UUID] = set()
        self._closed_questions: set[tuple[str, UUID]] = set()
        self._by_name: dict[tuple[str, str], Sent] = {}
        self._ids: dict[Hashable, Hashable] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._duplicated: list[str] = []
        self._out_of_order: list[str] = []
        self._unexpected: list[str] = []
        self._strays: list[ConsignmentAccepted | FilingRejected] = []

    # --- what went in ------------------------------------------------------------------------------------------------

    def sent(self, message: Sent) -> Sent:
        """Open an account for *message*. The same names again are a repetition and share the first account."""
        known = next(
            (self._by_name[participant_name] for participant_name in self._names(message) if participant_name in self._by_name), None
        )
        if known is not None and known.accepted == message.accepted and known.rejected == message.rejected:
            self.also_named(known, *message.names)
            return known
        if known is not None:
            known.rejected += message.rejected
            self.also_named(known, *message.names)
            return known
        self.messages.append(message)
        self.also_named(message, *message.names)
        return message

    def also_named(self, message: Sent, *names: str) -> None:
        """Answers may also speak of *message* under these names: the receipt's id, for one."""
        message.names.update(names)
        for name in names:
            self._by_name[message.participant, name] = message

    def _names(self, message: Sent) -> Iterable[tuple[str, str]]:
        return ((message.participant, name) for name in message.names)

    def _message(self, participant: str, message_id: str | None, submission_id: UUID | None) -> Sent | None:
        found = self._by_name.get((participant, str(submission_id))) if submission_id else None
        return found or (self._by_name.get((participant, message_id)) if message_id else None)

    # --- what came out -----------------------------------------------------------------------------------------------

    def saw_event(self, event: EventBody, at: datetime) -> bool:
        """Book one event of ``decisions.v1``, in the order of its partition. Returns False when it was a repetition."""
        if not self._is_first(_fact(event), event.event_id):
            return False
        match event:
            case ConsignmentAccepted():
                self._accepted(event)
            case DecisionMade():
                self._decided(event, at)
            case FilingRejected():
                self._attribute(event)
            case SubmissionRead() | MessageAcknowledged():
                pass
        return True

    def saw_request(self, request: ServiceRequest) -> None:
        """Book a question to a service; a later one for the same consignment replaces it, an earlier one told again does not."""
        if request.request_id in self._asked:
            return
        self._asked.add(request.request_id)
        self.open_questions.pop((request.key, request.service), None)
        if (request.key, request.request_id) not in self._closed_questions:
            self.open_questions[request.key, request.service] = request.request_id

    def saw_answer(self, answer: Answer | Command) -> None:
        """Book what closes a question: a service's answer, or the clock's command that it came too late."""
        if answer.service is None:
            return
        if answer.request_id is not None:
            self._closed_questions.add((answer.key, answer.request_id))
        if self.open_questions.get((answer.key, answer.service)) in (answer.request_id, None):
            self.open_questions.pop((answer.key, answer.service), None)

    def saw_due(self, event: EventBody, subscriptions: Iterable[Subscription], sees: Sees) -> None:
        """Book the notices that *event* makes due."""
        for subscription in subscriptions:
            if _TYPES[type(event)] in subscription.event_types and sees(subscription, event):
                self.due[subscription.id, event.event_id] = event.key

    def saw_notice(self, notice: Delivered) -> bool:
        """Book one delivery, in the order in which its place got it. Returns False when it was a repetition."""
        if not self._is_first(("notice", notice.subscription, notice.notice_id), notice.id):
            return False
        self.delivered[notice.subscription, notice.notice_id] = notice.at
        self._in_order(f"{notice.place} {notice.subscription}", notice.key, notice.sequence)
        return True

    def _is_first(self, fact: Hashable, id: Hashable) -> bool:
        """True at the first sight of *fact*. The same id again is a repetition, another id a duplicate."""
        first = self._ids.setdefault(fact, _NEW)
        if first is _NEW:
            self._ids[fact] = id
            return True
        if first == id:
            self.repeated += 1
        else:
            self._duplicated.append(f"{fact}: {first} and {id}")
        return False

    def _in_order(self, place: str, key: str, sequence: int) -> None:
        before = self._last.get((place, key), -1)
        if sequence < before:
            self._out_of_order.append(f"{place}: {key} has {sequence} after {before}")
        else:
            self._last[place, key] = sequence

    def _story(self, key: str) -> _Story:
        return self.stories.setdefault(key, _Story())

    def _accepted(self, event: ConsignmentAccepted) -> None:
        self._in_order("decisions", event.key, event.sequence)
        story = self._story(event.key)
        story.is_order = event.consignment is None
        if event.effect in _ASKS_FOR_A_DECISION:
            story.changed = max(story.changed, event.sequence)
        elif event.effect == "linked" and event.filing.participant not in story.told:
            story.joined.add(event.filing.participant)
        self._attribute(event)

    def _attribute(self, event: ConsignmentAccepted | FilingRejected) -> None:
        """Book *event* with the message it answers; where no such message is known yet it waits, for a receipt may come after the
        answer."""
        of = event.filing if isinstance(event, ConsignmentAccepted) else event.rejection
        message = self._message(of.participant, of.message_id, of.submission_id)
        if message is None:
            self._strays.append(event)
        elif isinstance(event, ConsignmentAccepted):
            self._accepted_of(message, event)
        else:
            self._refused(message, event)

    def _accepted_of(self, message: Sent, event: ConsignmentAccepted) -> None:
        named = event.key if event.order is None else f"order:{event.order.platform_id}:{event.order.order_id}"
        message.answered.add(named)
        if named not in message.accepted:
            self._unexpected.append(
                f"accepted, should be rejected: {message.participant} {event.filing.message_id} {named} ({message.kind})"
            )

    def _decided(self, event: DecisionMade, at: datetime) -> None:
        self._in_order("decisions", event.key, event.sequence)
        story = self._story(event.key)
        story.decided, story.outcome = max(story.decided, event.sequence), event.outcome.value
        story.told.update(event.parties)
        story.joined.difference_update(event.parties)
        if event.outcome is Outcome.WITHDRAWN:
            self.open_questions = {place: question for place, question in self.open_questions.items() if place[0] != event.key}
        self.first_decided.setdefault(event.key, (event, at))

    def _refused(self, message: Sent, event: FilingRejected) -> None:
        refusal = event.rejection
        message.refusals.add(event.event_id)
        if len(message.refusals) > message.rejected:
            where = f"{message.participant} {refusal.message_id} {refusal.position} {refusal.key}"
            self._unexpected.append(f"rejected, should be accepted: {where}: {_codes(event)} ({message.kind})")

    # --- the balance -------------------------------------------------------------------------------------------------

    def outstanding(self) -> list[str]:
        """Return what is due and has not come, item by item."""
        strays, self._strays = self._strays, []
        for event in strays:
            self._attribute(event)
        return [*self._unanswered(), *self._unasked(), *self._undecided(), *self._undelivered()]

    def _unasked(self) -> Iterable[str]:
        return (f"no answer from {service}: {key} ({question})" for (key, service), question in self.open_questions.items())

    def _unanswered(self) -> Iterable[str]:
        for message in self.messages:
            for key in message.accepted:
                if key not in message.answered:
                    yield f"no answer: {message.participant} {min(message.names)} {key} ({message.kind})"
            if len(message.refusals) < message.rejected:
                missing = message.rejected - len(message.refusals)
                yield f"no rejection: {message.participant} {min(message.names)}: {missing} of {message.rejected} ({message.kind})"

    def _undecided(self) -> Iterable[str]:
        for key, story in self.stories.items():
            if not story.is_order and story.decided < story.changed:
                yield f"no decision: {key} after {story.changed}"
            for participant in story.joined:
                yield f"no decision: {key} for {participant}, who joined"

    def _undelivered(self) -> Iterable[str]:
        for (subscription, notice), key in self.due.items():
            if (subscription, notice) not in self.delivered:
                yield f"no notice: {key} event {notice} to {subscription}"

    def accounts(self) -> Accounts:
        """Return the books as they stand."""
        lost = tuple(self.outstanding())
        undue = [f"not due: event {notice} to {subscription}" for subscription, notice in self.delivered.keys() - self.due.keys()]
        return Accounts(
            lost=lost,
            duplicated=tuple(self._duplicated),
            out_of_order=tuple(self._out_of_order),
            unexpected=(*self._unexpected, *map(_stray, self._strays), *undue),
            repeated=self.repeated,
        )

    def outcomes(self) -> dict[str, int]:
        """Return how many consignments stand under each outcome."""
        counted: dict[str, int] = {}
        for story in self.stories.values():
            if story.outcome:
                counted[story.outcome] = counted.get(story.outcome, 0) + 1
        return dict(sorted(counted.items()))

    def decided_by(self, share: float) -> datetime | None:
        """Return the instant at which *share* of the consignments had their first decision; None when nothing is decided."""
        instants = sorted(at for _, at in self.first_decided.values())
        return instants[min(len(instants) - 1, int(share * len(instants)))] if instants else None

    def door_to_decision(self) -> list[timedelta]:
        """Return, for each consignment, the time from the door to its first decision on the log."""
        return [at - event.received_at for event, at in self.first_decided.values()]


_NEW: Final = object()


def _fact(event: EventBody) -> Hashable:
    """Return what *event* says, without the id under which it says so."""
    match event:
        case ConsignmentAccepted():
            return ("accepted", event.key, event.filing.filing_id, event.sequence, event.effect)
        case DecisionMade():
            return ("decided", event.key, event.sequence)
        case FilingRejected():
            refusal = event.rejection
            codes = tuple(finding.code for finding in refusal.findings)
            return ("rejected", refusal.participant, refusal.message_id, refusal.position, refusal.submission_id, codes)
        case SubmissionRead():
            return ("read", event.submission_id)
        case MessageAcknowledged():
            return ("acknowledged", event.event_id)


def _codes(event: FilingRejected) -> str:
    return ", ".join(finding.code for finding in event.rejection.findings)


def _stray(event: ConsignmentAccepted | FilingRejected) -> str:
    if isinstance(event, ConsignmentAccepted):
        return f"accepted, never sent: {event.filing.participant} {event.filing.message_id} {event.key}"
    refusal = event.rejection
    return f"rejected, never sent: {refusal.participant} {refusal.message_id} {refusal.position}: {_codes(event)}"


def sees(participants: Mapping[str, Participant]) -> Sees:
    """Return who may see what: the parties of an event, and customs what is destined to its country."""

    def may(subscription: Subscription, event: EventBody) -> bool:
        participant = participants[subscription.participant]
        consignment = event.consignment if isinstance(event, ConsignmentAccepted | DecisionMade) else None
        destination = consignment.country_of_destination if consignment else None
        if subscription.destination_country and destination != subscription.destination_country:
            return False
        if participant.role is Role.CUSTOMS:
            return destination == participant.country
        return participant.id in _concerned(event)

    return may


def _concerned(event: EventBody) -> tuple[str, ...]:
    """Return the senders whose event it is; a rejection and a receipt belong to their own sender alone."""
    match event:
        case FilingRejected():
            return (event.rejection.participant,)
        case SubmissionRead() | MessageAcknowledged():
            return (event.participant,)
        case _:
            return event.parties


def percentiles_ms(durations: Iterable[timedelta]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds (nearest rank); empty without durations."""
    ordered = sorted(duration.total_seconds() * 1000 for duration in durations)
    if not ordered:
        return {}
    return {f"p{p}": round(ordered[min(len(ordered) - 1, -(-p * len(ordered) // 100) - 1)], 1) for p in (50, 95, 99)}
