"""The process that reads what comes in: ``python -m services.ingest.app``. Wiring only."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.handlers import Ingest
from shared.directory import Directory
from shared.directory_store import load
from shared.service import Service
from shared.settings import Settings

QUICK_LANE_RECORDS = 1000
"""Records the quick lane takes at once: the pause for the last acknowledgement and the commit is shared by so many."""
SLOW_LANE_RECORDS = 20
"""Records the slow lane takes at once: it holds their bytes."""


class IngestService(Service):
    """Inbound topics in, filings and rejections out. Keeps no state of its own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("ingest", settings, directory=self._reload)
        ingest = Ingest(settings.topics, self.publisher, self.dead, lambda: self.directory)
        pattern = settings.topics.inbound_pattern
        self.consume(ingest.on_inbound, group="ingest", pattern=pattern, max_records=QUICK_LANE_RECORDS)
        self.consume(ingest.on_large, group="ingest-large", topics=[settings.topics.large], max_records=SLOW_LANE_RECORDS)

    async def _reload(self, engine: AsyncEngine) -> Directory:
        return await load(engine, self.directory if self.directory.revision else None)


def main() -> None:
    """Serve health and metrics on ``GUICHET_PORT``, and read until told to stop."""
    IngestService(Settings()).run()


if __name__ == "__main__":
    main()
