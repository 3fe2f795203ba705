"""What is said again and again, or across a crash, has one effect."""

from __future__ import annotations

from typing import Final

import httpx
import pytest

from deploy.local.ports import answers
from services.sandbox.traffic import CARRIER, POST
from shared.contracts import header
from shared.kafka import Outgoing
from tests.faults.stage import Stage
from tests.parcels import a_house, a_postal_item, house_key, itmatt, manifest, postal_key

STORM: Final = 1_000


async def test_a_thousand_identical_messages_have_one_effect(stage: Stage):
    connected = stage.connected
    parcel = a_postal_item("DE")
    key, message = postal_key(parcel), itmatt(parcel, country="DE")
    async with connected.watch() as watch:
        await connected.publish(Outgoing(connected.topics.inbound(POST), b"USP-DEP", message, []) for _ in range(STORM))
        await watch.until(lambda: watch.told("release.de.v1", key) and watch.told(f"outbound.{POST}", key), "the notices", 60)
        await stage.calm()
        await watch.until(lambda: not watch.checker.outstanding(), "the last answer")
    assert len({event.event_id for event in watch.accepted(key)}) == 1
    assert len({event.event_id for event in watch.decisions(key)}) == 1
    told = {(record.topic, header(record.headers, "ce_id")) for record in watch.notices if record.key == key.encode()}
    assert len(told) == 2


async def test_a_door_killed_between_two_tries_gives_the_same_receipt(stage: Stage):
    connected = stage.connected
    parcel = a_house("NL")
    body = manifest(parcel)
    async with connected.watch() as watch:
        first = await connected.submit(CARRIER, body, "text/csv", idempotency_key="again-7")
        killed = await stage.kill("door")
        assert not answers(int(connected.door.rpartition(":")[2]))
        with pytest.raises(httpx.ConnectError):
            await connected.submit(CARRIER, body, "text/csv", idempotency_key="again-7")
        await stage.back(killed)
        await connected.hub.wait_ready("door")
        second = await connected.submit(CARRIER, body, "text/csv", idempotency_key="again-7")
        assert second == first
        await watch.until(lambda: watch.decisions(house_key(parcel)), "a decision", 60)
        await stage.calm()
    assert len({event.event_id for event in watch.accepted(house_key(parcel))}) == 1
    assert len({event.event_id for event in watch.decisions(house_key(parcel))}) == 1
