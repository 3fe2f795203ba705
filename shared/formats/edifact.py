"""UN/EDIFACT syntax (ISO 9735, versions 1 to 4): one pass over the bytes, segments split only when somebody asks for them.

``UNA`` gives the five service characters (default ``:+.?'``). Several interchanges may stand in one file, each with its own ``UNA`` and
character set. Line breaks between segments are for the eye; a file broken at a fixed width is put together again. An empty element is an
absent one. Control counts (UNT, UNZ) and repeated references are checked and told with their position; nothing is repaired. What cannot
be trusted at all (no UNB, an interchange without its UNZ, a message without its UNT) is refused.

Positions: a message is ``UNH[<reference>]``; segments are numbered within it, UNH being 1, as CONTRL counts them.

Character sets: UNOA, UNOB ASCII · UNOC to UNOK, UNOL ISO 8859 · UNOW, UNOY UTF-8 · UNOX ISO 2022. An encoding that a dialect names wins for
bytes outside ASCII. UTF-8 in an interchange that declares an 8-bit set is read as what it is; bytes that are not what they claim are read
as Latin-1; both with a finding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.errors import Misconfigured
from shared.formats import values
from shared.formats.filings import Item, message_id_of, rejection
from shared.formats.provenance import sender_path
from shared.formats.rules import finding
from shared.formats.xml import check_bytes, malformed
from shared.model import Dialect, Finding, MessageHead, RawMessage, Rejection, Severity
from shared.model.filing import Function

Segment = list[list[str]]
"""Elements of components; ``segment[0][0]`` is the tag."""

SEGMENT_LIMIT: Final = 300_000
ELEMENT_LIMIT: Final = 400
"""Elements and components of one segment."""

CHARSETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "UNOA": "ascii",
        "UNOB": "ascii",
        "UNOC": "iso8859-1",
        "UNOD": "iso8859-2",
        "UNOE": "iso8859-5",
        "UNOF": "iso8859-7",
        "UNOG": "iso8859-3",
        "UNOH": "iso8859-4",
        "UNOI": "iso8859-6",
        "UNOJ": "iso8859-8",
        "UNOK": "iso8859-9",
        "UNOL": "iso8859-15",
        "UNOW": "utf-8",
        "UNOX": "iso2022_jp_2",
        "UNOY": "utf-8",
    }
)
"""Syntax identifier (0001) → character set."""

_UPPER_ONLY: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,-()/='+:?!\"%&*;<>")
"""The repertoire of UNOA, with the service characters that a release character makes text."""

_HEAD = re.compile(rb"\s*(?:UNA(.{6})\s*)?UNB(.)(UNO[A-Z]|[A-Z]{4})?", re.DOTALL)


class Syntax(NamedTuple):
    """The service characters of one interchange."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    terminator: str = "'"

    def split(self, segment: str) -> Segment:
        """Return the elements of *segment*, with released characters as text."""
        if self.release in segment and self.release != " ":
            return self._split_released(segment)
        component = self.component
        return [element.split(component) if component in element else [element] for element in segment.split(self.element)]

    def split_all(self, text: str) -> list[str]:
        """Return the segments in *text*, without the white space before them; a released terminator is text."""
        pieces = text.split(self.terminator)
        if self.release != " " and self.release + self.terminator in text:
            pieces = _rejoined(pieces, self)
        return [
            piece.strip("\r\n\t ") if piece[:1].isspace() or piece[-1:].isspace() else piece
            for piece in pieces
            if piece and not piece.isspace()
        ]

    def _split_released(self, segment: str) -> Segment:
        component, release = self.component, self.release
        return [
            [_plain(part, release) if release in part else part for part in self._parts(element, component)]
            for element in self._parts(segment, self.element)
        ]

    def _parts(self, text: str, separator: str) -> list[str]:
        """Split *text* at each *separator* that is not released."""
        parts = text.split(separator)
        if len(parts) == 1 or self.release + separator not in text:
            return parts
        joined: list[str] = []
        open_part = False
        for part in parts:
            if open_part:
                joined[-1] += separator + part
            else:
                joined.append(part)
            open_part = self.releases(joined[-1])
        return joined

    def releases(self, text: str) -> bool:
        """Whether *text* ends with a release character that acts on what follows."""
        return (len(text) - len(text.rstrip(self.release))) % 2 == 1 if self.release != " " else False

    def escape(self, text: str) -> str:
        """Return *text* with the release character before each service character."""
        for character in (self.release, self.component, self.element, self.terminator):
            if character in text:
                text = text.replace(character, self.release + character)
        return text


