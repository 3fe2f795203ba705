"""How the pretend senders write: ITMATT XML of the hub profile, manifests as CSV and JSON, orders as JSON. Pure; instants come in."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import orjson

from services.sandbox.goods import Line
from services.sandbox.people import Person

# UPU S10, section 5: weights of the eight serial digits
_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)


def _sums(weights: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(int(d) * w for d, w in zip(f"{n:04d}", weights, strict=True)) for n in range(10_000))


_HIGH, _LOW = _sums(_WEIGHTS[:4]), _sums(_WEIGHTS[4:])
_CHECK: Final = tuple({10: 0, 11: 5}.get(11 - rest, 11 - rest) for rest in range(11))


def s10(service: str, serial: int, country: str) -> str:
    """Return the S10 identifier with its check digit; *serial* below 10^8.

    >>> s10("RR", 47312482, "GB")
    'RR473124829GB'
    """
    check = _CHECK[(_HIGH[serial // 10_000] + _LOW[serial % 10_000]) % 11]
    return f"{service}{serial:08d}{check}{country}"


class Parcel(NamedTuple):
    """One house consignment before it is written in anybody's format. ``number`` is the S10 or the house waybill."""

    number: str
    consignor: Person
    consignee: Person
    lines: tuple[Line, ...]
    posted_at: datetime
    gift: bool = False
    ioss: str | None = None
    order: tuple[str, str] | None = None

    @property
    def gross_mass_kg(self) -> Decimal:
        return sum((line.net_mass_kg for line in self.lines), Decimal("0.120"))


# --- ITMATT ---------------------------------------------------------------------------------------------------------

_PIECE: Final = (
    "<ContentPiece><Index>{index}</Index><Number>{line.quantity}</Number><Description>{description}</Description><NetWeight>{line.net_mass_kg}</NetWeight>"
    "<Amount>{line.amount}</Amount><CurrencyCd>USD</CurrencyCd><HS>{line.hs_code}</HS><OrigCountryCd>{line.origin}</OrigCountryCd></ContentPiece>"
)

_ITEM: Final = (
    '<Item Function="{function}" Version="{version}"><MailObject><Id>{id}</Id><TypeCd>MI</TypeCd><MailClassCd>{mail_class}</MailClassCd>'
    "<MailCategoryCd>A</MailCategoryCd><OrigPostOrgCd>{origin}</OrigPostOrgCd><DestPostOrgCd>{destination}</DestPostOrgCd><PostingDt>{posted}</PostingDt>"
    "</MailObject><Declaration><Data><GrossWeight>{gross}</GrossWeight><HandlingClassCd>N</HandlingClassCd><NatureTypeCd>{nature}</NatureTypeCd>"
    "<Postage>{postage}</Postage><PostageCurrencyCd>USD</PostageCurrencyCd><TransportMode>4</TransportMode><TransportDate>{leaves}</TransportDate>{sender}{recipient}{tax}"
    "<ContentPieces>{pieces}</ContentPieces>{extra}</Data></Declaration></Item>"
)

_PARTY: Final = (
    "<{role}Name>{name}</{role}Name><{role}AddressLine1>{street}</{role}AddressLine1><{role}City>{city}</{role}City>{region}"
    "<{role}ZIP>{p.postcode}</{role}ZIP><{role}CountryCd>{p.country}</{role}CountryCd><{role}Telephone>{p.phone}</{role}Telephone>"
    "<{role}Email>{p.email}</{role}Email>"
)

_CANCEL: Final = (
    '<Item Function="CANCEL" Version="{version}"><MailObject><Id>{id}</Id><OrigPostOrgCd>{origin}</OrigPostOrgCd>'
    "<DestPostOrgCd>{destination}</DestPostOrgCd><PostingDt>{posted}</PostingDt></MailObject></Item>"
)

_FILE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ItmattFile xmlns="urn:hub:postal:itmatt:1" version="1.0"><Header><FileId>{file_id}</FileId>'
    "<MessageType>ITMATT</MessageType><SenderOrgCd>{origin}</SenderOrgCd><RecipientOrgCd>{destination}</RecipientOrgCd><PreparedDt>{prepared}</PreparedDt>"
    "<TestInd>false</TestInd><ItemCount>{count}</ItemCount></Header>{items}</ItmattFile>"
)


def itmatt_item(parcel: Parcel, origin: str, destination: str, *, function: str = "ORIGINAL", version: int = 1) -> str:
    """Return one ``Item`` of an ITMATT."""
    if function == "CANCEL":
        return _CANCEL.format(
            version=version, id=parcel.number, origin=origin, destination=destination, posted=parcel.posted_at.isoformat(timespec="seconds")
        )
    return _ITEM.format(
        function=function,
        version=version,
        id=parcel.number,
        mail_class={"C": "C", "E": "E"}.get(parcel.number[:1], "U"),
        origin=origin,
        destination=destination,
        posted=parcel.posted_at.isoformat(timespec="seconds"),
        gross=parcel.gross_mass_kg,
        nature="31" if parcel.gift else "11",
        postage="14.20",
        leaves=parcel.posted_at.date().isoformat(),
        sender=_party("Sender", parcel.consignor),
        recipient=_party("Recipient", parcel.consignee),
        tax=f'<TaxId scheme="IOSS" role="PLATFORM">{parcel.ioss}</TaxId>' if parcel.ioss else "",
        pieces="".join(_PIECE.format(index=i, line=line, description=escape(line.description)) for i, line in enumerate(parcel.lines, 1)),
        extra=f'<ExtraField name="OrderNumber">{parcel.order[1]}</ExtraField>' if parcel.order else "",
    )


