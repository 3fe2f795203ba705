"""Channel ``outbound``: notices on the participant's own topic, in the format its subscription names (JSON where it names none).

An acknowledgement comes as the bytes that answer the message in its own kind, unless the subscription wants JSON. What the format cannot
say of one consignment comes as JSON; the header ``ce_unwritten`` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.notify.channels.kafka import headers_of
from services.notify.ledger import Filed
from services.notify.match import ACKNOWLEDGED
from shared.contracts import Topics
from shared.formats.base import Writer
from shared.kafka import Outgoing

NAME: Final = "outbound"


def send(filed: Filed, topics: Topics, writers: Mapping[str, Writer]) -> Outgoing:
    """Return the record that tells *filed* in its receiver's own format; without value where that format has nothing to say of it.

    Raises whatever the writer of the format raises, :class:`shared.errors.InvalidConsignment` where the notice lacks what it needs, and
    ``KeyError`` for a format that does not write: then :func:`in_json` tells it.
    """
    receiver = filed.interest.participant
    name = filed.interest.subscription.format
    topic, key, headers = topics.outbound(receiver.id), filed.notice.key.encode(), headers_of(filed)
    if name == "json":
        return Outgoing(topic, key, filed.body, headers)
    content_type, body = _written(filed, writers[name])
    typed = [(header, content_type.encode() if header == "content-type" else value) for header, value in headers]
    return Outgoing(topic, key, body, typed)


def in_json(filed: Filed, topics: Topics, why: str) -> Outgoing:
    """Return the record that tells *filed* in JSON to a receiver whose format could not: *why* names the format and what it missed, with
    nothing personal."""
    headers = headers_of(filed, ("unwritten", why))
    return Outgoing(topics.outbound(filed.interest.participant.id), filed.notice.key.encode(), filed.body, headers)


def _written(filed: Filed, writer: Writer) -> tuple[str, bytes]:
    """Return content type and body; without body where there is nothing to say in the format."""
    notice = filed.notice
    if notice.type == ACKNOWLEDGED:
        answer = notice.acknowledgement
        return (answer.content_type, answer.body) if answer is not None else (writer.CONTENT_TYPES[0], b"")
    return writer.CONTENT_TYPES[0], writer.render([notice], filed.interest.participant.dialect)
