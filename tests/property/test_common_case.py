"""The short ways of the common case say what the long ways say."""

from __future__ import annotations

import csv as stdlib_csv
import io
from base64 import b32encode
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from shared.contracts import NAMESPACE, derived_id
from shared.errors import MalformedMessage
from shared.formats import checks, csv, edifact, itmatt, manifest, manifest_table, values
from shared.formats.edifact_envelope import base32, stamp
from shared.formats.filings import Item
from shared.formats.postal_items import is_plain, mend
from shared.identifiers import hs
from shared.model import DEFAULT_DIALECT, Dialect
from shared.model.base import Digits

NUMBERS = st.one_of(st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,4})?", fullmatch=True), st.sampled_from(["0.00", "0.000", "1", "12.50", "-3.00"]))
PIECES = st.fixed_dictionaries(
    {},
    optional={
        "sequence_number": st.just("1"),
        "goods_description": st.one_of(st.text(min_size=1, max_size=5), st.just("Cotton shirt")),
        "quantity": NUMBERS,
        "net_mass_kg": NUMBERS,
        "amount": NUMBERS,
        "currency": st.sampled_from(["EUR", "USD", "eur", "XXX", "?"]),
        "hs_code": st.one_of(
            st.sampled_from(["610910", "6109100010", "61.09.10", "6109", "999999", "９９"]), st.text(min_size=1, max_size=8)
        ),
        "country_of_origin": st.sampled_from(["CN", "cn", "UK", "??"]),
    },
)


@given(PIECES, st.booleans(), st.sampled_from([DEFAULT_DIALECT, Dialect(decimal_comma=True)]))
def test_a_plain_goods_line_needs_no_mending(piece: dict[str, str], commercial: bool, dialect: Dialect) -> None:
    item = Item("Item[1]", itmatt.PATHS, dialect)
    mended = dict(piece)
    mend("/goods_items/0", mended, commercial, item)
    if is_plain(piece, commercial):
        money = {"item_amount": {"amount": piece["amount"], "currency": piece["currency"]}}
        assert not item.findings
        assert mended == {name: value for name, value in piece.items() if name not in ("amount", "currency")} | money


@given(PIECES, st.sampled_from([DEFAULT_DIALECT, Dialect(decimal_comma=True)]))
def test_a_plain_line_of_a_manifest_needs_no_mending(piece: dict[str, str], dialect: Dialect) -> None:
    item = Item("line 2", manifest_table.PATHS, dialect)
    line = {column: piece[name] for column, name in (("item_value", "amount"), ("currency", "currency")) if name in piece}
    found = {name: value for name, value in piece.items() if name not in ("amount", "currency")}
    mended = dict(found)
    manifest.mend("/goods_items/0", mended, line, item)
    if manifest.is_plain(found, line):
        assert not item.findings
        assert mended == found | {"item_amount": {"amount": line["item_value"], "currency": line["currency"]}}


@given(st.text(alphabet='ab",;\r\n\x0b\u2028', max_size=20))
def test_lines_end_where_the_csv_module_ends_them(text: str) -> None:
    assert list(csv._lines(text)) == list(io.StringIO(text, newline=""))


@given(st.lists(st.sampled_from(['"', ",", "a", " ", "\n", "\r\n", "\r", '","', '"x"', '\n"']), max_size=25).map("".join))
def test_rows_are_those_of_the_csv_module(text: str) -> None:
    assert _rows_of(csv._table(text, ",")) == _rows_of(_numbered(stdlib_csv.reader(io.StringIO(text, newline=""), strict=True)))


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    yield 1, next(reader, [])
    line = reader.line_num + 1
    for cells in reader:
        yield line, cells
        line = reader.line_num + 1


def _rows_of(table: Iterator[tuple[int, list[str]]]) -> object:
    """Return the header and the rows that hold anything, or that there was a mistake."""
    try:
        header, *rows = table
    except stdlib_csv.Error:
        return "refused"
    return header, [(line, cells) for line, cells in rows if any(cells)]


