"""The clock: says of each question whose deadline has passed, once, that it was not answered in time.

It only writes commands; the router decides. A command's id follows from the question, so several clocks, or one that repeats itself,
change nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from services.router import store
from services.router.dossier import Dossier
from shared.contracts import Command, Topics, derived_id, event_headers
from shared.db import transaction
from shared.kafka import KeyedPublisher, Outgoing

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
MOST_AT_ONCE: Final = 1_000
REPEAT_AFTER: Final = timedelta(seconds=30)
"""A command not yet applied is written again after this long."""


def deadlines(dossiers: Iterable[Dossier], now: datetime) -> Iterator[Command]:
    """Yield a ``deadline`` command for every question of *dossiers* that is due and unanswered."""
    for dossier in dossiers:
        for name in dossier.waiting_for():
            asked = dossier.asked.get(name)
            if asked is not None and asked.due_at <= now:
                yield Command(
                    command_id=derived_id("deadline", dossier.key, name, asked.request_id),
                    key=dossier.key,
                    action="deadline",
                    by="clock",
                    because=f"{name} did not answer in time",
                    issued_at=asked.due_at,
                    service=name,
                    request_id=asked.request_id,
                )


class Clock:
    """Looks every second for deadlines that passed."""

    def __init__(self, engine: AsyncEngine, publisher: KeyedPublisher, topics: Topics) -> None:
        self._engine = engine
        self._publisher = publisher
        self._topics = topics
        self._said: dict[UUID, datetime] = {}

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await self.tick(datetime.now(UTC))
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self, now: datetime) -> int:
        """Write a command for each deadline that has passed by *now* and was not said lately; return how many."""
        async with transaction(self._engine) as connection:
            found = await store.due(connection, now, MOST_AT_ONCE)
        self._said = {command_id: at for command_id, at in self._said.items() if now - at < REPEAT_AFTER}
        commands = [command for command in deadlines(found, now) if command.command_id not in self._said]
        await self._publisher.publish([self._record(command) for command in commands])
        self._said.update({command.command_id: now for command in commands})
        if commands:
            log.info("clock.deadlines", extra={"commands": len(commands)})
        return len(commands)

    def _record(self, command: Command) -> Outgoing:
        headers = event_headers(
            id=command.command_id, type="guichet.command", source="/guichet/clock", time=command.issued_at, subject=command.key
        )
        return Outgoing(self._topics.commands, command.key.encode(), command.to_json(), headers)
