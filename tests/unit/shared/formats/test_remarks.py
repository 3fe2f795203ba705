"""Gifts of traders and texts cut at their field: counted, never refused unless a dialect says so."""

from typing import Any

import pytest

from shared.formats import fhl, itmatt, manifest_json, remarks
from shared.formats.filings import Item
from shared.model import DEFAULT_DIALECT, Dialect, Filing, OrderRef, Rejection, TaxId
from tests.builders import a_goods_item, a_house_consignment, a_party
from tests.samples import FOLDER, raw

GIFT = (FOLDER / "itmatt" / "gift_of_a_trader.xml").read_bytes()


def noted(format: str = "manifest-csv", **changes: Any) -> list[tuple[str, str | None]]:
    """Return code and path of what is noted of a consignment."""
    item = Item("Item[1]", {}, DEFAULT_DIALECT)
    assert remarks.remark(a_house_consignment(**changes), format, item) == bool(item.findings)
    return [(each.code, each.path) for each in item.findings]


def a_sender(**changes: Any) -> dict[str, Any]:
    return {"consignor": a_party(**changes)}


@pytest.mark.parametrize(
    "name",
    [
        "Oak River Supply LLC",
        "Shenzhen Aurora Trading Co., Ltd.",
        "Voorbeeld B.V.",
        "Muster GmbH",
        "Exemple S.A.R.L.",
        "Esempio S.p.A.",
        "ООО OOO",
    ],
)
def test_a_gift_from_a_company_is_noted(name: str) -> None:
    assert noted(**a_sender(name=name)) == [("DQ-24", "/consignor/name")]
    assert noted(nature_of_transaction="sale", **a_sender(name=name)) == []


@pytest.mark.parametrize("name", ["Maria de Sá", "Maria Sa", "Rosa Co", "Linc Example", "Ada Plcinsky", "Companys", "Ltd van Dam", None])
def test_a_gift_from_a_person_is_not(name: str | None) -> None:
    assert noted(**a_sender(name=name)) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (a_sender(identifier="BE0999888777", identifier_scheme="eori"), "/consignor/identifier"),
        ({"tax_ids": (TaxId(scheme="ioss", number="IM3720000018", role="platform"),)}, "/tax_ids/0/number"),
        ({"orders": (OrderRef(platform_id="bazaar", order_id="778120"),)}, "/orders/0/order_id"),
        ({"extra": {"OrderNumber": "778120"}}, "/extra/OrderNumber"),
    ],
)
def test_a_gift_with_the_papers_of_a_sale_is_noted_once(changes: dict[str, Any], path: str) -> None:
    assert noted(**changes) == [("DQ-24", path)]
    assert [code for code, _ in noted(**{**changes, "orders": (OrderRef(platform_id="bazaar", order_id="1"),)})] == ["DQ-24"]


@pytest.mark.parametrize(
    "changes",
    [
        a_sender(identifier="850101-1234", identifier_scheme="tin"),
        {"tax_ids": (TaxId(scheme="vat", number="NL123456789B01", role="consignee"),)},
        {"extra": {"Season": "autumn"}},
    ],
)
def test_what_a_person_may_have_too_is_no_sign_of_trade(changes: dict[str, Any]) -> None:
    assert noted(**changes) == []


@pytest.mark.parametrize(
    ("format", "width"), [("itmatt", 255), ("cusitm-edifact", 255), ("ie3f32", 512), ("fhl", 65)], ids=lambda value: str(value)
)
def test_a_description_that_fills_its_field_may_have_been_cut(format: str, width: int) -> None:
    lines = (a_goods_item(), a_goods_item(sequence_number=2, goods_description="m" * width))
    assert noted(format, goods_items=lines) == [("DQ-25", "/goods_items/1/goods_description")]
    assert noted(format, goods_items=(a_goods_item(goods_description="m" * (width - 1)),)) == []
    assert noted("manifest-csv", goods_items=lines) == []


@pytest.mark.parametrize("field", ["name", "street_line", "city"])
def test_each_text_of_a_party_that_fills_its_field_is_named(field: str) -> None:
    width = {"name": 70, "street_line": 70, "city": 35}[field]
    full = a_party(**{field: "m" * width})
    assert noted("itmatt", consignee=full) == [("DQ-25", f"/consignee/{field}")]
    assert noted("itmatt", consignor=full, consignee=full) == [("DQ-25", f"/consignor/{field}"), ("DQ-25", f"/consignee/{field}")]


def test_the_street_of_ics2_stands_in_two_fields_and_fills_none() -> None:
    assert noted("ie3f32", consignee=a_party(street_line="m" * 70)) == []


def test_a_dialect_weighs_what_is_noted() -> None:
    def read(**severities: str) -> Filing | Rejection:
        (item,) = itmatt.parse(raw(GIFT), Dialect(severities={"DQ-24": "off", "DQ-25": "off"} | severities))
        assert isinstance(item, Filing | Rejection)
        return item

    assert read().findings is None
    assert isinstance(read(**{"DQ-24": "error"}), Rejection)
    assert [each.code for each in read(**{"DQ-25": "warning"}).findings or ()] == ["DQ-25"]


def test_every_format_with_widths_is_one_of_the_list() -> None:
    from shared.formats import FORMATS

    assert set(remarks.WIDTHS) <= set(FORMATS)
    assert {fhl.NAME, itmatt.NAME} <= set(remarks.WIDTHS)
    assert manifest_json.NAME not in remarks.WIDTHS
