"""How a message as a whole is answered in kind: by the format that its own format names, or that belongs to its syntax.

A format module says with ``ACKNOWLEDGED_BY`` which format answers it (``cuscar``: ``contrl``; ``xfzb``: ``xfnm``; ``fhl``: ``fma``; a
manifest: itself). A table of any other format, and a message that no reader recognised, is answered by its syntax where that is enough to
name the sender. Everything else is answered in JSON, in the one shape of all notices: its items one by one (:func:`details`).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from shared.contracts import Acknowledgement, ItemTaken
from shared.formats import FORMATS
from shared.formats.base import ANSWER_LIMIT, Acknowledging, Format, Received, Tabular
from shared.formats.recognition import look
from shared.model import Dialect

_OF_SYNTAX: Final = MappingProxyType({"edifact": "contrl", "csv": "manifest-csv", "cargo-imp": "fma"})


def acknowledgement(received: Received, module: Format | None, dialect: Dialect) -> Acknowledgement | None:
    """Return the answer in kind to *received*, which *module* read (None: nobody knew it).

    None when its format has no such answer, when it must not be answered, or when the answer would be larger than ``ANSWER_LIMIT``.
    """
    writer = _writer(received, module)
    body = writer.acknowledge(received, dialect) if writer is not None else None
    if writer is None or body is None or len(body) > ANSWER_LIMIT:
        return None
    return Acknowledgement(format=writer.NAME, content_type=writer.CONTENT_TYPES[0], body=body)


def details(received: Received) -> tuple[ItemTaken, ...] | None:
    """Return what became of each item of *received*; of those refused, or None, where that would be larger than ``ANSWER_LIMIT``."""
    if received.refusal:
        every = [ItemTaken(refused=True, findings=received.refusal)]
    else:
        every = [
            ItemTaken.model_construct(position=each.position, key=each.key, refused=each.refused, findings=each.findings)
            for each in received.taken
        ]
    for told in (every, [each for each in every if each.refused]):
        if sum(len(each.to_json()) + 1 for each in told) <= ANSWER_LIMIT:
            return tuple(told)
    return None


def _writer(received: Received, module: Format | None) -> Acknowledging | None:
    name: str | None = getattr(module, "ACKNOWLEDGED_BY", None)
    if name is None and (module is None or isinstance(module, Tabular)):
        name = _OF_SYNTAX.get(look(received.raw.body).kind)
    found = FORMATS[name] if name is not None else None
    assert found is None or isinstance(found, Acknowledging)
    return found
