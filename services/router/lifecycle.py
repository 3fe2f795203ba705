"""Where a consignment stands, derived from the facts by a table; the diagram in the documentation is drawn from the same table.

The clearance policy, section 7, knows more states (loaded, arrived, presented…): they need messages that the hub does not read yet.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from shared.contracts import Outcome

if TYPE_CHECKING:
    from services.router.dossier import Dossier


class State(StrEnum):
    """Where a consignment stands."""

    ANNOUNCED = "announced"
    INCOMPLETE = "incomplete"
    UNDER_ASSESSMENT = "under_assessment"
    REFERRED = "referred"
    HELD = "held"
    CONTROL = "control"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class Row(NamedTuple):
    """A state and when it holds; the first row that fits counts."""

    state: State
    means: str
    holds: Callable[[Dossier, Outcome | None], bool]


TABLE: Final[tuple[Row, ...]] = (
    Row(State.WITHDRAWN, "its sender took it back", lambda dossier, outcome: dossier.withdrawn),
    Row(State.ANNOUNCED, "an order, an answer or a command came first", lambda dossier, outcome: dossier.assessment is None),
    Row(State.HELD, "a hold is in force", lambda dossier, outcome: outcome is Outcome.HOLD),
    Row(
        State.INCOMPLETE,
        "elements are missing, their holders are asked",
        lambda dossier, outcome: outcome is Outcome.REFERRAL and bool(dossier.assessment and dossier.assessment.missing),
    ),
    Row(State.REFERRED, "a question is open", lambda dossier, outcome: outcome is Outcome.REFERRAL),
    Row(State.UNDER_ASSESSMENT, "services have yet to answer", lambda dossier, outcome: outcome is None),
    Row(
        State.CONTROL,
        "a control of documents or goods is due",
        lambda dossier, outcome: outcome in (Outcome.DOCUMENT_CHECK, Outcome.PHYSICAL_CHECK),
    ),
    Row(State.RELEASED, "every service has released and no hold is left", lambda dossier, outcome: True),
)

_JUDGED: Final = (State.INCOMPLETE, State.UNDER_ASSESSMENT, State.REFERRED, State.HELD, State.CONTROL, State.RELEASED)

MOVES: Final[dict[State, frozenset[State]]] = {
    State.ANNOUNCED: frozenset((State.WITHDRAWN, *_JUDGED)),
    **{state: frozenset({State.WITHDRAWN, *_JUDGED} - {state}) for state in _JUDGED},
    State.WITHDRAWN: frozenset(_JUDGED),
}
"""Which state may follow which. Data, answers and officers come in any order, so a judged consignment may reach every judged state; none is
announced again once it was filed."""


def state_of(dossier: Dossier, outcome: Outcome | None) -> State:
    """Return the state of *dossier* whose facts give *outcome* (None: undecided)."""
    for row in TABLE:
        if row.holds(dossier, outcome):
            break
    return row.state


def diagram() -> str:
    """Return the lifecycle as a mermaid state diagram; the judged states are drawn as one, since each may follow each."""
    means = {row.state: row.means for row in TABLE}
    lines = ["stateDiagram-v2", f"    [*] --> {State.ANNOUNCED}", "    [*] --> judged", f"    {State.ANNOUNCED} --> judged: filed"]
    lines += [f"    {State.ANNOUNCED}: {State.ANNOUNCED} ({means[State.ANNOUNCED]})", "    state judged {"]
    lines += [f"        {state}: {state} ({means[state]})" for state in _JUDGED]
    lines += ["    }", f"    judged --> {State.WITHDRAWN}: cancelled", f"    {State.WITHDRAWN} --> judged: filed anew"]
    lines += [f"    {State.WITHDRAWN}: {State.WITHDRAWN} ({means[State.WITHDRAWN]})"]
    return "\n".join(lines) + "\n"
