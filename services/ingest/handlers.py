"""The shell of ingest: records of the inbound topics become filings on ``filings.v1`` and answers on ``decisions.v1``.

Who subscribed to acknowledgements is also answered for each message as a whole, in its own kind: before its items in the quick lane, after
them in the slow one. For everybody else nothing is done.

There are two lanes, so that one large file holds up nobody. Messages up to ``LARGE_BYTES`` are read where they come in, in batches. A
larger one is passed on as it stands to ``large.v1``, which the *slow* lane reads in slices with a pause after each; that also keeps the
queue behind ingest short. A record belongs to exactly one lane, by its size alone; what it becomes does not depend on the lane. Whatever
a sender does, the offset moves on: a refused message goes to ``dead.v1`` with its bytes, and so does one that meets a bug.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, NamedTuple, TypeGuard
from uuid import UUID

from services.ingest import intake
from shared.contracts import (
    TYPE_OF,
    Answer,
    FilingRejected,
    MessageAcknowledged,
    SubmissionRead,
    Topics,
    derived_id,
    event_headers,
    header,
)
from shared.directory import Directory
from shared.errors import HubError
from shared.kafka import DeadLetters, KeyedPublisher, Outgoing, Records
from shared.model import Filing, RawMessage

log = logging.getLogger(__name__)

LARGE_BYTES: Final = 256 * 1024
"""Messages above this size take the slow lane: about ninety items of three kilobytes."""

SLICE: Final = 50
"""Items between two pauses."""

PUBLISH: Final = 250
"""Records published at once by the quick lane: while they are on their way the next ones are read."""

PAUSE_SECONDS: Final = 0.01
"""What the slow lane leaves to the others after each slice."""
LONG_PAUSE_SECONDS: Final = 0.05
"""The same while the quick lane works: every item of a file passes the router too, and single items must not queue behind it there."""
BUSY_SECONDS: Final = 0.5
"""For so long after its last batch the quick lane counts as at work."""

SOURCE: Final = "guichet/ingest"
_FILING: Final = "guichet.filing"
_ANSWER: Final = "guichet.answer"
_CAME_IN: Final = "came_in"
_ACKNOWLEDGED: Final = TYPE_OF[MessageAcknowledged]


class Ingest:
    """Reads inbound records; knows who is connected, where to publish, what time it is."""

    def __init__(
        self,
        topics: Topics,
        publisher: KeyedPublisher,
        dead: DeadLetters,
        directory: Callable[[], Directory],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._topics = topics
        self._publisher = publisher
        self._dead = dead
        self._directory = directory
        self._clock = clock
        self._of: Directory | None = None
        self._acknowledged: frozenset[str] = frozenset()
        self._sending: asyncio.Task[None] | None = None
        self._quick_at = float("-inf")

    async def on_inbound(self, records: Records) -> asyncio.Task[None] | None:
        """The quick lane: read every record that is not large, publish in batches, the next being read while one is on its way."""
        started = time.perf_counter()
        ready: list[Outgoing] = []
        count = 0
        for record in records:
            if is_large(record):
                ready.append(self._passed_on(record))
                continue
            for outgoing in self._quickly(record):
                ready.append(outgoing)
                count += 1
                if not count % SLICE:
                    await asyncio.sleep(0)
            if len(ready) >= PUBLISH:
                await self._send(ready)
                ready = []
        if ready:
            await self._send(ready)
        if count:
            self._quick_at = time.monotonic()
        log.debug(
            "batch.read", extra={"records": len(records), "outgoing": count, "took_ms": round((time.perf_counter() - started) * 1000, 1)}
        )
        return self._sending

    async def on_large(self, records: Records) -> None:
        """The slow lane: read what was passed on slice by slice, publish each slice, leave a pause."""
        for record in map(as_it_came, records):
            reading = await asyncio.to_thread(self._begin, record)
            work = self._worked(record, reading)
            while slice_ := list(islice(work, SLICE)):
                await self._publisher.publish(slice_)
                await asyncio.sleep(LONG_PAUSE_SECONDS if time.monotonic() - self._quick_at < BUSY_SECONDS else PAUSE_SECONDS)
            if acknowledges(reading) and reading.over:
                await self._publisher.publish([await asyncio.to_thread(self._acknowledgement, record, reading)])

    async def _send(self, ready: Sequence[Outgoing]) -> None:
        """Begin to publish *ready* once what was sent before is acknowledged, so that order is kept."""
        if self._sending is not None and not self._sending.done():
            await asyncio.wait([self._sending])
        self._sending = asyncio.create_task(self._publisher.publish_until_out(ready))
        await asyncio.sleep(0)

    # --- one record ---

    def _passed_on(self, record: Any) -> Outgoing:
        """Return *record* for the slow lane, with where and when it came in. One sender's large files stay in order."""
        place = f"{record.topic} {record.partition} {record.offset} {record.timestamp}"
        headers = [(name, value if value is not None else b"") for name, value in record.headers if name != _CAME_IN]
        return Outgoing(self._topics.large, record.topic.encode(), record.value, [*headers, (_CAME_IN, place.encode())])

    def _begin(self, record: Any) -> intake.Reading | Exception:
        """Read the message as a whole; a bug is handed back, not raised."""
        try:
            raw = raw_message(record, self._topics)
            directory = self._directory()
            participant = directory.participants.get(raw.participant)
            reading = intake.read(raw, participant)
            if participant is not None and raw.participant in self._hearers(directory):
                reading.acknowledge(participant.dialect)
            return reading
        except Exception as exc:
            return exc

    def _hearers(self, directory: Directory) -> frozenset[str]:
        """Return who wants acknowledgements; worked out once for each snapshot of the directory."""
        if directory is not self._of:
            self._of, self._acknowledged = directory, directory.hearers_of(_ACKNOWLEDGED)
        return self._acknowledged

    def _quickly(self, record: Any) -> Iterator[Outgoing]:
        """Return what *record* becomes; the acknowledgement of the whole comes before its items where somebody wants one."""
        reading = self._begin(record)
        work = self._worked(record, reading)
        return self._acknowledged_first(record, reading, work) if acknowledges(reading) else work

    def _acknowledged_first(self, record: Any, reading: intake.Reading, work: Iterator[Outgoing]) -> Iterator[Outgoing]:
        items = list(work)
        if reading.over:
            yield self._acknowledgement(record, reading)
        yield from items

    def _acknowledgement(self, record: Any, reading: intake.Reading) -> Outgoing:
        """Return the answer to the message as a whole. A bug in writing it ends with the record among the dead letters; its items go on."""
        try:
            event = reading.acknowledgement(self._clock())
            return self._event(event, event.submission_id)
        except Exception as exc:
            return self._failed(record, exc, "acknowledging")

    def _worked(self, record: Any, reading: intake.Reading | Exception) -> Iterator[Outgoing]:
        """Yield what *record* becomes. A bug in reading it ends with the record among the dead letters, and harms no neighbour."""
        participant = self._topics.participant_of(record.topic)
        try:
            if isinstance(reading, Exception):
                raise reading
            if reading.refusal is not None:
                finding = reading.refusal.findings[0]
                yield self._dead.letter(record, finding.code, finding.message, participant)
                if finding.code == "SENDER-UNKNOWN":
                    return
            for outcome in reading:
                if isinstance(outcome, Filing):
                    yield self._filing(outcome)
                elif isinstance(outcome, Answer):
                    yield self._answer(outcome, participant)
                else:
                    yield self._event(intake.rejected(outcome, self._clock()), outcome.submission_id)
            summary = reading.summary(self._clock())
            if summary is not None:
                yield self._event(summary, summary.submission_id)
        except Exception as exc:
            yield self._failed(record, exc, "reading")

    def _failed(self, record: Any, exc: Exception, doing: str) -> Outgoing:
        """Return the dead letter of a record that met a bug; to be called where *exc* is handled."""
        code = exc.code if isinstance(exc, HubError) else f"bug.{type(exc).__name__}"
        log.exception("record.failed", extra={"topic": record.topic, "partition": record.partition, "offset": record.offset})
        return self._dead.letter(record, code, f"{type(exc).__name__} while {doing}", self._topics.participant_of(record.topic))

    def _filing(self, filing: Filing) -> Outgoing:
        extra = [("participant", filing.participant)]
        if filing.submission_id is not None:
            extra.append(("submission", str(filing.submission_id)))
        headers = event_headers(id=filing.filing_id, type=_FILING, source=SOURCE, time=filing.received_at, extra=extra)
        return Outgoing(self._topics.filings, filing.key.encode(), filing.to_json(), headers)

    def _answer(self, answer: Answer, participant: str) -> Outgoing:
        id = derived_id("answer", answer.service, answer.answer_id)
        headers = event_headers(id=id, type=_ANSWER, source=SOURCE, time=answer.issued_at, extra=[("participant", participant)])
        return Outgoing(self._topics.answers, answer.key.encode(), answer.to_json(), headers)

    def _event(self, event: FilingRejected | SubmissionRead | MessageAcknowledged, submission: UUID | None) -> Outgoing:
        at = intake.made_at(event)
        extra = [("submission", str(submission))] if submission is not None else []
        headers = event_headers(id=event.event_id, type=TYPE_OF[type(event)], source=SOURCE, time=at, extra=extra)
        return Outgoing(self._topics.decisions, event.key.encode(), event.to_json(), headers)


