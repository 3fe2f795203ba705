"""CUSRSP, EDIFACT hub profile ``CUSRSP:D:00A:ZZ:HUB10``: the content of :mod:`shared.formats.cusrsp` in segments.

Each ``CNI`` group is a decision on one item: phase (``GIS+…:PHS``), native code (``DEC``), hub decision in three letters (``HDC``), reason
(``FTX+ACD``), taxes (``TAX`` and ``MOA+161``), fee (``MOA+131``), errors (``FTX+AAO``). The sequence stands in 1156 of ``RFF+TN``; elements
asked for in ``FTX+SIN``, as in ITMREF. The customs are the sender of the message, the post its recipient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.contracts import TYPE_OF, FilingRejected, Notice
from shared.formats import charges, cusrsp, postal_edifact
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.edifact import Composer, Job, Segment, value, whole
from shared.formats.postal_answers import Asked, decision
from shared.formats.postal_edifact import Header, Outcome, Profile, Table, Unit, both, coded, instant, money, text, utc
from shared.formats.values import plain_number
from shared.model import Dialect, RawMessage

NAME: Final = "cusrsp-edifact"
TITLE: Final = "CUSRSP customs response, EDIFACT hub profile"
CONTENT_TYPES: Final = postal_edifact.CONTENT_TYPES
VERSIONS: Final = postal_edifact.VERSIONS
SOURCE: Final = "directory D.00A; profile CUSRSP:D:00A:ZZ:HUB10"
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "contrl"
PROFILE: Final = Profile(NAME, "CUSRSP")

DECISIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "REG": "REGISTERED",
        "REJ": "REJECTED_DATA",
        "CLR": "CLEAR",
        "EXA": "EXAMINE",
        "HLD": "HOLD",
        "QRY": "QUERY",
        "PAY": "PAY",
        "REL": "RELEASE",
        "RET": "RETURN",
        "SEI": "SEIZE",
        "PAR": "PARTIAL",
        "DNL": "DNL",
    }
)
"""Three letters → hub decision."""
_LETTERS: Final = {word: letters for letters, word in DECISIONS.items()}
REASONS: Final[Mapping[str, str]] = MappingProxyType({"VAG": "VAGUE", "MIS": "MISSING", "IMP": "IMPLAUSIBLE", "DOC": "DOCUMENT"})
"""Three letters → why an element is asked for."""

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/house_transport_document_id": "CNI/1004",
        "/ResponseId": "RFF+TN/1154",
        "/Sequence": "RFF+TN/1156",
        "/InResponseTo": "RFF+ACW/1154",
        "/CustomsRef": "RFF+ABT/1154",
        "/Phase": "GIS+PHS/7365",
        "/DecisionCd": "GIS+DEC/7365",
        "/HubDecision": "GIS+HDC/7365",
        "/DecisionReasonCd": "FTX+ACD/4441",
        "/DecisionReasonNm": "FTX+ACD/4440",
        "/PostingDt": "DTM+148/2380",
        "/ClearanceDt": "DTM+58/2380",
        "/Dutiable": "GIS+DUT/7365",
        "/taxes/*/amount": "MOA+161/5004",
        "/taxes/*/currency": "MOA+161/6345",
        "/TotalFee/amount": "MOA+131/5004",
        "/TotalFee/currency": "MOA+131/6345",
        "/answer_id": "RFF+TN/1154",
        "/raw_code": "GIS+DEC/7365",
        "/reference": "RFF+ABT/1154",
        "/issued_at": "DTM+58/2380",
        "/version_judged": "RFF+ACW/4000",
    }
)


def _reason(unit: Unit, segment: Segment, place: int) -> None:
    unit.put("", "DecisionReasonCd", value(segment, 3), place)
    unit.put("", "DecisionReasonNm", whole(segment, 4, 70), place)


def _error(unit: Unit, segment: Segment, place: int) -> None:
    path, said = value(segment, 4), whole(segment, 4, 70, 1)
    unit.marked.append(("Error", " ".join(each for each in (value(segment, 3), path, said) if each)))


def requested(unit: Unit, segment: Segment, place: int) -> None:
    """FTX+SIN: one element asked for."""
    reason = value(segment, 3)
    unit.marked.append(("RequestedElement", value(segment, 4), REASONS.get(reason, reason), value(segment, 4, 1)))


def asked(unit: Unit) -> list[Asked]:
    """Return the elements asked for."""
    return [Asked(*each[1:4]) for each in unit.marked if each[0] == "RequestedElement"]


def _tax(unit: Unit, segment: Segment, place: int) -> None:
    unit.begin("taxes", place)
    unit.put("taxes", "Type", value(segment, 2), place)
    unit.put("taxes", "Rate", unit.number(value(segment, 5, 3)), place)


_TABLE: Final[Table] = {
    "CNI": text("", "house_transport_document_id", 2),
    "RFF+TN": both(text("", "ResponseId", 1, 1), text("", "Sequence", 1, 2)),
    "RFF+ACW": both(text("", "InResponseTo", 1, 1), text("", "InResponseToVersion", 1, 3)),
    "RFF+ABT": text("", "CustomsRef", 1, 1),
    "GIS+PHS": text("", "Phase"),
    "GIS+DEC": text("", "DecisionCd"),
    "GIS+HDC": coded("", "HubDecision", DECISIONS),
    "GIS+DUT": coded("", "Dutiable", {"0": "false", "1": "true"}),
    "GIS+CLS": text("", "MailClassCd"),
    "FTX+ACD": _reason,
    "FTX+AAO": _error,
    "FTX+SIN": requested,
    "DTM+148": instant("", "PostingDt"),
    "DTM+58": instant("", "ClearanceDt"),
    "LOC+5": text("", "OrigPostOrgCd", 2),
    "LOC+8": text("", "DestPostOrgCd", 2),
    "TAX": _tax,
    "MOA+161": money("taxes", "Amount", "CurrencyCd"),
    "MOA+131": money("", "TotalFee", "TotalFeeCurrencyCd"),
}


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a CUSRSP."""
    return postal_edifact.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a CUSRSP file: an answer per item. Raises :class:`MalformedMessage` when the file is refused as a whole."""

    def read(unit: Unit, job: Job, header: Header) -> Iterator[Outcome]:
        said = unit.said
        if "ResponseId" not in said:
            unit.item.note("FLD-MISSING", "/ResponseId")
        said |= {"CustOrganizationCd": header.sender, "PostOrganizationCd": header.recipient}
        errors = [each[1] for each in unit.marked if each[0] == "Error"]
        extra = {f"Error[{number}]": error for number, error in enumerate(errors, 1)}
        yield decision(said, unit.item, job.head, raw, asked=asked(unit), taxes=unit.lists.get("taxes", ()), extra=extra)

    return postal_edifact.parse(PROFILE, raw, dialect, PATHS, _TABLE, read)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_REJECTED: Final = TYPE_OF[FilingRejected]


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write *notices* about postal items as one file; the same notices always give the same bytes. *notices* must not be empty.

    A message refused as a whole has no item: its errors stand before the first one.
    """
    envelope = Envelope(cusrsp.file_id(notices), cusrsp.SENDER, notices[0].participant[:17], max(notice.at for notice in notices))
    composer = Composer(postal_edifact.charset(dialect), dialect)
    items = [notice for notice in notices if notice.key.startswith("post:")]
    refused = not items or all(notice.type == _REJECTED for notice in notices)
    postal_edifact.begin(composer, PROFILE, envelope, ("963" if refused else "962", "11"))
    for notice in notices:
        if not notice.key.startswith("post:"):
            _write_errors(composer, notice)
    for number, notice in enumerate(items, 1):
        _write_item(composer, number, notice)
    return postal_edifact.finish(composer, PROFILE, envelope, len(items))


