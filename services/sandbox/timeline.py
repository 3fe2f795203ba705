"""The story of each parcel as an outsider saw it: what was sent, asked, answered, decided and told, with the time of each."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.contracts import Answer, Command, ConsignmentAccepted, DecisionMade, EventBody, FilingRejected, ServiceRequest


class Line(NamedTuple):
    """One thing that happened to one parcel."""

    at: datetime
    what: str
    detail: str


class Timeline:
    """Collects lines per key; orders count under the consignment that names them."""

    def __init__(self) -> None:
        self._lines: dict[str, list[Line]] = defaultdict(list)
        self._asked: set[UUID] = set()

    def _add(self, key: str, at: datetime, what: str, detail: str) -> None:
        self._lines[key].append(Line(at, what, detail))

    def sent(self, key: str, at: datetime, sender: str, via: str, kind: str) -> None:
        """A sender let go of a message about *key*."""
        self._add(key, at, "sent", f"{sender} over {via}: {kind}")

    def happened(self, event: EventBody, at: datetime) -> None:
        """An event came out on ``decisions.v1``."""
        match event:
            case ConsignmentAccepted():
                about = "order" if event.consignment is None or event.filing.kind == "order" else "data"
                self._add(event.key, at, "accepted", f"{about} of {event.filing.participant}, {event.effect}, sequence {event.sequence}")
            case DecisionMade():
                codes = ", ".join(reason.code for reason in event.reasons) or "no reason against"
                self._add(
                    event.key, at, "decided", f"{event.outcome.value}: {codes}; sequence {event.sequence}, policy {event.policy.version}"
                )
            case FilingRejected() if event.rejection.key:
                codes = ", ".join(finding.code for finding in event.rejection.findings)
                self._add(event.rejection.key, at, "rejected", f"{event.rejection.participant}: {codes}")
            case _:
                pass

    def asked(self, request: ServiceRequest, at: datetime) -> None:
        """The hub put a question to a service; the same question again is no news."""
        if request.request_id in self._asked:
            return
        self._asked.add(request.request_id)
        self._add(request.key, at, "asked", f"{request.service}, category {request.category}")

    def said(self, said: Answer | Command, at: datetime) -> None:
        """A service answered, or an officer or the clock gave a command."""
        if isinstance(said, Answer):
            self._add(said.key, at, "answered", f"{said.service}: {said.outcome.value}")
        else:
            self._add(said.key, at, "commanded", f"{said.action} by {said.by}: {said.because}")

    def told(self, key: str, at: datetime, where: str) -> None:
        """A notice reached its receiver."""
        self._add(key, at, "told", where)

    def of(self, key: str) -> list[Line]:
        """Return the story of *key* in the order of time."""
        return sorted(self._lines.get(key, ()), key=lambda line: line.at)

    def richest(self) -> str:
        """Return the key with the most to tell: most kinds of things, then most lines; of equals the first in the alphabet."""
        keys = [key for key in self._lines if not key.startswith("order:")]
        return min(keys, key=lambda key: (-len({line.detail for line in self._lines[key]}), key), default="")
