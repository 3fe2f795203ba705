"""IATA Cargo-IMP: what all its text messages share. Envelope, lines, broken lines, several messages in one transmission.

A message begins with a line of its own (``FHL/4``: identifier and version) and ends where the next one or its envelope begins. A line
begins with an identifier of three letters, a continuation with a stroke, elements stand between strokes; there is no escape. A line that
is neither is the rest of a broken one and is joined to it, with a finding (``IMP-LINES``). Before a message may stand its Type-B envelope
(``QU LGGCUXX``, more addresses, ``.SZXJXXX 010412``: originator, day and time in UTC), which holds until the next one; other lines there
are told and not read. FMA and FNA repeat the message they answer: that is the answer's ``quoted`` and no message of its own. In a flight
manifest a line of three letters is an airport, even one that is also the name of a message (``PER``, ``FNA``).

Data are upper case A to Z, digits, blank, full stop and hyphen, in lines of at most 69 characters. Other characters are read and told
once; texts are written transliterated. Versions not in a format's list are read like the nearest one, with a note. Days without a month
or a year are the nearest to the time of sending, else to the arrival. Source: IATA Cargo-IMP by published samples and the Transport Canada
PACT implementation guide.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from shared.errors import Misconfigured
from shared.formats.base import ITEM_LIMIT, UNLIKE, Likeness, Sketch
from shared.formats.filings import Item, message_id_of, rejection
from shared.formats.provenance import sender_path
from shared.formats.rules import finding, refusal
from shared.formats.xml import check_bytes, malformed
from shared.model import Dialect, Finding, MessageHead, RawMessage, Rejection

CONTENT_TYPES: Final[tuple[str, ...]] = ("text/plain", "application/x-cargo-imp")
SOURCE: Final = "IATA Cargo-IMP by published samples and the Transport Canada PACT implementation guide"
LINE: Final = 69
"""Characters of one line."""
MESSAGE_BYTES: Final = 1600
"""Bytes of one message; what is longer goes out as several messages."""
AWB: Final = "AWB"
"""Name of the group of a line that begins with an air waybill number and has no identifier."""

QUOTING: Final = frozenset({"FMA", "FNA"})
"""Messages that repeat the one they answer."""

ANSWERS: Final = frozenset({"PSN", "PER", "FSN", "FER"})
"""What authorities say of waybills."""

_TYPES: Final = "FWB|FHL|FFM|FSU|FNA|FMA|PSN|PER|FSN|FER"
HEADER: Final = re.compile(rf"^[ \t]*({_TYPES})(?:/([0-9]{{1,3}}))?[ \t]*$", re.MULTILINE)
_ENVELOPE = re.compile(r"^[ \t]*(Q[A-Z])((?:[ \t\n]+[A-Z0-9]{7})+)[ \t]*\n[ \t]*\.([A-Z0-9]{7})(?:[ \t]+([0-9]{6}))?[^\n]*$", re.MULTILINE)
_FRAME = re.compile(r"^[ \t]*(?:ZCZC\b[^\n]*|NNNN|=)[ \t]*$", re.MULTILINE)
_CONTROL = re.compile(r"[\x01-\x09\x0b-\x1f\x7f]")
_FOREIGN = re.compile(r"[^A-Z0-9 .\-/\n]")
_LONG = re.compile(rf"^[^\n]{{{LINE + 1}}}", re.MULTILINE)
_WAYBILL = re.compile(r"[0-9]{3}-?[0-9]{8}(?![0-9])").match
_POINT = re.compile(r"[A-Z]{3}[ \t]*(?:$|/(?:NIL|[0-9]{2}[A-Z]{3}))").match
_STATUS = re.compile(r"[A-Z]{3}/").match

_NAMES: Final = {
    ("FHL", "FWB"): (
        "MBI HBS TXT HTS OCI SHP CNE CVD NAM ADR LOC FLT RTG AGT SSR NFY ACC RTD OTH PPD COL CER ISU OSI CDC REF COR COI SII ARD SPH NOM "
        "SRI OPI CTC HBA"
    ),
    ("FFM",): "ULD DIM OCI SCI COR CUS OSI SSR SPH DGR RMK CONT LAST",
    ("FSU",): "ULD DIM OCI OSI SSR SPH CONT LAST",
    ("FMA", "FNA"): "ACK",
    ("PSN", "PER"): "CSN ERR ARR CED AGT SHP CNE TRN TXT OCI REF",
    ("FSN", "FER"): "CCL AWB WBL ARR CED AGT SHP CNE TRN CSD CSN ERR TXT REF",
}
IDENTIFIERS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {type: frozenset(names.split()) for types, names in _NAMES.items() for type in types}
)
"""Line identifiers that begin a group, by message."""


class Row(NamedTuple):
    """One line: its number from the top of the transmission (1-based) and its elements, without the identifier."""

    line: int
    elements: list[str]

    def get(self, index: int) -> str:
        """Return an element without blanks around it; an absent one is empty."""
        return self.elements[index].strip() if index < len(self.elements) else ""


class Group(NamedTuple):
    """A line with an identifier, and its continuations. ``name`` is the identifier, :data:`AWB`, or empty for a line that has neither."""

    name: str
    rows: list[Row]

    @property
    def line(self) -> int:
        return self.rows[0].line

    @property
    def first(self) -> list[str]:
        """The elements of the group's own line."""
        return self.rows[0].elements

    def element(self, index: int) -> str:
        """Return an element of the group's own line."""
        return self.rows[0].get(index)

    @property
    def continued(self) -> list[Row]:
        """The continuation lines."""
        return self.rows[1:]


