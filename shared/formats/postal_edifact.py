"""Files of the postal EDIFACT profiles (``<MESSAGE>:D:00A:ZZ:HUB10``): the units of a message read by a table, and the header they share.

A unit begins with ``CNI`` (an item, referral, reply, event). A table maps ``TAG+qualifier`` to where its values go; what it has not is
told and passed over. Times are UTC. ``CNT+11`` counts the units: where it is wrong the message is refused, as the XML profiles refuse a
wrong ``ItemCount``. One message is one file; its ``FileId`` is the number of ``BGM``.

The tables only fill what the XML profiles fill, so both syntaxes have the same keys, checks and answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

from shared.contracts import Answer
from shared.formats import edifact
from shared.formats.base import ITEM_LIMIT, UNLIKE, Envelope, Likeness, Parsed, Sketch
from shared.formats.edifact import Composer, Job, Segment, SegmentItem, Syntax, value
from shared.formats.edifact_envelope import code, control_reference, unb
from shared.formats.filings import rejection
from shared.formats.rules import refusal
from shared.formats.xml import malformed
from shared.model import Dialect, Filing, RawMessage, Rejection

CONTENT_TYPES: Final[tuple[str, ...]] = ("application/edifact", "text/plain")
VERSIONS: Final[tuple[str, ...]] = ("D:00A:HUB10",)
Outcome = Filing | Answer | Rejection

_QUALIFIER: Final = {"GIS": (1, 1), "COM": (1, 1), "MEA": (2, 0), "CNI": (9, 0), "CST": (9, 0), "GID": (9, 0), "DOC": (9, 0), "STS": (9, 0)}
"""Where a segment says what it is about: element and component; by default the first of all."""


class Unit:
    """What one unit says, as texts: records by the part of their path, and the segments that repeat."""

    __slots__ = ("item", "lists", "marked", "open", "parts", "syntax")

    def __init__(self, item: SegmentItem, syntax: Syntax) -> None:
        self.item = item
        self.syntax = syntax
        self.parts: dict[str, dict[str, Any]] = {"": {}}
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.marked: list[tuple[Any, ...]] = []
        self.open = ""

    @property
    def said(self) -> dict[str, Any]:
        """Return the record of the unit itself."""
        return self.parts[""]

    def put(self, part: str, field: str, said: str, place: int) -> None:
        """Keep a value; a second one for the same field is an error, since nobody knows which is true."""
        if not said:
            return
        record = self.parts.setdefault(part, {})
        path = f"/{self._prefix(part)}{field}"
        if field in record:
            self.item.places[path] = place
            self.item.note("FLD-REPEATED", path)
        record[field] = said
        self.item.places[path] = place

    def begin(self, part: str, place: int) -> None:
        """Open a fresh record in the list *part*."""
        fresh: dict[str, Any] = {}
        records = self.lists.setdefault(part, [])
        self.item.places[f"/{part}/{len(records)}"] = place
        records.append(fresh)
        self.parts[part] = fresh

    def _prefix(self, part: str) -> str:
        if part in self.lists:
            return f"{part}/{len(self.lists[part]) - 1}/"
        return f"{part}/" if part else ""

    def number(self, said: str) -> str:
        """Return a number with a point."""
        return edifact.number(said, self.syntax)


Take = Callable[[Unit, Segment, int], None]
Table = Mapping[str, Take]


# --- what a segment may stand for --------------------------------------------------------------------------------------------------------


def text(part: str, field: str, element: int = 1, component: int = 0) -> Take:
    """A component that is a field as it stands."""

    def take(unit: Unit, segment: Segment, place: int) -> None:
        unit.put(part, field, value(segment, element, component), place)

    return take


def number(part: str, field: str, element: int = 1, component: int = 1) -> Take:
    """A component that is a number."""

    def take(unit: Unit, segment: Segment, place: int) -> None:
        unit.put(part, field, unit.number(value(segment, element, component)), place)

    return take


def money(part: str, amount: str, currency: str) -> Take:
    """MOA: an amount and its currency."""

    def take(unit: Unit, segment: Segment, place: int) -> None:
        unit.put(part, amount, unit.number(value(segment, 1, 1)), place)
        unit.put(part, currency, value(segment, 1, 2), place)

    return take


def instant(part: str, field: str) -> Take:
    """DTM in UTC. One that cannot be read stays as it was sent, for the checks to tell."""

    def take(unit: Unit, segment: Segment, place: int) -> None:
        said = value(segment, 1, 1)
        found = edifact.instant(said, value(segment, 1, 2))
        unit.put(part, field, found[0] + ("" if found[1] else "+00:00") if found else said, place)

    return take


def day(part: str, field: str) -> Take:
    """DTM that is a date."""

    def take(unit: Unit, segment: Segment, place: int) -> None:
        said = value(segment, 1, 1)
        found = edifact.instant(said, value(segment, 1, 2))
        unit.put(part, field, found[0][:10] if found else said, place)

    return take


def both(*takes: Take) -> Take:
    """Several fields of one segment."""

    def take(unit: Unit, segment: Segment, place: int) -> None:
        for each in takes:
            each(unit, segment, place)

    return take


def coded(part: str, field: str, codes: Mapping[str, str]) -> Take:
    """GIS with a code of the profile's own list; one that is not in it stays as it is."""

    def take(unit: Unit, segment: Segment, place: int) -> None:
        said = value(segment, 1)
        unit.put(part, field, codes.get(said, said), place)

    return take


