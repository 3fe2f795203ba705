"""While items flow the hub is killed, stopped, doubled and left alone by its partners: nothing is lost, told twice or out of order.

Each test proves that its fault happened, and compares what went in with what came out on topics and webhooks.
"""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random
from typing import Final

import psutil

from deploy.local.ports import answers
from services.sandbox.behaviour import HookBehaviour
from tests.faults.flow import Flow, flowing
from tests.faults.stage import HOOK, Killed, Stage, until
from tests.hub import QUIET

ITEMS: Final = 20_000
RATE: Final = 600.0
KILLS: Final = 5
STOPPED_SECONDS: Final = 20.0
DOWN_SECONDS: Final = 60.0
DOUBLED: Final = ("ingest", "router", "notify")


async def test_ingest_router_and_notify_killed_five_times_each(stage: Stage):
    random = Random(11)
    async with flowing(stage, ITEMS, RATE) as (flow, _):
        killed = await asyncio.gather(*(killed_at_random(stage, name, random) for name in DOUBLED))
    for name, deaths in zip(DOUBLED, killed, strict=True):
        assert len({death.pid for death in deaths}) == KILLS
        assert [death.restarts for death in deaths] == list(range(deaths[0].restarts, deaths[0].restarts + KILLS))
        assert stage.connected.hub.supervisor.restarts(name) == deaths[-1].restarts + 1
    assert flow.checker.repeated > 0, "no batch was in hand at any of fifteen deaths"


async def killed_at_random(stage: Stage, name: str, random: Random) -> list[Killed]:
    """Kill a part again and again, each time at a random moment after it has begun to work."""
    deaths = []
    for _ in range(KILLS):
        await until(lambda: stage.worked(name), f"work of {name}")
        await asyncio.sleep(random.uniform(0.0, 1.0))
        deaths.append(await stage.kill(name))
        await stage.back(deaths[-1])
    return deaths


async def test_kafka_killed_and_then_postgresql(stage: Stage):
    async with flowing(stage, ITEMS, RATE) as (flow, _):
        for name, port in (("kafka", stage.kafka_port), ("postgres", stage.database_port)):
            killed = await stage.kill_server(name, port)
            await stage.back(killed)
            await until(partial(answers, port), f"{name} on its port again")
            await progressed(flow)
    assert flow.refused > 0, "the sender never noticed that Kafka was away"


async def progressed(flow: Flow, items: int = 300) -> None:
    """Return when so many more items are decided."""
    before = flow.decided()
    await until(lambda: flow.decided() >= before + items, f"{items} more decisions")


async def test_a_router_that_stands_still_is_replaced_and_second_instances_come_and_go(stage: Stage):
    async with flowing(stage, ITEMS, RATE) as (flow, _):
        for name in DOUBLED:
            assert await stage.members(name) == 1
            await stage.join(f"{name}-2", of=name)
        for name in DOUBLED:
            await until(partial(joined, stage, name, 2), f"two members in the group {name}")

        stopped = stage.stop("router")
        await taken_over(stage, flow, stopped)
        psutil.Process(stopped).resume()
        await until(lambda: joined(stage, "router", 2), "the stopped router back in its group")
        assert stage.pid("router") == stopped

        for name in DOUBLED:
            await stage.leave(f"{name}-2")
        for name in DOUBLED:
            await until(partial(joined, stage, name, 1), f"one member in the group {name}")


async def joined(stage: Stage, group: str, members: int) -> bool:
    return await stage.members(group) == members


async def taken_over(stage: Stage, flow: Flow, stopped: int) -> None:
    """See that for the whole time the process stands still, and that the other router does all the work meanwhile."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + STOPPED_SECONDS
    await until(lambda: psutil.Process(stopped).status() == psutil.STATUS_STOPPED, "the router's standstill", 5)
    await until(lambda: joined(stage, "router", 1), "the other router alone in its group", STOPPED_SECONDS)
    before, worked = flow.decided(), await stage.worked("router-2")
    while loop.time() < ends:
        assert psutil.Process(stopped).status() == psutil.STATUS_STOPPED
        await asyncio.sleep(0.2)
    assert await stage.worked("router-2") > worked
    assert flow.decided() > before, "nothing was decided while one router stood still"


async def test_a_receiver_down_for_a_minute_and_a_risk_service_that_fails_and_hangs(stage: Stage):
    connected = stage.connected
    before = await stage.served()
    trouble = {"risk": QUIET.model_copy(update={"error_rate": 1 / 3, "hang_rate": 0.05})}
    async with flowing(stage, ITEMS, RATE) as (_, _):
        await connected.behave(trouble, {HOOK: HookBehaviour(state="down")})
        received = len(await connected.received(HOOK))
        await asyncio.sleep(DOWN_SECONDS)
        assert len(await connected.received(HOOK)) == received, "the receiver took something while it was down"
        await connected.behave(trouble)
    served = await stage.served()

    def more(who: str, what: str) -> int:
        return served[who].get(what, 0) - before.get(who, {}).get(what, 0)

    calls = more("risk", "answered") + more("risk", "error") + more("risk", "hang")
    assert more("risk", "error") > 0.2 * calls
    assert more("risk", "hang") > 0
    assert more(f"hooks/{HOOK}", "503") > 10
    assert more(f"hooks/{HOOK}", "204") > 0
