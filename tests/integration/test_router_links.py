"""Orders, units and numbers lead to consignments: on a real PostgreSQL, whichever comes first, and with two routers at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.router import store
from services.router.batch import Stored
from shared.contracts import Answer, ConsignmentAccepted, Outcome, Scope, derived_id, order_key
from shared.db import transaction
from shared.model import Filing, Model, Movement, OrderRef, Payment
from tests.builders import KEY, a_filing, a_house_consignment, an_order, at, naming
from tests.integration.test_router_store import Hub, _replays, _until_done, hub, traced  # noqa: F401
from tests.unit.services.router.test_beside import beside
from tests.unit.services.router.test_tracks import MASTER, said

AWB = MASTER.removeprefix("master:")
S9 = "USLAXANLHAGIAUN60123004100085"
RECEPTACLE = f"receptacle:{S9}"


@pytest.fixture
async def two_hubs(fresh_database: str) -> AsyncIterator[tuple[Hub, Hub]]:
    made = Hub(fresh_database), Hub(fresh_database)
    yield made
    for each in made:
        await each.engine.dispose()


def a_house(number: int, **changes: Any) -> Filing:
    return a_filing(a_house_consignment(house_transport_document_id=f"RR{number}", **changes), message_id=f"H{number}")


def of_master(code: str, second: float) -> Answer:
    return said("cusres", code, second, key=MASTER, scope=Scope(level="master"))


def in_receptacle(key: str = KEY, message_id: str = "P1", **changes: Any) -> Filing:
    content = Movement(**{"stage": "despatched", "channel": "post", "receptacle_id": S9, **changes})
    return beside(content, "us-post", message_id, key=key, filing_id=derived_id(key, message_id))


async def outcomes(hub: Hub, *keys: str) -> list[Outcome | None]:  # noqa: F811
    found = [(await traced(hub, key)).dossier for key in keys]
    return [dossier.outcome if dossier is not None else None for dossier in found]


# --- units -------------------------------------------------------------------------------------------------------------------------------


async def test_a_house_joins_a_master_without_a_look_at_its_neighbours_and_the_master_s_hold_reaches_them_all(
    hub: Hub,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    houses = [a_house(number, master_transport_document_id=AWB) for number in range(300)]
    await hub.read(*houses)
    locked: list[set[str]] = []
    lock = store.lock_dossiers

    async def noted(connection: AsyncConnection, keys: Iterable[str]) -> dict[str, Stored]:
        locked.append(set(keys))
        return await lock(connection, keys)

    monkeypatch.setattr(store, "lock_dossiers", noted)
    late = a_house(300, master_transport_document_id=AWB)
    await hub.read(late)
    assert locked == [{late.key, MASTER}]
    await hub.read(of_master("7", 10))
    assert len(locked[1]) == 302
    assert await outcomes(hub, houses[0].key, houses[299].key, late.key) == [Outcome.HOLD] * 3
    later = a_house(301, master_transport_document_id=AWB)
    await hub.read(later)
    assert locked[2] == {later.key, MASTER}
    assert await outcomes(hub, later.key) == [Outcome.HOLD]


async def test_a_hold_of_the_master_holds_every_house_and_a_house_lift_does_not_end_it(hub: Hub) -> None:  # noqa: F811
    houses = [a_house(number, master_transport_document_id=AWB) for number in range(3)]
    await hub.read(*houses)
    await hub.read(of_master("7", 10))
    assert await outcomes(hub, *(house.key for house in houses)) == [Outcome.HOLD] * 3
    await hub.read(said("cusres", "4", 20, key=houses[0].key))
    assert await outcomes(hub, *(house.key for house in houses)) == [Outcome.HOLD] * 3
    await hub.read(of_master("4", 30))
    assert await outcomes(hub, *(house.key for house in houses)) == [Outcome.RELEASE] * 3
    for house in houses:
        assert await _replays(hub, house.key)
    assert await _replays(hub, MASTER)


async def test_a_house_linked_later_inherits_what_is_open_and_no_release(hub: Hub) -> None:  # noqa: F811
    await hub.read(of_master("5", 10), of_master("7", 11), said("xcsn", "RS", 12, key=MASTER, scope=Scope(level="master")))
    await hub.read(said("xcsn", "CO", 13, key=MASTER, scope=Scope(level="master")))
    await hub.read(a_house(1, master_transport_document_id=AWB))
    (decision,) = hub.published.decisions
    assert {reason.code for reason in decision.reasons} == {"CUSRES-5", "CUSRES-7"}
    await hub.read(of_master("4", 20))
    await hub.read(a_house(2, master_transport_document_id=AWB))
    held = (await traced(hub, "post:RR2")).dossier
    assert held is not None
    assert (held.outcome, held.statements) == (Outcome.RELEASE, None)


async def test_a_movement_puts_the_item_in_its_receptacle_and_that_under_its_master(hub: Hub) -> None:  # noqa: F811
    await hub.read(a_filing(), in_receptacle())
    await hub.read(of_master("7", 10))
    await hub.read(in_receptacle(RECEPTACLE, "P2", master_transport_document_id=AWB))
    assert await outcomes(hub, KEY) == [Outcome.HOLD]
    await hub.read(said("itmref", "RFS", 20, key=RECEPTACLE, scope=Scope(level="receptacle"), referral_id="R1"))
    await hub.read(of_master("4", 30))
    assert [reason.code for reason in hub.published.decisions[-1].reasons] == ["ITMREF-RFS"]
    assert (await traced(hub, KEY)).dossier.parties == ("us-post",)  # type: ignore[union-attr]
    assert await _replays(hub, KEY)


async def test_events_of_a_whole_master_go_out_again_when_the_answer_comes_again(hub: Hub) -> None:  # noqa: F811
    await hub.read(a_filing(), in_receptacle(), in_receptacle(RECEPTACLE, "P2", master_transport_document_id=AWB))
    hub.published.records = []
    await hub.read(of_master("7", 10))
    first, hub.published.records = hub.published.records, []
    await hub.read(of_master("7", 10))
    assert hub.published.records == first
    assert len(first) == 1


# --- numbers -----------------------------------------------------------------------------------------------------------------------------


def accepted(key: str = KEY, second: float = 1) -> Answer:
    return said("cusres", "9", second, key=key, reference="26BE0000H7K3P41AR8")


def by_mrn(code: str, second: float) -> Answer:
    return said("cusres", code, second, key="mrn:26BE0000H7K3P41AR8")


async def test_an_answer_that_names_only_the_mrn_finds_its_consignment_in_any_order(hub: Hub) -> None:  # noqa: F811
    for place, bodies in enumerate(permutations((lambda k: accepted(k), lambda k: None, lambda k: by_mrn("7", 5)))):
        number = f"26BE0000H7K3P4{place}AR8"
        house = a_house(place)
        inputs: list[Model] = []
        for make in bodies:
            made = make(house.key)
            if made is None:
                inputs.append(house)
            else:
                changes = {"reference": number} if made.reference else {"key": f"mrn:{number}"}
                inputs.append(made.model_copy(update=changes))
        for body in inputs:
            await hub.read(body)
        assert await outcomes(hub, house.key) == [Outcome.HOLD]
        assert await _replays(hub, house.key)


async def test_a_chain_of_numbers_waits_until_a_filing_names_the_first(hub: Hub) -> None:  # noqa: F811
    await hub.read(accepted("lrn:JX-1"))
    await hub.read(by_mrn("7", 5))
    await hub.read(a_filing(references=("lrn:JX-1",)))
    assert await outcomes(hub, KEY) == [Outcome.HOLD]
    await hub.read(by_mrn("4", 9))
    assert await outcomes(hub, KEY) == [Outcome.RELEASE]


async def test_a_number_that_two_senders_claim_stops_both_and_releases_neither(hub: Hub) -> None:  # noqa: F811
    lrn = "lrn:JX-1"
    await hub.read(said("cusres", "4", 1, key=lrn), a_filing(references=(lrn,)))
    await hub.read(a_house(2, consignor=None).model_copy(update={"participant": "other-post", "references": (lrn,)}))
    claimed = (await traced(hub, "post:RR2")).dossier
    assert claimed is not None
    assert claimed.statements is None
    await hub.read(said("cusres", "7", 2, key=lrn))
    await hub.read(said("cusres", "4", 3, key=lrn))
    assert await outcomes(hub, KEY, "post:RR2") == [Outcome.HOLD] * 2


async def test_a_chain_of_numbers_in_one_batch(hub: Hub) -> None:  # noqa: F811
    await hub.read(by_mrn("7", 5))
    await hub.read(accepted("lrn:JX-1"), a_filing(references=("lrn:JX-1",)))
    assert await outcomes(hub, KEY) == [Outcome.HOLD]


async def test_a_withheld_word_on_an_unknown_number_is_counted_after_three_days(hub: Hub) -> None:  # noqa: F811
    from services.router import store

    await hub.read(by_mrn("7", 0), said("cusres", "7", 0, key=KEY, reference="26BE0000H7K3P41AR9"))
    await hub.read(said("cusres", "4", 1, key="mrn:26BE0000H7K3P41AR9"))
    async with transaction(hub.engine) as connection:
        assert await store.unresolved(connection, at(-1)) == 0
        assert await store.unresolved(connection, at(60)) == 1


# --- payments ----------------------------------------------------------------------------------------------------------------------------


def a_payment(*orders: str) -> Filing:
    refs = tuple(OrderRef(platform_id="bazaar", order_id=order) for order in orders)
    return beside(Payment(payment_id="P-1", payment_provider_id="paywell", orders=refs), key=order_key(refs[0]))


async def test_a_payment_reaches_the_consignments_of_its_orders_in_any_order(hub: Hub) -> None:  # noqa: F811
    for place, bodies in enumerate(permutations(("payment", "order", "consignment"))):
        order = f"O{place}"
        made: dict[str, Model] = {
            "payment": a_payment(order).model_copy(update={"filing_id": derived_id(order)}),
            "order": a_filing(order=an_order(order), message_id=order),
            "consignment": a_house(place, orders=naming(order)),
        }
        for name in bodies:
            await hub.read(made[name])
        dossier = (await traced(hub, f"post:RR{place}")).dossier
        assert dossier is not None
        assert [fact.kind for fact in dossier.facts or ()] == ["payment"]
        assert set(dossier.parties) == {"us-post", "bazaar"}
        assert await _replays(hub, dossier.key)


async def test_one_payment_of_two_orders_is_told_once_and_kept_once(hub: Hub) -> None:  # noqa: F811
    await hub.read(a_house(1, orders=(*naming("A"), *naming("B"))), a_payment("A", "B"))
    await hub.read(a_house(2, orders=naming("B")))
    await hub.read(
        a_house(2, orders=(*naming("B"), *naming("A"))).model_copy(update={"filing_id": derived_id("again"), "message_id": "M9"})
    )
    for key in ("post:RR1", "post:RR2"):
        assert len((await traced(hub, key)).dossier.facts or ()) == 1  # type: ignore[union-attr]
    told = [body for body in hub.published.bodies(ConsignmentAccepted, "guichet.consignment.accepted") if body.filing.kind == "payment"]
    assert [(body.effect, body.parties) for body in told] == [("linked", ("paywell",))]


# --- two routers -------------------------------------------------------------------------------------------------------------------------


async def test_two_routers_racing_on_houses_and_their_master_miss_no_house(two_hubs: tuple[Hub, Hub]) -> None:
    one, other = two_hubs
    houses = [a_house(number, master_transport_document_id=AWB) for number in range(40)]
    for start in range(0, 40, 10):
        await asyncio.gather(_until_done(one, houses[start : start + 10]), _until_done(other, [of_master("7", 10 + start)]))
    assert set(await outcomes(one, *(house.key for house in houses))) == {Outcome.HOLD}
    await asyncio.gather(_until_done(one, [of_master("4", 100)]), _until_done(other, houses))
    assert set(await outcomes(one, *(house.key for house in houses))) == {Outcome.RELEASE}
    for house in houses[::7]:
        assert await _replays(one, house.key)


async def test_two_routers_racing_on_a_number_and_the_word_that_gives_it(two_hubs: tuple[Hub, Hub]) -> None:
    one, other = two_hubs
    keys = [f"post:RR{number}" for number in range(20)]
    await _until_done(one, [a_house(number) for number in range(20)])
    giving = [accepted(key).model_copy(update={"reference": f"MRN{key}"}) for key in keys]
    holding = [said("cusres", "7", 5, key=f"mrn:MRN{key}") for key in keys]
    await asyncio.gather(_until_done(one, giving), _until_done(other, holding[::-1]))
    assert set(await outcomes(one, *keys)) == {Outcome.HOLD}
    async with transaction(one.engine) as connection:
        count = (await connection.execute(text("SELECT count(*) FROM router.link WHERE ref LIKE 'mrn:%'"))).scalar_one()
    assert count == len(keys)
