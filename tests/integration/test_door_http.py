"""The HTTP door on a real Kafka and PostgreSQL: what 202 promises, what happens while Kafka or PostgreSQL is away, and who sees what."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from aiokafka import AIOKafkaConsumer
from sqlalchemy import text

from deploy.local import LocalKafka
from deploy.local.ports import free_port
from services.ingest.door import Door
from shared import directory_store
from shared.contracts import (
    TYPE_OF,
    ConsignmentAccepted,
    DecisionMade,
    EventBody,
    FilingRef,
    FilingRejected,
    Missing,
    Outcome,
    PolicyRef,
    Reason,
    SubmissionRead,
    Summary,
    derived_id,
    event_headers,
)
from shared.db import create_engine, transaction
from shared.directory import Channel, Participant, Role, Subscription
from shared.kafka import Outgoing
from shared.kafka_admin import core_topics, ensure_topics
from shared.model import Dialect, Finding, Kind, Rejection
from shared.model.filing import KINDS
from shared.problems import MEDIA_TYPE
from shared.settings import Settings

BODY = b"<ItMatt/>"
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
PARTICIPANTS = (
    Participant(id="poste-a", name="Poste A", role=Role.POST, country="FR", dialect=Dialect(time_zone="Europe/Paris")),
    Participant(id="carrier-b", name="Carrier B", role=Role.CARRIER, country="DE"),
)


@dataclass
class Hub:
    """A door that runs, and what a test needs of its surroundings."""

    settings: Settings
    door: Door
    url: str
    keys: dict[str, str]

    def client(self, participant: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {self.keys[participant]}"}, timeout=20)

    async def publish(self, *events: EventBody, submission: UUID | None = None) -> None:
        """Publish events on ``decisions.v1`` as ingest and router do."""
        extra = [("submission", str(submission))] if submission else []
        await self.door.publisher.publish(
            Outgoing(
                self.settings.topics.decisions,
                event.key.encode(),
                event.to_json(),
                event_headers(id=event.event_id, type=TYPE_OF[type(event)], source="/test", time=NOW, extra=extra),
            )
            for event in events
        )


@asynccontextmanager
async def running(bootstrap: str, database: str, prefix: str, **more: Any) -> AsyncIterator[Hub]:
    nobody = f"http://127.0.0.1:{free_port()}"
    settings = Settings(kafka_bootstrap=bootstrap, database_url=database, topic_prefix=prefix, read_url=nobody, **more)
    engine = create_engine(database)
    keys = {}
    for participant in PARTICIPANTS:
        await directory_store.add_participant(engine, participant)
        keys[participant.id] = await directory_store.add_key(engine, participant.id)
    directory = await directory_store.load(engine)
    await ensure_topics(bootstrap, [*core_topics(settings.topics), *directory_store.topics_of_all(settings.topics, directory)])
    await engine.dispose()
    door = Door(settings)
    server = uvicorn.Server(uvicorn.Config(door.app(), host="127.0.0.1", port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: _started(server))
    port = server.servers[0].sockets[0].getsockname()[1]
    hub = Hub(settings, door, f"http://127.0.0.1:{port}", keys)
    try:
        await eventually(lambda: _ready(hub.url))
        yield hub
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def hub(kafka_bootstrap: str, fresh_database: str, topic_prefix: str) -> AsyncIterator[Hub]:
    async with running(kafka_bootstrap, fresh_database, topic_prefix) as hub:
        yield hub


async def _started(server: uvicorn.Server) -> bool:
    return server.started


async def _ready(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{url}/health/ready")).status_code == 200


async def eventually(condition: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
    """Return the condition's first true answer; fail when there is none in time."""
    until = time.monotonic() + seconds
    while not (answer := await condition()):
        assert time.monotonic() < until, "it did not happen in time"
        await asyncio.sleep(0.05)
    return answer


