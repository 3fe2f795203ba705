"""A record on its way out, as the cores make it: no Kafka needed to say what is to be published."""

from __future__ import annotations

from typing import NamedTuple


class Outgoing(NamedTuple):
    """One record to publish. A record without key goes to partition 0."""

    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
