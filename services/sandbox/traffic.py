"""Seeded traffic: what a post, an express carrier and a platform would send, and what the hub must answer. Pure: the instant comes in, no
clock, no chance.

Most messages are in order. Some come again word for word, some say the same under a new name, some correct or cancel what was said, some
are broken on
purpose. Every send carries its expectation, so that a checker can prove that nothing was lost without asking the hub what it lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Final, Literal

from services.sandbox.bench import DESTINATIONS, ORIGIN
from services.sandbox.goods import ARMS, DEAR, VAGUE, Line, a_line, some_lines
from services.sandbox.people import Person, a_firm, a_person
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

POST: Final = "us-post"
CARRIER: Final = "swift-express"
PLATFORM: Final = "bazaar"

Via = Literal["kafka", "http"]


@dataclass(frozen=True, slots=True)
class Send:
    """One message as it leaves its sender, and what must come of it.

    ``key`` is the Kafka record's key, ``wait_seconds`` the pause before it. ``names`` are the message ids under which answers may speak
    of it.
    ``accepted`` holds the consignment or order key of each item that must be accepted, ``rejected`` how many answers must be rejections.
    """

    sender: str
    via: Via
    body: bytes
    content_type: str
    kind: str
    names: tuple[str, ...]
    accepted: tuple[str, ...] = ()
    rejected: int = 0
    items: int = 1
    key: str | None = None
    idempotency_key: str | None = None
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """All sends in their order."""

    sends: tuple[Send, ...]

    @property
    def items(self) -> int:
        return sum(send.items for send in self.sends)


@dataclass(slots=True)
class _Desk:
    """Where the plan is drawn up: chance, the instant, and the messages with their places on a line from 0 to 1."""

    random: Random
    now: datetime
    run: str
    placed: list[tuple[float, int, Send]] = field(default_factory=list)
    serial: int = 0

    def number(self) -> int:
        self.serial += 1
        return self.serial

    def put(self, place: float, send: Send) -> None:
        self.placed.append((place, len(self.placed), send))

    def happens(self, share: float) -> bool:
        return self.random.random() < share


def traffic(items: int, seed: int, now: datetime, *, rate: float = 0.0) -> Plan:
    """Return a plan of about *items* items around the instant *now*; the same arguments give the same plan.

    *rate* in items per second spaces the messages out; 0 means as fast as they are taken.
    """
    desk = _Desk(Random(seed), now, f"{seed:x}{now:%m%d%H%M%S}")
    _post(desk, round(items * 0.60))
    _carrier_and_platform(desk, round(items * 0.28), round(items * 0.12))
    _broken(desk, items)
    ordered = [send for _, _, send in sorted(desk.placed, key=lambda entry: entry[:2])]
    return Plan(tuple(replace(send, wait_seconds=send.items / rate) for send in ordered) if rate else tuple(ordered))


def _sizes(random: Random, total: int, most: int) -> Iterator[int]:
    """Yield message sizes from 1 to *most*, small ones more often, until *total* is used up."""
    while total > 0:
        size = min(total, max(1, round(most * random.random() ** 2)))
        total -= size
        yield size


def _lines(desk: _Desk) -> tuple[Line, ...]:
    """Return goods: mostly plain, now and then vague, dear, or arms."""
    drawn = desk.random.random()
    for share, article in ((0.005, ARMS), (0.010, VAGUE), (0.010, DEAR)):
        if drawn < share:
            return (a_line(article, desk.random),)
        drawn -= share
    return some_lines(desk.random)


# --- the post ---------------------------------------------------------------------------------------------------------


def _post(desk: _Desk, items: int) -> None:
    sellers = [a_firm("US", desk.random) for _ in range(40)]
    for size in _sizes(desk.random, items, 50):
        country = desk.random.choice(list(DESTINATIONS))
        parcels = [_postal_item(desk, desk.random.choice(sellers), country) for _ in range(size)]
        place = desk.random.random()
        original = _itmatt(desk, parcels, country, kind="original")
        spoiled = desk.happens(0.03) and size > 1
        desk.put(place, _with_a_bad_item(desk, parcels, country) if spoiled else original)
        _afterwards(desk, place, original, parcels[1:] if spoiled else parcels, country, repeatable=not spoiled)


def _postal_item(desk: _Desk, seller: Person, country: str) -> Parcel:
    service = desk.random.choice(("LA", "LZ", "UA", "CA", "EA"))
    run = int(sha256(desk.run.encode()).hexdigest(), 16) % 9000
    gift = desk.happens(0.08)
    return Parcel(
        number=s10(service, (run * 10_000 + desk.number()) % 100_000_000, "US"),
        consignor=a_person("US", desk.random) if gift else seller,
        consignee=a_person(country, desk.random),
        lines=_lines(desk),
        posted_at=(desk.now - timedelta(minutes=desk.random.randint(10, 1200))).replace(microsecond=0),
        gift=gift,
        ioss="IM5280001234" if not gift and desk.happens(0.6) else None,
    )


def _file_id(desk: _Desk) -> str:
    return f"{ORIGIN}-{desk.run}-{desk.number():06d}"


def _itmatt(
    desk: _Desk,
    parcels: Sequence[Parcel],
    country: str,
    *,
    kind: str,
    function: str = "ORIGINAL",
    version: int = 1,
    file_id: str | None = None,
    edit: Callable[[list[str]], list[str]] = lambda items: items,
    rejected: int = 0,
) -> Send:
    """Return one ITMATT over Kafka; the record's key is the lane, so one lane's files stay in order."""
    file_id = file_id or _file_id(desk)
    destination = DESTINATIONS[country]
    items = edit([itmatt_item(parcel, ORIGIN, destination, function=function, version=version) for parcel in parcels])
    body = itmatt_file(file_id, items, ORIGIN, destination, desk.now)
    return Send(
        POST,
        "kafka",
        body,
        "application/xml",
        kind,
        names=(file_id,),
        accepted=tuple(post_key(parcel.number) for parcel in parcels[rejected:]),
        rejected=rejected,
        items=len(items),
        key=f"{ORIGIN}-{destination}",
    )


def _with_a_bad_item(desk: _Desk, parcels: Sequence[Parcel], country: str) -> Send:
    """Return a file whose first item lacks what the format asks for; its neighbours are good."""

    def without_weight(items: list[str]) -> list[str]:
        start, end = items[0].index("<GrossWeight>"), items[0].index("</GrossWeight>") + len("</GrossWeight>")
        return [items[0][:start] + items[0][end:], *items[1:]]

    return _itmatt(desk, parcels, country, kind="a bad item among good ones", edit=without_weight, rejected=1)


def _afterwards(desk: _Desk, place: float, original: Send, parcels: Sequence[Parcel], country: str, *, repeatable: bool) -> None:
    """Put what follows some messages: the same again, the same under a new name, a correction, a cancellation."""

    def later() -> float:
        return place + (1.0 - place) * desk.random.uniform(0.1, 1.0)

    if repeatable and desk.happens(0.08):
        desk.put(later(), replace(original, kind="the same message again"))
    if repeatable and desk.happens(0.04):
        desk.put(later(), _itmatt(desk, parcels, country, kind="the same content, a new message"))
    if desk.happens(0.10):
        changed = [_corrected(parcel) for parcel in desk.random.sample(parcels, max(1, len(parcels) // 8))]
        desk.put(later(), _itmatt(desk, changed, country, kind="a correction", function="REPLACE", version=2))
    if desk.happens(0.08):
        gone = [desk.random.choice(parcels)]
        desk.put(1.0 + place, _itmatt(desk, gone, country, kind="a cancellation", function="CANCEL", version=3))


def _corrected(parcel: Parcel) -> Parcel:
    first = parcel.lines[0]
    dearer = first._replace(amount=first.amount + Decimal("5.00"))
    return parcel._replace(lines=(dearer, *parcel.lines[1:]))


# --- the carrier and the platform -------------------------------------------------------------------------------------


def _carrier_and_platform(desk: _Desk, houses: int, orders: int) -> None:
    shippers = [a_firm("CN", desk.random) for _ in range(25)]
    ordered_share = min(1.0, orders / max(houses, 1))
    before: list[tuple[float, Parcel]] = []
    after: list[tuple[float, Parcel]] = []
    for size in _sizes(desk.random, houses, 40):
        place = desk.random.random()
        parcels = [_house(desk, desk.random.choice(shippers), with_order=desk.happens(ordered_share)) for _ in range(size)]
        _manifests(desk, place, parcels)
        for parcel in parcels:
            if parcel.order:
                (before if desk.happens(0.5) else after).append((place, parcel))
    _orders(desk, before, lambda place: place * desk.random.uniform(0.0, 0.9))
    _orders(desk, after, lambda place: place + (1.0 - place) * desk.random.uniform(0.1, 1.0))


def _house(desk: _Desk, shipper: Person, *, with_order: bool) -> Parcel:
    number = desk.number()
    country = desk.random.choice(list(DESTINATIONS))
    return Parcel(
        number=f"SX{desk.run.upper()}{number:06d}",
        consignor=shipper,
        consignee=a_person(country, desk.random),
        lines=_lines(desk),
        posted_at=desk.now,
        ioss="IM3720000018" if desk.happens(0.5) else None,
        order=(PLATFORM, f"{desk.run}-{number}") if with_order else None,
    )


def _flight(desk: _Desk) -> Flight:
    return Flight(
        manifest_no=f"SX-{desk.run}-{desk.number():05d}",
        mawb=air_waybill("888", desk.random.randrange(10_000_000)),
        number=f"XX{desk.random.randint(1000, 9999)}",
        departs_at=desk.now + timedelta(hours=desk.random.randint(6, 30)),
        dep_airport="SZX",
        arr_airport=desk.random.choice(("LGG", "AMS", "CGN", "CDG")),
    )


def _manifests(desk: _Desk, place: float, parcels: Sequence[Parcel]) -> None:
    original = _manifest(desk, parcels, kind="original")
    desk.put(place, original)
    later = place + (1.0 - place) * desk.random.uniform(0.1, 1.0)
    if desk.happens(0.06):
        desk.put(later, replace(original, kind="the same message again"))
    if desk.happens(0.08):
        changed = [_corrected(parcel) for parcel in desk.random.sample(parcels, max(1, len(parcels) // 8))]
        desk.put(later, _manifest(desk, changed, kind="a correction"))


def _manifest(desk: _Desk, parcels: Sequence[Parcel], *, kind: str, bad: int = 0) -> Send:
    """Return one manifest over HTTP, CSV or JSON; the first *bad* houses lack their consignee."""
    flight = _flight(desk)
    rows = [row for parcel in parcels for row in manifest_rows(parcel, flight)]
    spoiled = {parcel.number for parcel in parcels[:bad]}
    rows = [{**row, "consignee_name": ""} if row["hawb"] in spoiled else row for row in rows]
    as_csv = desk.happens(0.5)
    body = manifest_csv(rows) if as_csv else manifest_json(rows)
    return Send(
        CARRIER,
        "http",
        body,
        "text/csv" if as_csv else "application/json",
        kind,
        names=(flight.manifest_no, _digest_name(body)),
        accepted=tuple(express_key(CARRIER, parcel.number) for parcel in parcels[bad:]),
        rejected=bad,
        items=len(parcels),
        idempotency_key=flight.manifest_no,
    )


def _orders(desk: _Desk, parcels: Sequence[tuple[float, Parcel]], place_of: Callable[[float], float]) -> None:
    """Put the orders of *parcels* in messages of up to 20, each in the place that its last parcel gives."""
    waiting = list(parcels)
    while waiting:
        size = desk.random.randint(1, 20)
        batch, waiting = waiting[:size], waiting[size:]
        desk.put(place_of(max(place for place, _ in batch)), _order_message(desk, [parcel for _, parcel in batch]))


def _order_message(desk: _Desk, parcels: Sequence[Parcel]) -> Send:
    message_id = f"BZ-{desk.run}-{desk.number():05d}"
    body = orders_json(message_id, [order_of(parcel, desk.now - timedelta(hours=30)) for parcel in parcels])
    return Send(
        PLATFORM,
        "http",
        body,
        "application/json",
        "original",
        names=(message_id, _digest_name(body)),
        accepted=tuple(order_key(OrderRef(platform_id=p.order[0], order_id=p.order[1])) for p in parcels if p.order),
        items=len(parcels),
        idempotency_key=message_id,
    )


# --- broken on purpose ------------------------------------------------------------------------------------------------


def _broken(desk: _Desk, items: int) -> None:
    """Put at least one of each kind of broken message, more of them in larger plans."""
    for _ in range(max(1, items // 1000)):
        for make in (_truncated, _of_unknown_format, _miscounted, _manifest_with_a_bad_house, _not_json):
            desk.put(desk.random.random(), make(desk))
        _same_name_other_content(desk)


def _one_item(desk: _Desk, country: str) -> Parcel:
    return _postal_item(desk, a_firm("US", desk.random), country)


def _truncated(desk: _Desk) -> Send:
    whole = _itmatt(desk, [_one_item(desk, "NL")], "NL", kind="truncated XML")
    body = whole.body[: len(whole.body) * 2 // 3]
    return replace(whole, body=body, names=(*whole.names, _digest_name(body)), accepted=(), rejected=1)


def _of_unknown_format(desk: _Desk) -> Send:
    body = f"PARCEL;{desk.run}-{desk.number()};one box, contents as agreed by telephone\r\n".encode()
    return Send(POST, "kafka", body, "text/plain", "an unknown format", names=(_digest_name(body),), rejected=1, key=f"{ORIGIN}-NLP")


def _miscounted(desk: _Desk) -> Send:
    whole = _itmatt(desk, [_one_item(desk, "DE"), _one_item(desk, "DE")], "DE", kind="a wrong control total")
    body = whole.body.replace(b"<ItemCount>2</ItemCount>", b"<ItemCount>3</ItemCount>")
    return replace(whole, body=body, names=(*whole.names, _digest_name(body)), accepted=(), rejected=1)


def _manifest_with_a_bad_house(desk: _Desk) -> Send:
    shipper = a_firm("CN", desk.random)
    parcels = [_house(desk, shipper, with_order=False) for _ in range(5)]
    return _manifest(desk, parcels, kind="a bad item among good ones", bad=1)


def _not_json(desk: _Desk) -> Send:
    body = b'{"orders": [{"order_id": "%b-%d", "platform_id": "bazaar", ' % (desk.run.encode(), desk.number())
    return Send(
        PLATFORM,
        "http",
        body,
        "application/json",
        "truncated JSON",
        names=(_digest_name(body),),
        rejected=1,
        idempotency_key=_digest_name(body),
    )


def _same_name_other_content(desk: _Desk) -> None:
    """Put two files about one item under one name: the first counts, the second is a conflict."""
    place = desk.random.random()
    parcel = _one_item(desk, "FR")
    first = _itmatt(desk, [parcel], "FR", kind="original")
    desk.put(place, first)
    second = _itmatt(desk, [_corrected(parcel)], "FR", kind="the same name, other content", file_id=first.names[0])
    desk.put(place + (1.0 - place) * 0.5, replace(second, accepted=(), rejected=1))


def _digest_name(body: bytes) -> str:
    """Return the message id that the hub gives to a message without one of its own."""
    return f"sha256:{sha256(body).hexdigest()}"
