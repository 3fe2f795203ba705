"""Items that flow while something breaks, and the judgement afterwards: what went in against what came out."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count, islice
from random import Random
from typing import Final

from services.sandbox.bench import BenchItem, bench_items
from services.sandbox.checker import Checker, Sent
from services.sandbox.tail import Tail
from services.sandbox.timeline import Timeline
from services.sandbox.traffic import POST
from shared.contracts import post_key
from shared.directory import Channel
from shared.errors import StoreUnavailable
from shared.kafka import KeyedPublisher, Outgoing
from tests.faults.stage import Stage, until

CHUNKS_PER_SECOND: Final = 10
CORRECTED: Final = 20
"""Every so manieth item is corrected once, some time after it was sent."""
BEHIND: Final = 300
"""How many items come between an item and its correction."""
TRICKLE: Final = 100
"""Items a second once all are sent, until the faults are over: the flow must not end before them."""
REPLAYED: Final = 300
PATIENCE_SECONDS: Final = 1.0
"""How long the post waits for an acknowledgement: less than a broker takes to start."""
_FIRST: Final = count(0, 1_000_000)
_AMOUNT: Final = re.compile(rb"<Amount>([0-9.]+)</Amount>")


@dataclass(slots=True)
class Flow:
    """A post that streams *items* items at *rate* a second over Kafka, some corrected later, and goes on whatever happens."""

    stage: Stage
    items: int
    rate: float
    checker: Checker = field(default_factory=Checker)
    sent: int = 0
    refused: int = 0
    faults_over: asyncio.Event = field(default_factory=asyncio.Event)
    keys: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Send all items at the rate, and more in a trickle until ``faults_over`` is set."""
        publisher = KeyedPublisher(self.stage.connected.hub.bootstrap, client_id="guichet-faults", timeout_seconds=PATIENCE_SECONDS)
        messages = self._messages()
        due = time.monotonic()
        try:
            while chunk := list(islice(messages, self._chunk())):
                await self._send(publisher, chunk)
                due = max(due + 1 / CHUNKS_PER_SECOND, time.monotonic() - 1)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        finally:
            await publisher.stop()

    def _chunk(self) -> int:
        return max(1, int((self.rate if self.sent < self.items else TRICKLE) / CHUNKS_PER_SECOND))

    def _messages(self) -> Iterator[tuple[BenchItem, int]]:
        """Yield items, and some way behind them the corrections of some; with the version of each."""
        waiting: deque[BenchItem] = deque()
        for number, item in enumerate(bench_items(1_000_000, first=next(_FIRST))):
            if number >= self.items and self.faults_over.is_set():
                break
            yield item, 1
            if not number % CORRECTED:
                waiting.append(item)
            if len(waiting) * CORRECTED > BEHIND:
                yield waiting.popleft(), 2
        for item in waiting:
            yield item, 2

    async def _send(self, publisher: KeyedPublisher, chunk: list[tuple[BenchItem, int]]) -> None:
        """Write the messages to the post's own topic; as long as nobody acknowledges them, write them again."""
        topic = self.stage.connected.topics.inbound(POST)
        records = []
        for item, version in chunk:
            body = corrected(item.body) if version > 1 else item.body
            self._note(item, version, body)
            records.append(Outgoing(topic, item.number.encode(), body, []))
        while True:
            try:
                await publisher.publish(records)
                break
            except StoreUnavailable:
                self.refused += 1
                await asyncio.sleep(0.2)
        self.sent += sum(version == 1 for _, version in chunk)

    def _note(self, item: BenchItem, version: int, body: bytes) -> None:
        key = post_key(item.number)
        if version == 1:
            self.keys.append(key)
        self.checker.sent(Sent(POST, {_file_id(body)}, (key,), 0, f"version {version}"))

    # --- the judgement ---

    async def judge(self, tail: Tail, seconds: float = 180.0) -> None:
        """Wait until the last answer is in, then compare: nothing lost, nothing told under two ids, nothing out of order, lag 0, the same
        on replay."""
        await self._wait(tail, seconds)
        await self.stage.calm()
        await asyncio.sleep(0.5)
        tail.check()
        accounts = self.checker.accounts()
        assert accounts.clean, {
            name: (len(cases), cases[:5])
            for name in ("lost", "duplicated", "out_of_order", "unexpected")
            if (cases := getattr(accounts, name))
        }
        self._everything_came()
        assert await self.stage.replayed(self.keys, Random(7), REPLAYED) == []

    async def _wait(self, tail: Tail, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while missing := self.checker.outstanding():
            tail.check()
            assert time.monotonic() < deadline, (
                f"{len(missing)} missing after {seconds:.0f} s: {missing[:10]}; lag {await self.stage.lag()}"
            )
            await asyncio.sleep(0.3)

    def _everything_came(self) -> None:
        """Each item that went in was decided for good and told to each who was to hear of it, by the senders' own list of items."""
        watched = self.stage.connected.watched
        decided, told = self.checker.first_decided, self._told()
        assert len(self.keys) >= self.items
        assert set(self.keys) == decided.keys()
        post = next(each.id for each in watched.subscriptions if each.channel is Channel.OUTBOUND)
        for key in self.keys:
            decision, _ = decided[key]
            country = (decision.consignment.country_of_destination or "").lower()
            hearers = {each.id for each in watched.subscriptions if each.participant == f"{country}-customs"} | {post}
            assert told[key] == hearers, f"{key} was told to {told[key]}, not to {hearers}"

    def _told(self) -> dict[str, set[object]]:
        told: dict[str, set[object]] = {}
        for subscription, notice in self.checker.delivered:
            told.setdefault(self.checker.due[subscription, notice], set()).add(subscription)
        return told

    def decided(self) -> int:
        """How many items are decided so far."""
        return len(self.checker.first_decided)


@asynccontextmanager
async def flowing(stage: Stage, items: int, rate: float) -> AsyncIterator[Flow]:
    """Let items flow, and watch what comes out, while the block hurts the hub; ends when the last item is sent.

    The block begins when the first items are decided. Faults must come while the flow lasts: it goes on until the block is left.
    """
    connected = stage.connected
    flow = Flow(stage, items, rate)
    tail = Tail(connected.hub.bootstrap, connected.topics, connected.door, connected.sandbox, connected.watched, flow.checker, Timeline())
    dead = await stage.dead()
    await tail.start()
    sending = asyncio.create_task(flow.run())
    try:
        await until(flow.decided, "the first decision")
        yield flow
        assert not sending.done(), "the flow ended before the faults did"
        flow.faults_over.set()
        await sending
        await flow.judge(tail)
        assert await stage.dead() == dead, "good messages were put aside"
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await tail.stop()


def corrected(body: bytes) -> bytes:
    """Return the message that corrects the item in *body*: its next version, with a higher value, in a file of its own."""
    dearer = _AMOUNT.sub(lambda found: b"<Amount>%s</Amount>" % str(Decimal(found[1].decode()) + 1).encode(), body, count=1)
    replacing = dearer.replace(b'Function="ORIGINAL" Version="1"', b'Function="REPLACE" Version="2"')
    return replacing.replace(b"</FileId>", b"-2</FileId>")


def _file_id(body: bytes) -> str:
    start = body.index(b"<FileId>") + len(b"<FileId>")
    return body[start : body.index(b"<", start)].decode()
