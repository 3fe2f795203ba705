"""Topics and migrations: what must be there before the first process of the hub starts.

``python -m deploy.prepare`` does it for ``KAFKA_BOOTSTRAP`` and ``DATABASE_URL``; doing it again is no work. It waits a while for servers
that are still starting.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from services.router.policy.loading import POLICIES, packs, read_content
from shared.contracts import Topics
from shared.errors import StoreUnavailable, Unavailable
from shared.kafka_admin import PARTITIONS, TopicSpec, core_topics, ensure_topics, service_topics
from shared.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 60.0


async def prepare(bootstrap: str, database_url: str, topics: Topics, partitions: int = PARTITIONS) -> None:
    """Create the topics that are missing and apply the migrations. Raises ``Unavailable``."""
    await asyncio.gather(ensure_topics(bootstrap, wanted_topics(topics, partitions)), migrate(database_url))


def wanted_topics(topics: Topics, partitions: int = PARTITIONS) -> list[TopicSpec]:
    """The topics every hub has, and the requests of every service that a shipped policy pack may ask.

    Those of participants and countries are made when they are connected.
    """
    services = {service.name for name in packs() for service in read_content(POLICIES.joinpath(name)).services}
    return [*core_topics(topics, partitions), *service_topics(topics, sorted(services), partitions)]


async def migrate(database_url: str) -> None:
    """Apply the migrations in a process of its own, as an operator would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "alembic", "-c", str(ROOT / "alembic.ini"), "upgrade", "heads"),
        env=os.environ | {"DATABASE_URL": database_url},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        where = urlsplit(database_url)
        raise StoreUnavailable(f"migrations failed on {where.hostname}:{where.port}:\n{output.decode()[-2000:]}")


async def main() -> int:
    """Prepare what the settings name; 0 when all is there, 1 when a server stayed away."""
    settings = Settings()
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            await prepare(settings.kafka_bootstrap, settings.database_url, settings.topics, settings.partitions)
            return 0
        except Unavailable as exc:
            if time.monotonic() > until:
                print(f"{exc.code}: {exc}", file=sys.stderr)
                return 1
        await asyncio.sleep(1.0)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
