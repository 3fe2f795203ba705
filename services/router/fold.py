"""The router's core: one input applied to one dossier gives the new dossier and the events it causes.

Pure: the same arguments always give the same step, so history can be replayed and policies compared. ``now`` is the input record's own
time; every id is
derived from the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from services.router import beside, tracks
from services.router.assess import assess, summary_of
from services.router.building import build
from services.router.decide import decide, signature, stop_told
from services.router.dossier import LIFTABLE, Decided, Dossier, HeldOrder, Hold, Said
from services.router.lifecycle import State, state_of
from services.router.policy.model import Policy
from services.router.route import ask
from services.router.tracks import Statement
from services.router.versions import MSG_CONFLICT, Reception, held, receive, ref_of
from shared.contracts import (
    REQUEST_TYPE,
    TYPE_OF,
    Answer,
    Command,
    ConsignmentAccepted,
    DecisionMade,
    FilingRef,
    FilingRejected,
    ServiceRequest,
    Summary,
    derived_id,
    rank_of,
)
from shared.model import Filing, Finding, Model, OrderRef, Rejection
from shared.model import Kind as FilingKind

Kind = Literal["filing", "answer", "command"]
OFFICER_HOLD = "OFFICER-HOLD"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that happened to one key. ``cause_id`` names it for ever; ``conflict`` says that the sender used its id before for other
    content."""

    cause_id: UUID
    key: str
    kind: Kind
    body: Filing | Answer | Command
    conflict: bool = False


class Event(NamedTuple):
    """What a step says to others: on ``decisions.v1``, or, where ``service`` is set, on that service's requests."""

    type: str
    id: UUID
    body: Model
    service: str | None = None


class Step(NamedTuple):
    """The dossier after an input, and the events in the order they are to be told."""

    dossier: Dossier
    events: tuple[Event, ...]


def fold(dossier: Dossier | None, entry: Input, policy: Policy, now: datetime) -> Step:
    """Apply *entry* to *dossier* (None: nothing known of the key yet) and return the new dossier with the events it causes.

    A filing or linked order for a dossier that holds data needs ``content`` and ``order_contents`` to be loaded; answers and commands
    need neither.
    """
    known = dossier.with_({"sequence": dossier.sequence + 1}) if dossier is not None else Dossier.empty(entry.key, sequence=1)
    body = entry.body
    if isinstance(body, Filing):
        kind = beside.kind_of(body)
        if kind is not None:
            return _beside(known, entry, body, kind, now)
        if entry.key.startswith("order:"):
            return _order_filed(known, entry, body, now)
        if body.order is not None:
            return _order_linked(known, entry, body, policy, now)
        return _filed(known, entry, body, policy, now)
    if isinstance(body, Answer):
        answered = _answered(known, entry, body, policy) if body.decision is None else _stated(known, entry, body, policy, now)
        return _conclude(answered, entry, policy, now, ())
    return _conclude(_commanded(known, entry, body, now), entry, policy, now, ())


# --- filings ------------------------------------------------------------------------------------------------------------------------------


def _filed(known: Dossier, entry: Input, filing: Filing, policy: Policy, now: datetime) -> Step:
    reception = receive(known, filing, conflict=entry.conflict)
    if reception.effect == "refused":
        return _refused(known, entry, filing, reception, now)
    if reception.effect in ("repeated", "stale"):
        same = known.with_(_newest(known, filing))
        return Step(same, (_accepted(same, entry, filing, reception, now, same.summary),))
    parties = _joined(known.parties, filing.participant)
    ref = ref_of(filing)
    if reception.effect == "withdrawn":
        summary = known.summary or (summary_of(filing.consignment) if filing.consignment is not None else _summary_from(entry.key))
        gone = known.with_(
            {"filing": held(filing, ref), "withdrawn": True, "parties": parties, "summary": summary, "asked": {}, "content": None}
        )
        return _conclude(gone, entry, policy, now, (_accepted(gone, entry, filing, reception, now, summary),))
    taken = known.with_({"filing": held(filing, ref), "withdrawn": False, "parties": parties, "lifted": (), "content": filing})
    return _assessed(taken, entry, filing, reception, policy, now)


