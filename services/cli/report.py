"""The report of a demo: one model, written as JSON and shown as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from services.sandbox.checker import Accounts, Checker, Sent, percentiles_ms
from services.sandbox.timeline import Timeline
from shared.directory import Channel, Subscription
from shared.model import Model

EXAMPLES = 20
"""How many cases of a kind of trouble the report names."""


class SenderRow(Model):
    """What one sender sent and what came of it: accepted and rejected as the hub answered, items as the sender counts them."""

    sender: str
    messages: int
    items: int
    accepted: int
    rejected: int


class ChannelRow(Model):
    """Notices of one channel."""

    channel: str
    due: int
    delivered: int


class TimelineRow(Model):
    """One line of a parcel's story. ``after_ms`` counts from the first line."""

    at: datetime
    after_ms: float
    what: str
    detail: str


class Story(Model):
    """One parcel from its first message to its last notice."""

    key: str
    lines: tuple[TimelineRow, ...]


class Report(Model):
    """How a demo went.

    ``seconds_of_traffic`` goes from the first message sent to the last event out, which waits for the deadlines of services that stay
    silent; ``items_per_second`` counts until 99 of 100 consignments were decided for the first time.
    """

    passed: bool
    seed: int
    items: int
    seconds_to_start: float
    seconds_of_traffic: float
    seconds_in_all: float
    items_per_second: float
    senders: tuple[SenderRow, ...]
    decisions: dict[str, int]
    notifications: tuple[ChannelRow, ...]
    lost: int
    duplicated: int
    out_of_order: int
    unexpected: int
    repeated: int
    door_to_decision_ms: dict[str, float]
    door_to_webhook_ms: dict[str, float]
    story: Story | None = None
    trouble: dict[str, tuple[str, ...]]


class Clock(Model):
    """The durations of a demo, in seconds: until the hub was ready, from the first message to the last event and to the decisions of 99 of
    100, in all."""

    start: float
    traffic: float
    decided: float
    all: float


def report_of(
    checker: Checker, timeline: Timeline, subscriptions: Sequence[Subscription], clock: Clock, *, seed: int, messages: Mapping[str, int]
) -> Report:
    """Balance the books and return the report. *messages* counts the messages sent, by sender, repetitions included."""
    accounts = checker.accounts()
    items = sum(message.items for message in checker.messages)
    return Report(
        passed=accounts.clean,
        seed=seed,
        items=items,
        seconds_to_start=round(clock.start, 1),
        seconds_of_traffic=round(clock.traffic, 1),
        seconds_in_all=round(clock.all, 1),
        items_per_second=round(items / clock.decided, 1) if clock.decided else 0.0,
        senders=tuple(_sender_rows(checker.messages, messages)),
        decisions=checker.outcomes(),
        notifications=tuple(_channel_rows(checker, subscriptions)),
        lost=len(accounts.lost),
        duplicated=len(accounts.duplicated),
        out_of_order=len(accounts.out_of_order),
        unexpected=len(accounts.unexpected),
        repeated=accounts.repeated,
        door_to_decision_ms=percentiles_ms(checker.door_to_decision()),
        door_to_webhook_ms=percentiles_ms(_door_to_webhook(checker, subscriptions)),
        story=_story(timeline),
        trouble=_trouble(accounts),
    )


def _sender_rows(sent: Iterable[Sent], messages: Mapping[str, int]) -> Iterable[SenderRow]:
    by_sender: dict[str, list[Sent]] = {}
    for message in sent:
        by_sender.setdefault(message.participant, []).append(message)
    for sender, own in sorted(by_sender.items()):
        yield SenderRow(
            sender=sender,
            messages=messages[sender],
            items=sum(message.items for message in own),
            accepted=sum(len(message.answered) for message in own),
            rejected=sum(len(message.refusals) for message in own),
        )


def _channel_rows(checker: Checker, subscriptions: Sequence[Subscription]) -> Iterable[ChannelRow]:
    channel_of = {subscription.id: subscription.channel for subscription in subscriptions}
    for channel in Channel:
        due = {place for place in checker.due if channel_of[place[0]] is channel}
        yield ChannelRow(channel=channel.value, due=len(due), delivered=len(due & checker.delivered.keys()))


def _door_to_webhook(checker: Checker, subscriptions: Sequence[Subscription]) -> Iterable[timedelta]:
    """Yield the time from the door to the receiver of each consignment's first decision, over webhooks."""
    hooks = [subscription.id for subscription in subscriptions if subscription.channel is Channel.WEBHOOK]
    for event, _ in checker.first_decided.values():
        for hook in hooks:
            if (received := checker.delivered.get((hook, event.event_id))) is not None:
                yield received - event.received_at


def _story(timeline: Timeline) -> Story | None:
    key = timeline.richest()
    lines = timeline.of(key)
    if not lines:
        return None
    began = lines[0].at
    return Story(
        key=key,
        lines=tuple(
            TimelineRow(at=line.at, after_ms=round((line.at - began).total_seconds() * 1000, 1), what=line.what, detail=line.detail)
            for line in lines
        ),
    )


def _trouble(accounts: Accounts) -> dict[str, tuple[str, ...]]:
    kinds = {
        "lost": accounts.lost,
        "duplicated": accounts.duplicated,
        "out_of_order": accounts.out_of_order,
        "unexpected": accounts.unexpected,
    }
    return {kind: cases[:EXAMPLES] for kind, cases in kinds.items() if cases}


# --- on the terminal -------------------------------------------------------------------------------------------------


def show(report: Report, console: Console) -> None:
    """Print *report* as tables."""
    console.print(_table("Senders", ("sender", "messages", "items", "accepted", "rejected"), [_cells(row) for row in report.senders]))
    console.print(_table("Decisions", ("outcome", "consignments"), [(name, str(count)) for name, count in report.decisions.items()]))
    console.print(_table("Notifications", ("channel", "due", "delivered"), [_cells(row) for row in report.notifications]))
    latencies = (("door to decision", report.door_to_decision_ms), ("door to webhook received", report.door_to_webhook_ms))
    figures = [(name, *(str(values.get(p, "")) for p in ("p50", "p95", "p99"))) for name, values in latencies]
    console.print(_table("Latency in ms", ("from, to", "p50", "p95", "p99"), figures))
    if report.story:
        lines = [(f"{line.after_ms:.0f}", line.what, line.detail) for line in report.story.lines]
        console.print(_table(f"The story of {report.story.key}", ("ms", "what", "detail"), lines))
    console.print(
        f"{report.items} items, {report.items_per_second} items/s; last event after {report.seconds_of_traffic} s, "
        f"{report.seconds_to_start} s to start, {report.seconds_in_all} s in all"
    )
    for kind, cases in report.trouble.items():
        for case in cases:
            console.print(f"{kind}: {case}", style="red", markup=False)
    verdict = f"lost {report.lost} · duplicated {report.duplicated} · out of order {report.out_of_order} · unexpected {report.unexpected}"
    console.print(f"{verdict} · repeated under the same id {report.repeated}", style="bold green" if report.passed else "bold red")


def _cells(row: Model) -> tuple[str, ...]:
    return tuple(str(value) for value in row.model_dump().values())


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        right = (number > 0 and column not in ("what", "detail")) or column == "ms"
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
