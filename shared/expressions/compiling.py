"""Putting translated expressions into one function, once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from shared.expressions.errors import ExpressionError
from shared.expressions.functions import Translator
from shared.expressions.translation import Lines
from shared.expressions.types import Schema


class _Names:
    """A mapping's values as attributes; a name it does not hold is absent."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Compiled:
    """One expression, ready to run. ``fields`` are the paths it reads, those of list elements behind the list (``goods_items.hs_code``)."""

    text: str
    fields: frozenset[str]
    _function: Callable[[Any], bool] = field(repr=False, compare=False)

    def __call__(self, root: Any) -> bool:
        """Return whether the expression holds for *root*: an object with the schema's names, or a mapping of them."""
        return self._function(_Names(root) if isinstance(root, Mapping) else root)


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """Many expressions in one function. ``fields`` are the paths each reads, by its code."""

    texts: Mapping[str, str]
    fields: Mapping[str, frozenset[str]]
    _function: Callable[[Any], list[str]] = field(repr=False, compare=False)

    def __call__(self, root: Any) -> list[str]:
        """Return the codes of the expressions that hold for *root*, in the order they were given."""
        return self._function(_Names(root) if isinstance(root, Mapping) else root)


def compile_expression(text: str, schema: Schema) -> Compiled:
    """Check *text* against *schema* and compile it; raises :class:`ExpressionError`."""
    translator = Translator(schema)
    lines, code = translator.condition(text)
    body = [*translator.prelude(), *lines, f"return True if {code} else False"]
    return Compiled(text, frozenset(translator.fields), _function(body, translator.constants, text))


def compile_all(texts: Mapping[str, str], schema: Schema) -> CompiledRules:
    """Compile every expression of *texts* (code → text) into one function; raises :class:`ExpressionError` naming the code."""
    translator = Translator(schema)
    fields: dict[str, frozenset[str]] = {}
    body: Lines = ["met = []"]
    for code, text in texts.items():
        try:
            lines, condition = translator.condition(text)
        except ExpressionError as exc:
            raise exc.of_rule(code) from exc
        fields[code] = frozenset(translator.fields)
        body += [*lines, f"if {condition}:", [f"met.append({code!r})"]]
    body = [*translator.prelude(), *body, "return met"]
    function = _function(body, translator.constants, f"{len(texts)} rules")
    return CompiledRules(MappingProxyType(dict(texts)), MappingProxyType(fields), function)


def _function(body: Lines, constants: Mapping[str, object], title: str) -> Callable[[Any], Any]:
    """Return the function with this body; it sees the constants and nothing else, not even the built-in functions."""
    source = "\n".join(["def expression(root):", *_indented(body, 1)])
    namespace: dict[str, Any] = {**constants, "__builtins__": {}}
    exec(compile(source, f"<expression {title[:80]!r}>", "exec"), namespace)  # noqa: S102 - our own translation, see translation.py
    function: Callable[[Any], Any] = namespace["expression"]
    return function


def _indented(lines: Iterable[Any], depth: int) -> Iterator[str]:
    for line in lines:
        if isinstance(line, list):
            yield from _indented(line, depth + 1)
        else:
            yield " " * depth + line
