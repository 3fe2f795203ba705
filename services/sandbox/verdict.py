"""What a pretend authority says of a consignment: the same consignment always meets the same verdict, however often it is asked about."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.sandbox.behaviour import Behaviour, Reaction, chance
from shared.contracts import Answer, Outcome, PublicReason, ServiceRequest, derived_id

_REASONS: Final[dict[Outcome, tuple[PublicReason, ...]]] = {
    Outcome.HOLD: ("security", "prohibited_goods", "restricted_goods"),
    Outcome.PHYSICAL_CHECK: ("examination",),
    Outcome.DOCUMENT_CHECK: ("documents_needed", "value_query", "description_unclear"),
}
UNKNOWN_KEY: Final = "post:ZZ999999999ZZ"
BAD_SHAPE: Final = b'{"verdict":"probably","for":[1,2,3]}'


def outcome_of(seed: int, service: str, key: str, behaviour: Behaviour) -> Outcome:
    """Return the verdict of *service* on the consignment *key*."""
    drawn = chance(seed, "verdict", service, key)
    for share, outcome in (
        (behaviour.hold_rate, Outcome.HOLD),
        (behaviour.physical_rate, Outcome.PHYSICAL_CHECK),
        (behaviour.document_rate, Outcome.DOCUMENT_CHECK),
    ):
        if drawn < share:
            return outcome
        drawn -= share
    return Outcome.RELEASE


def answer(seed: int, request: ServiceRequest, behaviour: Behaviour) -> Answer:
    """Return the one answer to *request*: asked again, the same bytes."""
    outcome = outcome_of(seed, request.service, request.key, behaviour)
    reasons = _REASONS.get(outcome)
    return Answer(
        answer_id=str(derived_id("sandbox", request.service, request.request_id)),
        key=request.key,
        service=request.service,
        request_id=request.request_id,
        outcome=outcome,
        issued_at=request.asked_at + timedelta(milliseconds=1),
        reason=reasons[int(chance(seed, "reason", request.key) * len(reasons))] if reasons else None,
        raw_code=outcome.value.upper(),
    )


def answers(seed: int, request: ServiceRequest, behaviour: Behaviour, reaction: Reaction) -> tuple[tuple[str, bytes], ...]:
    """Return what goes back as (key, JSON) pairs: none, one, two, or one that is wrong."""
    if reaction.silent:
        return ()
    if reaction.bad_shape:
        return ((request.key, BAD_SHAPE),)
    right = answer(seed, request, behaviour)
    if reaction.unknown_key:
        stray = right.model_copy(update={"key": UNKNOWN_KEY, "answer_id": f"{right.answer_id}-stray"})
        return ((UNKNOWN_KEY, stray.to_json()),)
    said = (right.key, right.to_json())
    return (said, said) if reaction.double else (said,)
