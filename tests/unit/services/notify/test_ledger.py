"""Numbers without gaps, and a chain that shows any change."""

from __future__ import annotations

from services.notify.ledger import Head, Known, first_broken, number
from services.notify.match import Told, index_of, match
from shared.contracts import DecisionMade
from tests.unit.services.notify.builders import CUSTOMS, POST, a_decision, a_directory, a_subscription

DIRECTORY = a_directory(a_subscription(POST), a_subscription(CUSTOMS))
IDS = [each.id for each in DIRECTORY.subscriptions]
HEADS = {id: Head() for id in IDS}


def told_of(*decisions: DecisionMade) -> list[Told]:
    index = index_of(DIRECTORY, lambda text: lambda notice: True)
    return [told for each in decisions for told in match(index, "guichet.decision.made", each)]


def test_each_feed_counts_for_itself_from_where_it_ends() -> None:
    filed, ends = number(told_of(a_decision(), a_decision()), {IDS[0]: Head(7, b"h"), IDS[1]: Head()}, {})
    assert [entry.sequence for entry in filed] == [8, 1, 9, 2]
    assert [ends[id].sequence for id in IDS] == [9, 2]
    assert all(entry.notice.feed_sequence == entry.sequence for entry in filed)
    assert all(f'"feed_sequence":{entry.sequence}'.encode() in entry.body for entry in filed)


def test_what_was_filed_before_keeps_its_number_and_its_bytes() -> None:
    told = told_of(a_decision())
    first, ends = number(told, HEADS, {})
    known = {(e.notice.subscription, e.notice.notice_id): Known(e.sequence, e.body) for e in first}
    again, ends_again = number(told, ends, known)
    assert [(e.sequence, e.body, e.notice) for e in again] == [(e.sequence, e.body, e.notice) for e in first]
    assert not any(entry.fresh for entry in again)
    assert ends_again == ends


def test_an_event_twice_in_one_batch_is_numbered_once() -> None:
    decision = a_decision()
    filed, ends = number(told_of(decision, decision), HEADS, {})
    assert [entry.sequence for entry in filed] == [1, 1, 1, 1]
    assert [entry.fresh for entry in filed] == [True, True, False, False]
    assert {end.sequence for end in ends.values()} == {1}


def test_the_chain_holds_until_a_row_is_changed_or_taken_out() -> None:
    filed, _ = number(told_of(*(a_decision() for _ in range(5))), HEADS, {})
    rows = [(e.sequence, e.body, e.hash) for e in filed if e.notice.subscription == IDS[0]]
    assert first_broken(rows) is None
    assert first_broken(rows[2:], Head(2, rows[1][2])) is None
    changed = [(n, body.replace(b"release", b"hold"), hash) if n == 3 else (n, body, hash) for n, body, hash in rows]
    assert first_broken(changed) == 3
    assert first_broken(rows[:2] + rows[3:]) == 4
