"""The door's process: ``python -m services.ingest.door``.

Wiring only; the endpoints are in ``gateway``, the projection's core in ``submissions``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from services.ingest import store
from services.ingest.gateway import Gateway, routes
from services.ingest.lag import LagMeter
from services.ingest.store import Cursor, Entry, Held
from services.ingest.submissions import SubmissionStatus, changes
from shared.directory import Directory
from shared.directory_store import load
from shared.kafka import Records
from shared.problems import dress
from shared.service import Service
from shared.settings import Settings

READ_API_SECONDS = 40.0
"""A feed may be asked to wait for news; longer than that nobody waits."""


class Door(Service):
    """The service behind one address for participants: submissions in, answers and feed out."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("door", settings, directory=self._reload)
        topics = settings.topics
        lanes = {topics.group("ingest"): self._inbound_topics, topics.group("ingest-large"): lambda: {topics.large}}
        self._meter = LagMeter(settings.kafka_bootstrap, lanes)
        self._gateway = Gateway(
            topics=settings.topics,
            directory=lambda: self.directory,
            publisher=self.publisher,
            receipts=StoredReceipts(self.engine),
            waiting=self._meter,
            lag_limit=settings.lag_limit,
            clock=lambda: datetime.now(UTC),
            read_api=httpx.AsyncClient(base_url=settings.read_url, timeout=READ_API_SECONDS, trust_env=False),
        )
        self.consume(self.on_decisions, group="door", topics=[settings.topics.decisions])
        self.background(self._meter.run, name="lag")

    def app(self) -> Starlette:
        """Return the application with the door's addresses; every error of it is a problem document."""
        app = super().app()
        app.router.routes.extend(routes(self._gateway))
        return dress(app)

    async def on_decisions(self, records: Records) -> None:
        """Note what became of filings that came through this door."""
        await store.apply(self.engine, changes(records))

    async def _reload(self, engine: AsyncEngine) -> Directory:
        return await load(engine, self.directory if self.directory.revision else None)

    def _inbound_topics(self) -> set[str]:
        return {self.settings.topics.inbound(participant) for participant in self.directory.participants}


class StoredReceipts:
    """Receipts in PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def reserve(self, entries: Sequence[Entry]) -> Sequence[Held]:
        return await store.reserve(self._engine, entries)

    async def settle(self, entries: Sequence[Entry]) -> None:
        await store.settle(self._engine, entries)

    async def find_status(self, participant: str, receipt: UUID, after: Cursor | None, limit: int) -> SubmissionStatus | None:
        return await store.find_status(self._engine, participant, receipt, after=after, limit=limit)


def main() -> None:
    """Serve on ``GUICHET_PORT`` (8080 where it is not set)."""
    settings = Settings()
    Door(settings if "GUICHET_PORT" in os.environ else settings.model_copy(update={"port": 8080})).run()


if __name__ == "__main__":
    main()
