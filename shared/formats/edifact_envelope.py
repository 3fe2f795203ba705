"""What the writers of EDIFACT put around their messages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Final

from shared.formats.base import Envelope

_PAIRS: Final = tuple(map("".join, product("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", repeat=2)))


def base32(number: int, characters: int) -> str:
    """Return *number* in base 32 (RFC 4648) with that many characters, an even number of them.

    >>> base32(0b00001_11111, 2), base32(1, 4)
    ('B7', 'AAAB')
    """
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * characters - 10, -1, -10)])


def control_reference(message_id: str) -> str:
    """Return an interchange control reference (an..14): the id itself where it fits, else one derived from it."""
    if len(message_id) <= 14 and message_id.isascii() and message_id.isprintable():
        return message_id
    return base32(int.from_bytes(hashlib.sha256(message_id.encode()).digest()[:9]) >> 2, 14)


def unb(envelope: Envelope, reference: str, application: str, identifier: str = "UNOC") -> list[str | Sequence[str | None] | None]:
    """Return the elements of UNB. *envelope*'s codes may carry their qualifier: ``JXEXPRESS:ZZZ``."""
    at = envelope.prepared_at
    return [
        [identifier, "3"],
        envelope.sender.split(":", 1),
        envelope.recipient.split(":", 1),
        [f"{at.year % 100:02}{at.month:02}{at.day:02}", f"{at.hour:02}{at.minute:02}"],
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
    offset, zone = at.utcoffset(), "+00"
    if offset:
        minutes = int(offset.total_seconds()) // 60
        hours, rest = divmod(abs(minutes), 60)
        zone = f"{'-' if minutes < 0 else '+'}{hours:02}" + (f"{rest:02}" if rest else "")
    return f"{at.year:04}{at.month:02}{at.day:02}{at.hour:02}{at.minute:02}{at.second:02}{zone}"
