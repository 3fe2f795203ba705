"""``make bench``: the hub against a bare Kafka loop and against the usual way, on this machine, in one run.

Every figure but the latencies is a ratio of records a second, counted where they arrive by the log's own clock; items are ITMATT messages
of 2.9 kB with three
content pieces. Median of several runs with minimum and maximum. ``python -m tests.bench --help`` tells more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.prepare import migrate
from services.sandbox.bench import bench_file, bench_items
from shared import directory_store
from shared.contracts import NOTICE_TYPE
from shared.db import create_engine
from shared.directory import Channel, Participant, Role, Subscription
from shared.kafka import KeyedPublisher, Outgoing
from shared.kafka_admin import ensure_topics
from shared.model.dialect import Dialect
from tests.bench import kept
from tests.bench.parts import ROOT, Parts, Run, fill, forget_topics, make_topics, rate, until_arrived

INGEST, ROUTER, NOTIFY = "services.ingest.app", "services.router.app", "services.notify.app"
CONNECT, SANDBOX = "services.router.connect", "services.sandbox.app"
DECISION = b"guichet.decision.made"
COUNTRY = "NL"
"""Where every item goes: one customs administration with its release and its hold topic."""
FLOORS = {
    "hub_over_bare": 0.25,
    "hub_over_naive": 8.0,
    "hub_services_over_naive": 4.0,
    "ingest_over_bare": 0.60,
    "router_over_bare": 0.40,
    "notify_over_bare": 0.50,
    "p50_ms": 80.0,
    "p99_ms": 250.0,
    "p99_beside_file_ms": 300.0,
    "rss_mb": 200.0,
}
AT_MOST = {"p50_ms", "p99_ms", "p99_beside_file_ms", "rss_mb"}


class Bench:
    """All figures of one run of the benchmark."""

    def __init__(self, parts: Parts, progress: Progress, runs: int, items: int) -> None:
        self._parts = parts
        self._progress = progress
        self.runs = runs
        self.items = items
        self.rates: dict[str, list[float]] = {}
        self.figures: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}
        self.notes: dict[str, Any] = {}

    async def measure(self, name: str, once: Callable[[], Awaitable[dict[str, float]]], times: int | None = None) -> None:
        """Run *once* several times and keep each rate under its name."""
        count = times or self.runs
        task = self._progress.add_task(name, total=count)
        for _ in range(count):
            for key, value in (await once()).items():
                self.rates.setdefault(key, []).append(value)
            self._progress.advance(task)

    # --- one run each --------------------------------------------------------------------------------------------------------------------

    async def bare(self) -> dict[str, float]:
        run = await self._run()
        source, target = f"{run.prefix}in", f"{run.prefix}out"
        await make_topics(run.bootstrap, [source, target])
        await fill(run.bootstrap, source, _records(self.items))
        with run.running("tests.bench.bare", arguments=(source, target), wait=False):
            await until_arrived(run.bootstrap, [target], self.items)
            self._cpu("bare", run.cpu_seconds()["tests.bench.bare"])
        return {"bare": await rate(run.bootstrap, [target], self.items)}

    async def naive(self) -> dict[str, float]:
        run, count = await self._run(), max(500, self.items // 10)
        source, target = f"{run.prefix}in", f"{run.prefix}out"
        await make_topics(run.bootstrap, [source, target])
        await fill(run.bootstrap, source, _records(count))
        with run.running("tests.bench.naive", arguments=(source, target), wait=False):
            await until_arrived(run.bootstrap, [target], count)
        return {"naive": await rate(run.bootstrap, [target], count)}

    async def stages(self) -> dict[str, float]:
        """Each service alone, on the topic the one before it filled."""
        run = await self._run()
        await self._fill_inbound(run)
        measured = {}
        topics = run.topics
        for module, name, targets, expected, event in (
            (INGEST, "ingest", [topics.filings], self.items, None),
            (ROUTER, "router", [topics.decisions], self.items * 2, DECISION),
            (NOTIFY, "notify", _customs(run), self.items, None),
        ):
            with run.running(module):
                await until_arrived(run.bootstrap, targets, expected)
                self._cpu(name, run.cpu_seconds()[module])
            measured[name] = await rate(run.bootstrap, targets, self.items, event_type=event)
        return measured

    async def hub(self) -> dict[str, float]:
        return {"hub": await self._whole("eu-policy-only", (INGEST, ROUTER, NOTIFY), self.items)}

    async def hub_with_services(self) -> dict[str, float]:
        return {"hub_services": await self._whole("eu-sandbox", (SANDBOX, CONNECT, INGEST, ROUTER, NOTIFY), self.items // 2)}

    async def _whole(self, policy: str, modules: tuple[str, ...], count: int) -> float:
        run = await self._run(policy)
        targets = _customs(run)
        await self._fill_inbound(run, count)
        sandbox = modules[0] == SANDBOX
        with run.running(*modules[:1]):
            if sandbox:
                run.extra["GUICHET_SERVICE_URLS"] = json.dumps({"risk": f"http://127.0.0.1:{run.ports[SANDBOX]}/risk"})
            with run.running(*modules[1:]):
                await until_arrived(run.bootstrap, targets, count)
        return await rate(run.bootstrap, targets, count)

    async def latency(self, per_second: float, seconds: float) -> None:
        """Door to release topic at *per_second*; then the same beside files of 1,700 items.

        As many items as a run has go through first, at full speed: Kafka compiles its code and PostgreSQL fills its buffers meanwhile,
        which a hub that runs did long ago.
        """
        task = self._progress.add_task("latency", total=self.runs + 2)
        run = await self._run()
        with run.running(INGEST, ROUTER, NOTIFY):
            await self._fill_inbound(run)
            await until_arrived(run.bootstrap, _customs(run), self.items)
            await _stream(run, per_second, 3.0, first=1_000_000)
            self._progress.advance(task)
            for number in range(self.runs):
                times = await _stream(run, per_second, seconds, first=2_000_000 + number * 1_000_000)
                self.figures.setdefault("p50_ms", []).append(_percentile(times, 50))
                self.figures.setdefault("p99_ms", []).append(_percentile(times, 99))
                self._progress.advance(task)
            beside = await _stream(run, min(per_second, 200.0), seconds / 2, first=9_000_000, files=4)
            self.figures["p99_beside_file_ms"] = [_percentile(beside, 99)]
            self._progress.advance(task)
        self.notes["latency_rate_per_second"] = round(per_second)

    async def memory(self, items: int) -> None:
        """Resident memory of each process while *items* flow, at every quarter."""
        run = await self._run()
        targets = _customs(run)
        task = self._progress.add_task(f"memory, {items} items", total=4)
        samples: list[dict[str, float]] = []
        with run.running(INGEST, ROUTER, NOTIFY):
            for quarter in range(4):
                first = quarter * items // 4
                await fill(run.bootstrap, run.topics.inbound("usp"), _records(items // 4, first))
                await until_arrived(run.bootstrap, targets, (quarter + 1) * items // 4, timeout_seconds=300)
                samples.append(run.rss_mb())
                self._progress.advance(task)
        self.figures["rss_mb"] = [max(samples[-1].values())]
        self.notes["rss_mb_by_quarter"] = [{name.split(".")[1]: round(value, 1) for name, value in sample.items()} for sample in samples]

    # --- set-up --------------------------------------------------------------------------------------------------------------------------

    async def _run(self, policy: str = "eu-policy-only") -> Run:
        """Return a run on topics and a database of its own, with a post, and customs that hear everything."""
        await forget_topics(self._parts.kafka.bootstrap)
        run = Run(self._parts.kafka.bootstrap, await _fresh_database(self._parts.postgres.url), policy)
        core = [*run.topics.core(), *(run.topics.requests(name) for name in ("risk", "single-window"))]
        await make_topics(run.bootstrap, [*core, *_customs(run)])
        await _connect(run)
        return run

    async def _fill_inbound(self, run: Run, count: int | None = None) -> None:
        await fill(
            run.bootstrap, run.topics.inbound("usp"), ((n.encode(), body) for n, body in bench_items(count or self.items, country=COUNTRY))
        )

    def _cpu(self, name: str, seconds: float) -> None:
        self.cpu.setdefault(name, []).append(seconds / self.items * 1e6)

    # --- the result ----------------------------------------------------------------------------------------------------------------------

    def ratios(self) -> None:
        """Turn rates into the figures of the table."""
        for figure, above, below in (
            ("hub_over_bare", "hub", "bare"),
            ("hub_over_naive", "hub", "naive"),
            ("hub_services_over_naive", "hub_services", "naive"),
            ("ingest_over_bare", "ingest", "bare"),
            ("router_over_bare", "router", "bare"),
            ("notify_over_bare", "notify", "bare"),
        ):
            if above in self.rates and below in self.rates:
                yardstick = statistics.median(self.rates[below])
                self.figures[figure] = [value / yardstick for value in self.rates[above]]


async def _fresh_database(url: str) -> str:
    name = f"bench_{uuid4().hex[:10]}"
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    await engine.dispose()
    fresh = make_url(url).set(database=name).render_as_string(hide_password=False)
    await migrate(fresh)
    return fresh


def _records(count: int, first: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Yield *count* messages of one item each as records, numbered from *first*."""
    return ((item.number.encode(), item.body) for item in bench_items(count, first=first, country=COUNTRY))


