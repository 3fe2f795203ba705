"""What PSN, PER, FSN, FER, FMA and FNA share: from the lines about a waybill to answers, and from notices to lines.

A waybill is named by a line of its own: ``888-45123072`` the master (or a direct one), ``888-45123072-JXE260300018`` a house under it. A
master is keyed ``master:<air waybill>``. A house is keyed by its carrier: the dialect's ``carrier``, else what the dialect's code map
``carrier`` makes of the envelope's address or of the airline's prefix (``{"LGGJXCR": "jx", "888": "jx"}``), else that address or prefix
itself, with a finding.

Times of a status (``01MAR0522``) name neither year nor zone: they are read in the dialect's zone, as the last such day before the arrival
(a day of tolerance), and written in the same zone. Nothing was said in the future: a status dated ahead would outlive all that follow it.

Where a house number is longer than the twelve characters of the standard, the short form agreed in the dialect is written and read
(:mod:`shared.formats.house_aliases`); without one it is written whole, with a warning, and never cut.

The addresses of the Type-B envelope are data of the receiver's dialect (code map ``cargo_imp``: ``hub``, ``address``, ``priority``);
without ``address`` a message is written without envelope.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from shared.codes import decisions
from shared.codes.decisions import Meaning
from shared.contracts import Answer, Notice, Scope, express_key
from shared.errors import InvalidConsignment
from shared.formats import cargo_answers, cargo_imp, house_aliases, values
from shared.formats.base import ITEM_LIMIT, Parsed, Written
from shared.formats.cargo_answers import DIRECT, HOUSE
from shared.formats.cargo_imp import AWB, LINE, MESSAGE_BYTES, Envelope, Group, LineItem, Message, Row
from shared.formats.cargo_xml import master_key, waybill
from shared.formats.filings import message_id_of, reject
from shared.formats.postal_files import Sheet
from shared.formats.xml import malformed
from shared.identifiers import air_waybill
from shared.model import Dialect, Finding, MessageHead, RawMessage, Rejection

# --- reading -----------------------------------------------------------------------------------------------------------------------------

_TOLERANCE: Final = timedelta(days=1)
_YEAR: Final = timedelta(days=365)

_REFERENCE = re.compile(r"\s*([0-9]{3})[- ]?([0-9]{8})(?:\s*-\s*(\S(?:.{0,68}\S)?))?\s*").fullmatch
_LOCATION = re.compile(r"[A-Z]{3}[A-Z0-9]{2,4}").fullmatch


@dataclass(slots=True)
class Block:
    """What one message says of one waybill: its line, the lines that carry a status or an error, all others."""

    reference: Group | None = None
    said: list[Group] = field(default_factory=list)
    beside: list[Group] = field(default_factory=list)
    extra: dict[str, str] | None = None


class Job(NamedTuple):
    """One message of a transmission while it is read."""

    message: Message
    head: MessageHead
    raw: RawMessage
    dialect: Dialect
    paths: Mapping[str, str]


def jobs(raw: RawMessage, dialect: Dialect, name: str, paths: Mapping[str, str]) -> tuple[MessageHead, list[Job], list[Rejection]]:
    """Return the head of a transmission, its messages of the format *name*, and a rejection of each other one.

    Raises :class:`shared.errors.MalformedMessage` when there is no such message.
    """
    messages, refused = cargo_imp.of_type(cargo_imp.read(raw.body, dialect), name.upper(), raw, name)
    if sum(len(message.groups) for message in messages) > 3 * ITEM_LIMIT:
        raise malformed("MSG-ITEMS", path="line")
    message_id = message_id_of(raw.body)
    found = [Job(message, cargo_imp.head(message, name, message_id, raw), raw, dialect, paths) for message in messages]
    return found[0].head, found, refused


def parsed(
    raw: RawMessage,
    dialect: Dialect,
    name: str,
    paths: Mapping[str, str],
    read: Callable[[Job], Iterable[Answer | Rejection]],
) -> Parsed:
    """Read the messages of the format *name* in a transmission; *read* gives the answers of one of them.

    Raises :class:`shared.errors.MalformedMessage` when there is none.
    """
    head, found, refused = jobs(raw, dialect, name, paths)
    items = [*(item for job in found for item in read(job)), *refused]
    return Parsed(head, items, len(items))


def blocks(message: Message, statuses: frozenset[str]) -> list[Block]:
    """Return what a message says, waybill by waybill; *statuses* names the lines that carry a status or an error.

    What stands before the first waybill belongs to it, or to a block without one where it carries a status; a location belongs to all.
    """
    found = [Block()]
    locations: list[Group] = []
    for group in message.groups:
        if group.name == AWB or (group.name == "" and _REFERENCE(group.first[0]) is not None):
            leading = found[-1].reference is None and not found[-1].said
            found.append(Block(group, beside=found.pop().beside if leading else list(locations)))
        elif group.name in statuses:
            found[-1].said.append(group)
        else:
            found[-1].beside.append(group)
            if len(found) == 1 and not locations and is_location(group):
                locations.append(group)
    return found


def is_location(group: Group) -> bool:
    """Whether a line is the cargo control location (airport and carrier, ``LGGXX``), with its identifier or without."""
    return group.name == "CCL" or (group.name == "" and _LOCATION(group.first[0].strip()) is not None)


def each_status(job: Job, statuses: frozenset[str]) -> Iterator[tuple[Group | None, Block, LineItem]]:
    """Yield every status of a message with its block and the item it becomes; None for a waybill of which nothing is said."""
    first = True
    for block in blocks(job.message, statuses):
        for status in block.said or (None,):
            yield status, block, item_of(job, block, status, first=first)
            first = False


def item_of(job: Job, block: Block, status: Group | None, *, first: bool) -> LineItem:
    """Return the item that *status* of *block* becomes; the *first* of a message has what is wrong with the message.

    The programmes' own words hold a ``_``, which the standard does not have.
    """
    reference = block.reference
    line = status.line if status else reference.line if reference else job.message.line
    places = {"": line, "/key": reference.line} if reference else {"": line}
    item = LineItem(job.message.at(line), job.paths, job.dialect, type=job.message.type, places=places)
    if first:
        item.findings += [made for made in job.message.findings if not (made.code == "IMP-CHARACTER" and made.value == "_")]
    return item


def key_of(block: Block, item: LineItem, message: Message) -> tuple[str, Scope, str] | None:
    """Return the key of the waybill, how far a word about it reaches, and the number as read; None with a finding where none is named."""
    said = numbers_of(block.reference)[0] if block.reference is not None else None
    found = _REFERENCE(said) if said is not None else None
    if found is None:
        named = next((group.first[0] for group in block.beside if group.name == "" and not is_location(group)), said)
        item.note("FLD-KEY", "/key", named, remedy="Name the waybill in a line of its own: 888-45123072, or 888-45123072-HOUSE.")
        return None
    number = f"{found[1]}-{found[2]}"
    master = waybill(number, "/key", item) or number
    house = found[3]
    if house is None:
        return master_key(master), Scope(level="master"), master
    return (
        express_key(_carrier(found[1], item, message), house_aliases.full(house, item.dialect)),
        Scope(level="house"),
        f"{master}-{house.upper()}",
    )


def numbers_of(line: Group) -> list[str]:
    """Return the elements of a waybill's line, which may begin with its identifier."""
    return line.first[1:] if line.first[0].strip() == AWB and len(line.first) > 1 else line.first


