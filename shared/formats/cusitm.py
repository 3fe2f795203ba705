"""CUSITM, XML hub profile ``urn:hub:postal:cusitm:1``: what a post tells its customs of an item, the electronic CN 22 or CN 23.

``MailObject`` and ``Declaration`` are those of ITMATT (:mod:`shared.formats.itmatt`). Beside them stand who declares to whom
(``PostOrganizationCd``, ``CustOrganizationCd``) and the ``Movement``: flow, customs office, despatch, receptacle, arrival. The receptacle
becomes part of the dataset, the rest is kept in ``extra`` under its own name. ``CDSStateCd`` and ``MailStateCd`` pass through; they mean
nothing to the hub.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from shared.codes import postal
from shared.formats import postal_files, xml
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.filings import Item
from shared.formats.postal_declarations import (
    CARRIED,
    LOOSE,
    PARTS,
    declared,
    is_bare,
    item_shape,
    item_start,
    paths,
    write_data,
    write_items,
    write_mail_object,
)
from shared.formats.postal_files import Profile, Sheet, each_unit, open_file
from shared.formats.postal_items import filing, function_and_version, receptacle_id
from shared.formats.xml_writing import leaf, text
from shared.model import Consignment, Dialect, Filing, RawMessage, Rejection

NAME: Final = "cusitm"
TITLE: Final = "CUSITM item declared to customs, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "UPU M43/M55 by their public leaf names; envelope urn:hub:postal:cusitm:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "CUSITM", "CusitmFile", "Item")

_OF_DECLARATION: Final = ("PostOrganizationCd", "CustOrganizationCd", "CDSStateCd", "MailStateCd")
_MOVEMENT: Final = (
    "Flow",
    "CustomsOfficeCd",
    "DispatchId",
    "ReceptacleId",
    "EstimatedArrivalDt",
    "ArrivalDt",
    "ArrivedBeforeData",
)
_MANDATORY: Final = ("PostOrganizationCd", "CustOrganizationCd", "Flow")
_KEPT: Final = frozenset(_OF_DECLARATION + _MOVEMENT) - {"ReceptacleId"}

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    paths()
    | {f"/extra/{name}": f"Declaration/{name}" for name in _OF_DECLARATION}
    | {f"/extra/{name}": f"Movement/{name}" for name in _MOVEMENT}
    | {"/receptacle_id": "Movement/ReceptacleId"}
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    loose = {name: f"~{name}" for name in _OF_DECLARATION}
    return item_shape({namespace, ""}, loose, {"Movement": {name: f"~{name}" for name in _MOVEMENT}})


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``CusitmFile``."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a CUSITM file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    file = open_file(PROFILE, raw, dialect)

    def read(element: xml.Element, record: xml.Record, item: Item) -> Iterator[Filing | Rejection]:
        function, version = function_and_version(element.get("Function"), element.get("Version"), item)
        loose = record.parts[LOOSE]
        extra: dict[str, str] = {
            name: loose[f"~{name}"] for name in (*_OF_DECLARATION, *_MOVEMENT) if f"~{name}" in loose and name in _KEPT
        }
        if function != "cancel":
            for name in _MANDATORY:
                if name not in extra:
                    item.note("FLD-MISSING", f"/extra/{name}")
        if extra.get("Flow", "I") not in postal.FLOWS:
            item.note("FLD-CODE", "/extra/Flow", extra["Flow"])
        said = declared(record)
        if "~ReceptacleId" in loose:
            said.consignment["receptacle_id"] = loose["~ReceptacleId"]
            receptacle_id(said.consignment, item)
        yield filing(said, item, file.head, raw, function=function, version=version, extra=extra)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), PARTS, read), len(file.units))


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* of postal items as one file. The declaring post is the envelope's sender and the customs its recipient, unless the
    filing says otherwise; the flow is export where the sender is the origin post."""

    def item(filed: Filing, consignment: Consignment, sheet: Sheet) -> str:
        kept = _defaults(consignment, envelope) | (consignment.extra or {})
        parts = [item_start(filed), write_mail_object(consignment, sheet)]
        if filed.function != "cancel" or not is_bare(consignment):
            parts += ["<Movement>", *(leaf(name, kept.get(name)) for name in _MOVEMENT), "</Movement><Declaration>"]
            pid = consignment.postal.declaration_id if consignment.postal else None
            parts += [f"<PId>{text(pid)}</PId>" if pid else "", *(leaf(name, kept.get(name)) for name in _OF_DECLARATION)]
            parts += [write_data(consignment, sheet, leave=_KEPT), "</Declaration>"]
        return "".join([*parts, "</Item>"])

    items, findings = write_items(filings, lambda each: Sheet(each.key, dialect), item, CARRIED | {"/receptacle_id"})
    return Written(postal_files.write_file(PROFILE, envelope, items, len(items)) if items else b"", findings)


def _defaults(consignment: Consignment, envelope: Envelope) -> dict[str, str]:
    origin = consignment.postal.origin_post if consignment.postal else None
    given = {
        "PostOrganizationCd": envelope.sender,
        "CustOrganizationCd": envelope.recipient,
        "Flow": "O" if origin == envelope.sender else "I",
    }
    return given | ({"ReceptacleId": consignment.receptacle_id} if consignment.receptacle_id else {})
