"""The shell around matching: one batch of events in, feeds written in one transaction, records published, then the offset may move."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notify import store
from services.notify.channels import kafka, outbound
from services.notify.ledger import Filed
from services.notify.match import Index, Told, match
from shared.contracts import EVENTS, Topics, header
from shared.db import transaction
from shared.errors import InvalidConsignment, MalformedMessage
from shared.formats.base import Writer
from shared.kafka import KeyedPublisher, Outgoing, Records

log = logging.getLogger(__name__)

SLICE = 100
"""Events worked on between two turns of the event loop: about five milliseconds."""


class Notifier:
    """Files and publishes the notices of a batch of events.

    *index* gives the subscriptions of the moment, *filed* is called after each commit with the feeds that grew, to wake who waits for them.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        publisher: KeyedPublisher,
        topics: Topics,
        index: Callable[[], Index],
        writers: Mapping[str, Writer],
        filed: Callable[[Sequence[Filed]], None],
        registry: CollectorRegistry,
    ) -> None:
        self._engine = engine
        self._publisher = publisher
        self._topics = topics
        self._index = index
        self._writers = writers
        self._filed = filed
        self._counter = Counter("guichet_notices", "Notices filed, by channel.", ["channel"], registry=registry)
        self._unwritten = Counter(
            "guichet_notices_unwritten", "Notices told in JSON because their format could not.", ["format"], registry=registry
        )

    async def on_events(self, records: Records) -> None:
        """Tell everybody who may and wants to know of the events in *records*.

        Read again, the same events keep the numbers and bytes of their notices and are published again. Raises ``Unavailable`` (read
        again later), or what is wrong with a record that cannot be read.
        """
        told = await self._match(records)
        if not told:
            return
        async with transaction(self._engine) as connection:
            filed = await store.file(connection, told)
        self._note(filed)
        await self._publish(filed)

    async def _match(self, records: Records) -> list[Told]:
        index = self._index()
        told: list[Told] = []
        for start in range(0, len(records), SLICE):
            for record in records[start : start + SLICE]:
                type = header(record.headers, "ce_type")
                if type is None:
                    raise MalformedMessage("an event without ce_type", code="EVENT-TYPE")
                if type in index.by_type:
                    told += match(index, type, EVENTS[type].from_json(record.value or b""))  # type: ignore[arg-type]
            await asyncio.sleep(0)
        return told

    def _note(self, filed: Sequence[Filed]) -> None:
        for entry in filed:
            if entry.fresh:
                self._counter.labels(entry.interest.subscription.channel.value).inc()
        self._filed(filed)

    async def _publish(self, filed: Sequence[Filed]) -> None:
        """Publish what goes over Kafka."""
        messages = [record for entry in filed if (record := self._record_of(entry)) is not None]
        if messages:
            await self._publisher.publish(messages)

    def _record_of(self, entry: Filed) -> Outgoing | None:
        channel = entry.interest.subscription.channel.value
        if channel == kafka.NAME:
            return kafka.send(entry, self._topics)
        if channel != outbound.NAME:
            return None
        try:
            record = outbound.send(entry, self._topics, self._writers)
        except Exception as exc:
            record = outbound.in_json(entry, self._topics, ("unwritten", self._failed(entry, exc)))
        return record if record.value else None

    def _failed(self, entry: Filed, exc: Exception) -> str:
        """Count and log that the format of a subscription could not write a notice; return why."""
        format = entry.interest.subscription.format
        self._unwritten.labels(format).inc()
        said = {"format": format, "subscription": str(entry.notice.subscription), "notice_id": str(entry.notice.notice_id)}
        if isinstance(exc, InvalidConsignment):
            missed = "; ".join(f"{found.code} {found.path or ''}".rstrip() for found in exc.findings if found.severity == "error")
            log.warning("notice.unwritten", extra={**said, "why": missed})
            return f"{format}: {missed}"
        log.error("notice.unwritten", extra=said, exc_info=exc)
        return f"{format}: {type(exc).__name__}"
