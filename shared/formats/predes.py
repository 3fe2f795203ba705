"""PREDES, XML hub profile ``urn:hub:postal:predes:1``: which items lie in which receptacle of which despatch.

``ItemCount`` of the header counts the items of all receptacles. ``REPLACE`` replaces the whole despatch, ``CANCEL`` takes it back. Of
several legs of transport the first one's departure and the last one's arrival are kept. What becomes of it: see
:mod:`shared.formats.postal_movements`.
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
from shared.formats.postal_items import FUNCTIONS
from shared.formats.postal_movements import Bag, despatch
from shared.model import Dialect, Filing, RawMessage, Rejection

NAME: Final = "predes"
TITLE: Final = "PREDES pre-advice of a despatch, XML hub profile"
CONTENT_TYPES: Final = postal_files.CONTENT_TYPES
VERSIONS: Final = postal_files.VERSIONS
SOURCE: Final = "UPU M14/M41 by name; S8 and S9 as published; profile urn:hub:postal:predes:1"
CERTAINTY: Final[Certainty] = "reconstructed"
PROFILE: Final = Profile(NAME, "PREDES", "PredesFile", "Dispatch")

_DISPATCH: Final = {"DispatchId": "despatch_id", "ClosureDt": "closed_at", "ConsignmentId": "postal_consignment_id"}
_TRANSPORT: Final = {
    "Mode": "mode_of_transport",
    "CarrierCd": "carrier_id",
    "ConveyanceRef": "conveyance_reference",
    "DepartureLocCd": "place_of_loading",
    "ArrivalLocCd": "place_of_arrival",
    "DepartureDt": "departure_at",
    "ArrivalDt": "arrival_at",
}
_RECEPTACLE: Final = {"ReceptacleId": "receptacle_id", "TypeCd": "receptacle_type", "GrossWeight": "gross_mass_kg", "ItemCount": "~count"}
_ITEM: Final = {"ItemId": "house_transport_document_id", "GrossWeight": "gross_mass_kg", "HandlingClassCd": "~HandlingClassCd"}
_PARTS: Final = ("", "/transport/*")
_LEGS: Final = 1

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {f"/{field}": name for name, field in (_DISPATCH | _RECEPTACLE).items()}
    | {f"/{field}": f"Transport/{name}" for name, field in _TRANSPORT.items()}
    | {"/package_count": "ItemCount", "/seals": "Seal", "/house_transport_document_id": "ItemId", "/function": "@Function"}
    | {"/extra/HandlingClassCd": "HandlingClassCd", "/origin_post": "Header/SenderOrgCd", "/destination_post": "Header/RecipientOrgCd"}
)


@lru_cache(maxsize=xml.SPELLINGS)
def _shape(namespace: str) -> xml.Shape:
    """The table of a despatch. Receptacles are walked one by one, so that each keeps its own items."""
    transport = shape(namespace, {name: (_LEGS, field) for name, field in _TRANSPORT.items()}, opens=_LEGS)
    return shape(namespace, {name: (0, field) for name, field in _DISPATCH.items()}, {"Transport": transport, "Receptacle": xml.LEFT})


@lru_cache(maxsize=xml.SPELLINGS)
def _receptacle_shape(namespace: str) -> xml.Shape:
    item = shape(namespace, {name: (1, field) for name, field in _ITEM.items()}, opens=1)
    return shape(namespace, {name: (0, field) for name, field in _RECEPTACLE.items()}, {"Item": item}, ("Seal",))


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is ``PredesFile``."""
    return postal_files.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a PREDES file. Raises :class:`MalformedMessage` when the file is refused as a whole."""

    def count(units: list[xml.Element]) -> int:
        return sum(1 for unit in units for bag in unit.iterchildren("{*}Receptacle") for _ in bag.iterchildren("{*}Item"))

    file = open_file(PROFILE, raw, dialect, count)
    posts = {"origin_post": file.header["SenderOrgCd"], "destination_post": file.header["RecipientOrgCd"]}

    def read(element: xml.Element, record: xml.Record, item: Item) -> Iterator[Filing | Rejection]:
        said = element.get("Function")
        function = FUNCTIONS.get(said or "")
        if function is None:
            item.note("FLD-CODE" if said else "FLD-MISSING", "/function", said)
        common: dict[str, Any] = {**posts, **record.parts[0], **_legs(record.lists[_LEGS])}
        yield from despatch(common, _bags(element, file.namespace, item), function or "original", item, file.head, raw)

    return Parsed(file.head, each_unit(PROFILE, file, raw, dialect, PATHS, _shape(file.namespace), _PARTS, read), len(file.units))


def _legs(legs: list[dict[str, str]]) -> dict[str, str]:
    if not legs:
        return {}
    arriving = {name: legs[-1][name] for name in ("place_of_arrival", "arrival_at") if name in legs[-1]}
    departing = {name: value for name, value in legs[0].items() if len(legs) == 1 or name not in ("place_of_arrival", "arrival_at")}
    return departing | arriving


def _bags(element: xml.Element, namespace: str, item: Item) -> list[Bag]:
    bags = []
    receptacles: list[xml.Element] = list(element.iterchildren("{*}Receptacle"))
    for number, receptacle in enumerate(receptacles, 1):
        record = xml.walk(receptacle, _receptacle_shape(namespace), 2)
        bag = Bag(f"{item.position}/Receptacle[{number}]", dict(record.parts[0]))
        bag.seals = [seal.text for seal in record.marked if seal.text]
        for place, said in enumerate(record.lists[1], 1):
            handling = said.pop("~HandlingClassCd", None)
            listed: dict[str, Any] = {**said, **({"extra": {"HandlingClassCd": handling}} if handling else {})}
            bag.items.append((f"{bag.position}/Item[{place}]", listed))
        postal_files.misfits(record, ("", ""), item)
        bags.append(bag)
    return bags
