"""The dossier: all the hub knows of one consignment, or of one order, as small facts.

What was filed is not copied into it: bodies stay with the transitions that brought them and are loaded when a step needs them
(``content`` and
``order_contents``, never written). Everything a decision rests on is here, so an answer or a command is applied without any body.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from services.router import beside, tracks
from services.router.beside import Fact, Referral
from services.router.building import bare
from services.router.lifecycle import State
from services.router.tracks import Statement
from shared.contracts import FilingRef, Missing, Outcome, Phase, PublicReason, Reason, Stop, Summary
from shared.model import Filing, Model


class Held(Model):
    """A filing as held: which, what it says in one digest, and what decides whether another is newer."""

    ref: FilingRef
    cause_id: UUID
    content_digest: str
    prepared_at: AwareDatetime | None = None
    version: int | None = None


class HeldOrder(Model):
    """An order attached to the consignment. ``ref`` is its key, ``cause_id`` the transition of this dossier that brought it."""

    ref: str
    filing_id: UUID
    cause_id: UUID
    participant: str


class Assessment(Model):
    """What policy says of the data held: computed when data change, read by every later step.

    ``category`` follows the clearance policy, section 1.1; ``category_rule`` is the number of the line there that gave it, ``value`` the
    amount compared in the currency of the profile row, ``profile`` that row. ``rules`` are the reasons of the rules that fired,
    ``required`` the services that must answer, ``seen`` a digest of what those services are shown.
    """

    category: int
    category_rule: int
    value: str | None = None
    profile: str | None = None
    flags: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    rules: tuple[Reason, ...] = ()
    required: tuple[str, ...] = ()
    seen: str


class Asked(Model):
    """An outstanding or past question to one service; ``silent`` once its deadline passed without an answer."""

    request_id: UUID
    asked_at: AwareDatetime
    due_at: AwareDatetime
    silent: bool = False


class Said(Model):
    """The answer of one service that counts now. Not ``current``: given for data that have changed since; such a stop stays until its
    authority, asked
    again, says otherwise, such a release is forgotten."""

    answer_id: str
    request_id: UUID | None = None
    outcome: Outcome
    issued_at: AwareDatetime
    reason: PublicReason | None = None
    note: str | None = None
    raw_code: str | None = None
    final: bool = False
    current: bool = True
    phase: Phase | None = None
    phase_sequence: int | None = None


class Hold(Model):
    """One entry of the hold stack. The same authority and code again changes the reason, not the number of entries."""

    authority: Literal["officer", "policy", "authority"]
    code: str
    by: str
    because: str
    since: AwareDatetime


class Decided(Model):
    """The last decision that went out; ``signature`` names everything that would make the next one different, ``stop`` is what it or one
    before it told that stands in the receivers' lists."""

    event_id: UUID
    outcome: Outcome
    sequence: int
    decided_at: AwareDatetime
    signature: str
    stop: Stop | None = None


class Dossier(Model):
    """All facts of one key. ``sequence`` counts the inputs applied; ``lifted`` are codes of policy rules an officer has set aside for
    this content; ``statements`` are what authorities said of their own accord, ``facts`` what was filed beside the declaration."""

    key: str
    sequence: int
    state: State
    parties: tuple[str, ...] = ()
    filing: Held | None = None
    withdrawn: bool = False
    summary: Summary | None = None
    assessment: Assessment | None = None
    orders: tuple[HeldOrder, ...] = ()
    asked: dict[str, Asked] = Field(default_factory=dict)
    answers: dict[str, Said] = Field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    lifted: tuple[str, ...] = ()
    decision: Decided | None = None
    statements: tuple[Statement, ...] | None = None
    facts: tuple[Fact, ...] | None = None
    content: Filing | None = Field(default=None, exclude=True)
    order_contents: tuple[Filing, ...] = Field(default=(), exclude=True)

    @staticmethod
    def empty(key: str, *, sequence: int = 0) -> Dossier:
        """Return the dossier of a key of which nothing is known yet."""
        return _blank().with_({"key": key, "sequence": sequence})

    def with_(self, changes: Mapping[str, Any]) -> Self:
        """Return a copy with *changes*, without validating what was validated before."""
        return bare(self.__class__, {**self.__dict__, **changes})

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the last decision, or None while there is none."""
        return self.decision.outcome if self.decision is not None else None

    def waiting_for(self) -> tuple[str, ...]:
        """Return the required services that have neither answered nor let their deadline pass."""
        if self.assessment is None or self.withdrawn or not self.assessment.required:
            return ()
        return tuple(name for name in self.assessment.required if not self._has_answer(name))

    def _has_answer(self, service: str) -> bool:
        said, asked = self.answers.get(service), self.asked.get(service)
        if (said is not None and said.current) or (asked is not None and asked.silent):
            return True
        return any(one.authority == service and one.track == "clearance" for one in self.still_open())

    def due_at(self) -> datetime | None:
        """Return when the next unanswered question falls due."""
        if not self.asked:
            return None
        return min((self.asked[name].due_at for name in self.waiting_for() if name in self.asked), default=None)

    def still_open(self) -> tuple[Statement, ...]:
        """Return what authorities said that stops the consignment or asks for something, and that they have not ended."""
        return tracks.still_open(self.statements, self.summary) if self.statements else ()

    def referrals(self) -> tuple[Referral, ...]:
        """Return the authorities' open questions, with how far they are answered."""
        version = self.filing.version if self.filing is not None else None
        return beside.referrals(self.still_open(), self.facts or (), self.parties, version)

    @property
    def deliverable(self) -> bool:
        """Whether the goods may be handed over: every piece is released, and no hold is left. What is open before loading is no hold, and
        the end of an assessment before loading is no release."""
        statements = self.statements or ()
        if self.state is State.RELEASED:
            return not tracks.is_released_in_part(statements, self.summary)
        if self.withdrawn or self.waiting_for() or not tracks.released_by(statements, self.summary):
            return False
        return not self._own_holds() and all(one.track != "clearance" for one in self.still_open())

    @property
    def loadable(self) -> bool:
        """Whether the goods may be loaded: the data were accepted, and no authority has left anything open about them or before loading."""
        return self.filing is not None and not self.withdrawn and all(one.track == "clearance" for one in self.still_open())

    def hold_stack(self) -> tuple[Hold, ...]:
        """Return every hold in force, each with since when: the policy's that no officer lifted, then the officers', then the
        authorities'."""
        said = tuple(
            Hold(authority="authority", code=one.code, by=one.authority, because=one.why, since=one.issued_at) for one in self.still_open()
        )
        return (*self._own_holds(), *said)

    def _own_holds(self) -> tuple[Hold, ...]:
        if self.filing is None or self.assessment is None:
            return self.holds
        since = self.filing.ref.received_at
        policy = (
            Hold(authority="policy", code=reason.code, by="policy", because=reason.why, since=since)
            for reason in self.assessment.rules
            if reason.outcome in LIFTABLE and reason.code not in self.lifted
        )
        return (*policy, *self.holds)


LIFTABLE = frozenset({Outcome.DOCUMENT_CHECK, Outcome.PHYSICAL_CHECK, Outcome.HOLD})
"""What of the policy's own an officer may set aside. Missing data (a referral) only data can mend."""


@cache
def _blank() -> Dossier:
    """The dossier of no key, of which all new ones are copies."""
    return Dossier(key="", sequence=0, state=State.ANNOUNCED)
