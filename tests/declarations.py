"""Consignments as Hypothesis makes them, within the limits of the XML formats of customs systems."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.codes import postal
from shared.model import Consignment, Filing

AT = datetime(2026, 3, 1, 4, 20, tzinfo=UTC)
_LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))


def texts(longest: int, least: int = 3) -> st.SearchStrategy[str]:
    """Texts without blanks at either end and without two blanks in a row."""
    words = st.lists(st.text(_LETTERS, min_size=1, max_size=12), min_size=1, max_size=5).map(" ".join)
    return words.filter(lambda said: least <= len(said) <= longest)


names = texts(70).filter(lambda said: not said.isdecimal())
codes = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=3, max_size=20)
countries = st.sampled_from(["BE", "CN", "GB", "US", "DE", "IT", "JP"])
masses = st.decimals("0.001", "999", places=3)
amounts = st.decimals("0.01", "99999", places=2)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def money(currency: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"amount": amounts, "currency": st.just(currency)})


@st.composite
def parties(draw: st.DrawFn, *, contacts: bool = True) -> dict[str, Any]:
    party: dict[str, Any] = {
        "name": draw(names),
        "type_of_person": draw(st.sampled_from(["natural", "legal", "association"])),
        "street_line": draw(texts(70)),
        "street_line_2": draw(optional(texts(70))),
        "city": draw(texts(35)),
        "postcode": draw(optional(codes.filter(lambda said: len(said) < 17))),
        "country": draw(countries),
    }
    if draw(st.booleans()):
        party |= {"identifier": "BE0999888777", "identifier_scheme": "eori"}
    if contacts:
        party |= {"phone": draw(optional(st.just("+32 4 111 11 11"))), "email": draw(optional(st.just("a@example.org")))}
    return {field: value for field, value in party.items() if value is not None}


@st.composite
def lines(draw: st.DrawFn, number: int, currency: str, *, origin: bool = True) -> dict[str, Any]:
    line: dict[str, Any] = {
        "sequence_number": number,
        "goods_description": draw(texts(255).filter(lambda said: not said.isdecimal())),
        "hs_code": draw(optional(st.sampled_from(["610910", "420330", "85171300"]))),
        "gross_mass_kg": draw(optional(masses)),
        "package_count": draw(st.integers(1, 9)),
        "item_amount": draw(money(currency)),
    }
    if origin:
        line |= {"country_of_origin": draw(optional(countries)), "net_mass_kg": draw(optional(masses))}
    return {field: value for field, value in line.items() if value is not None}


@st.composite
def consignments(draw: st.DrawFn, /, **given: Any) -> Consignment:
    """An express consignment with parties, lines and sums; *given* wins."""
    currency = draw(st.sampled_from(["EUR", "USD", "JPY"]))
    count = draw(st.integers(1, 3))
    goods = [draw(lines(number, currency)) for number in range(1, count + 1)]
    content: dict[str, Any] = {
        "house_transport_document_id": draw(codes),
        "house_transport_document_type": "703",
        "channel": "express",
        "carrier_id": "jx",
        "ucr": draw(optional(codes)),
        "package_count": sum(line["package_count"] for line in goods),
        "gross_mass_kg": draw(masses),
        "declared_value": {"amount": sum((line["item_amount"]["amount"] for line in goods), Decimal(0)), "currency": currency},
        "freight_cost": draw(optional(money("EUR"))),
        "consignor": draw(parties()),
        "consignee": draw(parties()),
        "goods_items": goods,
    }
    if draw(st.booleans()):
        content |= {"tax_scheme": "ioss", "tax_ids": [{"scheme": "ioss", "number": "IM3720000018", "role": "seller"}]}
    content |= {"country_of_dispatch": content["consignor"]["country"], "country_of_destination": content["consignee"]["country"]}
    return Consignment.model_validate({field: value for field, value in (content | given).items() if value is not None})


natures = st.sampled_from([nature.term for nature in postal.NATURES.values() if nature.term != "mixed"])
departures = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def filed(consignment: Consignment, **changes: Any) -> Filing:
    """Return a filing of *consignment*."""
    given = {
        "filing_id": UUID(int=1),
        "key": f"express:jx:{consignment.house_transport_document_id}",
        "participant": "jx",
        "format": "manifest-csv",
        "message_id": "M1",
        "position": "line 2",
        "received_at": AT,
        "content_digest": "0" * 64,
        "consignment": consignment,
    }
    return Filing.model_validate({**given, **changes})
