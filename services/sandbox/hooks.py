"""A pretend webhook receiver: checks the signature as Standard Webhooks asks, keeps what it got, in the order it got it.

Kept in memory and in ``<folder>/<name>.jsonl``, appended before the answer goes out, so that a receiver that is started again still knows
what it acknowledged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from shared.model import Model

TOLERANCE_SECONDS: Final = 300
"""How far a signature's time may be from the receiver's clock (Standard Webhooks, "Verifying webhook authenticity")."""


class BadSignature(Exception):
    """The receiver cannot know who sent this; its text says why."""


class Received(Model):
    """One delivery that was acknowledged. ``number`` counts from 1 per receiver; ``received_at`` is this receiver's clock."""

    number: int
    webhook_id: str
    received_at: datetime
    notice_id: UUID
    subscription: UUID
    type: str
    key: str
    sequence: int
    feed_sequence: int
    outcome: str | None = None
    at: datetime


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the webhook's id when one of *secrets* (``whsec_<base64>``) signed it not long before *now*. Raises :class:`BadSignature`."""
    webhook_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = [part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")]
    if not webhook_id or not stamp.isdigit() or not given:
        raise BadSignature("webhook-id, webhook-timestamp or webhook-signature is missing")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise BadSignature("webhook-timestamp is too far from now")
    signed = f"{webhook_id}.{stamp}.".encode() + body
    if not any(hmac.compare_digest(signature(secret, signed), other) for secret in secrets for other in given):
        raise BadSignature("no signature fits")
    return webhook_id


def signature(secret: str, signed: bytes) -> str:
    """Return HMAC-SHA256 of *signed* in base64. Raises :class:`BadSignature` for a secret that is none."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as exc:
        raise BadSignature("the receiver's own secret is not base64") from exc
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class Inbox:
    """What one receiver got."""

    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.jsonl"
        self.received: list[Received] = _read(path)
        self.refused = 0
        self.attempts: dict[str, int] = {}
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def attempt(self, webhook_id: str) -> int:
        """Count one more delivery of *webhook_id*; return which it is, from 1."""
        self.attempts[webhook_id] = self.attempts.get(webhook_id, 0) + 1
        return self.attempts[webhook_id]

    def keep(self, webhook_id: str, notice: Mapping[str, object], now: datetime) -> Received:
        """Write down one delivery. Raises ``pydantic.ValidationError`` when the body is no notice."""
        fields = {name: notice[name] for name in _KEPT if name in notice}
        entry = Received.model_validate({"number": len(self.received) + 1, "webhook_id": webhook_id, "received_at": now, **fields})
        os.write(self._file, entry.to_json() + b"\n")
        self.received.append(entry)
        return entry

    def after(self, number: int, limit: int) -> list[Received]:
        """Return what came after the delivery *number*."""
        return self.received[number : number + limit]

    def close(self) -> None:
        os.close(self._file)


_KEPT: Final = ("notice_id", "subscription", "type", "key", "sequence", "feed_sequence", "outcome", "at")


def _read(path: Path) -> list[Received]:
    """Return what a former life of the receiver kept; a line cut short by its end was never acknowledged."""
    if not path.exists():
        return []
    whole = path.read_bytes()
    kept, _, torn = whole.rpartition(b"\n")
    if torn:
        path.write_bytes(kept + b"\n" if kept else b"")
    return [Received.from_json(line) for line in kept.splitlines()]
