"""EMSEVT, EDIFACT hub profile ``EMSEVT:D:00A:ZZ:HUB10``: the content of :mod:`shared.formats.emsevt` in segments.

Each ``CNI`` group is an event: ``STS+1+tag:EVT+reason:RET|NDR+measure:NDM``, its time (``DTM+334``), office (``LOC+14``), next office
(``LOC+8``), receptacle (``RFF+AAT``), customs reference (``RFF+ABT``), charges (``MOA+131``); signatory, place and postcode of delivery in
``FTX+AAI+++SIGN|PLACE|POSTCODE:text``; condition in ``GIS+…:CON``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.contracts import Notice
from shared.formats import cusrsp, postal_edifact
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.edifact import Composer, Job, Segment, value
from shared.formats.postal_edifact import Header, Outcome, Profile, Table, Unit, instant, money, text, utc
from shared.formats.postal_tracking import event, office, scans
from shared.formats.values import plain_number
from shared.model import Dialect, RawMessage

NAME: Final = "emsevt-edifact"
TITLE: Final = "EMSEVT tracking events, EDIFACT hub profile"
CONTENT_TYPES: Final = postal_edifact.CONTENT_TYPES
VERSIONS: Final = postal_edifact.VERSIONS
SOURCE: Final = "UPU M40 event codes as published; directory D.00A; profile EMSEVT:D:00A:ZZ:HUB10"
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "contrl"
PROFILE: Final = Profile(NAME, "EMSEVT")

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/house_transport_document_id": "CNI/1004",
        "/code": "STS/4405",
        "/means": "STS/4405",
        "/reason_code": "STS/9013",
        "/action_code": "STS/9013",
        "/condition_code": "GIS+CON/7365",
        "/at": "DTM+334/2380",
        "/place": "LOC+14/3225",
        "/next_place": "LOC+8/3225",
        "/receptacle_id": "RFF+AAT/1154",
        "/customs_reference": "RFF+ABT/1154",
        "/charges/amount": "MOA+131/5004",
        "/charges/currency": "MOA+131/6345",
        "/extra": "FTX+AAI/4440",
    }
)
_REASONS: Final = {"RET": "~retention", "NDR": "~non_delivery", "NDM": "action_code"}
_DELIVERY: Final = {"SIGN": "~SignatoryName", "PLACE": "~DeliveryLocation", "POSTCODE": "~DeliveryPostcode"}


def _status(unit: Unit, segment: Segment, place: int) -> None:
    unit.put("", "code", value(segment, 2), place)
    for element in range(3, min(len(segment), 8)):
        field = _REASONS.get(value(segment, element, 1))
        if field is not None:
            unit.put("", field, value(segment, element), place)
            unit.item.places["/reason_code"] = place


def _delivery(unit: Unit, segment: Segment, place: int) -> None:
    field = _DELIVERY.get(value(segment, 4))
    if field is None:
        unit.item.note("FLD-IGNORED", at=f"{unit.item.position}/FTX+AAI (segment {place})")
    else:
        unit.put("", field, value(segment, 4, 1), place)


_TABLE: Final[Table] = {
    "CNI": text("", "house_transport_document_id", 2),
    "STS": _status,
    "DTM+334": instant("", "at"),
    "LOC+14": text("", "place", 2),
    "LOC+8": text("", "next_place", 2),
    "RFF+AAT": text("", "receptacle_id", 1, 1),
    "RFF+ABT": text("", "customs_reference", 1, 1),
    "MOA+131": money("", "~charges", "~currency"),
    "GIS+CON": text("", "condition_code"),
    "FTX+AAI": _delivery,
}


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is an EMSEVT."""
    return postal_edifact.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an EMSEVT file. Raises :class:`MalformedMessage` when the file is refused as a whole."""

    def read(unit: Unit, job: Job, _: Header) -> Iterator[Outcome]:
        yield event(dict(unit.said), unit.item, job.head, raw)

    return postal_edifact.parse(PROFILE, raw, dialect, PATHS, _TABLE, read)


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write the customs events of *notices* as one file; no bytes where no notice is a decision. *notices* must not be empty."""
    events = [(notice, scan) for notice in notices for scan in scans(notice, dialect)]
    if not events:
        return b""
    envelope = Envelope(cusrsp.file_id(notices), cusrsp.SENDER, notices[0].participant[:17], max(notice.at for notice in notices))
    composer = Composer(postal_edifact.charset(dialect), dialect)
    postal_edifact.begin(composer, PROFILE, envelope, ("962", "9"))
    for number, (notice, scan) in enumerate(events, 1):
        composer.segment("CNI", str(number), notice.key.removeprefix("post:"))
        composer.segment("STS", "1", [scan.code, "EVT"], [scan.retention, "RET"] if scan.retention else None)
        composer.segment("DTM", ["334", utc(notice.at), "204"])
        where = office(notice, dialect)
        if where:
            composer.segment("LOC", "14", where)
        if scan.charges is not None:
            composer.segment("MOA", ["131", plain_number(scan.charges.amount, 2), scan.charges.currency])
    return postal_edifact.finish(composer, PROFILE, envelope, len(events))
