"""REFRSP, EDIFACT hub profile ``REFRSP:D:00A:ZZ:HUB10``: the content of :mod:`shared.formats.refrsp` in segments.

Each ``CNI`` group is a reply: referral and sequence (``RFF+AGI:id:seq``), outcome (``GIS+…:OUT``), the version of the corrected item
(1056 of ``CNI``), text (``FTX+AAI``), elements given in text (``FTX+ACB++path:XTR+text``), screenings
(``FTX+SUR++method:SCM+result:date:operator``), documents (``DOC``, name in the ``FTX+AAI`` right behind it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from shared.formats import edifact, postal_edifact, postal_replies
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.edifact import Job, Segment, value, whole
from shared.formats.postal_edifact import Header, Outcome, Profile, Table, Unit, both, coded, instant, text
from shared.model import Dialect, RawMessage

NAME: Final = "refrsp-edifact"
TITLE: Final = "REFRSP reply to a referral, EDIFACT hub profile"
CONTENT_TYPES: Final = postal_edifact.CONTENT_TYPES
VERSIONS: Final = postal_edifact.VERSIONS
SOURCE: Final = "directory D.00A; profile REFRSP:D:00A:ZZ:HUB10"
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "contrl"
PROFILE: Final = Profile(NAME, "REFRSP")

_OUTCOMES: Final = {
    "DAT": "DATA_SENT",
    "TXT": "DATA_TEXT",
    "SCR": "SCREENED",
    "NLD": "NOT_LOADED",
    "ALD": "ALREADY_LOADED",
    "NFD": "NOT_FOUND",
    "WDN": "WITHDRAWN",
}
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/house_transport_document_id": "CNI/1004",
        "/new_version": "CNI/1056",
        "/referral_id": "RFF+AGI/1154",
        "/reply_sequence": "RFF+AGI/1156",
        "/outcome": "GIS+OUT/7365",
        "/text": "FTX+AAI/4440",
        "/provided": "FTX+ACB/4440",
        "/screenings/*": "FTX+SUR[*]",
        "/screenings/*/method": "FTX+SUR[*]/4441",
        "/screenings/*/result": "FTX+SUR[*]/4440",
        "/screenings/*/screened_at": "FTX+SUR[*]/4440",
        "/screenings/*/operator_id": "FTX+SUR[*]/4440",
        "/documents/*": "DOC[*]",
        "/documents/*/document_type": "DOC[*]/1001",
        "/documents/*/document_id": "DOC[*]/1004",
        "/documents/*/name": "DOC[*]/FTX+AAI/4440",
    }
)


def _text(unit: Unit, segment: Segment, place: int) -> None:
    said = whole(segment, 4, 70)
    document = unit.parts.get("documents")
    if document is not None and "name" not in document and unit.open == "documents":
        unit.put("documents", "name", said, place)
    else:
        unit.put("", "text", said, place)
    unit.open = ""


def _document(unit: Unit, segment: Segment, place: int) -> None:
    unit.begin("documents", place)
    unit.put("documents", "document_type", value(segment, 1), place)
    unit.put("documents", "document_id", value(segment, 2), place)
    unit.open = "documents"


def _screening(unit: Unit, segment: Segment, place: int) -> None:
    unit.begin("screenings", place)
    at = value(segment, 4, 1)
    found = edifact.instant(at, "204")
    unit.put("screenings", "method", value(segment, 3), place)
    unit.put("screenings", "result", value(segment, 4), place)
    unit.put("screenings", "screened_at", f"{found[0]}+00:00" if found else at, place)
    unit.put("screenings", "operator_id", value(segment, 4, 2), place)


def _provided(unit: Unit, segment: Segment, place: int) -> None:
    unit.item.places["/provided"] = place
    unit.marked.append(("ProvidedElement", value(segment, 3), whole(segment, 4, 70)))


_TABLE: Final[Table] = {
    "CNI": both(text("", "house_transport_document_id", 2), text("", "new_version", 2, 4)),
    "RFF+AGI": both(text("", "referral_id", 1, 1), text("", "reply_sequence", 1, 2)),
    "GIS+OUT": coded("", "outcome", _OUTCOMES),
    "DTM+148": instant("~", "~PostingDt"),
    "LOC+5": text("~", "~OrigPostOrgCd", 2),
    "LOC+8": text("~", "~DestPostOrgCd", 2),
    "FTX+AAI": _text,
    "FTX+ACB": _provided,
    "FTX+SUR": _screening,
    "DOC": _document,
}


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a REFRSP."""
    return postal_edifact.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a REFRSP file. Raises :class:`MalformedMessage` when the file is refused as a whole."""

    def read(unit: Unit, job: Job, _: Header) -> Iterator[Outcome]:
        given = [postal_replies.provided(each[1], "", each[2]) for each in unit.marked if each[0] == "ProvidedElement"]
        lists = unit.lists
        yield postal_replies.reply(unit.said, lists.get("screenings", ()), lists.get("documents", ()), given, unit.item, job.head, raw)

    return postal_edifact.parse(PROFILE, raw, dialect, PATHS, _TABLE, read)