DEFAULT_SYNTAX: Final = Syntax()


def _plain(text: str, release: str) -> str:
    """Return *text* without its release characters; a doubled one stands for itself."""
    if release + release not in text:
        return text.replace(release, "")
    return release.join(part.replace(release, "") for part in text.split(release + release))


@dataclass(slots=True)
class Message:
    """One message of an interchange: its segments as they came, from UNH to UNT.

    ``version`` is ``D:95B``; ``association`` the code of the association that wrote the guide. ``findings`` hold what is wrong with its
    envelope; ``broken`` that it cannot be read at all.
    """

    position: str
    reference: str
    type: str
    version: str
    agency: str
    association: str
    segments: list[str]
    first: int
    findings: list[Finding] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class Interchange:
    """One interchange. ``first`` numbers of its messages count segments from UNB = 1."""

    syntax: Syntax
    identifier: str
    sender: str
    sender_qualifier: str
    recipient: str
    recipient_qualifier: str
    prepared_at: datetime | None
    reference: str
    application: str
    test: bool
    acknowledge: bool
    messages: list[Message]
    findings: list[Finding]


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def read(body: bytes, dialect: Dialect) -> list[Interchange]:
    """Return the interchanges in *body*. Raises :class:`shared.errors.MalformedMessage` when nothing of it can be trusted."""
    check_bytes(body)
    body = body.removeprefix(b"\xef\xbb\xbf")
    found: list[Interchange] = []
    at = 0
    while True:
        head = _HEAD.match(body, at)
        if head is None:
            break
        syntax = _syntax(head[1])
        end = _end(body, head.end(), syntax)
        found.append(_interchange(body[head.start() if head[1] is None else head.end(1) : end], syntax, head[3], dialect, len(found) + 1))
        at = end
    if not found:
        raise malformed("MSG-SYNTAX", "The interchange does not begin with UNA or UNB.", path="UNB")
    rest = body[at:].strip(b"\x1a \t\r\n")
    if rest:
        if rest[:3] in (b"UNB", b"UNA"):
            raise malformed("MSG-SYNTAX", "An interchange cannot be read from its UNA or UNB on.", path="UNB")
        _note(found[-1].findings, dialect, "EDI-TRAILING", "UNZ", rest[:40].decode("latin-1"))
    return found


def _syntax(service: bytes | None) -> Syntax:
    if service is None:
        return DEFAULT_SYNTAX
    text = service.decode("latin-1")
    syntax = Syntax(text[0], text[1], text[2], text[3], text[5])
    marks = [syntax.component, syntax.element, syntax.terminator, *([syntax.release] if syntax.release != " " else [])]
    if len(set(marks)) != len(marks) or any(
        mark.isalnum() or mark in " \x7f" or (mark < " " and mark not in "\r\n\x1c\x1d\x1e\x1f") for mark in marks
    ):
        raise malformed("MSG-SYNTAX", "UNA does not name distinct service characters.", path="UNA", value=text)
    return syntax


