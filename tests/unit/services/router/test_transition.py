"""The row of history: events as text and back, and a chain that shows every touch."""

from __future__ import annotations

import pytest

from services.router import transition
from services.router.fold import Input, fold
from services.router.policy.loading import load_pack
from services.router.transition import NO_HASH, Transition
from shared.contracts import Topics
from shared.model import Filing
from tests.builders import KEY, a_filing, a_house_consignment, at

EU = load_pack("eu")
TOPICS = Topics()


def history() -> list[Transition]:
    rows: list[Transition] = []
    dossier = None
    for place, filing in enumerate((a_filing(), a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2"))):
        entry = Input(filing.filing_id, KEY, "filing", filing)
        step = fold(dossier, entry, EU, at(place))
        dossier = step.dossier
        _, events = transition.published(step.events, KEY, at(place), TOPICS)
        previous = rows[-1].hash if rows else NO_HASH
        rows.append(transition.make(entry, filing.to_json(), dossier.sequence, at(place), events, EU.digest, previous))
    return rows


def test_stored_events_are_the_records_published_first() -> None:
    filing = a_filing()
    step = fold(None, Input(filing.filing_id, KEY, "filing", filing), EU, at(0))
    outgoing, text = transition.published(step.events, KEY, at(0), TOPICS)
    assert [transition.again(told, KEY, TOPICS) for told in transition.stored_events(text)] == outgoing  # type: ignore[arg-type]


def test_a_pointer_is_read_as_the_cause_it_names() -> None:
    filing = a_filing()
    assert list(transition.stored_events(transition.also([filing.filing_id]))) == [filing.filing_id]


def test_an_input_comes_back_as_it_was_folded() -> None:
    row = history()[0]
    entry = transition.input_of(row)
    assert isinstance(entry.body, Filing)
    assert entry.body == a_filing()


def test_history_as_written_holds() -> None:
    assert transition.broken_at(history()) is None


@pytest.mark.parametrize(
    "change", [{"input": "{}"}, {"events": ""}, {"kind": "answer"}, {"at": at(99)}, {"policy_digest": "other"}, {"hash": b"x"}]
)
def test_any_change_breaks_the_chain_there(change: dict[str, object]) -> None:
    rows = history()
    rows[1] = rows[1]._replace(**change)  # type: ignore[arg-type]
    assert transition.broken_at(rows) == 2


def test_a_missing_row_breaks_the_chain() -> None:
    assert transition.broken_at(history()[1:]) == 1
