# ruff: noqa: S608  (the texts put together here are our own column lists)
"""All SQL of schema ``directory``, and the Kafka topics a participant or a subscription needs.

:func:`load` is what services call; everything else belongs to the operator's command. Each change raises the directory's revision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts import Topics
from shared.db import transaction
from shared.directory import Channel, Directory, Participant, Subscription, hash_of_key, new_key
from shared.errors import Rejected
from shared.kafka_admin import TopicSpec, country_topics, participant_topics
from shared.model import Dialect

_ALIVE = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
_PARTICIPANT = "id, name, role, country, formats, CAST(dialect AS text) AS dialect, active"
_SUBSCRIPTION = "id, participant, event_types, channel, destination_country, filter, endpoint, secrets, format, state, created_at"

_ADD_SUBSCRIPTION = f"""
    INSERT INTO directory.subscription ({_SUBSCRIPTION})
    SELECT :id, p.id, CAST(:event_types AS text[]), CAST(:channel AS text), CAST(:destination_country AS text), CAST(:filter AS text),
           CAST(:endpoint AS text), CAST(:secrets AS text[]), CAST(:format AS text), CAST(:state AS text), :created_at
    FROM directory.participant p WHERE p.id = :participant
"""

_PARTICIPANTS: TypeAdapter[list[Participant]] = TypeAdapter(list[Participant])
_SUBSCRIPTIONS: TypeAdapter[tuple[Subscription, ...]] = TypeAdapter(tuple[Subscription, ...])


class UnknownEntry(Rejected):
    """The directory has no such participant, key or subscription."""

    code = "directory.unknown"


class DuplicateEntry(Rejected):
    """The directory has it already."""

    code = "directory.duplicate"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """An API key as the directory holds it. ``fingerprint`` is the first 12 hex digits of its hash."""

    fingerprint: str
    participant: str
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


async def load(engine: AsyncEngine, held: Directory | None = None) -> Directory:
    """Return the directory as it stands. With *held*, one small query tells whether anything changed; if not, *held* itself comes back.

    The revision is read first, so a change under way is seen by the next call at the latest. Expired and revoked keys are left out.
    Raises ``StoreUnavailable``.
    """
    async with transaction(engine) as connection:
        revision, alive = await _state(connection)
        if held is not None and (revision, alive) == (held.revision, len(held.keys)):
            return held
        participants = await _participants(connection)
        subscriptions = _SUBSCRIPTIONS.validate_python(
            await _rows(connection, f"SELECT {_SUBSCRIPTION} FROM directory.subscription ORDER BY created_at, id")
        )
        keys = await connection.execute(text(f"SELECT hash, participant FROM directory.api_key WHERE {_ALIVE}"))
        return Directory(
            participants=MappingProxyType({p.id: p for p in participants}),
            subscriptions=subscriptions,
            keys=MappingProxyType(dict(keys.tuples().all())),
            revision=revision,
        )


# --- participants -------------------------------------------------------------------------------------------------------------------------


async def add_participant(engine: AsyncEngine, participant: Participant) -> None:
    """Connect an organisation. Raises :class:`DuplicateEntry` when the id is taken: no id is ever given twice."""
    values = {**participant.model_dump(mode="json", exclude={"dialect", "formats"}), "dialect": participant.dialect.model_dump_json()}
    try:
        async with transaction(engine) as connection:
            await connection.execute(
                text(
                    "INSERT INTO directory.participant (id, name, role, country, formats, dialect, active)"
                    " VALUES (:id, :name, :role, :country, CAST(:formats AS text[]), CAST(:dialect AS json), :active)"
                ),
                values | {"formats": list(participant.formats)},
            )
    except Exception as exc:
        if _already_there(exc):
            raise DuplicateEntry(f"participant {participant.id} exists already") from exc
        raise


async def set_active(engine: AsyncEngine, participant: str, active: bool) -> None:
    """Open or close the hub's doors for a participant. What it filed stays. Raises :class:`UnknownEntry`."""
    await _change(
        engine, "UPDATE directory.participant SET active = :active WHERE id = :id", {"active": active, "id": participant}, participant
    )


async def set_dialect(engine: AsyncEngine, participant: str, dialect: Dialect) -> None:
    """Replace a participant's dialect. Raises :class:`UnknownEntry`."""
    values = {"dialect": dialect.model_dump_json(), "id": participant}
    await _change(engine, "UPDATE directory.participant SET dialect = CAST(:dialect AS json) WHERE id = :id", values, participant)


# --- keys ---------------------------------------------------------------------------------------------------------------------------------


async def add_key(
    engine: AsyncEngine, participant: str, *, label: str = "", valid_for: timedelta | None = None, key: str | None = None
) -> str:
    """Give a participant one more API key and return it: the only time it can be seen. *key* is for set-ups that bring their own.

    Raises :class:`UnknownEntry` for an unknown participant, :class:`DuplicateEntry` when the very key exists.
    """
    key = key or new_key()
    values = {"hash": hash_of_key(key), "participant": participant, "label": label, "valid_for": valid_for}
    statement = (
        "INSERT INTO directory.api_key (hash, participant, label, expires_at)"
        " SELECT :hash, id, :label, now() + CAST(:valid_for AS interval) FROM directory.participant WHERE id = :participant"
    )
    try:
        await _change(engine, statement, values, participant)
    except Exception as exc:
        if _already_there(exc):
            raise DuplicateEntry("this key exists already") from exc
        raise
    return key