def _end(body: bytes, start: int, syntax: Syntax) -> int:
    """Return the offset behind UNZ, or behind the last byte before the next interchange where UNZ is missing."""
    terminator, release = syntax.terminator.encode("latin-1"), syntax.release.encode("latin-1")
    last = _segment_at(body, b"UNZ", start, terminator, release)
    end = body.find(terminator, last) if last >= 0 else -1
    following = min((at for at in (_segment_at(body, tag, start, terminator, release) for tag in (b"UNA", b"UNB")) if at >= 0), default=end)
    if end < 0 or following < last:
        raise malformed("MSG-SYNTAX", "An interchange has no end: its UNZ is missing, so it may be cut off.", path="UNZ")
    return end + 1


def _segment_at(body: bytes, tag: bytes, start: int, terminator: bytes, release: bytes) -> int:
    """Return the offset of the first segment *tag* behind a terminator from *start* on, or -1."""
    at = body.find(tag, start)
    while at >= 0:
        before = body[max(at - 80, start) : at].rstrip(b" \t\r\n" if terminator not in b"\r\n" else b" \t")
        if before.endswith(terminator) and not before.endswith(release + terminator):
            return at
        at = body.find(tag, at + 3)
    return -1


def _interchange(body: bytes, syntax: Syntax, identifier: bytes | None, dialect: Dialect, number: int) -> Interchange:
    findings: list[Finding] = []
    name = (identifier or b"").decode("ascii")
    segments = _segments(decode(body, name, dialect, findings), syntax, dialect, findings)
    unb = syntax.split(segments[0])
    unz = syntax.split(segments[-1])
    test = value(unb, 11) == "1"
    interchange = Interchange(
        syntax,
        name,
        value(unb, 2),
        value(unb, 2, 1),
        value(unb, 3),
        value(unb, 3, 1),
        _unb_time(value(unb, 4), value(unb, 4, 1), dialect),
        value(unb, 5),
        value(unb, 7),
        test,
        value(unb, 9) == "1",
        [],
        findings,
    )
    groups = _messages(interchange, segments, dialect)
    where = f"UNB[{interchange.reference[:35] or number}]/UNZ"
    counted = groups or len(interchange.messages)
    if value(unz, 1) != str(counted):
        said = value(unz, 1)
        _note(findings, dialect, "EDI-COUNT", f"{where}/0036", said, f"UNZ says {said[:20] or 'nothing'}, the interchange has {counted}.")
    if value(unz, 2) != interchange.reference:
        _note(findings, dialect, "EDI-REFERENCE", f"{where}/0020", value(unz, 2))
    return interchange


def decode(body: bytes, identifier: str, dialect: Dialect, findings: list[Finding]) -> str:
    """Return the text of one interchange (see the module's text on character sets)."""
    if body.isascii() and identifier != "UNOX":
        return body.decode("ascii")
    declared = CHARSETS.get(identifier)
    if dialect.encoding.lower() not in ("utf-8", "utf8"):
        try:
            return body.decode(dialect.encoding)
        except LookupError as exc:
            raise Misconfigured(f"unknown encoding {dialect.encoding!r}") from exc
        except UnicodeDecodeError:
            _note(findings, dialect, "EDI-CHARSET", "UNB/0001", identifier, f"The bytes are not {dialect.encoding}, as agreed.")
    if declared != "utf-8" and declared != "iso2022_jp_2":
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            _note(findings, dialect, "EDI-CHARSET", "UNB/0001", identifier, "The interchange holds UTF-8 and was read as such.")
            return text
    try:
        if declared is not None:
            return body.decode(declared)
    except UnicodeDecodeError:
        pass
    _note(findings, dialect, "EDI-CHARSET", "UNB/0001", identifier, "The bytes are not in the declared character set; Latin-1 was read.")
    return body.decode("latin-1")


def _segments(text: str, syntax: Syntax, dialect: Dialect, findings: list[Finding]) -> list[str]:
    """Return the segments without the white space before them. Nobody else holds *text*, so a large one is never in memory twice."""
    if text.count(syntax.terminator) > SEGMENT_LIMIT:
        raise malformed("MSG-SYNTAX", f"An interchange has more than {SEGMENT_LIMIT:,} segments: split it.")
    if syntax.terminator not in "\r\n" and ("\n" in text or "\r" in text):
        text = _unbroken(text, syntax, dialect, findings)
    segments = syntax.split_all(text)
    if not segments or segments[0][:3] != "UNB" or segments[-1][:3] != "UNZ":
        raise malformed("MSG-SYNTAX", "The interchange does not run from UNB to UNZ.", path="UNB")
    return segments


