"""CUSITM, EDIFACT hub profile ``CUSITM:D:00A:ZZ:HUB10``: the content of :mod:`shared.formats.cusitm` in segments.

After the posts stand flow (``GIS+I:FLW``), customs office (``LOC+22``), receptacle (``RFF+AAT``), despatch (``RFF+AAS``), estimated and
real arrival (``DTM+132``, ``DTM+178``) and the customs addressed (``NAD+CM``). The declaring post is the sender of the message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from shared.codes import postal
from shared.formats import postal_edifact, postal_edifact_items
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.edifact import Composer, Job
from shared.formats.edifact_envelope import code
from shared.formats.postal_declarations import CARRIED
from shared.formats.postal_edifact import Header, Outcome, Profile, Table, Unit, instant, text, utc
from shared.formats.postal_edifact_items import declared, paths
from shared.formats.postal_items import filing, function_and_version, receptacle_id
from shared.model import Consignment, Dialect, Filing, RawMessage

NAME: Final = "cusitm-edifact"
TITLE: Final = "CUSITM item declared to customs, EDIFACT hub profile"
CONTENT_TYPES: Final = postal_edifact.CONTENT_TYPES
VERSIONS: Final = postal_edifact.VERSIONS
SOURCE: Final = "directory D.00A; profile CUSITM:D:00A:ZZ:HUB10"
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "contrl"
PROFILE: Final = Profile(NAME, "CUSITM")

_MOVEMENT: Final = {
    "Flow": "GIS+FLW/7365",
    "CustomsOfficeCd": "LOC+22/3225",
    "DispatchId": "RFF+AAS/1154",
    "EstimatedArrivalDt": "DTM+132/2380",
    "ArrivalDt": "DTM+178/2380",
    "CustOrganizationCd": "NAD+CM/3039",
    "CDSStateCd": "GIS+CDS/7365",
    "MailStateCd": "GIS+MST/7365",
    "ArrivedBeforeData": "GIS+LAT/7365",
}
_OTHER: Final = {"PostOrganizationCd": "NAD+MS/3039"}
_TABLE: Final[Table] = {
    **postal_edifact_items.TABLE,
    "GIS+FLW": text("~", "~Flow"),
    "GIS+CDS": text("~", "~CDSStateCd"),
    "GIS+MST": text("~", "~MailStateCd"),
    "GIS+LAT": text("~", "~ArrivedBeforeData"),
    "LOC+22": text("~", "~CustomsOfficeCd", 2),
    "RFF+AAT": text("", "receptacle_id", 1, 1),
    "RFF+AAS": text("~", "~DispatchId", 1, 1),
    "DTM+132": instant("~", "~EstimatedArrivalDt"),
    "DTM+178": instant("~", "~ArrivalDt"),
    "NAD+CM": text("~", "~CustOrganizationCd", 2),
}
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    paths() | {f"/extra/{name}": own for name, own in (_MOVEMENT | _OTHER).items()} | {"/receptacle_id": "RFF+AAT/1154"}
)
_YES: Final = {"0": "false", "1": "true"}


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a CUSITM."""
    return postal_edifact.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a CUSITM file. Raises :class:`MalformedMessage` when the file is refused as a whole."""

    def read(unit: Unit, job: Job, header: Header) -> Iterator[Outcome]:
        loose = unit.parts.get("~", {})
        function, version = function_and_version(loose.pop("~Function", None), loose.pop("~Version", None), unit.item)
        extra = {name: loose.pop(f"~{name}") for name in _MOVEMENT if f"~{name}" in loose}
        extra["PostOrganizationCd"] = header.sender
        extra.setdefault("CustOrganizationCd", header.recipient)
        if "ArrivedBeforeData" in extra:
            extra["ArrivedBeforeData"] = _YES.get(extra["ArrivedBeforeData"], extra["ArrivedBeforeData"])
        if "Flow" not in extra and function != "cancel":
            unit.item.note("FLD-MISSING", "/extra/Flow")
        elif extra.get("Flow", "I") not in postal.FLOWS:
            unit.item.note("FLD-CODE", "/extra/Flow", extra["Flow"])
        if "receptacle_id" in unit.said:
            receptacle_id(unit.said, unit.item)
        yield filing(declared(unit), unit.item, job.head, raw, function=function, version=version, extra=extra)

    return postal_edifact.parse(PROFILE, raw, dialect, PATHS, _TABLE, read)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* of postal items as one file. The declaring post is the envelope's sender and the customs its recipient, unless the
    filing names other customs; the flow is export where the sender is the origin post."""

    def movement(composer: Composer, consignment: Consignment) -> None:
        kept = consignment.extra or {}
        origin = consignment.postal.origin_post if consignment.postal else None
        _gis(composer, kept.get("Flow") or ("O" if origin == code(envelope.sender) else "I"), "FLW")
        _gis(composer, kept.get("CDSStateCd"), "CDS")
        _gis(composer, kept.get("MailStateCd"), "MST")
        _gis(composer, {"true": "1", "false": "0"}.get(kept.get("ArrivedBeforeData", "")), "LAT")
        if "CustomsOfficeCd" in kept:
            composer.segment("LOC", "22", kept["CustomsOfficeCd"])
        for qualifier, said in (("AAT", consignment.receptacle_id), ("AAS", kept.get("DispatchId"))):
            if said:
                composer.segment("RFF", [qualifier, said])
        for qualifier, name in (("132", "EstimatedArrivalDt"), ("178", "ArrivalDt")):
            if name in kept:
                composer.segment("DTM", [qualifier, *_moment(kept[name])])
        composer.segment("NAD", "CM", kept.get("CustOrganizationCd", code(envelope.recipient)))

    leave = frozenset(_MOVEMENT) | {"PostOrganizationCd", "ReceptacleId"}
    return postal_edifact_items.write(PROFILE, filings, envelope, dialect, movement, leave, CARRIED | {"/receptacle_id"})


def _gis(composer: Composer, said: str | None, list_: str) -> None:
    if said:
        composer.segment("GIS", [said, list_])


def _moment(said: str) -> tuple[str, str]:
    """Return an instant in form 204; one that cannot be read stays as it is."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return said, "ZZZ"
    return (utc(at), "204") if at.tzinfo is not None else (said, "ZZZ")
