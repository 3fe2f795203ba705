"""Low-value import rules by country, with the dates they hold: ``data/country_profiles``.

Thresholds move in every direction, so each is dated data; a past declaration is always judged by the row of its own day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.codes.tables import Row, amount, names, read_table
from shared.errors import Misconfigured

ALL = "all"

# The words of the column channel_scope, as the hub's channels. Express consignments fly.
_CHANNELS: dict[str, frozenset[str]] = {
    ALL: frozenset(),
    "express": frozenset({"express"}),
    "air and post": frozenset({"air", "express", "post"}),
}


class Profile(BaseModel):
    """One row: what a destination asks for low-value goods in a period. Amounts are in ``threshold_currency``.

    ``duty_de_minimis`` and ``tax_de_minimis`` are inclusive: goods up to and including the amount carry none; 0 is no exemption,
    None is not known. A suspended row has both at 0. Empty ``origins`` or ``channels`` means all.
    """

    model_config = ConfigDict(frozen=True)

    row_id: str
    destination: str
    name: str
    national_currency: str
    valid_from: date
    valid_to: date | None
    origins: frozenset[str]
    channels: frozenset[str]
    threshold_currency: str
    duty_de_minimis: Decimal | None
    tax_de_minimis: Decimal | None
    value_basis: str
    seller_collection_limit: Decimal | None
    simplified_limit: Decimal | None
    flat_charge: str
    collection_models: tuple[str, ...]
    status: Literal["in_force", "suspended", "ended", "announced"]
    confidence: Literal["A", "B", "C", "D"]
    as_of: str
    source: str
    note: str

    @property
    def threshold_confirmed(self) -> bool:
        """Whether a release may rest on the thresholds: rows from aggregators (C, D) mark the result ``threshold_unconfirmed``."""
        return self.confidence in ("A", "B")

    def covers(self, on: date, channel: str, origin: str) -> bool:
        """Whether the row applies to goods from *origin* by *channel* accepted on that day."""
        return (
            self.valid_from <= on
            and (self.valid_to is None or on <= self.valid_to)
            and (not self.origins or origin in self.origins)
            and (not self.channels or channel in self.channels)
        )

    @classmethod
    def of_row(cls, row: Row) -> Self:
        """Read one line of the file."""
        suspended = row["status"] == "suspended"
        row_id = "/".join((row["iso2"], row["valid_from"], row["origin_scope"], row["channel_scope"]))

        def relief(column: str) -> Decimal | None:
            return Decimal(0) if suspended else amount(row[column], f"country_profiles {row_id} {column}")

        return cls.model_validate(
            {
                **row,
                "row_id": row_id,
                "destination": row["iso2"],
                "name": row["country"],
                "valid_to": row["valid_to"] or None,
                "origins": frozenset() if row["origin_scope"] == ALL else frozenset(names(row["origin_scope"])),
                "channels": _CHANNELS[row["channel_scope"]],
                "duty_de_minimis": relief("duty_de_minimis"),
                "tax_de_minimis": relief("tax_de_minimis"),
                "seller_collection_limit": row["seller_collection_limit"] or None,
                "simplified_limit": row["simplified_limit"] or None,
                "collection_models": names(row["collection_models"]),
            }
        )


def read_profiles(rows: Iterable[Row]) -> dict[str, tuple[Profile, ...]]:
    """Return the profiles of *rows* by destination; raises :class:`Misconfigured` for a row that breaks the format."""
    found: dict[str, list[Profile]] = {}
    try:
        for row in rows:
            profile = Profile.of_row(row)
            found.setdefault(profile.destination, []).append(profile)
    except (KeyError, ValidationError) as exc:
        raise Misconfigured(f"country profiles: {exc}") from exc
    return {destination: tuple(profiles) for destination, profiles in found.items()}


@cache
def profiles() -> dict[str, tuple[Profile, ...]]:
    """Return the shipped profiles by destination."""
    return read_profiles(read_table("country_profiles/country_profiles"))


def profile_for(
    destination: str,
    on: date,
    channel: str,
    origin: str,
    confirmed_announcements: Collection[str] = (),
) -> Profile | None:
    """Return the row for goods from *origin* to *destination* by *channel* (post, express, freight, air) accepted *on* a day.

    The narrower origin or channel scope wins, then the row that began last. An announced row counts only when an operator has put
    its ``row_id`` into *confirmed_announcements*. None means: treat as no exemption.
    """
    return choose(profiles().get(destination, ()), on, channel, origin, confirmed_announcements)


def choose(
    rows: Sequence[Profile],
    on: date,
    channel: str,
    origin: str,
    confirmed_announcements: Collection[str] = (),
) -> Profile | None:
    """Return the row of *rows* (one destination) that applies; see :func:`profile_for`."""
    fitting = [
        row for row in rows if row.covers(on, channel, origin) and (row.status != "announced" or row.row_id in confirmed_announcements)
    ]
    return max(
        fitting,
        key=lambda row: (
            bool(row.origins) + bool(row.channels),
            bool(row.origins),
            row.valid_from,
        ),
        default=None,
    )