def _write_item(composer: Composer, number: int, notice: Notice) -> None:
    summary = notice.consignment
    composer.segment("CNI", str(number), notice.key.removeprefix("post:"))
    composer.segment("RFF", ["TN", cusrsp.response_id(notice.notice_id), str(notice.sequence)])
    judged, version = (notice.filing.message_id, notice.filing.version) if notice.filing else (notice.message_id, None)
    if judged:
        composer.segment("RFF", ["ACW", judged[:35], None, str(version) if version is not None else None])
    composer.segment("GIS", [cusrsp.phase(notice), "PHS"])
    composer.segment("GIS", [cusrsp.native_code(notice), "DEC"])
    composer.segment("GIS", [_LETTERS[cusrsp.hub_decision(notice)], "HDC"])
    reason = cusrsp.reason_text(notice)
    if reason:
        composer.segment("FTX", "ACD", None, None, composer.cut(reason, 70, 5))
    if summary is not None and summary.posted_at:
        composer.segment("DTM", ["148", utc(summary.posted_at), "204"])
    if cusrsp.phase(notice) == "FIN":
        composer.segment("DTM", ["58", utc(notice.at), "204"])
    for qualifier, post in (("5", summary and summary.origin_post), ("8", summary and summary.destination_post)):
        if post:
            composer.segment("LOC", qualifier, [post, "ORG"])
    for path, why in cusrsp.asked_for(notice):
        composer.segment("FTX", "SIN", None, [why, "RSN"], [cusrsp.own_path(path)])
    _write_charges(composer, notice)
    _write_errors(composer, notice)


def _write_charges(composer: Composer, notice: Notice) -> None:
    taxes, fee = charges.apart(notice.charges or ())
    for tax in taxes:
        charges.segments(composer, tax)
    if fee is not None:
        composer.segment("MOA", ["131", plain_number(fee.amount.amount, 2), fee.amount.currency])


def _write_errors(composer: Composer, notice: Notice) -> None:
    for finding in notice.findings or ():
        text_ = composer.cut(f"{finding.message} {finding.remedy}", 70, 4)
        composer.segment("FTX", "AAO", None, [finding.code, "ERR"], [finding.sender_path or finding.path or "", *text_])
