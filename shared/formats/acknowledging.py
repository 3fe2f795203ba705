"""How a message as a whole is answered in kind: by the format that its own format names, or that belongs to its syntax.

A format module says with ``ACKNOWLEDGED_BY`` which format answers it (``cuscar``: ``contrl``; ``xfzb``: ``xfnm``; ``fhl``: ``fma``; a
manifest: itself). A message that no reader recognised is answered by its syntax where that is enough to name the sender.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from shared.contracts import Acknowledgement
from shared.formats import FORMATS
from shared.formats.base import ANSWER_LIMIT, Acknowledging, Format, Received
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


def _writer(received: Received, module: Format | None) -> Acknowledging | None:
    if module is not None:
        name: str | None = getattr(module, "ACKNOWLEDGED_BY", None)
    else:
        name = _OF_SYNTAX.get(look(received.raw.body).kind)
    found = FORMATS[name] if name is not None else None
    assert found is None or isinstance(found, Acknowledging)
    return found
