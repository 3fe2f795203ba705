"""The push loop: takes due deliveries from the table, posts them side by side, writes back what came of them.

Any number of processes may run it: rows are taken under a lease with ``SKIP LOCKED``. Of each consignment only the earliest undelivered
notice of a feed is sent; what comes after it waits, other consignments flow. An attempt that failed is a row with a due time, never a
sleep.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notify import store
from services.notify.breaker import Breaker
from services.notify.channels import webhook
from services.notify.parking import DISABLED, PARKED, tell_owner
from services.notify.retry import Claim, Outcome, Settlement, settle
from shared.db import transaction
from shared.directory import Channel, Directory, Subscription
from shared.directory_store import UnknownEntry, set_subscription_state
from shared.errors import Unavailable
from shared.settings import Settings

log = logging.getLogger(__name__)

SLOTS: Final = 48
"""Deliveries on their way to one endpoint at a time."""
LEASE: Final = timedelta(seconds=webhook.TOTAL_SECONDS + 5)
"""Longer than an attempt can take; a process that dies delays what it had in hand by this."""
POLL_SECONDS: Final = 0.5
GATHER_SECONDS: Final = 0.005
"""After a wake-up, so long for more to come: results are written and rows taken many at a time."""
STUCK_SECONDS: Final = 30.0


class Pusher:
    """Pushes the feeds of all webhook subscriptions. :meth:`wake` says that something may be due."""

    def __init__(
        self,
        engine: AsyncEngine,
        directory: Callable[[], Directory],
        settings: Settings,
        registry: CollectorRegistry,
        *,
        open_session: Callable[[], aiohttp.ClientSession] | None = None,
        total_seconds: float = webhook.TOTAL_SECONDS,
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._local = settings.webhook_allow_local
        self._scale = settings.retry_scale
        self._open = open_session or (lambda: webhook.open_session(allow_local=self._local))
        self._total_seconds = total_seconds
        self._due = asyncio.Event()
        self._results: list[Settlement] = []
        self._flights: set[asyncio.Task[None]] = set()
        self._in_flight: Tally[UUID] = Tally()
        self._breakers: dict[UUID, Breaker] = {}
        self._halted: dict[UUID, int] = {}
        self._untold: list[tuple[UUID, str, int, datetime]] = []
        self._beat = time.monotonic()
        self._attempts = Counter("guichet_push_attempts", "Webhook attempts.", ["subscription", "outcome"], registry=registry)
        self._parked = Gauge("guichet_push_stopped", "Webhooks that stand still, parked or disabled.", registry=registry)

    def wake(self) -> None:
        """Look at the table soon."""
        self._due.set()

    async def check(self) -> None:
        """Raise ``RuntimeError`` when the loop stands still: a condition of readiness."""
        if time.monotonic() - self._beat > STUCK_SECONDS:
            raise RuntimeError(f"the push loop made no round for {STUCK_SECONDS:.0f} s")

    async def run(self) -> None:
        """Push for ever. What is on its way when this is cancelled is sent again, with the same ids, when its lease ends."""
        poll = min(POLL_SECONDS, max(0.05, 5.0 * self._scale))
        async with self._open() as session:
            try:
                while True:
                    self._beat = time.monotonic()
                    self._due.clear()
                    await self._round(session)
                    await self._sleep(poll)
            finally:
                await self._land()

    async def _sleep(self, poll: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(poll):
                await self._due.wait()
                await asyncio.sleep(GATHER_SECONDS)

    async def _round(self, session: aiohttp.ClientSession) -> None:
        """Write the results there are, take what is due, send it off."""
        directory = self._directory()
        hooks = self._living(directory)
        results, self._results = self._results, []
        try:
            claims = await self._exchange(directory, results, hooks)
        except Unavailable as exc:
            self._results = results + self._results
            log.warning("push.waiting", extra={"code": exc.code, "error": str(exc)})
            await asyncio.sleep(0.5)
            return
        for claim in claims:
            self._fly(session, claim, hooks[claim.subscription])

    async def _exchange(self, directory: Directory, results: Sequence[Settlement], hooks: dict[UUID, Subscription]) -> list[Claim]:
        """Settle *results* and claim what the endpoints have room for, in one transaction."""
        await self._stop_dead(directory, results)
        now = time.monotonic()
        free = {id: self._breaker(id).free(self._in_flight[id], now) for id in hooks if id not in self._halted}
        room = {id: count for id, count in free.items() if count}
        if not room and not results:
            return []
        async with transaction(self._engine) as connection:
            if results:
                await store.settle(connection, results)
            if self._untold:
                told = [each for stop in self._untold for each in tell_owner(directory, *stop)]
                await store.file(connection, told)
            claims = await store.claim(connection, room, LEASE) if room else []
        self._untold.clear()
        return claims

    async def _stop_dead(self, directory: Directory, results: Sequence[Settlement]) -> None:
        """Park or disable the subscriptions that *results* show to be dead, and remember to tell their owners.

        First the subscription, then its delivery: whatever happens in between, nothing is skipped.
        """
        for result in results:
            id = result.claim.subscription
            if result.state != "parked" or id in self._halted:
                continue
            gone = result.outcome is Outcome.GONE
            with contextlib.suppress(UnknownEntry):
                await set_subscription_state(self._engine, id, "disabled" if gone else "parked")
            self._halted[id] = directory.revision
            self._untold.append((id, DISABLED if gone else PARKED, result.claim.sequence, result.at))
            log.error("subscription.stopped", extra={"subscription": id, "why": result.outcome.value, "status": result.status})

    def _living(self, directory: Directory) -> dict[UUID, Subscription]:
        """Return the webhooks to be served; forget what is known of those that are gone."""
        hooks = [each for each in directory.subscriptions if each.channel is Channel.WEBHOOK]
        self._parked.set(sum(each.state != "active" for each in hooks))
        self._halted = {id: revision for id, revision in self._halted.items() if revision == directory.revision}
        living = {each.id: each for each in hooks if each.state == "active" and self._is_open(directory, each)}
        self._breakers = {id: breaker for id, breaker in self._breakers.items() if id in living}
        return living

    @staticmethod
    def _is_open(directory: Directory, subscription: Subscription) -> bool:
        owner = directory.participants.get(subscription.participant)
        return owner is not None and owner.active

    def _breaker(self, id: UUID) -> Breaker:
        return self._breakers.setdefault(id, Breaker(SLOTS, self._scale))

    def _fly(self, session: aiohttp.ClientSession, claim: Claim, subscription: Subscription) -> None:
        self._in_flight[claim.subscription] += 1
        flight = asyncio.create_task(self._deliver(session, claim, subscription))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _deliver(self, session: aiohttp.ClientSession, claim: Claim, subscription: Subscription) -> None:
        """Make one attempt and note what came of it."""
        try:
            attempt = await webhook.send(
                session,
                claim,
                subscription.endpoint or "",
                subscription.secrets,
                allow_local=self._local,
                total_seconds=self._total_seconds,
            )
        finally:
            self._in_flight[claim.subscription] -= 1
        result = settle(claim, attempt, datetime.now(UTC), random.random(), self._scale)  # noqa: S311 - jitter, no secret
        breaker = self._breaker(claim.subscription)
        if result.outcome is Outcome.DELIVERED:
            breaker.succeeded()
        else:
            breaker.failed(time.monotonic(), attempt.retry_after_seconds)
        self._attempts.labels(str(claim.subscription), result.outcome.value).inc()
        self._results.append(result)
        self._due.set()

    async def _land(self) -> None:
        """Give up what is on its way, and write the results there are; what would stop a subscription is found again after the lease."""
        for flight in self._flights:
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        results = [each for each in self._results if each.state != "parked"]
        self._results = []
        if results:
            with contextlib.suppress(Unavailable):
                async with transaction(self._engine) as connection:
                    await store.settle(connection, results)
