"""What is written is read back as it was."""

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.formats import manifest_csv, manifest_xlsx, neutral, neutral_lines, wco_declaration
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Consignment, Event, Filing, GoodsItem, Movement, Order, Party, Payment, ReferralReply
from tests.property.contents import contents, filing, texts
from tests.samples import PARTICIPANT, RECEIVED_AT, raw

BOUNDED = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
ENVELOPE = Envelope("M-1", PARTICIPANT, "receiver", RECEIVED_AT)
KINDS: dict[str, type[BaseModel]] = {
    "consignment": Consignment,
    "order": Order,
    "payment": Payment,
    "movement": Movement,
    "event": Event,
    "reply": ReferralReply,
}


@cache
def _contents(kind: str) -> st.SearchStrategy[Any]:
    return contents(KINDS[kind], **NAMED.get(kind, {}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("module", [neutral, neutral_lines], ids=lambda module: module.NAME)
@BOUNDED
@given(data=st.data())
def test_the_neutral_layout_loses_nothing(module: Any, kind: str, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(_contents(kind), min_size=1, max_size=3))
    filings = [filing(kind, content, function="replace", version=number) for number, content in enumerate(drawn, 1)]
    body = module.write(filings, ENVELOPE, DEFAULT_DIALECT).body
    parsed = module.parse(raw(body), DEFAULT_DIALECT)
    read = list(parsed)
    assert all(isinstance(each, Filing) for each in read), read
    assert [(each.function, each.version, each.content) for each in read] == [
        (each.function, each.version, each.content) for each in filings
    ]
    assert parsed.head.message_id == "M-1"
    assert module.write(filings, ENVELOPE, DEFAULT_DIALECT).body == body


_ORDERS = st.just(({"platform_id": PARTICIPANT, "order_id": "778120"},))
_HOUSE = st.just("RR473124829GB")
NAMED: dict[str, dict[str, Any]] = {
    "payment": {"orders": _ORDERS},
    "movement": {"house_transport_document_id": _HOUSE},
    "event": {"house_transport_document_id": _HOUSE},
    "reply": {"house_transport_document_id": _HOUSE},
}


_LINE = contents(
    GoodsItem,
    goods_description=texts(3, 40).filter(lambda text: len(text) > 2 and not text.isdecimal()),
    quantity=st.integers(1, 999),
    item_amount=st.fixed_dictionaries(
        {"amount": st.integers(1, 10**6).map(lambda cents: f"{cents // 100}.{cents % 100:02}"), "currency": st.just("EUR")}
    ),
    hs_code=st.sampled_from(["610910", "691200"]),
)
_KEPT = {
    "goods_description",
    "quantity",
    "item_amount",
    "hs_code",
    "country_of_origin",
    "gross_mass_kg",
    "net_mass_kg",
    "merchant_product_id",
}
_PERSON = {"name", "street_line", "city", "postcode", "country", "phone", "email", "type_of_person"}
_PARTY = contents(
    Party, name=st.sampled_from(["=Marie Exemple", "Jean Modèle", '-Aurora; Trading, "Ltd"']), country=st.sampled_from(["BE", "CN"])
)


def _only(model: Any, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in model.model_dump(exclude_none=True).items() if name in names}


@pytest.mark.parametrize("module", [manifest_csv, manifest_xlsx], ids=lambda module: module.NAME)
@BOUNDED
@given(lines=st.lists(_LINE, min_size=1, max_size=3), parties=st.tuples(_PARTY, _PARTY), note=texts())
def test_a_manifest_loses_nothing_that_it_has_columns_for(module: Any, lines: list[Any], parties: tuple[Any, Any], note: str) -> None:
    said = {
        "house_transport_document_id": "JXE2603000017",
        "house_transport_document_type": "703",
        "channel": "express",
        "carrier_id": PARTICIPANT,
        "package_count": 1,
        "gross_mass_kg": "0.500",
        "master_transport_document_id": "888-45123072",
        "mode_of_transport": "4",
        "consignor": _only(parties[0], _PERSON),
        "consignee": _only(parties[1], _PERSON),
        "country_of_dispatch": parties[0].country,
        "country_of_destination": parties[1].country,
        "extra": {"gate": note},
        "goods_items": [_only(line, _KEPT) | {"sequence_number": number} for number, line in enumerate(lines, 1)],
    }
    total = sum(line.item_amount.amount for line in lines)
    content = Consignment.model_validate(said | {"declared_value": {"amount": total, "currency": "EUR"}})
    written = module.write([filing("consignment", content, version=2)], ENVELOPE, DEFAULT_DIALECT)
    assert not written.findings
    (read,) = module.parse(raw(written.body), DEFAULT_DIALECT)
    assert isinstance(read, Filing), read
    assert (read.consignment, read.version) == (content, 2)


_DECLARED = {
    *("house_transport_document_id", "master_transport_document_id", "mode_of_transport", "conveyance_reference", "place_of_loading"),
    *("place_of_arrival", "nature_of_transaction", "trader_reference", "ucr", "country_of_dispatch", "country_of_destination"),
    *("package_count", "gross_mass_kg", "declared_value", "freight_cost", "insurance_cost", "incoterm"),
}
_DECLARED_PARTY = {"name", "identifier", "street_line", "city", "postcode", "country", "country_subdivision"}
_DECLARED_LINE = _KEPT | {"quantity_unit", "package_count", "manufacturer_product_id", "licence_reference"}
_DECLARED_LINE_FIELDS = contents(
    GoodsItem,
    goods_description=texts(3, 40).filter(lambda text: len(text) > 2),
    quantity=st.integers(1, 999),
    package_count=st.integers(1, 99),
)


@BOUNDED
@given(
    drawn=contents(Consignment, master_transport_document_id=st.just("888-45123072")),
    parties=st.tuples(_PARTY, _PARTY, _PARTY),
    lines=st.lists(_DECLARED_LINE_FIELDS, min_size=1, max_size=3),
)
def test_a_declaration_loses_nothing_that_it_has_elements_for(drawn: Any, parties: tuple[Any, ...], lines: list[Any]) -> None:
    named = dict(zip(("consignor", "consignee", "seller"), (_only(party, _DECLARED_PARTY) for party in parties), strict=True))
    goods = [_only(line, _DECLARED_LINE) | {"sequence_number": number} for number, line in enumerate(lines, 1)]
    number = drawn.house_transport_document_id
    channel, kind = ("post", "750") if number.startswith("RR") else ("express", "703")
    head = {"channel": channel, "house_transport_document_type": kind, "extra": {"declaration_type": "IMD"}}
    content = Consignment.model_validate({**_only(drawn, _DECLARED), **head, **named, "goods_items": goods})
    written = wco_declaration.write([filing("consignment", content, function="replace", version=3)], ENVELOPE, DEFAULT_DIALECT)
    assert not written.findings
    (read,) = wco_declaration.parse(raw(written.body), DEFAULT_DIALECT)
    assert isinstance(read, Filing), read
    assert (read.consignment, read.function, read.version) == (content, "replace", 3)