class Envelope(NamedTuple):
    """The Type-B envelope. ``sent`` is day, hour and minute (``010412``), or empty."""

    priority: str
    addresses: tuple[str, ...]
    originator: str
    sent: str


class Line(NamedTuple):
    """One line that says something: the name of the group that it begins (a stroke for a continuation), its number, the whole of it."""

    name: str
    number: int
    text: str


@dataclass(slots=True)
class Message:
    """One message. ``line`` is that of its header; ``text`` all of its lines; ``version`` what the header says, or empty.

    Its lines are cut when somebody asks for them. A message of very many lines is better read through :meth:`lines` than through
    ``groups``, which keeps them.
    """

    type: str
    version: str
    line: int
    text: str
    dialect: Dialect
    envelope: Envelope | None = None
    quoted: Message | None = None
    _groups: list[Group] | None = None
    _findings: list[Finding] = field(default_factory=list)
    _looked: bool = False

    @property
    def groups(self) -> list[Group]:
        """The lines in groups."""
        if self._groups is None:
            self._groups = list(grouped(self.lines()))
        return self._groups

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with the message as a text."""
        if not self._looked:
            deque(self.lines(), 0)
        return self._findings

    def told_before(self, findings: Sequence[Finding]) -> None:
        """Put *findings* before those of the message itself."""
        self._findings[:0] = findings

    def lines(self) -> Iterator[Line]:
        """Yield its lines one by one, broken ones put together."""
        findings: list[Finding] = []
        last: Line | None = None
        broken: list[str] = []
        names = IDENTIFIERS[self.type]
        for number, text in enumerate(self._own(), self.line + 1):
            if not text or text.isspace():
                continue
            head = "/" if text[0] == "/" else text.partition("/")[0].rstrip()
            name = head if head == "/" or head in names else _name(self.type, text, last)
            if name is not None:
                if last is not None:
                    yield self._whole(last, broken, findings) if broken else last
                last = Line(name, number, text)
            elif not _is_frame(text):
                broken.append(text)
        if last is not None:
            yield self._whole(last, broken, findings) if broken else last
        if not self._looked:
            self._looked = True
            self._findings += findings

    def _own(self) -> list[str]:
        """Return the lines below the header, without those that the message repeats of another."""
        return self.text.split("\n")[1 : None if self.quoted is None else self.quoted.line - self.line]

    def _whole(self, line: Line, broken: list[str], findings: list[Finding]) -> Line:
        start = f"{line.name}/" if line.text.rstrip() == line.name else line.text
        _note(findings, self.dialect, "IMP-LINES", self.at(line.number))
        whole = line._replace(text="".join([start, *broken]))
        broken.clear()
        return whole

    def group(self, name: str) -> Group | None:
        """Return the first group of that name."""
        return next((group for group in self.groups if group.name == name), None)

    def all(self, name: str) -> list[Group]:
        """Return the groups of that name."""
        return [group for group in self.groups if group.name == name]

    def at(self, line: int) -> str:
        """Return the position of a line, e.g. ``FHL line 3``."""
        return f"{self.type} line {line}"


# --- recognising -------------------------------------------------------------------------------------------------------------------------


def recognise(type: str, sketch: Sketch) -> Likeness:
    """A transmission whose first message is one of *type*."""
    if sketch.kind != "cargo-imp":
        return UNLIKE
    return Likeness(1.0, f"a line {type}") if sketch.root == type else Likeness(0.2, f"Cargo-IMP, but {sketch.root} and not {type}")


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def read(body: bytes, dialect: Dialect) -> list[Message]:
    """Return the messages of a transmission, with their lines in groups.

    What is wrong with the transmission stands with its first message. Raises :class:`shared.errors.MalformedMessage` when there is none.
    """
    check_bytes(body)
    findings: list[Finding] = []
    text = _text(body, dialect, findings)
    messages = _split(text, findings, dialect)
    if not messages:
        raise malformed("MSG-SYNTAX", "No line names a message of Cargo-IMP, such as FHL/4.", path=f"one of {_TYPES}", line=1, column=1)
    _characters(text, messages[0], findings, dialect)
    messages[0].told_before(findings)
    return messages


def _text(body: bytes, dialect: Dialect, findings: list[Finding]) -> str:
    """Decode, and bring line ends and control characters into one form."""
    if body.isascii():
        text = body.decode("ascii")
    else:
        try:
            text = body.removeprefix(b"\xef\xbb\xbf").decode(dialect.encoding)
        except LookupError as exc:
            raise Misconfigured(f"unknown encoding {dialect.encoding!r}") from exc
        except UnicodeDecodeError:
            text = body.decode("latin-1")
            _note(findings, dialect, "IMP-CHARACTER", "line 1", None, f"The bytes are not {dialect.encoding}; they were read as Latin-1.")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", text) if _CONTROL.search(text) else text


def _split(text: str, findings: list[Finding], dialect: Dialect) -> list[Message]:
    """Cut the transmission into messages: at headers, and before the envelopes in front of them."""
    envelopes = list(_ENVELOPE.finditer(text)) if "\n" in text and "." in text else []
    heads = _heads(text, envelopes)
    messages: list[Message] = []
    following = iter([*envelopes, None])
    envelope = next(following)
    end, line, counted = 0, 1, 0
    for index, head in enumerate(heads):
        own = None
        while envelope is not None and envelope.start() < head.start():
            own, envelope = envelope, next(following)
        _stray(text[end : own.start() if own else head.start()] + (text[own.end() : head.start()] if own else ""), findings, dialect)
        line += text.count("\n", counted, head.start())
        counted = head.start()
        stop = heads[index + 1].start() if index + 1 < len(heads) else len(text)
        end = min(stop, envelope.start()) if envelope is not None else stop
        message = Message(head[1], head[2] or "", line, text[head.start() : end], dialect)
        message.envelope = _envelope(own) if own else messages[-1].envelope if messages else None
        _quote(message)
        messages.append(message)
    return messages


def _heads(text: str, envelopes: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """Return the headers of messages: not those that an answer repeats, not the airports of a flight manifest."""
    found: list[re.Match[str]] = []
    following = iter([*envelopes, None])
    envelope = next(following)
    ends = [end.start() for end in _CLOSED.finditer(text)] if "FFM" in text else []
    quoted = False
    for head in HEADER.finditer(text):
        fresh = not found
        while envelope is not None and envelope.start() < head.start():
            fresh, envelope = True, next(following)
        if not fresh:
            before = found[-1][1]
            if before in QUOTING and head[1] not in QUOTING and not quoted:
                quoted = True
                continue
            if before == "FFM" and head[2] is None and bisect(ends, found[-1].end()) == bisect(ends, head.start()):
                continue
        quoted = False
        found.append(head)
    return found


_CLOSED = re.compile(r"^(?:LAST|CONT)[ \t]*$", re.MULTILINE)
"""How a flight manifest ends: only behind it may a message begin whose name is an airport too."""


def _envelope(found: re.Match[str]) -> Envelope:
    return Envelope(found[1], tuple(found[2].split()), found[3], found[4] or "")


def _stray(text: str, findings: list[Finding], dialect: Dialect) -> None:
    left = _FRAME.sub("", text).strip() if text and not text.isspace() else ""
    if left:
        _note(findings, dialect, "IMP-STRAY", "before the message", left.partition("\n")[0][:60])


def _characters(text: str, first: Message, findings: list[Finding], dialect: Dialect) -> None:
    """Tell once of characters and of lines that the standard does not have."""
    foreign = _FOREIGN.search(text)
    if foreign is not None:
        line = text.count("\n", 0, foreign.start()) + 1
        column = foreign.start() - text.rfind("\n", 0, foreign.start())
        _note(findings, dialect, "IMP-CHARACTER", f"{first.type} line {line}, column {column}", foreign[0])
    long = _LONG.search(text)
    if long is not None:
        _note(findings, dialect, "IMP-LENGTH", first.at(text.count("\n", 0, long.start()) + 1))


def _quote(message: Message) -> None:
    """Find what an answer repeats."""
    if message.type not in QUOTING:
        return
    lines = message.text.split("\n")
    for index, line in enumerate(lines[1:], 1):
        head = HEADER.match(line)
        if head is not None:
            message.quoted = Message(head[1], head[2] or "", message.line + index, "\n".join(lines[index:]), message.dialect)
            _quote(message.quoted)
            return


def grouped(lines: Iterable[Line]) -> Iterator[Group]:
    """Yield *lines* in groups: a line with its continuations."""
    group: Group | None = None
    for name, number, text in lines:
        elements = text.split("/")
        row = Row(number, elements if name in ("", AWB) else elements[1:])
        if name == "/" and group is not None:
            group.rows.append(row)
            continue
        if group is not None:
            yield group
        group = Group(name if name != "/" else "", [row])
    if group is not None:
        yield group


def _is_frame(line: str) -> bool:
    return _FRAME.match(line) is not None


def _name(type: str, text: str, before: Line | None) -> str | None:
    """Return the name of a group that begins without an identifier of the list; None for the rest of a broken line."""
    answer = type in ANSWERS
    if text[0].isdecimal() and (before is None or answer or type in ("FFM", "FSU")) and _WAYBILL(text):
        return AWB
    if type == "FSU" and _STATUS(text) and not (before is not None and before.text.endswith("/")):
        return text[:3]
    if before is None or (type == "FFM" and _POINT(text)):
        return ""
    return text[:3] if answer and _STATUS(text) else None


def _note(findings: list[Finding], dialect: Dialect, code: str, where: str, said: str | None = None, message: str | None = None) -> None:
    made = finding(code, dialect, sender_path=where, value=said, message=message)
    if made is not None:
        findings.append(made)


def head(message: Message, format: str, message_id: str, raw: RawMessage) -> MessageHead:
    """Return what a message says of itself: the time of its envelope. It has no number, and nothing says that it replaces another."""
    return MessageHead(format, message_id, sent_at(message, raw.received_at))


def refuse(message: Message, code: str, missing: str, raw: RawMessage, format: str, message_id: str) -> Rejection:
    """Return the rejection of one message of the transmission *message_id*, for want of the line *missing*."""
    where = message.at(message.line)
    told = refusal(code, sender_path=f"{where}, {missing}", line=message.line, column=1)
    return rejection(raw, (*message.findings, told), format=format, message_id=message_id, position=where)


def of_type(messages: Sequence[Message], type: str, raw: RawMessage, name: str) -> tuple[list[Message], list[Rejection]]:
    """Return the messages of *type*, and a rejection of each other one.

    Raises :class:`shared.errors.MalformedMessage` when none is of it, or when there are too many.
    """
    if len(messages) > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path=messages[ITEM_LIMIT].at(messages[ITEM_LIMIT].line))
    wanted = [message for message in messages if message.type == type]
    if not wanted:
        first = messages[0]
        raise malformed("MSG-NO-ITEMS", f"The transmission holds no {type}.", path=first.at(first.line), line=first.line, column=1)
    others = [message for message in messages if message.type != type]
    message_id = message_id_of(raw.body) if others else ""
    return wanted, [refuse(message, "IMP-TYPE", message.type, raw, name, message_id) for message in others]


@dataclass(slots=True)
class LineItem(Item):
    """An item of a Cargo-IMP message. ``places`` tells which line gave a dataset path; findings name it: ``FHL line 12, CVD/customs``."""

    type: str = ""
    places: dict[str, int] = field(default_factory=dict)

    def _where(self, path: str) -> str:
        nearest = path
        while nearest and nearest not in self.places:
            nearest = nearest.rpartition("/")[0]
        start = f"{self.type} line {self.places[nearest]}" if nearest in self.places else self.position
        named = sender_path(path, "", self.table, self.paths)
        return f"{start}, {named.lstrip('/')}" if named else start


def version(message: Message, versions: Iterable[str], item: Item) -> None:
    """Note a version that is not in a format's list, or a header without one."""
    if message.version.lstrip("0") not in versions:
        item.note("MSG-VERSION", value=message.version or None, at=f"{message.at(message.line)}, {message.type}/version")


