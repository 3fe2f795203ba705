"""What an expression may read: types derived from the annotations of pydantic models."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, reduce
from typing import Annotated, Any, Literal, NewType, Self, Union, get_args, get_origin

import pydantic
from pydantic import BaseModel


@dataclass(frozen=True)
class Text:
    """A string. ``choices`` are the only values it can have, where the field is a ``Literal`` or an enumeration; ``is_enum`` marks
    members of a plain ``Enum``, whose text is their ``value``."""

    choices: frozenset[str] | None = None
    is_enum: bool = False

    def __str__(self) -> str:
        return "text"


@dataclass(frozen=True)
class Number:
    """An ``int``, or a ``Decimal`` when ``is_decimal``."""

    is_decimal: bool = False

    def __str__(self) -> str:
        return "a number"


@dataclass(frozen=True)
class Bool:
    """Yes or no."""

    def __str__(self) -> str:
        return "yes or no"


@dataclass(frozen=True)
class Date:
    """A calendar day."""

    def __str__(self) -> str:
        return "a date"


@dataclass(frozen=True)
class Instant:
    """A point in time with time zone."""

    def __str__(self) -> str:
        return "an instant"


@dataclass(frozen=True)
class Opaque:
    """A field of a type the language cannot read; it can only be present or absent."""

    name: str

    def __str__(self) -> str:
        return f"{self.name}, which expressions cannot read"


@dataclass(frozen=True)
class ListOf:
    """Several values of one type."""

    element: Type

    def __str__(self) -> str:
        return f"a list ({self.element})"


@dataclass(frozen=True, eq=False)
class Object:
    """A model. Its fields are worked out when first asked for, so models may contain each other."""

    name: str
    annotations: Mapping[str, object] = field(repr=False)

    @cached_property
    def fields(self) -> dict[str, Type]:
        """Return the readable fields by name; names with a leading underscore are left out."""
        return {name: type_of(annotation) for name, annotation in self.annotations.items() if not name.startswith("_")}

    def __str__(self) -> str:
        return f"a {self.name}"


Type = Text | Number | Bool | Date | Instant | Opaque | ListOf | Object

TEXT, BOOL, DATE, INSTANT = Text(), Bool(), Date(), Instant()

_PLAIN: dict[object, Type] = {
    bool: BOOL,
    int: Number(),
    Decimal: Number(is_decimal=True),
    str: TEXT,
    date: DATE,
    datetime: INSTANT,
    pydantic.AwareDatetime: INSTANT,
    pydantic.PastDatetime: INSTANT,
    pydantic.FutureDatetime: INSTANT,
    pydantic.PastDate: DATE,
    pydantic.FutureDate: DATE,
}
_LISTS = (list, set, frozenset, Sequence, Iterable, AbstractSet)


@dataclass(frozen=True)
class Schema:
    """The names an expression may use at its top level, with their types."""

    root: Object

    @classmethod
    def of(cls, model: type[BaseModel], extra: Mapping[str, Any] | None = None) -> Self:
        """Return the schema of *model*'s fields and of the *extra* names (name → type annotation), which win over fields."""
        return cls(Object(model.__name__, {**_annotations(model), **(extra or {})}))


def _annotations(model: type[BaseModel]) -> dict[str, object]:
    declared: dict[str, object] = {name: info.annotation for name, info in model.model_fields.items()}
    computed = {name: info.return_type for name, info in model.model_computed_fields.items()}
    return declared | computed


def type_of(annotation: object) -> Type:
    """Return what an annotation means to the language; a type it cannot read becomes :class:`Opaque`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None:
        return _plain(annotation)
    if origin is Annotated:
        return type_of(arguments[0])
    if origin in (Union, types.UnionType):
        return _union([type_of(member) for member in arguments if member is not types.NoneType], annotation)
    if origin is Literal:
        return _literal([value for value in arguments if value is not None], annotation)
    if origin is tuple:
        return ListOf(type_of(arguments[0])) if len(arguments) == 2 and arguments[1] is Ellipsis else _opaque(annotation)
    if origin in _LISTS and len(arguments) == 1:
        return ListOf(type_of(arguments[0]))
    return _opaque(annotation)


def _plain(annotation: object) -> Type:
    if isinstance(annotation, NewType):
        return type_of(annotation.__supertype__)
    alias_of = getattr(annotation, "__value__", None)  # of a ``type`` statement
    if alias_of is not None:
        return type_of(alias_of)
    if not isinstance(annotation, type):
        return _opaque(annotation)
    if issubclass(annotation, enum.Enum):
        return _enumeration(annotation)
    if issubclass(annotation, BaseModel):
        return Object(annotation.__name__, _annotations(annotation))
    return next((_PLAIN[base] for base in annotation.__mro__ if base in _PLAIN), None) or _opaque(annotation)


def _enumeration(annotation: type[enum.Enum]) -> Type:
    values = [member.value for member in annotation]
    if all(isinstance(value, str) for value in values):
        return Text(frozenset(values), is_enum=not issubclass(annotation, str))
    return Number() if issubclass(annotation, int) else _opaque(annotation)


def _union(members: list[Type], annotation: object) -> Type:
    if len(members) == 1:
        return members[0]
    return reduce(_joined, members) if members else _opaque(annotation)


def _joined(left: Type, right: Type) -> Type:
    """Return the type of a value that is either; only texts and numbers can be joined."""
    if left == right:
        return left
    if isinstance(left, Text) and isinstance(right, Text) and left.is_enum == right.is_enum:
        both = left.choices is not None and right.choices is not None
        return Text((left.choices or frozenset()) | (right.choices or frozenset()) if both else None, left.is_enum)
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(is_decimal=left.is_decimal or right.is_decimal)
    return Opaque(f"either {left} or {right}")


def _literal(values: list[object], annotation: object) -> Type:
    if all(isinstance(value, str) and not isinstance(value, enum.Enum) for value in values):
        return Text(frozenset(typing.cast(list[str], values)))
    if all(isinstance(value, bool) for value in values):
        return BOOL
    return Number() if all(type(value) is int for value in values) else _opaque(annotation)


def _opaque(annotation: object) -> Opaque:
    return Opaque(getattr(annotation, "__name__", None) or str(annotation))
