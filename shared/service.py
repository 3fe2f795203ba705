"""What every process of the hub is made of: settings, a broker to read, a publisher, an engine, the directory, health and metrics.

``/health/live``: the event loop answers. ``/health/ready``: the database answers, Kafka answers, every consume task runs, lag moves, every
background task
runs. ``/metrics``: Prometheus.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import uvicorn
from prometheus_client import generate_latest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared import garbage
from shared.db import create_engine, transaction
from shared.directory import Directory
from shared.errors import HubError, Unavailable
from shared.kafka import DeadLetters, Handler, KeyedPublisher, Reader, make_broker, subscribe
from shared.settings import Settings
from shared.telemetry import Metrics, log_to_stderr

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
DirectoryLoader = Callable[[Any], Awaitable[Directory]]

STUCK_COMMITS_SECONDS = 30
"""Offsets that do not move for so long, while Kafka answers, are not moved by waiting."""
STEADY_SECONDS = 3.0
"""A background task that failed counts as running again after so long without another failure."""


class Service:
    """One process. Declare readers, tasks, routes and checks, then :meth:`run`."""

    def __init__(self, name: str, settings: Settings, *, directory: DirectoryLoader | None = None) -> None:
        self.name = name
        self.settings = settings
        self.metrics = Metrics()
        self.broker = make_broker(settings)
        self.publisher = KeyedPublisher(
            settings.kafka_bootstrap, timeout_seconds=settings.publish_timeout_seconds, client_id=f"guichet-{name}"
        )
        self.engine = create_engine(settings.database_url)
        self.dead = DeadLetters(self.publisher, settings.topics, name, self.metrics)
        self.directory = Directory()
        self.readers: list[Reader] = []
        self._load_directory = directory
        self._routes: list[BaseRoute] = []
        self._tasks: dict[str, Callable[[], Awaitable[None]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._checks: dict[str, Check] = {"database": self._database_answers, "kafka": self._kafka_answers, "readers": self._readers_run}
        self._started = False

    # --- declaring -----------------------------------------------------------------------------------------------------------------------

    def consume(
        self, handler: Handler, *, group: str, topics: Sequence[str] = (), pattern: str | None = None, max_records: int | None = None
    ) -> Reader:
        """Read *topics* (or all that match *pattern*) as consumer group *group* and hand batches to *handler*."""
        reader = Reader(handler, self.dead, self.metrics, group)
        subscribe(self.broker, reader, self.settings, topics=topics, pattern=pattern, max_records=max_records)
        self.readers.append(reader)
        return reader

    def background(self, task: Callable[[], Awaitable[None]], *, name: str | None = None) -> None:
        """Run *task* beside the readers; it is started again, after a pause, if it ends or fails."""
        self._tasks[name or task.__name__] = task

    def route(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], methods: Sequence[str] = ("GET",)) -> None:
        """Serve *path*."""
        self._routes.append(Route(path, endpoint, methods=list(methods)))

    def check(self, name: str, check: Check) -> None:
        """Add a condition of readiness: *check* raises when it does not hold."""
        self._checks[name] = check

    # --- running -------------------------------------------------------------------------------------------------------------------------

    def app(self) -> Starlette:
        """Return the process's HTTP application; its lifespan starts and stops everything else."""
        return Starlette(
            routes=[
                Route("/health/live", self._live),
                Route("/health/ready", self._ready),
                Route("/metrics", self._metrics),
                *self._routes,
            ],
            lifespan=self._lifespan,
        )

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        garbage.begin()
        log_to_stderr(self.settings.log_level)
        config = uvicorn.Config(
            self.app(),
            host=self.settings.host,
            port=self.settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=64 * 1024,
        )
        uvicorn.Server(config).run()

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> Any:
        starting = asyncio.create_task(self._start())
        try:
            yield
        finally:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await starting
            await self._stop()

    async def _start(self) -> None:
        """Start everything, trying again while Kafka or the database are away: a process outlives its neighbours."""
        await self._until_it_works("directory", self._refresh_directory)
        await self._until_it_works("publisher", self.publisher.start)
        if self._load_directory is not None:
            self._tasks["directory"] = self._keep_directory
        self._tasks["garbage"] = self._collect_when_idle
        if self.readers:
            self._tasks["commits"] = self._watch_commits
        for name, task in self._tasks.items():
            self._running[name] = asyncio.create_task(self._supervised(name, task), name=name)
        if self.readers:
            await self._until_it_works("broker", self.broker.start)
        self._started = True
        log.info("service.ready", extra={"service": self.name})

    async def _until_it_works(self, what: str, start: Callable[[], Awaitable[Any]]) -> None:
        pause = 0.2
        while True:
            try:
                await start()
                return
            except Exception as exc:
                log.warning("service.waiting", extra={"service": self.name, "for": what, "error": f"{type(exc).__name__}: {exc}"})
                if what == "broker":
                    with contextlib.suppress(Exception):
                        await self.broker.stop()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 3.0)

    async def _stop(self) -> None:
        await asyncio.gather(*(reader.finish() for reader in self.readers))
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        with contextlib.suppress(Exception):
            await self.broker.stop()
        with contextlib.suppress(Exception):
            await self.publisher.stop()
        await self.engine.dispose()

    async def _supervised(self, name: str, task: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await task()
            except Unavailable as exc:
                log.warning("task.again", extra={"task": name, "code": exc.code, "error": str(exc)})
                self._failed[name] = time.monotonic(), exc.code
            except Exception as exc:
                log.exception("task.failed", extra={"task": name})
                self._failed[name] = time.monotonic(), type(exc).__name__
            await asyncio.sleep(1)

    # --- directory -----------------------------------------------------------------------------------------------------------------------

    async def _refresh_directory(self) -> None:
        if self._load_directory is not None:
            self.directory = await self._load_directory(self.engine)

    async def _keep_directory(self) -> None:
        while True:
            await asyncio.sleep(self.settings.directory_refresh_seconds)
            await self._refresh_directory()

    async def _collect_when_idle(self) -> None:
        """Look for cycles when no batch comes to do it behind itself."""
        while True:
            await asyncio.sleep(garbage.SECONDS)
            if all(reader.idle.is_set() for reader in self.readers):
                garbage.collect_when_due()

    async def _watch_commits(self) -> None:
        """End the process when Kafka answers and a reader's offsets do not move all the same: begun anew it joins its group again, and
        nothing is lost."""
        stuck_seconds: dict[str, int] = {}
        counts: dict[str, int] = {}
        while True:
            await asyncio.sleep(1)
            for reader in self.readers:
                commits, group = reader.commits, reader.group
                stuck = commits.behind and commits.count == counts.get(group)
                counts[group] = commits.count
                stuck_seconds[group] = stuck_seconds.get(group, 0) + 1 if stuck and await self.broker.ping(timeout=1.5) else 0
                if stuck_seconds[group] >= STUCK_COMMITS_SECONDS:
                    log.critical("reader.stuck", extra={"group": group, "seconds": stuck_seconds[group]})
                    os._exit(os.EX_TEMPFAIL)

    # --- health --------------------------------------------------------------------------------------------------------------------------

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": "live", "service": self.name})

    async def _ready(self, _: Request) -> Response:
        problems: dict[str, str] = {} if self._started else {"start": "still starting"}
        for name, check in self._checks.items():
            try:
                async with asyncio.timeout(2):
                    await check()
            except Exception as exc:
                problems[name] = str(exc) if isinstance(exc, HubError | RuntimeError) else f"{type(exc).__name__}: {exc}"
        lag = sum(sum(reader.lag().values()) for reader in self.readers)
        body = {"status": "not ready" if problems else "ready", "service": self.name, "lag": lag, "problems": problems}
        return JSONResponse(body, status_code=503 if problems else 200)

    async def _metrics(self, _: Request) -> Response:
        for reader in self.readers:
            for place, waiting in reader.lag().items():
                self.metrics.lag.labels(place.topic, str(place.partition)).set(waiting)
        return Response(generate_latest(self.metrics.registry), media_type="text/plain; version=0.0.4")

    async def _database_answers(self) -> None:
        async with transaction(self.engine) as connection:
            await connection.execute(text("SELECT 1"))

    async def _kafka_answers(self) -> None:
        if self.readers and not await self.broker.ping(timeout=1.5):
            raise RuntimeError("Kafka does not answer")

    async def _readers_run(self) -> None:
        limit = self.settings.stuck_after_seconds
        for reader in self.readers:
            if not reader.alive():
                raise RuntimeError(f"consumer group {reader.group} does not run")
            if sum(reader.lag().values()) and time.monotonic() - reader.progress_at > limit:
                raise RuntimeError(f"consumer group {reader.group} made no progress for {limit:.0f} s")
        for name, task in self._running.items():
            if task.done():
                raise RuntimeError(f"background task {name} does not run")
            failed_at, error = self._failed.get(name, (-STEADY_SECONDS, ""))
            if time.monotonic() - failed_at < STEADY_SECONDS:
                raise RuntimeError(f"background task {name} fails: {error}")