# --- times -------------------------------------------------------------------------------------------------------------------------------

_MONTHS: Final = {name: number for number, name in enumerate(re.findall("...", "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"), 1)}
_DATE = re.compile(r"([0-9]{1,2})([A-Z]{3})?([0-9]{2})?").fullmatch
_STAMP = re.compile(r"([0-9]{1,2})([A-Z]{3})([0-9]{2})?([0-9]{2})([0-9]{2})").fullmatch


def sent_at(message: Message, received_at: datetime) -> datetime | None:
    """Return the time of the envelope: day, hour and minute in UTC, in the latest month that is not after the arrival."""
    said = message.envelope.sent if message.envelope else ""
    if not said:
        return None
    found = day(said[:2], received_at - timedelta(days=14))
    clock = _clock(said[2:])
    return datetime.combine(found, clock, UTC) if found is not None and clock is not None else None


def day(said: str, near: datetime) -> date | None:
    """Return the date that ``01``, ``01MAR`` or ``01MAR26`` means: the one nearest to *near*; None for what is none.

    >>> day("28", datetime(2026, 3, 1, tzinfo=UTC)), day("31DEC", datetime(2026, 1, 2, tzinfo=UTC))
    (datetime.date(2026, 2, 28), datetime.date(2025, 12, 31))
    """
    found = _DATE(said)
    if found is None or (found[2] is not None and found[2] not in _MONTHS):
        return None
    number, year = int(found[1]), found[3]
    if found[2] is None:
        return None if year else _nearest(((each.year, each.month, number) for each in _months(near)), near)
    month = _MONTHS[found[2]]
    if year is not None:
        return _nearest([(2000 + int(year), month, number)], near)
    return _nearest(((near.year + shift, month, number) for shift in (-1, 0, 1)), near)


