"""EMSEVT, XML hub profile ``urn:hub:postal:emsevt:1``: what happened to an item, post to post.

Read, each ``Event`` becomes a tracking event; ``means`` is the hub's word for its code (``shared/codes/data/postal_events.csv``).
``EMX`` is accepted, never written. Written from notices: what a customs decision means to the items' tracking (see
:mod:`shared.formats.postal_tracking`); a release is told by two events. Where no notice is a decision there is no message (no bytes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from shared.contracts import Notice
from shared.formats import cusrsp, postal_files, xml
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.formats.postal_files import Profile, each_unit, open_file, shape
from shared.formats.postal_tracking import Scan, event, office, scans
from shared.formats.values import plain_number
from shared.formats.xml_writing import leaf
from shared.model import Dialect, Filing, RawMessage, Rejection

NAME: Final = "emsevt"
TITLE: Final = "EMSEVT tracking events, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "UPU M40 event codes as published; attributes by the columns of the mail system; profile urn:hub:postal:emsevt:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "EMSEVT", "EmsevtFile", "Event")

_EVENT: Final = {
    "ItemId": "house_transport_document_id",
    "EventCd": "code",
    "EventDt": "at",
    "OfficeCd": "place",
    "NextOfficeCd": "next_place",
    "ConditionCd": "condition_code",
    "RetentionReasonCd": "~retention",
    "NonDeliveryReasonCd": "~non_delivery",
    "NonDeliveryMeasureCd": "action_code",
    "SignatoryName": "~SignatoryName",
    "DeliveryLocation": "~DeliveryLocation",
    "DeliveryPostcode": "~DeliveryPostcode",
    "ReceptacleId": "receptacle_id",
    "CustomsRef": "customs_reference",
    "ChargesAmount": "~charges",
    "ChargesCurrencyCd": "~currency",
}

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {f"/{field}": name for name, field in _EVENT.items() if field[0] != "~"}
    | {f"/extra/{field[1:]}": name for name, field in _EVENT.items() if field[0] == "~"}
    | {
        "/reason_code": "RetentionReasonCd",
        "/means": "EventCd",
        "/charges/amount": "ChargesAmount",
        "/charges/currency": "ChargesCurrencyCd",
    }
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    return shape(namespace, {name: (0, field) for name, field in _EVENT.items()})


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``EmsevtFile``."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an EMSEVT file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    file = open_file(PROFILE, raw, dialect)

    def read(_: xml.Element, record: xml.Record, item: Item) -> Iterator[Filing | Rejection]:
        if "~retention" not in record.parts[0] and "~non_delivery" in record.parts[0]:
            item.paths["/reason_code"] = f"{item.position}/NonDeliveryReasonCd"
        yield event(dict(record.parts[0]), item, file.head, raw)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), ("",), read), len(file.units))


def render(notices: Sequence[Notice], dialect: Dialect) -> bytes:
    """Write the customs events of *notices* as one file; the same notices always give the same bytes. *notices* must not be empty."""
    events = [_event(notice, scan, dialect) for notice in notices for scan in scans(notice, dialect)]
    if not events:
        return b""
    envelope = Envelope(cusrsp.file_id(notices), cusrsp.SENDER, notices[0].participant[:17], max(notice.at for notice in notices))
    return postal_files.write_file(PROFILE, envelope, events, len(events))


def _event(notice: Notice, scan: Scan, dialect: Dialect) -> str:
    parts = [
        "<Event>",
        leaf("ItemId", notice.key.removeprefix("post:")),
        f"<EventCd>{scan.code}</EventCd><EventDt>{notice.at.isoformat()}</EventDt>",
        leaf("OfficeCd", office(notice, dialect)),
        leaf("RetentionReasonCd", scan.retention),
        leaf("ChargesAmount", plain_number(scan.charges.amount, 2) if scan.charges else None),
        leaf("ChargesCurrencyCd", scan.charges.currency if scan.charges else None),
    ]
    return "".join([*parts, "</Event>"])
