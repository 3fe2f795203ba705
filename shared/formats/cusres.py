"""CUSRES, UN/EDIFACT D.95B (D.16B is read too): what customs say of one or more houses.

In D.95B the decision (``GIS``) stands in the header, so it holds for every house that the message names; in D.16B each document (``DOC``)
may have its own (``GEI``). Each house and code becomes one answer. Without any such code the response type (``BGM`` 1225, or 963 error
response) decides. Documents asked for (``DOC``) are told in ``requested`` as ``/documents/<1001>``. Duties and taxes (``TAX`` with its
``MOA``) are charges of the house named before them; those of the whole message are its house's where it names one, else they are told in
the note.

Written from notices, one message each, since a message has one decision: release 4, examination 5, documents 6, referral 10, hold 7,
charges due 117 (each as ``TAX`` and ``MOA+161``), data refused 2, accepted 1, received 17; a withdrawal is ``BGM`` function 1.
``RFF+ABO`` names the receiver's own document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from shared.codes import decisions
from shared.contracts import TYPE_OF, Answer, ConsignmentAccepted, DecisionMade, FilingRejected, Notice, Outcome
from shared.formats import edifact, values
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.charges import FEE, charge, segments
from shared.formats.checks import CURRENCIES
from shared.formats.cuscar import likeness
from shared.formats.cusrsp import response_id
from shared.formats.edifact import Composer, Job, Segment, SegmentItem, value
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
from shared.formats.edifact_envelope import stamp
from shared.formats.filings import reject
from shared.model import Dialect, Money, RawMessage, Rejection

NAME: Final = "cusres"
TITLE: Final = "CUSRES customs response, UN/EDIFACT"
CONTENT_TYPES: Final[tuple[str, ...]] = ("application/edifact", "text/plain")
VERSIONS: Final[tuple[str, ...]] = ("D:95B", "D:16B")
SOURCE: Final = "UN/EDIFACT directories D.95B and D.16B, code lists 7365 and 1225"
CERTAINTY: Final[Certainty] = "published"
ACKNOWLEDGED_BY: Final = "contrl"
PATHS: Final[Mapping[str, str]] = MappingProxyType({"/key": "RFF+HWB/1154", "/raw_code": "GIS/7365", "/reference": "RFF+ABT/1154"})


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a CUSRES."""
    return likeness(sketch, "CUSRES")