def _unbroken(text: str, syntax: Syntax, dialect: Dialect, findings: list[Finding]) -> str:
    """Put a file together that was broken at a fixed width; other breaks inside a segment stand for a blank, those between segments for
    nothing."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    last = text.find("\n", len(text.rstrip("\x1a \n")))
    text = text[:last] if last >= 0 else text
    if _is_ruled(text):
        _note(findings, dialect, "EDI-LINES", "UNB")
        return text.replace("\n", "")
    if syntax.release == " " or f"{syntax.release}{syntax.terminator}\n" not in text:
        text = text.replace(f"{syntax.terminator}\n", syntax.terminator)
    return text.replace("\n", " ")


def _is_ruled(text: str) -> bool:
    """Whether all lines are as wide as the second; the first and the last may be narrower."""
    first = text.find("\n")
    at = text.find("\n", first + 1)
    width = at - first - 1
    if first < 0 or at < 0 or width <= 20 or first > width:
        return False
    while (following := text.find("\n", at + 1)) >= 0:
        if following - at - 1 != width:
            return False
        at = following
    return len(text) - at - 1 <= width


def _rejoined(pieces: list[str], syntax: Syntax) -> list[str]:
    """Put segments together that were cut at a released terminator."""
    release = syntax.release
    for index in [index for index, piece in enumerate(pieces) if piece[-1:] == release]:
        piece = pieces[index]
        if index + 1 < len(pieces) and syntax.releases(piece):
            pieces[index + 1] = piece + syntax.terminator + pieces[index + 1]
            pieces[index] = ""
    return pieces


def _messages(interchange: Interchange, segments: list[str], dialect: Dialect) -> int:
    """Fill in the messages; return the number of functional groups."""
    starts = [index for index, segment in enumerate(segments) if segment[:3] == "UNH"]
    groups = sum(1 for segment in segments if segment[:3] == "UNG")
    seen: set[str] = set()
    for number, (start, stop) in enumerate(pairwise([*starts, len(segments) - 1]), 1):
        interchange.messages.append(_message(interchange, segments, start, stop, number, seen, dialect))
    between = [index for index in range(1, starts[0] if starts else len(segments) - 1) if segments[index][:3] not in ("UNG", "UNE")]
    if between:
        _note(interchange.findings, dialect, "EDI-STRAY", f"{segments[between[0]][:3]} (segment {between[0] + 1} of the interchange)")
    return groups


def _message(
    interchange: Interchange, segments: list[str], start: int, stop: int, number: int, seen: set[str], dialect: Dialect
) -> Message:
    syntax = interchange.syntax
    unh = syntax.split(segments[start])
    reference = value(unh, 1)
    named = f"UNH[{reference[:35] or number}]" if reference not in seen else f"UNH[{reference[:30]}.{number}]"
    end = next((index for index in range(stop - 1, start, -1) if segments[index][:3] == "UNT"), None)
    message = Message(
        named,
        reference,
        value(unh, 2),
        f"{value(unh, 2, 1)}:{value(unh, 2, 2)}",
        value(unh, 2, 3),
        value(unh, 2, 4),
        segments[start : (stop if end is None else end + 1)],
        start + 1,
    )
    told = message.findings
    if reference in seen or not reference:
        _note(told, dialect, "EDI-REFERENCE", f"{named}/UNH/0062 (segment 1)", reference, "The message reference is missing or used twice.")
    seen.add(reference)
    if end is None:
        message.broken = True
        _note(told, dialect, "EDI-CUT", f"{named}/UNT (segment {len(message.segments)})")
        return message
    unt = syntax.split(segments[end])
    count = end - start + 1
    if value(unt, 1) != str(count):
        said = value(unt, 1)
        where = f"{named}/UNT/0074 (segment {count})"
        _note(told, dialect, "EDI-COUNT", where, said, f"UNT says {said[:20] or 'nothing'}, the message has {count} segments.")
    if value(unt, 2) != reference:
        _note(told, dialect, "EDI-REFERENCE", f"{named}/UNT/0062 (segment {count})", value(unt, 2))
    stray = [index for index in range(end + 1, stop) if segments[index][:3] not in ("UNE", "UNG")]
    if stray:
        _note(told, dialect, "EDI-STRAY", f"{segments[stray[0]][:3]} (segment {stray[0] + 1} of the interchange)")
    return message


def _note(findings: list[Finding], dialect: Dialect, code: str, where: str, said: str | None = None, message: str | None = None) -> None:
    made = finding(code, dialect, sender_path=where, value=said or None, message=message)
    if made is not None:
        findings.append(made)


def _unb_time(day: str, time: str, dialect: Dialect) -> datetime | None:
    """Return UNB's date (YYMMDD, or CCYYMMDD in version 4) and time (HHMM), which carry no zone, as UTC."""
    digits = (day if len(day) == 8 else f"20{day}") + (time or "0000")[:4]
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