def _customs(run: Run) -> list[str]:
    """Return the topics where what the hub decided arrives."""
    return [run.topics.release(COUNTRY), run.topics.hold(COUNTRY)]


async def _connect(run: Run) -> None:
    engine = create_engine(run.database_url)
    post = Participant(id="usp", name="Bench post", role=Role.POST, country="US", formats=("itmatt",), dialect=Dialect(platform="shop"))
    await directory_store.add_participant(engine, post)
    await ensure_topics(run.bootstrap, directory_store.topics_of(run.topics, post))
    customs = Participant(id="customs-nl", name="Customs", role=Role.CUSTOMS, country=COUNTRY)
    await directory_store.add_participant(engine, customs)
    hears = Subscription(
        id=uuid4(),
        participant=customs.id,
        event_types=(DECISION.decode(),),
        channel=Channel.KAFKA,
        destination_country=COUNTRY,
        created_at=datetime.now(UTC),
    )
    await directory_store.add_subscription(engine, hears)
    await engine.dispose()


async def _stream(run: Run, per_second: float, seconds: float, *, first: int, files: int = 0) -> list[float]:
    """Send single items at a steady rate and return each one's time from door to release topic in ms; *files* of 1,700 items are put among
    them.

    An item has arrived at the time the log stamped its notice with, by the clock of this machine. The topics are read when all is sent:
    who listens while the hub works takes from the processor that is measured.
    """
    consumer = AIOKafkaConsumer(*_customs(run), bootstrap_servers=run.bootstrap, group_id=None, auto_offset_reset="latest")
    await consumer.start()
    for place in consumer.assignment():
        await consumer.position(place)
    consumer.pause(*consumer.assignment())
    publisher, topic = KeyedPublisher(run.bootstrap), run.topics.inbound("usp")
    await publisher.start()
    sent: dict[str, float] = {}
    count = int(per_second * seconds)
    items, began, done, filed = bench_items(count, first=first, country=COUNTRY), time.perf_counter(), 0, 0
    while done < count:
        due = min(count, int((time.perf_counter() - began) * per_second) + 1)
        chunk = [next(items) for _ in range(due - done)]
        for number, _ in chunk:
            sent[f"post:{number}"] = time.time() * 1000
        await publisher.publish([Outgoing(topic, number.encode(), body, []) for number, body in chunk])
        done = due
        if files and done * files >= count * filed + count / 2 and filed < files:
            body = bench_file(1700, first=first + 500_000 + filed * 1700)
            await publisher.publish([Outgoing(topic, b"file", body, [])])
            filed += 1
        await asyncio.sleep(0.01)
    await publisher.stop()
    consumer.resume(*consumer.assignment())
    took: list[float] = []
    async with asyncio.timeout(60):
        while sent:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                for record in batch:
                    if ("ce_type", NOTICE_TYPE.encode()) in record.headers and (
                        began_ms := sent.pop(record.key.decode(), None)
                    ) is not None:
                        took.append(record.timestamp - began_ms)
    await consumer.stop()
    return took


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def report(bench: Bench, seconds: float) -> dict[str, Any]:
    """Return everything that is kept of the run."""
    return {
        "figures": {name: kept.spread(values) for name, values in bench.figures.items()},
        "floors": kept.floors(FLOORS, AT_MOST),
        "rates_per_second": {name: kept.spread(values) for name, values in bench.rates.items()},
        "cpu_us_per_item": {name: kept.spread(values) for name, values in bench.cpu.items()},
        "notes": bench.notes,
        "runs": bench.runs,
        "items": bench.items,
        "took_seconds": round(seconds),
    } | kept.circumstances()


