"""What authorities' own codes mean in the hub's neutral words: one crosswalk for all systems (``data/decisions.csv``).

``system`` names the family of codes: ``cusres`` (UN/EDIFACT 7365), ``cusres-bgm`` (1225 and 1001), ``contrl`` (0083), ``ics2`` (message
names), ``cds`` (UK function codes), ``us-air`` (disposition codes), ``placi`` (pre-loading codes of the USA and Canada), ``xcsn``,
``cusrsp`` (hub decisions), ``itmref``, ``asycuda`` (milestones and lanes).

A meaning has a track: what an authority says of the filing or before loading never frees goods. The ``outcome`` is therefore the most
that may be concluded from the code alone: only a release on the clearance track is ``release``; a filing that was merely received or
accepted, or assessed before loading, still waits (``hold``, reason ``no_answer``). An unknown code is a hold, never dropped.

>>> meaning("cusres", "4").decision, meaning("cusres", "4").outcome
('RELEASE', 'release')
>>> meaning("placi", "6I").decision, meaning("placi", "6I").lifted
('DO_NOT_LOAD', True)
>>> meaning("cusres", "999") is UNKNOWN
True
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, cast

from shared.codes.tables import read_table
from shared.errors import Misconfigured

Track = Literal["filing", "pre_loading", "clearance"]


class Meaning(NamedTuple):
    """What a code says. ``decision`` is one of the neutral words, ``reason`` a public reason; ``lifted`` ends an earlier decision."""

    decision: str
    track: Track
    outcome: str
    lifted: bool
    reason: str
    text: str


_FOLLOWS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "RECEIVED": ("hold", "no_answer"),
        "ACCEPTED": ("hold", "no_answer"),
        "REJECTED": ("referral", "data_missing"),
        "ASSESSED_OK": ("hold", "no_answer"),
        "INFO_REQUESTED": ("referral", "data_missing"),
        "DOCS_REQUESTED": ("document_check", "documents_needed"),
        "SCREEN_REQUESTED": ("hold", "security"),
        "EXAMINE": ("physical_check", "examination"),
        "HOLD": ("hold", "other"),
        "DO_NOT_LOAD": ("hold", "security"),
        "TRANSFER_OK": ("hold", "no_answer"),
        "RELEASE": ("release", "other"),
        "REFUSE": ("hold", "prohibited_goods"),
        "PAYMENT_REQUIRED": ("document_check", "payment_due"),
        "CANCELLED": ("hold", "no_answer"),
    }
)
"""Neutral word → outcome and public reason."""

UNKNOWN: Final = Meaning("HOLD", "clearance", "hold", False, "other", "unknown_code")
"""A code that the table does not have."""


def meaning(system: str, code: str) -> Meaning:
    """Return what *code* of *system* says; :data:`UNKNOWN` when the table does not have it."""
    return _table().get((system, code), UNKNOWN)


def of_decision(decision: str, track: Track) -> Meaning:
    """Return the meaning of a neutral word that a partner's own code map names."""
    outcome, reason = _FOLLOWS[decision]
    return Meaning(decision, track, outcome, False, reason, "")


@cache
def code_of(system: str, decision: str) -> str | None:
    """Return the first code of *system* that says *decision* and lifts nothing: the one to write."""
    return next((code for (name, code), said in _table().items() if name == system and said.decision == decision and not said.lifted), None)


@cache
def _table() -> Mapping[tuple[str, str], Meaning]:
    table: dict[tuple[str, str], Meaning] = {}
    for row in read_table("decisions"):
        entry = (row["system"], row["code"])
        if entry in table or row["decision"] not in _FOLLOWS or row["track"] not in ("filing", "pre_loading", "clearance"):
            raise Misconfigured(f"code list decisions.csv: {row['system']} {row['code']} stands twice or has an unknown decision or track")
        outcome, reason = _FOLLOWS[row["decision"]]
        lifted = row["lifted"] == "true"
        table[entry] = Meaning(row["decision"], cast(Track, row["track"]), outcome, lifted, reason, row["meaning"])
    return MappingProxyType(table)
