"""RESDES, XML hub profile ``urn:hub:postal:resdes:1``: the destination post confirms the receptacles that arrived.

The companion of PREDES. Of each ``Arrival`` a movement of stage ``received`` is kept, keyed ``receptacle:<S9>``; the despatch follows
from the receptacle's number where it is not given. The layout is the hub's own, after the other profiles of the family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.formats import postal_files, xml
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.filings import Item
from shared.formats.postal_files import Profile, each_unit, open_file, shape
from shared.formats.postal_movements import arrival
from shared.model import Dialect, Filing, RawMessage, Rejection

NAME: Final = "resdes"
TITLE: Final = "RESDES arrival of receptacles, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "message by public name; S8 and S9 as published; profile urn:hub:postal:resdes:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "RESDES", "ResdesFile", "Arrival")

_ARRIVAL: Final = {
    "ReceptacleId": "receptacle_id",
    "DispatchId": "despatch_id",
    "TypeCd": "receptacle_type",
    "GrossWeight": "gross_mass_kg",
    "OfficeCd": "place_of_arrival",
    "ArrivalDt": "arrival_at",
    "ConditionCd": "~ConditionCd",
    "DiscrepancyCd": "~DiscrepancyCd",
}

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {f"/{field}": name for name, field in _ARRIVAL.items() if field[0] != "~"}
    | {f"/extra/{field[1:]}": name for name, field in _ARRIVAL.items() if field[0] == "~"}
    | {"/seals": "Seal", "/origin_post": "Header/RecipientOrgCd", "/destination_post": "Header/SenderOrgCd"}
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    return shape(namespace, {name: (0, field) for name, field in _ARRIVAL.items()}, marked=("Seal",))


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``ResdesFile``."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a RESDES file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    file = open_file(PROFILE, raw, dialect)
    posts = {"origin_post": file.header["RecipientOrgCd"], "destination_post": file.header["SenderOrgCd"]}

    def read(_: xml.Element, record: xml.Record, item: Item) -> Iterator[Filing | Rejection]:
        said: dict[str, Any] = {**posts, **{name: value for name, value in record.parts[0].items() if name[0] != "~"}}
        kept = {name[1:]: value for name, value in record.parts[0].items() if name[0] == "~"}
        seals = [seal.text for seal in record.marked if seal.text]
        said |= ({"extra": kept} if kept else {}) | ({"seals": seals} if seals else {})
        yield arrival(said, item, file.head, raw)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), ("",), read), len(file.units))
