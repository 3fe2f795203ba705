"""What comes in: raw messages, and the filings or rejections a format makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from pydantic import AwareDatetime

from shared.model.base import Model
from shared.model.dataset import Consignment, Order, OrderRef
from shared.model.events import Event, Movement, Payment, ReferralReply
from shared.model.findings import Finding

Function = Literal["original", "replace", "cancel"]
Kind = Literal["consignment", "order", "payment", "movement", "event", "reply"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""What a filing can be about, by the name of its field."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """Bytes as they came, with who sent them and when the hub had them.

    ``participant`` comes from the topic or the credential, never from the bytes. ``submission_id`` is the receipt of the HTTP door.
    """

    participant: str
    body: bytes
    received_at: datetime
    content_type: str | None = None
    format_hint: str | None = None
    submission_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MessageHead:
    """What a message says of itself as a whole.

    ``message_id`` is the sender's own, or ``sha256:<hex>`` of the bytes where the format has none. ``declared_count`` and ``items`` serve
    the control total; ``test`` marks a message that must not have effects. ``references`` are keys by which an authority may name what it
    files (``lrn:…``).
    """

    format: str
    message_id: str
    prepared_at: datetime | None = None
    function: Function = "original"
    test: bool = False
    references: tuple[str, ...] | None = None


class Filing(Model):
    """One party's data about one consignment or one order: exactly one of the fields in ``KINDS`` is set.

    ``filing_id`` is derived from participant, message id and position, so the same message read twice gives the same filing.
    ``position`` points at the item in the sender's message (``Item[3]``, ``line 17``). ``paths`` holds only those provenance paths that
    differ from
    the format's own table (see ``shared.formats.provenance``). ``content_digest`` is SHA-256 (hex) over the content without header and
    version: two
    filings with one digest say the same. ``references`` are other keys by which authorities may name the consignment (``lrn:…``,
    ``mrn:…``).
    """

    filing_id: UUID
    key: str
    participant: str
    format: str
    message_id: str
    position: str
    function: Function = "original"
    version: int | None = None
    prepared_at: AwareDatetime | None = None
    received_at: AwareDatetime
    submission_id: UUID | None = None
    content_digest: str
    consignment: Consignment | None = None
    order: Order | None = None
    payment: Payment | None = None
    movement: Movement | None = None
    event: Event | None = None
    reply: ReferralReply | None = None
    findings: tuple[Finding, ...] | None = None
    paths: dict[str, str] | None = None
    references: tuple[str, ...] | None = None

    @property
    def kind(self) -> Kind:
        """Return what this filing is about."""
        if self.consignment is not None:
            return "consignment"
        said = self.__dict__
        for kind in KINDS:
            if said[kind] is not None:
                return kind
        raise ValueError("a filing about nothing")

    @property
    def content(self) -> Consignment | Order | Payment | Movement | Event | ReferralReply:
        """Return what was filed."""
        content: Consignment | Order | Payment | Movement | Event | ReferralReply = getattr(self, self.kind)
        return content

    def order_refs(self) -> tuple[OrderRef, ...]:
        """Return the orders that this filing names, without being one."""
        return (getattr(self.content, "orders", None) or ()) if self.order is None else ()


class Rejection(Model):
    """A message, or one item of it, that cannot become a filing, with every finding.

    ``position`` is None when the whole message is rejected; ``key`` is set where the item could at least be named.
    """

    rejection_id: UUID
    participant: str
    format: str | None = None
    message_id: str | None = None
    position: str | None = None
    key: str | None = None
    received_at: AwareDatetime
    submission_id: UUID | None = None
    findings: tuple[Finding, ...]
