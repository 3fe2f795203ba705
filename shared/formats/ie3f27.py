"""IE3F27 and the other ICS2 filings about general air cargo: F20 to F24, F26 to F29 (complete or partial, houses or a direct air waybill).

Read and written; :mod:`shared.formats.ics2` tells how. A master without houses is itself the consignment, under its air waybill. Which
one is written says the dialect's code map ``ics2`` (``filing``), else what the consignment was filed as, else F27. The places of carrier,
ports, office and means of transport are reconstructed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.formats import customs_xml, ics2, ics2_writing
from shared.formats.base import Certainty, Envelope, Likeness, Parsed, Sketch, Written
from shared.model import Dialect, Filing, RawMessage

NAME: Final = "ie3f27"
TITLE: Final = "IE3F20 to F29 air cargo entry summary filings, ICS2"
CONTENT_TYPES: Final = customs_xml.CONTENT_TYPES
VERSIONS: Final[tuple[str, ...]] = ("F27", "F20", "F22", "F23", "F24", "F26", "F28", "F29")
SOURCE: Final = ics2.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
ACKNOWLEDGED_BY: Final = "ics2-answers"
PATHS: Final[Mapping[str, str]] = MappingProxyType(ics2.paths())


def recognise(sketch: Sketch) -> Likeness:
    """An XML document whose root is one of the filings or its amendment."""
    return ics2.recognise(sketch, VERSIONS)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read a filing. Raises :class:`shared.errors.MalformedMessage` when it is refused as a whole."""
    return ics2.parse(NAME, VERSIONS, PATHS, raw, dialect)


def write(filings: Sequence[Filing], envelope: Envelope, dialect: Dialect) -> Written:
    """Write *filings* as one filing to customs; what does not belong into it is told as not written."""
    return ics2_writing.write(VERSIONS, filings, envelope, dialect)
