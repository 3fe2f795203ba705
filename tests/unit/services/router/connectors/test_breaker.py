"""After so many failures in a row nobody calls for a while, then one call tries."""

from __future__ import annotations

from datetime import timedelta

from services.router.connectors.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breaker
from tests.builders import at


def broken() -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker = breaker.failed(at(0))
    return breaker


def test_single_failures_stop_nobody() -> None:
    assert Breaker(failures=FAILURES - 2).failed(at(0)).may_call(at(0))
    assert Breaker(failures=FAILURES - 1).succeeded() == Breaker()


def test_an_open_breaker_lets_one_call_try_after_its_pause() -> None:
    breaker = broken()
    assert not breaker.may_call(at(0))
    later = at(0) + FIRST_PAUSE
    assert breaker.may_call(later)
    assert not breaker.calling(later).may_call(later)
    assert breaker.calling(later).succeeded().closed


def test_a_failed_try_doubles_the_pause_up_to_a_limit() -> None:
    breaker, now, pauses = broken(), at(0), []
    for _ in range(8):
        assert breaker.opens_again_at is not None
        pauses.append(breaker.opens_again_at - now)
        now = breaker.opens_again_at
        breaker = breaker.calling(now).failed(now)
    assert pauses[1] == 2 * pauses[0]
    assert max(pauses) == LONGEST_PAUSE


def test_failures_of_calls_already_out_do_not_lengthen_the_pause() -> None:
    breaker = broken()
    assert breaker.failed(at(0) + timedelta(milliseconds=10)).opens_again_at == breaker.opens_again_at
