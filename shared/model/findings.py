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
    ``line`` and ``column`` are 1-based positions in the sender's message where the reader knows them; columns count characters.
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

    @property
    def where(self) -> str:
        """Return the sender's path, or else the dataset's, with line and column, in words."""
        path = self.sender_path or self.path or ""
        return f"{path} ({self.place})".strip() if self.place else path

    @property
    def place(self) -> str:
        """Return line and column in words, as far as they are known and the sender's path does not name them."""
        numbers = (f"{name} {said}" for name, said in (("line", self.line), ("column", self.column)) if said is not None)
        return ", ".join(each for each in numbers if each not in (self.sender_path or ""))


def cut(value: object) -> str:
    """Return *value* as text fit for ``Finding.value``."""
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."
