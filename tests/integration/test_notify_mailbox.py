"""The mailbox over HTTP: in order, without gaps, and nobody reads another's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.routing import Route

from services.notify import store
from services.notify.bell import Bell
from services.notify.handlers import Notifier
from services.notify.mailbox import Mailbox
from services.notify.match import index_of
from shared.contracts import Topics
from shared.db import create_engine
from shared.directory import Channel, Subscription
from tests.unit.services.notify.builders import AGENCY, CARRIER, CUSTOMS, PLATFORM, POST, a_decision, a_directory, a_record, a_subscription

BOXES = {each.id: a_subscription(each) for each in (POST, CARRIER, PLATFORM, CUSTOMS, AGENCY)}
HOOK = a_subscription(POST, Channel.WEBHOOK)
DIRECTORY = a_directory(*BOXES.values(), HOOK, keys={f"gk_{owner}": owner for owner in BOXES})


class Hub:
    def __init__(self, engine: AsyncEngine) -> None:
        self.bell = Bell()
        index = index_of(DIRECTORY, lambda text: lambda notice: True)
        self._notifier = Notifier(engine, None, Topics(), lambda: index, {}, lambda _: self.bell.ring(), CollectorRegistry())  # type: ignore[arg-type]
        mailbox = Mailbox(engine, lambda: DIRECTORY, self.bell)
        app = Starlette(routes=[Route("/v1/feed", mailbox.get), Route("/v1/feed/ack", mailbox.acknowledge, methods=["POST"])])
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notify")

    async def tell(self, count: int, **values: Any) -> None:
        await self._notifier.on_events([a_record(a_decision(**values)) for _ in range(count)])

    async def get(self, owner: str, **query: Any) -> httpx.Response:
        return await self.http.get("/v1/feed", params=query, headers={"authorization": f"Bearer gk_{owner}"}, timeout=40)

    async def acknowledge(self, owner: str, body: Any) -> httpx.Response:
        return await self.http.post("/v1/feed/ack", json=body, headers={"authorization": f"Bearer gk_{owner}"})


@pytest.fixture
async def hub(fresh_database: str) -> AsyncIterator[Hub]:
    engine = create_engine(fresh_database)
    hub = Hub(engine)
    yield hub
    await hub.http.aclose()
    await engine.dispose()


async def test_pages_follow_each_other_without_a_gap(hub: Hub) -> None:
    await hub.tell(25)
    seen: list[int] = []
    after = 0
    while page := (await hub.get("post-cn", after=after, limit=10)).json():
        if not page["notices"]:
            break
        seen += [notice["feed_sequence"] for notice in page["notices"]]
        after = page["next"]
    assert seen == list(range(1, 26))
    assert page["next"] == 25
    again = (await hub.get("post-cn", after=3, limit=2)).json()
    assert [notice["feed_sequence"] for notice in again["notices"]] == [4, 5]


async def test_a_page_of_large_notices_ends_early_and_the_next_goes_on(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PAGE_BYTES", 1_500)
    await hub.tell(5)
    pages, after = [], 0
    while notices := (await hub.get("post-cn", after=after, limit=10)).json()["notices"]:
        pages.append([notice["feed_sequence"] for notice in notices])
        after = pages[-1][-1]
    assert [number for page in pages for number in page] == [1, 2, 3, 4, 5]
    assert 1 < len(pages) <= 5


async def test_without_a_cursor_reading_goes_on_from_what_was_acknowledged(hub: Hub) -> None:
    await hub.tell(5)
    assert (await hub.acknowledge("post-cn", {"sequence": 3})).json()["acknowledged"] == 3
    assert [notice["feed_sequence"] for notice in (await hub.get("post-cn")).json()["notices"]] == [4, 5]
    assert [notice["feed_sequence"] for notice in (await hub.get("post-cn", after=0)).json()["notices"]] == [1, 2, 3, 4, 5]


async def test_only_what_was_given_out_and_not_yet_acknowledged_can_be_acknowledged(hub: Hub) -> None:
    await hub.tell(5)
    await hub.acknowledge("post-cn", {"sequence": 3})
    wrong: list[Any] = [{"sequence": 6}, {"sequence": -1}, {"sequence": "3"}, {"sequence": True}, {}, [], {"sequence": 1}]
    for body in wrong:
        answer = await hub.acknowledge("post-cn", body)
        assert answer.status_code == 400, body
        assert answer.headers["content-type"] == "application/problem+json"
    assert [notice["feed_sequence"] for notice in (await hub.get("post-cn")).json()["notices"]] == [4, 5]


async def test_waiting_ends_as_soon_as_something_is_filed(hub: Hub) -> None:
    began = time.monotonic()
    waiting = asyncio.create_task(hub.get("post-cn", wait=20))
    await asyncio.sleep(0.2)
    await hub.tell(1)
    assert len((await waiting).json()["notices"]) == 1
    assert time.monotonic() - began < 5


async def test_waiting_for_nothing_ends_after_the_time_asked_for(hub: Hub) -> None:
    began = time.monotonic()
    assert (await hub.get("post-cn", wait=1)).json()["notices"] == []
    assert 0.9 < time.monotonic() - began < 5


def _own(owner: str) -> list[Subscription]:
    return [each for each in DIRECTORY.subscriptions if each.participant == owner]


async def test_no_participant_reads_or_acknowledges_anothers_feed(hub: Hub) -> None:
    await hub.tell(2, parties=("post-cn", "swift-air", "bazaar"), asked=("plant-health",))
    for reader in BOXES:
        for subscription in DIRECTORY.subscriptions:
            named = await hub.get(reader, subscription=str(subscription.id), after=0)
            marked = await hub.acknowledge(reader, {"subscription": str(subscription.id), "sequence": 1})
            if subscription in _own(reader):
                assert named.status_code == marked.status_code == 200
                assert {notice["participant"] for notice in named.json()["notices"]} == {reader}
            else:
                assert named.status_code == marked.status_code == 404
                assert str(subscription.id) not in named.text
        unknown = await hub.get(reader, subscription=str(uuid4()))
        foreign = await hub.get(reader, subscription=str(next(each.id for each in DIRECTORY.subscriptions if each.participant != reader)))
        assert unknown.json() == foreign.json()


async def test_a_feed_is_empty_for_those_who_may_not_see_the_consignment(hub: Hub) -> None:
    await hub.tell(3, parties=("post-cn",))
    for owner in ("swift-air", "bazaar", "plant-health"):
        assert (await hub.get(owner, after=0)).json()["notices"] == []
    assert len((await hub.get("customs-fr", after=0)).json()["notices"]) == 3


async def test_a_pushed_feed_can_be_read_as_well(hub: Hub) -> None:
    await hub.tell(2)
    assert len((await hub.get("post-cn", subscription=str(HOOK.id))).json()["notices"]) == 2


async def test_without_a_living_key_there_is_no_feed(hub: Hub) -> None:
    for authorization in (None, "Bearer gk_nobody", "Bearer", "Basic Z2s6", "Bearer gk_post-cn extra"):
        headers = {"authorization": authorization} if authorization else {}
        for answer in (
            await hub.http.get("/v1/feed", headers=headers),
            await hub.http.post("/v1/feed/ack", json={"sequence": 1}, headers=headers),
        ):
            assert answer.status_code == 401, authorization
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_cursor_that_was_not_given_out_is_refused(hub: Hub) -> None:
    for name, value in (
        ("after", "-1"),
        ("after", "x"),
        ("after", "9" * 30),
        ("after", "\uff11"),
        ("after", ""),
        ("limit", "0"),
        ("limit", "1001"),
        ("wait", "31"),
    ):
        answer = await hub.get("post-cn", **{name: value})
        assert answer.status_code == 400, (name, value)
        assert answer.json()["code"] == "cursor-invalid"
