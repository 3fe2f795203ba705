"""How it is usually written: one message at a time through FastStream, an ORM object each, a commit each, ``@publisher`` for the outcome.

The same reader, the same rules, the same facts in the store and the same decision out; only the shape differs.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from sqlalchemy import DateTime, Text, Uuid, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.router.dossier import Dossier
from services.router.fold import Input, fold
from services.router.policy.loading import load_pack
from shared.contracts import DecisionMade
from shared.formats import itmatt
from shared.model import DEFAULT_DIALECT, Filing, RawMessage


class Base(DeclarativeBase):
    """The naive store's own tables."""


class DossierRow(Base):
    """One dossier."""

    __tablename__ = "naive_dossier"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    facts: Mapped[str] = mapped_column(Text)


class TransitionRow(Base):
    """One applied input."""

    __tablename__ = "naive_transition"
    cause_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[str] = mapped_column(Text, index=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    input: Mapped[str] = mapped_column(Text)
    events: Mapped[str] = mapped_column(Text)


def app(source: str, target: str) -> FastStream:
    """Return the naive service from *source* to *target*."""
    broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP"], acks="all", enable_idempotence=True, logger=None)
    engine = create_async_engine(os.environ["DATABASE_URL"])
    session = async_sessionmaker(engine, expire_on_commit=False)
    policy = load_pack(os.environ["GUICHET_POLICY"])

    @broker.subscriber(source, group_id="naive", ack_policy=AckPolicy.NACK_ON_ERROR, auto_offset_reset="earliest")
    @broker.publisher(target)
    async def on_message(body: bytes, message: KafkaMessage) -> dict[str, Any]:
        now = datetime.now(UTC)
        (filing,) = itmatt.parse(RawMessage("usp", body, now), DEFAULT_DIALECT)
        assert isinstance(filing, Filing)
        async with session() as work:
            row = (await work.execute(select(DossierRow).where(DossierRow.key == filing.key))).scalar_one_or_none()
            known = Dossier.from_json(row.facts) if row is not None else None
            step = fold(known, Input(filing.filing_id, filing.key, "filing", filing), policy, now)
            if row is None:
                work.add(DossierRow(key=filing.key, facts=step.dossier.to_json().decode()))
            else:
                row.facts = step.dossier.to_json().decode()
            events = "\n".join(event.body.to_json().decode() for event in step.events)
            work.add(TransitionRow(cause_id=filing.filing_id, key=filing.key, at=now, input=filing.to_json().decode(), events=events))
            await work.commit()
        return next(event.body for event in step.events if isinstance(event.body, DecisionMade)).model_dump(mode="json")

    service = FastStream(broker)

    @service.on_startup
    async def create() -> None:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    return service


if __name__ == "__main__":
    asyncio.run(app(*sys.argv[1:3]).run())
