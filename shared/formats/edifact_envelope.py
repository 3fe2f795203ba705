"""What the writers of EDIFACT put around their messages."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime

from shared.formats.base import Envelope


def control_reference(message_id: str) -> str:
    """Return an interchange control reference (an..14): the id itself where it fits, else one derived from it."""
    if len(message_id) <= 14 and message_id.isascii() and message_id.isprintable():
        return message_id
    return b32encode(hashlib.sha256(message_id.encode()).digest()).decode()[:14]


def unb(envelope: Envelope, reference: str, application: str, identifier: str = "UNOC") -> list[str | Sequence[str | None] | None]:
    """Return the elements of UNB. *envelope*'s codes may carry their qualifier: ``JXEXPRESS:ZZZ``."""
    at = envelope.prepared_at
    return [
        [identifier, "3"],
        envelope.sender.split(":", 1),
        envelope.recipient.split(":", 1),
        [at.strftime("%y%m%d"), at.strftime("%H%M")],
        reference,
        None,
        application,
        None,
        None,
        None,
        "1" if envelope.test else None,
    ]


def code(address: str) -> str:
    """Return an address without its qualifier."""
    return address.split(":", 1)[0]


def stamp(at: datetime) -> str:
    """Return an instant in form 304: date, time, seconds and offset in hours (half hours too)."""
    offset = at.strftime("%z") or "+0000"
    return at.strftime("%Y%m%d%H%M%S") + (offset[:3] if offset.endswith("00") else offset[:5])
