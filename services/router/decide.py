"""From facts to outcome: rules, answers, silence, what authorities stated, holds. Free only when every required service has released and
no hold is left.

The outcome is the one that stops most among all reasons. While a required service has yet to answer there is no decision, unless a
reason already stops the
consignment at a referral or a hold: that is told at once, and a later answer may only change it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from services.router import tracks
from services.router.beside import answer_due_at, before_loading
from services.router.building import build
from services.router.dossier import LIFTABLE, Dossier
from services.router.policy.model import Policy
from services.router.tracks import HOUSE
from shared.contracts import Charge, OpenReferral, Outcome, PublicReason, Reason, Stop

RANK: Final = {outcome: place for place, outcome in enumerate(Outcome)}
_STOPS_AT_ONCE: Final = RANK[Outcome.REFERRAL]

_PUBLIC: Final[dict[Outcome, PublicReason]] = {
    Outcome.DOCUMENT_CHECK: "documents_needed",
    Outcome.PHYSICAL_CHECK: "examination",
    Outcome.REFERRAL: "data_missing",
    Outcome.HOLD: "other",
}
"""What the others may be told when a service gives no public reason of its own."""

_WITHDRAWN: Final = Reason(
    code="WITHDRAWN", outcome=Outcome.WITHDRAWN, public="withdrawn_by_sender", why="The sender cancelled the declaration."
)


class Verdict(NamedTuple):
    """``outcome`` is None while nobody can say yet; ``answer_due_at`` is by when an authority wants an answer, ``referrals`` what it wants
    before loading, ``charges`` what it wants paid."""

    outcome: Outcome | None
    reasons: tuple[Reason, ...]
    answer_due_at: datetime | None = None
    referrals: tuple[OpenReferral, ...] | None = None
    charges: tuple[Charge, ...] | None = None


UNDECIDED: Final = Verdict(None, ())


def decide(dossier: Dossier, policy: Policy) -> Verdict:
    """Return the outcome that the facts of *dossier* give, with every reason for it."""
    if dossier.withdrawn:
        return Verdict(Outcome.WITHDRAWN, (_WITHDRAWN,))
    if dossier.assessment is None:
        return UNDECIDED
    reasons = tuple(_reasons(dossier, policy))
    outcome = max((reason.outcome for reason in reasons), key=RANK.__getitem__, default=Outcome.RELEASE)
    if RANK[outcome] < _STOPS_AT_ONCE and dossier.waiting_for():
        return UNDECIDED
    if not dossier.statements:
        return Verdict(outcome, reasons)
    open_ = dossier.referrals()
    charges = tracks.charges(dossier.statements, dossier.summary)
    return Verdict(outcome, reasons, answer_due_at(open_), before_loading(open_) or None, charges or None)


def stop_told(verdict: Verdict, before: Stop | None) -> Stop | None:
    """Return what stands in the receivers' lists once *verdict* is told, where *before* stood: a release takes everything off. The sender's
    own withdrawal, or a silence, lifts nothing."""
    if verdict.outcome is None or verdict.outcome is Outcome.RELEASE:
        return None
    public = tuple(sorted({reason.public for reason in verdict.reasons}))
    if verdict.outcome is Outcome.WITHDRAWN or public == ("no_answer",):
        return before
    forbidden = any(referral.type == "DNL" for referral in verdict.referrals or ())
    return build(Stop, outcome=verdict.outcome, public=public, do_not_load=forbidden or None)


def signature(dossier: Dossier, verdict: Verdict) -> str:
    """Return what names a decision: another filing, another outcome, other reasons, other charges, another time to
    answer or a party more give another."""
    parts = [
        str(dossier.filing.ref.filing_id) if dossier.filing is not None else "",
        str(verdict.outcome),
        *dossier.parties,
        *(f"{reason.code}@{reason.path or ''}={reason.value or ''}" for reason in verdict.reasons),
    ]
    if verdict.answer_due_at is not None:
        parts.append(f"due {verdict.answer_due_at.astimezone(UTC).isoformat()}")
    parts += (charge.to_json().decode() for charge in verdict.charges or ())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _reasons(dossier: Dossier, policy: Policy) -> Iterator[Reason]:
    assert dossier.assessment is not None
    for reason in dossier.assessment.rules:
        if reason.code not in dossier.lifted or reason.outcome not in LIFTABLE:
            yield reason
    if dossier.answers:
        yield from _answers(dossier, policy)
    if dossier.asked:
        yield from _silences(dossier, policy)
    if dossier.statements:
        yield from _statements(dossier)
    for hold in dossier.holds:
        yield Reason(code=hold.code, outcome=Outcome.HOLD, public="officer", why=hold.because)


def _answers(dossier: Dossier, policy: Policy) -> Iterator[Reason]:
    for name in sorted(dossier.answers):
        said = dossier.answers[name]
        if said.outcome is not Outcome.RELEASE:
            yield Reason(
                code=f"ANSWER-{name.upper()}",
                outcome=said.outcome,
                public=said.reason or _PUBLIC[said.outcome],
                why=said.note or f"{name} answered {said.outcome.value}.",
                value=said.raw_code,
            )


def _statements(dossier: Dossier) -> Iterator[Reason]:
    """What authorities left open; one that asks for elements gives a reason for each, so that their holders can be told."""
    for one in dossier.still_open():
        outcome = one.outcome if one.outcome in _PUBLIC else Outcome.HOLD
        for path in one.requested or (None,):
            yield Reason(
                code=one.code,
                outcome=outcome,
                public=one.reason or _PUBLIC[outcome],
                why=one.why,
                path=path,
                value=one.referral_id or (one.unit if one.unit != HOUSE else None),
            )


def _silences(dossier: Dossier, policy: Policy) -> Iterator[Reason]:
    assert dossier.assessment is not None
    for name in dossier.assessment.required:
        asked = dossier.asked.get(name)
        if asked is not None and asked.silent and not (name in dossier.answers and dossier.answers[name].current):
            service = policy.services.get(name)
            yield Reason(
                code=f"NO-ANSWER-{name.upper()}",
                outcome=service.when_silent if service is not None else Outcome.DOCUMENT_CHECK,
                public="no_answer",
                why=f"{name} did not answer in time.",
            )
