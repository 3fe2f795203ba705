"""The router process: reads filings, answers and commands, and folds them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client import Gauge

from services.router import store
from services.router.handlers import Router
from services.router.policy.loading import load_pack
from shared.db import transaction
from shared.service import Service
from shared.settings import Settings

SWEEP_SECONDS: Final = 5.0
GRACE: Final = timedelta(seconds=30)
"""How long after its deadline a consignment may still wait before the process says it is not ready."""


class Sweeper:
    """Counts accepted consignments past their clock without a decision: must be 0."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._gauge = Gauge(
            "guichet_router_overdue", "Consignments waiting for an answer past its deadline.", registry=service.metrics.registry
        )
        self._overdue = 0

    async def sweep(self) -> None:
        """Count every few seconds."""
        while True:
            async with transaction(self._service.engine) as connection:
                self._overdue = await store.overdue(connection, datetime.now(UTC) - GRACE)
            self._gauge.set(self._overdue)
            await asyncio.sleep(SWEEP_SECONDS)

    async def check(self) -> None:
        """Raise when consignments wait past their clock."""
        if self._overdue:
            raise RuntimeError(f"{self._overdue} consignments wait past their clock")


def build(settings: Settings) -> Service:
    """Wire the process. Raises :class:`shared.errors.Misconfigured` when the policy pack does not load."""
    service = Service("router", settings)
    topics = settings.topics
    router = Router(load_pack(settings.policy), topics, service.engine, service.publisher, service.dead)
    service.consume(router.on_inputs, topics=[topics.filings, topics.answers, topics.commands], group="router")
    sweeper = Sweeper(service)
    service.background(sweeper.sweep, name="sweeper")
    service.check("overdue", sweeper.check)
    return service


if __name__ == "__main__":
    build(Settings()).run()
