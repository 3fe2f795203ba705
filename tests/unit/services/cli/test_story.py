"""``trace``, ``replay`` and ``dead`` on a history made in memory by the router's own batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.cli.dead import restored
from services.cli.tracing import lines
from services.ingest import intake
from services.notify.store import TraceLine
from services.router.batch import Batch, Received
from services.router.fold import Input
from services.router.policy.loading import load_pack
from services.router.replay import replay
from services.router.store import Trace
from services.sandbox.partners import senders
from services.sandbox.traffic import POST, traffic
from shared.contracts import Answer, Command, Outcome, Topics, derived_id
from shared.directory import Channel, Subscription
from shared.kafka import DeadLetters
from shared.model import Filing, RawMessage
from shared.telemetry import Metrics

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
POLICY = load_pack("eu")


def a_story() -> Trace:
    """A parcel that is filed, answered for by every service, held by an officer and let go."""
    post = next(each for each in senders() if each.id == POST)
    body = next(send.body for send in traffic(100, 7, NOW).sends if send.sender == POST and send.kind == "original")
    filing = next(outcome for outcome in intake.read(RawMessage(POST, body, NOW), post) if isinstance(outcome, Filing))
    entries: list[Any] = [filing]
    for service in ("risk", "single-window"):
        entries.append(Answer(answer_id=service, key=filing.key, service=service, outcome=Outcome.RELEASE, issued_at=NOW))
    for action in ("hold", "release"):
        command = {"command_id": uuid4(), "key": filing.key, "action": action, "by": "officer", "because": "opened", "issued_at": NOW}
        entries.append(Command.model_validate(command))
    batch = Batch(POLICY, Topics(), {}, {}, {})
    for n, entry in enumerate(entries):
        kind: Any = type(entry).__name__.lower()
        cause = derived_id(n, filing.key)
        batch.apply(Received(Input(cause, filing.key, kind, entry), entry.to_json(), NOW + timedelta(seconds=n)))
    stored = batch.changed[filing.key]
    return Trace(stored.dossier, stored.hash, tuple(batch.transitions), ())


STORY = a_story()


def test_the_story_of_a_parcel_names_every_step_in_order() -> None:
    steps = [line["what"] for line in lines(STORY, [], {})]
    assert steps[:3] == ["received", "filed", "accepted"]
    assert steps.count("asked") == 2
    assert steps.count("answered") == 2
    assert steps.index("hold") < steps.index("release")
    assert steps.count("decided") >= 2
    assert [line["at"] for line in lines(STORY, [], {})] == sorted(line["at"] for line in lines(STORY, [], {}))


def test_notices_and_deliveries_are_part_of_the_story() -> None:
    subscription = Subscription(
        id=uuid4(),
        participant=POST,
        event_types=("guichet.decision.made",),
        channel=Channel.WEBHOOK,
        endpoint="https://x.test",
        created_at=NOW,
    )
    told = TraceLine(subscription.id, 7, uuid4(), "guichet.decision.made", NOW, "parked", 3, 500, None, None)
    notified, parked = lines(Trace(None, b"", (), ()), [told], {subscription.id: subscription})
    assert (notified["what"], notified["who"]) == ("notified", f"{POST} (webhook)")
    assert (parked["what"], parked["detail"]) == ("parked", "3 attempts, last: status 500")


def test_no_person_stands_in_the_story() -> None:
    assert STORY.dossier is not None
    content = STORY.transitions[0].input
    names = Filing.from_json(content).consignment
    assert names is not None
    assert names.consignee is not None
    assert names.consignee.name
    assert names.consignee.name not in str(list(lines(STORY, [], {})))


def difference_of(story: Trace) -> str | None:
    stored = story.dossier
    assert stored is not None
    return replay(stored.key, stored, story.transitions, {POLICY.digest: POLICY}.__getitem__).difference


def test_history_folds_to_the_same_dossier_again() -> None:
    assert difference_of(STORY) is None


@pytest.mark.parametrize("column", ["input", "events", "at", "hash"])
def test_altered_history_is_noticed(column: str) -> None:
    rows = list(STORY.transitions)
    changed: Any = {
        "input": rows[1].input.replace("risk", "rusk"),
        "events": rows[1].events + " ",
        "at": rows[1].at + timedelta(seconds=1),
        "hash": b"x" * 32,
    }
    rows[1] = rows[1]._replace(**{column: changed[column]})
    found = difference_of(STORY._replace(transitions=tuple(rows)))
    assert found == "the chain of hashes breaks at sequence 2"


def test_another_dossier_than_history_makes_is_noticed() -> None:
    assert STORY.dossier is not None
    story = STORY._replace(dossier=STORY.dossier.with_({"withdrawn": True}))
    assert difference_of(story) == "another dossier"


class Record:
    """A record as the consumer gives it."""

    topic, partition, offset, timestamp = "exchange.inbound.us-post", 2, 41, 1_700_000_000_000
    key, value, headers = b"k", b"\x00bytes", (("ce_id", b"7"), ("odd", b"\xff"), ("none", None))


def test_a_dead_letter_goes_back_to_its_topic_as_it_came() -> None:
    publisher: Any = None
    letter = DeadLetters(publisher, Topics(), "ingest", Metrics()).letter(Record(), "MSG-FORMAT", "why", "us-post")
    record = restored(letter)
    assert (record.topic, record.key, record.value) == (Record.topic, Record.key, Record.value)
    assert record.headers == [("ce_id", b"7"), ("odd", b"\xff"), ("none", b"")]
