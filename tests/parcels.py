"""Messages as a sender would write them, for tests of a whole hub. Each call gives a parcel with a number of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from services.sandbox.goods import ARTICLES, a_line
from services.sandbox.people import a_firm, a_person
from services.sandbox.traffic import CARRIER, PLATFORM
from services.sandbox.writers import (
    Flight,
    Parcel,
    air_waybill,
    itmatt_file,
    itmatt_item,
    manifest_csv,
    manifest_json,
    manifest_rows,
    order_of,
    orders_json,
    s10,
)
from shared.contracts import express_key, order_key, post_key
from shared.model import OrderRef

_NUMBERS: Final = itertools.count(1)
_RANDOM: Final = Random(11)
SHIRT: Final = ARTICLES[0]


def now() -> datetime:
    """Return the present second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def a_postal_item(country: str = "NL", **changes: Any) -> Parcel:
    """Return a postal item from the United States with one shirt in it."""
    values: dict[str, Any] = {
        "number": s10("LZ", next(_NUMBERS), "US"),
        "consignor": a_firm("US", _RANDOM),
        "consignee": a_person(country, _RANDOM),
        "lines": (a_line(SHIRT, _RANDOM),),
        "posted_at": now() - timedelta(hours=2),
        "ioss": "IM5280001234",
    }
    return Parcel(**(values | changes))


def a_house(country: str = "NL", **changes: Any) -> Parcel:
    """Return an express house consignment from China with one shirt in it."""
    values: dict[str, Any] = {
        "number": f"SXT{next(_NUMBERS):08d}",
        "consignor": a_firm("CN", _RANDOM),
        "consignee": a_person(country, _RANDOM),
        "lines": (a_line(SHIRT, _RANDOM),),
        "posted_at": now() - timedelta(hours=2),
        "ioss": "IM3720000018",
    }
    return Parcel(**(values | changes))


def ordered(parcel: Parcel) -> Parcel:
    """Return *parcel* as what fulfils an order of the platform."""
    return parcel._replace(order=(PLATFORM, f"T-{next(_NUMBERS)}"))


def dearer(parcel: Parcel) -> Parcel:
    """Return *parcel* with a higher value."""
    first = parcel.lines[0]
    return parcel._replace(lines=(first._replace(amount=first.amount + Decimal(3)), *parcel.lines[1:]))


def postal_key(parcel: Parcel) -> str:
    """Return the key of a postal item."""
    return post_key(parcel.number)


def house_key(parcel: Parcel) -> str:
    """Return the key of an express house consignment."""
    return express_key(CARRIER, parcel.number)


def key_of_order(parcel: Parcel) -> str:
    """Return the key of the order that *parcel* fulfils."""
    platform_id, order_id = parcel.order or ("", "")
    return order_key(OrderRef(platform_id=platform_id, order_id=order_id))


def itmatt(*parcels: Parcel, country: str = "NL", file_id: str | None = None, function: str = "ORIGINAL", version: int = 1) -> bytes:
    """Return an ITMATT of *parcels*."""
    items = [itmatt_item(parcel, "USP", f"{country}P", function=function, version=version) for parcel in parcels]
    return itmatt_file(file_id or f"T-{next(_NUMBERS)}", items, "USP", f"{country}P", now())


def without(element: str, message: bytes, number: int = 1) -> bytes:
    """Return an ITMATT without the *number*-th element of that name (1-based)."""
    start = -1
    for _ in range(number):
        start = message.index(f"<{element}>".encode(), start + 1)
    closing = f"</{element}>".encode()
    return message[:start] + message[message.index(closing, start) + len(closing) :]


def manifest(*parcels: Parcel, as_csv: bool = True) -> bytes:
    """Return a carrier's manifest of *parcels*, as CSV or JSON."""
    number = next(_NUMBERS)
    flight = Flight(f"T-{number}", air_waybill("888", number), "XX8012", now() + timedelta(hours=8), "SZX", "LGG")
    rows = [row for parcel in parcels for row in manifest_rows(parcel, flight)]
    return manifest_csv(rows) if as_csv else manifest_json(rows)


def orders(parcels: Sequence[Parcel]) -> bytes:
    """Return the platform's orders behind *parcels*."""
    return orders_json(f"T-{next(_NUMBERS)}", [order_of(parcel, now() - timedelta(days=1)) for parcel in parcels])
