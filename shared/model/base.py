"""The base of every model: frozen, closed, absent means missing."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen value. Unknown fields are refused; ``None`` means *not given* and is never written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> bytes:
        """Return UTF-8 JSON without absent fields, in field order."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)

    @classmethod
    def from_json(cls, raw: bytes | str) -> Self:
        """Read what :meth:`to_json` wrote. Raises ``pydantic.ValidationError``."""
        read: Self = cls.__pydantic_validator__.validate_json(raw)
        return read