def _months(near: datetime) -> list[date]:
    middle = near.date().replace(day=15)
    return [middle + timedelta(days=shift) for shift in (-30, 0, 30)]


def _nearest(choices: Iterable[tuple[int, int, int]], near: datetime) -> date | None:
    dates = []
    for year, month, number in choices:
        try:
            dates.append(date(year, month, number))
        except ValueError:
            continue
    return min(dates, key=lambda each: abs(each - near.date()), default=None)


def moment(said: str, near: datetime) -> datetime | None:
    """Return the instant that ``01MAR0522`` or ``01MAR260522`` means, in UTC; None for what is none."""
    found = _STAMP(said)
    if found is None:
        return None
    when = day(f"{found[1]}{found[2]}{found[3] or ''}", near)
    clock = _clock(found[4] + found[5])
    return datetime.combine(when, clock, UTC) if when is not None and clock is not None else None


def _clock(said: str) -> time | None:
    hour, minute = int(said[:2]), int(said[2:4])
    return time(hour, minute) if hour < 24 and minute < 60 else None


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_SPELT: Final = str.maketrans(
    {"ß": "SS", "Ø": "O", "ø": "O", "Æ": "AE", "æ": "AE", "Œ": "OE", "œ": "OE", "Ł": "L", "ł": "L", "Đ": "D", "đ": "D"}
)
_UNWRITABLE = re.compile(r"[^A-Z0-9 .\-]")


