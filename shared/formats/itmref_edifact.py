"""ITMREF, EDIFACT hub profile ``ITMREF:D:00A:ZZ:HUB10``: the content of :mod:`shared.formats.itmref` in segments.

Each ``CNI`` group is a referral: its id (``RFF+AGI``), the one it supersedes (``RFF+ACW``), type (``GIS+…:REF``), authority (``NAD+CM``),
receptacles (``RFF+AAT``), elements asked for (``FTX+SIN``), screening asked for (``FTX+SUR``), text (``FTX+AAI``), contact (``COM``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.contracts import Notice
from shared.formats import cusrsp, itmref, postal_edifact
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.cusrsp_edifact import REASONS, asked, requested
from shared.formats.edifact import Composer, Job, Segment, value, whole
from shared.formats.postal_answers import referrals
from shared.formats.postal_edifact import Header, Outcome, Profile, Table, Unit, both, instant, text, utc
from shared.model import Dialect, RawMessage

NAME: Final = "itmref-edifact"
TITLE: Final = "ITMREF referral before loading, EDIFACT hub profile"
CONTENT_TYPES: Final = postal_edifact.CONTENT_TYPES
VERSIONS: Final = postal_edifact.VERSIONS
SOURCE: Final = "directory D.00A; profile ITMREF:D:00A:ZZ:HUB10"
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "contrl"
PROFILE: Final = Profile(NAME, "ITMREF")
_KEPT: Final = ("AuthorityCd", "AuthorityCountryCd", "SupersedesId")

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/house_transport_document_id": "CNI/1004",
        "/ItemVersion": "CNI/1056",
        "/version_judged": "CNI/1056",
        "/ReferralId": "RFF+AGI/1154",
        "/referral_id": "RFF+AGI/1154",
        "/answer_id": "RFF+AGI/1154",
        "/SupersedesId": "RFF+ACW/1154",
        "/TypeCd": "GIS+REF/7365",
        "/raw_code": "GIS+REF/7365",
        "/AuthorityCd": "NAD+CM/3039",
        "/AuthorityCountryCd": "NAD+CM/3207",
        "/IssuedDt": "DTM+182/2380",
        "/issued_at": "DTM+182/2380",
        "/ReplyByDt": "DTM+2/2380",
        "/due_at": "DTM+2/2380",
        "/PostingDt": "DTM+148/2380",
        "/Text": "FTX+AAI/4440",
        "/note": "FTX+AAI/4440",
        "/ContactPoint": "COM/3148",
        "/receptacle_id": "RFF+AAT/1154",
    }
)


def _receptacle(unit: Unit, segment: Segment, place: int) -> None:
    unit.marked.append(("ReceptacleRef", value(segment, 1, 1)))


def _screening(unit: Unit, segment: Segment, place: int) -> None:
    unit.marked.append(("ScreeningInstruction", " ".join(each for each in (value(segment, 3), whole(segment, 4, 70)) if each)))


def _text(unit: Unit, segment: Segment, place: int) -> None:
    unit.put("", "Text", whole(segment, 4, 70), place)


def _contact(unit: Unit, segment: Segment, place: int) -> None:
    unit.marked.append(("ContactPoint", value(segment, 1)))


_TABLE: Final[Table] = {
    "CNI": both(text("", "house_transport_document_id", 2), text("", "ItemVersion", 2, 4)),
    "RFF+AGI": text("", "ReferralId", 1, 1),
    "RFF+ACW": text("", "SupersedesId", 1, 1),
    "RFF+AAT": _receptacle,
    "GIS+REF": text("", "TypeCd"),
    "NAD+CM": both(text("", "AuthorityCd", 2), text("", "AuthorityCountryCd", 9)),
    "DTM+182": instant("", "IssuedDt"),
    "DTM+2": instant("", "ReplyByDt"),
    "DTM+148": instant("", "PostingDt"),
    "LOC+5": text("", "OrigPostOrgCd", 2),
    "LOC+8": text("", "DestPostOrgCd", 2),
    "FTX+SIN": requested,
    "FTX+SUR": _screening,
    "FTX+AAI": _text,
    "COM": _contact,
}


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is an ITMREF."""
    return postal_edifact.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an ITMREF file. Raises :class:`MalformedMessage` when the file is refused as a whole."""

    def read(unit: Unit, job: Job, _: Header) -> Iterator[Outcome]:
        said = unit.said
        extra: dict[str, str] = {name: said[name] for name in _KEPT if name in said}
        screenings = [each[1] for each in unit.marked if each[0] == "ScreeningInstruction"]
        extra |= {f"ScreeningInstruction[{number}]": each for number, each in enumerate(screenings, 1)}
        contact = " ".join(each[1] for each in unit.marked if each[0] == "ContactPoint" and each[1])
        if contact:
            extra["ContactPoint"] = contact
        receptacles = [each[1] for each in unit.marked if each[0] == "ReceptacleRef" and each[1]]
        yield from referrals(said, receptacles, asked(unit), unit.item, job.head, raw, extra)

    return postal_edifact.parse(PROFILE, raw, dialect, PATHS, _TABLE, read)


# --- writing -----------------------------------------------------------------------------------------------------------------------------

_LETTERS: Final = {reason: letters for letters, reason in REASONS.items()}


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write what *notices* say of loading as one file; no bytes where that is nothing.

    What it is stands in :mod:`shared.formats.itmref`.
    """
    said = [(notice, question) for notice in notices for question in itmref.questions(notice)]
    if not said:
        return b""
    envelope = Envelope(cusrsp.file_id(notices), cusrsp.SENDER, notices[0].participant[:17], max(notice.at for notice in notices))
    composer = Composer(postal_edifact.charset(dialect), dialect)
    postal_edifact.begin(composer, PROFILE, envelope, ("962", "9"))
    for number, (notice, question) in enumerate(said, 1):
        _write(composer, number, notice, question, dialect)
    return postal_edifact.finish(composer, PROFILE, envelope, len(said))


def _write(composer: Composer, number: int, notice: Notice, question: itmref.Question, dialect: Dialect) -> None:
    summary = notice.consignment
    country = summary.country_of_destination if summary else None
    authority = dialect.code_maps.get("authority", {}).get(country or "", cusrsp.SENDER)
    version = str(notice.filing.version) if notice.filing and notice.filing.version is not None else None
    composer.segment("CNI", str(number), [notice.key.removeprefix("post:"), None, None, None, version])
    composer.segment("RFF", ["AGI", question.referral_id])
    composer.segment("GIS", [question.type, "REF"])
    composer.segment("NAD", "CM", authority, None, None, None, None, None, None, country)
    composer.segment("DTM", ["182", utc(notice.at), "204"])
    if question.due_at:
        composer.segment("DTM", ["2", utc(question.due_at), "204"])
    if summary and summary.posted_at:
        composer.segment("DTM", ["148", utc(summary.posted_at), "204"])
    for qualifier, post in (("5", summary and summary.origin_post), ("8", summary and summary.destination_post)):
        if post:
            composer.segment("LOC", qualifier, [post, "ORG"])
    for own, index, reason in question.elements:
        composer.segment("FTX", "SIN", None, [_LETTERS.get(reason, reason[:3]), "RSN"], [own, index])
    if question.contact:
        composer.segment("COM", [question.contact, "EM" if "@" in question.contact else "TE"])
