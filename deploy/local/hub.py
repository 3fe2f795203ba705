"""The whole hub on this machine: Kafka, PostgreSQL, topics, migrations, processes; in this order up, in the other down."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

import httpx

from deploy.local.child import tail
from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from deploy.local.progress import Progress, Silent
from deploy.local.state import HubState, forget_state, read_state, see_off, snapshot, write_state
from deploy.local.supervisor import PROCESSES, Process, Running, Supervisor
from shared.errors import Misconfigured, Unavailable

READY_SECONDS = 120.0
LEFTOVER_SECONDS = 12.0
HOPELESS_RESTARTS = 4
KAFKA_PORT = 9092
POSTGRES_PORT = 5432


class Hub:
    """A running hub. Made by ``up``; ``supervisor`` reaches its parts by name, for faults and for scaling."""

    def __init__(self, var: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.var = var.resolve()
        self.supervisor = Supervisor(changed=self._write_state)
        self.bootstrap = os.environ.get("KAFKA_BOOTSTRAP", "")
        self.database_url = os.environ.get("DATABASE_URL", "")
        self._env = dict(env or {})
        self._ports: dict[str, int] = {}
        self._ready = False
        self._down = False
        self._writing = threading.Lock()

    @property
    def door(self) -> str:
        """Address of the HTTP door."""
        return self.url("door")

    def url(self, name: str) -> str:
        """Address of the HTTP server of a process."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def pid(self, name: str) -> int | None:
        """Number of the process that a part runs in now."""
        return self.supervisor.parts[name].pid

    @property
    def environment(self) -> dict[str, str]:
        """What every process is told; also what a client of this hub needs."""
        given = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "DATABASE_URL": self.database_url,
            "GUICHET_VAR": str(self.var),
            "GUICHET_WEBHOOK_ALLOW_LOCAL": "true",
        }
        if "notify" in self._ports:
            given["GUICHET_READ_URL"] = self.url("notify")
        if "sandbox" in self._ports:
            given["GUICHET_SERVICE_URLS"] = json.dumps({"risk": f"{self.url('sandbox')}/risk"})
        return given | self._env

    def start_process(self, process: Process) -> Running:
        """Start one more process, for example a second router; ready is waited for by ``wait_ready``."""
        if process.name not in self._ports:
            self.choose_ports([process])
        running = Running(process, port=self._ports[process.name], env=self.environment, log=self.var / "log" / f"{process.name}.log")
        self.supervisor.add(running)
        return running

    def choose_ports(self, processes: Iterable[Process]) -> None:
        """Give each process its wished port where it is free, else another; they are known before the first one starts."""
        for process in processes:
            self._ports[process.name] = free_port(process.port, taken=set(self._ports.values()))

    async def wait_ready(self, *names: str, timeout_seconds: float = READY_SECONDS) -> None:
        """Return when the named processes (default: all) answer 200 to ``/health/ready``.

        Raises ``Unavailable`` with what is missing and the end of its log; at once when one dies again and again.
        """
        waiting = {name: part for name, part in self.supervisor.parts.items() if isinstance(part, Running) and (not names or name in names)}
        before = {name: self.supervisor.restarts(name) for name in waiting}
        until = time.monotonic() + timeout_seconds
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            while waiting := await _not_ready(client, waiting):
                hopeless = [name for name in waiting if self.supervisor.restarts(name) - before[name] >= HOPELESS_RESTARTS]
                if hopeless or time.monotonic() > until:
                    log = waiting[(hopeless or list(waiting))[0]].log
                    raise Unavailable(f"not ready: {', '.join(waiting)}. The end of {log}:\n{tail(log)}")
                await asyncio.sleep(0.1)
        self._ready = self._ready or not names
        self._write_state()

    async def down(self) -> None:
        """Stop every process, then PostgreSQL, then Kafka; data stay in the folder."""
        self._down = True
        await asyncio.to_thread(self.supervisor.stop)
        forget_state(self.var)

    async def start_parts(self, progress: Progress) -> None:
        """Start Kafka and PostgreSQL beside each other, each unless its variable names one elsewhere."""
        starting: list[tuple[LocalKafka | LocalPostgres, Awaitable[None]]] = []
        if not self.bootstrap:
            kafka = LocalKafka(self.var / "kafka", free_port(KAFKA_PORT), log=self.var / "log" / "kafka.log")
            self.bootstrap = kafka.bootstrap
            starting.append((kafka, asyncio.to_thread(kafka.start, progress)))
        if not self.database_url:
            postgres = LocalPostgres(self.var / "postgres", free_port(POSTGRES_PORT), log=self.var / "log" / "postgres.log")
            self.database_url = postgres.url
            starting.append((postgres, asyncio.to_thread(postgres.start, progress)))
        outcomes = await asyncio.gather(*(start for _, start in starting), return_exceptions=True)
        for part, _ in starting:
            if part.alive():
                self.supervisor.add(part)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _write_state(self) -> None:
        """Also called from the supervisor's thread whenever a part was started again."""
        with self._writing:
            if self._down:
                return
            parts = {
                name: snapshot(
                    part.pid or 0,
                    log=self.var / "log" / f"{name}.log",
                    url=part.url if isinstance(part, Running) else "",
                    restarts=self.supervisor.restarts(name),
                )
                for name, part in self.supervisor.parts.items()
            }
            state = HubState(
                supervisor=snapshot(os.getpid(), log=self.var / "log" / "hub.log"),
                ready=self._ready,
                kafka=self.bootstrap,
                database=self.database_url,
                http=self.door if "door" in self._ports else "",
                parts=parts,
            )
            write_state(self.var, state)