@pytest.mark.parametrize("cell", ["x" * 70_000, '"' + "x" * 70_000 + '"', '"' + "x,\n" * 30_000 + '"'])
def test_a_text_above_64_kb_is_refused_with_its_line(cell: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        csv.parse(f"hawb,description\nA,b\nB,{cell}\n".encode(), "utf-8", {})
    assert (refused.value.finding_code, refused.value.line) == ("MSG-STRING", 3)


def test_a_usual_goods_line_is_plain() -> None:
    piece = {"sequence_number": "1", "goods_description": "Cotton shirt", "quantity": "2", "amount": "20.00", "currency": "EUR"}
    assert is_plain(piece | {"hs_code": "610910", "country_of_origin": "CN", "net_mass_kg": "0.300"}, commercial=True)


@given(NUMBERS)
def test_a_plain_number_is_canonical(text: str) -> None:
    for plain, read in (
        (values.is_plain_money, values.money),
        (values.is_plain_mass, values.mass),
        (values.is_plain_count, values.quantity),
    ):
        if plain(text):
            assert (
                read(text, DEFAULT_DIALECT)
                == values._decimal(text, DEFAULT_DIALECT, {values.money: 2, values.mass: 3}.get(read, 0))
                == text
            )


@given(st.one_of(st.decimals(allow_nan=True, allow_infinity=True), st.from_regex(r"-?[0-9]{1,16}(\.[0-9]{1,8})?(E[0-9])?", fullmatch=True)))
def test_digits_are_bounded_as_pydantic_bounds_them(given: Decimal | str) -> None:
    assert _judged(_OURS, given) == _judged(_THEIRS, given)


_OURS = TypeAdapter(Annotated[Decimal, Digits(18, 4, usual=Decimal("0.01"))])
_THEIRS = TypeAdapter(Annotated[Decimal, Field(max_digits=18, decimal_places=4)])


def _judged(adapter: TypeAdapter[Decimal], value: Decimal | str) -> object:
    try:
        return str(adapter.validate_python(value))
    except ValidationError as exc:
        return exc.errors(include_input=False, include_url=False)


def test_digits_are_described_as_pydantic_describes_them() -> None:
    for mode in ("validation", "serialization"):
        assert _OURS.json_schema(mode=mode) == _THEIRS.json_schema(mode=mode)


@given(st.text(max_size=14))
def test_a_plain_tariff_code_has_no_problem(text: str) -> None:
    if hs.is_plain(text):
        assert hs.problem(text) is None
        assert hs.normalise(text) == text


@pytest.mark.parametrize("name", ["Anouk Bakker", "NA", "N/A", "12345", "xxx", None])
def test_a_well_named_party_gets_no_finding(name: str | None) -> None:
    item = Item("Item[1]", itmatt.PATHS, DEFAULT_DIALECT)
    checks.name({"name": name}, "/consignee/name", item)
    assert checks.is_well_named({"name": name}) == (not item.findings)


@given(st.lists(st.one_of(st.text(), st.integers(), st.uuids())))
def test_derived_ids_are_those_of_the_standard(parts: list[str | int | UUID]) -> None:
    made, standard = derived_id(*parts), uuid5(NAMESPACE, "|".join(map(str, parts)))
    assert made == standard
    assert str(made) == str(standard)
    assert made.version == 5
    assert made.is_safe is standard.is_safe


@given(st.binary(min_size=16, max_size=16))
def test_base_32_is_that_of_the_standard(raw: bytes) -> None:
    assert base32(int.from_bytes(raw) << 2, 26) == b32encode(raw).decode().rstrip("=")
    assert base32(int.from_bytes(raw[:10]), 16) == b32encode(raw[:10]).decode()


@given(st.datetimes(timezones=st.integers(-839, 839).map(lambda minutes: timezone(timedelta(minutes=minutes)))))
def test_an_instant_of_form_304_comes_back(at: datetime) -> None:
    read = edifact.instant(stamp(at), "304")
    assert read is not None
    assert datetime.fromisoformat(read[0]) == at.replace(microsecond=0)
