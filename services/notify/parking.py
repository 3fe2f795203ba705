"""What a participant is told, through its mailboxes, when one of its webhooks is parked or disabled."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from services.notify.match import Interest, Told
from shared.contracts import Notice, derived_id
from shared.directory import Channel, Directory

PARKED: Final = "guichet.subscription.parked"
DISABLED: Final = "guichet.subscription.disabled"


def tell_owner(directory: Directory, subscription: UUID, type: str, sequence: int, now: datetime) -> list[Told]:
    """Return a notice for each living mailbox of the owner of *subscription*: its delivery number *sequence* could not be made, so it
    stands still."""
    stopped = next((each for each in directory.subscriptions if each.id == subscription), None)
    owner = directory.participants.get(stopped.participant) if stopped else None
    if stopped is None or owner is None:
        return []
    return [
        Told(
            Interest(mailbox, owner),
            Notice(
                notice_id=derived_id(type, subscription, sequence, now.isoformat()),
                subscription=mailbox.id,
                participant=owner.id,
                feed_sequence=0,
                type=type,
                at=now,
                key=f"subscription:{subscription}",
                sequence=sequence,
            ),
        )
        for mailbox in directory.subscriptions
        if mailbox.participant == owner.id and mailbox.channel is Channel.MAILBOX and mailbox.state == "active"
    ]
