"""Logs as JSON lines of fields, metrics for Prometheus. Names, addresses and payloads stay out; identifiers are enough to find them."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Final

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line: ``at``, ``level``, ``logger``, ``event``, then the fields given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def log_to_stderr(level: str) -> None:
    """Send every log record of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aiokafka", "httpx", "httpcore", "uvicorn.access", "faststream"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class Metrics:
    """The figures every process exports; a service adds its own to ``registry``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = Counter("guichet_records", "Records read, by topic.", ["topic"], registry=self.registry)
        self.batch_seconds = Histogram(
            "guichet_batch_seconds",
            "Time from a batch read to its offset free to move.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.batch_size = Histogram(
            "guichet_batch_records", "Records in a batch.", buckets=(1, 5, 25, 100, 250, 500), registry=self.registry
        )
        self.retries = Counter("guichet_batch_retries", "Batches read again, by error code.", ["code"], registry=self.registry)
        self.dead = Counter("guichet_dead_letters", "Records put aside, by error code.", ["code"], registry=self.registry)
        self.published = Counter("guichet_published", "Records published and acknowledged.", registry=self.registry)
        self.lag = Gauge("guichet_lag_records", "Records waiting, by topic and partition.", ["topic", "partition"], registry=self.registry)
