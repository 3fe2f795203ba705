"""What the hub writes for ICS2 it reads again as the same consignment."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.formats import ie3f32
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Consignment, Filing, RawMessage
from tests.declarations import AT, consignments, departures, filed, natures

BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
LRN = Envelope("JXE260301000017A1", "JX", "ICS2", AT)
DECLARANT = {
    "reEntryIndicator": "0",
    "declarant/name": "JX EXPRESS BELGIUM SRL",
    "declarant/identificationNumber": "BE0999888777",
    "declarant/address/city": "GRACE-HOLLOGNE",
    "declarant/address/country": "BE",
    "declarant/communication[1]": "EM:ens@jx.example",
}


def again(module: Any, *written: Consignment, **changes: Any) -> list[Filing]:
    """Return what becomes of consignments that are written and read."""
    made = module.write([filed(each, **changes) for each in written], LRN, DEFAULT_DIALECT)
    assert [found for found in made.findings if found.severity == "error"] == []
    return [item for item in module.parse(RawMessage("jx", made.body, AT), DEFAULT_DIALECT) if isinstance(item, Filing)]


def with_head(consignment: Consignment, **more: Any) -> Consignment:
    country = consignment.country_of_destination
    extra = {**DECLARANT, "addressedMemberState/country": country, **more.pop("extra", {})}
    return consignment.model_copy(update={"extra": extra, **more})


@BOUNDED
@given(consignments(), st.none() | natures, st.none() | departures)
def test_an_express_filing_comes_back(consignment: Consignment, nature: Any, departure: Any) -> None:
    more: dict[str, Any] = {"nature_of_transaction": nature, "departure_on": departure}
    if departure is not None:
        more |= {"master_transport_document_id": "888-45123072", "mode_of_transport": "4", "conveyance_reference": "XX1234"}
        more["extra"] = {"activeBorderTransportMeans/estimatedDateAndTimeOfDeparture": f"{departure}T00:00:00Z"}
    wanted = with_head(consignment, **more)
    assert [filing.consignment for filing in again(ie3f32, wanted)] == [wanted]


@BOUNDED
@given(consignments())
def test_an_amendment_names_its_mrn(consignment: Consignment) -> None:
    wanted = with_head(consignment, extra={"MRN": "26BE00AX7K4M2P9CT4"})
    (filing,) = again(ie3f32, wanted, function="replace")
    assert filing.function == "replace"
    assert filing.consignment == wanted
