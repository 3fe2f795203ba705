"""The fold, whatever comes in whatever order."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from services.router import transition
from services.router.decide import decide
from services.router.dossier import Dossier
from services.router.fold import Input, fold
from services.router.lifecycle import MOVES
from services.router.policy.loading import load_pack
from services.router.replay import replay
from services.router.transition import NO_HASH, Transition
from shared.contracts import Answer, Command, DecisionCode, DecisionMade, Outcome, Scope, Topics, Track, derived_id
from shared.model import Filing
from tests.builders import KEY, a_command, a_filing, a_goods_item, a_house_consignment, an_answer, an_order, at, naming

EU = load_pack("eu")

consignments = st.builds(
    lambda hs_code, description, mass: a_house_consignment(
        orders=naming(), gross_mass_kg=mass, goods_items=(a_goods_item(hs_code=hs_code, goods_description=description),)
    ),
    st.sampled_from([None, "6109", "610910", "930200"]),
    st.sampled_from(["gifts", "Men's knitted cotton T-shirt", None]),
    st.sampled_from(["0.500", "0.700", None]),
)
filings = st.builds(
    lambda consignment, function, version, number: a_filing(consignment, function=function, version=version, message_id=f"M{number}"),
    consignments,
    st.sampled_from(["original", "replace", "cancel"]),
    st.none() | st.integers(1, 4),
    st.integers(1, 10**6),
)
orders = st.builds(
    lambda function, number: a_filing(order=an_order(), function=function, message_id=f"O{number}"),
    st.sampled_from(["original", "cancel"]),
    st.integers(1, 10**6),
)
outcomes = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.WITHDRAWN])
answers = st.builds(
    lambda service, outcome, number, second: an_answer(service, outcome, answer_id=str(number), issued_at=at(second)),
    st.sampled_from(["risk", "single-window", "unknown"]),
    outcomes,
    st.integers(1, 10**6),
    st.integers(0, 100),
)
statements = st.builds(
    lambda decision, track, lifted, service, number, second, referral, phase, scope, raw_code: an_answer(
        service,
        Outcome.HOLD,
        answer_id=str(number),
        issued_at=at(second),
        decision=decision,
        track=track,
        lifted=lifted,
        referral_id=referral,
        phase=phase,
        scope=scope,
        raw_code=raw_code,
    ),
    st.sampled_from(get_args(DecisionCode)),
    st.sampled_from(get_args(Track)),
    st.sampled_from([None, None, True]),
    st.sampled_from(["risk", "nl-customs"]),
    st.integers(1, 10**6),
    st.integers(0, 9),
    st.sampled_from([None, "R1", "R2"]),
    st.sampled_from([None, None, "ADV", "FIN"]),
    st.sampled_from([None, Scope(level="house"), Scope(level="pieces", pieces=1), Scope(level="pieces", pieces=2), Scope(level="master")]),
    st.sampled_from([None, "1H", "1I", "2H", "7"]),
)
commands = st.builds(
    lambda action, code, number: a_command(action, hold_code=code, command_id=derived_id("command", number)),
    st.sampled_from(["hold", "release"]),
    st.sampled_from([None, "ARMS-93", "CODE-A"]),
    st.integers(1, 10**6),
)
anything = st.lists(filings | orders | answers | statements | commands, max_size=10)


def inputs_of(bodies: list[Any]) -> list[Input]:
    return [_input(place, body) for place, body in enumerate(bodies)]


def _input(place: int, body: Filing | Answer | Command) -> Input:
    if isinstance(body, Filing):
        return Input(derived_id(place, body.filing_id), KEY, "filing", body)
    if isinstance(body, Answer):
        return Input(derived_id(place, body.answer_id), KEY, "answer", body)
    return Input(derived_id(place, body.command_id), KEY, "command", body)


@given(anything)
@settings(max_examples=60, deadline=None)
def test_the_same_history_gives_the_same_facts_and_events_again(bodies: list[Any]) -> None:
    rows: list[Transition] = []
    dossier: Dossier | None = None
    for place, entry in enumerate(inputs_of(bodies)):
        now = at(place)
        step = fold(dossier, entry, EU, now)
        dossier = step.dossier
        _, events = transition.published(step.events, KEY, now, Topics())
        previous = rows[-1].hash if rows else NO_HASH
        rows.append(transition.make(entry, entry.body.to_json(), dossier.sequence, now, events, EU.digest, previous))
    result = replay(KEY, dossier, rows, lambda digest: EU)
    assert result.same


@given(anything)
@settings(max_examples=60, deadline=None)
def test_the_state_moves_only_as_the_table_says_and_sequences_only_rise(bodies: list[Any]) -> None:
    dossier: Dossier | None = None
    decided = 0
    for entry in inputs_of(bodies):
        step = fold(dossier, entry, EU, at(0))
        if dossier is not None:
            assert step.dossier.state == dossier.state or step.dossier.state in MOVES[dossier.state]
            assert step.dossier.sequence == dossier.sequence + 1
        for event in step.events:
            if isinstance(event.body, DecisionMade):
                assert event.body.sequence > decided
                decided = event.body.sequence
        dossier = step.dossier


@given(anything)
@settings(max_examples=60, deadline=None)
def test_nothing_is_free_while_a_service_has_not_released_or_a_hold_is_left(bodies: list[Any]) -> None:
    dossier: Dossier | None = None
    for entry in inputs_of(bodies):
        dossier = fold(dossier, entry, EU, at(0)).dossier
        if decide(dossier, EU).outcome is Outcome.RELEASE:
            assert not dossier.hold_stack()
            assert dossier.assessment is not None
            assert all(
                dossier.answers[name].current and dossier.answers[name].outcome is Outcome.RELEASE for name in dossier.assessment.required
            )


@given(anything)
@settings(max_examples=60, deadline=None)
def test_facts_survive_being_written_and_read(bodies: list[Any]) -> None:
    dossier: Dossier | None = None
    for entry in inputs_of(bodies):
        dossier = fold(dossier, entry, EU, at(0)).dossier
        assert Dossier.from_json(dossier.to_json()).to_json() == dossier.to_json()


@given(st.lists(statements, max_size=7, unique_by=lambda answer: answer.answer_id), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_in_which_authorities_speak_changes_nothing_in_the_end(said: list[Answer], random: Random) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)
    assert _end(said) == _end(shuffled)


def _end(said: list[Answer]) -> tuple[Any, ...]:
    dossier = fold(None, _input(0, a_filing(a_house_consignment(package_count=3))), EU, at(0)).dossier
    for answer in said:
        dossier = fold(dossier, Input(derived_id("said", answer.answer_id), KEY, "answer", answer), EU, at(0)).dossier
    return decide(dossier, EU), dossier.statements, dossier.state, dossier.deliverable, dossier.loadable


@given(consignments, outcomes, outcomes)
@settings(max_examples=20, deadline=None)
def test_any_order_of_consignment_order_and_answers_ends_in_the_same_outcome(consignment: Any, risk: Outcome, window: Outcome) -> None:
    bodies = [a_filing(consignment), a_filing(order=an_order()), an_answer("risk", risk), an_answer("single-window", window)]
    ends = {_outcome(order) for order in permutations(bodies)}
    assert len(ends) == 1


def _outcome(bodies: Any) -> Outcome | None:
    """Fold *bodies*; services that are asked again because an order changed the data say the same again."""
    dossier: Dossier | None = None
    said = {body.service: body for body in bodies if isinstance(body, Answer)}
    pending = inputs_of(list(bodies))
    while pending:
        step = fold(dossier, pending.pop(0), EU, at(0))
        dossier = step.dossier
        for event in step.events:
            if event.service is not None:
                again = said[event.service].model_copy(update={"request_id": event.id, "answer_id": str(event.id)})
                pending.append(Input(derived_id(event.id), KEY, "answer", again))
    assert dossier is not None
    return dossier.outcome
