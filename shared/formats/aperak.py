"""APERAK, UN/EDIFACT D.95B (D.16B is read too): whether the content of a message was accepted.

Each error group (``ERC``) with its own reference becomes a rejection of that house; errors without one, and an acceptance, are about the
message that ``RFF+ACW`` names. The response type (``BGM`` 1225) decides what no error does: 27 refused, 29, 44, 45 accepted.

Written from notices: an acceptance, or each finding as ``ERC`` (code), ``FTX+AAO`` (text, path in the sender's names) and ``RFF``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from shared.contracts import TYPE_OF, Answer, FilingRejected, Notice
from shared.formats import edifact
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.cuscar import likeness
from shared.formats.cusrsp import response_id
from shared.formats.edifact import Composer, Job, SegmentItem, value
from shared.formats.edifact_answers import (
    TEXTS,
    answer,
    document_of,
    error_code,
    free_text,
    house_of,
    key_of,
    meaning,
    parsed,
    references,
    rendered,
)
from shared.formats.edifact_envelope import code as code_of_address
from shared.formats.edifact_envelope import stamp
from shared.formats.filings import reject
from shared.model import Dialect, RawMessage, Rejection

NAME: Final = "aperak"
TITLE: Final = "APERAK application report, UN/EDIFACT"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/edifact", "text/plain")
VERSIONS: Final[tuple[str, ...]] = ("D:95B", "D:16B")
SOURCE: Final = "UN/EDIFACT directories D.95B and D.16B, code list 1225"
CERTAINTY: Final[Certainty] = "published"
ACKNOWLEDGED_BY: Final = "contrl"
PATHS: Final[Mapping[str, str]] = MappingProxyType({"/key": "RFF+ACW/1154", "/raw_code": "BGM/1225"})


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is an APERAK."""
    return likeness(sketch, "APERAK")


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the reports of a file. Raises :class:`shared.errors.MalformedMessage` when the file is refused as a whole."""
    return parsed(raw, dialect, NAME, VERSIONS, "ERC", _answers)


@dataclass(slots=True)
class _Group:
    """The header, or one error with its texts and references."""

    error: str = ""
    notes: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return " ".join([self.error, *self.notes]).strip()


def _answers(job: Job, raw: RawMessage, dialect: Dialect) -> Iterator[Answer | Rejection]:
    header = _Group()
    groups = [header]
    at: datetime | None = None
    for index in range(1, len(job.message.segments) - 1):
        segment = job.interchange.syntax.split(job.message.segments[index])
        tag = segment[0][0]
        if tag == "ERC":
            groups.append(_Group(value(segment, 1)))
        elif tag == "FTX" and value(segment, 1) in TEXTS:
            groups[-1].notes.append(free_text(segment))
        elif tag == "RFF":
            groups[-1].said[value(segment, 1)] = value(segment, 1, 1)
        elif tag == "DTM" and value(segment, 1) == "137":
            said = edifact.moment(value(segment, 1, 1), value(segment, 1, 2), dialect)
            at = datetime.fromisoformat(said) if said else at
    function = value(job.bgm, 3)
    errors = groups[1:]
    if errors and function not in ("27", "29", "44", "45"):
        function = "27"
    for number, group in enumerate(errors or [header]):
        identity = (value(job.bgm, 2) or f"{job.interchange.reference}/{job.message.reference}") + (f"#{number + 1}" if number else "")
        notes = [*(header.notes if errors else []), group.text]
        key = key_of(references({**header.said, **group.said}), job, dialect)
        if key is None:
            item = SegmentItem(job.message.position, PATHS, dialect)
            item.note("FLD-KEY", "/key", remedy="Name the message that is answered: RFF+ACW.")
            yield reject(item, job.head, raw)
            continue
        says = meaning("cusres-bgm", function or value(job.bgm, 1), dialect)
        yield answer(identity, key, says, function or value(job.bgm, 1), job, raw, at=at, notes=notes)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* as one interchange, a message each; the same notices always give the same bytes. *notices* must not be empty."""
    return rendered(notices, dialect, ("APERAK", "D", "95B", "UN"), "APERAK", _write)


def _write(composer: Composer, envelope: Envelope, notice: Notice) -> None:
    refused = notice.type == _REJECTED
    composer.segment("BGM", "963" if refused else "962", response_id(notice.notice_id), "27" if refused else "29")
    composer.segment("DTM", ["137", stamp(notice.at), "304"])
    composer.segment("RFF", ["ACW", document_of(notice) or response_id(notice.notice_id)])
    composer.segment("NAD", "MS", code_of_address(envelope.sender))
    composer.segment("NAD", "MR", code_of_address(envelope.recipient))
    _write_errors(composer, notice)


def _write_errors(composer: Composer, notice: Notice) -> None:
    house = house_of(notice)
    findings = notice.findings or ()
    for finding in findings:
        composer.segment("ERC", [error_code(finding.code), None, "ZZZ"])
        text = f"{finding.code} {finding.where}: {finding.message} {finding.remedy}"
        composer.segment("FTX", "AAO", None, None, composer.cut(text, 70, 5))
        if house:
            composer.segment("RFF", ["HWB", house])
    if not findings and house:
        composer.segment("FTX", "AAI", None, None, ["received", house])