# --- reading -----------------------------------------------------------------------------------------------------------------------------


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the responses of a file. Raises :class:`shared.errors.MalformedMessage` when the file is refused as a whole."""
    return parsed(raw, dialect, NAME, VERSIONS, "RFF", _answers)


class _Part:
    """The header of a message, or one document of it: codes, references, texts."""

    def __init__(self, house: str = "") -> None:
        self.houses = [house] if house else []
        self.codes: list[str] = []
        self.said: dict[str, str] = {}
        self.notes: list[str] = []
        self.requested: list[str] = []
        self.at: dict[str, datetime] = {}
        self.taxes: list[_Tax] = []


class _Tax:
    """One TAX with the MOA behind it, of the *house* named before it, if any."""

    def __init__(self, segment: Segment, house: str) -> None:
        self.house = house
        self.type = value(segment, 2) or (FEE if value(segment, 1) == "6" else "")
        self.rate = value(segment, 5, 3)
        self.amount: dict[str, str] | None = None

    @property
    def told(self) -> str:
        """The tax in words."""
        return " ".join(["TAX", self.type, *(self.amount or {}).values()])


_MOMENTS: Final = ("204", "58", "148", "9", "137")
"""When it was decided, best first: release, clearance, acceptance, processing, issue of the message."""
_HOUSES: Final = frozenset({"703", "740", "785", "HWB"})


def _answers(job: Job, raw: RawMessage, dialect: Dialect) -> Iterator[Answer | Rejection]:
    header = _Part()
    parts = [header]
    by_document = any(segment[:3] == "GEI" for segment in job.message.segments)
    for index in range(1, len(job.message.segments) - 1):
        segment = job.interchange.syntax.split(job.message.segments[index])
        if segment[0][0] == "DOC":
            if by_document and (value(segment, 1) in _HOUSES or value(segment, 2)):
                parts.append(_Part(value(segment, 2)))
            else:
                parts[-1].requested.append(f"/documents/{value(segment, 1)[:3]}")
            continue
        if segment[0][0] in ("TAX", "MOA"):
            _take_tax(segment, parts[-1], job, dialect)
        else:
            _take(segment, parts[-1], dialect)
    documents = parts[1:] or [header]
    alone = len(dict.fromkeys(house for part in parts for house in part.houses)) < 2
    made = 0
    for part in documents:
        for item in _of_part(part, header, alone, job, raw, dialect):
            made += 1
            yield (
                item if isinstance(item, Rejection) or made == 1 else item.model_copy(update={"answer_id": f"{item.answer_id[:90]}#{made}"})
            )


def _take(segment: Segment, part: _Part, dialect: Dialect) -> None:
    tag, first = segment[0][0], value(segment, 1)
    if tag == "GIS":
        part.codes.append(first)
    elif tag == "GEI":
        part.codes.append(value(segment, 2))
    elif tag == "RFF":
        said = value(segment, 1, 1)
        if first == "HWB" and said:
            part.houses.append(said)
        elif said:
            part.said[first] = said
    elif tag == "DTM":
        at = edifact.moment(value(segment, 1, 1), value(segment, 1, 2), dialect)
        if at is not None:
            part.at[first] = datetime.fromisoformat(at)
    elif tag == "FTX" and first in TEXTS:
        part.notes.append(free_text(segment))
    elif tag == "ERC":
        part.notes.append(f"ERC {first}")


_AMOUNTS: Final = frozenset({"161", "55", "124"})
"""MOA qualifiers of the amount of a duty, tax or fee."""


def _take_tax(segment: Segment, part: _Part, job: Job, dialect: Dialect) -> None:
    if segment[0][0] == "TAX":
        part.taxes.append(_Tax(segment, part.houses[-1] if part.houses else ""))
    elif part.taxes and value(segment, 1) in _AMOUNTS:
        amount = values.money(edifact.number(value(segment, 1, 1), job.interchange.syntax), dialect)
        found = {"amount": amount or "", "currency": value(segment, 1, 2)}
        if found["currency"] in CURRENCIES and _is_money(found):
            part.taxes[-1].amount = found


_is_money: Final = Money.__pydantic_validator__.isinstance_python


def _charges(taxes: Sequence[_Tax], dialect: Dialect) -> list[dict[str, Any]]:
    return [charge(tax.type, tax.amount, tax.rate, None, dialect) for tax in taxes if tax.amount is not None]


def _of_part(part: _Part, header: _Part, alone: bool, job: Job, raw: RawMessage, dialect: Dialect) -> Iterator[Answer | Rejection]:
    """Yield an answer for each house and code of *part*; *alone*: the message is about one house at most."""
    said = {**header.said, **part.said}
    at = {**header.at, **part.at}
    issued = next((at[code] for code in _MOMENTS if code in at), None)
    notes = part.notes if part is header else [*header.notes, *part.notes]
    taxes = part.taxes if part is header else [*header.taxes, *part.taxes]
    identity = value(job.bgm, 2) or f"{job.interchange.reference}/{job.message.reference}"
    codes = [code for code in part.codes or header.codes if code]
    for house in list(dict.fromkeys(part.houses or header.houses)) or [""]:
        found = references(said, house)
        key = key_of(found, job, dialect)
        if key is None:
            item = SegmentItem(job.message.position, PATHS, dialect)
            item.note("FLD-KEY", "/key", remedy="Name the house (RFF+HWB), the declaration (ABT), the master (MWB) or our reference (ABO).")
            yield reject(item, job.head, raw)
            continue
        said_codes = [("cusres", code) for code in codes] or [_by_type(job)]
        of_house = [tax for tax in taxes if tax.house in (house, "")]
        levied = _charges([tax for tax in of_house if tax.house or alone], dialect)
        in_words = [tax.told for tax in of_house if tax.amount is None or not (tax.house or alone)]
        for system, code in said_codes:
            says = meaning(system, code, dialect)
            reference = said.get("ABT") or said.get("AHZ") or ""
            yield answer(
                identity,
                key,
                says,
                code,
                job,
                raw,
                at=issued,
                notes=[*notes, *in_words],
                reference=reference,
                requested=(*header.requested, *part.requested) if part is not header else part.requested,
                charges=levied,
            )
            levied = []


def _by_type(job: Job) -> tuple[str, str]:
    """No code of its own: the response type, or the kind of response, decides."""
    function = value(job.bgm, 3)
    if function in ("", "11", "9") and value(job.bgm, 1) == "963":
        return "cusres-bgm", "963"
    return "cusres-bgm", function


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_DECISION: Final = TYPE_OF[DecisionMade]
_REJECTED: Final = TYPE_OF[FilingRejected]
_ACCEPTED: Final = TYPE_OF[ConsignmentAccepted]
_NEUTRAL: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.RELEASE: "RELEASE",
        Outcome.DOCUMENT_CHECK: "DOCS_REQUESTED",
        Outcome.PHYSICAL_CHECK: "EXAMINE",
        Outcome.REFERRAL: "INFO_REQUESTED",
        Outcome.HOLD: "HOLD",
    }
)


def neutral(notice: Notice) -> str:
    """Return the neutral word of a notice."""
    if notice.type == _REJECTED:
        return "REJECTED"
    if notice.type == _ACCEPTED:
        return "ACCEPTED"
    if notice.type != _DECISION or notice.outcome is None:
        return "RECEIVED"
    if notice.outcome is Outcome.WITHDRAWN:
        return "CANCELLED"
    stopped = notice.outcome in (Outcome.DOCUMENT_CHECK, Outcome.HOLD)
    if stopped and any(reason.public == "payment_due" for reason in notice.reasons):
        return "PAYMENT_REQUIRED"
    return _NEUTRAL[notice.outcome]


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* as one interchange, a message each; the same notices always give the same bytes. *notices* must not be empty."""
    return rendered(notices, dialect, ("CUSRES", "D", "95B", "UN"), "CUSRES", _write)


