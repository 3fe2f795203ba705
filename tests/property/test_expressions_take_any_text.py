"""Whatever is given as an expression becomes a function or an error at load, and the function always answers."""

from __future__ import annotations

import ast
from datetime import date
from decimal import Decimal
from typing import Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.expressions import Compiled, ExpressionError, Schema, compile_all, compile_expression


class Item(BaseModel):
    code: str | None = None
    amount: Decimal | None = None
    tags: tuple[str, ...] = ()


class Parcel(BaseModel):
    channel: Literal["post", "express"] | None = None
    name: str | None = None
    mass: Decimal | None = None
    pieces: int | None = None
    posted_on: date | None = None
    is_return: bool | None = None
    first: Item | None = None
    items: tuple[Item, ...] = ()


SCHEMA = Schema.of(Parcel)

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=3)
texts = st.text("ab93' ", max_size=5)
items = st.builds(Item, code=st.none() | texts, amount=st.none() | decimals, tags=st.lists(texts, max_size=2).map(tuple))
parcels = st.builds(
    Parcel,
    channel=st.sampled_from(["post", "express", None]),
    name=st.none() | texts,
    mass=st.none() | decimals,
    pieces=st.none() | st.integers(),
    posted_on=st.none() | st.dates(),
    is_return=st.none() | st.booleans(),
    first=st.none() | items,
    items=st.lists(items, max_size=3).map(tuple),
)

# Expressions that are mostly well typed, so that most of them compile.
number_leaves = st.sampled_from(["mass", "pieces", "first.amount", "1", "0", "2.5", "len(name)", "count(items)", "sum(items, amount)"])
numbers = st.recursive(number_leaves, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner), max_leaves=4)
words = st.sampled_from(["name", "first.code", "lower(name)", "'ab'", "'93'", "channel", "lower(first.code)"])
conditions = st.recursive(
    st.one_of(
        st.builds("{} {} {}".format, numbers, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), numbers),
        st.builds("{} {} {}".format, words, st.sampled_from(["==", "!=", "<", "in", "not in"]), words),
        st.builds("{}.{}({})".format, words, st.sampled_from(["startswith", "endswith", "contains"]), words),
        st.builds("{} in ['ab', 'post']".format, words),
        st.builds("absent({})".format, words),
        st.sampled_from(["is_return", "True", "posted_on > date('2026-01-01')", "'a' in first.tags", "any(first.tags, it == 'a')"]),
    ),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("{}(items, {})".format, st.sampled_from(["any", "all"]), inner),
        st.builds("count(items, {}) > 1".format, inner),
        st.builds("any(items, code == 'a' or {})".format, inner),
    ),
    max_leaves=6,
)


def compiled(text: str) -> Compiled | None:
    try:
        return compile_expression(text, SCHEMA)
    except ExpressionError:
        return None


@given(text=st.text(max_size=80))
@example(text="(" * 1500)
@example(text="not " * 450 + "is_return")
@example(text="-" * 1990 + "1")
@example(text="is_return\\")
@example(text="name == '\ud800'")
@example(text="name == '\\N{DIGIT ONE}'")
@example(text="\ufeffis_return")
@example(text="is_return\x0c and is_return")
@example(text="pieces == 0777")
def test_random_text_compiles_or_is_a_mistake(text: str) -> None:
    compiled(text)


@given(text=st.text("abit.()[]{}'\"\\,=<>!+-*/#:_ \n0189%@^|&~", max_size=60))
def test_text_in_the_letters_of_the_language_compiles_or_is_a_mistake(text: str) -> None:
    compiled(text)


@given(text=conditions, parcel=parcels)
@settings(max_examples=300)
def test_a_compiled_condition_answers_yes_or_no_for_every_dataset(text: str, parcel: Parcel) -> None:
    rule = compiled(text)
    if rule is not None:
        assert rule(parcel) in (True, False)
        assert rule(parcel) is rule(parcel)


@given(given_rules=st.lists(conditions, max_size=6), parcel=parcels)
@settings(max_examples=200)
def test_rules_compiled_together_say_what_they_say_alone(given_rules: list[str], parcel: Parcel) -> None:
    alone = {f"R{place}": rule for place, text in enumerate(given_rules) if (rule := compiled(text)) is not None}
    together = compile_all({code: rule.text for code, rule in alone.items()}, SCHEMA)
    assert together(parcel) == [code for code, rule in alone.items() if rule(parcel)]


HIDDEN = ["__class__", "__globals__", "__dict__", "_function", "model_dump", "root", "f1", "k1", "met"]
NODES = st.sampled_from([*HIDDEN, "items", "name", "first", "any", "len", "it"])


def hostile(inner: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[ast.expr]:
    load = ast.Load()
    return st.one_of(
        st.builds(lambda value, name: ast.Attribute(value, name, load), inner, NODES),
        st.builds(lambda function, arguments: ast.Call(function, arguments, []), inner, st.lists(inner, max_size=2)),
        st.builds(lambda value, index: ast.Subscript(value, index, load), inner, inner),
        st.builds(lambda left, right: ast.Compare(left, [ast.Eq()], [right]), inner, inner),
        st.builds(lambda left, right: ast.BoolOp(ast.And(), [left, right]), inner, inner),
        st.builds(lambda left, right: ast.BinOp(left, ast.Pow(), right), inner, inner),
        st.builds(lambda body: ast.Lambda(ast.arguments([], [], None, [], [], None, []), body), inner),
        st.builds(
            lambda element, iterable: ast.ListComp(element, [ast.comprehension(ast.Name("x", ast.Store()), iterable, [], 0)]), inner, inner
        ),
        st.builds(lambda value: ast.NamedExpr(ast.Name("x", ast.Store()), value), inner),
        st.builds(lambda value: ast.JoinedStr([ast.FormattedValue(value, -1, None)]), inner),
        st.builds(lambda elements: ast.Tuple(elements, load), st.lists(inner, max_size=2)),
    )


leaves = st.one_of(
    st.builds(lambda name: ast.Name(name, ast.Load()), NODES),
    st.builds(ast.Constant, st.one_of(st.integers(), st.text(max_size=3), st.booleans(), st.none(), st.binary(max_size=2))),
)


@given(tree=st.recursive(leaves, hostile, max_leaves=8))
@settings(max_examples=300)
def test_random_trees_never_reach_a_hidden_name(tree: ast.expr) -> None:
    try:
        text = ast.unparse(ast.fix_missing_locations(ast.Expression(tree)))
    except (ValueError, RecursionError):
        return
    rule = compiled(text)
    if rule is not None:
        assert not any(part.startswith("_") for path in rule.fields for part in path.split("."))
        assert rule(Parcel()) in (True, False)
