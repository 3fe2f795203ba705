"""How much an endpoint is trusted with at a time: all its slots while it answers, one probe now and then while it does not."""

from __future__ import annotations

from dataclasses import dataclass

FAILURES_TO_OPEN = 5
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(slots=True)
class Breaker:
    """State of one endpoint. Times are those of one monotonic clock, in seconds; *scale* multiplies the pauses."""

    slots: int
    scale: float = 1.0
    failures: int = 0
    closed_until: float = 0.0

    def free(self, in_flight: int, now: float) -> int:
        """Return how many more deliveries may be sent now."""
        if now < self.closed_until:
            return 0
        allowed = self.slots if self.failures < FAILURES_TO_OPEN else 1
        return max(0, allowed - in_flight)

    def succeeded(self) -> None:
        """Trust the endpoint again."""
        self.failures = 0
        self.closed_until = 0.0

    def failed(self, now: float, retry_after_seconds: float | None = None) -> None:
        """Count a failure; from the fifth in a row on, pause, each time twice as long.

        Of those sent side by side the first to fail opens the pause; the others tell nothing new.
        """
        if retry_after_seconds:
            self.closed_until = max(self.closed_until, now + min(retry_after_seconds, LONGEST_PAUSE_SECONDS))
        elif now < self.closed_until:
            return
        self.failures += 1
        if self.failures >= FAILURES_TO_OPEN:
            doublings = min(self.failures - FAILURES_TO_OPEN, 16)
            pause = min(FIRST_PAUSE_SECONDS * 2**doublings, LONGEST_PAUSE_SECONDS) * self.scale
            self.closed_until = max(self.closed_until, now + pause)
