"""ITMATT, EDIFACT hub profile ``ITMATT:D:00A:ZZ:HUB10``: the content of :mod:`shared.formats.itmatt` in segments.

A ``CNI`` group is an item, a ``CST`` group in it a goods line (:mod:`shared.formats.postal_edifact_items`). ``GIS+CAN:FUN`` cancels; such
an item needs no declaration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.formats import postal_edifact, postal_edifact_items
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.formats.edifact import Job
from shared.formats.postal_edifact import Header, Outcome, Profile, Unit
from shared.formats.postal_edifact_items import TABLE, declared, paths
from shared.formats.postal_items import filing, function_and_version
from shared.model import Dialect, Filing, RawMessage

NAME: Final = "itmatt-edifact"
TITLE: Final = "ITMATT item attributes, EDIFACT hub profile"
CONTENT_TYPES: Final = postal_edifact.CONTENT_TYPES
VERSIONS: Final = postal_edifact.VERSIONS
SOURCE: Final = "directory D.00A; profile ITMATT:D:00A:ZZ:HUB10"
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "contrl"
PROFILE: Final = Profile(NAME, "ITMATT")
PATHS: Final[Mapping[str, str]] = MappingProxyType(paths())


def recognise(sketch: Sketch) -> Likeness:
    """An EDIFACT interchange whose first message is an ITMATT."""
    return postal_edifact.recognise(PROFILE, sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read an ITMATT file. Raises :class:`MalformedMessage` when the file is refused as a whole."""

    def read(unit: Unit, job: Job, _: Header) -> Iterator[Outcome]:
        loose = unit.parts.get("~", {})
        function, version = function_and_version(loose.pop("~Function", None), loose.pop("~Version", None), unit.item)
        yield filing(declared(unit), unit.item, job.head, raw, function=function, version=version)

    return postal_edifact.parse(PROFILE, raw, dialect, PATHS, TABLE, read)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* of postal items as one file, with function and version as filed (version 1 where none was)."""
    return postal_edifact_items.write(PROFILE, filings, envelope, dialect)