def _assessed(taken: Dossier, entry: Input, told: Filing, reception: Reception | None, policy: Policy, now: datetime) -> Step:
    """Judge the data now held, ask who must be asked, and conclude. *told* is the filing that is answered; without *reception* it is a
    linked order."""
    assert taken.content is not None
    result = assess(taken.content, taken.order_contents, policy, now.date())
    before = taken.assessment.seen if taken.assessment is not None else None
    judged = taken.with_({"assessment": result.assessment, "summary": result.summary})
    if judged.statements and taken.assessment is None:
        for service in result.assessment.required:
            judged = judged.with_({"answers": _released(judged, service)})
    questions = ask(judged, before, result.consignment, entry.cause_id, policy, now)
    judged = judged.with_({"asked": questions.asked, "answers": questions.answers})
    accepted = _accepted(judged, entry, told, reception, now, result.summary, result.findings)
    requests = (_request(request) for request in questions.requests)
    return _conclude(judged, entry, policy, now, (accepted, *requests))


def _refused(known: Dossier, entry: Input, filing: Filing, reception: Reception, now: datetime) -> Step:
    rejection = Rejection(
        rejection_id=derived_id(entry.cause_id, "rejection"),
        participant=filing.participant,
        format=filing.format,
        message_id=filing.message_id,
        position=filing.position,
        key=entry.key,
        received_at=filing.received_at,
        submission_id=filing.submission_id,
        findings=reception.findings,
    )
    event_id = _event_id(entry, FilingRejected)
    body = FilingRejected(event_id=event_id, key=entry.key, rejected_at=now, rejection=rejection, parties=(filing.participant,))
    return Step(known, (Event(TYPE_OF[FilingRejected], event_id, body),))


def _newest(known: Dossier, filing: Filing) -> dict[str, Any]:
    """Remember the highest version and preparation time of what says the same, so that something in between is seen to be stale."""
    assert known.filing is not None
    version = max((number for number in (known.filing.version, filing.version) if number is not None), default=None)
    prepared = max((at for at in (known.filing.prepared_at, filing.prepared_at) if at is not None), default=None)
    return {"filing": known.filing.model_copy(update={"version": version, "prepared_at": prepared})}


def _beside(known: Dossier, entry: Input, filing: Filing, kind: FilingKind, now: datetime) -> Step:
    """Keep what is told beside the declaration. Its sender hears that it came, once, and is no party: he hears of nothing else."""
    if entry.conflict:
        return _refused(known, entry, filing, Reception("refused", (MSG_CONFLICT,)), now)
    facts, effect = beside.take(known.facts or (), filing, kind, entry.cause_id)
    known = known.with_({"facts": facts or None})
    if entry.key != filing.key:
        return Step(known, ())
    event_id = _event_id(entry, ConsignmentAccepted)
    body = build(
        ConsignmentAccepted,
        event_id=event_id,
        key=entry.key,
        sequence=known.sequence,
        accepted_at=now,
        filing=FilingRef.of(filing),
        effect=effect,
        findings=filing.findings,
        parties=(filing.participant,),
    )
    return Step(known, (Event(TYPE_OF[ConsignmentAccepted], event_id, body),))


# --- orders -------------------------------------------------------------------------------------------------------------------------------


def _order_filed(known: Dossier, entry: Input, filing: Filing, now: datetime) -> Step:
    """Keep an order under its own key; consignments that name it get it by :func:`_order_linked`."""
    reception = receive(known, filing, conflict=entry.conflict)
    if reception.effect == "refused":
        return _refused(known, entry, filing, reception, now)
    if reception.effect in ("repeated", "stale"):
        known = known.with_(_newest(known, filing))
    else:
        withdrawn = reception.effect == "withdrawn"
        parties = _joined(known.parties, filing.participant)
        known = known.with_({"filing": held(filing), "withdrawn": withdrawn, "parties": parties, "content": filing})
        known = known.with_({"state": State.WITHDRAWN if withdrawn else State.ANNOUNCED})
    return Step(known, (_accepted(known, entry, filing, reception, now, None),))


def _order_linked(known: Dossier, entry: Input, filing: Filing, policy: Policy, now: datetime) -> Step:
    """Attach an order to the consignment that names it, or take a cancelled one off; say so once the consignment is filed."""
    assert filing.order is not None
    attached = [order for order in known.orders if order.ref != filing.key]
    contents = [order for order in known.order_contents if order.key != filing.key]
    parties = known.parties
    if filing.function != "cancel":
        attached.append(HeldOrder(ref=filing.key, filing_id=filing.filing_id, cause_id=entry.cause_id, participant=filing.participant))
        contents.append(filing)
        parties = _joined(parties, filing.participant)
    attached.sort(key=lambda order: order.ref)
    contents.sort(key=lambda order: order.key)
    linked = known.with_({"orders": tuple(attached), "order_contents": tuple(contents), "parties": parties})
    if linked.content is None or linked.withdrawn:
        return _conclude(linked, entry, policy, now, ())
    return _assessed(linked, entry, filing, None, policy, now)


