"""CONTRL, UN/EDIFACT syntax versions 3 and 4: whether an interchange could be read.

Read, it becomes an answer on the filing track about the interchange it names (``lrn:<control reference>``), and one for each message or
group refused in it; the service codes (0085) and positions stand in the note. Written, it answers an interchange: from the bytes
(:func:`acknowledge`: every interchange of the file, each message, the position of each error), or from notices.

Action (0083): 4 refused, 7 acknowledged, 8 received. A tolerated error (a wrong count) is told with action 7. A CONTRL is never answered
with a CONTRL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.contracts import TYPE_OF, Answer, FilingRejected, Notice
from shared.errors import MalformedMessage
from shared.formats import edifact
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Received, Sketch
from shared.formats.cuscar import likeness
from shared.formats.edifact import Composer, Interchange, Job, value
from shared.formats.edifact_answers import answer, finish, meaning, parsed, rendered
from shared.formats.edifact_envelope import control_reference
from shared.formats.xml import malformed
from shared.model import Dialect, Finding, RawMessage, Rejection, Severity

NAME: Final = "contrl"
TITLE: Final = "CONTRL syntax report, UN/EDIFACT"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/edifact", "text/plain")
VERSIONS: Final[tuple[str, ...]] = ("D:3", "4:1", "2:2")
SOURCE: Final = "ISO 9735, CONTRL and service code lists 0083 and 0085"
CERTAINTY: Final[Certainty] = "published"
PATHS: Final[Mapping[str, str]] = MappingProxyType({"/key": "UCI/0020", "/raw_code": "UCI/0083"})

ERRORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "2": "syntax version or level not supported",
        "7": "interchange recipient not actual recipient",
        "12": "invalid value",
        "13": "missing",
        "14": "value not supported in this position",
        "15": "not supported in this position",
        "16": "too many constituents",
        "18": "unspecified error",
        "19": "invalid decimal notation",
        "21": "invalid character",
        "22": "invalid service character",
        "23": "unknown interchange sender",
        "26": "duplicate detected",
        "28": "references do not match",
        "29": "control count does not match",
        "35": "too many segment repetitions",
        "36": "too many segment group repetitions",
        "37": "invalid type of character",
        "39": "data element too long",
        "40": "data element too short",
    }
)
"""Syntax error, coded (0085)."""

_ERROR_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "EDI-COUNT": "29",
        "EDI-REFERENCE": "28",
        "EDI-CUT": "13",
        "EDI-CHARSET": "21",
        "EDI-TYPE": "15",
        "EDI-STRAY": "15",
        "EDI-TRAILING": "15",
        "MSG-ITEMS": "35",
        "MSG-NO-ITEMS": "13",
        "MSG-HEAD": "13",
        "MSG-COUNT": "29",
        "MSG-CHARSET": "21",
        "MSG-NUL": "21",
        "SENDER-UNKNOWN": "23",
    }
)
"""Finding → 0085; any other is 18."""


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a CONTRL."""
    return likeness(sketch, "CONTRL")


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the reports of a file. Raises :class:`shared.errors.MalformedMessage` when the file is refused as a whole."""
    read = parsed(raw, dialect, NAME, VERSIONS, "UCM", _answers, number=lambda _, icr: icr)
    if not read.count:
        raise malformed("MSG-NO-ITEMS", "The report has no UCI.", path="UCI")
    return read


class _Level:
    """The interchange, or one message of it: its action and what is said against it."""

    def __init__(self, reference: str, action: str, error: str, place: str) -> None:
        self.reference = reference
        self.action = action
        self.notes = [_error(place, error)] if error else []


def _error(place: str, code: str) -> str:
    return f"{place} {code} {ERRORS.get(code, '')}".strip()


def _answers(job: Job, raw: RawMessage, dialect: Dialect) -> Iterator[Answer | Rejection]:
    levels: list[_Level] = []
    for index in range(1, len(job.message.segments) - 1):
        segment = job.interchange.syntax.split(job.message.segments[index])
        tag, first = segment[0][0], value(segment, 1)
        if tag == "UCI":
            levels = [_Level(first, value(segment, 4), value(segment, 5), "UCI")]
        elif tag in ("UCM", "UCF") and levels:
            action, error = (3, 4) if tag == "UCM" else (4, 5)
            levels.append(_Level(first, value(segment, action), value(segment, error), f"{tag} {first}"))
        elif tag == "UCS" and levels:
            levels[-1].notes.append(_error(f"UCS {first}", value(segment, 2)))
        elif tag == "UCD" and levels:
            levels[-1].notes.append(_error(f"UCD {value(segment, 2)}:{value(segment, 2, 1)}".rstrip(":"), first))
    for number, level in enumerate(levels):
        if number and level.action != "4" and not level.notes:
            continue
        reference = levels[0].reference or "-"
        identity = f"{job.interchange.reference}/{job.message.reference}" + (f"/{level.reference}" if number else "")
        says = meaning("contrl", level.action, dialect)
        yield answer(identity, (f"lrn:{reference}", None), says, level.action, job, raw, notes=level.notes, reference=level.reference)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]
_IDENTIFIER: Final = ("CONTRL", "D", "3", "UN")
_SEGMENT = re.compile(r"\(segment ([0-9]+)\)")
_PLACE = re.compile(r"UNH\[([^\]]*)\]")


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* as one interchange, a message each; the same notices always give the same bytes. *notices* must not be empty.

    A rejection of a whole interchange refuses it, one of a message refuses the message; every other notice says that it was received. What
    was wrong with single items is told by APERAK or CUSRES.
    """
    return rendered(notices, dialect, _IDENTIFIER, "", _write)


