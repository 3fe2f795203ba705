"""The shell of ingest: what is published for each record, in which lane, and that nobody harms a neighbour."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from services.ingest import handlers, intake
from services.ingest.handlers import Ingest
from shared.contracts import EVENTS, FilingRejected, MessageAcknowledged, SubmissionRead, Topics, header
from shared.directory import Channel, Directory, Participant, Role, Subscription
from shared.errors import StoreUnavailable
from shared.kafka import DeadLetters, Outgoing
from shared.model import Filing
from shared.telemetry import Metrics
from tests.samples import FOLDER

TOPICS = Topics()
NOW = datetime(2026, 11, 21, 18, 0, 1, tzinfo=UTC)
REFERENCE = (FOLDER / "itmatt" / "reference.xml").read_bytes()
SUBMISSION = UUID(int=42)


@dataclass
class Record:
    value: bytes | None
    topic: str = "exchange.inbound.usp"
    headers: tuple[tuple[str, bytes | None], ...] = ()
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = int(datetime(2026, 11, 21, 18, tzinfo=UTC).timestamp() * 1000)


@dataclass
class FakePublisher:
    """Keeps what is published; ``away`` makes it fail."""

    batches: list[list[Outgoing]] = field(default_factory=list)
    away: bool = False

    async def publish(self, messages: Iterable[Outgoing]) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("away")
        self.batches.append(list(messages))

    async def publish_until_out(self, messages: Iterable[Outgoing]) -> None:
        messages = list(messages)
        while self.away:
            await asyncio.sleep(0)
        await self.publish(messages)

    def on(self, topic: str) -> list[Outgoing]:
        return [message for batch in self.batches for message in batch if message.topic == topic]


def written(message: Outgoing) -> Record:
    """The record that *message* becomes."""
    return Record(message.value, message.topic, tuple(message.headers), message.key)


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
def ingest(publisher: FakePublisher) -> Ingest:
    post = Participant(id="usp", name="Sample post", role=Role.POST, country="US")
    directory = Directory(participants=MappingProxyType({"usp": post}))
    dead = DeadLetters(publisher, TOPICS, "ingest", Metrics())  # type: ignore[arg-type]
    return Ingest(TOPICS, publisher, dead, lambda: directory, lambda: NOW)  # type: ignore[arg-type]


async def work_off(ingest: Ingest, records: Any) -> None:
    """Work a batch off, to the end of what it leaves under way."""
    under_way = await ingest.on_inbound(records)
    if under_way is not None:
        await under_way


def work(ingest: Ingest, *records: Any) -> None:
    asyncio.run(work_off(ingest, records))


def file_of(count: int) -> bytes:
    item = b"  <Item " + REFERENCE.split(b"<Item ")[1]
    head = REFERENCE.partition(b"  <Item ")[0].replace(b"<ItemCount>2<", b"<ItemCount>%d<" % count)
    return head + item * count + b"</ItmattFile>"


def test_each_item_goes_on_under_its_own_key(ingest: Ingest, publisher: FakePublisher) -> None:
    work(ingest, Record(REFERENCE))
    filings = publisher.on(TOPICS.filings)
    assert [filing.key for filing in filings] == [b"post:LZ314159268US", b"post:CY271828189US"]
    first = Filing.from_json(filings[0].value)
    assert header(filings[0].headers, "ce_type") == "guichet.filing"
    assert header(filings[0].headers, "ce_id") == str(first.filing_id)
    assert header(filings[0].headers, "ce_participant") == "usp"
    assert len(publisher.batches) == 1


def test_the_same_record_twice_gives_the_same_filings(ingest: Ingest, publisher: FakePublisher) -> None:
    work(ingest, Record(REFERENCE), Record(REFERENCE, offset=1))
    filings = publisher.on(TOPICS.filings)
    assert filings[:2] == filings[2:]


def test_a_receipt_travels_with_all_that_comes_of_it(ingest: Ingest, publisher: FakePublisher) -> None:
    receipt = str(SUBMISSION).encode()
    at = b"2026-11-21T17:59:59.500000+00:00"
    work(ingest, Record((FOLDER / "itmatt" / "refused_item.xml").read_bytes(), headers=(("ce_submission", receipt), ("ce_time", at))))
    published = publisher.on(TOPICS.filings) + publisher.on(TOPICS.decisions)
    assert {header(message.headers, "ce_submission") for message in published} == {str(SUBMISSION)}
    assert Filing.from_json(published[0].value).received_at == datetime(2026, 11, 21, 17, 59, 59, 500_000, tzinfo=UTC)
    events = [header(message.headers, "ce_type") for message in publisher.on(TOPICS.decisions)]
    assert events == ["guichet.filing.rejected", "guichet.submission.read"]
    assert SubmissionRead.from_json(publisher.on(TOPICS.decisions)[-1].value).items == 2


def test_a_refused_message_is_kept_and_answered(ingest: Ingest, publisher: FakePublisher) -> None:
    work(ingest, Record(b"<ItmattFile", offset=7))
    (dead,) = publisher.on(TOPICS.dead)
    assert dead.value == b"<ItmattFile"
    assert header(dead.headers, "dead_code") == "MSG-SYNTAX"
    assert header(dead.headers, "dead_participant") == "usp"
    assert header(dead.headers, "dead_offset") == "7"
    (answer,) = publisher.on(TOPICS.decisions)
    assert FilingRejected.from_json(answer.value).rejection.findings[0].code == "MSG-SYNTAX"


def test_a_record_of_an_unknown_participant_is_put_aside_without_an_answer(ingest: Ingest, publisher: FakePublisher) -> None:
    work(ingest, Record(REFERENCE, topic="exchange.inbound.nobody"))
    assert header(publisher.on(TOPICS.dead)[0].headers, "dead_code") == "SENDER-UNKNOWN"
    assert publisher.on(TOPICS.decisions) == publisher.on(TOPICS.filings) == []


@pytest.mark.parametrize("value", [b"\xff\xfe", None, b"", b"not-a-uuid"])
def test_unreadable_headers_are_overlooked(ingest: Ingest, publisher: FakePublisher, value: bytes | None) -> None:
    names = ("ce_time", "ce_submission", "ce_format", "content-type")
    work(ingest, Record(REFERENCE, headers=tuple((name, value) for name in names)))
    assert len(publisher.on(TOPICS.filings)) == 2


def test_a_record_without_value_is_an_empty_message(ingest: Ingest, publisher: FakePublisher) -> None:
    work(ingest, Record(None))
    assert header(publisher.on(TOPICS.dead)[0].headers, "dead_code") == "MSG-EMPTY"


def test_a_time_in_the_future_is_not_believed() -> None:
    raw = handlers.raw_message(Record(b"x", headers=(("ce_time", b"2099-01-01T00:00:00Z"),)), TOPICS)
    assert raw.received_at == datetime(2026, 11, 21, 18, tzinfo=UTC)


def test_bad_records_do_not_touch_their_neighbours(ingest: Ingest, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch) -> None:
    read = intake.read

    def with_a_bug(raw: Any, participant: Any) -> Any:
        if raw.body == b"bug":
            raise ZeroDivisionError
        return read(raw, participant)

    monkeypatch.setattr(intake, "read", with_a_bug)
    work(ingest, Record(REFERENCE), Record(b"bug"), Record(b"\0"), Record(REFERENCE))
    assert len(publisher.on(TOPICS.filings)) == 4
    assert [header(dead.headers, "dead_code") for dead in publisher.on(TOPICS.dead)] == ["bug.ZeroDivisionError", "MSG-NUL"]


def test_a_batch_is_not_done_while_kafka_is_away(ingest: Ingest, publisher: FakePublisher) -> None:
    async def begin() -> bool:
        publisher.away = True
        under_way = await ingest.on_inbound([Record(REFERENCE)])
        assert under_way is not None
        for _ in range(20):
            await asyncio.sleep(0)
        done_while_away = under_way.done()
        publisher.away = False
        await under_way
        return done_while_away

    assert not asyncio.run(begin())
    assert publisher.on(TOPICS.filings)


def test_a_batch_is_published_in_order_and_in_large_pieces(ingest: Ingest, publisher: FakePublisher) -> None:
    work(ingest, *(Record(file_of(40), offset=n) for n in range(30)))
    assert [len(batch) for batch in publisher.batches] == [280, 280, 280, 280, 80]


def test_a_large_file_takes_the_slow_lane_and_only_that(ingest: Ingest, publisher: FakePublisher) -> None:
    large, small = Record(file_of(160)), Record(REFERENCE)
    assert handlers.is_large(large)
    asyncio.run(work_off(ingest, [large, small]))
    assert len(publisher.on(TOPICS.filings)) == 2
    (passed_on,) = publisher.on(TOPICS.large)
    publisher.batches.clear()
    asyncio.run(ingest.on_large([written(passed_on)]))
    assert [len(batch) for batch in publisher.batches] == [50, 50, 50, 10]


def test_what_a_message_becomes_does_not_depend_on_its_lane(
    ingest: Ingest, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = (("ce_submission", str(SUBMISSION).encode()), ("content-type", b"application/xml"), ("odd", None))
    record = Record(file_of(3), headers=door, partition=2, offset=17)
    asyncio.run(work_off(ingest, [record]))
    quick = [message for batch in publisher.batches for message in batch]
    publisher.batches.clear()
    monkeypatch.setattr(handlers, "LARGE_BYTES", 100)
    asyncio.run(work_off(ingest, [record]))
    (passed_on,) = publisher.on(TOPICS.large)
    publisher.batches.clear()
    asyncio.run(ingest.on_large([written(passed_on)]))
    assert [message for batch in publisher.batches for message in batch] == quick
    came = handlers.as_it_came(written(passed_on))
    assert (came.topic, came.partition, came.offset, came.timestamp) == (record.topic, 2, 17, record.timestamp)


def a_directory(*event_types: str, state: str = "active") -> Directory:
    carrier = Participant(id="usp", name="Sample carrier", role=Role.CARRIER, country="US")
    wish = Subscription.model_validate(
        {"id": UUID(int=5), "participant": "usp", "event_types": event_types, "channel": Channel.MAILBOX, "state": state, "created_at": NOW}
    )
    return Directory(participants=MappingProxyType({"usp": carrier}), subscriptions=(wish,))


def an_ingest(publisher: FakePublisher, directory: Directory) -> Ingest:
    dead = DeadLetters(publisher, TOPICS, "ingest", Metrics())  # type: ignore[arg-type]
    return Ingest(TOPICS, publisher, dead, lambda: directory, lambda: NOW)  # type: ignore[arg-type]


ACKNOWLEDGED = "guichet.message.acknowledged"
CUSCAR = (FOLDER / "cuscar" / "several_messages.edi").read_bytes()


def test_who_asked_for_it_is_answered_for_the_whole_before_its_items(publisher: FakePublisher) -> None:
    work(an_ingest(publisher, a_directory(ACKNOWLEDGED)), Record(CUSCAR), Record(CUSCAR, offset=1))
    sent = [header(message.headers, "ce_type") for batch in publisher.batches for message in batch]
    assert sent == [ACKNOWLEDGED, *["guichet.filing"] * (len(sent) // 2 - 1)] * 2
    first, second = publisher.on(TOPICS.decisions)
    assert first == second
    event = MessageAcknowledged.from_json(first.value)
    assert event.acknowledgement is not None
    assert b"UCI+" in event.acknowledgement.body
    assert first.key == event.key.encode()
    assert header(first.headers, "ce_id") == str(event.event_id)


@pytest.mark.parametrize(
    "directory",
    [a_directory(*(name for name in EVENTS if name != ACKNOWLEDGED)), a_directory(ACKNOWLEDGED, state="disabled")],
    ids=["other events", "disabled"],
)
def test_nobody_else_is_answered_for_the_whole(publisher: FakePublisher, directory: Directory) -> None:
    work(an_ingest(publisher, directory), Record(CUSCAR))
    assert publisher.on(TOPICS.decisions) == []


def test_a_large_message_is_answered_after_its_items(publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "LARGE_BYTES", 100)
    ingest = an_ingest(publisher, a_directory(ACKNOWLEDGED))
    work(ingest, Record(CUSCAR))
    (passed_on,) = publisher.on(TOPICS.large)
    assert publisher.on(TOPICS.decisions) == []
    asyncio.run(ingest.on_large([written(passed_on)]))
    assert header(publisher.batches[-1][-1].headers, "ce_type") == ACKNOWLEDGED
    assert len(publisher.on(TOPICS.filings)) > 1


def test_a_bug_in_an_acknowledgement_keeps_no_item_back(publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "acknowledgement", lambda *_: 1 / 0)
    work(an_ingest(publisher, a_directory(ACKNOWLEDGED)), Record(CUSCAR))
    assert header(publisher.on(TOPICS.dead)[0].headers, "dead_code") == "bug.ZeroDivisionError"
    assert publisher.on(TOPICS.filings)


def test_single_items_pass_while_a_large_file_is_read(ingest: Ingest, publisher: FakePublisher) -> None:
    async def both() -> int:
        await work_off(ingest, [Record(file_of(1_000))])
        (passed_on,) = publisher.on(TOPICS.large)
        publisher.batches.clear()
        slow = asyncio.create_task(ingest.on_large([written(passed_on)]))
        while not publisher.batches:
            await asyncio.sleep(0)
        await work_off(ingest, [Record(REFERENCE)])
        passed = len(publisher.batches)
        await slow
        return passed

    assert asyncio.run(both()) < 10
    assert len(publisher.batches) == 21
