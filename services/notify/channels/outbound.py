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
    name = filed.interest.subscription.format
    if name == "json":
        return in_json(filed, topics)
    content_type, body = _written(filed, writers[name])
    plain = in_json(filed, topics)
    typed = [(header, content_type.encode() if header == "content-type" else value) for header, value in plain.headers]
    return plain._replace(value=body, headers=typed)


def in_json(filed: Filed, topics: Topics, *more: tuple[str, str]) -> Outgoing:
    """Return the record that tells *filed* in JSON; *more* are further CloudEvents attributes.

    To a receiver whose format could not tell it, ``unwritten`` names the format and what it missed, with nothing personal.
    """
    return Outgoing(topics.outbound(filed.interest.participant.id), filed.notice.key.encode(), filed.body, headers_of(filed, *more))


def _written(filed: Filed, writer: Writer) -> tuple[str, bytes]:
    """Return content type and body; without body where there is nothing to say in the format."""
    notice = filed.notice
    if notice.type == ACKNOWLEDGED:
        answer = notice.acknowledgement
        return (answer.content_type, answer.body) if answer is not None else (writer.CONTENT_TYPES[0], b"")
    return writer.CONTENT_TYPES[0], writer.render([notice], filed.interest.participant.dialect)
