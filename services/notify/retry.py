"""What an attempt to deliver came to, and what follows from it. Arithmetic only; ``services.notify.push`` does it.

=====================================  ==============================================================================
the receiver                           what follows
=====================================  ==============================================================================
2xx                                    delivered
410                                    this delivery parked, the subscription disabled: the receiver wants no more
any other status (3xx too), no answer  tried again by the schedule, not before ``Retry-After``; used up: parked with its subscription
an address that webhooks may not use   parked at once with its subscription
=====================================  ==============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Literal, NamedTuple
from uuid import UUID

from services.notify.schedule import next_attempt


class Claim(NamedTuple):
    """One delivery that this process sends next, under a lease. ``attempts`` were made before."""

    subscription: UUID
    sequence: int
    event_id: UUID
    key: str
    attempts: int
    body: str


class Attempt(NamedTuple):
    """What happened: the receiver's status, or why there was none. ``refused``: not even tried, because the address is not allowed."""

    status: int | None = None
    error: str | None = None
    retry_after_seconds: float | None = None
    refused: bool = False


class Outcome(StrEnum):
    """What an attempt means for its subscription."""

    DELIVERED = "delivered"
    FAILED = "failed"
    EXHAUSTED = "exhausted"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Settlement:
    """One attempt settled: the delivery's new state, and when it is due again if it still is."""

    claim: Claim
    outcome: Outcome
    state: Literal["due", "delivered", "parked"]
    at: datetime
    not_before: datetime | None = None
    status: int | None = None
    error: str | None = None


def settle(claim: Claim, attempt: Attempt, now: datetime, jitter: float, scale: float = 1.0) -> Settlement:
    """Return what *attempt* makes of *claim*. *jitter* is from 0 to 1, *scale* multiplies the pauses of the schedule."""
    status, error = attempt.status, attempt.error
    if status is not None and 200 <= status < 300:
        return Settlement(claim, Outcome.DELIVERED, "delivered", now, status=status)
    if status == HTTPStatus.GONE:
        return Settlement(claim, Outcome.GONE, "parked", now, status=status, error=error)
    if attempt.refused:
        return Settlement(claim, Outcome.REFUSED, "parked", now, status=status, error=error)
    again = next_attempt(claim.attempts + 1, now, jitter, scale=scale, retry_after_seconds=attempt.retry_after_seconds)
    if again is None:
        return Settlement(claim, Outcome.EXHAUSTED, "parked", now, status=status, error=error)
    return Settlement(claim, Outcome.FAILED, "due", now, not_before=again, status=status, error=error)
