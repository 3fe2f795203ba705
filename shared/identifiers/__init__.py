"""One small module per identifier, all with the same three functions.

``normalise(text) -> str``
    The canonical spelling (mostly upper case, without blanks and hyphens). Never raises, judges nothing.
``problem(text) -> IdentifierProblem | None``
    The worst thing wrong with it: a stable code, severity ``error`` or ``warning``, what is wrong, what to do. Never raises.
``validate(text) -> str``
    The canonical spelling; raises :class:`shared.errors.InvalidIdentifier` when the problem is an error. A warning passes.

Every function takes any text. ``IDENTIFIERS`` holds the modules by name.

>>> IDENTIFIERS["s10"].validate("RR 47312482 9 GB")
'RR473124829GB'
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from shared.identifiers import (
    air_waybill,
    despatch,
    eori,
    gtin,
    house_waybill,
    hs,
    ioss,
    lrn,
    mrn,
    receptacle,
    s10,
    ucr,
    voec,
)
from shared.identifiers.problem import IdentifierProblem

__all__ = ["IDENTIFIERS", "Identifier", "IdentifierProblem"]


class Identifier(Protocol):
    """What every module of this package offers."""

    def normalise(self, text: str, /) -> str:
        """Return the canonical spelling of *text*."""
        ...

    def problem(self, text: str, /) -> IdentifierProblem | None:
        """Return the worst thing wrong with *text*."""
        ...

    def validate(self, text: str, /) -> str:
        """Return the canonical spelling or raise."""
        ...


IDENTIFIERS: Mapping[str, Identifier] = MappingProxyType(
    {
        "s10": s10,
        "despatch": despatch,
        "receptacle": receptacle,
        "air_waybill": air_waybill,
        "house_waybill": house_waybill,
        "mrn": mrn,
        "lrn": lrn,
        "eori": eori,
        "ioss": ioss,
        "voec": voec,
        "gtin": gtin,
        "hs": hs,
        "ucr": ucr,
    }
)