async def submit(client: httpx.AsyncClient, body: Any = BODY, **headers: str) -> httpx.Response:
    named = {"Content-Type": "application/xml"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/v1/submissions", content=body, headers=named)


async def inbound(hub: Hub, participant: str, count: int) -> list[Any]:
    """Read *count* records of the participant's inbound topic, and see that no more follow."""
    consumer = AIOKafkaConsumer(
        hub.settings.topics.inbound(participant), bootstrap_servers=hub.settings.kafka_bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        ends = sum((await consumer.end_offsets(consumer.assignment())).values())
        records = [await asyncio.wait_for(consumer.getone(), 20) for _ in range(count)]
    assert ends == count
    return records


def a_filing(receipt: UUID, position: str, kind: Kind = "consignment", participant: str = "poste-a") -> FilingRef:
    return FilingRef(
        filing_id=derived_id(receipt, position),
        participant=participant,
        format="itmatt",
        message_id="m1",
        position=position,
        function="original",
        received_at=NOW,
        submission_id=receipt,
        kind=kind,
    )


def accepted(filing: FilingRef, key: str, sequence: int = 1, **more: Any) -> ConsignmentAccepted:
    return ConsignmentAccepted(
        event_id=uuid4(), key=key, sequence=sequence, accepted_at=NOW + timedelta(seconds=2), filing=filing,
        effect=more.pop("effect", "created"), parties=(filing.participant,), **more,
    )  # fmt: skip


def decided(filing: FilingRef, key: str, outcome: Outcome, sequence: int = 1) -> DecisionMade:
    reason = Reason(code="HS93-HOLD", outcome=outcome, public="examination", why="secret of the authority")
    return DecisionMade(
        event_id=uuid4(), key=key, sequence=sequence, outcome=outcome, decided_at=NOW + timedelta(seconds=3), received_at=NOW,
        reasons=(reason, reason), category=1, policy=PolicyRef(pack="eu", version="1", digest="0" * 64),
        consignment=Summary(house_transport_document_id="X", channel="post"), filing=filing, parties=(filing.participant,),
    )  # fmt: skip


def read(receipt: UUID, *filings: FilingRef, rejected: int = 0, participant: str = "poste-a") -> SubmissionRead:
    return SubmissionRead(
        event_id=uuid4(), key=f"submission:{receipt}", submission_id=receipt, participant=participant, format="itmatt", message_id="m1",
        read_at=NOW + timedelta(seconds=1), items=len(filings), rejected=rejected, filings=tuple(f.filing_id for f in filings),
    )  # fmt: skip


def rejected(receipt: UUID, position: str) -> FilingRejected:
    finding = Finding(code="S10-CHECK", message="check digit", remedy="Correct it.", sender_path="Item[1]/ItemId", value="RR1")
    rejection = Rejection(
        rejection_id=derived_id(receipt, position), participant="poste-a", position=position, received_at=NOW, submission_id=receipt,
        findings=(finding,),
    )  # fmt: skip
    return FilingRejected(event_id=uuid4(), key=f"submission:{receipt}", rejected_at=NOW, rejection=rejection, parties=("poste-a",))


# --- what 202 promises --------------------------------------------------------------------------------------------------------------------


async def test_a_202_means_that_the_record_is_in_kafka_under_its_sender(hub: Hub) -> None:
    async with hub.client("poste-a") as client:
        response = await submit(client, Idempotency_Key="k1")
    assert response.status_code == 202
    (record,) = await inbound(hub, "poste-a", 1)
    receipt = response.json()["receipt_id"]
    assert (record.key, record.value) == (receipt.encode(), BODY)
    assert dict(record.headers)["ce_submission"] == receipt.encode()
    assert response.json()["sha256"] == hashlib.sha256(BODY).hexdigest()


async def test_a_body_of_the_full_five_mebibytes_is_taken_and_one_byte_more_is_not(hub: Hub) -> None:
    limit = 5 * 1024 * 1024

    async def streamed(size: int) -> AsyncIterator[bytes]:
        for start in range(0, size, 65_536):
            yield b"x" * min(65_536, size - start)

    async with hub.client("poste-a") as client:
        full = await submit(client, streamed(limit))
        assert "content-length" not in full.request.headers
        assert full.status_code == 202
        over = await submit(client, streamed(limit + 1))
        assert (over.status_code, over.headers["content-type"]) == (413, MEDIA_TYPE)
    (record,) = await inbound(hub, "poste-a", 1)
    assert len(record.value) == limit


async def test_an_idempotency_key_stands_for_one_content(hub: Hub) -> None:
    async with hub.client("poste-a") as client:
        first = await submit(client, Idempotency_Key="k1")
        again = await submit(client, Idempotency_Key="k1")
        other = await submit(client, b"<Other/>", Idempotency_Key="k1")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    await inbound(hub, "poste-a", 1)


async def test_of_many_at_once_each_has_its_own_receipt_and_each_key_one_content(hub: Hub) -> None:
    async with hub.client("poste-a") as client:
        answers = await asyncio.gather(*(submit(client, b"body %d" % (n % 2), Idempotency_Key=f"k{n // 2}") for n in range(200)))
    by_status = {status: [a for a in answers if a.status_code == status] for status in (202, 409)}
    assert len(by_status[202]) == len(by_status[409]) == 100
    assert len({a.json()["receipt_id"] for a in by_status[202]}) == 100
    await inbound(hub, "poste-a", 100)


async def test_a_sender_with_too_much_waiting_is_told_to_wait(kafka_bootstrap: str, fresh_database: str, topic_prefix: str) -> None:
    async with running(kafka_bootstrap, fresh_database, topic_prefix, lag_limit=2) as hub, hub.client("poste-a") as client:
        for n in range(3):
            assert (await submit(client, b"%d" % n)).status_code == 202

        async def turned_away() -> httpx.Response | None:
            response = await submit(client, b"0")
            return response if response.status_code == 429 else None

        response = await eventually(turned_away)
        assert int(response.headers["retry-after"]) > 0
        async with hub.client("carrier-b") as neighbour:
            assert (await submit(neighbour)).status_code == 202


# --- faults -------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """A Kafka that this test may kill."""
    part = LocalKafka(tmp_path / "kafka")
    part.start()
    yield part
    part.kill()


async def test_with_kafka_killed_the_answer_is_503_within_5_s_and_the_receipt_is_the_same_afterwards(
    own_kafka: LocalKafka, fresh_database: str, topic_prefix: str
) -> None:
    async with running(own_kafka.bootstrap, fresh_database, topic_prefix) as hub, hub.client("poste-a") as client:
        assert (await submit(client, b"before")).status_code == 202
        own_kafka.kill()
        assert not own_kafka.alive()
        for _ in range(2):
            began = time.monotonic()
            refused = await submit(client, Idempotency_Key="k1")
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert time.monotonic() - began < 5
            assert int(refused.headers["retry-after"]) > 0
        await asyncio.to_thread(own_kafka.start)

        async def taken() -> httpx.Response | None:
            response = await submit(client, Idempotency_Key="k1")
            return response if response.status_code == 202 else None

        response = await eventually(taken, 60)
        assert response.json()["receipt_id"] == str(derived_id("submission", "poste-a", "k1"))
        assert (await submit(client, Idempotency_Key="k1")).json() == response.json()


async def test_without_its_table_of_receipts_the_door_still_takes_messages(hub: Hub) -> None:
    engine = create_engine(hub.settings.database_url)
    async with transaction(engine) as lock:
        await lock.execute(text("LOCK TABLE ingest.submission IN ACCESS EXCLUSIVE MODE"))
        async with hub.client("poste-a") as client:
            assert (await submit(client, Idempotency_Key="k1")).status_code == 202
            began = time.monotonic()
            assert (await submit(client, Idempotency_Key="k2")).status_code == 202
            assert time.monotonic() - began < 1, "a store that failed a moment ago is not waited for"
    await engine.dispose()
    await inbound(hub, "poste-a", 2)


# --- the four answers ---------------------------------------------------------------------------------------------------------------------


async def test_the_four_answers_come_one_by_one_each_with_its_own_time(hub: Hub) -> None:
    async with hub.client("poste-a") as client:
        receipt = UUID((await submit(client)).json()["receipt_id"])

        async def status(what: str = "received") -> Any:
            body = (await client.get(f"/v1/submissions/{receipt}")).json()
            return body if what in body else None

        first = await status()
        assert set(first) == {"receipt_id", "received", "rejections", "items"}
        one, two = a_filing(receipt, "Item[1]"), a_filing(receipt, "Item[2]")
        await hub.publish(rejected(receipt, "Item[3]"), read(receipt, one, two, rejected=1), submission=receipt)
        second = await eventually(lambda: status("well_formed"))
        assert second["well_formed"] == {
            "at": "2026-11-21T10:00:01Z", "result": "partly_rejected", "format": "itmatt", "message_id": "m1", "items": 2, "rejected": 1,
        }  # fmt: skip
        assert [item["position"] for item in second["rejections"]] == ["Item[3]"]
        assert second["rejections"][0]["findings"][0]["code"] == "S10-CHECK"
        missing = (Missing(path="/consignee/name", view="pre_loading", holders=("post",)),)
        await hub.publish(accepted(one, "post:A"), accepted(two, "post:B", missing=missing), submission=receipt)
        third = await eventually(lambda: status("accepted"))
        assert third["accepted"] == {"at": "2026-11-21T10:00:02Z", "accepted": 1, "incomplete": 1, "waiting": 0}
        assert third["items"][1]["missing"][0]["path"] == "/consignee/name"
        await hub.publish(decided(one, "post:A", Outcome.HOLD), submission=receipt)
        fourth = await eventually(lambda: status("decided"))
        assert fourth["decided"] == {"at": "2026-11-21T10:00:03Z", "decided": 1, "waiting": 1, "outcomes": {"hold": 1}}
        assert fourth["items"][0]["reasons"] == ["examination"]
        assert "secret" not in str(fourth)
        assert "HS93" not in str(fourth)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "consignment"])