def house_of(line: Group) -> str | None:
    """Return the house that a waybill's line names; None for a master."""
    found = _REFERENCE(numbers_of(line)[0])
    return found[3] if found is not None else None


def _carrier(prefix: str, item: LineItem, message: Message) -> str:
    """Return whose house it is. Unless it was agreed, the address the message went to stands for him, else the airline."""
    if item.dialect.carrier is not None:
        return item.dialect.carrier
    carriers = item.dialect.code_maps.get("carrier", {})
    addresses = message.envelope.addresses if message.envelope is not None else ()
    for known in (*addresses, prefix):
        if known in carriers:
            return carriers[known]
    supposed = addresses[0].lower() if addresses else prefix
    item.note("FLD-ASSUMED", "/key", message=f"The message does not say whose house this is; {supposed} was supposed.")
    return supposed


def moment(said: Sequence[str], item: LineItem, job: Job) -> datetime:
    """Return the time among the elements *said* of a status, else that of the message, else that of its arrival; told in each case."""
    near = job.head.prepared_at or job.raw.received_at
    for element in said:
        found = _moment(element, near, job.dialect)
        if found is not None:
            item.note("TIME-ZONE-ASSUMED", "/issued_at", element, remedy="Agree on the time zone of these messages.")
            return found
    item.note("FLD-DROPPED", "/issued_at", said[0] if said else None, message="The status has no time; that of the message was taken.")
    return near


def _moment(said: str, near: datetime, dialect: Dialect) -> datetime | None:
    """Return the last such time before *near*."""
    found = cargo_imp.moment(said, near)
    if found is not None and found > near + _TOLERANCE:
        found = cargo_imp.moment(said, found - _YEAR)
    return found.replace(tzinfo=values.zone(dialect)) if found is not None and found <= near + _TOLERANCE else None


