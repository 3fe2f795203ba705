"""FER, freight error report of the import manifest of the United States, in Cargo-IMP lines; read only.

The errors of a waybill (``ERR/023/INVALID FLIGHT``, also ``ERR/023INVALID FLIGHT`` and numbers in a line of their own) become one answer on
the filing track: refused. Location, flight and every other line are kept beside it. The names of the lines are published, their elements
reconstructed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.formats import cargo_imp, cargo_imp_answers, fsn, per
from shared.formats.base import Certainty, Likeness, Parsed, Sketch
from shared.model import Dialect, RawMessage

NAME: Final = "fer"
TITLE: Final = "FER import manifest error report, Cargo-IMP"
CONTENT_TYPES: Final = cargo_imp.CONTENT_TYPES
VERSIONS: Final = fsn.VERSIONS
SOURCE: Final = fsn.SOURCE
CERTAINTY: Final[Certainty] = "reconstructed"
PATHS: Final[Mapping[str, str]] = MappingProxyType({"/key": "AWB", "/raw_code": "ERR/code", "/note": "ERR/text"})


def recognise(sketch: Sketch) -> Likeness:
    """A transmission whose first message is an FER."""
    return cargo_imp.recognise("FER", sketch)


def parse(raw: RawMessage, dialect: Dialect) -> Parsed:
    """Read the reports of a transmission. Raises :class:`shared.errors.MalformedMessage` when there is none."""
    return cargo_imp_answers.parsed(raw, dialect, NAME, PATHS, lambda job: per.answers(job, "us-air", "FER"))
