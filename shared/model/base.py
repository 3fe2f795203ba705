"""The base of every model: frozen, closed, absent means missing. Decimals whose digits are bounded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import SchemaValidator
from pydantic_core.core_schema import CoreSchema, decimal_schema, no_info_after_validator_function


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


@dataclass(frozen=True, slots=True)
class Digits:
    """Bounds a ``Decimal`` as ``Field(max_digits=…, decimal_places=…)`` does, with the same errors, at half the price: digits are only
    counted where a number is long or has other places than *usual* (``Decimal("0.01")``: two)."""

    max_digits: int
    decimal_places: int
    usual: Decimal

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        usual, most = self.usual, self.max_digits - self.decimal_places
        count = SchemaValidator(self._counted()).validate_python

        def bounded(value: Decimal) -> Decimal:
            return value if value.same_quantum(usual) and value.adjusted() < most else count(value)

        return no_info_after_validator_function(bounded, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self._counted())

    def _counted(self) -> CoreSchema:
        return decimal_schema(max_digits=self.max_digits, decimal_places=self.decimal_places)
