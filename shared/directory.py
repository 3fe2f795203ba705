"""Who is connected: participants, their API keys, their subscriptions (PostgreSQL schema ``directory``).

Services read the directory as a frozen snapshot, refreshed in the background, so that a message costs no look-up and a short absence of
the database
stops no door. Written by ``guichet participant|key|subscription``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.model import Model
from shared.model.dialect import Dialect

ParticipantId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]


class Role(StrEnum):
    """What a participant is; decides what it may send and see."""

    POST = "post"
    CARRIER = "carrier"
    PLATFORM = "platform"
    PAYMENT_PROVIDER = "payment_provider"
    CUSTOMS = "customs"
    AGENCY = "agency"


class Participant(Model):
    """An organisation connected to the hub. ``country`` is ISO 3166-1; customs see the consignments destined there."""

    id: ParticipantId
    name: str
    role: Role
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    formats: tuple[str, ...] = ()
    dialect: Dialect = Field(default_factory=Dialect)
    active: bool = True


class Channel(StrEnum):
    """How notices reach a subscriber. ``kafka``: ``release.<cc>.v1`` and ``hold.<cc>.v1``; ``outbound``: the participant's own topic in
    its own format.
    """

    KAFKA = "kafka"
    OUTBOUND = "outbound"
    WEBHOOK = "webhook"
    MAILBOX = "mailbox"


class Subscription(Model):
    """What a participant wants to hear, and where.

    ``event_types`` are ``ce_type`` values of ``shared.contracts.EVENTS``; ``filter`` is an expression over the notice's fields
    (``shared.expressions``);
    ``endpoint`` and ``secrets`` (``whsec_…``, newest first) belong to webhooks; ``format`` is ``json`` or a format that writes
    (``cusrsp``).
    """

    id: UUID
    participant: ParticipantId
    event_types: tuple[str, ...]
    channel: Channel
    destination_country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    filter: Annotated[str, StringConstraints(max_length=2000)] | None = None
    endpoint: str | None = None
    secrets: tuple[str, ...] = ()
    format: str = "json"
    state: Literal["active", "parked", "disabled"] = "active"
    created_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Directory:
    """One snapshot: what every service needs to know of everybody connected. ``keys`` maps a key's hash to its participant."""

    participants: Mapping[str, Participant] = field(default_factory=lambda: MappingProxyType({}))
    subscriptions: tuple[Subscription, ...] = ()
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    revision: int = 0

    def participant_of_key(self, key: str) -> Participant | None:
        """Return the active participant who holds the API key, or None. The look-up goes by hash: its time tells nothing of the key."""
        found = self.participants.get(self.keys.get(hash_of_key(key), ""))
        return found if found is not None and found.active else None

    def hearers_of(self, event_type: str) -> frozenset[str]:
        """Return the active participants with a subscription, not disabled, that names *event_type*."""
        return frozenset(
            each.participant
            for each in self.subscriptions
            if event_type in each.event_types
            and each.state != "disabled"
            and (owner := self.participants.get(each.participant)) is not None
            and owner.active
        )


KEY_PREFIX: Final = "gk_"


def new_key() -> str:
    """Return a fresh API key: 256 random bits behind ``gk_``. Shown once; only :func:`hash_of_key` of it is kept."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def hash_of_key(key: str) -> str:
    """Return what is stored of a key: SHA-256 in hex. A random 256-bit key needs no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()
