"""One hub for all end-to-end tests; it is down again before the next folder starts its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from shared.errors import HubError
from tests.families import FAMILIES
from tests.hub import ConnectedHub, started


@pytest.fixture(scope="package")
def hub() -> Iterator[ConnectedHub]:
    """A whole hub with a post, a carrier, a platform and seven customs administrations connected; services release everything at once."""
    try:
        running = started(families=FAMILIES)
        made = running.__enter__()
    except HubError as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no hub here: {exc}")
    yield made
    running.__exit__(None, None, None)
