"""The condition language: what it says of a dataset, and what it refuses when loaded."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, Field, computed_field

from shared.errors import Misconfigured
from shared.expressions import ExpressionError, Schema, compile_all, compile_expression
from shared.expressions.patterns import compile_pattern


class Outcome(enum.StrEnum):
    RELEASE = "release"
    HOLD = "hold"


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Money(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=18)]
    currency: str


class Party(BaseModel):
    name: str | None = None
    country: str | None = None
    trusted: bool | None = None
    parent: Party | None = None


class Item(BaseModel):
    hs_code: str | None = None
    goods_description: str | None = None
    quantity: int | None = None
    item_amount: Annotated[Money, Field(description="line total")] | None = None
    colours: tuple[Colour, ...] = ()
    country: str | None = None


class Parcel(BaseModel):
    channel: Literal["post", "express"] = "post"
    outcome: Outcome | None = None
    colour: Colour | None = None
    country: str | None = None
    gross_mass_kg: Decimal | None = None
    pieces: int | None = None
    is_return: bool | None = None
    posted_at: AwareDatetime | None = None
    departure_on: date | None = None
    consignor: Party | None = None
    goods_items: tuple[Item, ...] = ()
    routing: list[str] | None = None
    extra: dict[str, str] | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def item_count(self) -> int:
        return len(self.goods_items)


SCHEMA = Schema.of(Parcel)


def a_parcel(**given: Any) -> Parcel:
    return Parcel.model_validate(given)


def an_item(hs_code: str | None = None, amount: str | None = None, **given: Any) -> dict[str, Any]:
    money = None if amount is None else {"amount": amount, "currency": "EUR"}
    return {"hs_code": hs_code, "item_amount": money, **given}


def holds(text: str, parcel: object = None, schema: Schema = SCHEMA) -> bool:
    """Evaluate alone and among other rules; both must agree."""
    root = a_parcel() if parcel is None else parcel
    alone = compile_expression(text, schema)(root)
    together = compile_all({"A": "True", "B": text, "C": text}, schema)(root)
    assert together == (["A", "B", "C"] if alone else ["A"])
    assert alone is True or alone is False
    return alone


def mistake(text: str, schema: Schema = SCHEMA) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, schema)
    return caught.value


FULL = a_parcel(
    channel="express",
    outcome="hold",
    colour="red",
    country="BE",
    gross_mass_kg="2.5",
    pieces=3,
    is_return=True,
    posted_at="2026-03-01T23:30:00Z",
    departure_on="2026-03-03",
    consignor={"name": "Aurora", "country": "CN", "trusted": False, "parent": {"name": "Holding"}},
    goods_items=[
        an_item("610910", "22.90", goods_description="COTTON Shirt", quantity=2, colours=["red"]),
        an_item("930200", "84.10", goods_description="Pistol", quantity=1),
    ],
    routing=["CN", "AE", "BE"],
)


@pytest.mark.parametrize(
    "text",
    [
        "channel == 'express'",
        "channel != 'post'",
        "outcome == 'hold'",
        "outcome in ['hold', 'release']",
        "colour == 'red'",
        "country not in ['US', 'CA']",
        "gross_mass_kg > 2",
        "gross_mass_kg == 2.5",
        "2 < gross_mass_kg <= 2.5",
        "1 <= pieces < 4 > 2",
        "is_return",
        "not consignor.trusted",
        "consignor.parent.name == 'Holding'",
        "is_return == True",
        "pieces * 2 - 1 == 5",
        "pieces / 2 == 1.5",
        "-pieces == -3",
        "gross_mass_kg * pieces == 7.5",
        "pieces in [1, 2, 3]",
        "gross_mass_kg in [2.5, 3]",
        "posted_at >= date('2026-03-01')",
        "posted_at < date('2026-03-02')",
        "date('2026-03-02') > posted_at",
        "posted_at == instant('2026-03-02T00:30:00+01:00')",
        "departure_on > date('2026-03-02')",
        "departure_on in [date('2026-03-03')]",
        "days_between(posted_at, departure_on) == 2",
        "days_between(departure_on, date('2026-03-01')) == -2",
        "'AE' in routing",
        "'US' not in routing",
        "country in routing",
        "any(routing, it == 'AE')",
        "any(goods_items, hs_code.startswith('93'))",
        "any(goods_items, hs_code.startswith(['93', '88']))",
        "any(goods_items, hs_code.startswith(('93', '88')) and it.quantity == 1)",
        "any(goods_items, hs_code.endswith('00'))",
        "all(goods_items, present(item_amount))",
        "not all(goods_items, quantity > 1)",
        "count(goods_items) == 2",
        "count(goods_items, quantity > 1) == 1",
        "item_count == 2",
        "sum(goods_items, item_amount.amount) == 107",
        "sum(goods_items, quantity * 2) == 6",
        "any(goods_items, any(colours, it == 'red'))",
        "any(goods_items, lower(goods_description) == 'cotton shirt')",
        "any(goods_items, lower(goods_description).contains('cotton'))",
        "any(goods_items, len(goods_description) > 10)",
        "any(goods_items, matches(goods_description, '(?i)^pistol$'))",
        "any(goods_items, matches(hs_code, '^\\d{6}$'))",
        "absent(extra) and present(routing) and present(goods_items)",
        "country == 'US' or any(goods_items, quantity == 2) or channel == 'post'",
        "any(goods_items, quantity == 2) and any(goods_items, quantity == 1)",
        "any(goods_items, quantity == 2 and (country == 'X' or any(routing, it == 'AE')))",
        "any(goods_items, outcome == 'hold' and item_amount.currency == 'EUR')",
        "consignor.name.startswith('Au')",
        "channel.startswith('ex')",
        "True",
        "1 < 2",
        "'a' in ['a', 'b']",
        "(\n  channel == 'express'\n  and pieces == 3  # three\n)",
        "channel == 'express'\n and pieces == 3",
        "country == 'B\u0045'",
    ],
)
def test_what_is_true_of_the_full_parcel(text: str) -> None:
    assert holds(text, FULL)
    assert not holds(f"not ({text})", FULL)


@pytest.mark.parametrize(
    "text",
    [
        "outcome == 'hold'",
        "outcome != 'hold'",
        "outcome in ['hold']",
        "outcome not in ['hold']",
        "colour == 'red'",
        "gross_mass_kg < 1",
        "gross_mass_kg >= 1",
        "gross_mass_kg == gross_mass_kg",
        "gross_mass_kg * 2 > 1",
        "pieces + 1 != 5",
        "is_return",
        "is_return == True",
        "consignor.trusted",
        "consignor.parent.name == 'x'",
        "consignor.parent.name != 'x'",
        "consignor.name.startswith('A')",
        "consignor.name.contains('A')",
        "lower(consignor.name) != 'x'",
        "len(consignor.name) >= 0",
        "matches(consignor.name, '.*')",
        "posted_at > date('2000-01-01')",
        "days_between(posted_at, departure_on) < 100",
        "'CN' in routing",
        "'CN' not in routing",
        "any(routing, True)",
        "any(goods_items, True)",
        "1 < pieces < 3",
        "present(outcome)",
        "present(routing)",
        "present(goods_items)",
        "present(consignor.parent.name)",
        "pieces / 0 == 1",
    ],
)
def test_an_absent_value_makes_a_comparison_or_a_method_false(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "not outcome == 'hold'",
        "not is_return",
        "absent(outcome)",
        "absent(consignor.parent.name)",
        "absent(routing) and absent(goods_items)",
        "all(goods_items, False)",
        "count(goods_items) == 0 and count(routing) == 0 and count(routing, True) == 0",
        "sum(goods_items, quantity) == 0",
    ],
)
def test_what_is_true_of_an_empty_parcel(text: str) -> None:
    assert holds(text)


def test_a_total_with_one_amount_missing_is_absent() -> None:
    parcel = a_parcel(goods_items=[an_item(amount="10"), an_item()])
    assert not holds("sum(goods_items, item_amount.amount) <= 150", parcel)
    assert holds("absent(sum(goods_items, item_amount.amount))", parcel)


def test_division_by_zero_and_overflow_are_absent() -> None:
    assert holds("absent(pieces / (pieces - 3))", FULL)
    huge = a_parcel(gross_mass_kg="1E+999999")
    assert holds("absent(gross_mass_kg * gross_mass_kg)", huge)
    assert holds("absent(gross_mass_kg / pieces)", huge)


def test_decimal_literals_are_exact() -> None:
    assert holds("gross_mass_kg + 0.2 == 0.3", a_parcel(gross_mass_kg="0.1"))
    assert holds("pieces * 0.1 == 0.3", a_parcel(pieces=3))


def test_a_name_is_looked_up_in_the_element_before_the_root() -> None:
    parcel = a_parcel(country="BE", goods_items=[an_item(country="CN"), an_item(country="VN")])
    assert holds("all(goods_items, country != 'BE')", parcel)
    assert holds("any(goods_items, country == 'VN') and country == 'BE'", parcel)


def test_models_may_contain_themselves() -> None:
    assert holds("absent(consignor.parent.parent.parent.name)", FULL)


def test_extra_names_stand_beside_the_fields_of_the_model() -> None:
    schema = Schema.of(Parcel, {"sender_role": Literal["post", "carrier"], "received_at": datetime, "sender": Party | None})
    root = {"sender_role": "post", "received_at": datetime(2026, 3, 1, tzinfo=UTC), "sender": Party(name="A"), "channel": "post"}
    assert holds("sender_role == 'post' and sender.name == 'A' and received_at >= date('2026-03-01') and absent(country)", root, schema)
    assert mistake("sender_role == 'pst'", schema).suggestion == "'post'"


def test_fields_tells_which_paths_an_expression_reads() -> None:
    compiled = compile_expression(
        "any(goods_items, hs_code == '1' and any(colours, it == 'red')) and consignor.parent.name == country", SCHEMA
    )
    assert compiled.fields == {
        "goods_items",
        "goods_items.hs_code",
        "goods_items.colours",
        "consignor.parent.name",
        "country",
    }


def test_many_rules_become_one_function_that_names_those_met_in_order() -> None:
    rules = compile_all(
        {
            "ARMS": "any(goods_items, hs_code.startswith('93'))",
            "HEAVY": "gross_mass_kg > 30",
            "EXPRESS": "channel == 'express'",
            "CHEAP": "sum(goods_items, item_amount.amount) <= 150",
        },
        SCHEMA,
    )
    assert rules(FULL) == ["ARMS", "EXPRESS", "CHEAP"]
    assert rules(a_parcel()) == ["CHEAP"]
    assert rules.fields["HEAVY"] == {"gross_mass_kg"}
    assert compile_all({}, SCHEMA)(FULL) == []


def test_a_mistake_among_many_rules_names_the_rule() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_all({"GOOD": "True", "BAD": "chanel == 'post'"}, SCHEMA)
    assert str(caught.value) == "BAD: unknown field 'chanel' at column 1; did you mean channel?"
    assert caught.value.rule == "BAD"


@pytest.mark.parametrize(
    ("text", "column", "suggestion", "part"),
    [
        ("any(goods_items, hs_cod == '1')", 18, "hs_code", "unknown field 'hs_cod'"),
        ("consignor.contry == 'CN'", 11, "country", "unknown field 'contry' of consignor"),
        ("hs_code == '1'", 1, "any(goods_items, …hs_code…)", "unknown field"),
        ("trusted", 1, "consignor.trusted", "unknown field"),
        ("goods_items.hs_code == '1'", 13, "any(goods_items, hs_code …)", "is a list"),
        ("country.name == '1'", 9, None, "is text and has no fields"),
        ("outcome == 'relase'", 1, "'release'", "'relase' is no value of this field (hold, release)"),
        ("channel in ['post', 'expres']", 21, "'express'", "'expres' is no value"),
        ("colour != 'rde'", 1, "'red'", "is no value"),
        ("any(goods_items, any(colours, it == 'rde'))", 31, "'red'", "is no value"),
        ("country == 3", 1, None, "text cannot be compared with a number"),
        ("gross_mass_kg > '3'", 1, None, "a number cannot be compared with text"),
        ("departure_on > '2026-01-01'", 1, "date('2026-07-01')", "a date cannot be compared with text"),
        ("any(goods_items, item_amount > 150)", 18, ".amount", "a Money cannot be compared with a number"),
        ("any(goods_items, item_amount.startswith('1'))", 18, ".currency", "startswith needs text"),
        ("country", 1, "present(…) or a comparison", "expected yes or no, found text"),
        ("pieces + 1", 1, "present(…) or a comparison", "expected yes or no"),
        ("not country", 5, "present(…) or a comparison", "expected yes or no"),
        ("is_return and pieces", 15, "present(…) or a comparison", "expected yes or no"),
        ("is_return < True", 1, None, "no order"),
        ("outcome > 'hold'", 1, None, "no order"),
        ("country + 'x' == 'y'", 1, None, "expected a number, found text"),
        ("goods_items == 'x'", 1, "any(…) or count(…)", "a list"),
        ("len(goods_items) > 1", 5, "count(…)", "expected text"),
        ("pieces % 2 == 0", 1, None, "only + - * /"),
        ("pieces ** 2 == 0", 1, None, "only + - * /"),
        ("extra == 'x'", 1, None, "expressions cannot read"),
        ("contains(country, 'x')", 1, "….contains(…)", "unknown function 'contains'"),
        ("cuont(goods_items) > 1", 1, "count", "unknown function 'cuont'"),
        ("country.startwith('x')", 9, "startswith", "unknown method 'startwith'"),
        ("country.upper() == 'x'", 9, None, "unknown method"),
        ("country.startswith(3)", 20, None, "expected text"),
        ("country.contains(['a'])", 18, None, "a list may only stand"),
        ("country.startswith(['a', 3])", 26, None, "expected text in quotation marks"),
        ("any(goods_items)", 1, None, "any takes 2 arguments"),
        ("any(pieces, True)", 5, None, "expected a list"),
        ("count()", 1, None, "count takes 1 or 2 arguments"),
        ("any(goods_items, cond=True)", 1, None, "no names"),
        ("date('2026-13-01') == departure_on", 1, "date('2026-07-01')", "is not a date"),
        ("posted_at > instant('2026-01-01T00:00:00')", 13, "instant('2026-07-01T00:00:00Z')", "time zone"),
        ("country in 'BE'", 12, "contains(…)", "in needs a list"),
        ("country in ['BE'] in ['x']", 1, None, "chain"),
        ("country in [country]", 13, None, "literals only"),
        ("country is None", 12, "absent(…)", "None is not part"),
        ("country == None", 12, "absent(…)", "None is not part"),
        ("country is 'x'", 1, "absent(…)", "is and is not"),
        ("pieces == 1e3", 11, None, "without exponent"),
        ("pieces == 1" + "0" * 30, 11, None, "not part of the language"),
        ("country == b'x'", 12, None, "not part of the language"),
        ("pieces == 1j", 11, None, "not part of the language"),
        ("country == f'{country}'", 12, None, "an f-string"),
        ("goods_items[0] == 1", 1, None, "a subscript"),
        ("country == 'a' if is_return else True", 1, None, "a conditional expression"),
        ("any(goods_items, lambda x: True)", 18, None, "lambda"),
        ("[x for x in goods_items]", 1, None, "a comprehension"),
        ("any(x for x in goods_items)", 1, None, "any takes 2 arguments"),
        ("(x := True)", 2, None, "an assignment"),
        ("[is_return]", 1, None, "a list may only stand"),
        ("{'a': 1}", 1, None, "a dictionary"),
        ("it == 'x'", 1, None, "unknown field 'it'"),
        ("lower(country).foo == 1", 1, None, "only fields have fields"),
        ("'x'.startswith.foo", 1, None, "only fields have fields"),
        ("any(goods_items, True)()", 1, None, "only named functions"),
        ("is_return and", 14, None, "cannot be read"),
        ("is_return) or (is_return", 1, None, "cannot be read"),
        ("is_return), (is_return", 1, None, "brackets do not match"),
        ("pieces ==", 10, None, "cannot be read"),
        ("", 1, None, "empty"),
        ("  \n ", 1, None, "empty"),
        ("is_return\x00", 1, None, "cannot be read"),
        ("country == '\ud800' or", 1, None, "cannot be read"),
    ],
)
def test_a_mistake_is_found_when_loaded_with_its_place_and_a_hint(text: str, column: int, suggestion: str | None, part: str) -> None:
    found = mistake(text)
    assert part in found.message
    assert found.suggestion == suggestion
    if "read" not in part:
        assert (found.line, found.column) == (1, column)


@pytest.mark.parametrize(
    "text",
    [
        "__class__ == 'x'",
        "consignor.__class__ == 'x'",
        "consignor.__dict__",
        "consignor._private",
        "goods_items.__len__() > 0",
        "country.__class__.__mro__",
        "country.format('x') == 'x'",
        "country.startswith.__self__ == 'x'",
        "consignor.model_dump() == 'x'",
        "consignor.model_fields",
        "__import__('os')",
        "eval('1')",
        "open('/etc/passwd')",
        "print(1)",
        "len.__self__",
        "any.__globals__",
        "root.country == 'x'",
        "f1 == 'x'",
        "met",
        "k1",
        "await is_return",
        "(yield)",
        "print",
        "exec",
    ],
)
def test_nothing_outside_the_schema_can_be_seen(text: str) -> None:
    assert mistake(text)


def test_a_mistake_on_a_later_line_says_which() -> None:
    found = mistake("is_return\n  and pices == 1")
    assert (found.line, found.column) == (2, 7)
    assert str(found) == "unknown field 'pices' at line 2, column 7; did you mean pieces?"


def test_columns_count_characters_not_bytes() -> None:
    assert mistake("country == 'ÄÖÜ' and pices == 1").column == 22


def test_a_mistake_is_a_misconfiguration() -> None:
    assert isinstance(mistake("x"), Misconfigured)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("country == '" + "x" * 2000 + "'", "longer than 2000"),
        ("not " * 40 + "is_return", "deeper than 30"),
        ("(" * 300 + "is_return" + ")" * 300, "cannot be read"),
        ("-" * 1900 + "1 == 1", ""),
        (" or ".join(["1==1"] * 240), "more than 500 parts"),
        ("any(goods_items, any(colours, any(goods_items, any(colours, any(routing, True)))))", "lists are nested deeper"),
    ],
)
def test_size_and_depth_are_limited(text: str, part: str) -> None:
    assert part in mistake(text).message


def test_the_deepest_allowed_expression_compiles() -> None:
    nested = "is_return"
    for _ in range(9):
        nested = f"(any(routing, it == 'AE') and ({nested} or any(routing, it == 'XX')))"
    assert holds(nested, FULL)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(a|aa)+",
        "(.*a){20}",
        "(?:x?){30}",
        ".*.*.*x",
        "a*a*a*b",
        "(a)\\1",
        "(?P<n>a)(?P=n)",
        "(?=a)",
        "(?<!a)b",
        "(?s:.)",
        "[a",
        "(a",
        "a)",
        "*a",
        "a**",
        "a{2}{3}",
        "a{2001}",
        "a{3,2}",
        "a{x}",
        "\\",
        "\\Z",
        "\\x41",
        "x" * 201,
    ],
)
def test_patterns_that_could_run_away_or_look_elsewhere_are_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError, match="pattern"):
        compile_pattern(pattern)
    found = mistake(f"matches(country, {pattern!r})")
    assert found.column == 18


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^93", "9302"),
        ("^(?:9301|9302)", "9302"),
        ("(?i)pistol|revolver", "a REVOLVER"),
        ("[0-9]{4,6}", "x1234"),
        ("\\bgun\\b", "a gun"),
        ("^[^]]+$", "abc"),
        ("^[]x]$", "]"),
        ("^[a\\]b]$", "]"),
        ("colou?r", "color"),
        ("a.*?b", "a--b"),
        ("^x{2,}$", "xxx"),
        ("\\.", "a.b"),
        ("^\\w+\\s\\w+$", "two words"),
    ],
)
def test_ordinary_patterns_are_allowed(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).search(text)


def test_a_pattern_looks_at_the_first_thousand_characters() -> None:
    item = an_item(goods_description="x" * 1000 + "gun")
    assert not holds("any(goods_items, matches(goods_description, 'gun'))", a_parcel(goods_items=[item]))
