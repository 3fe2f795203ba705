"""Invented participants for the demo and the tests, and how they are connected to a running hub."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.sandbox.behaviour import Behaviours
from services.sandbox.bench import DESTINATIONS
from services.sandbox.tail import SERVICES, Watched
from services.sandbox.traffic import CARRIER, PLATFORM, POST
from shared import directory_store
from shared.contracts import EVENTS, Topics, derived_id
from shared.directory import Channel, Participant, Role, Subscription
from shared.kafka_admin import TopicSpec, ensure_topics, service_topics

ALL_EVENTS: Final = tuple(EVENTS)
ANSWERS: Final = ("guichet.consignment.accepted", "guichet.decision.made", "guichet.filing.rejected")
DECISIONS: Final = ("guichet.decision.made",)


def senders() -> tuple[Participant, ...]:
    """Return a post, an express carrier and a platform."""
    return (
        Participant(id=POST, name="Post of Elsewhere", role=Role.POST, country="US", formats=("itmatt",)),
        Participant(id=CARRIER, name="Swift Express", role=Role.CARRIER, country="CN", formats=("manifest-csv", "manifest-json")),
        Participant(id=PLATFORM, name="Bazaar", role=Role.PLATFORM, country="NL", formats=("order",)),
    )


def customs(countries: Sequence[str] = tuple(DESTINATIONS)) -> tuple[Participant, ...]:
    """Return the customs administrations of *countries*."""
    return tuple(Participant(id=f"{cc.lower()}-customs", name=f"Customs of {cc}", role=Role.CUSTOMS, country=cc) for cc in countries)


def wishes(sandbox: str, secret: str, now: datetime, countries: Sequence[str] = tuple(DESTINATIONS)) -> tuple[Subscription, ...]:
    """Return what the participants want to hear: the post CUSRSP, the carrier webhooks, the platform a mailbox, each customs its topics."""

    def wish(participant: str, channel: Channel, types: Sequence[str], **more: object) -> Subscription:
        return Subscription.model_validate(
            {
                "id": derived_id("sandbox subscription", participant, channel),
                "participant": participant,
                "event_types": tuple(types),
                "channel": channel,
                "created_at": now,
                **more,
            }
        )

    return (
        wish(POST, Channel.OUTBOUND, DECISIONS, format="cusrsp"),
        wish(CARRIER, Channel.WEBHOOK, ANSWERS, endpoint=f"{sandbox}/hooks/{CARRIER}", secrets=(secret,)),
        wish(PLATFORM, Channel.MAILBOX, ANSWERS),
        *(wish(f"{cc.lower()}-customs", Channel.KAFKA, DECISIONS) for cc in countries),
    )


def new_secret() -> str:
    """Return a fresh webhook secret: 192 random bits in the form that Standard Webhooks gives them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


async def connect(
    engine: AsyncEngine,
    bootstrap: str,
    topics: Topics,
    sandbox: str,
    *,
    countries: Sequence[str] = tuple(DESTINATIONS),
) -> Watched:
    """Write all of them into the directory with a fresh key each, and make their topics. The sandbox itself need not run yet.

    Those that are there already get one more key and a new webhook secret. Raises ``StoreUnavailable``.
    """
    secret = new_secret()
    participants = (*senders(), *customs(countries))
    subscriptions = wishes(sandbox, secret, datetime.now(UTC), countries)
    await ensure_topics(bootstrap, _topics(topics, participants, subscriptions))
    keys = {participant.id: await _connect_one(engine, participant) for participant in participants}
    for subscription in subscriptions:
        with suppress(directory_store.DuplicateEntry):
            await directory_store.add_subscription(engine, subscription)
        await directory_store.set_secrets(engine, subscription.id, subscription.secrets)
    return Watched(
        participants={participant.id: participant for participant in participants},
        subscriptions=subscriptions,
        keys=keys,
        hooks=_hooks(subscriptions),
    )


async def programme(sandbox: str, watched: Watched, behaviours: Behaviours) -> None:
    """Tell the sandbox how to behave from now on, with the secrets its receivers need."""
    of = {subscription.id: subscription.secrets for subscription in watched.subscriptions}
    behaviours = behaviours.model_copy(update={"secrets": {name: of[subscription] for subscription, name in watched.hooks.items()}})
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as http:
        answer = await http.put(f"{sandbox}/behaviour", content=behaviours.to_json(), headers={"content-type": "application/json"})
        answer.raise_for_status()


async def _connect_one(engine: AsyncEngine, participant: Participant) -> str:
    with suppress(directory_store.DuplicateEntry):
        await directory_store.add_participant(engine, participant)
    return await directory_store.add_key(engine, participant.id, label="sandbox")


def _topics(topics: Topics, participants: Sequence[Participant], subscriptions: Sequence[Subscription]) -> list[TopicSpec]:
    specs = list(service_topics(topics, SERVICES))
    for participant in participants:
        own = [subscription for subscription in subscriptions if subscription.participant == participant.id]
        specs += directory_store.topics_of(topics, participant, own)
    return specs


def _hooks(subscriptions: Sequence[Subscription]) -> Mapping[UUID, str]:
    return {
        subscription.id: (subscription.endpoint or "").rpartition("/")[2]
        for subscription in subscriptions
        if subscription.channel is Channel.WEBHOOK
    }
