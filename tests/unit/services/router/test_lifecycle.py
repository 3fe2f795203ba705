"""The diagram is drawn from the table."""

from __future__ import annotations

from services.router.lifecycle import MOVES, TABLE, State, diagram


def test_every_state_is_in_the_table_and_may_be_left() -> None:
    assert {row.state for row in TABLE} == set(State) == set(MOVES)
    assert all(MOVES.values())


def test_the_diagram_shows_every_state() -> None:
    drawn = diagram()
    assert drawn.startswith("stateDiagram-v2")
    assert all(f"{state}: {state} (" in drawn for state in State)
