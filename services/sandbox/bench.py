"""Many ITMATT messages fast: about 2.9 kB with one item of three content pieces each, for the benchmark and the fault tests.

Some hundred items are written out once, then only their numbers change, so that a generator costs microseconds a message and not more
than the hub it feeds. Measured on one core: about 500,000 messages a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from services.sandbox.goods import ARTICLES, a_line
from services.sandbox.people import a_firm, a_person
from services.sandbox.writers import Parcel, itmatt_file, itmatt_item, s10

ORIGIN: Final = "USP"
DESTINATIONS: Final = {"NL": "NLP", "DE": "DEP", "FR": "FRP", "BE": "BEP", "IT": "ITP", "ES": "ESP", "PL": "PLP"}
_VARIANTS: Final = 256
_PREPARED_AT: Final = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


class BenchItem(NamedTuple):
    """One message with one item: its S10 number, and the bytes."""

    number: str
    body: bytes


def bench_items(
    n: int, seed: int = 7, *, first: int = 0, country: str | None = None, prepared_at: datetime = _PREPARED_AT
) -> Iterator[BenchItem]:
    """Yield *n* messages of one item each; numbers rise from *first*, and the same *seed* and *first* always give the same bytes."""
    files = [_file_template(item, destination, prepared_at) for item, destination in _item_templates(seed, country, prepared_at)]
    count = len(files)
    for serial in range(first, first + n):
        number = _number(serial, seed)
        yield BenchItem(number, files[serial % count] % (b"B%d-%d" % (seed, serial), number.encode(), serial))


def bench_file(n_items: int, seed: int = 7, *, first: int = 0, country: str = "NL", prepared_at: datetime = _PREPARED_AT) -> bytes:
    """Return one message of *n_items* items (a profile's limit is 5,000), with the numbers from *first* on."""
    templates = [item.encode() for item, _ in _item_templates(seed, country, prepared_at)]
    items = (templates[serial % len(templates)] % (_number(serial, seed).encode(), serial) for serial in range(first, first + n_items))
    whole = itmatt_file("@ID@", ["@ITEMS@"], ORIGIN, DESTINATIONS[country], prepared_at, count=n_items)
    return whole.replace(b"@ID@", b"F%d-%d-%d" % (seed, first, n_items)).replace(b"@ITEMS@", b"".join(items))


def _number(serial: int, seed: int) -> str:
    """Return the S10 of the *serial*-th item: the letters LA to LZ come first, then the serial number, then another start for another
    seed."""
    return s10("L" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(seed + serial // 100_000_000) % 26], serial % 100_000_000, "US")


def _item_templates(seed: int, country: str | None, prepared_at: datetime) -> list[tuple[str, str]]:
    """Return items with ``%b`` for the number and ``%d`` for the order number, each with its destination post."""
    random = Random(seed)
    countries = [country] if country else list(DESTINATIONS)
    return [_item_template(random, countries[n % len(countries)], prepared_at) for n in range(_VARIANTS)]


def _item_template(random: Random, country: str, prepared_at: datetime) -> tuple[str, str]:
    parcel = Parcel(
        number="@NUMBER@",
        consignor=a_firm("US", random),
        consignee=a_person(country, random),
        lines=tuple(a_line(article, random) for article in random.sample(ARTICLES, 3)),
        posted_at=prepared_at - timedelta(hours=random.randint(1, 20)),
        ioss="IM5280001234" if random.random() < 0.5 else None,
        order=("-", "@ORDER@"),
    )
    written = itmatt_item(parcel, ORIGIN, DESTINATIONS[country]).replace("%", "%%")
    padded = written.replace("<ContentPieces>", _DOCUMENTED + "<ContentPieces>")
    return padded.replace("@NUMBER@", "%b").replace("@ORDER@", "OR-%d"), DESTINATIONS[country]


# What brings an item to the size of real ones: first and last names, a second address line, a fax, a duty-paid reference.
_DOCUMENTED: Final = (
    "<SenderAddressLine2>Building 4, Unit 7, Dock 12 East</SenderAddressLine2><SenderFax>+13235550143</SenderFax>"
    "<SenderIdRef>12-3456789</SenderIdRef>"
    "<RecipientAddressLine2>Second floor, left, ring twice</RecipientAddressLine2><DutyPaidRef>DDP-2026-0000451-US</DutyPaidRef>"
    "<InsuredValue>50.00</InsuredValue><InsuredValueCurrencyCd>USD</InsuredValueCurrencyCd><Documents><Document><DocumentType>380</DocumentType>"
    "<DocumentId>INV-88121</DocumentId><DocumentName>invoice.pdf</DocumentName></Document></Documents>"
)


def _file_template(item: str, destination: str, prepared_at: datetime) -> bytes:
    return itmatt_file("%b", [item], ORIGIN, destination, prepared_at)
