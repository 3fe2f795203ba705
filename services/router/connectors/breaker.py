"""A circuit breaker as a value: after so many failures in a row nobody calls for a while, then one call tries.

>>> from datetime import UTC, datetime, timedelta
>>> now = datetime(2026, 11, 21, tzinfo=UTC)
>>> broken = Breaker(failures=FAILURES - 1).failed(now)
>>> broken.may_call(now), broken.may_call(now + timedelta(seconds=1))
(False, True)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

FAILURES: Final = 8
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed while ``failures`` in a row are below :data:`FAILURES`; then open until ``opens_again_at``, when one call may try
    (``trying``)."""

    failures: int = 0
    opens_again_at: datetime | None = None
    trying: bool = False

    @property
    def closed(self) -> bool:
        """Whether calls go out freely."""
        return self.opens_again_at is None

    def may_call(self, now: datetime) -> bool:
        """Return whether a call may go out now; while it tries, one only."""
        return self.opens_again_at is None or (now >= self.opens_again_at and not self.trying)

    def calling(self, now: datetime) -> Breaker:
        """Return the breaker once a call has gone out."""
        return self if self.opens_again_at is None else replace(self, trying=True)

    def succeeded(self) -> Breaker:
        """Return the breaker after an answer: closed."""
        return Breaker()

    def failed(self, now: datetime) -> Breaker:
        """Return the breaker after a time-out, a 5xx or no connection; each failure beyond the limit doubles the pause."""
        failures = self.failures + 1
        if failures < FAILURES:
            return Breaker(failures)
        if self.opens_again_at is not None and not self.trying:
            return replace(self, failures=min(failures, FAILURES))
        beyond = 0 if self.opens_again_at is None else failures - FAILURES
        pause = min(FIRST_PAUSE * 2 ** min(beyond, 10), LONGEST_PAUSE)
        return Breaker(failures, now + pause)