async def list_keys(engine: AsyncEngine, participant: str | None = None) -> list[KeyEntry]:
    """Return the keys of a participant, or all, oldest first, dead ones included."""
    statement = (
        "SELECT left(hash, 12), participant, label, created_at, expires_at, revoked_at FROM directory.api_key"
        " WHERE CAST(:participant AS text) IS NULL OR participant = :participant ORDER BY created_at, hash"
    )
    async with transaction(engine) as connection:
        result = await connection.execute(text(statement), {"participant": participant})
        return [KeyEntry(*row) for row in result.tuples()]


async def revoke_key(engine: AsyncEngine, fingerprint: str) -> None:
    """Kill the one living key whose hash begins with *fingerprint* (12 hex digits or more). Raises :class:`UnknownEntry`."""
    if len(fingerprint) < 12 or not set(fingerprint) <= set("0123456789abcdef"):
        raise UnknownEntry(f"{fingerprint!r} is not a fingerprint: give the 12 hex digits that `guichet key list` shows")
    statement = "UPDATE directory.api_key SET revoked_at = now() WHERE revoked_at IS NULL AND starts_with(hash, :fingerprint)"
    await _change(engine, statement, {"fingerprint": fingerprint}, fingerprint)


# --- subscriptions ------------------------------------------------------------------------------------------------------------------------


async def add_subscription(engine: AsyncEngine, subscription: Subscription) -> None:
    """Store a subscription. Raises :class:`UnknownEntry` for an unknown participant, :class:`DuplicateEntry` for an id in use."""
    values = subscription.model_dump() | {
        "channel": subscription.channel.value,
        "event_types": list(subscription.event_types),
        "secrets": list(subscription.secrets),
    }
    try:
        await _change(engine, _ADD_SUBSCRIPTION, values, subscription.participant)
    except Exception as exc:
        if _already_there(exc):
            raise DuplicateEntry(f"subscription {subscription.id} exists already") from exc
        raise


async def set_subscription_state(engine: AsyncEngine, subscription: UUID, state: Literal["active", "parked", "disabled"]) -> None:
    """Wake, park or end a subscription; its feed stays. Raises :class:`UnknownEntry`."""
    await _change(
        engine, "UPDATE directory.subscription SET state = :state WHERE id = :id", {"state": state, "id": subscription}, str(subscription)
    )


async def set_secrets(engine: AsyncEngine, subscription: UUID, secrets: Sequence[str]) -> None:
    """Replace a webhook's secrets, newest first; two at a time while a receiver changes over. Raises :class:`UnknownEntry`."""
    values = {"secrets": list(secrets), "id": subscription}
    await _change(engine, "UPDATE directory.subscription SET secrets = CAST(:secrets AS text[]) WHERE id = :id", values, str(subscription))


# --- topics -------------------------------------------------------------------------------------------------------------------------------


def topics_of(topics: Topics, participant: Participant, subscriptions: Sequence[Subscription] = ()) -> list[TopicSpec]:
    """Return the topics that must exist for *participant* and its *subscriptions*: its own two, and those its channels write to."""
    specs = list(participant_topics(topics, participant.id))
    for subscription in subscriptions:
        if subscription.channel is Channel.KAFKA:
            specs += country_topics(topics, subscription.destination_country or participant.country)
    return specs


def topics_of_all(topics: Topics, directory: Directory) -> list[TopicSpec]:
    """Return every topic the directory's participants and subscriptions need."""
    mine: dict[str, list[Subscription]] = {}
    for subscription in directory.subscriptions:
        mine.setdefault(subscription.participant, []).append(subscription)
    return [spec for p in directory.participants.values() for spec in topics_of(topics, p, mine.get(p.id, ()))]


# --- what operators did -------------------------------------------------------------------------------------------------------------------


async def note(engine: AsyncEngine, actor: str, action: str, subject: str, detail: str = "") -> None:
    """Write down what an operator did: *action* such as ``key.add``, *subject* an identifier, never a person's data or a secret."""
    values = {"actor": actor, "action": action, "subject": subject, "detail": detail}
    async with transaction(engine) as connection:
        await connection.execute(
            text("INSERT INTO directory.audit (actor, action, subject, detail) VALUES (:actor, :action, :subject, :detail)"), values
        )


# --- the SQL's small change ---------------------------------------------------------------------------------------------------------------


async def _state(connection: AsyncConnection) -> tuple[int, int]:
    """Return the revision and the number of living keys: keys die of age without a change of the revision."""
    statement = f"SELECT number, (SELECT count(*) FROM directory.api_key WHERE {_ALIVE}) FROM directory.revision"
    number, alive = (await connection.execute(text(statement))).one()
    return number, alive


async def _participants(connection: AsyncConnection) -> list[Participant]:
    rows = await _rows(connection, f"SELECT {_PARTICIPANT} FROM directory.participant ORDER BY id")
    return _PARTICIPANTS.validate_python([row | {"dialect": Dialect.from_json(row["dialect"])} for row in rows])


async def _rows(connection: AsyncConnection, statement: str) -> list[dict[str, Any]]:
    rows: Sequence[Row[Any]] = (await connection.execute(text(statement))).all()
    return [dict(row._mapping) for row in rows]


async def _change(engine: AsyncEngine, statement: str, values: Mapping[str, Any], subject: str) -> None:
    """Run one statement that must touch a row. Raises :class:`UnknownEntry` when it touches none."""
    async with transaction(engine) as connection:
        result = await connection.execute(text(statement), dict(values))
        if result.rowcount == 0:
            raise UnknownEntry(f"{subject}: no such entry in the directory")


def _already_there(exc: BaseException) -> bool:
    return isinstance(exc, IntegrityError) or isinstance(exc.__cause__, IntegrityError)