def walk(unit: Unit, segments: Sequence[str], start: int, stop: int, table: Table) -> None:
    """Read the segments from *start* to *stop* into *unit*."""
    for index in range(start, stop):
        segment = unit.syntax.split(segments[index])
        tag = segment[0][0].strip()
        element, component = _QUALIFIER.get(tag, (1, 0))
        take = table.get(f"{tag}+{value(segment, element, component)}") or table.get(tag)
        if take is None:
            unit.item.note("FLD-IGNORED", at=f"{unit.item.position}/{tag[:3]} (segment {index + 1})", value=segments[index][:60])
        else:
            take(unit, segment, index + 1)


# --- files -------------------------------------------------------------------------------------------------------------------------------


class Profile(NamedTuple):
    """One message of the family."""

    format: str
    type: str


class Header(NamedTuple):
    """Who writes to whom."""

    sender: str
    recipient: str


def recognise(profile: Profile, sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is of the profile's type."""
    if sketch.kind != "edifact":
        return UNLIKE
    if sketch.root == profile.type:
        return Likeness(1.0, f"UNH {profile.type}")
    return Likeness(0.2, f"EDIFACT, but {sketch.root or 'no UNH'} and not {profile.type}")


def jobs(profile: Profile, raw: RawMessage, dialect: Dialect) -> tuple[list[Job], list[Rejection]]:
    """Return the messages of a file; times without zone are UTC."""
    utc = dialect.model_copy(update={"time_zone": "UTC"})
    return edifact.jobs(raw, utc, name=profile.format, type=profile.type, versions=VERSIONS, number=lambda document, icr: document or icr)


def header(job: Job) -> Header:
    """Return sender and recipient: NAD+MS and MR, else those of the interchange."""
    said: dict[str, str] = {}
    for raw in job.message.segments[1:12]:
        if raw[:3] == "NAD":
            segment = job.interchange.syntax.split(raw)
            said.setdefault(value(segment, 1), value(segment, 2))
    return Header(said.get("MS") or job.interchange.sender, said.get("MR") or job.interchange.recipient)


Read = Callable[[Unit, Job, Header], Iterator[Outcome]]


def parse(profile: Profile, raw: RawMessage, dialect: Dialect, paths: Mapping[str, str], table: Table, read: Read) -> Parsed:
    """Read a file of units that begin with CNI. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    found, rejected = jobs(profile, raw, dialect)
    units: list[tuple[Job, Header, list[int]]] = []
    for job in found:
        starts = starts_of(job, "CNI")
        wrong = miscounted(profile, job, max(len(starts) - 1, 0), raw)
        if wrong is not None:
            rejected.append(wrong)
        elif len(starts) > 1:
            units.append((job, header(job), starts))
    count = sum(len(starts) - 1 for _, _, starts in units)
    check_size(count, rejected)

    def items() -> Iterator[Outcome]:
        yield from rejected
        for job, head, starts in units:
            for number_, (start, stop) in enumerate(pairwise(starts), 1):
                unit = unit_of(job, f"CNI[{number_}]", start, paths, dialect, job.findings if number_ == 1 else ())
                walk(unit, job.message.segments, start, stop, table)
                yield from read(unit, job, head)

    return Parsed(edifact.first_head(found, rejected, profile.format), items(), count + len(rejected))


def check_size(count: int, rejected: Sequence[Rejection]) -> None:
    """Refuse a file without units, or with too many."""
    if count > ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path="CNI", value=str(count))
    if not count and not rejected:
        raise malformed("MSG-NO-ITEMS", path="CNI")


def unit_of(job: Job, name: str, start: int, paths: Mapping[str, str], dialect: Dialect, findings: Iterable[Any]) -> Unit:
    """Return an empty unit of *job* that begins at the segment *start*."""
    item = SegmentItem(f"{job.message.position}/{name}", paths, dialect, list(findings))
    item.places[""] = start + 1
    return Unit(item, job.interchange.syntax)


def starts_of(job: Job, *tags: str) -> list[int]:
    """Return where units begin, and as the last where the summary of the message does."""
    segments = job.message.segments
    end = next((index for index in range(len(segments) - 2, 0, -1) if segments[index][:3] != "CNT"), len(segments) - 2) + 1
    return [*(index for index in range(1, end) if segments[index][:3] in tags), end]


def miscounted(profile: Profile, job: Job, count: int, raw: RawMessage) -> Rejection | None:
    """Return the rejection of a message whose CNT+11 is wrong. A missing one is told with the first unit."""
    for index in range(len(job.message.segments) - 2, 0, -1):
        if job.message.segments[index][:3] != "CNT":
            break
        segment = job.interchange.syntax.split(job.message.segments[index])
        if value(segment, 1) == "11":
            said = value(segment, 1, 1)
            if said == str(count):
                return None
            where = f"{job.message.position}/CNT+11/6066 (segment {index + 1})"
            wrong = refusal("MSG-COUNT", f"CNT+11 says {said[:20]}, the message has {count}.", sender_path=where, value=said[:20])
            return rejection(raw, [wrong], format=profile.format, message_id=job.head.message_id, position=job.message.position)
    wrong_ = SegmentItem(job.message.position, {}, _PLAIN)
    wrong_.note(
        "EDI-COUNT", at=f"{job.message.position}/CNT+11/6066 (segment 1)", message="The message does not say how many items it has: CNT+11."
    )
    job.findings.extend(wrong_.findings)
    return None


_PLAIN: Final = Dialect()


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def utc(at: datetime) -> str:
    """Return an instant in form 204, in UTC."""
    at = at.astimezone(UTC)
    return f"{at.year:04}{at.month:02}{at.day:02}{at.hour:02}{at.minute:02}{at.second:02}"


def begin(composer: Composer, profile: Profile, envelope: Envelope, document: tuple[str, str]) -> None:
    """Write the header; *document* is kind (1001) and function (1225)."""
    composer.begin("1", [profile.type, "D", "00A", "ZZ", "HUB10"])
    composer.segment("BGM", document[0], envelope.message_id, document[1])
    composer.segment("DTM", ["137", utc(envelope.prepared_at), "204"])
    composer.segment("NAD", "MS", code(envelope.sender))
    composer.segment("NAD", "MR", code(envelope.recipient))


def finish(composer: Composer, profile: Profile, envelope: Envelope, count: int) -> bytes:
    """Write the summary and return the interchange."""
    composer.segment("CNT", ["11", str(count)])
    composer.end("1")
    reference = control_reference(envelope.message_id)
    addressed = Envelope(reference, _qualified(envelope.sender), _qualified(envelope.recipient), envelope.prepared_at, envelope.test)
    return composer.interchange(unb(addressed, reference, profile.type, composer.identifier), 1, reference)


def _qualified(address: str) -> str:
    return address if ":" in address else f"{address}:ZZ"


def charset(dialect: Dialect) -> str:
    """Return the syntax identifier agreed with the receiver (code map ``edifact``: ``charset``); UNOC by default, UNOW is UTF-8."""
    agreed = dialect.code_maps.get("edifact", {}).get("charset", "UNOC")
    return agreed if agreed in edifact.CHARSETS else "UNOC"
