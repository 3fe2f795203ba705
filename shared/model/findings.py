"""A finding: one thing wrong with a filing, told in the sender's own terms."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.model.base import Model

Value = Annotated[str, StringConstraints(max_length=200)]


class Severity(StrEnum):
    """How much a finding weighs. An ``error`` rejects the item, the others travel with it."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Model):
    """One thing wrong.

    ``path`` points into the standard dataset (``/goods_items/2/hs_code``, 0-based), ``sender_path`` into the sender's message
    (``Item[3]/Declaration/Data/ContentPieces/ContentPiece[2]/HS``, 1-based). ``value`` is the offending text, cut at 200 characters.
    ``line`` and ``column`` are 1-based positions in the sender's bytes where the reader knows them.
    """

    code: str
    severity: Severity = Severity.ERROR
    message: str
    remedy: str
    path: str | None = None
    sender_path: str | None = None
    value: Value | None = None
    line: int | None = None
    column: int | None = None


def cut(value: object) -> str:
    """Return *value* as text fit for ``Finding.value``."""
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."