def refused(finding_list: Iterable[Finding]) -> bool:
    """Whether one of the findings is an error."""
    return any(made.severity is Severity.ERROR for made in finding_list)


class Job(NamedTuple):
    """One message that can be read, in its interchange. ``findings`` are those of the envelope; they travel with its first item."""

    interchange: Interchange
    message: Message
    head: MessageHead
    bgm: Segment
    findings: list[Finding]


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {"": "original", "1": "cancel", "2": "original", "3": "cancel", "4": "replace", "5": "replace", "9": "original", "22": "original"}
)
"""Message function (1225): addition and final transmission are read as original, deletion as cancel, change as replace."""

_TEST: Final = "53"


def jobs(
    raw: RawMessage,
    dialect: Dialect,
    *,
    name: str,
    type: str,
    versions: Sequence[str],
    number: Callable[[str, str], str],
) -> tuple[list[Job], list[Rejection]]:
    """Return the messages of *type* in the file, and the rejections of those that cannot be read.

    *number* makes the message id of the document number (BGM) and the interchange's control reference. Raises
    :class:`shared.errors.MalformedMessage` when the file cannot be read, or mixes test and real interchanges.
    """
    found: list[Job] = []
    rejected: list[Rejection] = []
    interchanges = read(raw.body, dialect)
    for interchange in interchanges:
        told = interchange.findings
        for message in interchange.messages:
            bgm = _bgm(message, interchange.syntax)
            if message.type != type:
                _note(message.findings, dialect, "EDI-TYPE", f"{message.position}/UNH/0065 (segment 1)", message.type)
            elif f"{message.version}:{message.association}" not in versions and message.version not in versions:
                _note(message.findings, dialect, "EDI-VERSION", f"{message.position}/UNH/0052 (segment 1)", message.version)
            function = FUNCTIONS.get(value(bgm, 3), "original")
            test = interchange.test or value(bgm, 3) == _TEST
            said = number(value(bgm, 2), interchange.reference)[:100] or message_id_of(raw.body)
            head = MessageHead(name, said, _prepared(message, interchange, dialect), function, test)
            findings = told + message.findings
            if message.broken or refused(findings):
                rejected.append(rejection(raw, findings, format=name, message_id=said, position=message.position))
            else:
                found.append(Job(interchange, message, head, bgm, findings))
            told = []
    if len({job.head.test for job in found}) > 1:
        raise malformed("MSG-HEAD", "Test and real messages stand in one file.", path="UNB/0035")
    if not found and not rejected:
        raise malformed("MSG-NO-ITEMS", "The interchange holds no message.", path="UNZ/0036")
    return found, rejected


