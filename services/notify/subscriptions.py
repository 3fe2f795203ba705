"""The subscriptions of the moment, indexed once per revision of the directory, and the topics they write to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from services.notify.match import CompileFilter, Index, index_of
from shared.contracts import Topics
from shared.directory import Directory
from shared.directory_store import topics_of_all
from shared.kafka_admin import ensure_topics

log = logging.getLogger(__name__)


class Subscriptions:
    """Follows the directory. :meth:`index` is cheap: it indexes only when the snapshot is another one."""

    def __init__(self, directory: Callable[[], Directory], compile_filter: CompileFilter, registry: CollectorRegistry) -> None:
        self._directory = directory
        self._compile = compile_filter
        self._of: Directory | None = None
        self._index = Index({})
        self._unusable = Gauge("guichet_subscriptions_unusable", "Subscriptions that cannot be served.", registry=registry)

    def index(self) -> Index:
        """Return the index of the directory as it stands."""
        directory = self._directory()
        if directory is not self._of:
            self._of, self._index = directory, index_of(directory, self._compile)
            self._unusable.set(len(self._index.unusable))
            for entry in self._index.unusable:
                log.error("subscription.unusable", extra={"subscription": entry.subscription, "why": entry.why})
        return self._index

    async def keep_topics(self, bootstrap: str, topics: Topics) -> None:
        """Create, for ever, the topics that a new participant or subscription needs, so that a notice never waits for its topic."""
        held: Directory | None = None
        while True:
            directory = self._directory()
            if directory is not held:
                created = await ensure_topics(bootstrap, topics_of_all(topics, directory))
                held = directory
                if created:
                    log.info("topics.created", extra={"topics": created})
            await asyncio.sleep(0.5)