async def test_what_is_no_consignment_is_shown_as_what_it_is_and_waits_for_no_decision(hub: Hub, kind: Kind) -> None:
    async with hub.client("poste-a") as client:
        receipt = UUID((await submit(client)).json()["receipt_id"])
        parcel, other = a_filing(receipt, "Item[1]"), a_filing(receipt, "Item[2]", kind)
        events: list[EventBody] = [
            read(receipt, parcel, other),
            accepted(parcel, "post:A"),
            accepted(other, "post:A", 2),
            decided(parcel, "post:A", Outcome.HOLD),
        ]
        await hub.publish(*events, submission=receipt)

        async def status() -> Any:
            body = (await client.get(f"/v1/submissions/{receipt}")).json()
            return body if "decided" in body and len(body["items"]) == 2 and body["items"][1].get("kind") else None

        found = await eventually(status)
        assert [item["kind"] for item in found["items"]] == ["consignment", kind]
        assert (found["accepted"]["accepted"], found["decided"]["decided"], found["decided"]["waiting"]) == (2, 1, 0)
        assert "outcome" not in found["items"][1]


async def test_repeated_and_late_events_change_nothing(hub: Hub) -> None:
    async with hub.client("poste-a") as client:
        receipt = UUID((await submit(client)).json()["receipt_id"])
        filing = a_filing(receipt, "Item[1]")
        events: list[EventBody] = [
            read(receipt, filing), accepted(filing, "post:A", 2), decided(filing, "post:A", Outcome.RELEASE, 2),
            accepted(filing, "post:A", 1, effect="stale"), decided(filing, "post:A", Outcome.HOLD, 1), read(receipt, filing),
        ]  # fmt: skip
        for event in events:
            await hub.publish(event, submission=receipt)
        await hub.publish(read(end := uuid4()), submission=end)

        async def end_was_read() -> bool:
            async with transaction(hub.door.engine) as connection:
                return (await connection.execute(text("SELECT 1 FROM ingest.submission WHERE id = :id"), {"id": end})).first() is not None

        async def shows_release() -> bool:
            body = (await client.get(f"/v1/submissions/{receipt}")).json()
            return body.get("decided", {}).get("outcomes") == {"release": 1} and body["items"][0]["effect"] == "created"

        await eventually(end_was_read)
        await eventually(shows_release)