def _bgm(message: Message, syntax: Syntax) -> Segment:
    for segment in message.segments[1:4]:
        if segment[:3] == "BGM":
            return syntax.split(segment)
    return [["BGM"]]


def _prepared(message: Message, interchange: Interchange, dialect: Dialect) -> datetime | None:
    for segment in message.segments[1:12]:
        if segment[:7] == "DTM" + interchange.syntax.element + "137":
            parts = interchange.syntax.split(segment)
            at = moment(value(parts, 1, 1), value(parts, 1, 2), dialect)
            if at is not None:
                return datetime.fromisoformat(at)
    return interchange.prepared_at


def first_head(found: Sequence[Job], rejected: Sequence[Rejection], name: str) -> MessageHead:
    """Return the head of the file: that of its first message."""
    return found[0].head if found else MessageHead(name, rejected[0].message_id or "")


# --- elements ----------------------------------------------------------------------------------------------------------------------------


def value(segment: Segment, element: int, component: int = 0) -> str:
    """Return one component without blanks around it; absent is ``""``."""
    try:
        return segment[element][component].strip()
    except IndexError:
        return ""


def whole(segment: Segment, element: int, width: int, first: int = 0) -> str:
    """Return a text that goes on over the components of an element, *width* characters each.

    A component that is full is joined to the next one as it is, a shorter one with a blank between.
    """
    if element >= len(segment):
        return ""
    parts = segment[element][first:]
    if len(parts) == 1:
        return parts[0].strip()
    text = ""
    joint = ""
    for part in parts:
        if part:
            text += joint + part
        joint = "" if len(part) == width or not text else " "
    return text.strip()


def number(text: str, syntax: Syntax) -> str:
    """Return a number with a point, whichever decimal mark the interchange uses."""
    return text.replace(",", ".") if "," in text and (syntax.decimal == "," or "." not in text) else text


_FORMS: Final[Mapping[str, tuple[str, int, bool]]] = MappingProxyType(
    {
        "2": ("%d%m%y", 6, False),
        "101": ("%y%m%d", 6, False),
        "102": ("%Y%m%d", 8, False),
        "201": ("%y%m%d%H%M", 10, False),
        "203": ("%Y%m%d%H%M", 12, False),
        "204": ("%Y%m%d%H%M%S", 14, False),
        "303": ("%Y%m%d%H%M", 12, True),
        "304": ("%Y%m%d%H%M%S", 14, True),
    }
)
"""Form (2379) → pattern, digits, whether a zone follows."""


def instant(text: str, form: str) -> tuple[str, bool] | None:
    """Return a date-time of DTM as ISO 8601 and whether it carries its zone; None when it is none. *form* is 2379.

    >>> instant("202603020702", "203")
    ('2026-03-02T07:02:00', False)
    >>> instant("202603020702UTC", "303")
    ('2026-03-02T07:02:00+00:00', True)
    """
    shape = _FORMS.get(form)
    if shape is None:
        return None
    pattern, length, zoned = shape
    zone = _zone(text[length:]) if zoned else ""
    digits = text[:length] if zoned else text
    if zone is None or len(digits) != length or not (digits.isascii() and digits.isdecimal()):
        return None
    try:
        return datetime.strptime(digits, pattern).isoformat() + zone, zoned  # noqa: DTZ007 - the zone is added as text
    except ValueError:
        return None


def moment(text: str, form: str, dialect: Dialect) -> str | None:
    """Return a date-time of DTM as ISO 8601 with offset; one without zone is in the dialect's time zone. None when it is none."""
    found = instant(text, form)
    if found is None:
        return None
    return found[0] if found[1] else values.local_instant(found[0], dialect)


