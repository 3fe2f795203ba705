"""From a syntax tree to lines of Python, checking every type on the way.

A translator writes the body of one function. Field paths are read once per scope into local variables (the root's at the
top of the function, an element's at the top of its loop); ``any``, ``all``, ``count`` and ``sum`` become plain loops with ``break``;
the right side of ``and`` and ``or`` stands under an ``if`` where it needs a loop. Names in the code are ours or those of the schema,
literals go in by ``repr`` or as constants, so nothing of the expression's text is ever executed.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from shared.expressions import runtime
from shared.expressions.errors import ExpressionError, nearest
from shared.expressions.reading import Source
from shared.expressions.types import BOOL, INSTANT, TEXT, Bool, Date, Instant, ListOf, Number, Object, Schema, Text, Type

Lines = list[Any]
"""Lines of code; an inner list is indented one step further than the line before it."""

_LARGEST_INTEGER = 10**30
_NAMES = {
    ast.IfExp: "a conditional expression",
    ast.Lambda: "lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "an f-string",
    ast.Subscript: "a subscript",
    ast.NamedExpr: "an assignment",
    ast.Starred: "an asterisk",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.Await: "await",
}
_ORDER = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in", ast.NotIn: "not in"}
_ARITHMETIC: dict[type[ast.operator], Callable[..., object]] = {
    ast.Add: runtime.add,
    ast.Sub: runtime.subtract,
    ast.Mult: runtime.multiply,
    ast.Div: runtime.divide,
}
METHODS = ("startswith", "endswith", "contains")
_ELEMENT = "it"


@dataclass(frozen=True)
class Value:
    """Code for a value: its type, whether the code is a name or constant that may stand twice, and the constant itself."""

    code: str
    type: Type
    is_name: bool = False
    may_be_absent: bool = True
    constant: object = None


@dataclass
class Scope:
    """Where names are looked up: the root, or the element of a loop. ``prelude`` reads the paths in use into local variables."""

    variable: str
    type: Type
    path: str = ""
    prelude: Lines = field(default_factory=list)
    known: dict[tuple[str, ...], str] = field(default_factory=dict)


class OperatorTranslator(ABC):
    """Fields, literals and operators; what can be called is added by :class:`shared.expressions.functions.Translator`."""

    def __init__(self, schema: Schema) -> None:
        self._scopes = [Scope("root", schema.root)]
        self._lines: Lines = []
        self._counter = 0
        self._source: Source
        self.constants: dict[str, object] = {"len": len, **{function.__name__: function for function in _ARITHMETIC.values()}}
        self.constants["days_between"] = runtime.days_between
        self.fields: set[str] = set()

    def condition(self, text: str) -> tuple[Lines, str]:
        """Translate a whole expression, which must be yes or no; return its preparing lines and its code."""
        self._source = Source(text)
        self.fields = set()
        with self._into() as lines:
            value = self._truth(self._source.tree)
        return lines, value

    def prelude(self) -> Lines:
        """Return the lines that read the root's fields; they go first."""
        return self._scopes[0].prelude

    # Writing

    def _fresh(self, prefix: str) -> str:
        self._counter += 1
        return f"{prefix}{self._counter}"

    def _constant(self, value: object) -> str:
        name = self._fresh("k")
        self.constants[name] = value
        return name

    @contextmanager
    def _into(self) -> Iterator[Lines]:
        """Let lines be written into a new block."""
        outer, self._lines = self._lines, []
        try:
            yield self._lines
        finally:
            self._lines = outer

    def _held(self, value: Value) -> Value:
        """Return *value* as a name or constant, computed by a line before where it is not."""
        if value.is_name:
            return value
        name = self._fresh("t")
        self._lines.append(f"{name} = {value.code}")
        return Value(name, value.type, is_name=True, may_be_absent=value.may_be_absent)

    # Reading nodes

    def _mistake(self, node: ast.expr, message: str, suggestion: str | None = None) -> ExpressionError:
        return ExpressionError(message, *self._source.place(node), suggestion)

    def _truth(self, node: ast.expr) -> str:
        """Return code for a node that must be yes or no; absent counts as no."""
        value = self._value(node)
        if not isinstance(value.type, Bool):
            raise self._mistake(node, f"expected yes or no, found {value.type}", "present(…) or a comparison")
        return value.code

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Name() | ast.Attribute():
                return self._path(node)
            case ast.Constant():
                return self._literal(node)
            case ast.BoolOp():
                return self._logic(node)
            case ast.UnaryOp(op=ast.Not()):
                return Value(f"(not {self._truth(node.operand)})", BOOL, may_be_absent=False)
            case ast.UnaryOp(op=ast.USub()):
                return self._negative(node)
            case ast.Compare():
                return self._comparison(node)
            case ast.BinOp():
                return self._sum_or_product(node)
            case ast.Call():
                return self._call(node)
            case ast.List() | ast.Tuple():
                raise self._mistake(node, "a list may only stand after in, or in startswith and endswith")
        raise self._mistake(node, f"{_NAMES.get(type(node), 'this')} is not part of the language")

    # Names and paths

    def _path(self, node: ast.Name | ast.Attribute) -> Value:
        names, base = [], node
        while isinstance(base, ast.Attribute):
            names.append(base)
            if not isinstance(base.value, (ast.Name, ast.Attribute)):
                raise self._mistake(base.value, "only fields have fields")
            base = base.value
        scope, steps, kind = self._first_step(base)
        for attribute in reversed(names):
            kind = self._field_of(kind, attribute, steps)
            steps = (*steps, attribute.attr)
        self._use(scope, steps)
        if not steps:
            return Value(scope.variable, kind, is_name=True)
        return Value(self._local(scope, steps, kind), kind, is_name=True)

    def _first_step(self, node: ast.Name) -> tuple[Scope, tuple[str, ...], Type]:
        for scope in reversed(self._scopes):
            if isinstance(scope.type, Object) and node.id in scope.type.fields:
                return scope, (node.id,), scope.type.fields[node.id]
        if node.id == _ELEMENT and len(self._scopes) > 1:
            return self._scopes[-1], (), self._scopes[-1].type
        known = {name for scope in self._scopes if isinstance(scope.type, Object) for name in scope.type.fields}
        raise self._mistake(node, f"unknown field '{node.id}'", nearest(node.id, known) or self._inside_a_list(node.id))

    def _inside_a_list(self, name: str) -> str | None:
        root = self._scopes[0].type
        for outer, kind in root.fields.items() if isinstance(root, Object) else ():
            if isinstance(kind, ListOf) and isinstance(kind.element, Object) and name in kind.element.fields:
                return f"any({outer}, …{name}…)"
            if isinstance(kind, Object) and name in kind.fields:
                return f"{outer}.{name}"
        return None

    def _field_of(self, kind: Type, attribute: ast.Attribute, steps: tuple[str, ...]) -> Type:
        place = self._source.end_place(attribute, len(attribute.attr))
        owner = ".".join(steps) or _ELEMENT
        if isinstance(kind, Object):
            found = kind.fields.get(attribute.attr)
            if found is None:
                raise ExpressionError(f"unknown field '{attribute.attr}' of {owner}", *place, nearest(attribute.attr, kind.fields))
            return found
        if isinstance(kind, ListOf):
            raise ExpressionError(f"{owner} is a list and has no fields", *place, f"any({owner}, {attribute.attr} …)")
        meant = f"{owner}.{attribute.attr}(…)" if attribute.attr in METHODS else None
        raise ExpressionError(f"{owner} is {kind} and has no fields", *place, meant)

    def _use(self, scope: Scope, steps: tuple[str, ...]) -> None:
        self.fields.add(".".join((scope.path, *steps) if scope.path else steps))

    def _local(self, scope: Scope, steps: tuple[str, ...], kind: Type) -> str:
        """Return the local variable that holds the path, reading it at the top of its scope the first time."""
        name = scope.known.get(steps)
        if name is None:
            name = scope.known[steps] = self._fresh("f")
            scope.prelude.extend(self._reading(scope, steps, kind, name))
        return name

    def _reading(self, scope: Scope, steps: tuple[str, ...], kind: Type, name: str) -> Iterator[str]:
        if len(steps) == 1:
            yield f"{name} = {scope.variable}.{steps[0]}"
        else:
            # Only objects have fields, so no enumeration is in between and any type will do.
            owner = self._local(scope, steps[:-1], BOOL)
            yield f"{name} = None if {owner} is None else {owner}.{steps[-1]}"
        if isinstance(kind, Text) and kind.is_enum:
            yield f"if {name} is not None: {name} = {name}.value"

    # Literals

    def _literal(self, node: ast.Constant) -> Value:
        match node.value:
            case bool() as yes:
                return Value(repr(yes), BOOL, is_name=True, may_be_absent=False, constant=yes)
            case str() as text:
                return self._literal_of(text, TEXT)
            case int() as number if abs(number) < _LARGEST_INTEGER:
                return self._literal_of(number, Number())
            case float():
                return self._literal_of(self._decimal(node), Number(is_decimal=True))
            case None:
                raise self._mistake(node, "None is not part of the language", "absent(…)")
        raise self._mistake(node, "this literal is not part of the language")

    def _literal_of(self, value: object, kind: Type) -> Value:
        code = repr(value) if isinstance(value, str | int) else self._constant(value)
        return Value(code, kind, is_name=True, may_be_absent=False, constant=value)

    def _decimal(self, node: ast.Constant) -> Decimal:
        written = self._source.written(node).replace("_", "")
        if not written.replace(".", "", 1).isdigit():
            raise self._mistake(node, "numbers are written without exponent")
        return Decimal(written)

    def _negative(self, node: ast.UnaryOp) -> Value:
        value = self._number(node.operand)
        if isinstance(value.constant, int | Decimal):
            return self._literal_of(-value.constant, value.type)
        return Value(f"subtract(0, {value.code})", value.type)

    # Logic and comparisons

    def _logic(self, node: ast.BoolOp) -> Value:
        word, test = ("and", "if {}:") if isinstance(node.op, ast.And) else ("or", "if not {}:")
        code = self._truth(node.values[0])
        for operand in node.values[1:]:
            with self._into() as lines:
                right = self._truth(operand)
            if lines:
                name = self._fresh("t")
                self._lines += [f"{name} = {code}", test.format(name), [*lines, f"{name} = {right}"]]
                code = name
            else:
                code = f"{code} {word} {right}"
        return Value(f"({code})", BOOL, may_be_absent=False)

    def _comparison(self, node: ast.Compare) -> Value:
        if any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops):
            return self._membership(node)
        values = [self._held(self._value(operand)) for operand in (node.left, *node.comparators)]
        codes = [self._compared(node, left, operator, right) for left, operator, right in zip(values, node.ops, values[1:], strict=False)]
        return Value(f"({' and '.join(codes)})", BOOL, may_be_absent=False)

    def _compared(self, node: ast.Compare, left: Value, operator: ast.cmpop, right: Value) -> str:
        sign = _ORDER.get(type(operator))
        if sign is None:
            raise self._mistake(node, "is and is not are not part of the language", "absent(…)")
        left, right = self._alike(node, left, right)
        self._check_order(node, left, sign)
        guards = [f"{value.code} is not None and " for value in (left, right) if value.may_be_absent]
        return f"{''.join(guards)}{left.code} {sign} {right.code}"

    def _check_order(self, node: ast.expr, left: Value, sign: str) -> None:
        if sign in ("==", "!="):
            return
        if isinstance(left.type, Bool) or (isinstance(left.type, Text) and left.type.choices is not None):
            raise self._mistake(node, f"values of this field have no order, so {sign} cannot compare them")

    def _alike(self, node: ast.expr, left: Value, right: Value) -> tuple[Value, Value]:
        """Return both sides in comparable form; fails when the types clash or a literal is no value of the field."""
        match left.type, right.type:
            case (Text(), Text()):
                self._check_choice(node, left, right)
                self._check_choice(node, right, left)
            case (Number(), Number()):
                return self._exact(left, right), self._exact(right, left)
            case (Instant(), Date()) if isinstance(right.constant, date):
                return left, self._midnight(right.constant)
            case (Date(), Instant()) if isinstance(left.constant, date):
                return self._midnight(left.constant), right
            case (Bool(), Bool()) | (Date(), Date()) | (Instant(), Instant()):
                pass
            case _:
                raise self._mistake(node, f"{left.type} cannot be compared with {right.type}", help_for(left.type, right.type))
        return left, right

    def _check_choice(self, node: ast.expr, literal: Value, other: Value) -> None:
        choices = other.type.choices if isinstance(other.type, Text) else None
        if choices is not None and isinstance(literal.constant, str) and literal.constant not in choices:
            listed = ", ".join(sorted(choices)[:12])
            meant = nearest(literal.constant, choices)
            raise self._mistake(node, f"'{literal.constant}' is no value of this field ({listed})", f"'{meant}'" if meant else None)

    def _exact(self, value: Value, other: Value) -> Value:
        """Return an integer literal as a decimal one where the other side is decimal: comparing alike types is faster."""
        is_plain = isinstance(value.constant, int)
        return self._literal_of(Decimal(str(value.constant)), other.type) if is_plain and _is_decimal(other.type) else value

    def _midnight(self, day: date) -> Value:
        return self._literal_of(datetime.combine(day, time(), UTC), INSTANT)

    def _membership(self, node: ast.Compare) -> Value:
        if len(node.ops) != 1:
            raise self._mistake(node, "in and not in cannot stand in a chain")
        sign = _ORDER[type(node.ops[0])]
        left, container = self._held(self._value(node.left)), node.comparators[0]
        if isinstance(container, ast.List | ast.Tuple):
            return self._among_literals(left, sign, container)
        right = self._held(self._value(container))
        if not isinstance(right.type, ListOf):
            raise self._mistake(container, "in needs a list", "contains(…)" if isinstance(right.type, Text) else None)
        self._alike(node, left, Value("", right.type.element))
        if isinstance(right.type.element, Text) and right.type.element.is_enum:
            raise self._mistake(container, "this list holds enumeration members", f"any(…, {_ELEMENT} == …)")
        guards = [f"{value.code} is not None and " for value in (left, right) if value.may_be_absent]
        return Value(f"({''.join(guards)}{left.code} {sign} {right.code})", BOOL, may_be_absent=False)

    def _among_literals(self, left: Value, sign: str, container: ast.List | ast.Tuple) -> Value:
        members = []
        for element in container.elts:
            member = self._value(element)
            if member.constant is None:
                raise self._mistake(element, "a list holds literals only")
            members.append(self._alike(element, left, member)[1].constant)
        guard = f"{left.code} is not None and " if left.may_be_absent else ""
        return Value(f"({guard}{left.code} {sign} {self._constant(frozenset(members))})", BOOL, may_be_absent=False)

    # Arithmetic

    def _number(self, node: ast.expr) -> Value:
        value = self._value(node)
        if not isinstance(value.type, Number):
            raise self._mistake(node, f"expected a number, found {value.type}", help_for(value.type, Number()))
        return value

    def _sum_or_product(self, node: ast.BinOp) -> Value:
        function = _ARITHMETIC.get(type(node.op))
        if function is None:
            raise self._mistake(node, "only + - * / are part of the language")
        left, right = self._number(node.left), self._number(node.right)
        is_decimal = isinstance(node.op, ast.Div) or _is_decimal(left.type) or _is_decimal(right.type)
        return Value(f"{function.__name__}({left.code}, {right.code})", Number(is_decimal=is_decimal))

    @abstractmethod
    def _call(self, node: ast.Call) -> Value:
        """Translate a function or a method."""


def _is_decimal(kind: Type) -> bool:
    return isinstance(kind, Number) and kind.is_decimal


def help_for(found: Type, wanted: Type) -> str | None:
    """Return a hint for the commonest clash: an object where one of its fields is meant."""
    if isinstance(found, Object):
        fitting = [name for name, kind in found.fields.items() if type(kind) is type(wanted)]
        return f".{fitting[0]}" if fitting else None
    if isinstance(wanted, Object):
        return help_for(wanted, found)
    if isinstance(found, ListOf) or isinstance(wanted, ListOf):
        return "any(…) or count(…)"
    if {type(found), type(wanted)} == {Date, Text}:
        return "date('2026-07-01')"
    return None
