"""``guichet demo``: the whole hub on this machine, seeded traffic through its doors, and a report that proves what came of it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from deploy.local import Hub, Progress, shown, up
from services.cli.report import Clock, Report, report_of, show
from services.sandbox.behaviour import Behaviour, Behaviours, HookBehaviour
from services.sandbox.checker import Checker
from services.sandbox.partners import connect, programme
from services.sandbox.sender import Sender
from services.sandbox.tail import Tail, Watched
from services.sandbox.timeline import Timeline
from services.sandbox.traffic import CARRIER, Plan, traffic
from shared.contracts import Topics
from shared.db import create_engine
from shared.errors import HubError
from shared.kafka import KeyedPublisher

QUIET_SECONDS: Final = 1.0
"""How long nothing new may come before the last answer counts as in."""
PATIENCE_SECONDS: Final = 60.0
ITEMS_PER_SECOND: Final = 50
"""The slowest hub that the demo waits for: the deadline is the patience and the items at this pace."""
ENV: Final = {"GUICHET_RETRY_SCALE": "0.02", "GUICHET_POLICY": "eu-sandbox"}
"""Short pauses and short clocks, so that every kind of trouble ends within a demo."""


def behaviours(seed: int) -> Behaviours:
    """Return how the pretend partners behave in a demo: not always at once, not always once, not always well."""
    common = {"double_rate": 0.03, "late_rate": 0.02, "late_ms": 800, "silence_rate": 0.001, "unknown_key_rate": 0.001}
    risk = Behaviour.model_validate({"delay_min_ms": 5, "delay_max_ms": 40, "error_rate": 0.05, "hang_rate": 0.002, **common})
    window = Behaviour.model_validate({"delay_min_ms": 10, "delay_max_ms": 120, "bad_shape_rate": 0.001, **common})
    return Behaviours(seed=seed, services={"risk": risk, "single-window": window}, hooks={CARRIER: HookBehaviour(error_rate=0.02)})


def demo(
    items: Annotated[int, typer.Option(min=10, help="How many items to send.")] = 2000,
    rate: Annotated[float, typer.Option(min=0, help="Items per second; 0 sends as fast as they are taken.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed sends the same traffic.")] = 7,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the data of the run before.")] = False,
    var: Annotated[Path, typer.Option(help="Folder for the data of the demo.")] = Path("var/demo"),
) -> None:
    """Run the whole hub on this machine with traffic, then print a report.

    Starts Kafka, PostgreSQL and every process of the hub, sends what a post, a carrier and a platform would send, waits until the last
    answer is in, and stops what it started. Exit 0 only if nothing was lost, doubled or out of order.

    Example: guichet demo --items 2000 --seed 7
    """
    if not keep and var.exists():
        shutil.rmtree(var)
    var.mkdir(parents=True, exist_ok=True)
    console = Console()
    try:
        report = asyncio.run(_run(items, rate, seed, var))
    except HubError as exc:
        console.print(f"{exc.code}: {exc}", style="bold red", markup=False)
        raise typer.Exit(1) from exc
    (var / "report.json").write_bytes(report.model_dump_json(indent=2).encode())
    show(report, console)
    console.print(f"{var / 'report.json'} holds the same as JSON", style="dim")
    if not report.passed:
        raise typer.Exit(1)


async def _run(items: int, rate: float, seed: int, var: Path) -> Report:
    began = time.monotonic()
    topics = Topics()
    watched: list[Watched] = []

    async def prepared(hub: Hub) -> None:
        watched.append(await _connected(hub, topics, progress))

    with shown() as progress:
        hub = await up(var, progress=progress, env=ENV, prepared=prepared)
        try:
            started = time.monotonic() - began
            await programme(hub.url("sandbox"), watched[0], behaviours(seed))
            plan = traffic(items, seed, datetime.now(UTC), rate=rate)
            return await _measured(hub, topics, watched[0], plan, seed, began, started, progress)
        finally:
            progress.begin("Stopping")
            await hub.down()
            progress.done("Stopping")


async def _connected(hub: Hub, topics: Topics, progress: Progress) -> Watched:
    """Connect the pretend participants before the processes start, so that they find every topic there."""
    engine = create_engine(hub.database_url)
    progress.begin("Participants")
    try:
        watched = await connect(engine, hub.bootstrap, topics, hub.url("sandbox"))
    finally:
        await engine.dispose()
    progress.done("Participants", f"{len(watched.participants)} connected")
    return watched


async def _measured(
    hub: Hub, topics: Topics, watched: Watched, plan: Plan, seed: int, began: float, started: float, progress: Progress
) -> Report:
    """Send, watch, and balance the books."""
    checker, timeline = Checker(), Timeline()
    tail = Tail(hub.bootstrap, topics, hub.door, hub.url("sandbox"), watched, checker, timeline)
    await tail.start()
    try:
        first_at = datetime.now(UTC)
        await _send(hub, topics, plan, watched, checker, timeline, progress)
        await _wait(tail, checker, plan, progress)
    finally:
        await tail.stop()
    last_at, decided_at = tail.last_event_at or first_at, checker.decided_by(0.99) or first_at
    clock = Clock(
        start=started,
        traffic=(last_at - first_at).total_seconds(),
        decided=(decided_at - first_at).total_seconds(),
        all=time.monotonic() - began,
    )
    return report_of(checker, timeline, watched.subscriptions, clock, seed=seed, messages=Counter(send.sender for send in plan.sends))


async def _send(hub: Hub, topics: Topics, plan: Plan, watched: Watched, checker: Checker, timeline: Timeline, progress: Progress) -> None:
    publisher = KeyedPublisher(hub.bootstrap, client_id="guichet-demo")
    progress.begin("Traffic", total=plan.items)
    try:
        sender = Sender(publisher, topics, hub.door, watched.keys, checker, timeline, lambda items: progress.advance("Traffic", items))
        await sender.send(plan)
    finally:
        await publisher.stop()
    progress.done("Traffic", f"{plan.items} items in {len(plan.sends)} messages")


async def _wait(tail: Tail, checker: Checker, plan: Plan, progress: Progress) -> None:
    """Wait until nothing is outstanding and nothing new comes. Past the deadline the report names what is missing; raises only when the
    watching itself ended."""
    progress.begin("Answers", total=len(checker.messages))
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS + plan.items / ITEMS_PER_SECOND
    shown_done = 0
    while True:
        tail.check()
        outstanding = checker.outstanding()
        done = max(len(checker.messages) - len(outstanding), shown_done)
        progress.advance("Answers", done - shown_done)
        shown_done = done
        if not outstanding and loop.time() - tail.seen_at > QUIET_SECONDS:
            return progress.done("Answers", "all in")
        if loop.time() > until:
            return progress.done("Answers", f"{len(outstanding)} missing")
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    typer.run(demo)
