"""The report balances the books and can be read by people and by machines."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rich.console import Console

from services.cli.report import Clock, Report, report_of, show
from services.sandbox.checker import Checker, Delivered, Sent, sees
from services.sandbox.timeline import Timeline
from shared.contracts import ConsignmentAccepted, DecisionMade, FilingRef, Outcome, PolicyRef, Summary
from shared.directory import Channel, Participant, Role, Subscription

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KEY = "express:swift-express:SX1"
CARRIER = Participant(id="swift-express", name="Swift", role=Role.CARRIER, country="CN")
HOOK = Subscription(id=UUID(int=5), participant=CARRIER.id, event_types=("guichet.decision.made",), channel=Channel.WEBHOOK, created_at=AT)
FILING = FilingRef(
    filing_id=UUID(int=1),
    participant=CARRIER.id,
    format="manifest-csv",
    message_id="M1",
    position="line 2",
    function="original",
    received_at=AT,
    kind="consignment",
)
SUMMARY = Summary(house_transport_document_id="SX1", channel="express", country_of_destination="NL")


def a_report(*, told: bool) -> Report:
    checker, timeline = Checker(), Timeline()
    checker.sent(Sent(CARRIER.id, {"M1"}, (KEY,), 0))
    timeline.sent(KEY, AT, CARRIER.id, "http", "original")
    accepted = ConsignmentAccepted(
        event_id=UUID(int=2),
        key=KEY,
        sequence=1,
        accepted_at=AT,
        filing=FILING,
        effect="created",
        consignment=SUMMARY,
        parties=(CARRIER.id,),
    )
    decision = DecisionMade(
        event_id=UUID(int=3),
        key=KEY,
        sequence=2,
        outcome=Outcome.RELEASE,
        decided_at=AT,
        received_at=AT,
        reasons=(),
        category=3,
        policy=PolicyRef(pack="eu", version="1", digest="0" * 64),
        consignment=SUMMARY,
        filing=FILING,
        parties=(CARRIER.id,),
    )
    for event in (accepted, decision):
        checker.saw_event(event, AT + timedelta(milliseconds=80))
        checker.saw_due(event, [HOOK], sees({CARRIER.id: CARRIER}))
        timeline.happened(event, AT + timedelta(milliseconds=80))
    if told:
        at = AT + timedelta(milliseconds=120)
        checker.saw_notice(Delivered("webhook", HOOK.id, "guichet.decision.made", KEY, 2, "w1", decision.event_id, at))
    clock = Clock(start=5.0, traffic=2.0, decided=0.5, all=9.0)
    return report_of(checker, timeline, [HOOK], clock, seed=7, messages={CARRIER.id: 1})


def test_a_clean_run_passes_with_its_figures():
    report = a_report(told=True)
    assert report.passed
    assert report.items_per_second == 2.0
    assert report.decisions == {"release": 1}
    assert report.door_to_decision_ms == {"p50": 80.0, "p95": 80.0, "p99": 80.0}
    assert report.door_to_webhook_ms == {"p50": 120.0, "p95": 120.0, "p99": 120.0}
    assert [(row.due, row.delivered) for row in report.notifications if row.channel == "webhook"] == [(1, 1)]
    assert report.story is not None
    assert [line.what for line in report.story.lines] == ["sent", "accepted", "decided"]


def test_a_notice_that_never_came_fails_the_run_and_is_named():
    report = a_report(told=False)
    assert not report.passed
    assert report.lost == 1
    assert KEY in report.trouble["lost"][0]


def test_the_tables_tell_the_same():
    shown = io.StringIO()
    show(a_report(told=False), Console(file=shown, width=140))
    for text in ("swift-express", "release", "door to webhook received", "lost 1", f"The story of {KEY}"):
        assert text in shown.getvalue()