def _write(composer: Composer, _: Envelope, notice: Notice) -> None:
    word = neutral(notice)
    function = "1" if word == "CANCELLED" else "27" if word == "REJECTED" else "11"
    composer.segment("BGM", "963" if word == "REJECTED" else "962", response_id(notice.notice_id), function)
    composer.segment("DTM", ["204" if word == "RELEASE" else "9", stamp(notice.at), "304"])
    code = decisions.code_of("cusres", word)
    if code is not None:
        composer.segment("GIS", code)
    for text in _texts(notice):
        composer.segment("FTX", "AAO" if word == "REJECTED" else "ACD", None, None, composer.cut(text, 70, 5))
    for finding in (notice.findings or ())[:50]:
        composer.segment("ERP", "2")
        composer.segment("ERC", [error_code(finding.code), None, "ZZZ"])
    for each in notice.charges or ():
        segments(composer, each)
    _write_references(composer, notice)
    for path in notice.referred or ():
        if path.startswith("/documents/"):
            composer.segment("DOC", path.removeprefix("/documents/")[:3])


def _texts(notice: Notice) -> list[str]:
    """Up to five texts: what is wrong, or why."""
    if notice.findings:
        return [f"{each.code} {each.where}: {each.message}" for each in notice.findings[:5]]
    texts = list(dict.fromkeys(reason.public.replace("_", " ") for reason in notice.reasons))
    asked = [f"requested: {path}" for path in notice.referred or () if not path.startswith("/documents/")]
    return [*texts, *asked][:5]


def _write_references(composer: Composer, notice: Notice) -> None:
    document = document_of(notice)
    master = notice.consignment.master_transport_document_id if notice.consignment else None
    said = (("HWB", house_of(notice)), ("MWB", master), ("ABO", document))
    written = [(qualifier, number) for qualifier, number in said if number]
    for qualifier, number in written or [("ACW", response_id(notice.notice_id))]:
        composer.segment("RFF", [qualifier, number])