def is_moment(said: str) -> bool:
    """Whether an element has the form of a time."""
    return _STAMPED(said) is not None


_STAMPED = re.compile(r"[0-9]{1,2}[A-Z]{3}[0-9]{4}(?:[0-9]{2})?").fullmatch


def texts_of(elements: Sequence[str], continued: Iterable[Row]) -> list[str]:
    """Return the texts of a line and of its continuations."""
    lines = ("/".join(each) for each in (elements, *(row.elements for row in continued)))
    return [line for line in (" ".join(each.split()) for each in lines) if line]


def meaning(system: str, code: str, dialect: Dialect, track: decisions.Track) -> Meaning:
    """Return what *code* says after the dialect's own map (``{"placi": {"SN": "SR"}}``); an unknown one is a hold on *track*."""
    says = decisions.meaning(system, dialect.code_maps.get(system, {}).get(code, code))
    return says._replace(track=track) if says is decisions.UNKNOWN else says


def extra_of(block: Block, job: Job) -> dict[str, str]:
    """Return the lines that have no field of their own, by identifier; a line without one by its number.

    All of them go with the first answer about a waybill, location, arrival and the envelope's originator with each.
    """
    if block.extra is None:
        block.extra = _lines_kept(block, job)
        return block.extra
    return {name: block.extra[name] for name in _WITH_EACH if len(block.extra.get(name, "")) in range(1, LINE + 1)}


_WITH_EACH: Final = ("CCL", "ARR", AWB, "originator")


def _lines_kept(block: Block, job: Job) -> dict[str, str]:
    kept: dict[str, list[str]] = {}
    for group in block.beside:
        name = "CCL" if is_location(group) else group.name or f"line {group.line}"
        kept.setdefault(name, []).extend("/".join(row.elements).strip() for row in group.rows)
    extra = {name: "\n".join(lines) for name, lines in kept.items()}
    if block.reference is not None:
        extra[AWB] = "/".join(numbers_of(block.reference)[1:]).strip()
    if job.message.envelope is not None:
        extra["originator"] = job.message.envelope.originator
    return {name: text for name, text in extra.items() if text}


def answer(
    job: Job,
    item: LineItem,
    block: Block,
    says: Meaning,
    code: str,
    issued_at: datetime | None,
    notes: Sequence[str],
    *,
    quantity: int | None = None,
    **more: Any,
) -> Answer | Rejection:
    """Return the answer of one status, or the rejection that its findings demand. *quantity* is that of its pieces: the same code about
    other pieces, told in the same minute, is another answer. *more* are further fields of the answer."""
    named = key_of(block, item, job.message)
    if named is None or item.refused:
        return reject(item, job.head, job.raw, named[0] if named else None)
    key, scope, number = named
    at = issued_at or job.head.prepared_at or job.raw.received_at
    told = [*([says.text] if says.text == decisions.UNKNOWN.text else []), *notes]
    of = code if quantity is None else f"{code}-{quantity}"
    said = {
        "answer_id": cargo_answers.identity(job.message.type, of, number, issued_at.isoformat() if issued_at else job.head.message_id),
        "key": key,
        "scope": scope,
        "outcome": says.outcome,
        "issued_at": at,
        "reason": says.reason,
        "note": "; ".join(told)[:255].strip(),
        "raw_code": code[:35],
        "decision": says.decision,
        "track": says.track,
        "lifted": says.lifted or None,
        "extra": extra_of(block, job),
    }
    return cargo_answers.conclude(said | more, item, job.head, job.raw)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

TEXT: Final = LINE - 1
"""Characters of a continuation line after its stroke."""
HOUSE_LENGTH: Final = 12
"""Characters of a house number in the message standard; the programmes take up to :data:`HOUSE_MOST`."""
HOUSE_MOST: Final = 35
_WRITABLE = re.compile(r"[A-Z0-9](?:[A-Z0-9.-]*[A-Z0-9])?").fullmatch
_MONTHS: Final = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def stamp(at: datetime, dialect: Dialect) -> str:
    """Return day, month, hour and minute in the dialect's zone: ``01MAR0522``."""
    local = at.astimezone(values.zone(dialect))
    return f"{local.day:02}{_MONTHS[local.month - 1]}{local.hour:02}{local.minute:02}"


