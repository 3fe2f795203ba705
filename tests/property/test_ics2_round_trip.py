"""What the hub writes for ICS2 it reads again as the same consignment."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.formats import ie3f27, ie3f32, ie3f42, ie3f43
from shared.formats.base import Envelope
from shared.identifiers import s10
from shared.model import DEFAULT_DIALECT, Consignment, Filing, Money, Movement, Postal, RawMessage
from tests.declarations import AT, codes, consignments, departures, filed, masses, natures, texts

BOUNDED = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
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


@BOUNDED
@given(consignments(channel="post", carrier_id=None, house_transport_document_type="750", freight_cost=None), st.none() | natures)
def test_a_postal_filing_comes_back(consignment: Consignment, nature: Any) -> None:
    changes: dict[str, Any] = {"house_transport_document_id": "LX123456785US", "nature_of_transaction": nature}
    changes["postal"] = Postal(postage=Money(amount=Decimal("14.20"), currency="USD"))
    wanted = with_head(consignment, **changes)
    assert [filing.consignment for filing in again(ie3f43, wanted, key="post:LX123456785US")] == [wanted]


@BOUNDED
@given(consignments(channel="freight"), st.booleans())
def test_an_air_cargo_filing_comes_back(consignment: Consignment, direct: bool) -> None:
    changes: dict[str, Any] = {"master_transport_document_id": "888-45123072", "place_of_loading": "CNSZX", "place_of_arrival": "BELGG"}
    if direct:
        changes |= {"house_transport_document_id": "888-45123072", "house_transport_document_type": "740"}
        changes["extra"] = {"SpecificCircumstanceIndicator": "F28"}
    wanted = with_head(consignment, **changes)
    assert [filing.consignment for filing in again(ie3f27, wanted)] == [wanted]


_WHERE = {
    "master_transport_document_id": "888-45123072",
    "mode_of_transport": "4",
    "conveyance_reference": "XX1234",
    "place_of_loading": "USJFK",
    "place_of_arrival": "BEBRU",
    "departure_at": AT,
    "extra": {**DECLARANT, "customsOfficeOfFirstEntry/referenceNumber": "BE343000"},
}
_BAGS = st.integers(1, 9999).map(lambda number: f"USJFKABEBRUAACN6{number:04}001110047")
_ITEMS = st.integers(0, 99_999_999).map(lambda serial: f"LX{serial:08}{s10.check_digit(f'{serial:08}')}US")


@BOUNDED
@given(st.dictionaries(_BAGS, st.none(), min_size=1, max_size=4))
def test_a_filing_of_receptacles_comes_back(bags: dict[str, None]) -> None:
    assert_moved([moved("post", "planned", receptacle_id=bag) for bag in bags])


@BOUNDED
@given(st.dictionaries(_BAGS, st.lists(_ITEMS, min_size=1, max_size=3, unique=True), min_size=1, max_size=3))
def test_a_filing_of_receptacles_with_their_items_comes_back(bags: dict[str, list[str]]) -> None:
    wanted = []
    for bag, items in bags.items():
        wanted.append(moved("post", "despatched", receptacle_id=bag, package_count=len(items)))
        wanted += [moved("post", "despatched", receptacle_id=bag, house_transport_document_id=item) for item in items]
    assert_moved(wanted)


@BOUNDED
@given(st.lists(codes, max_size=4, unique=True), st.none() | masses, texts(70))
def test_a_filing_of_houses_under_a_master_comes_back(houses: list[str], mass: Decimal | None, goods: str) -> None:
    counted = {"package_count": len(houses)} if houses else {}
    master = moved("freight", "planned", gross_mass_kg=mass, goods_description=goods, **counted)
    assert_moved([master, *(moved("freight", "planned", house_transport_document_id=house) for house in houses)])


def moved(channel: str, stage: str, **changes: Any) -> Movement:
    return Movement.model_validate({"channel": channel, "stage": stage, **_WHERE, **changes})


def assert_moved(wanted: list[Movement]) -> None:
    """What is written of *wanted* is read as *wanted*."""
    blank = filed(Consignment(house_transport_document_id="X", channel="freight"))
    filings = [blank.model_copy(update={"consignment": None, "movement": movement}) for movement in wanted]
    made = ie3f42.write(filings, LRN, DEFAULT_DIALECT)
    assert [found for found in made.findings if found.severity == "error"] == []
    read = list(ie3f42.parse(RawMessage("jx", made.body, AT), DEFAULT_DIALECT))
    assert [item.movement if isinstance(item, Filing) else item for item in read] == wanted
