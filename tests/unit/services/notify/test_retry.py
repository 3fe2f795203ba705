"""When a delivery is tried again, and when no more."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from services.notify.breaker import FAILURES_TO_OPEN, Breaker
from services.notify.retry import Attempt, Claim, Outcome, settle
from services.notify.schedule import next_attempt
from tests.unit.services.notify.builders import NOW

HOUR = 3600


def a_claim(attempts: int = 0) -> Claim:
    return Claim(uuid4(), 1, uuid4(), "post:RR1", attempts, "{}")


@pytest.mark.parametrize(
    ("failures", "seconds"),
    list(enumerate([0, 5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR])),
)
def test_the_pauses_are_those_of_the_schedule(failures: int, seconds: float) -> None:
    assert next_attempt(failures, NOW, 0.5) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("failures", [10, 11, 1000])
def test_after_ten_attempts_there_is_no_other(failures: int) -> None:
    assert next_attempt(failures, NOW, 0.5) is None


def test_jitter_moves_a_pause_by_a_tenth_at_most() -> None:
    assert next_attempt(2, NOW, 0.0) == NOW + timedelta(seconds=270)
    assert next_attempt(2, NOW, 1.0) == NOW + timedelta(seconds=330)


def test_the_receivers_own_wish_only_lengthens_a_pause_and_never_beyond_a_day() -> None:
    assert next_attempt(1, NOW, 0.5, retry_after_seconds=60) == NOW + timedelta(seconds=60)
    assert next_attempt(2, NOW, 0.5, retry_after_seconds=60) == NOW + timedelta(seconds=300)
    assert next_attempt(1, NOW, 0.5, retry_after_seconds=1e9) == NOW + timedelta(days=1)


def test_a_demonstration_can_shorten_the_schedule() -> None:
    assert next_attempt(1, NOW, 0.5, scale=0.01) == NOW + timedelta(seconds=0.05)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_delivery(status: int) -> None:
    settled = settle(a_claim(), Attempt(status), NOW, 0.5)
    assert (settled.outcome, settled.state, settled.status) == (Outcome.DELIVERED, "delivered", status)


@pytest.mark.parametrize(
    "attempt", [Attempt(s, f"HTTP {s}") for s in (301, 302, 308, 400, 401, 404, 408, 429, 500, 503)] + [Attempt(error="x")]
)
def test_everything_else_is_tried_again(attempt: Attempt) -> None:
    settled = settle(a_claim(), attempt, NOW, 0.5)
    assert (settled.outcome, settled.state) == (Outcome.FAILED, "due")
    assert settled.not_before == NOW + timedelta(seconds=5)


def test_the_tenth_failure_parks() -> None:
    assert settle(a_claim(8), Attempt(500), NOW, 0.5).state == "due"
    settled = settle(a_claim(9), Attempt(500), NOW, 0.5)
    assert (settled.outcome, settled.state) == (Outcome.EXHAUSTED, "parked")


def test_410_ends_it_and_a_forbidden_address_parks_at_once() -> None:
    assert settle(a_claim(), Attempt(410), NOW, 0.5).outcome is Outcome.GONE
    assert settle(a_claim(), Attempt(error="no", refused=True), NOW, 0.5).outcome is Outcome.REFUSED


def test_an_endpoint_that_fails_gets_one_probe_at_a_time_and_all_its_slots_back() -> None:
    breaker = Breaker(slots=16)
    assert breaker.free(10, 0.0) == 6
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(100.0)
    assert breaker.free(0, 104.9) == 0
    assert breaker.free(0, 105.0) == 1
    assert breaker.free(1, 105.0) == 0
    breaker.failed(105.0)
    assert breaker.free(0, 114.9) == 0
    breaker.succeeded()
    assert breaker.free(0, 115.0) == 16


def test_a_volley_that_fails_at_once_counts_as_one_failure_more() -> None:
    breaker = Breaker(slots=48)
    for _ in range(48):
        breaker.failed(100.0)
    assert breaker.free(0, 105.0) == 1


def test_an_endpoint_that_asks_for_a_pause_gets_it() -> None:
    breaker = Breaker(slots=16)
    breaker.failed(100.0, retry_after_seconds=30)
    assert breaker.free(0, 129.0) == 0
    assert breaker.free(0, 130.0) == 16
