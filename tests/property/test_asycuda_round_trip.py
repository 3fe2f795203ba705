"""What the hub writes for ASYCUDA World it reads again as the same consignments."""

from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.formats import awmds
from shared.formats.base import Envelope
from shared.model import Consignment, Dialect, Filing, RawMessage
from tests.declarations import AT, consignments, filed

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
BOUNDED = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=SLOW)
LENGTHS = {f"length:{name}": "255" for name in ("Exporter_name", "Consignee_name", "Commercial_description")}
LENGTHS |= {"length:Goods_description": "2000", "length:Bol_reference": "35"}
LENGTHS |= {f"length:{side}_address": "255" for side in ("Exporter", "Consignee")}


def within(consignment: Consignment) -> Consignment:
    """Return what of a consignment a manifest has a place for."""
    goods = [line.model_copy(update={"item_amount": None, "net_mass_kg": None}) for line in consignment.goods_items]
    changes: dict[str, Any] = {"ucr": None, "tax_ids": None, "tax_scheme": None, "goods_items": tuple(goods)}
    for side in ("consignor", "consignee"):
        party = getattr(consignment, side)
        kept = {"identifier_scheme": None, "type_of_person": None, "phone": None, "email": None, "postcode": "4000", "city": "LIEGE"}
        changes[side] = party.model_copy(update=kept)
    changes |= {"conveyance_reference": "XX1234", "departure_on": date(2026, 3, 1), "mode_of_transport": "4"}
    changes |= {"extra": {"Customs_office_code": "BE343", "Date_of_arrival": "2026-03-02", "Package_type_code": "PK"}}
    return consignment.model_copy(update=changes | {"place_of_loading": "CNSZX", "place_of_arrival": "BELGG"})


@BOUNDED
@given(st.lists(consignments(house_transport_document_type=None), min_size=1, max_size=3))
def test_a_manifest_comes_back(given_: list[Consignment]) -> None:
    wanted = [within(each) for each in given_]
    dialect = Dialect(code_maps={"asycuda": LENGTHS})
    written = awmds.write([filed(each) for each in wanted], Envelope("M1", "JX", "AW", AT), dialect)
    assert not written.findings
    read = [item for item in awmds.parse(RawMessage("jx", written.body, AT), dialect) if isinstance(item, Filing)]
    assert [filing.consignment for filing in read] == wanted
