"""The shell of the books: reads the hub's topics, the sandbox's receiver and the mailboxes as their owners would, and tells the checker.

Reads without a consumer group, from the ends of the topics at the moment of :meth:`Tail.start`, so that it disturbs nobody and an earlier
run does not matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.sandbox.checker import Checker, Delivered, Sees, sees
from services.sandbox.hooks import Received
from services.sandbox.timeline import Timeline
from shared.contracts import EVENTS, INPUTS, Answer, Command, EventBody, Notice, ServiceRequest, Topics, header
from shared.directory import Channel, Participant, Subscription
from shared.errors import StoreUnavailable

SERVICES: Final = ("risk", "single-window")
_LOOK_SECONDS: Final = 0.2
_LOOKS: Final = 50
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Watched:
    """Who is connected, as far as the checker watches their channels. ``keys`` are API keys by participant, ``hooks`` receivers by
    subscription."""

    participants: Mapping[str, Participant]
    subscriptions: tuple[Subscription, ...]
    keys: Mapping[str, str]
    hooks: Mapping[UUID, str]


class Tail:
    """Feeds *checker* and *timeline* until stopped. ``seen_at`` is the loop's time of the last thing seen."""

    def __init__(
        self, bootstrap: str, topics: Topics, door: str, sandbox: str, watched: Watched, checker: Checker, timeline: Timeline
    ) -> None:
        self._bootstrap = bootstrap
        self._topics = topics
        self._door = door
        self._sandbox = sandbox
        self._watched = watched
        self._checker = checker
        self._timeline = timeline
        self._sees: Sees = sees(watched.participants)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", max_partition_fetch_bytes=4 * 1024 * 1024
        )
        self._http = httpx.AsyncClient(timeout=10.0, trust_env=False)
        self._cursors: dict[UUID, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.seen_at = 0.0
        self.last_event_at: datetime | None = None

    @property
    def topics(self) -> list[str]:
        """Every topic that is read."""
        topics = self._topics
        kafka = {s.destination_country or self._watched.participants[s.participant].country for s in self._of(Channel.KAFKA)}
        return [
            topics.decisions,
            topics.answers,
            topics.commands,
            *(topics.requests(service) for service in SERVICES),
            *(topic for country in sorted(kafka) for topic in (topics.release(country), topics.hold(country))),
            *sorted({topics.outbound(subscription.participant) for subscription in self._of(Channel.OUTBOUND)}),
        ]

    def _of(self, channel: Channel) -> list[Subscription]:
        return [subscription for subscription in self._watched.subscriptions if subscription.channel is channel]

    async def start(self) -> None:
        """Stand at the end of every topic and feed, then read on."""
        partitions = await self._partitions()
        await self._consumer.start()
        self._consumer.assign(partitions)
        await self._consumer.seek_to_end(*self._consumer.assignment())
        for tp in self._consumer.assignment():
            await self._consumer.position(tp)
        await self._pull(book=False)
        self._tasks = [asyncio.create_task(self._read(), name="tail topics"), asyncio.create_task(self._pull_on(), name="tail feeds")]

    async def _partitions(self) -> list[TopicPartition]:
        """Return all partitions of the topics. They are assigned by hand: a subscription is assigned anew whenever topics change, and would
        begin at the beginning. Raises ``StoreUnavailable`` when a topic stays missing."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            for _ in range(_LOOKS):
                topics = await admin.describe_topics(self.topics)
                missing = [topic["topic"] for topic in topics if topic["error_code"] or not topic["partitions"]]
                if not missing:
                    return [TopicPartition(topic["topic"], part["partition"]) for topic in topics for part in topic["partitions"]]
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await admin.close()
        raise StoreUnavailable(f"topics missing: {', '.join(sorted(missing))}")

    async def stop(self) -> None:
        """Stop reading; raises what ended the reading before its time."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._consumer.stop()
        await self._http.aclose()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    def check(self) -> None:
        """Raise what ended the reading, if anything did."""
        for task in self._tasks:
            if task.done():
                task.result()

    # --- topics ------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=100, max_records=2000)
            for records in batches.values():
                self._book(records)
            if batches:
                await asyncio.sleep(0)

    def _book(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        self.seen_at = asyncio.get_running_loop().time()
        for record in records:
            at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
            if record.topic == self._topics.decisions:
                self._event(record, at)
            elif record.topic in (self._topics.answers, self._topics.commands):
                self._input(record, at)
            elif record.topic.startswith(f"{self._topics.prefix}requests."):
                request = ServiceRequest.from_json(record.value or b"")
                self._checker.saw_request(request)
                self._timeline.asked(request, at)
            else:
                self.seen_notice(record, at)

    def _event(self, record: ConsumerRecord[bytes, bytes], at: datetime) -> None:
        body = EVENTS.get(header(record.headers, "ce_type") or "")
        if body is None:
            return
        event: Any = body.from_json(record.value or b"")
        self.last_event_at = at
        self.seen_event(event, at)

    def seen_event(self, event: EventBody, at: datetime) -> None:
        """Book one event of ``decisions.v1`` with the notices it makes due."""
        if self._checker.saw_event(event, at):
            self._checker.saw_due(event, self._watched.subscriptions, self._sees)
            self._timeline.happened(event, at)

    def _input(self, record: ConsumerRecord[bytes, bytes], at: datetime) -> None:
        """Book an answer or a command; what is neither was wrong on purpose."""
        body = INPUTS.get(header(record.headers, "ce_type") or "")
        with suppress(ValueError):
            said = body.from_json(record.value or b"") if body else None
            if isinstance(said, Answer | Command):
                self._checker.saw_answer(said)
                self._timeline.said(said, at)

    def seen_notice(self, record: ConsumerRecord[bytes, bytes], at: datetime) -> None:
        """Book one notice of a Kafka channel. Raises ``ValueError`` for one without its headers."""
        key = (record.key or b"").decode()
        subscription, notice_id = header(record.headers, "ce_subscription"), header(record.headers, "ce_id")
        sequence = int(header(record.headers, "ce_consignmentsequence") or 0)
        if subscription is None or notice_id is None:
            raise ValueError(f"a notice without its headers on {record.topic}: partition {record.partition}, offset {record.offset}")
        place = record.topic.removeprefix(self._topics.prefix)
        told = Delivered(place, UUID(subscription), "", key, sequence, notice_id, UUID(notice_id), at)
        self._deliver(told, f"on {place}")

    def _deliver(self, told: Delivered, where: str) -> None:
        if self._checker.saw_notice(told):
            self._timeline.told(told.key, told.at, where)

    # --- feeds -------------------------------------------------------------------------------------------------------

    async def _pull_on(self) -> None:
        while True:
            try:
                await self._pull()
            except httpx.HTTPError:
                await asyncio.sleep(1)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _pull(self, *, book: bool = True) -> None:
        """Read every receiver and mailbox to its end; without *book* only to know where they end."""
        for subscription, name in self._watched.hooks.items():
            while entries := await self._received(subscription, name):
                if book:
                    self._hooked(name, entries)
        for mailbox in self._of(Channel.MAILBOX):
            while notices := await self._page(mailbox):
                if book:
                    self._mailed(mailbox, notices)

    async def _received(self, subscription: UUID, name: str) -> list[Received]:
        parameters = {"after": self._cursors.get(subscription, 0), "limit": _PAGE}
        answer = await self._http.get(f"{self._sandbox}/hooks/{name}/received", params=parameters)
        entries = [Received.model_validate(entry) for entry in answer.raise_for_status().json()["received"]]
        if entries:
            self._cursors[subscription] = entries[-1].number
        return entries

    def _hooked(self, name: str, entries: Iterable[Received]) -> None:
        self.seen_at = asyncio.get_running_loop().time()
        for e in entries:
            told = Delivered("webhook", e.subscription, e.type, e.key, e.sequence, e.webhook_id, e.notice_id, e.received_at)
            self._deliver(told, f"{_short(e.type)} {e.outcome or ''}".strip() + f" by webhook to {name}")

    async def _page(self, mailbox: Subscription) -> list[Notice]:
        headers = {"Authorization": f"Bearer {self._watched.keys[mailbox.participant]}"}
        parameters: dict[str, str | int] = {"after": self._cursors.get(mailbox.id, 0), "limit": _PAGE, "subscription": str(mailbox.id)}
        answer = (await self._http.get(f"{self._door}/v1/feed", params=parameters, headers=headers)).raise_for_status().json()
        self._cursors[mailbox.id] = answer["next"]
        return [Notice.model_validate(notice) for notice in answer["notices"]]

    def _mailed(self, mailbox: Subscription, notices: Iterable[Notice]) -> None:
        now = datetime.now(UTC)
        self.seen_at = asyncio.get_running_loop().time()
        for n in notices:
            told = Delivered("mailbox", mailbox.id, n.type, n.key, n.sequence, str(n.notice_id), n.notice_id, now)
            outcome = n.outcome.value if n.outcome else ""
            self._deliver(told, f"{_short(n.type)} {outcome}".strip() + f" in the mailbox of {mailbox.participant}")


def _short(type: str) -> str:
    """Return what an event's type says happened: ``decision`` of ``guichet.decision.made``."""
    return type.split(".")[1]
