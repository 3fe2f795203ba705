"""PREDES, EDIFACT hub profile ``PREDES:D:00A:ZZ:HUB10``: the content of :mod:`shared.formats.predes` in segments.

A message is one despatch: its number and function in ``BGM``, the file's id in ``RFF+TN``, closure (``DTM+182``), transport (``TDT``,
``LOC+9`` and ``LOC+11`` with ``DTM+133`` and ``DTM+132``). Each ``GID`` group is a receptacle, the ``CNI`` groups in it its items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

from shared.formats import edifact, postal_edifact
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.formats.edifact import Job, Segment, value
from shared.formats.postal_edifact import Outcome, Profile, Table, Unit, header, instant, number, text, unit_of, walk
from shared.formats.postal_movements import Bag, despatch
from shared.model import Dialect, RawMessage
from shared.model.filing import Function

NAME: Final = "predes-edifact"
TITLE: Final = "PREDES pre-advice of a despatch, EDIFACT hub profile"
CONTENT_TYPES: Final = postal_edifact.CONTENT_TYPES
VERSIONS: Final = postal_edifact.VERSIONS
SOURCE: Final = "S8 and S9 as published; directory D.00A; profile PREDES:D:00A:ZZ:HUB10"
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "contrl"
PROFILE: Final = Profile(NAME, "PREDES")

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/despatch_id": "BGM/1004",
        "/function": "BGM/1225",
        "/closed_at": "DTM+182/2380",
        "/postal_consignment_id": "RFF+AWN/1154",
        "/mode_of_transport": "TDT+20/8067",
        "/carrier_id": "TDT+20/3127",
        "/conveyance_reference": "TDT+20/8028",
        "/place_of_loading": "LOC+9/3225",
        "/place_of_arrival": "LOC+11/3225",
        "/departure_at": "DTM+133/2380",
        "/arrival_at": "DTM+132/2380",
        "/origin_post": "NAD+MS/3039",
        "/destination_post": "NAD+MR/3039",
        "/receptacle_id": "RFF+AAT/1154",
        "/receptacle_type": "GID/7065",
        "/gross_mass_kg": "MEA+G/6314",
        "/package_count": "QTY+1/6060",
        "/seals": "SEL/9308",
        "/house_transport_document_id": "CNI/1004",
        "/extra/HandlingClassCd": "GIS+HDL/7365",
    }
)


def _seal(unit: Unit, segment: Segment, place: int) -> None:
    unit.item.places["/seals"] = place
    unit.marked.append(("Seal", value(segment, 1)))


def _transport(unit: Unit, segment: Segment, place: int) -> None:
    unit.put("", "conveyance_reference", value(segment, 2), place)
    unit.put("", "mode_of_transport", value(segment, 3), place)
    unit.put("", "carrier_id", value(segment, 5), place)


def _silent(unit: Unit, segment: Segment, place: int) -> None:
    """The header's own segments: read already."""


_HEADER: Final[Table] = {
    "BGM": text("", "despatch_id", 2),
    "DTM+137": _silent,
    "RFF+TN": _silent,
    "NAD": _silent,
    "RFF+AWN": text("", "postal_consignment_id", 1, 1),
    "DTM+182": instant("", "closed_at"),
    "TDT+20": _transport,
    "LOC+9": text("", "place_of_loading", 2),
    "LOC+11": text("", "place_of_arrival", 2),
    "DTM+133": instant("", "departure_at"),
    "DTM+132": instant("", "arrival_at"),
}
_RECEPTACLE: Final[Table] = {
    "GID": text("", "receptacle_type", 2, 1),
    "RFF+AAT": text("", "receptacle_id", 1, 1),
    "MEA+G": number("", "gross_mass_kg", 3),
    "QTY+1": number("", "~count"),
    "SEL": _seal,
}
_ITEM: Final[Table] = {
    "CNI": text("", "house_transport_document_id", 2),
    "MEA+G": number("", "gross_mass_kg", 3),
    "GIS+HDL": text("~", "HandlingClassCd"),
}


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is a PREDES."""
    return postal_edifact.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a PREDES file. Raises :class:`MalformedMessage` when the file is refused as a whole."""
    found, rejected = postal_edifact.jobs(PROFILE, raw, dialect)
    sound: list[Job] = []
    count = 0
    for job in (_renamed(job) for job in found):
        items = sum(1 for segment in job.message.segments if segment[:3] == "CNI")
        wrong = postal_edifact.miscounted(PROFILE, job, items, raw)
        if wrong is not None:
            rejected.append(wrong)
        else:
            sound.append(job)
            count += items + sum(1 for segment in job.message.segments if segment[:3] == "GID") or 1
    postal_edifact.check_size(count, rejected)

    def items_() -> Iterator[Outcome]:
        yield from rejected
        for job in sound:
            yield from _despatch(job, raw, dialect)

    return Parsed(edifact.first_head(sound, rejected, NAME), items_(), count + len(rejected))


def _renamed(job: Job) -> Job:
    """The number of BGM is the despatch's; the file's own id is RFF+TN."""
    for raw in job.message.segments[1:12]:
        segment = job.interchange.syntax.split(raw)
        if segment[0][0] == "RFF" and value(segment, 1) == "TN" and value(segment, 1, 1):
            return job._replace(head=replace(job.head, message_id=value(segment, 1, 1)[:100]))
    return job


def _despatch(job: Job, raw: RawMessage, dialect: Dialect) -> Iterator[Outcome]:
    segments = job.message.segments
    starts = postal_edifact.starts_of(job, "GID", "CNI")
    whole = unit_of(job, "BGM", 1, PATHS, dialect, job.findings)
    walk(whole, segments, 1, starts[0], _HEADER)
    posts = header(job)
    common: dict[str, Any] = {"origin_post": posts.sender, "destination_post": posts.recipient, **whole.said}
    function: Function = job.head.function
    bags: list[Bag] = []
    for start, stop in pairwise(starts):
        if segments[start][:3] == "GID":
            position = f"{whole.item.position}/GID[{len(bags) + 1}]"
            unit = Unit(whole.item, job.interchange.syntax)
            walk(unit, segments, start, stop, _RECEPTACLE)
            whole.item.inner[position] = {**whole.item.places, "": start + 1}
            bags.append(Bag(position, unit.said, seals=[each[1] for each in unit.marked if each[1]]))
        elif not bags:
            whole.item.note("FLD-IGNORED", at=f"{whole.item.position}/CNI (segment {start + 1})", message="The item lies in no receptacle.")
        else:
            unit = Unit(whole.item, job.interchange.syntax)
            walk(unit, segments, start, stop, _ITEM)
            extra = {"extra": unit.parts["~"]} if "~" in unit.parts else {}
            position = f"{bags[-1].position}/CNI[{len(bags[-1].items) + 1}]"
            whole.item.inner[position] = {**whole.item.places, "": start + 1}
            bags[-1].items.append((position, {**unit.said, **extra}))
    yield from despatch(common, bags, function, whole.item, job.head, raw)