def acknowledges(reading: intake.Reading | Exception) -> TypeGuard[intake.Reading]:
    """Whether the sender of what was read asked for acknowledgements."""
    return isinstance(reading, intake.Reading) and reading.acknowledges


class AsItCame(NamedTuple):
    """A record that was passed on, as it stood on its inbound topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def as_it_came(record: Any) -> AsItCame:
    """Return the inbound record that a record of ``large.v1`` carries. Raises ``ValueError`` for one that ingest did not write."""
    came_in = header(record.headers, _CAME_IN)
    if came_in is None:
        raise ValueError("a record of the slow lane that does not say where it came in")
    topic, partition, offset, timestamp = came_in.split(" ")
    headers = tuple(pair for pair in record.headers if pair[0] != _CAME_IN)
    return AsItCame(topic, int(partition), int(offset), int(timestamp), record.key, record.value, headers)


def is_large(record: Any) -> bool:
    """Whether *record* takes the slow lane."""
    return record.value is not None and len(record.value) > LARGE_BYTES


def raw_message(record: Any, topics: Topics) -> RawMessage:
    """Return the message in *record*: who sent it stands in the topic; headers tell the rest where they are there and readable."""
    headers = record.headers
    if not headers:
        return RawMessage(topics.participant_of(record.topic), record.value or b"", _stamped(record))
    return RawMessage(
        participant=topics.participant_of(record.topic),
        body=record.value or b"",
        received_at=_instant(header(headers, "ce_time"), record),
        content_type=header(headers, "content-type"),
        format_hint=header(headers, "ce_format"),
        submission_id=_uuid(header(headers, "ce_submission")),
    )


def _stamped(record: Any) -> datetime:
    return datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)


def _instant(text: str | None, record: Any) -> datetime:
    """Return when the hub had the message: the door's own time, never later than the log's; else the log's."""
    stamped = _stamped(record)
    try:
        said = datetime.fromisoformat(text) if text else stamped
    except ValueError:
        return stamped
    return min(said, stamped) if said.tzinfo is not None else stamped


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
