"""The requests on their way to one service, as plain bookkeeping: which may be sent when, and how far the offset may move.

A request leaves when it is answered, when its answer is past due, or when a newer request for the same consignment replaces it. An
offset may be committed
once every request before it has left, so a killed process reads again exactly what was not answered. No clock and no chance in it: both
come in.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.contracts import ServiceRequest

FIRST_PAUSE: Final = timedelta(milliseconds=300)
LONGEST_PAUSE: Final = timedelta(seconds=5)

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(slots=True)
class Outstanding:
    """One request that has not left. ``alone``: it goes in a call of its own, since a call it shared was refused."""

    place: Place
    offset: int
    request: ServiceRequest
    attempts: int = 0
    alone: bool = False
    complained: bool = False


@dataclass(slots=True)
class _Partition:
    next_offset: int
    open: set[int] = field(default_factory=set)


class Window:
    """What is outstanding at one service, over all partitions this process has."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, Outstanding] = {}
        self._by_key: dict[str, UUID] = {}
        self._queue: list[tuple[datetime, int, UUID]] = []
        self._partitions: dict[Place, _Partition] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, place: Place, offset: int, request: ServiceRequest | None, now: datetime) -> None:
        """Take in the record at *offset*; *request* is None for a record that is no request. One past due leaves at once."""
        partition = self._partitions.setdefault(place, _Partition(offset))
        partition.next_offset = max(partition.next_offset, offset + 1)
        if request is None or request.answer_due_at <= now or request.request_id in self._by_id:
            return
        earlier = self._by_id.get(self._by_key.get(request.key, request.request_id))
        if earlier is not None:
            if earlier.request.sequence > request.sequence:
                return
            self.leave(earlier)
        partition.open.add(offset)
        self._by_id[request.request_id] = Outstanding(place, offset, request)
        self._by_key[request.key] = request.request_id
        self._ready(now, request.request_id)

    def take(self, now: datetime, most: int) -> list[Outstanding]:
        """Return up to *most* requests that may be sent now; each is then in somebody's hands until :meth:`leave` or :meth:`again`."""
        taken: list[Outstanding] = []
        while self._queue and len(taken) < most and self._queue[0][0] <= now:
            one = self._by_id.get(self._queue[0][2])
            if one is not None and one.alone and taken:
                break
            heapq.heappop(self._queue)
            if one is None:
                continue
            if one.request.answer_due_at <= now:
                self.leave(one)
                continue
            taken.append(one)
            if one.alone:
                break
        return taken

    def leave(self, one: Outstanding) -> None:
        """Be done with a request: answered, past due or replaced."""
        if self._by_id.pop(one.request.request_id, None) is None:
            return
        if self._by_key.get(one.request.key) == one.request.request_id:
            del self._by_key[one.request.key]
        if one.place in self._partitions:
            self._partitions[one.place].open.discard(one.offset)

    def again(self, some: Iterable[Outstanding], now: datetime, chance: float, *, after: timedelta | None = None) -> None:
        """Send *some* once more after a pause that doubles with each attempt; *chance* (0 to 1) spreads it, *after* is the service's own
        wish."""
        for one in some:
            if one.request.request_id not in self._by_id:
                continue
            grown = min(FIRST_PAUSE * 2 ** min(one.attempts, 10), LONGEST_PAUSE) * (0.5 + chance)
            pause = grown if after is None else after
            one.attempts += 1
            self._ready(min(now + pause, one.request.answer_due_at), one.request.request_id)

    def next_at(self) -> datetime | None:
        """Return when the next request may be sent, or None when nothing waits."""
        return self._queue[0][0] if self._queue else None

    def committable(self) -> dict[Place, int]:
        """Return, by partition, the offset from which a restarted process must read."""
        return {place: min(held.open, default=held.next_offset) for place, held in self._partitions.items()}

    def forget(self, places: Iterable[Place]) -> None:
        """Drop everything of partitions that another process has now."""
        gone = set(places)
        for one in [one for one in self._by_id.values() if one.place in gone]:
            self.leave(one)
        for place in gone:
            self._partitions.pop(place, None)

    def _ready(self, at: datetime, request_id: UUID) -> None:
        self._turn += 1
        heapq.heappush(self._queue, (at, self._turn, request_id))