def show(console: Console, result: dict[str, Any]) -> bool:
    """Print the table; return whether every floor is met."""
    good = kept.show(console, result)
    rates = Table(title="records a second, and CPU µs an item of the process measured alone")
    for column in ("what", "median", "min", "max", "CPU µs"):
        rates.add_column(column, justify="left" if column == "what" else "right")
    for name, spread in result["rates_per_second"].items():
        cpu = result["cpu_us_per_item"].get(name, {}).get("median")
        rates.add_row(name, *(f"{spread[key]:,.0f}" for key in ("median", "min", "max")), f"{cpu:.0f}" if cpu else "")
    console.print(rates)
    return good


async def main() -> int:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m tests.bench --runs 1 --items 5000 --only stages")
    parser.add_argument("--runs", type=int, default=3, help="runs of each figure (default 3)")
    parser.add_argument("--items", type=int, default=20_000, help="items a run (default 20,000)")
    parser.add_argument("--memory-items", type=int, default=200_000, help="items of the memory figure; 0 leaves it out")
    parser.add_argument(
        "--only", nargs="*", choices=["stages", "hub", "services", "latency", "memory"], help="only these (bare and naive as needed)"
    )
    parser.add_argument("--var", type=Path, default=ROOT / "var" / "bench", help="folder for the data of the parts")
    parser.add_argument("--no-keep", action="store_true", help="do not write the result below tests/bench/results")
    args = parser.parse_args()
    wanted = set(args.only or ["stages", "hub", "services", "latency", "memory"])
    console, began = Console(), time.monotonic()
    parts = Parts(args.var)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    with Progress(*columns) as progress:
        parts.start()
        try:
            bench = Bench(parts, progress, args.runs, args.items)
            if wanted & {"stages", "hub"}:
                await bench.measure("bare loop", bench.bare)
            if wanted & {"hub", "services"}:
                await bench.measure("naive", bench.naive)
            if "stages" in wanted:
                await bench.measure("ingest, router, notify alone", bench.stages)
            if wanted & {"hub", "latency"}:
                await bench.measure("hub", bench.hub)
            if "services" in wanted:
                await bench.measure("hub with services", bench.hub_with_services)
            if "latency" in wanted:
                await bench.latency(statistics.median(bench.rates["hub"]) / 2, 15.0)
            if "memory" in wanted and args.memory_items:
                await bench.memory(args.memory_items)
        finally:
            parts.stop()
    bench.ratios()
    result = report(bench, time.monotonic() - began)
    if not (args.no_keep or args.only):
        kept.keep(result)
    return 0 if show(console, result) else 1
