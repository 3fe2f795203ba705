"""What XCSN and XFNM share: from the document that an authority names to the key of an answer, and from a notice to a message.

A house is keyed by its carrier, as it was filed: the dialect's ``carrier``, else what the dialect's code map ``carrier`` makes of the
message's recipient, else the recipient's address in lower case. A master is named by ``master:<air waybill>``. The hub's and the
receiver's addresses are data of the receiver's dialect (code map ``cargo_xml``: ``hub``, ``address``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from shared.contracts import Answer, Notice, Scope, express_key, freight_key
from shared.formats.base import Envelope
from shared.formats.cargo_xml import master_key, waybill
from shared.formats.filings import Item, reject, translate
from shared.identifiers import air_waybill
from shared.model import Dialect, MessageHead, RawMessage, Rejection

HUB: Final = "GUICHET"
HOUSE, DIRECT, MASTER, MANIFEST = "703", "740", "741", "785"
"""Types of documents: house waybill, direct and master air waybill, house manifest."""

NAMES: Final = {HOUSE: "House Waybill", DIRECT: "Air Waybill", MASTER: "Master Air Waybill", MANIFEST: "House Manifest"}


def key_of(number: str, type_code: str, header: Mapping[str, str], item: Item) -> tuple[str, Scope]:
    """Return the key of the document *number*, and how far an answer about it reaches.

    Without a known type, eleven digits are a master and anything else is a house.
    """
    if type_code == DIRECT or type_code in (MASTER, MANIFEST) or (type_code != HOUSE and air_waybill.problem(number) is None):
        awb = waybill(number, "/key", item) or number
        known = item.dialect.carrier if type_code == DIRECT else None
        if known is not None:
            return freight_key(known, awb), Scope(level="house")
        return master_key(awb), Scope(level="master")
    recipient = header.get("recipient", "")
    carrier = item.dialect.carrier or item.dialect.code_maps.get("carrier", {}).get(recipient, recipient.lower())
    return express_key(carrier, number), Scope(level="house")


def identity(*parts: str) -> str:
    """Return the id of an answer: its parts in at most 100 characters, the same for the same parts.

    >>> identity("M1", "RS", "JXE1")
    'M1/RS/JXE1'
    """
    whole = "/".join(parts)
    return whole if len(whole) <= 100 else f"sha256:{hashlib.sha256(whole.encode()).hexdigest()}"


def conclude(said: Mapping[str, Any], item: Item, head: MessageHead, raw: RawMessage) -> Answer | Rejection:
    """Return the answer that *said* is, or the rejection that the findings demand."""
    given = {name: value for name, value in said.items() if value or value not in (None, "", (), {})}
    if not item.refused:
        try:
            return Answer.model_validate(
                given
                | {
                    "service": raw.participant,
                    "format": head.format,
                    "message_id": head.message_id,
                    "position": item.position,
                    "findings": item.findings or None,
                }
            )
        except ValidationError as exc:
            translate(exc, item)
    return reject(item, head, raw, given.get("key"))


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def envelope_of(notice: Notice, document: str, dialect: Dialect) -> Envelope:
    """Return who writes *notice* to whom; the id is the document's number and the notice's own."""
    addresses = dialect.code_maps.get("cargo_xml", {})
    return Envelope(
        f"{document[:37]}_{notice.notice_id.hex}",
        addresses.get("hub", HUB),
        addresses.get("address", notice.participant.upper()),
        notice.at,
    )


def document_of(notice: Notice) -> tuple[str, str]:
    """Return the document that a notice is about, and its type: the house or direct waybill, else the master, else the message."""
    kind, _, rest = notice.key.partition(":")
    if notice.consignment is not None:
        return notice.consignment.house_transport_document_id, DIRECT if kind == "freight" else HOUSE
    if kind == "master":
        return rest, MASTER
    if kind in ("express", "freight") and ":" in rest:
        return rest.partition(":")[2], DIRECT if kind == "freight" else HOUSE
    if kind == "post":
        return rest, HOUSE
    return conversation_of(notice) or str(notice.notice_id), ""


def is_not_to_be_loaded(notice: Notice) -> bool:
    """Return whether an authority's *do not load* stands."""
    return any(referral.type == "DNL" for referral in notice.referrals or ())


def conversation_of(notice: Notice) -> str | None:
    """Return the receiver's own message that a notice answers."""
    return notice.filing.message_id if notice.filing is not None else notice.message_id
