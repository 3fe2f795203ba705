"""The router's shell on a real PostgreSQL; what it publishes is caught by a fake publisher, so that a crash between commit and publish can
be staged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.router import handlers, store
from services.router.app import GRACE, Sweeper
from services.router.clock import Clock
from services.router.handlers import Router
from services.router.policy.loading import load_pack
from shared.contracts import (
    ConsignmentAccepted,
    DecisionMade,
    FilingRejected,
    Outcome,
    ServiceRequest,
    Topics,
    header,
)
from shared.db import StoreConflict, create_engine, transaction
from shared.errors import StoreUnavailable
from shared.kafka import Outgoing
from shared.model import Model
from tests.builders import KEY, NOON, a_command, a_filing, a_goods_item, a_house_consignment, an_answer, an_order, at, naming

TOPICS = Topics()


class Published:
    """A publisher that keeps what it is given, or is away."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.away = False

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        if self.away:
            raise StoreUnavailable("Kafka away")
        self.records += messages

    async def publish_until_out(self, messages: Sequence[Outgoing]) -> None:
        while self.away:
            await asyncio.sleep(0.01)
        self.records += messages

    def ids(self) -> list[str | None]:
        return [header(record.headers, "ce_id") for record in self.records]

    def bodies(self, model: type[Model], type_name: str) -> list[Any]:
        return [model.from_json(record.value) for record in self.records if header(record.headers, "ce_type") == type_name]

    @property
    def decisions(self) -> list[DecisionMade]:
        return self.bodies(DecisionMade, "guichet.decision.made")