async def test_a_long_submission_is_read_page_by_page(hub: Hub) -> None:
    async with hub.client("poste-a") as client:
        receipt = UUID((await submit(client)).json()["receipt_id"])
        filings = [a_filing(receipt, f"Item[{n}]") for n in range(25)]
        bad = [rejected(receipt, f"Item[{n}]") for n in range(25, 30)]
        await hub.publish(*bad, *(accepted(f, f"post:{n}") for n, f in enumerate(filings)), submission=receipt)
        await hub.publish(read(receipt, *filings, rejected=5), submission=receipt)

        async def all_known() -> bool:
            body = (await client.get(f"/v1/submissions/{receipt}?limit=1000")).json()
            return len(body["items"]) == 25 and len(body["rejections"]) == 5 and all("key" in item for item in body["items"])

        await eventually(all_known)
        address, positions = f"/v1/submissions/{receipt}?limit=7", []
        while address:
            page = (await client.get(address)).json()
            entries = page["rejections"] + page["items"]
            assert len(entries) <= 7
            positions += [entry["position"] for entry in entries]
            address = page.get("next")
    assert sorted(positions[:5]) == [f"Item[{n}]" for n in range(25, 30)]
    assert positions[5:] == [f"Item[{n}]" for n in range(25)]


# --- who sees what ------------------------------------------------------------------------------------------------------------------------


