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
"""How long after its deadline a consignment may still wait before the process says it is not ready."""


class Sweeper:
    """Counts accepted consignments past their clock without a decision: must be 0."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._gauge = Gauge(
            "guichet_router_overdue", "Consignments waiting for an answer past its deadline.", registry=service.metrics.registry
        )
        self._unresolved = Gauge(
            "guichet_router_unresolved", "MRN and LRN answered about for 72 h without a consignment.", registry=service.metrics.registry
        )
        self._overdue = 0

    async def sweep(self) -> None:
        """Count every few seconds."""
        for number in count():
            async with transaction(self._service.engine) as connection:
                now = datetime.now(UTC)
                self._overdue = await store.overdue(connection, now - GRACE)
                if number % SWEEPS_PER_COUNT == 0:
                    self._alert(await store.unresolved(connection, now - PARKED))
            self._gauge.set(self._overdue)
            await asyncio.sleep(SWEEP_SECONDS)

    def _alert(self, unresolved: int) -> None:
        self._unresolved.set(unresolved)
        if unresolved:
            log.warning("answers.unresolved", extra={"numbers": unresolved})

    async def check(self) -> None:
        """Raise when consignments wait past their clock."""
        if self._overdue:
            raise RuntimeError(f"{self._overdue} consignments wait past their clock")


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
    service.check("overdue", sweeper.check)
    return service


if __name__ == "__main__":
    build(Settings()).run()
