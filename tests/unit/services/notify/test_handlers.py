"""The shell reads only what somebody wants, and publishes what it can."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.notify.handlers import Notifier
from services.notify.ledger import Filed, Head, Known, number
from services.notify.match import Index, index_of, match
from shared.contracts import TYPE_OF, Notice, Topics
from shared.directory import Channel
from shared.errors import MalformedMessage
from shared.formats import WRITERS
from shared.kafka import Outgoing
from tests.unit.services.notify.builders import (
    CUSTOMS,
    POST,
    ARecord,
    a_decision,
    a_directory,
    a_record,
    a_subscription,
    an_acknowledgement,
)

DECISIONS = ("guichet.decision.made",)


class Recorder:
    def __init__(self) -> None:
        self.published: list[Outgoing] = []

    async def publish(self, messages: list[Outgoing]) -> None:
        self.published += messages


def a_notifier(index: Index, publisher: Any = None, writers: Any = None) -> Notifier:
    return Notifier(None, publisher, Topics(), lambda: index, writers or {}, lambda filed: None, CollectorRegistry())  # type: ignore[arg-type]


async def test_an_event_of_a_type_nobody_wants_is_not_even_read() -> None:
    index = index_of(a_directory(a_subscription(POST, event_types=DECISIONS)), lambda text: lambda notice: True)
    record = a_record(a_decision(), type="guichet.submission.read")
    record.value = b"no JSON at all"
    await a_notifier(index).on_events([record, a_record(a_decision(parties=()), type="guichet.not.yet.known")])


async def test_a_record_without_a_type_is_a_mistake_of_its_writer() -> None:
    with pytest.raises(MalformedMessage):
        await a_notifier(Index({})).on_events([ARecord(b"{}", [])])


@pytest.mark.parametrize(("format", "content_type"), [("cusres", b"application/edifact"), ("json", b"application/json")])
async def test_an_acknowledgement_goes_out_as_it_was_written_or_as_json(format: str, content_type: bytes) -> None:
    directory = a_directory(a_subscription(POST, Channel.OUTBOUND, format=format))
    event = an_acknowledgement()
    told = match(index_of(directory, lambda text: lambda notice: True), TYPE_OF[type(event)], event)
    filed, _ = number(told, {each.id: Head() for each in directory.subscriptions}, {})
    again, _ = number(told, {}, {(filed[0].notice.subscription, event.event_id): Known(1, filed[0].body)})
    recorder = Recorder()
    await a_notifier(Index({}), recorder, WRITERS)._publish([*filed, *again])
    first, second = recorder.published
    assert first == second
    assert first.topic == "exchange.outbound.post-cn"
    assert dict(first.headers)["content-type"] == content_type
    assert dict(first.headers)["ce_id"] == str(event.event_id).encode()
    body = first.value if format != "json" else getattr(Notice.from_json(first.value).acknowledgement, "body", b"")
    assert body == b"UNB\xff"


async def test_where_a_format_has_no_acknowledgement_nothing_is_sent_in_it() -> None:
    directory = a_directory(a_subscription(POST, Channel.OUTBOUND, format="cusrsp"))
    event = an_acknowledgement(acknowledgement=None)
    told = match(index_of(directory, lambda text: lambda notice: True), TYPE_OF[type(event)], event)
    recorder = Recorder()
    await a_notifier(Index({}), recorder, WRITERS)._publish(number(told, {each.id: Head() for each in directory.subscriptions}, {})[0])
    assert recorder.published == []


@pytest.mark.parametrize(
    ("format", "why"), [("psn", b"psn: WRITE-MISSING /consignment/master_transport_document_id"), ("unheard-of", b"unheard-of: KeyError")]
)
async def test_what_a_format_cannot_say_is_told_in_json_with_the_reason_and_others_hear_as_ever(format: str, why: bytes) -> None:
    directory = a_directory(a_subscription(POST, Channel.OUTBOUND, format=format), a_subscription(CUSTOMS, Channel.KAFKA))
    told = match(index_of(directory, lambda text: lambda notice: True), DECISIONS[0], a_decision())
    filed: list[Filed] = number(told, {each.id: Head() for each in directory.subscriptions}, {})[0]
    recorder = Recorder()
    await a_notifier(Index({}), recorder, WRITERS)._publish(filed)
    assert [message.topic for message in recorder.published] == ["exchange.outbound.post-cn", "exchange.release.fr.v1"]
    headers = dict(recorder.published[0].headers)
    assert headers["ce_unwritten"].startswith(why)
    assert headers["content-type"] == b"application/json"
    assert Notice.from_json(recorder.published[0].value).key == filed[0].notice.key
    assert dict(recorder.published[1].headers)["ce_subscription"] == str(directory.subscriptions[1].id).encode()
    assert "ce_unwritten" not in dict(recorder.published[1].headers)
