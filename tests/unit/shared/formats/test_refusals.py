"""What is refused as a whole names the place, too: where reading stopped, or what the path leads to."""

from __future__ import annotations

import pytest

from shared.errors import MalformedMessage
from shared.formats import recognition
from shared.formats.refusals import refused
from shared.model import DEFAULT_DIALECT, Dialect, Finding
from tests.samples import FOLDER, raw

_ITMATT = (FOLDER / "itmatt" / "wrong_count.xml").read_bytes()


def refusal(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> Finding:
    with pytest.raises(MalformedMessage) as caught:
        list(recognition.recognise(body).parse(raw(body), dialect))
    return refused(caught.value, body, dialect.encoding)


def begins(made: Finding, body: bytes) -> str:
    """Return what begins where *made* points."""
    assert made.line is not None
    assert made.column is not None
    return body.decode().split("\n")[made.line - 1][made.column - 1 :]


@pytest.mark.parametrize(
    ("body", "code", "found"),
    [
        (_ITMATT, "MSG-COUNT", "<ItemCount>"),
        (_ITMATT.replace(b"\n", b" "), "MSG-COUNT", "<ItemCount>"),
        (_ITMATT.replace(b"<MessageType>ITMATT", b"<MessageType>CUSITM"), "MSG-HEAD", "<MessageType>CUSITM"),
        (_ITMATT.replace(b"<ItemCount>", b"<Count>").replace(b"</ItemCount>", b"</Count>"), "MSG-HEAD", "<Header>"),
        (b'{"orders": [],\n "platform": "x"}', "FLD-UNKNOWN", '"x"}'),
        (b'{\n  "orders": []}', "MSG-NO-ITEMS", "[]}"),
        (b'{"orders": [{"order_id": "1",\n "lines": [], "lines": []}]}', "MSG-DUPLICATE-KEY", '"lines": []}]}'),
        (b'{"orders": [{"note": "\\"a\\": 1", "l\\u0069nes": [], "b": {"lines": 1}, "lines": []}]}', "MSG-DUPLICATE-KEY", '"lines": []}]}'),
        (b'{"orders": [{"order_id": "1" "lines": []}]}', "MSG-SYNTAX", '"lines": []}]}'),
    ],
)
def test_a_message_refused_as_a_whole_names_line_and_column(body: bytes, code: str, found: str) -> None:
    made = refusal(body)
    assert made.code == code
    assert begins(made, body).startswith(found)


def test_utf_16_is_counted_in_characters_here_too() -> None:
    text = _ITMATT.decode().replace("<PreparedDt>", "<!-- Ł𝄞 --><PreparedDt>").replace('encoding="UTF-8"', 'encoding="UTF-16"')
    made, usual = refusal(text.encode("utf-16")), refusal(_ITMATT)
    assert (made.line, made.column) == (usual.line, (usual.column or 0) + len("<!-- Ł𝄞 -->"))


def test_one_item_more_than_allowed_names_the_list() -> None:
    body = b'{"message_id": "M", "orders": [%b]}' % b",".join([b"{}"] * 10_001)
    made = refusal(body)
    assert (made.code, made.line, made.column) == ("MSG-ITEMS", 1, body.index(b"[") + 1)


def test_what_cannot_be_read_a_second_time_keeps_its_path_alone() -> None:
    exc = MalformedMessage("No.", path="a/b")
    for body in (b"", b"<File>", b'{"a": ', b"UNB+UNOC:3", b"hawb;mawb"):
        made = refused(exc, body, "utf-8")
        assert (made.sender_path, made.line, made.column) == ("a/b", None, None)


def test_a_giant_value_is_cut_as_in_any_finding() -> None:
    made = refusal(_ITMATT.replace(b"<MessageType>ITMATT", b"<MessageType>" + b"X" * 5_000))
    assert (made.code, len(made.value or "")) == ("MSG-HEAD", 200)
