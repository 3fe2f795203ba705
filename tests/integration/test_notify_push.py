"""Webhooks on real PostgreSQL and real sockets of this machine: order, repetition, dead endpoints, replay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notify import store
from services.notify.handlers import Notifier
from services.notify.match import index_of
from services.notify.push import Pusher
from services.notify.sign import new_secret, verify
from shared.contracts import Notice, Topics
from shared.db import create_engine
from shared.directory import Channel, Directory, Subscription
from shared.directory_store import add_participant, add_subscription, load, set_subscription_state
from shared.settings import Settings
from tests.unit.services.notify.builders import NOW, POST, a_decision, a_record, a_subscription

SECRET = new_secret()


class Receiver:
    """A receiver of webhooks on this machine. ``answer`` decides what it says; what it accepted is in ``accepted``, every call in
    ``calls``."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.accepted: list[Notice] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.say(204)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @staticmethod
    def say(status: int, **headers: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

        return answer

    async def hook(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.calls.append((dict(request.headers), body))
        response = await self.answer(request)
        if 200 <= response.status < 300:
            self.accepted.append(Notice.from_json(body))
        return response


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.hook)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", receiver.port)
    await site.start()
    receiver.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Hub:
    """Notify without Kafka: events are handed over by the test."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.directory = Directory()
        self.pushers: list[Pusher] = []

    async def refresh(self) -> None:
        self.directory = await load(self.engine)

    async def subscribe(self, *subscriptions: Subscription) -> None:
        for subscription in subscriptions:
            await add_subscription(self.engine, subscription)
        await self.refresh()

    async def tell(self, *keys: str) -> list[Any]:
        """File one decision per key, in order."""
        decisions = [a_decision(key=f"post:{key}", sequence=n) for n, key in enumerate(keys, 1)]
        index = index_of(self.directory, lambda text: lambda notice: True)
        notifier = Notifier(self.engine, None, Topics(), lambda: index, {}, self._filed, CollectorRegistry())  # type: ignore[arg-type]
        await notifier.on_events([a_record(each) for each in decisions])
        return decisions

    def _filed(self, _: object) -> None:
        for pusher in self.pushers:
            pusher.wake()

    async def states(self, subscription: Subscription) -> dict[str, int]:
        async with self.engine.begin() as connection:
            rows = await connection.execute(
                text("SELECT state, count(*) FROM notify.delivery WHERE subscription = :id GROUP BY state"), {"id": subscription.id}
            )
            return dict(rows.tuples().all())

    @asynccontextmanager
    async def pushing(self, *, instances: int = 1, scale: float = 0.002, total_seconds: float = 15.0) -> AsyncIterator[None]:
        settings = Settings(webhook_allow_local=True, retry_scale=scale)

        async def follow() -> None:
            while True:
                await asyncio.sleep(0.05)
                await self.refresh()

        pushers = [
            Pusher(self.engine, lambda: self.directory, settings, CollectorRegistry(), total_seconds=total_seconds)
            for _ in range(instances)
        ]
        self.pushers = pushers
        tasks = [asyncio.create_task(work()) for work in (follow, *(pusher.run for pusher in pushers))]
        try:
            yield
        finally:
            self.pushers = []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait until *condition* (plain or async) holds; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        held = condition()
        if asyncio.iscoroutine(held):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, "did not come about in time"
        await asyncio.sleep(0.02)


@pytest.fixture
async def hub(fresh_database: str) -> AsyncIterator[Hub]:
    engine = create_engine(fresh_database, pool_size=8)
    await add_participant(engine, POST)
    yield Hub(engine)
    await engine.dispose()


def a_hook(receiver: Receiver) -> Subscription:
    return a_subscription(POST, Channel.WEBHOOK, endpoint=receiver.url, secrets=(SECRET,))


def in_order_per_key(notices: list[Notice]) -> bool:
    by_key: dict[str, list[int]] = {}
    for notice in notices:
        by_key.setdefault(notice.key, []).append(notice.feed_sequence)
    return all(numbers == sorted(numbers) for numbers in by_key.values())


async def test_a_notice_arrives_signed_with_the_events_own_id(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing():
            (decision,) = await hub.tell("RR1")
            await until(lambda: receiver.accepted)
            await until(lambda: hub.states(subscription), 5)
    headers, body = receiver.calls[0]
    lowered = {name.lower(): value for name, value in headers.items()}
    assert lowered["webhook-id"] == str(decision.event_id)
    at = int(lowered["webhook-timestamp"])
    assert verify(SECRET, lowered["webhook-id"], at, body, lowered["webhook-signature"], int(time.time()))
    assert receiver.accepted[0].feed_sequence == 1


async def test_a_receiver_that_was_down_gets_everything_in_order_per_consignment(hub: Hub) -> None:
    receiver = Receiver()
    async with listening(receiver):
        pass  # its port is known now, and closed
    subscription = a_hook(receiver)
    await hub.subscribe(subscription)
    keys = [f"RR{n % 7}" for n in range(60)]
    async with hub.pushing(instances=2):
        await hub.tell(*keys)

        async def tried() -> bool:
            async with hub.engine.begin() as connection:
                return bool((await connection.execute(text("SELECT max(attempts) FROM notify.delivery"))).scalar_one() >= 2)

        await until(tried)
        assert await hub.states(subscription) == {"due": 60}
        async with listening(receiver):
            await until(lambda: len({notice.notice_id for notice in receiver.accepted}) == 60)
            await until(lambda: _all_delivered(hub, subscription, 60))
    assert len(receiver.accepted) == 60
    assert in_order_per_key(receiver.accepted)


async def _all_delivered(hub: Hub, subscription: Subscription, count: int) -> bool:
    return await hub.states(subscription) == {"delivered": count}


async def test_repeated_attempts_keep_the_id_and_get_a_new_time_stamp(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        receiver.answer = receiver.say(503)
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing(scale=0.2):
            await hub.tell("RR1")
            await until(lambda: len(receiver.calls) == 1)
            receiver.answer = receiver.say(200)
            await until(lambda: len(receiver.calls) == 2)
    first, second = ({name.lower(): value for name, value in headers.items()} for headers, _ in receiver.calls)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) >= int(first["webhook-timestamp"])
    assert receiver.calls[0][1] == receiver.calls[1][1]


async def test_what_follows_a_failed_notice_of_one_consignment_waits_and_other_consignments_flow(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:

        async def refuse_the_first(request: web.Request) -> web.StreamResponse:
            failing = Notice.from_json(await request.read()).key == "post:BAD"
            return web.Response(status=500 if failing else 204)

        receiver.answer = refuse_the_first
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing(scale=0.003):
            await hub.tell("BAD", "RR1", "BAD", "RR2", "BAD")
            await until(lambda: {notice.key for notice in receiver.accepted} == {"post:RR1", "post:RR2"})
            await until(lambda: len(receiver.calls) >= 4)
            tried = {Notice.from_json(body).feed_sequence for _, body in receiver.calls}
            assert tried == {1, 2, 4}
            receiver.answer = receiver.say(204)
            await until(lambda: len(receiver.accepted) == 5)
    assert [notice.feed_sequence for notice in receiver.accepted if notice.key == "post:BAD"] == [1, 3, 5]


async def test_a_dripping_receiver_is_cut_off_at_the_total_limit(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:

        async def drip(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(200):
                await response.write(b".")
                await asyncio.sleep(0.05)
            return response

        receiver.answer = drip
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing(scale=10.0, total_seconds=0.5):
            await hub.tell("RR1")
            began = time.monotonic()

            async def failed() -> str | None:
                async with hub.engine.begin() as connection:
                    return (await connection.execute(text("SELECT last_error FROM notify.delivery"))).scalar_one()

            await until(failed)
            assert time.monotonic() - began < 3
            assert "no complete answer within 0.5 s" in str(await failed())
        assert await hub.states(subscription) == {"due": 1}


async def test_an_endless_answer_is_not_read_to_its_end(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        written = 0

        async def flood(request: web.Request) -> web.StreamResponse:
            nonlocal written
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 65536)
                written += 65536

        receiver.answer = flood
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing(total_seconds=10.0):
            await hub.tell("RR1")
            await until(lambda: _all_delivered(hub, subscription, 1), 5)
        assert written < 50_000_000


async def test_410_disables_the_subscription(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        receiver.answer = receiver.say(410)
        subscription = a_hook(receiver)
        await hub.subscribe(subscription, a_subscription(POST))
        async with hub.pushing():
            await hub.tell("RR1", "RR1", "RR1")
            await until(lambda: _state(hub, subscription) == "disabled")
            await hub.tell("RR2")
            await asyncio.sleep(0.3)
    assert len(receiver.calls) == 1
    assert await hub.states(subscription) == {"due": 2, "parked": 1}


def _state(hub: Hub, subscription: Subscription) -> str:
    return next(each.state for each in hub.directory.subscriptions if each.id == subscription.id)


async def test_a_redirect_is_a_failure_and_is_not_followed(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        receiver.answer = receiver.say(302, Location=receiver.url + "/elsewhere")
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing(scale=10.0):
            await hub.tell("RR1")
            await until(lambda: len(receiver.calls) == 1)
            await asyncio.sleep(0.3)
    assert len(receiver.calls) == 1
    assert await hub.states(subscription) == {"due": 1}


async def test_the_receivers_wish_for_a_pause_is_honoured(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        receiver.answer = receiver.say(429, Retry_After="30")
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing(scale=0.0001):
            await hub.tell("RR1")
            await until(lambda: len(receiver.calls) == 1)
            await asyncio.sleep(0.5)
        async with hub.engine.begin() as connection:
            left = (await connection.execute(text("SELECT not_before - now() FROM notify.delivery"))).scalar_one()
    assert len(receiver.calls) == 1
    assert timedelta(seconds=25) < left <= timedelta(seconds=30)


async def test_a_dead_endpoint_is_parked_its_owner_told_and_replay_delivers_everything(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        receiver.answer = receiver.say(500)
        subscription, mailbox = a_hook(receiver), a_subscription(POST, event_types=())
        await hub.subscribe(subscription, mailbox)
        async with hub.pushing(scale=0.000001):
            decisions = await hub.tell(*[f"RR{n % 3}" for n in range(9)])
            await until(lambda: _state(hub, subscription) == "parked")
            await until(lambda: _told(hub, mailbox))
            page = await store.read(hub.engine, mailbox.id, 0, 10)
            told = Notice.from_json(page.bodies[0])
            assert (told.type, told.key) == ("guichet.subscription.parked", f"subscription:{subscription.id}")

            decisions += await hub.tell("RR9")  # a parked feed goes on filling
            receiver.answer = receiver.say(204)
            calls = len(receiver.calls)
            await asyncio.sleep(0.3)
            assert len(receiver.calls) == calls

            await store.replay(hub.engine, subscription.id, NOW.replace(year=2000))
            await set_subscription_state(hub.engine, subscription.id, "active")
            await until(lambda: len(receiver.accepted) == 10)
            await until(lambda: _all_delivered(hub, subscription, 10))
    assert {notice.notice_id for notice in receiver.accepted} == {each.event_id for each in decisions}
    assert in_order_per_key(receiver.accepted)


async def _told(hub: Hub, mailbox: Subscription) -> bool:
    return bool((await store.read(hub.engine, mailbox.id, 0, 10)).sequences)


async def test_two_instances_deliver_each_notice_once(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        async with hub.pushing(instances=3):
            for start in range(0, 300, 50):
                await hub.tell(*[f"RR{n % 40}" for n in range(start, start + 50)])
            await until(lambda: _all_delivered(hub, subscription, 300))
    assert len(receiver.calls) == 300
    assert in_order_per_key(receiver.accepted)


async def test_a_delivery_whose_process_died_goes_out_when_its_lease_ends(hub: Hub) -> None:
    async with listening(Receiver()) as receiver:
        subscription = a_hook(receiver)
        await hub.subscribe(subscription)
        await hub.tell("RR1")
        async with hub.engine.begin() as connection:
            assert len(await store.claim(connection, {subscription.id: 5}, timedelta(seconds=1))) == 1
        async with hub.engine.begin() as connection:
            assert await store.claim(connection, {subscription.id: 5}, timedelta(seconds=1)) == []
        async with hub.pushing():
            await until(lambda: len(receiver.accepted) == 1)