def transliterate(text: str) -> str:
    """Return *text* in the characters of Cargo-IMP: marks stripped, in capitals, all else a blank; blanks never doubled.

    >>> transliterate("Straße 12, L'Été & Ñuñoa")
    'STRASSE 12 L ETE NUNOA'
    """
    plain = unicodedata.normalize("NFKD", text.translate(_SPELT)).upper()
    bare = "".join(each for each in plain if not unicodedata.combining(each)) if not plain.isascii() else plain
    return " ".join(_UNWRITABLE.sub(" ", bare).split())


def wrapped(text: str, first: int, following: int = LINE - 1, rows: int | None = None) -> tuple[list[str], str]:
    """Return *text* (already transliterated) in lines of at most *first* and then *following* characters, broken between words, and the
    rest that *rows* lines could not hold."""
    lines: list[str] = []
    left = text
    while left and (rows is None or len(lines) < rows):
        width = following if lines else first
        if len(left) <= width:
            lines.append(left)
            return lines, ""
        cut = left.rfind(" ", 1, width + 1)
        lines.append(left[: cut if cut > 0 else width].rstrip())
        left = left[cut if cut > 0 else width :].lstrip()
    return lines, left


def join(lines: Iterable[str], envelope: Envelope | None = None) -> bytes:
    """Return one message, each line ended by CR LF; *envelope* goes before it. Addresses stand eight in a line."""
    before: list[str] = []
    if envelope is not None:
        addresses = [" ".join(envelope.addresses[at : at + 8]) for at in range(0, len(envelope.addresses), 8)]
        before = [f"{envelope.priority} {addresses[0] if addresses else ''}".rstrip(), *addresses[1:]]
        before.append(f".{envelope.originator} {envelope.sent}".rstrip())
    return "".join(f"{line}\r\n" for line in (*before, *lines)).encode("ascii", "replace")