def reference(notice: Notice, sheet: Sheet) -> str:
    """Return the line that names the waybill of *notice*; empty when it is about a message as a whole.

    What the line cannot say is told in *sheet*, as an error: a house without its master, other characters, more of them.
    """
    number, type_code = cargo_answers.document_of(notice)
    if not type_code:
        return ""
    master = notice.consignment.master_transport_document_id if notice.consignment is not None else None
    path = "/consignment/house_transport_document_id"
    if type_code != HOUSE and (type_code != DIRECT or _is_waybill(number)):
        return _master(number, path, sheet)
    if master is None:
        sheet.note("WRITE-MISSING", "/consignment/master_transport_document_id", message="A house is named with its master air waybill.")
        return ""
    house = house_aliases.short(number, sheet.dialect)
    if len(house) > HOUSE_MOST or not _WRITABLE(house):
        sheet.note("WRITE-MISSING", path, number, f"A house number has up to {HOUSE_MOST} of the characters A to Z, 0 to 9, . and -.")
        return ""
    if len(house) > HOUSE_LENGTH:
        sheet.note("WRITE-WANTED", path, number, f"The message standard has {HOUSE_LENGTH} characters for a house number.")
    awb = _master(master, "/consignment/master_transport_document_id", sheet)
    return f"{awb}-{house}" if awb else ""


def _is_waybill(number: str) -> bool:
    found = air_waybill.problem(number)
    return found is None or found.code == "AWB-CHECK"


def _master(number: str, path: str, sheet: Sheet) -> str:
    if not _is_waybill(number):
        sheet.note("WRITE-MISSING", path, number, "An air waybill number has eleven digits.")
        return ""
    if air_waybill.problem(number) is not None:
        sheet.note("FLD-IDENTIFIER", path, number)
    return air_waybill.normalise(number)


def text_lines(start: str, texts: Sequence[str]) -> list[str]:
    """Return *start* with the first of *texts* behind it, each other one as a continuation; what a line cannot hold goes on in the next."""
    lines: list[str] = []
    for text in texts or ("",):
        before = "/" if lines else start
        rows, _ = cargo_imp.wrapped(cargo_imp.transliterate(text), LINE - len(before), TEXT)
        lines += [before + (rows[0] if rows else ""), *("/" + row for row in rows[1:])]
    return lines


def envelope_of(dialect: Dialect, at: datetime) -> Envelope | None:
    """Return the envelope that the dialect asks for, dated *at*; None where it names no address."""
    addresses = dialect.code_maps.get("cargo_imp", {})
    if "address" not in addresses:
        return None
    originator = addresses.get("hub", cargo_answers.HUB)
    return Envelope(addresses.get("priority", "QK"), tuple(addresses["address"].split()), originator, sent(at))


def sent(at: datetime) -> str:
    """Return day, hour and minute in UTC, as an envelope says them: ``010522``."""
    return at.astimezone(UTC).strftime("%d%H%M")


def messages(type: str, before: Sequence[str], lines: Sequence[str], envelope: Envelope | None) -> bytes:
    """Return one message of *type*, or several where it would be longer than the standard allows; *before* stands in each."""
    room = MESSAGE_BYTES - len(cargo_imp.join([type, *before], envelope))
    parts: list[list[str]] = [[]]
    for group in _groups(lines):
        if parts[-1] and len(cargo_imp.join([*parts[-1], *group])) > room:
            parts.append([])
        parts[-1] += group
    return b"".join(cargo_imp.join([type, *before, *part], envelope) for part in parts)


def _groups(lines: Sequence[str]) -> list[list[str]]:
    """Return each line with its continuations."""
    groups: list[list[str]] = []
    for line in lines:
        if line[0] == "/" and groups:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def body_of(written: Iterable[Written]) -> bytes:
    """Return the bytes of a message that notices were written as.

    Raises :class:`shared.errors.InvalidConsignment`, with every finding, when one of them cannot be said in the format.
    """
    made = list(written)
    findings = [each for one in made for each in one.findings]
    if any(each.severity == "error" for each in findings):
        raise InvalidConsignment(findings)
    return b"".join(one.body for one in made)


def finished(type: str, before: Sequence[str], lines: Sequence[str], notice: Notice, sheet: Sheet) -> Written:
    """Return what was written of *notice*, with what was found; nothing when it cannot be said."""
    findings: tuple[Finding, ...] = tuple(sheet.findings)
    if any(each.severity == "error" for each in findings):
        return Written(b"", findings)
    return Written(messages(type, [each for each in before if each], lines, envelope_of(sheet.dialect, notice.at)), findings)


def reasons(notice: Notice) -> Iterator[str]:
    """Yield why, in the public words."""
    yield from dict.fromkeys(reason.public.replace("_", " ").upper() for reason in notice.reasons)
