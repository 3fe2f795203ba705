"""Valid things to start a test from; each takes only what the test is about. People and addresses are invented."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.contracts import Answer, Command, Outcome, derived_id, order_key, post_key
from shared.model import Consignment, Filing, GoodsItem, Money, Order, OrderLine, OrderRef, Party

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
S10 = "RR473124829GB"
KEY = post_key(S10)


def at(seconds: float) -> datetime:
    """Return an instant so many seconds after noon of the day of the tests."""
    return NOON + timedelta(seconds=seconds)


def money(amount: str, currency: str = "EUR") -> Money:
    """Return an amount of money."""
    return Money(amount=Decimal(amount), currency=currency)


def a_party(**changes: Any) -> Party:
    """Return a party with a full address in the Netherlands."""
    return Party(
        **{"name": "Jan Voorbeeld", "street_line": "Proefstraat 12", "city": "Utrecht", "postcode": "3511 AB", "country": "NL", **changes}
    )


def a_goods_item(**changes: Any) -> GoodsItem:
    """Return a line of T-shirts for EUR 22.90."""
    given = {
        "sequence_number": 1,
        "goods_description": "Men's knitted cotton T-shirt, short sleeve",
        "hs_code": "610910",
        "country_of_origin": "BD",
        "quantity": Decimal(1),
        "net_mass_kg": Decimal("0.150"),
        "item_amount": money("22.90"),
        "merchant_product_id": "TS-1",
    }
    return GoodsItem(**{**given, **changes})


def a_house_consignment(**changes: Any) -> Consignment:
    """Return a postal gift to the Netherlands with nothing wrong."""
    given = {
        "house_transport_document_id": S10,
        "channel": "post",
        "nature_of_transaction": "gift",
        "country_of_dispatch": "US",
        "country_of_destination": "NL",
        "package_count": 1,
        "gross_mass_kg": Decimal("0.500"),
        "consignor": a_party(name="Ada Example", street_line="1 Sample Street", city="Springfield", postcode="62701", country="US"),
        "consignee": a_party(),
        "goods_items": (a_goods_item(),),
    }
    return Consignment(**{**given, **changes})


def an_order(order_id: str = "778120", platform_id: str = "bazaar", **changes: Any) -> Order:
    """Return the order behind :func:`a_house_consignment`."""
    line = OrderLine(
        sequence_number=1,
        goods_description="Men's knitted cotton T-shirt, short sleeve",
        hs_code="610910",
        country_of_origin="BD",
        quantity=Decimal(1),
        item_amount=money("22.90"),
        merchant_product_id="TS-1",
    )
    return Order(**{"order_id": order_id, "platform_id": platform_id, "business_model": "b2c", "lines": (line,), **changes})


def naming(order_id: str = "778120", platform_id: str = "bazaar") -> tuple[OrderRef, ...]:
    """Return the reference by which a consignment names :func:`an_order`."""
    return (OrderRef(platform_id=platform_id, order_id=order_id),)


def a_filing(consignment: Consignment | None = None, **changes: Any) -> Filing:
    """Return the post's filing of *consignment*; its ids follow from its content and ``message_id``."""
    order: Order | None = changes.get("order")
    content = None if order is not None else (consignment or a_house_consignment())
    body: Consignment | Order | None = content if content is not None else order
    assert body is not None
    if isinstance(body, Order):
        key = order_key(OrderRef(platform_id=body.platform_id, order_id=body.order_id))
    else:
        key = f"{body.channel}:{body.house_transport_document_id}"
    message_id = changes.get("message_id", "M1")
    participant = changes.get("participant", "us-post" if content is not None else "bazaar")
    given = {
        "filing_id": derived_id(participant, message_id, key),
        "key": key,
        "participant": participant,
        "format": "itmatt-xml" if content is not None else "order-json",
        "message_id": message_id,
        "position": "Item[1]",
        "received_at": NOON,
        "content_digest": hashlib.sha256(body.to_json()).hexdigest(),
        "consignment": content,
    }
    return Filing(**{**given, **changes})


def an_answer(service: str = "risk", outcome: Outcome = Outcome.RELEASE, **changes: Any) -> Answer:
    """Return an unasked answer of *service* about :data:`KEY`."""
    given = {"answer_id": f"{service}-1", "key": KEY, "service": service, "outcome": outcome, "issued_at": at(5)}
    return Answer(**{**given, **changes})


def a_command(action: str, **changes: Any) -> Command:
    """Return an officer's command about :data:`KEY`."""
    given = {
        "command_id": derived_id("command", action, sorted(changes)),
        "key": KEY,
        "action": action,
        "by": "officer-7",
        "because": "to be looked at",
    }
    return Command(**{**given, "issued_at": at(6), **changes})


def a_deadline(service: str, request_id: UUID) -> Command:
    """Return the clock's word that *service* did not answer in time."""
    return a_command("deadline", by="clock", because="no answer in time", service=service, request_id=request_id)
