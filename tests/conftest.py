"""Real parts for the tests that need them, and a marker per folder.

``kafka_bootstrap`` and ``database_url`` come from, in this order: the variables ``KAFKA_BOOTSTRAP`` and ``DATABASE_URL``; containers,
where a Docker engine answers; a Kafka and a PostgreSQL of our own in a temporary folder. Each starts once per session,
when the first test asks for it. Where none can start the test is skipped with the reason, and fails where ``CI`` is set.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from deploy.local import LocalKafka, LocalPostgres
from tests import containers

# The same examples every time: a property that fails does so for everybody. Whoever looks for new ones sets another profile.
settings.register_profile("same", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("unit", "contract", "property", "integration", "e2e", "faults", "bench")
TIMEOUT_SECONDS = {"integration": 180, "e2e": 300, "faults": 600, "bench": 1800}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the name of its folder and give the slow kinds their time."""
    for item in items:
        inside = item.path.relative_to(ROOT / "tests").parts
        if inside[0] in KINDS:
            item.add_marker(inside[0])
        if inside[0] in TIMEOUT_SECONDS and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS[inside[0]]))


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    """A folder for the data of the parts; others may pass through it, because PostgreSQL does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="guichet-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka_bootstrap(parts_folder: Path) -> Iterator[str]:
    """``host:port`` of a real Kafka."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    with _first_that_starts("Kafka", containers.kafka, lambda: _local(LocalKafka(parts_folder / "kafka"))) as kafka:
        yield kafka.bootstrap if isinstance(kafka, LocalKafka) else kafka


@pytest.fixture(scope="session")
def database_url(parts_folder: Path) -> Iterator[str]:
    """``postgresql+asyncpg://…`` of an empty database on a real PostgreSQL."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with _first_that_starts("PostgreSQL", containers.postgres, lambda: _local(LocalPostgres(parts_folder / "postgres"))) as server:
        yield server.url if isinstance(server, LocalPostgres) else server


@pytest.fixture(scope="session")
def migrated_template(database_url: str) -> Iterator[str]:
    """Name of a database with all migrations applied, from which others are copied in a blink."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    _execute(database_url, f'CREATE DATABASE "{name}"')
    migrate(_with_database(database_url, name))
    yield name
    _execute(database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def fresh_database(database_url: str, migrated_template: str) -> Iterator[str]:
    """Address of a migrated, empty database that belongs to this test alone."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _execute(database_url, f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
    yield _with_database(database_url, name)
    _execute(database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics and groups that no other test uses; services take it from ``GUICHET_TOPIC_PREFIX``."""
    return f"t{uuid.uuid4().hex[:10]}."


def migrate(url: str) -> None:
    """Apply all migrations to the database at *url*, in a process of its own as an operator would."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), "upgrade", "heads"],
        env=os.environ | {"DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"migrations failed:\n{done.stderr[-1500:]}"


@contextmanager
def _first_that_starts(what: str, *ways: Callable[[], Any]) -> Iterator[Any]:
    """Try the ways in order; give what the first one yields."""
    reasons = []
    for way in ways:
        manager = way()
        try:
            part = manager.__enter__()
        except Exception as exc:
            reasons.append(str(exc))
            continue
        try:
            yield part
        finally:
            manager.__exit__(None, None, None)
        return
    reason = f"{what} cannot start here: {'; '.join(reasons)}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def _local(part: Any) -> Iterator[Any]:
    """A part on this machine; its data are thrown away, so it need not end politely."""
    part.start()
    try:
        yield part
    finally:
        part.kill()


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    """Run one statement outside a transaction, away from the event loop of the test."""

    async def run() -> None:
        connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    _in_thread(run())


def _in_thread(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()