def _party(role: str, p: Person) -> str:
    region = f"<{role}State>{p.region}</{role}State>" if p.region else ""
    return _PARTY.format(role=role, p=p, name=escape(p.name), street=escape(p.street), city=escape(p.city), region=region)


def itmatt_file(
    file_id: str, items: Sequence[str], origin: str, destination: str, prepared_at: datetime, *, count: int | None = None
) -> bytes:
    """Return a whole ITMATT of written *items*; *count* is the control total where it is to be wrong."""
    return _FILE.format(
        file_id=file_id,
        origin=origin,
        destination=destination,
        prepared=prepared_at.isoformat(timespec="seconds"),
        count=len(items) if count is None else count,
        items="".join(items),
    ).encode()


# --- manifests --------------------------------------------------------------------------------------------------------


class Flight(NamedTuple):
    """What all houses of one manifest share. ``mawb`` is an air waybill with its check digit."""

    manifest_no: str
    mawb: str
    number: str
    departs_at: datetime
    dep_airport: str
    arr_airport: str


def air_waybill(prefix: str, serial: int) -> str:
    """Return an air waybill number; the check digit is the seven-digit *serial* modulo 7 (IATA Resolution 600a)."""
    return f"{prefix}-{serial:07d}{serial % 7}"


def manifest_rows(parcel: Parcel, flight: Flight) -> list[dict[str, str]]:
    """Return one row per goods line, the consignment's columns repeated on each."""
    shared = {
        "manifest_no": flight.manifest_no,
        "mawb": flight.mawb,
        "flight": flight.number,
        "flight_date": flight.departs_at.date().isoformat(),
        "dep_airport": flight.dep_airport,
        "arr_airport": flight.arr_airport,
        "hawb": parcel.number,
        "tracking_no": parcel.number,
        **_columns("shipper", parcel.consignor),
        **_columns("consignee", parcel.consignee),
        "consignee_person_type": "1",
        "pieces": "1",
        "gross_weight": str(parcel.gross_mass_kg),
        "weight_unit": "KG",
        "sale_type": "C2C" if parcel.gift else "B2C",
        "tax_scheme": "IOSS" if parcel.ioss else "STANDARD",
        "ioss_no": parcel.ioss or "",
        "platform": parcel.order[0] if parcel.order else "",
        "order_id": parcel.order[1] if parcel.order else "",
    }
    return [{**shared, **_goods_columns(number, line)} for number, line in enumerate(parcel.lines, 1)]


def _columns(role: str, p: Person) -> dict[str, str]:
    values = {"name": p.name, "address1": p.street, "city": p.city, "region": p.region, "postcode": p.postcode, "country": p.country}
    return {f"{role}_{name}": value for name, value in {**values, "phone": p.phone, "email": p.email}.items()}


def _goods_columns(number: int, line: Line) -> dict[str, str]:
    return {
        "item_no": str(number),
        "description": line.description,
        "hs_code": line.hs_code,
        "origin_country": line.origin,
        "quantity": str(line.quantity),
        "item_net_kg": str(line.net_mass_kg),
        "item_value": str(line.amount),
        "currency": "EUR",
    }


def manifest_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return the rows as CSV with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def manifest_json(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return the rows as the JSON form of the manifest: the flight once, the goods lines under their consignment, empty columns left
    out."""
    houses: dict[str, dict[str, object]] = {}
    for row in rows:
        given = {name: value for name, value in row.items() if value}
        house = houses.setdefault(row["hawb"], {**_without(given, _FLIGHT | _GOODS), "items": []})
        lines = house["items"]
        assert isinstance(lines, list)
        lines.append({name: value for name, value in given.items() if name in _GOODS})
    flight = {name: value for name, value in rows[0].items() if name in _FLIGHT}
    return orjson.dumps({**flight, "consignments": list(houses.values())})


_FLIGHT: Final = frozenset({"manifest_no", "mawb", "flight", "flight_date", "dep_airport", "arr_airport"})
_GOODS: Final = frozenset({"item_no", "description", "hs_code", "origin_country", "quantity", "item_net_kg", "item_value", "currency"})


def _without(row: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in names}


# --- orders -----------------------------------------------------------------------------------------------------------


def order_of(parcel: Parcel, ordered_at: datetime) -> dict[str, object]:
    """Return the platform's order behind *parcel*."""
    platform_id, order_id = parcel.order or ("", "")
    total = sum((line.amount for line in parcel.lines), Decimal(0))
    return {
        "order_id": order_id,
        "platform_id": platform_id,
        "order_datetime": ordered_at.isoformat(timespec="seconds"),
        "order_status": "paid",
        "business_model": "b2c",
        "order_total": _money(total),
        "seller": {"name": parcel.consignor.name, "country": parcel.consignor.country},
        "buyer": {"name": parcel.consignee.name, "country": parcel.consignee.country},
        "country_of_destination": parcel.consignee.country,
        "lines": [_order_line(number, line) for number, line in enumerate(parcel.lines, 1)],
    }


def _order_line(number: int, line: Line) -> dict[str, object]:
    return {
        "sequence_number": number,
        "goods_description": line.description,
        "hs_code": line.hs_code,
        "country_of_origin": line.origin,
        "quantity": str(line.quantity),
        "item_amount": _money(line.amount),
    }


def _money(amount: Decimal) -> dict[str, str]:
    return {"amount": str(amount), "currency": "EUR"}


def orders_json(message_id: str, orders: Sequence[Mapping[str, object]]) -> bytes:
    """Return a platform's message of some orders."""
    return orjson.dumps({"message_id": message_id, "orders": orders})
