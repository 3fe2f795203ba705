"""Which request may be sent when, and how far the offset may move."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.router.connectors.window import Window
from shared.contracts import ServiceRequest, derived_id
from tests.builders import a_house_consignment, at

PLACE = ("requests.risk.v1", 0)


def a_request(number: int, **changes: Any) -> ServiceRequest:
    given = {
        "request_id": derived_id("request", number),
        "key": f"post:{number}",
        "service": "risk",
        "sequence": 1,
        "asked_at": at(0),
        "answer_due_at": at(30),
        "consignment": a_house_consignment(),
        "category": 3,
    }
    return ServiceRequest(**{**given, **changes})


def filled(count: int) -> Window:
    window = Window()
    for number in range(count):
        window.add(PLACE, number, a_request(number), at(0))
    return window


def test_the_offset_stays_before_the_oldest_unanswered_request() -> None:
    window = filled(3)
    first, second, third = window.take(at(0), 50)
    window.leave(second)
    assert window.committable() == {PLACE: 0}
    window.leave(first)
    assert window.committable() == {PLACE: 2}
    window.leave(third)
    assert window.committable() == {PLACE: 3}


def test_what_is_in_somebodys_hands_is_not_taken_twice() -> None:
    window = filled(3)
    assert len(window.take(at(0), 2)) == 2
    assert len(window.take(at(0), 2)) == 1
    assert window.take(at(0), 2) == []


def test_unanswered_requests_come_again_after_a_pause_that_grows() -> None:
    window = filled(1)
    pauses = []
    now = at(0)
    for _ in range(3):
        (one,) = window.take(now, 1)
        window.again([one], now, 0.5)
        following = window.next_at()
        assert following is not None
        pauses.append(following - now)
        now = following
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_a_request_past_due_leaves() -> None:
    window = filled(1)
    assert window.take(at(30), 1) == []
    assert len(window) == 0
    assert window.committable() == {PLACE: 1}


def test_a_newer_request_for_the_consignment_replaces_the_older() -> None:
    window = filled(1)
    window.add(PLACE, 1, a_request(9, key="post:0", sequence=2), at(0))
    assert [one.offset for one in window.take(at(0), 50)] == [1]
    assert window.committable() == {PLACE: 1}


def test_an_older_request_read_again_does_not_replace_the_newer() -> None:
    window = Window()
    window.add(PLACE, 1, a_request(9, key="post:0", sequence=2), at(0))
    window.add(PLACE, 2, a_request(0, sequence=1), at(0))
    assert [one.request.sequence for one in window.take(at(0), 50)] == [2]


def test_a_refused_batch_is_sent_one_by_one() -> None:
    window = filled(2)
    some = window.take(at(0), 50)
    for one in some:
        one.alone = True
    window.again(some, at(0), 0.0, after=timedelta(0))
    assert [len(window.take(at(0), 50)), len(window.take(at(0), 50))] == [1, 1]


def test_partitions_that_moved_are_forgotten() -> None:
    window = filled(2)
    window.forget([PLACE])
    assert len(window) == 0
    assert window.committable() == {}
