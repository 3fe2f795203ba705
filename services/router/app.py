"""The router process: reads filings, answers and commands, and folds them."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from prometheus_client import Gauge

from services.router import store
from services.router.handlers import Router
from services.router.policy.loading import load_pack
from shared.db import transaction
from shared.service import Service
from shared.settings import Settings

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 5.0
SWEEPS_PER_COUNT: Final = 60
"""Numbers that lead nowhere are counted in one sweep of so many: it takes a walk over all numbers."""
PARKED: Final = timedelta(hours=72)
"""How long an answer about an unknown number waits before somebody has to look."""
BATCH_RECORDS: Final = 1000
"""Inputs folded in one transaction at most: its commit, the last acknowledgement and the offset are shared by so many."""
GRACE: Final = timedelta(seconds=30)
"""How long after its deadline a consignment may still wait, or a stored batch for its events to be out, before the process says it is not
ready."""


class Sweeper:
    """Counts what must be 0: accepted consignments past their clock without a decision, batches that were stored and never told."""

    def __init__(self, service: Service) -> None:
        self._service = service
        registry = service.metrics.registry
        self._overdue = Gauge("guichet_router_overdue", "Consignments waiting for an answer past its deadline.", registry=registry)
        self._untold = Gauge("guichet_router_untold", "Batches stored whose events nobody is known to have published.", registry=registry)
        self._unresolved = Gauge(
            "guichet_router_unresolved", "MRN and LRN answered about for 72 h without a consignment.", registry=registry
        )
        self._late = self._unheard = 0

    async def sweep(self) -> None:
        """Count every few seconds."""
        for number in count():
            await self.look(datetime.now(UTC), numbers_too=number % SWEEPS_PER_COUNT == 0)
            await asyncio.sleep(SWEEP_SECONDS)

    async def look(self, now: datetime, *, numbers_too: bool) -> None:
        """Count once."""
        async with transaction(self._service.engine) as connection:
            self._late = await store.overdue(connection, now - GRACE)
            self._unheard = await store.unpublished(connection, now - GRACE)
            if numbers_too:
                self._alert(await store.unresolved(connection, now - PARKED))
        self._overdue.set(self._late)
        self._untold.set(self._unheard)

    def _alert(self, unresolved: int) -> None:
        self._unresolved.set(unresolved)
        if unresolved:
            log.warning("answers.unresolved", extra={"numbers": unresolved})

    async def on_time(self) -> None:
        """Raise when consignments wait past their clock."""
        if self._late:
            raise RuntimeError(f"{self._late} consignments wait past their clock")

    async def told(self) -> None:
        """Raise when the events of stored batches are not out."""
        if self._unheard:
            raise RuntimeError(f"the events of {self._unheard} stored batches are not out")


def build(settings: Settings) -> Service:
    """Wire the process. Raises :class:`shared.errors.Misconfigured` when the policy pack does not load."""
    service = Service("router", settings)
    topics = settings.topics
    router = Router(load_pack(settings.policy), topics, service.engine, service.publisher, service.dead)
    reads = [topics.filings, topics.answers, topics.commands]
    service.consume(router.on_inputs, topics=reads, group="router", max_records=BATCH_RECORDS)
    sweeper = Sweeper(service)
    service.background(sweeper.sweep, name="sweeper")
    service.background(router.settle, name="settle")
    service.check("overdue", sweeper.on_time)
    service.check("untold", sweeper.told)
    return service


if __name__ == "__main__":
    build(Settings()).run()