async def up(
    var: Path,
    *,
    processes: Iterable[Process] = PROCESSES,
    progress: Progress | None = None,
    env: Mapping[str, str] | None = None,
    prepared: Callable[[Hub], Awaitable[None]] | None = None,
) -> Hub:
    """Bring a hub up with its data in *var* and return when every process is ready.

    ``KAFKA_BOOTSTRAP`` and ``DATABASE_URL``, where set, win over local ones. *env* is given to every process on top.
    *prepared* is awaited when topics, migrations and ports are there and no process runs yet, for example to connect participants.
    Raises ``Misconfigured`` when a hub with these data runs already; whatever fails, what was started is stopped.
    """
    await asyncio.to_thread(_make_way, var)
    progress, processes = progress or Silent(), tuple(processes)
    hub = Hub(var, env=env)
    try:
        await hub.start_parts(progress)
        progress.begin("Topics and migrations")
        await _prepare(hub.environment)
        progress.done("Topics and migrations")
        hub.choose_ports(processes)
        if prepared is not None:
            await prepared(hub)
        progress.begin("Starting the hub", total=len(processes))
        began = time.monotonic()
        for process in processes:
            hub.start_process(process)
            progress.advance("Starting the hub")
        await hub.wait_ready()
        progress.done("Starting the hub", f"{time.monotonic() - began:.1f} s")
    except BaseException:
        await hub.down()
        raise
    return hub


def _make_way(var: Path) -> None:
    """Refuse where a hub runs; where one was killed, wait until the last of its processes has let go of the data."""
    state = read_state(var)
    if state is None:
        return
    if state.alive:
        raise Misconfigured(f"a hub runs already on {var} (process {state.supervisor.pid}); make down stops it")
    see_off(state.parts.values(), LEFTOVER_SECONDS)


async def _prepare(environment: Mapping[str, str]) -> None:
    """Topics and migrations, by the settings that the processes get; imported here, for a broker alone needs nothing of the services."""
    from deploy.prepare import prepare
    from shared.contracts import Topics
    from shared.settings import Settings

    prefix = environment.get("GUICHET_TOPIC_PREFIX") or Settings().topic_prefix
    await prepare(environment["KAFKA_BOOTSTRAP"], environment["DATABASE_URL"], Topics(prefix))


async def _not_ready(client: httpx.AsyncClient, parts: Mapping[str, Running]) -> dict[str, Running]:
    """Ask all of *parts* at once; return those that are not ready."""
    answers = await asyncio.gather(*(_is_ready(client, part.url) for part in parts.values()))
    return {name: part for (name, part), ready in zip(parts.items(), answers, strict=True) if not ready}


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/health/ready")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
