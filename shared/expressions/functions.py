"""What an expression can call: functions over lists and values, and the three methods of texts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from shared.expressions.errors import ExpressionError, nearest
from shared.expressions.patterns import LONGEST_TEXT, compile_pattern
from shared.expressions.translation import METHODS, Lines, OperatorTranslator, Scope, Value, help_for
from shared.expressions.types import BOOL, DATE, INSTANT, TEXT, Date, Instant, ListOf, Number, Text, Type

DEEPEST_LOOP = 4


class Translator(OperatorTranslator):
    """Writes the lines of one function over the root of a schema; expressions added to it share what they read."""

    def _call(self, node: ast.Call) -> Value:
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self._mistake(node, "arguments have no names and no asterisks")
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func)
        if not isinstance(node.func, ast.Name):
            raise self._mistake(node, "only named functions can be called")
        name = node.func.id
        function = _FUNCTIONS.get(name)
        if function is None:
            raise self._mistake(node, f"unknown function '{name}'", f"….{name}(…)" if name in METHODS else nearest(name, _FUNCTIONS))
        return function(self, node)

    def _arguments(self, node: ast.Call, least: int, most: int | None = None) -> Sequence[ast.expr]:
        if not least <= len(node.args) <= (most or least):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            raise self._mistake(node, f"{name} takes {least}{f' or {most}' if most else ''} argument{'s' if (most or least) > 1 else ''}")
        return node.args

    def _method(self, node: ast.Call, called: ast.Attribute) -> Value:
        if called.attr not in METHODS:
            place = self._source.end_place(called, len(called.attr))
            raise ExpressionError(f"unknown method '{called.attr}'", *place, nearest(called.attr, METHODS))
        subject = self._held(self._value(called.value))
        if not isinstance(subject.type, Text):
            raise self._mistake(called, f"{called.attr} needs text, found {subject.type}", help_for(subject.type, TEXT))
        argument = self._text_argument(self._arguments(node, 1)[0], called.attr)
        guards = "".join(f"{value.code} is not None and " for value in (subject, argument) if value.may_be_absent)
        if called.attr == "contains":
            return Value(f"({guards}{argument.code} in {subject.code})", BOOL, may_be_absent=False)
        return Value(f"({guards}{subject.code}.{called.attr}({argument.code}))", BOOL, may_be_absent=False)

    def _text_argument(self, node: ast.expr, method: str) -> Value:
        if isinstance(node, ast.List | ast.Tuple) and method != "contains":
            texts = [self._text_constant(element) for element in node.elts]
            return Value(repr(tuple(texts)), TEXT, is_name=True, may_be_absent=False)
        value = self._value(node)
        if not isinstance(value.type, Text):
            raise self._mistake(node, f"expected text, found {value.type}")
        return self._held(value)

    def _text_constant(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise self._mistake(node, "expected text in quotation marks")

    def _absent(self, node: ast.Call) -> Value:
        return Value(f"(not {self._is_there(node)})", BOOL, may_be_absent=False)

    def _present(self, node: ast.Call) -> Value:
        return Value(self._is_there(node), BOOL, may_be_absent=False)

    def _is_there(self, node: ast.Call) -> str:
        value = self._held(self._value(self._arguments(node, 1)[0]))
        if isinstance(value.type, ListOf):
            return f"(True if {value.code} else False)"
        return f"({value.code} is not None)" if value.may_be_absent else "True"

    def _length(self, node: ast.Call) -> Value:
        value = self._text_operand(node, "count(…)")
        return self._of_present(value, f"len({value.code})", Number())

    def _lower(self, node: ast.Call) -> Value:
        value = self._text_operand(node)
        return self._of_present(value, f"{value.code}.lower()", TEXT)

    def _of_present(self, value: Value, code: str, kind: Type) -> Value:
        """Return *code*, or absent where *value* is."""
        return Value(
            f"(None if {value.code} is None else {code})" if value.may_be_absent else code, kind, may_be_absent=value.may_be_absent
        )

    def _text_operand(self, node: ast.Call, for_list: str | None = None) -> Value:
        argument = self._arguments(node, 1)[0]
        value = self._value(argument)
        if not isinstance(value.type, Text):
            raise self._mistake(argument, f"expected text, found {value.type}", for_list if isinstance(value.type, ListOf) else None)
        return self._held(value)

    def _matches(self, node: ast.Call) -> Value:
        subject_node, pattern_node = self._arguments(node, 2)
        subject = self._value(subject_node)
        if not isinstance(subject.type, Text):
            raise self._mistake(subject_node, f"expected text, found {subject.type}")
        subject = self._held(subject)
        pattern = self._text_constant(pattern_node)
        try:
            search = self._constant(compile_pattern(pattern).search)
        except ExpressionError as exc:
            raise self._mistake(pattern_node, exc.message) from exc
        guard = f"{subject.code} is not None and " if subject.may_be_absent else ""
        return Value(f"({guard}{search}({subject.code}[:{LONGEST_TEXT}]) is not None)", BOOL, may_be_absent=False)

    def _days_between(self, node: ast.Call) -> Value:
        codes = []
        for argument in self._arguments(node, 2):
            value = self._value(argument)
            if not isinstance(value.type, Date | Instant):
                raise self._mistake(argument, f"expected a date, found {value.type}", help_for(value.type, DATE))
            codes.append(value.code)
        return Value(f"days_between({', '.join(codes)})", Number())

    def _date(self, node: ast.Call) -> Value:
        text = self._text_constant(self._arguments(node, 1)[0])
        try:
            return self._literal_of(date.fromisoformat(text), DATE)
        except ValueError as exc:
            raise self._mistake(node, f"'{text}' is not a date", "date('2026-07-01')") from exc

    def _instant(self, node: ast.Call) -> Value:
        text = self._text_constant(self._arguments(node, 1)[0])
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            when = None
        if when is None or when.tzinfo is None:
            raise self._mistake(node, f"'{text}' is not an instant with time zone", "instant('2026-07-01T00:00:00Z')")
        return self._literal_of(when, INSTANT)

    # Lists

    def _list(self, node: ast.expr) -> Value:
        value = self._value(node)
        if not isinstance(value.type, ListOf):
            raise self._mistake(node, f"expected a list, found {value.type}")
        return value

    @contextmanager
    def _loop(self, values: Value, node: ast.expr) -> Iterator[Lines]:
        """Write a loop over *values*; the block given is its body, after the lines that read the element's fields."""
        if len(self._scopes) > DEEPEST_LOOP:
            raise self._mistake(node, f"lists are nested deeper than {DEEPEST_LOOP} levels")
        element = values.type.element if isinstance(values.type, ListOf) else values.type
        path = self._source.written(node).strip()
        scope = Scope(self._fresh("i"), element, self._path_of(values, path))
        if isinstance(element, Text) and element.is_enum:
            scope.prelude.append(f"{scope.variable} = {scope.variable}.value")
        self._scopes.append(scope)
        with self._into() as body:
            yield body
        self._scopes.pop()
        self._lines += [f"for {scope.variable} in {values.code} or ():", [*scope.prelude, *body] or ["pass"]]

    def _path_of(self, values: Value, written: str) -> str:
        outer = next((scope for scope in reversed(self._scopes) if values.code in scope.known.values()), None)
        return f"{outer.path}.{written}" if outer and outer.path else written

    def _quantified(self, node: ast.Call, found: bool) -> Value:
        """``any`` (stop with True at the first yes) and ``all`` (stop with False at the first no)."""
        list_node, condition = self._arguments(node, 2)
        values, name = self._list(list_node), self._fresh("t")
        self._lines.append(f"{name} = {not found}")
        with self._loop(values, list_node) as body:
            code = self._truth(condition)
            body += [f"if {'' if found else 'not '}{code}:", [f"{name} = {found}", "break"]]
        return Value(name, BOOL, is_name=True, may_be_absent=False)

    def _any(self, node: ast.Call) -> Value:
        return self._quantified(node, found=True)

    def _all(self, node: ast.Call) -> Value:
        return self._quantified(node, found=False)

    def _count(self, node: ast.Call) -> Value:
        list_node, *condition = self._arguments(node, 1, 2)
        values = self._list(list_node)
        if not condition:
            return Value(f"len({values.code} or ())", Number(), may_be_absent=False)
        name = self._fresh("t")
        self._lines.append(f"{name} = 0")
        with self._loop(values, list_node) as body:
            code = self._truth(condition[0])
            body += [f"if {code}:", [f"{name} += 1"]]
        return Value(name, Number(), is_name=True, may_be_absent=False)

    def _total(self, node: ast.Call) -> Value:
        """``sum``: absent as soon as one element's number is absent, since a part is not the whole."""
        list_node, summand = self._arguments(node, 2)
        values, name = self._list(list_node), self._fresh("t")
        self._lines.append(f"{name} = None if {values.code} is None else 0")
        with self._loop(values, list_node) as body:
            value = self._number(summand)
            body += [f"{name} = add({name}, {value.code})", f"if {name} is None: break"]
        return Value(name, value.type, is_name=True)


_FUNCTIONS: dict[str, Callable[[Translator, ast.Call], Value]] = {
    "any": Translator._any,
    "all": Translator._all,
    "count": Translator._count,
    "sum": Translator._total,
    "absent": Translator._absent,
    "present": Translator._present,
    "len": Translator._length,
    "lower": Translator._lower,
    "matches": Translator._matches,
    "days_between": Translator._days_between,
    "date": Translator._date,
    "instant": Translator._instant,
}
