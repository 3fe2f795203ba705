"""Which services are asked, and what: one outstanding request per consignment and service; changed data ask again and replace the
earlier question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.router.building import build
from services.router.dossier import Asked, Dossier, Said
from services.router.policy.model import Policy
from shared.contracts import Outcome, ServiceRequest, derived_id
from shared.model import Consignment, Order


class Questions(NamedTuple):
    """The requests to send, and what the dossier remembers of all questions and answers that still count."""

    requests: tuple[ServiceRequest, ...]
    asked: dict[str, Asked]
    answers: dict[str, Said]


def ask(dossier: Dossier, before: str | None, consignment: Consignment, cause: UUID, policy: Policy, now: datetime) -> Questions:
    """Return the questions for *dossier*, whose assessment is new. *before* is what the services were shown last (``Assessment.seen``).

    A release given for what was shown before no longer counts, a stop stays until it is answered anew; what a service said before the
    consignment was
    filed at all counts.
    """
    assert dossier.assessment is not None
    changed = before is not None and before != dossier.assessment.seen
    asked = {} if changed else {name: held for name, held in dossier.asked.items() if name in dossier.assessment.required}
    answers = _stops(dossier.answers) if changed else dossier.answers
    new = [name for name in dossier.assessment.required if name not in asked and not (name in answers and answers[name].current)]
    requests = tuple(_request(name, dossier, consignment, cause, policy, now) for name in new)
    for request in requests:
        asked[request.service] = build(
            Asked, request_id=request.request_id, asked_at=request.asked_at, due_at=request.answer_due_at, silent=False
        )
    return Questions(requests, asked, answers)


def _stops(answers: Mapping[str, Said]) -> dict[str, Said]:
    """Return the answers that stop, as said of earlier data."""
    return {name: said.model_copy(update={"current": False}) for name, said in answers.items() if said.outcome is not Outcome.RELEASE}


def _request(name: str, dossier: Dossier, consignment: Consignment, cause: UUID, policy: Policy, now: datetime) -> ServiceRequest:
    orders: tuple[Order, ...] = tuple(filing.order for filing in dossier.order_contents if filing.order is not None)
    assert dossier.assessment is not None
    return build(
        ServiceRequest,
        request_id=derived_id(cause, "request", name),
        key=dossier.key,
        service=name,
        sequence=dossier.sequence,
        asked_at=now,
        answer_due_at=now + timedelta(seconds=policy.services[name].answer_within_seconds),
        consignment=consignment,
        orders=orders,
        category=dossier.assessment.category,
    )
