"""Wiring of the notify service: ``python -m services.notify.app``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.notify import store
from services.notify.bell import Bell
from services.notify.handlers import Notifier
from services.notify.ledger import Filed
from services.notify.mailbox import Mailbox
from services.notify.push import Pusher
from services.notify.subscriptions import Subscriptions
from shared.contracts import Notice
from shared.directory import Channel, Directory
from shared.directory_store import load
from shared.expressions import Schema, compile_expression
from shared.formats import WRITERS
from shared.service import Service
from shared.settings import Settings

CLEAN_SECONDS = 3600.0


def build(settings: Settings) -> Service:
    """Return the service, ready to run."""
    service: Service

    async def directory(engine: Any) -> Directory:
        return await load(engine, service.directory)

    service = Service("notify", settings, directory=directory)
    registry = service.metrics.registry
    schema = Schema.of(Notice)
    subscriptions = Subscriptions(lambda: service.directory, lambda text: compile_expression(text, schema), registry)
    feeds_grew = Bell()
    pusher = Pusher(service.engine, lambda: service.directory, settings, registry)

    def filed(entries: Sequence[Filed]) -> None:
        feeds_grew.ring()
        if any(entry.fresh and entry.interest.subscription.channel is Channel.WEBHOOK for entry in entries):
            pusher.wake()

    notifier = Notifier(service.engine, service.publisher, settings.topics, subscriptions.index, WRITERS, filed, registry)
    service.consume(notifier.on_events, topics=[settings.topics.decisions], group="notify")

    service.background(pusher.run, name="push")
    service.check("push", pusher.check)

    async def topics() -> None:
        await subscriptions.keep_topics(settings.kafka_bootstrap, settings.topics)

    async def clean() -> None:
        while True:
            while await store.forget(service.engine, datetime.now(UTC) - store.KEEP):
                await asyncio.sleep(0.1)
            await asyncio.sleep(CLEAN_SECONDS)

    service.background(topics)
    service.background(clean)

    mailbox = Mailbox(service.engine, lambda: service.directory, feeds_grew)
    service.route("/v1/feed", mailbox.get)
    service.route("/v1/feed/ack", mailbox.acknowledge, methods=["POST"])
    return service


def main() -> None:
    """Run the service until it is told to stop."""
    build(Settings()).run()


if __name__ == "__main__":
    main()
