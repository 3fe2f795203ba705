"""A low-value declaration that the hub writes it reads again as the same consignment."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.formats import h7_json
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Consignment, Filing, RawMessage
from tests.declarations import AT, consignments, filed

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
BOUNDED = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=SLOW)


def within(consignment: Consignment, gift: bool) -> Consignment:
    """Return what of a consignment the layout has a place for."""
    goods = []
    for line in consignment.goods_items:
        code = line.hs_code or "950300"
        goods.append(line.model_copy(update={"hs_code": code, "gross_mass_kg": line.gross_mass_kg or consignment.gross_mass_kg}))
    changes: dict[str, Any] = {"goods_items": tuple(goods), "extra": {"additional_declaration_type": "D", "office": "BE343000"}}
    if consignment.tax_ids is None:
        changes |= {"nature_of_transaction": "gift"} if gift else {"tax_scheme": "standard"}
    return consignment.model_copy(update=changes)


@BOUNDED
@given(st.lists(st.builds(within, consignments(), st.booleans()), min_size=1, max_size=3))
def test_declarations_come_back(wanted: list[Consignment]) -> None:
    written = h7_json.write([filed(each) for each in wanted], Envelope("H7-20260302", "JX", "BE", AT), DEFAULT_DIALECT)
    assert not written.findings
    read = [item for item in h7_json.parse(RawMessage("jx", written.body, AT), DEFAULT_DIALECT) if isinstance(item, Filing)]
    found = []
    for filing in read:
        assert filing.consignment is not None
        extra = {name: said for name, said in (filing.consignment.extra or {}).items() if name != "lrn"}
        found.append(filing.consignment.model_copy(update={"extra": extra}))
    assert found == wanted
