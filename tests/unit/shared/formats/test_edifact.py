"""The EDIFACT syntax: what is text, what is structure, what is told and what is refused."""

import pytest

from shared.errors import MalformedMessage
from shared.formats import edifact
from shared.formats.edifact import DEFAULT_SYNTAX, Composer, Syntax, value, whole
from shared.model import DEFAULT_DIALECT, Dialect


def interchange(*segments: str, charset: str = "UNOC", una: str = "", encoding: str = "latin-1", end: str = "UNZ+1+R1'") -> bytes:
    return (una + f"UNB+{charset}:3+A+B+260301:0412+R1'" + "".join(f"{each}'" for each in segments) + end).encode(encoding)


def message(*segments: str, count: int | None = None) -> tuple[str, ...]:
    return ("UNH+1+CUSCAR:D:95B:UN", *segments, f"UNT+{count or len(segments) + 2}+1")


def codes(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[str]:
    read = edifact.read(body, dialect)
    return [made.code for each in read for made in (*each.findings, *(made for told in each.messages for made in told.findings))]


def test_released_characters_are_text() -> None:
    assert Syntax().split("NAD+CN+++L?'ESSAI ?+ CO?:?: ??+A:B??:C") == [["NAD"], ["CN"], [""], [""], ["L'ESSAI + CO:: ?"], ["A", "B?", "C"]]


def test_a_released_terminator_does_not_end_a_segment() -> None:
    body = interchange(*message("FTX+AAA+++O?'NEIL ?'?' ??", "BGM+785"))
    segments = edifact.read(body, DEFAULT_DIALECT)[0].messages[0].segments
    assert [Syntax().split(each)[0][0] for each in segments] == ["UNH", "FTX", "BGM", "UNT"]
    assert value(Syntax().split(segments[1]), 4) == "O'NEIL '' ?"


def test_una_names_other_service_characters() -> None:
    body = b"UNA|*,!^~UNB*UNOC|3*A*B*260301|0412*R1~UNH*1*CUSCAR|D|95B|UN~BGM*785*M+1'~UNT*3*1~UNZ*1*R1~"
    read = edifact.read(body, DEFAULT_DIALECT)[0]
    assert read.syntax == Syntax("|", "*", ",", "!", "~")
    assert value(read.syntax.split(read.messages[0].segments[1]), 2) == "M+1'"
    assert edifact.number("2,5", read.syntax) == "2.5"


def test_several_interchanges_each_have_their_own_character_set() -> None:
    body = interchange(*message("BGM+785+É")) + b"\r\n" + interchange(*message("BGM+785+Ł"), charset="UNOY", encoding="utf-8") + b"\r\n\x1a"
    read = edifact.read(body, DEFAULT_DIALECT)
    assert [value(each.syntax.split(each.messages[0].segments[1]), 2) for each in read] == ["É", "Ł"]
    assert not codes(body)


@pytest.mark.parametrize(
    ("charset", "encoding", "text"), [("UNOD", "iso8859-2", "Łódź"), ("UNOE", "iso8859-5", "Москва"), ("UNOW", "utf-8", "深圳")]
)
def test_the_declared_character_set_is_read(charset: str, encoding: str, text: str) -> None:
    read = edifact.read(interchange(*message(f"BGM+785+{text}"), charset=charset, encoding=encoding), DEFAULT_DIALECT)[0]
    assert value(read.syntax.split(read.messages[0].segments[1]), 2) == text


def test_utf8_in_a_latin1_interchange_is_read_and_told() -> None:
    body = interchange(*message("BGM+785+Liège"), encoding="utf-8")
    assert codes(body) == ["EDI-CHARSET"]
    assert "Liège" in edifact.read(body, DEFAULT_DIALECT)[0].messages[0].segments[1]


def test_latin1_in_a_utf8_interchange_is_read_and_told() -> None:
    body = interchange(*message("BGM+785+Liège"), charset="UNOY")
    assert codes(body) == ["EDI-CHARSET"]
    assert "Liège" in edifact.read(body, DEFAULT_DIALECT)[0].messages[0].segments[1]


def test_a_dialect_may_name_the_encoding() -> None:
    body = interchange(*message("BGM+785+深圳"), encoding="gb18030")
    assert "深圳" in edifact.read(body, Dialect(encoding="gb18030"))[0].messages[0].segments[1]


def test_wrong_counts_and_references_are_told_with_their_place() -> None:
    body = interchange(*message("BGM+785+1", count=9), end="UNZ+2+R2'")
    read = edifact.read(body, DEFAULT_DIALECT)[0]
    assert codes(body) == ["EDI-COUNT", "EDI-REFERENCE", "EDI-COUNT"]
    assert read.messages[0].findings[0].sender_path == "UNH[1]/UNT/0074 (segment 3)"
    assert read.messages[0].findings[0].value == "9"


def test_a_message_without_its_end_is_broken_and_the_others_are_not() -> None:
    body = interchange("UNH+1+CUSCAR:D:95B:UN", "BGM+785+1", *message("BGM+785+2"), end="UNZ+2+R1'")
    first, second = edifact.read(body, DEFAULT_DIALECT)[0].messages
    assert first.broken
    assert not second.broken
    assert second.position == "UNH[1.2]", "a reference used twice does not name two messages"


@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b"UNA:+.? '",
        b"UNA++++++UNB+UNOC:3+A+B'",
        b"UNB+UNOC:3+A+B+260301:0412+R1'UNH+1+CUSCAR:D:95B:UN'UNT+2+1'",
        interchange(*message("BGM+785+1")) + b"UNB+UNOC:3+A",
        b"UNB+UNOC:3+A+B'" + b"A'" * 300_001 + b"UNZ+0+'",
    ],
)
def test_what_cannot_be_trusted_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        edifact.read(body, DEFAULT_DIALECT)


