"""When a failed delivery is tried again: ten attempts over three days, with jitter so that receivers are not hit by everybody at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_MINUTE = 60.0
_HOUR = 3600.0

PAUSES_SECONDS: Final = (0.0, 5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Pause before the first, second, … attempt. Schedule recommended by Standard Webhooks."""

JITTER: Final = 0.1
"""A pause is stretched or shortened by a tenth at most."""

LONGEST_SECONDS: Final = PAUSES_SECONDS[-1]
"""No receiver can ask for a longer pause than this."""


def next_attempt(
    failures: int, now: datetime, jitter: float, *, scale: float = 1.0, retry_after_seconds: float | None = None
) -> datetime | None:
    """Return when to try again after *failures* failures, or None when the attempts are used up.

    *jitter* is a number from 0 to 1, *scale* multiplies every pause of the schedule (not the receiver's own wish), *retry_after_seconds*
    is what the receiver asked for and only ever lengthens the pause.
    """
    if failures >= len(PAUSES_SECONDS):
        return None
    pause = PAUSES_SECONDS[failures] * scale * (1 + JITTER * (2 * jitter - 1))
    wish = min(retry_after_seconds or 0.0, LONGEST_SECONDS)
    return now + timedelta(seconds=max(pause, wish))
