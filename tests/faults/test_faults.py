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
from tests.faults.stage import HOOK, Stage, until
from tests.hub import QUIET

ITEMS: Final = 20_000
RATE: Final = 400.0
KILLS: Final = 5
STOPPED_SECONDS: Final = 20.0
DOWN_SECONDS: Final = 60.0
SERVICES: Final = ("ingest", "router", "notify")


async def test_services_killed_five_times_each_then_kafka_then_postgresql(stage: Stage):
    random = Random(11)
    supervisor = stage.connected.hub.supervisor
    before = {name: supervisor.restarts(name) for name in SERVICES}
    async with flowing(stage, ITEMS, RATE) as flow:
        deaths = await asyncio.gather(*(killed_at_random(stage, name, random) for name in SERVICES))
        await server_killed(stage, flow, "kafka", stage.kafka_port)
        await server_killed(stage, flow, "postgres", stage.database_port)
    for name, pids in zip(SERVICES, deaths, strict=True):
        assert len({*pids, stage.pid(name)}) == KILLS + 1
        assert supervisor.restarts(name) == before[name] + KILLS
    assert flow.checker.repeated > 0, "no batch was in hand at any of the deaths"
    assert flow.refused > 0, "the sender never noticed that Kafka was away"


async def killed_at_random(stage: Stage, name: str, random: Random) -> list[int]:
    """Kill a part again and again, each time at a random moment after it has begun to work; return the processes that died."""
    pids = []
    for _ in range(KILLS):
        await until(lambda: stage.worked(name), f"work of {name}")
        await asyncio.sleep(random.uniform(0.0, 1.0))
        killed = await stage.kill(name)
        await stage.back(killed)
        pids.append(killed.pid)
    return pids


async def server_killed(stage: Stage, flow: Flow, name: str, port: int) -> None:
    """Kill a server while its port is seen to close, see another process open it again on the same data, and work go on."""
    killed = await stage.kill(name)
    assert not answers(port), f"{name} was killed and still answers"
    await stage.back(killed)
    await until(partial(answers, port), f"{name} on its port again")
    await progressed(flow)


async def progressed(flow: Flow, items: int = 300) -> None:
    """Return when so many more items are decided."""
    before = flow.decided()
    await until(lambda: flow.decided() >= before + items, f"{items} more decisions")


async def test_a_router_stands_still_and_second_instances_come_and_go_while_partners_fail(stage: Stage):
    connected = stage.connected
    loop = asyncio.get_running_loop()
    before = await stage.served()
    risk = {"risk": QUIET.model_copy(update={"error_rate": 1 / 3, "hang_rate": 0.05})}
    async with flowing(stage, ITEMS, RATE) as flow:
        await connected.behave(risk, {HOOK: HookBehaviour(state="down")})
        up_at, received = loop.time() + DOWN_SECONDS, len(await connected.received(HOOK))
        await second_instances(stage, flow)
        await asyncio.sleep(max(0.0, up_at - loop.time()))
        assert len(await connected.received(HOOK)) == received, "the receiver took something while it was down"
        await connected.behave(risk)
    served = await stage.served()

    def more(who: str, what: str) -> int:
        return served[who].get(what, 0) - before.get(who, {}).get(what, 0)

    calls = more("risk", "answered") + more("risk", "error") + more("risk", "hang")
    assert more("risk", "error") > 0.2 * calls
    assert more("risk", "hang") > 0
    assert more(f"hooks/{HOOK}", "503") > 10
    assert more(f"hooks/{HOOK}", "204") > 0


async def second_instances(stage: Stage, flow: Flow) -> None:
    """Let a second instance of each service join; stop the first router for a while; let the second ones leave."""
    for name in SERVICES:
        assert await stage.members(name) == 1
        await stage.join(f"{name}-2", of=name)
    for name in SERVICES:
        await until(partial(joined, stage, name, 2), f"two members in the group {name}")

    stopped = stage.stop("router")
    try:
        await taken_over(stage, flow, stopped)
    finally:
        psutil.Process(stopped).resume()
    await until(partial(joined, stage, "router", 2), "the stopped router back in its group")
    assert stage.pid("router") == stopped

    await asyncio.gather(*(stage.leave(f"{name}-2") for name in SERVICES))
    for name in SERVICES:
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