# --- answers and commands -----------------------------------------------------------------------------------------------------------------


def _answered(known: Dossier, entry: Input, answer: Answer, policy: Policy) -> Dossier:
    """Let *answer* count, unless it is to an earlier question, older than the one held, by a body the policy does not know, or a
    conflict."""
    if entry.conflict or answer.service not in policy.services:
        return known
    asked = known.asked.get(answer.service)
    if asked is not None and answer.request_id is not None and answer.request_id != asked.request_id:
        return known
    before = known.answers.get(answer.service)
    if before is not None and not _supersedes(answer, before, answer.request_id):
        return known
    return known.with_({"answers": {**known.answers, answer.service: _said(answer, answer.request_id)}})


def _stated(known: Dossier, entry: Input, answer: Answer, policy: Policy, now: datetime) -> Dossier:
    """Keep what an authority stated, unless what is held is newer. A release of the whole by a body the policy asks is its answer too."""
    asked = known.asked.get(answer.service)
    if entry.conflict or (asked is not None and answer.request_id is not None and answer.request_id != asked.request_id):
        return known
    statement = tracks.statement_of(answer, entry.cause_id, now)
    statements = tracks.take(known.statements or (), statement)
    if statements is None:
        return known
    stated = known.with_({"statements": statements})
    if answer.service not in policy.services or not (statement.releases or statement.decision == "CANCELLED"):
        return stated
    return stated.with_({"answers": _released(stated, answer.service, answer.request_id)})


def _released(known: Dossier, service: str, request_id: UUID | None = None) -> dict[str, Said]:
    """Return the answers of *known*, with the release of *service* where it stated one of the whole, at once or in parts. What it said
    before it was asked about the present data does not count."""
    asked = known.asked.get(service)
    said = [one for one in known.statements or () if asked is None or one.taken_at >= asked.asked_at]
    if service not in tracks.released_by(said, known.summary):
        return known.answers
    release = tracks.last_release(said, service)
    before = known.answers.get(service)
    if before is not None and not _supersedes(release, before, request_id):
        return known.answers
    return {**known.answers, service: _said(release, request_id)}


def _supersedes(answer: Answer | Statement, before: Said, request_id: UUID | None) -> bool:
    """Phase and sequence decide where both have them: a late advance decision does not undo a final one. Else later issued wins; of two
    issued at one instant the same one wins whichever came first. What was said of earlier data yields to an answer to the present
    question."""
    if not before.current and request_id is not None:
        return True
    if answer.phase is not None and before.phase is not None:
        rank, held = rank_of(answer.phase, answer.phase_sequence), rank_of(before.phase, before.phase_sequence)
        if rank != held:
            return rank > held
    return (answer.issued_at, answer.outcome, answer.answer_id) > (before.issued_at, before.outcome, before.answer_id)


def _said(answer: Answer | Statement, request_id: UUID | None) -> Said:
    return build(
        Said,
        answer_id=answer.answer_id,
        request_id=request_id,
        outcome=answer.outcome,
        issued_at=answer.issued_at,
        reason=answer.reason,
        note=answer.note,
        raw_code=answer.raw_code,
        final=bool(answer.final),
        current=True,
        phase=answer.phase,
        phase_sequence=answer.phase_sequence,
    )


def _commanded(known: Dossier, entry: Input, command: Command, now: datetime) -> Dossier:
    """``hold`` puts an officer's hold on the stack. ``release`` takes the named code off, or without a code every officer's hold and
    every hold and
    control of the policy's own rules; it mends no missing data and replaces no service's answer. ``deadline`` makes an unanswered
    question silent."""
    if entry.conflict:
        return known
    if command.action == "hold":
        return known.with_({"holds": _held(known, command, now)})
    if command.action == "release":
        return known.with_(_taken_off(known, command))
    asked = known.asked.get(command.service or "")
    if asked is None or asked.silent or asked.request_id != command.request_id:
        return known
    return known.with_({"asked": {**known.asked, command.service: asked.model_copy(update={"silent": True})}})


def _held(known: Dossier, command: Command, now: datetime) -> tuple[Hold, ...]:
    code = command.hold_code or OFFICER_HOLD
    since = next((hold.since for hold in known.holds if hold.code == code), now)
    hold = Hold(authority="officer", code=code, by=command.by, because=command.because, since=since)
    return (*(other for other in known.holds if other.code != code), hold)


