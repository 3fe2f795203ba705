"""How a pretend service behaves: slow, silent, wrong, twice. A pure function of seed, id and attempt, so that every run can be repeated.

>>> behave(7, "a", Behaviour(silence_rate=1.0)).silent
True
>>> behave(7, "a", Behaviour()) == behave(7, "a", Behaviour())
True
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from shared.model import Model

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Milliseconds = Annotated[float, Field(ge=0.0, le=3_600_000.0)]


class Behaviour(Model):
    """What share of questions meets which trouble. Delays in ms, drawn evenly between ``delay_min_ms`` and ``delay_max_ms``.

    ``error_rate`` and ``hang_rate`` are per attempt (HTTP only), so that asking again may work; the others belong to the question, so
    that asking again
    changes nothing. ``late_rate`` answers after ``late_ms`` more, on the answers' topic where the question came over HTTP.
    """

    delay_min_ms: Milliseconds = 0.0
    delay_max_ms: Milliseconds = 0.0
    error_rate: Share = 0.0
    hang_rate: Share = 0.0
    silence_rate: Share = 0.0
    unknown_key_rate: Share = 0.0
    bad_shape_rate: Share = 0.0
    double_rate: Share = 0.0
    late_rate: Share = 0.0
    late_ms: Milliseconds = 2000.0
    hold_rate: Share = 0.01
    physical_rate: Share = 0.01
    document_rate: Share = 0.04


class HookBehaviour(Model):
    """How a webhook receiver behaves: ``down`` answers 503, ``gone`` answers 410, ``hang`` never answers, ``drip`` sends its answer byte
    by byte."""

    state: Literal["up", "down", "gone", "hang", "drip"] = "up"
    delay_ms: Milliseconds = 0.0
    error_rate: Share = 0.0


class Behaviours(Model):
    """Everything programmable of the sandbox, as ``PUT /behaviour`` takes it. A hook not named is up; its secrets are needed before it
    accepts anything."""

    seed: int = 7
    services: Mapping[str, Behaviour] = Field(default_factory=dict)
    hooks: Mapping[str, HookBehaviour] = Field(default_factory=dict)
    secrets: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    def of(self, service: str) -> Behaviour:
        return self.services.get(service, _PLAIN)

    def of_hook(self, name: str) -> HookBehaviour:
        return self.hooks.get(name, _UP)


_PLAIN = Behaviour()
_UP = HookBehaviour()


class Reaction(NamedTuple):
    """What happens to one question. ``delay_ms`` already contains the lateness."""

    delay_ms: float
    error: bool
    hang: bool
    silent: bool
    unknown_key: bool
    bad_shape: bool
    double: bool
    late: bool


def chance(*parts: object) -> float:
    """Return a number in [0, 1) that the same *parts* always give."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def behave(seed: int, id: object, behaviour: Behaviour, attempt: int = 1) -> Reaction:
    """Return what the service does with question *id* at this *attempt* (1-based)."""

    def meets(rate: float, what: str) -> bool:
        return rate > 0.0 and chance(seed, what, id) < rate

    span = behaviour.delay_max_ms - behaviour.delay_min_ms
    delay = behaviour.delay_min_ms + (chance(seed, "delay", id) * span if span > 0 else 0.0)
    late = meets(behaviour.late_rate, "late")
    return Reaction(
        delay_ms=delay + (behaviour.late_ms if late else 0.0),
        error=meets(behaviour.error_rate, f"error {attempt}"),
        hang=meets(behaviour.hang_rate, f"hang {attempt}"),
        silent=meets(behaviour.silence_rate, "silent"),
        unknown_key=meets(behaviour.unknown_key_rate, "unknown"),
        bad_shape=meets(behaviour.bad_shape_rate, "shape"),
        double=meets(behaviour.double_rate, "double"),
        late=late,
    )