def test_a_file_broken_at_a_fixed_width_is_put_together() -> None:
    body = interchange(*message("BGM+785+JXM20260301LGG01+9", "FTX+AAA+++COTTON KNITTED T-SHIRT LADIES"))
    broken = b"\r\n".join(body[at : at + 30] for at in range(0, len(body), 30)) + b"\r\n"
    assert codes(broken) == ["EDI-LINES"]
    assert edifact.read(broken, DEFAULT_DIALECT)[0].messages[0].segments == edifact.read(body, DEFAULT_DIALECT)[0].messages[0].segments


def test_a_break_between_segments_is_nothing_and_one_inside_a_blank() -> None:
    body = interchange(*message("FTX+AAA+++O?'\r\nNEIL AND\nSONS", "BGM+785")).replace(b"'", b"'\r\n").replace(b"?'\r\n", b"?'")
    segments = edifact.read(body, DEFAULT_DIALECT)[0].messages[0].segments
    assert [each[:3] for each in segments] == ["UNH", "FTX", "BGM", "UNT"]
    assert value(Syntax().split(segments[1]), 4) == "O' NEIL AND SONS"


def test_full_components_go_on_and_short_ones_are_words() -> None:
    segment = [["FTX"], ["AAA"], [""], [""], ["A" * 70, "B", "C"]]
    assert whole(segment, 4, 70) == "A" * 70 + "B C"


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("20260302", "102", ("2026-03-02T00:00:00", False)),
        ("20260302070200+01", "304", ("2026-03-02T07:02:00+01:00", True)),
        ("20260302070200-0930", "304", ("2026-03-02T07:02:00-09:30", True)),
        ("20260231", "102", None),
        ("2026030", "102", None),
        ("20260302", "999", None),
        ("٢٠٢٦٠٣٠٢", "102", None),
    ],
)
def test_date_times(text: str, form: str, expected: tuple[str, bool] | None) -> None:
    assert edifact.instant(text, form) == expected


def test_only_unoa_and_unob_transliterate_and_it_is_told() -> None:
    for identifier, written, code in (
        ("UNOA", "STRASSE LIEGE", "EDI-TRANSLITERATED"),
        ("UNOB", "StraSSe Liege", "EDI-TRANSLITERATED"),
        ("UNOC", "Straße Liège", None),
    ):
        composer = Composer(identifier, DEFAULT_DIALECT)
        assert composer.fit("Straße Liège") == written
        assert [made.code for made in composer.findings] == ([code] if code else [])
    composer = Composer("UNOC", DEFAULT_DIALECT)
    assert composer.fit("Łódź") == "?ód?"
    assert [(made.code, made.value) for made in composer.findings] == [("EDI-CHARACTER", "Łódź")]


def test_no_character_of_a_text_becomes_structure() -> None:
    composer = Composer("UNOC", DEFAULT_DIALECT)
    text = "".join(map(chr, range(0x100)))
    composer.segment("NAD", "CN", [text, "B"], text)
    body = composer.interchange([["UNOC", "3"]], 1, "R1")
    (segment,) = [each for each in DEFAULT_SYNTAX.split_all(body.decode("latin-1")) if each.startswith("NAD")]
    written = "".join(mark if mark.isprintable() else " " for mark in text)
    assert DEFAULT_SYNTAX.split(segment) == [["NAD"], ["CN"], [written, "B"], [written]]


def test_what_is_too_long_is_cut_and_told() -> None:
    composer = Composer("UNOC", DEFAULT_DIALECT)
    assert composer.cut("x" * 80, 35, 2) == ["x" * 35, "x" * 35]
    assert composer.findings[0].code == "WRITE-CUT"
