"""Kafka and PostgreSQL in containers, where a Docker engine answers. The images are those of ``docker-compose.yml``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from deploy.local.kafka import broker_answers
from deploy.local.ports import free_port

KAFKA_IMAGE = "apache/kafka:4.3.0"
POSTGRES_IMAGE = "postgres:17"
START_SECONDS = 90.0


@cache
def engine_answers() -> bool:
    """True when a Docker engine answers within two seconds."""
    import docker

    try:
        client = docker.from_env(timeout=2)
        client.ping()
    except Exception:
        return False
    client.close()
    return True


@contextmanager
def kafka() -> Iterator[str]:
    """``host:port`` of a broker in a container; its port is chosen before it starts, because it must advertise it."""
    _require_engine()
    from testcontainers.core.container import DockerContainer

    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(port, port)
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:19093",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:19093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_MESSAGE_MAX_BYTES": "8388608",
    }
    for name, value in settings.items():
        container.with_env(name, value)
    with container:
        _wait(lambda: broker_answers(port), "Kafka")
        yield f"127.0.0.1:{port}"


@contextmanager
def postgres() -> Iterator[str]:
    """SQLAlchemy address of a server in a container."""
    _require_engine()
    from testcontainers.postgres import PostgresContainer

    with PostgresContainer(POSTGRES_IMAGE, driver="asyncpg") as container:
        yield container.get_connection_url()


def _require_engine() -> None:
    if not engine_answers():
        raise RuntimeError("no Docker engine answers")


def _wait(ready: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError(f"{what} in its container did not answer within {START_SECONDS:.0f} s")
        time.sleep(0.2)