async def test_no_participant_sees_anothers_data_by_any_address(hub: Hub) -> None:
    """The cross-tenant matrix: every address, asked by its owner, by a stranger with a key, with a dead key, and with none."""
    async with hub.client("poste-a") as owner:
        receipt = UUID((await submit(owner, Idempotency_Key="shared")).json()["receipt_id"])
        assert (await owner.get(f"/v1/submissions/{receipt}")).status_code == 200
        filing = a_filing(receipt, "Item[1]")
        await hub.publish(read(receipt, filing), accepted(filing, "post:A"), decided(filing, "post:A", Outcome.HOLD), submission=receipt)
    async with hub.client("carrier-b") as stranger:
        assert (await stranger.get(f"/v1/submissions/{receipt}")).status_code == 404
        mine = UUID((await submit(stranger, Idempotency_Key="shared")).json()["receipt_id"])
        assert mine != receipt
        theirs = a_filing(mine, "Item[1]", participant="carrier-b")
        await hub.publish(read(mine, theirs, participant="carrier-b"), accepted(theirs, "post:A"), submission=mine)

        async def accepted_now() -> Any:
            body = (await stranger.get(f"/v1/submissions/{mine}")).json()
            return body if "accepted" in body else None

        body = await eventually(accepted_now)
        assert "decided" not in body, "a decision of which one is not a party stays unseen"
        assert (await stranger.post("/v1/feed/ack", json={})).status_code == 503
    assert len(await inbound(hub, "carrier-b", 1)) == 1
    addresses = [
        ("POST", "/v1/submissions"),
        ("GET", f"/v1/submissions/{receipt}"),
        ("GET", "/v1/feed"),
        ("POST", "/v1/feed/ack"),
    ]
    async with httpx.AsyncClient(base_url=hub.url) as nobody:
        for method, address in addresses:
            for headers in ({}, {"Authorization": "Bearer gk_unknown"}):
                response = await nobody.request(method, address, headers=headers)
                assert (response.status_code, response.headers["content-type"]) == (401, MEDIA_TYPE), address


async def test_a_revoked_key_and_a_disabled_participant_are_out_within_seconds(hub: Hub) -> None:
    second = await directory_store.add_key(hub.door.engine, "poste-a", label="second", valid_for=timedelta(days=1))
    dying = await directory_store.add_key(hub.door.engine, "poste-a", label="dying", valid_for=timedelta(seconds=3))

    async def status_with(key: str) -> int:
        async with httpx.AsyncClient(base_url=hub.url, headers={"Authorization": f"Bearer {key}"}) as client:
            return (await client.get(f"/v1/submissions/{uuid4()}")).status_code

    async def known(key: str) -> bool:
        return await status_with(key) == 404

    async def out(key: str) -> bool:
        return await status_with(key) == 401

    await eventually(lambda: known(second))
    await eventually(lambda: out(dying))
    first = (await directory_store.list_keys(hub.door.engine, "poste-a"))[0]
    await directory_store.revoke_key(hub.door.engine, first.fingerprint)
    await eventually(lambda: out(hub.keys["poste-a"]))
    assert await known(second), "the other key lives on"
    await directory_store.set_active(hub.door.engine, "poste-a", False)
    await eventually(lambda: out(second))


# --- the directory ------------------------------------------------------------------------------------------------------------------------


async def test_the_directory_is_read_as_it_was_written(fresh_database: str) -> None:
    engine = create_engine(fresh_database)
    await directory_store.add_participant(engine, PARTICIPANTS[0])
    key = await directory_store.add_key(engine, "poste-a")
    subscription = Subscription(
        id=uuid4(), participant="poste-a", event_types=("guichet.decision.made",), channel=Channel.WEBHOOK, destination_country="DE",
        filter="category == 1", endpoint="https://example.org/hook", secrets=("whsec_a", "whsec_b"), created_at=NOW,
    )  # fmt: skip
    await directory_store.add_subscription(engine, subscription)
    directory = await directory_store.load(engine)
    assert directory.participants == {"poste-a": PARTICIPANTS[0]}
    assert directory.subscriptions == (subscription,)
    assert directory.participant_of_key(key) == PARTICIPANTS[0]
    assert await directory_store.load(engine, directory) is directory, "nothing changed, nothing is read"
    await directory_store.set_subscription_state(engine, subscription.id, "parked")
    after = await directory_store.load(engine, directory)
    assert after.revision > directory.revision
    assert after.subscriptions[0].state == "parked"
    await engine.dispose()


async def test_the_directory_refuses_doubles_and_strangers(fresh_database: str) -> None:
    engine = create_engine(fresh_database)
    await directory_store.add_participant(engine, PARTICIPANTS[0])
    with pytest.raises(directory_store.DuplicateEntry):
        await directory_store.add_participant(engine, PARTICIPANTS[0])
    key = await directory_store.add_key(engine, "poste-a")
    with pytest.raises(directory_store.DuplicateEntry):
        await directory_store.add_key(engine, "poste-a", key=key)
    for unknown in (
        directory_store.add_key(engine, "nobody"),
        directory_store.revoke_key(engine, "0123456789ab"),
        directory_store.revoke_key(engine, "%"),
        directory_store.set_active(engine, "nobody", True),
        directory_store.set_subscription_state(engine, uuid4(), "active"),
    ):
        with pytest.raises(directory_store.UnknownEntry):
            await unknown
    await engine.dispose()