def _zone(text: str) -> str | None:
    text = text.strip()
    if text in ("", "Z", "UTC", "GMT", "ZZZ"):
        return "+00:00"
    found = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", text, re.ASCII)
    if found is None or int(found[2]) > 14 or int(found[3] or 0) > 59:
        return None
    return f"{found[1]}{int(found[2]):02}:{found[3] or '00'}"


@dataclass(slots=True)
class SegmentItem(Item):
    """An item of an EDIFACT message. ``places`` tells which segment gave a dataset path; findings name it, or else the first of the item.

    ``inner`` are such places of other positions beneath it.
    """

    places: dict[str, int] = field(default_factory=lambda: {"": 1})
    inner: dict[str, dict[str, int]] = field(default_factory=dict)

    def another(
        self,
        position: str,
        element: object = None,
        *,
        table: Mapping[str, str] | None = None,
        findings: Sequence[Finding] | None = None,
    ) -> SegmentItem:
        """Return the item at another *position*, as of any document, with its own places."""
        told = self.findings if findings is None else findings
        return SegmentItem(position, table or self.table, self.dialect, list(told), places=self.inner.get(position, self.places))

    def _where(self, path: str) -> str:
        nearest = path
        places = self.places
        while nearest and nearest not in places:
            nearest = nearest.rpartition("/")[0]
        where = sender_path(path, self.position, self.table, self.paths) or self.position
        return f"{where} (segment {places[nearest]})" if nearest in places else where


# --- writing -----------------------------------------------------------------------------------------------------------------------------


_ELEMENT, _COMPONENT = "\ud800", "\ud801"
"""What keeps elements and components apart while a message is written: halves of surrogate pairs, which no text that came in has."""

_ENDS = re.compile(f"{_COMPONENT}+{_ELEMENT}")
"""Empty components at the end of an element."""

_PRINTABLE: Final = frozenset(map(chr, range(0x20, 0x7F)))


@cache
def _other_than(written: frozenset[str]) -> Callable[[str], object]:
    """Return a search for whatever is not in *written*."""
    return re.compile(f"[^{_ELEMENT}{_COMPONENT}{''.join(map(re.escape, sorted(written)))}]").search


@cache
def _searches(capitals: bool, syntax: Syntax) -> tuple[Callable[[str], object], Callable[[str], object]]:
    """Return a search for whatever cannot be written as it stands, and one for that of it which needs a look at its character set; the
    rest are service characters."""
    plain = _UPPER_ONLY if capitals else _PRINTABLE
    return _other_than(plain.difference((syntax.component, syntax.element, syntax.release, syntax.terminator))), _other_than(plain)


def _joined(components: Sequence[str | None] | None) -> str:
    if not components:
        return ""
    if None in components:
        components = [part or "" for part in components]
    return _COMPONENT.join(components)  # type: ignore[arg-type]


