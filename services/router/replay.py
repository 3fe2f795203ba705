"""History folded again: the stored inputs of a dossier, with the times and policies of then, must give the same facts and events. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.router import transition
from services.router.dossier import Dossier
from services.router.fold import Step, fold
from services.router.policy.model import Policy
from services.router.transition import Transition
from shared.contracts import Topics


class Replay(NamedTuple):
    """What came of folding again. ``differs_at`` is the first sequence whose events differ, ``broken_at`` the first whose hash does not
    hold."""

    key: str
    inputs: int
    dossier: Dossier | None
    differs_at: int | None
    broken_at: int | None
    same_facts: bool

    @property
    def same(self) -> bool:
        """Whether history gives what is stored, and nobody touched it."""
        return self.same_facts and self.differs_at is None and self.broken_at is None

    @property
    def difference(self) -> str | None:
        """The first way in which history folds to something else than is stored, in words; None when it is the same."""
        if self.broken_at is not None:
            return f"the chain of hashes breaks at sequence {self.broken_at}"
        if self.differs_at is not None:
            return f"other events at sequence {self.differs_at}"
        return None if self.same_facts else "another dossier"


def replay(key: str, stored: Dossier | None, rows: Sequence[Transition], policy_of: Callable[[str], Policy]) -> Replay:
    """Fold *rows* (one dossier's, in order) from nothing and compare with what they and *stored* say. *policy_of* finds a policy by its
    digest."""
    dossier: Dossier | None = None
    differs_at: int | None = None
    for row in rows:
        step = fold(dossier, transition.input_of(row), policy_of(row.policy_digest), row.at)
        dossier = step.dossier
        if differs_at is None and _events(step, row) != _own(row.events):
            differs_at = row.sequence
    facts = dossier.to_json() if dossier is not None else None
    same_facts = facts == (stored.to_json() if stored is not None else None)
    return Replay(key, len(rows), dossier, differs_at, transition.broken_at(rows), same_facts)


def _events(step: Step, row: Transition) -> str:
    _, text = transition.published(step.events, row.key, row.at, Topics())
    return text


def _own(events: str) -> str:
    """Return the events of a row without its pointers to other rows."""
    return "\n".join(line for line in events.split("\n") if not line.startswith("also ")) if events else ""