def _write(composer: Composer, envelope: Envelope, notice: Notice) -> None:
    whole = notice.type == _REJECTED and notice.position is None
    message = _PLACE.fullmatch(notice.position or "")
    told = list(notice.findings or ()) if whole or message else []
    reference = control_reference((notice.message_id or "").rpartition("/")[2])
    _write_uci(composer, reference, envelope.recipient, envelope.sender, "4" if whole else "7", told if whole else [])
    if message and notice.type == _REJECTED:
        _write_ucm(composer, message[1], [(notice.format or "").upper()], "4", told)


def acknowledge(received: Received, dialect: Dialect) -> bytes | None:
    """Return the CONTRL that answers *received*, or None when it must not be answered (a CONTRL) or nobody can be named.

    What could be read is judged as :func:`shared.formats.edifact.read` judges it; beyond the syntax, only what refused the whole file or a
    whole message is told. The control reference follows from the sender and the bytes.
    """
    composer = Composer("UNOC", dialect)
    try:
        interchanges = edifact.read(received.raw.body, dialect)
    except MalformedMessage as exc:
        return _refuse(received, exc, composer)
    answered = [each for each in interchanges if any(message.type != "CONTRL" for message in each.messages) or not each.messages]
    if not answered:
        return None
    for number, interchange in enumerate(answered, 1):
        composer.begin(str(number), _IDENTIFIER)
        _report(composer, interchange, received)
        composer.end(str(number))
    first = answered[0]
    envelope = _envelope(received, _address(first, True), _address(first, False), first.test)
    return finish(composer, envelope, "", len(answered))


def _envelope(received: Received, sender: str, recipient: str, test: bool) -> Envelope:
    """Return the answer's envelope: back to the sender, from whom he wrote to."""
    return Envelope(control_reference(f"CONTRL/{received.id}"), recipient, sender, received.raw.received_at, test)


def _address(interchange: Interchange, of_sender: bool) -> str:
    if of_sender:
        return f"{interchange.sender}:{interchange.sender_qualifier}".rstrip(":")
    return f"{interchange.recipient}:{interchange.recipient_qualifier}".rstrip(":")


def _report(composer: Composer, interchange: Interchange, received: Received) -> None:
    told = [*interchange.findings, *received.refusal]
    sender, recipient = _address(interchange, True), _address(interchange, False)
    _write_uci(composer, interchange.reference, sender, recipient, "4" if edifact.refused(told) else "7", told)
    refused = {each.position: each.findings for each in received.taken if each.refused}
    for message in interchange.messages:
        findings = message.findings or list(refused.get(message.position, ()))
        if findings:
            identifier = [message.type, *message.version.split(":"), message.agency, message.association]
            broken = message.broken or edifact.refused(findings)
            _write_ucm(composer, message.reference, identifier, "4" if broken else "7", findings)


_UNB = re.compile(rb"UNB(.)[^+]{4,14}\1(.{1,72}?)\1(.{1,72}?)\1[^+']{1,20}\1([^+':]{1,35})", re.DOTALL)


def _refuse(received: Received, exc: MalformedMessage, composer: Composer) -> bytes | None:
    """Answer an interchange of which no more than its UNB could be read."""
    found = _UNB.search(received.raw.body[:400])
    if found is None:
        return None
    sender, recipient, reference = (found[group].decode("latin-1").strip() for group in (2, 3, 4))
    composer.begin("1", _IDENTIFIER)
    error = "13" if exc.path == "UNZ" else _ERROR_OF.get(exc.finding_code, "18")
    composer.segment("UCI", reference, sender.split(":")[:3], recipient.split(":")[:3], "4", error)
    composer.end("1")
    return finish(composer, _envelope(received, sender, recipient, False), "", 1)


def _write_uci(composer: Composer, reference: str, sender: str, recipient: str, action: str, told: Sequence[Finding]) -> None:
    composer.segment("UCI", reference, sender.split(":", 1), recipient.split(":", 1), action, _first_error(told))


def _write_ucm(composer: Composer, reference: str, identifier: Sequence[str], action: str, told: Sequence[Finding]) -> None:
    composer.segment("UCM", reference, identifier, action, _first_error(told))
    for finding in told:
        place = _SEGMENT.search(finding.sender_path or "")
        if place is not None:
            composer.segment("UCS", place[1], _ERROR_OF.get(finding.code, "18"))


def _first_error(told: Sequence[Finding]) -> str | None:
    """Return the 0085 of the gravest finding."""
    grave = [finding for finding in told if finding.severity is Severity.ERROR] or list(told)
    return _ERROR_OF.get(grave[0].code, "18") if grave else None