class Composer:
    """Writes one interchange: segments in order, service characters released, counts kept.

    Characters outside the interchange's set become ``?``; UNOA and UNOB ask for transliteration. Both are told in ``findings``, with the
    dataset path in ``path`` and the key of the item in ``key`` at that moment.
    """

    def __init__(self, identifier: str, dialect: Dialect, syntax: Syntax = DEFAULT_SYNTAX) -> None:
        self.identifier = identifier
        self.syntax = syntax
        self.findings: list[Finding] = []
        self.path = ""
        self.key = ""
        self._dialect = dialect
        self._charset = CHARSETS[identifier]
        self._special, self._foreign = _searches(identifier == "UNOA", syntax)
        self._segments: list[str] = []
        self._first = 0

    def segment(self, tag: str, *elements: str | Sequence[str | None] | None) -> None:
        """Add a segment; an element is a text, or the sequence of its components. Empty ends are left out."""
        plain = _ELEMENT.join([tag, *[each if type(each) is str else _joined(each) for each in elements]])
        if self._special(plain) is not None:
            plain = self.syntax.escape(plain) if self._foreign(plain) is None else self._fitted(tag, elements)
        if _COMPONENT + _ELEMENT in plain:
            plain = _ENDS.sub(_ELEMENT, plain)
        self._segments.append(plain.rstrip(_ELEMENT + _COMPONENT))

    def _fitted(self, tag: str, elements: Sequence[str | Sequence[str | None] | None]) -> str:
        """Return a segment whose texts have to be brought into the characters of the interchange."""
        written = [tag]
        for element in elements:
            parts = [element] if isinstance(element, str) else element or ()
            written.append(_COMPONENT.join([self._written(part) if part else "" for part in parts]))
        return _ELEMENT.join(written)

    def _written(self, text: str) -> str:
        if self._special(text) is None:
            return text
        return self.syntax.escape(self.fit(text))

    def begin(self, reference: str, identifier: Sequence[str]) -> None:
        """Open a message."""
        self._first = len(self._segments)
        self.segment("UNH", reference, identifier)

    def end(self, reference: str) -> None:
        """Close the message with its count."""
        self.segment("UNT", str(len(self._segments) - self._first + 1), reference)

    def interchange(self, head: Sequence[str | Sequence[str | None] | None], messages: int, reference: str) -> bytes:
        """Return the interchange as bytes, a segment a line; *head* are the elements of UNB."""
        body, self._segments = self._segments, []
        self.segment("UNB", *head)
        self._segments += body
        self.segment("UNZ", str(messages), reference)
        syntax = self.syntax
        una = f"UNA{syntax.component}{syntax.element}{syntax.decimal}{syntax.release} "
        text = f"{syntax.terminator}\n".join([una, *self._segments, ""])
        return text.replace(_ELEMENT, syntax.element).replace(_COMPONENT, syntax.component).encode(self._charset)

    def note(self, code: str, said: str, message: str | None = None) -> None:
        """Tell that something was written otherwise than it was given."""
        made = finding(code, self._dialect, path=self.path or None, sender_path=self.key or None, value=said, message=message)
        if made is not None:
            self.findings.append(made)

    def cut(self, text: str, width: int, most: int) -> list[str]:
        """Return *text* as components of *width*, at most *most* of them; :func:`whole` puts them together. What is too long is told."""
        text = self.fit(text)
        if len(text) > width * most:
            kept = text[: width * most]
            self.note("WRITE-CUT", text, f"{len(text)} characters; the first {len(kept)} were written.")
            text = kept
        return [text[at : at + width] for at in range(0, len(text), width)]

    def fit(self, text: str) -> str:
        """Return *text* in the characters of the interchange."""
        if not text.isprintable():
            text = "".join(mark if mark.isprintable() else " " for mark in text)
        if self.identifier == "UNOA":
            if _UPPER_ONLY.issuperset(text):
                return text
            return self._told(text, "".join(mark if mark in _UPPER_ONLY else "?" for mark in _transliterated(text).upper()))
        if text.isascii():
            return text
        if self._charset == "ascii":
            return self._told(text, _transliterated(text).encode("ascii", "replace").decode())
        fitted = text.encode(self._charset, "replace").decode(self._charset)
        if fitted != text:
            self.note("EDI-CHARACTER", text, f"Written as {fitted[:60]!r}.")
        return fitted

    def _told(self, text: str, fitted: str) -> str:
        if fitted != text.upper():
            self.note("EDI-TRANSLITERATED", text, f"Written as {fitted[:60]!r}.")
        return fitted


_LETTERS: Final = str.maketrans(
    {
        "ß": "SS",
        "Ø": "O",
        "ø": "o",
        "Æ": "AE",
        "æ": "ae",
        "Œ": "OE",
        "œ": "oe",
        "Ł": "L",
        "ł": "l",
        "Đ": "D",
        "đ": "d",
        "Þ": "Th",
        "þ": "th",
    }
)


def _transliterated(text: str) -> str:
    """NFKD without marks, with the letters that have no parts spelled out."""
    return "".join(mark for mark in unicodedata.normalize("NFKD", text.translate(_LETTERS)) if not unicodedata.combining(mark))
