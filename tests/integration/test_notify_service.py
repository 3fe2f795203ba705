"""The whole notify service in one process, on real Kafka and PostgreSQL: from the decision topic to every channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from aiohttp import web
from aiokafka import AIOKafkaConsumer

from services.notify.app import build
from services.notify.sign import new_secret
from shared.contracts import Notice, Outcome, header
from shared.db import create_engine
from shared.directory import Channel
from shared.directory_store import add_key, add_participant, add_subscription
from shared.kafka import KeyedPublisher, Outgoing
from shared.kafka_admin import core_topics, ensure_topics
from shared.settings import Settings
from tests.unit.services.notify.builders import CUSTOMS, POST, a_decision, a_record, a_subscription


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> Any:
    """Return what *condition* gives as soon as it is true; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while not (held := await condition()):
        assert time.monotonic() < deadline, "did not come about in time"
        await asyncio.sleep(0.05)
    return held


async def test_a_decision_reaches_customs_the_posts_topic_its_mailbox_and_its_webhook(
    kafka_bootstrap: str, fresh_database: str, topic_prefix: str
) -> None:
    settings = Settings(
        kafka_bootstrap=kafka_bootstrap, database_url=fresh_database, topic_prefix=topic_prefix, webhook_allow_local=True, retry_scale=0.01
    )
    topics = settings.topics
    await ensure_topics(kafka_bootstrap, core_topics(topics))
    hooked: list[Notice] = []

    async def hook(request: web.Request) -> web.Response:
        hooked.append(Notice.from_json(await request.read()))
        return web.Response(status=204)

    receiver = web.Application()
    receiver.router.add_post("/hook", hook)
    runner = web.AppRunner(receiver, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    engine = create_engine(fresh_database)
    for participant in (POST, CUSTOMS):
        await add_participant(engine, participant)
    key = await add_key(engine, POST.id)
    mailbox = a_subscription(POST)
    for subscription in (
        mailbox,
        a_subscription(POST, Channel.OUTBOUND, format="cusrsp"),
        a_subscription(POST, Channel.WEBHOOK, endpoint=f"http://127.0.0.1:{port}/hook", secrets=(new_secret(),)),
        a_subscription(CUSTOMS, Channel.KAFKA, filter="outcome == 'hold' and consignment.country_of_dispatch == 'CN'"),
    ):
        await add_subscription(engine, subscription)
    await engine.dispose()

    held = a_decision(key="post:RR000000001CN", outcome=Outcome.HOLD)
    free = a_decision(key="post:RR000000002CN", sequence=3)
    records = [a_record(each) for each in (held, free)] + [a_record(held)]
    broken = a_record(held)
    broken.value = b'{"event_id": "not one"}'
    publisher = KeyedPublisher(kafka_bootstrap)

    service = build(settings)
    app = service.app()
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")
    async with (
        service._lifespan(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notify") as http,
    ):

        async def ready() -> bool:
            return (await http.get("/health/ready")).status_code == 200

        await until(ready)
        await publisher.publish([Outgoing(topics.decisions, r.key, r.value, r.headers) for r in (records[0], broken, *records[1:])])

        async def read() -> list[dict[str, Any]]:
            answer = await http.get("/v1/feed", params={"after": 0}, headers={"authorization": f"Bearer {key}"})
            notices = answer.json()["notices"]
            return notices if len(notices) == 2 else []

        notices = await until(read)
        assert {each["notice_id"] for each in notices} == {str(held.event_id), str(free.event_id)}
        assert sorted(each["feed_sequence"] for each in notices) == [1, 2]

        async def pushed() -> bool:
            return len(hooked) == 2

        await until(pushed)

        consumer.subscribe([topics.hold("FR"), topics.outbound(POST.id), topics.dead])
        await consumer.start()
        try:
            found: dict[str, set[str | None]] = {}
            bodies: dict[str, bytes] = {}

            async def arrived() -> bool:
                for place, batch in (await consumer.getmany(timeout_ms=200)).items():
                    for record in batch:
                        found.setdefault(place.topic, set()).add(header(record.headers, "ce_id"))
                        bodies[place.topic] = record.value
                return len(found) == 3 and len(found[topics.outbound(POST.id)]) == 2

            await until(arrived)
        finally:
            await consumer.stop()
        assert found[topics.hold("FR")] == {str(held.event_id)}
        assert bodies[topics.dead] == broken.value
        assert b"<CusrspFile" in bodies[topics.outbound(POST.id)]
        ready_again = await http.get("/health/ready")
        assert ready_again.status_code == 200, ready_again.text
    await publisher.stop()
    await runner.cleanup()
