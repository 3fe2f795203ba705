"""One hub for all fault tests, whole again before each."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from services.sandbox.traffic import POST
from shared.errors import HubError
from tests.faults.stage import Stage, until, with_webhook
from tests.hub import ConnectedHub, in_thread, started
from tests.parcels import a_postal_item, itmatt

RETRY_SCALE = "0.035"
"""Makes the pauses of the webhooks' schedule so short that what failed throughout a minute is tried again soon after."""


@pytest.fixture(scope="package")
def connected() -> Iterator[ConnectedHub]:
    """A whole hub of our own, whatever servers the environment names: they are to be killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KAFKA_BOOTSTRAP", raising=False)
        patch.delenv("DATABASE_URL", raising=False)
        running = started(env={"GUICHET_RETRY_SCALE": RETRY_SCALE})
        try:
            made = running.__enter__()
        except HubError as exc:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no hub here: {exc}")
        in_thread(_warm(made))
        yield made
        running.__exit__(None, None, None)


@pytest.fixture
async def stage(connected: ConnectedHub) -> AsyncIterator[Stage]:
    """The hub with every part ready, no lag, and partners that release everything at once."""
    await connected.behave()
    stage = Stage(connected)
    await stage.calm()
    yield stage
    for second in ("ingest-2", "router-2", "notify-2"):
        await stage.leave(second)


async def _warm(connected: ConnectedHub) -> None:
    """Subscribe the webhook, and send items until its receiver has heard of one: then every part has read the directory."""
    await with_webhook(connected)

    async def heard() -> bool:
        await connected.stream(POST, itmatt(a_postal_item("NL")), key="USP-NLP")
        return bool(await connected.received("nl-customs"))

    await until(heard, "the first webhook")