class PutAside:
    """Dead letters, kept."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    async def put(self, record: Any, code: str, error: str, participant: str | None = None) -> None:
        self.codes.append(code)


class Hub:
    """A router with its own connections, as a process has them."""

    def __init__(self, url: str, pack: str = "eu-policy-only") -> None:
        self.engine: AsyncEngine = create_engine(url)
        self.published = Published()
        self.dead = PutAside()
        self.now = at(0)
        self.router = Router(load_pack(pack), TOPICS, self.engine, self.published, self.dead, lambda: self.now)  # type: ignore[arg-type]

    async def read(self, *bodies: Model | bytes, second: float = 0) -> None:
        self.now = at(second)
        saying = await self.router.on_inputs([a_record(body) for body in bodies])
        if saying is not None:
            await saying

    async def read_and_die(self, *bodies: Model | bytes) -> None:
        """Store what the batch causes, and die before Kafka has it."""
        self.published.away = True
        saying = await self.router.on_inputs([a_record(body) for body in bodies])
        assert saying is not None
        saying.cancel()
        await asyncio.wait([saying])


def a_record(body: Model | bytes) -> ConsumerRecord[bytes, bytes]:
    types = {"Filing": "filing", "Answer": "answer", "Command": "command"}
    name = types.get(type(body).__name__, "filing")
    value = body.to_json() if isinstance(body, Model) else body
    headers = [("ce_type", f"guichet.{name}".encode())]
    return ConsumerRecord(TOPICS.filings, 0, 0, 0, 0, b"key", value, None, 3, len(value), headers)


@pytest.fixture
async def hub(fresh_database: str) -> AsyncIterator[Hub]:
    made = Hub(fresh_database)
    yield made
    await made.engine.dispose()


@pytest.fixture
async def asking_hub(fresh_database: str) -> AsyncIterator[Hub]:
    made = Hub(fresh_database, "eu")
    yield made
    await made.engine.dispose()


async def traced(hub: Hub, key: str) -> store.Trace:
    async with transaction(hub.engine) as connection:
        return await store.trace(connection, key)


@pytest.mark.parametrize("count", [20, handlers.WRITE_FROM, 2 * handlers.WRITE_FROM + 20])
async def test_a_batch_read_twice_changes_nothing_and_says_the_same_with_the_same_ids(hub: Hub, count: int) -> None:
    filings = [a_filing(a_house_consignment(house_transport_document_id=f"RR{n}"), message_id=f"M{n}") for n in range(count)]
    await hub.read(*filings)
    assert await unpublished(hub) == 1
    first, hub.published.records = hub.published.records, []
    await hub.read(*filings)
    assert in_order_of_keys(hub.published.records) == in_order_of_keys(first)
    assert {decision.key for decision in hub.published.decisions} == {f"post:RR{n}" for n in range(count)}
    for n in (7, count - 1):
        assert (await traced(hub, f"post:RR{n}")).dossier.sequence == 1  # type: ignore[union-attr]


async def test_a_large_batch_about_what_is_known_changes_each_dossier_once(hub: Hub) -> None:
    count = 2 * handlers.WRITE_FROM + 20
    numbers = [f"RR{n}" for n in range(count)]
    await hub.read(*[a_filing(a_house_consignment(house_transport_document_id=number), message_id=number) for number in numbers])
    await hub.read(*[a_command("hold", key=f"post:{number}", command_id=uuid4()) for number in numbers], second=60)
    assert await unpublished(hub) == 1
    for number in (numbers[7], numbers[-1]):
        held = await traced(hub, f"post:{number}")
        assert held.dossier is not None
        assert (held.dossier.sequence, [row.sequence for row in held.transitions]) == (2, [1, 2])


async def test_events_lost_between_commit_and_publish_go_out_when_the_batch_comes_again(hub: Hub) -> None:
    consignment, order = a_filing(a_house_consignment(orders=naming())), a_filing(order=an_order())
    await hub.read_and_die(consignment, order)
    hub.published.away = False
    await hub.read(consignment, order)
    assert [accepted.effect for accepted in hub.published.bodies(ConsignmentAccepted, "guichet.consignment.accepted")] == [
        "created",
        "created",
        "linked",
    ]
    assert {party for decision in hub.published.decisions for party in decision.parties} == {"us-post", "bazaar"}


async def test_while_kafka_is_away_the_next_batch_is_folded_and_told_after_the_first(hub: Hub) -> None:
    hub.published.away = True
    first = await hub.router.on_inputs([a_record(a_filing())])
    following = asyncio.create_task(hub.router.on_inputs([a_record(a_command("hold"))]))
    async with asyncio.timeout(10):
        while await unpublished(hub) < 2:
            await asyncio.sleep(0.01)
    assert hub.published.records == []
    hub.published.away = False
    second = await following
    assert first is not None
    assert second is not None
    await asyncio.gather(first, second)
    assert [decision.sequence for decision in hub.published.decisions] == [1, 2]


async def test_the_same_message_twice_in_one_batch_is_one(hub: Hub) -> None:
    await hub.read(a_filing(), a_filing())
    assert len(hub.published.decisions) == 1


async def test_a_used_message_id_with_other_content_is_refused_once(hub: Hub) -> None:
    other = a_filing(a_house_consignment(gross_mass_kg="0.700"))
    await hub.read(a_filing())
    await hub.read(other)
    await hub.read(other)
    rejected = hub.published.bodies(FilingRejected, "guichet.filing.rejected")
    assert [finding.code for body in rejected for finding in body.rejection.findings] == ["MSG-CONFLICT", "MSG-CONFLICT"]
    assert len({body.event_id for body in rejected}) == 1
    assert (await traced(hub, KEY)).dossier.sequence == 2  # type: ignore[union-attr]


async def test_a_record_that_is_no_input_is_put_aside_and_its_neighbours_are_not_touched(hub: Hub) -> None:
    await hub.read(b"{", a_filing(), b"\xff\x00", an_answer("risk", Outcome.WITHDRAWN))
    assert hub.dead.codes == ["router.invalid"] * 3
    assert len(hub.published.decisions) == 1


@pytest.mark.parametrize("order_first", [True, False])
async def test_an_order_is_linked_whichever_comes_first(hub: Hub, order_first: bool) -> None:
    consignment = a_filing(a_house_consignment(orders=naming(), goods_items=(a_goods_item(hs_code=None),)))
    order = a_filing(order=an_order())
    for filing in (order, consignment) if order_first else (consignment, order):
        await hub.read(filing)
    assert hub.published.decisions[-1].outcome is Outcome.RELEASE
    assert (await traced(hub, KEY)).links == ((order.key, KEY),)


async def test_one_order_serves_several_consignments(hub: Hub) -> None:
    parts = [a_filing(a_house_consignment(house_transport_document_id=f"RR{n}", orders=naming()), message_id=f"M{n}") for n in range(3)]
    await hub.read(*parts[:2])
    await hub.read(a_filing(order=an_order()))
    await hub.read(parts[2])
    for part in parts:
        assert set((await traced(hub, part.key)).dossier.parties) == {"us-post", "bazaar"}  # type: ignore[union-attr]


async def test_two_routers_racing_on_order_and_consignment_link_them_once(fresh_database: str) -> None:
    hubs = Hub(fresh_database), Hub(fresh_database)
    numbers = [uuid4().hex[:8] for _ in range(40)]
    consignments = [
        a_filing(
            a_house_consignment(house_transport_document_id=number, orders=naming(number), goods_items=(a_goods_item(hs_code=None),)),
            message_id=number,
        )
        for number in numbers
    ]
    orders = [a_filing(order=an_order(number), message_id=number) for number in reversed(numbers)]
    for start in range(0, 40, 10):
        await asyncio.gather(
            _until_done(hubs[0], consignments[start : start + 10]),
            _until_done(hubs[1], [order for order in orders if order.message_id in set(numbers[start : start + 10])]),
        )
    for filing in consignments:
        found = await traced(hubs[0], filing.key)
        assert found.dossier is not None
        assert found.dossier.outcome is Outcome.RELEASE
        assert [row.kind for row in found.transitions].count("link") == 1
        assert await _replays(hubs[0], filing.key)
    for hub in hubs:
        await hub.engine.dispose()


async def test_two_routers_with_the_same_batch_apply_it_once(fresh_database: str) -> None:
    hubs = Hub(fresh_database), Hub(fresh_database)
    filings = [a_filing(a_house_consignment(house_transport_document_id=f"RR{n}"), message_id=f"M{n}") for n in range(60)]
    await asyncio.gather(*(_until_done(hub, filings) for hub in hubs))
    assert sorted(map(str, set(hubs[0].published.ids()))) == sorted(map(str, set(hubs[1].published.ids())))
    async with transaction(hubs[0].engine) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM router.transition"))).scalar_one() == 60
    for hub in hubs:
        await hub.engine.dispose()


async def _until_done(hub: Hub, filings: Sequence[Model]) -> None:
    """Read the batch again while a twin is in the way, as the shell does."""
    for _ in range(20):
        try:
            return await hub.read(*filings)
        except StoreConflict:
            await asyncio.sleep(0.01)
    raise AssertionError("still in conflict")


async def _replays(hub: Hub, key: str) -> bool:
    async with transaction(hub.engine) as connection:
        return (await store.replayed(connection, key)).same


async def test_history_folds_again_to_the_same_dossier(asking_hub: Hub) -> None:
    await asking_hub.read(a_filing(), an_answer("risk"), a_command("hold"), an_answer("single-window", Outcome.PHYSICAL_CHECK))
    await asking_hub.read(a_filing(a_house_consignment(gross_mass_kg="0.700"), message_id="M2", function="replace"), second=5)
    await asking_hub.read(a_filing(), a_command("release"), second=6)
    async with transaction(asking_hub.engine) as connection:
        result = await store.replayed(connection, KEY)
    assert result.same
    assert result.inputs == 6


async def test_an_altered_row_is_seen(hub: Hub) -> None:
    await hub.read(a_filing(), a_command("hold"))
    async with transaction(hub.engine) as connection:
        await connection.execute(text("UPDATE router.transition SET input = replace(input, 'looked', 'glanced') WHERE sequence = 2"))
        result = await store.replayed(connection, KEY)
    assert result.broken_at == 2
    assert not result.same


async def test_the_clock_says_each_deadline_once_and_the_router_decides(asking_hub: Hub) -> None:
    await asking_hub.read(a_filing(), an_answer("risk"))
    clock = Clock(asking_hub.engine, asking_hub.published, TOPICS)  # type: ignore[arg-type]
    assert await clock.tick(at(5)) == 0
    assert await clock.tick(at(31)) == 1
    assert await clock.tick(at(32)) == 0
    command = next(record for record in asking_hub.published.records if record.topic == TOPICS.commands)
    asking_hub.now = at(33)
    saying = await asking_hub.router.on_inputs(
        [ConsumerRecord(TOPICS.commands, 0, 0, 0, 0, b"", command.value, None, 0, 0, command.headers)]
    )
    assert saying is not None
    await saying
    assert asking_hub.published.decisions[-1].outcome is Outcome.DOCUMENT_CHECK
    async with transaction(asking_hub.engine) as connection:
        assert await store.overdue(connection, at(3600)) == 0


async def test_each_service_is_asked_once_and_its_request_waits_on_its_topic(asking_hub: Hub) -> None:
    await asking_hub.read(a_filing(), a_filing(message_id="M2"))
    requests = asking_hub.published.bodies(ServiceRequest, "guichet.request")
    assert [request.service for request in requests] == ["risk", "single-window"]
    assert {record.topic for record in asking_hub.published.records} == {
        TOPICS.decisions,
        TOPICS.requests("risk"),
        TOPICS.requests("single-window"),
    }
    assert requests[0].asked_at == NOON


async def test_a_service_has_its_full_time_however_long_the_filing_waited(asking_hub: Hub) -> None:
    await asking_hub.read(a_filing(received_at=at(-3600)), second=0)
    (first, *_) = asking_hub.published.bodies(ServiceRequest, "guichet.request")
    assert (first.asked_at, first.answer_due_at) == (at(0), at(30))


async def test_what_a_router_that_died_did_not_tell_is_told_before_anything_newer(fresh_database: str) -> None:
    dead, alive = Hub(fresh_database), Hub(fresh_database)
    await dead.read_and_die(a_filing())
    await alive.read(a_command("hold"))
    assert [decision.sequence for decision in alive.published.decisions] == [1, 2]
    await alive.read(a_filing())
    assert [decision.sequence for decision in alive.published.decisions] == [1, 2, 1], "the repetition has the same sequence and id"
    for hub in (dead, alive):
        await hub.engine.dispose()


async def test_what_nobody_asks_for_again_is_told_all_the_same_and_until_then_the_router_is_not_ready(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "SETTLE_SECONDS", 0.01)
    dead, alive = Hub(fresh_database), Hub(fresh_database)
    sweeper = Sweeper(SimpleNamespace(engine=alive.engine, metrics=SimpleNamespace(registry=CollectorRegistry())))  # type: ignore[arg-type]
    await dead.read_and_die(a_filing())
    await sweeper.look(at(0) + GRACE / 2, numbers_too=True)
    await sweeper.told()
    await sweeper.look(at(0) + 2 * GRACE, numbers_too=False)
    with pytest.raises(RuntimeError, match="1 stored batches"):
        await sweeper.told()
    alive.now = at(11)
    settling = asyncio.create_task(alive.router.settle())
    async with asyncio.timeout(10):
        while not alive.published.decisions:
            await asyncio.sleep(0.01)
        while await unpublished(alive):
            await asyncio.sleep(0.01)
    settling.cancel()
    assert [decision.sequence for decision in alive.published.decisions] == [1]
    await sweeper.look(at(0) + 2 * GRACE, numbers_too=False)
    await sweeper.told()
    for hub in (dead, alive):
        await hub.engine.dispose()


async def test_a_batch_that_is_out_is_struck_off_by_the_next(hub: Hub) -> None:
    await hub.read(a_filing())
    assert await unpublished(hub) == 1
    await hub.read(a_command("hold"))
    assert await unpublished(hub) == 1
    assert [decision.sequence for decision in hub.published.decisions] == [1, 2]


def in_order_of_keys(records: Sequence[Outgoing]) -> list[Outgoing]:
    """Return *records* by key, those of one key in their order: between keys there is none."""
    return sorted(records, key=lambda record: record.key or b"")


async def unpublished(hub: Hub) -> int:
    async with transaction(hub.engine) as connection:
        return await store.unpublished(connection, at(3600))
