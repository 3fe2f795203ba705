"""Line and column of what a finding in JSON names, of the value or of the object it is missing from."""

from __future__ import annotations

import orjson
import pytest

from shared.formats import epcis, manifest_json, national_item, neutral_lines, order
from shared.formats.json_places import Json
from shared.formats.places import Place
from shared.model import DEFAULT_DIALECT
from tests import samples

_BODY = """{
  "orders": [
    {"order_id": "Übergröße", "lines": []},
    {
\t"note": "{[\\"lines\\": [", "lines": [{"hs_code": "1"}, {"hs_code": "2", "unit_price": {"amount": "x"}}],
      "gr\\u00fcn": 1,   "a/b": 2, "c[3]": 3, "tracking": ["A", "B", 7, null, [1, {"deep": [[[[[[[[["}"]]]]]]]]]}], "E"]
    }
  ],
  "message_id": "M"
}
"""


def found(place: Place, body: str = _BODY) -> str:
    """Return what begins at *place*, to the end of the line."""
    line, column = place
    assert line is not None
    assert column is not None
    return body.split("\n")[line - 1][column - 1 :]


def place(body: str, where: str, position: str = "") -> Place:
    return Json(body.encode()).place(None, position, where)


@pytest.mark.parametrize(
    ("where", "begins"),
    [
        ("orders[1]", '{"order_id"'),
        ("orders[1]/order_id", '"Übergröße", "lines"'),
        ("orders[1]/lines", "[]}"),
        ("orders[1]/lines[1]/hs_code", "[]}"),
        ("orders[1]/colour", '{"order_id"'),
        ("orders[2]/lines[2]/unit_price/amount", '"x"}}],'),
        ("orders[2]/lines[2]/unit_price/currency", '{"amount": "x"}'),
        ("orders[2]/lines[2]/hs_code", '"2", "unit_price"'),
        ("orders[2]/grün", "1, "),
        ("orders[2]/c[3]", "3, "),
        ("orders[2]/tracking[3]", "7, null"),
        ("orders[2]/tracking[5]", '[1, {"deep"'),
        ("orders[2]/tracking[6]", '"E"]'),
        ("orders[2]/tracking[7]", '["A", '),
        ("message_id", '"M"'),
        ("nowhere", "{"),
        ("order/order_id", "{"),
        ("orders[9]/order_id", "["),
    ],
)
def test_a_path_is_followed_as_far_as_values_are_there(where: str, begins: str) -> None:
    assert found(place(_BODY, where)).startswith(begins)


def test_findings_in_any_order_have_the_same_places() -> None:
    wheres = ["message_id", "orders[2]/lines[2]/hs_code", "orders[2]/tracking[6]", "orders[1]/lines", "orders[2]/lines[1]/hs_code"]
    source = Json(_BODY.encode())
    assert [source.place(None, where[:9], where) for where in wheres] == [place(_BODY, where) for where in wheres]


def test_a_byte_order_mark_is_no_column() -> None:
    assert Json(b'\xef\xbb\xbf{"order_id": 1}').place(None, "order", "order/order_id") == (1, 14)


def test_a_name_longer_than_findings_repeat_is_found_by_its_beginning() -> None:
    name = "ü" * 80
    assert place(f'{{"a": 1, "{name}": 2}}', f"order/{name[:60]}") == (1, 15 + len(name) - 1)


def test_carriage_returns_belong_to_the_end_of_their_line() -> None:
    assert place('{\r\n "a": 1,\r\n "b": 2\r\n}', "order/b") == (3, 7)


def test_each_of_many_orders_in_one_line_has_its_own_column() -> None:
    orders = [{"order_id": f"{number}", "lines": [], "gift_wrap": "ü" * (number % 5)} for number in range(300)]
    body = orjson.dumps({"orders": orders}).decode()
    places = [each.findings[-1] for each in order.parse(samples.raw(body.encode()), DEFAULT_DIALECT) if each.findings]
    assert [told.sender_path for told in places] == [f"orders[{number}]/gift_wrap" for number in range(1, 301)]
    starts = [at + len('"gift_wrap":') + 1 for at in range(len(body)) if body.startswith('"gift_wrap":', at)]
    assert [(told.line, told.column) for told in places] == [(1, start) for start in starts]


def test_a_value_of_the_head_stands_where_the_head_says_it() -> None:
    body = b'{"consignments":[{"hawb":"JXE2603000017"},{"hawb":"JXE2603000025"}],\n"mawb":"88845123073"}'
    items = list(manifest_json.parse(samples.raw(body), DEFAULT_DIALECT))
    told = {(each.line, each.column) for item in items for each in item.findings or () if each.sender_path == "mawb"}
    assert told == {(2, 8)}


def test_events_stand_inside_the_body_of_an_epcis_document_or_are_the_document() -> None:
    event = {"type": "ObjectEvent", "eventTime": "today", "epcList": ["urn:a", "urn:b"]}
    for document in ({"eventList": "no", "epcisBody": {"eventList": [event]}}, event):
        body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        items = list(epcis.parse(samples.raw(body), DEFAULT_DIALECT))
        told = [each for item in items for each in item.findings or () if each.value == "today"]
        assert len(told) == 2
        assert {found((each.line, each.column), body.decode()) for each in told} == {'"today",'}


def test_a_national_item_may_stand_in_an_element_of_its_own() -> None:
    for body in ('[{"Item": {"Gift": "maybe"}}]', '[{"Gift": "maybe"}]', '{"Item": {"Gift": "maybe"}}', '{"Gift": "maybe"}'):
        items = list(national_item.parse(samples.raw(body.encode()), DEFAULT_DIALECT))
        told = [each for item in items for each in item.findings or () if each.value == "maybe"]
        assert {found((each.line, each.column), body)[:7] for each in told} == {'"maybe"'}


def test_lines_of_json_have_columns() -> None:
    body = b'{"guichet_lines": "1"}\n\n  {"consignment": {}, "note": 1}\n{"order": {"seller": {"country": "Belgium"}}}\n'
    items = list(neutral_lines.parse(samples.raw(body), DEFAULT_DIALECT))
    places = {(each.sender_path, each.line, each.column) for item in items for each in item.findings or ()}
    assert ("line 3/note", 3, 31) in places
    assert ("line 4/order/seller/country", 4, 34) in places
