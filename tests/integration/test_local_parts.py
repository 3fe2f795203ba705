"""The local Kafka and PostgreSQL keep what they were given, whatever ends them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import LocalKafka, LocalPostgres
from shared.errors import Unavailable

TOPIC = "kept"


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="guichet-parts-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def kafka(folder: Path) -> Iterator[LocalKafka]:
    part = LocalKafka(folder / "kafka")
    part.start()
    yield part
    part.kill()


@pytest.fixture
def postgres(folder: Path) -> Iterator[LocalPostgres]:
    part = LocalPostgres(folder / "postgres")
    part.start()
    yield part
    part.kill()


async def _produce(bootstrap: str, values: list[bytes]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value)


async def _consume(bootstrap: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, group_id="reader", auto_offset_reset="earliest")
    async with consumer:
        return [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in range(count)]


async def _sql(postgres: LocalPostgres, statement: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(postgres.url.replace("+asyncpg", ""))
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_records_survive_a_killed_kafka_that_comes_back_on_its_port(kafka: LocalKafka) -> None:
    values = [f"record {number}".encode() for number in range(50)]
    await _produce(kafka.bootstrap, values)
    before = (kafka.bootstrap, kafka.pid)

    kafka.kill()
    assert not kafka.alive()
    await asyncio.to_thread(kafka.start)

    assert (kafka.bootstrap, kafka.pid != before[1]) == (before[0], True)
    assert await _consume(kafka.bootstrap, len(values)) == values


async def test_committed_rows_survive_a_killed_postgresql_that_comes_back_on_its_port(postgres: LocalPostgres) -> None:
    await _sql(postgres, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
    before = (postgres.url, postgres.pid)

    postgres.kill()
    assert not postgres.alive()
    await asyncio.to_thread(postgres.start)

    assert (postgres.url, postgres.pid != before[1]) == (before[0], True)
    assert (await _sql(postgres, "SELECT count(*), sum(number) FROM kept"))[0] == (1000, 500500)


async def test_postgresql_answers_only_to_its_password_and_syncs_every_commit(postgres: LocalPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host="127.0.0.1", port=postgres.port, user="guichet", password="wrong", database="guichet")
    rows = await _sql(postgres, "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('timezone')")
    assert rows[0] == ("on", "on", "UTC")


async def test_a_folder_gives_its_rows_again_to_a_new_server(postgres: LocalPostgres) -> None:
    await _sql(postgres, "CREATE TABLE kept AS SELECT 1 AS number")
    postgres.stop()
    again = LocalPostgres(postgres.folder)
    await asyncio.to_thread(again.start)
    try:
        assert await _sql(again, "SELECT number FROM kept") == [(1,)]
    finally:
        again.stop()


async def test_a_first_start_that_broke_off_before_the_database_was_made_is_finished_by_the_next(folder: Path) -> None:
    (folder / "half").mkdir()
    part = LocalPostgres(folder / "half")
    part._init()
    await asyncio.to_thread(part.start)
    try:
        assert await _sql(part, "SELECT current_database()") == [("guichet",)]
    finally:
        part.kill()


async def test_another_server_on_the_port_does_not_pass_for_ours(postgres: LocalPostgres, folder: Path) -> None:
    (folder / "late").mkdir()
    late = LocalPostgres(folder / "late", postgres.port)
    late._init()
    late._write_settings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deploy.local.postgres.START_SECONDS", 2.0)
        with pytest.raises(Unavailable, match="did not start"):
            await asyncio.to_thread(late._launch)
    assert not late.alive()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another user")
async def test_root_may_keep_its_hub_in_a_folder_that_others_cannot_enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, opened = folder / "closed", folder / "opened"
    closed.mkdir(mode=0o700)
    opened.mkdir(mode=0o755)
    monkeypatch.setattr("deploy.local.postgres.ROOT_FOLDER", opened)
    part = LocalPostgres(closed / "postgres")
    await asyncio.to_thread(part.start)
    try:
        assert await _sql(part, "SELECT 1") == [(1,)]
        assert (closed / "postgres" / "data").resolve().is_relative_to(opened)
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        part.kill()