def _taken_off(known: Dossier, command: Command) -> dict[str, Any]:
    def meant(code: str) -> bool:
        return command.hold_code is None or command.hold_code == code

    rules = known.assessment.rules if known.assessment is not None else ()
    lifted = (reason.code for reason in rules if reason.outcome in LIFTABLE and meant(reason.code))
    return {"holds": tuple(hold for hold in known.holds if not meant(hold.code)), "lifted": tuple(dict.fromkeys((*known.lifted, *lifted)))}


# --- what is told -------------------------------------------------------------------------------------------------------------------------


def _conclude(dossier: Dossier, entry: Input, policy: Policy, now: datetime, events: tuple[Event, ...]) -> Step:
    """Decide, derive the state, and add a decision when it differs from the last one told."""
    if dossier.filing is None or dossier.summary is None:
        return Step(dossier, events)
    verdict = decide(dossier, policy)
    changes: dict[str, Any] = {"state": state_of(dossier, verdict.outcome)}
    if verdict.outcome is not None:
        name = signature(dossier, verdict)
        if dossier.decision is None or dossier.decision.signature != name:
            event_id = _event_id(entry, DecisionMade)
            before = dossier.decision.stop if dossier.decision is not None else None
            stop = stop_told(verdict, before)
            body = build(
                DecisionMade,
                event_id=event_id,
                key=dossier.key,
                sequence=dossier.sequence,
                outcome=verdict.outcome,
                decided_at=now,
                received_at=dossier.filing.ref.received_at,
                reasons=verdict.reasons,
                category=dossier.assessment.category if dossier.assessment is not None else 0,
                policy=policy.ref,
                consignment=dossier.summary,
                filing=dossier.filing.ref,
                parties=dossier.parties,
                asked=tuple(dossier.asked),
                supersedes=dossier.decision.event_id if dossier.decision is not None else None,
                missing=(dossier.assessment.missing or None) if dossier.assessment is not None else None,
                answer_due_at=verdict.answer_due_at,
                instead_of=before if before != stop else None,
                referrals=verdict.referrals,
                charges=verdict.charges,
            )
            changes["decision"] = build(
                Decided, event_id=event_id, outcome=verdict.outcome, sequence=dossier.sequence, decided_at=now, signature=name, stop=stop
            )
            events = (*events, Event(TYPE_OF[DecisionMade], event_id, body))
    return Step(dossier.with_(changes), events)


def _accepted(
    dossier: Dossier,
    entry: Input,
    filing: Filing,
    reception: Reception | None,
    now: datetime,
    summary: Summary | None,
    more: tuple[Finding, ...] = (),
) -> Event:
    event_id = _event_id(entry, ConsignmentAccepted)
    findings = (*(filing.findings or ()), *(reception.findings if reception is not None else ()), *more)
    body = build(
        ConsignmentAccepted,
        event_id=event_id,
        key=dossier.key,
        sequence=dossier.sequence,
        accepted_at=now,
        filing=_ref_of(filing, dossier),
        effect=_told(reception),
        missing=(dossier.assessment.missing or None) if dossier.assessment is not None else None,
        findings=findings or None,
        consignment=summary,
        order=build(OrderRef, platform_id=filing.order.platform_id, order_id=filing.order.order_id) if filing.order is not None else None,
        parties=dossier.parties,
    )
    return Event(TYPE_OF[ConsignmentAccepted], event_id, body)


def _ref_of(filing: Filing, dossier: Dossier) -> FilingRef:
    """Return the reference of *filing*: the one made for the dossier where it is the filing held."""
    held = dossier.filing
    return held.ref if held is not None and held.cause_id == filing.filing_id else ref_of(filing)


def _told(reception: Reception | None) -> Literal["created", "changed", "repeated", "stale", "withdrawn", "linked"]:
    """Return how an effect is told; what is refused is never told as accepted."""
    if reception is None:
        return "linked"
    assert reception.effect != "refused"
    return reception.effect


def _request(request: ServiceRequest) -> Event:
    return Event(REQUEST_TYPE, request.request_id, request, request.service)


def _event_id(entry: Input, body: type[Model]) -> UUID:
    return derived_id(entry.cause_id, TYPE_OF[body], 0)


def _joined(parties: tuple[str, ...], participant: str) -> tuple[str, ...]:
    return parties if participant in parties else (*parties, participant)


def _summary_from(key: str) -> Summary:
    """Return what a key alone tells of a consignment that was cancelled before it was ever filed."""
    channel, _, rest = key.partition(":")
    channels: Mapping[str, Any] = {"post": "post", "express": "express", "freight": "freight"}
    return build(Summary, house_transport_document_id=rest.rpartition(":")[2], channel=channels[channel])
