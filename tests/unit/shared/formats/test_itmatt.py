"""What ITMATT means: keys, functions, orders, weights of findings."""

from decimal import Decimal

import pytest

from shared.errors import MalformedMessage
from shared.formats import itmatt
from shared.formats.provenance import leaves, provenance
from shared.model import DEFAULT_DIALECT, Dialect, Filing, OrderRef, Rejection
from tests.samples import FOLDER, raw

REFERENCE = (FOLDER / "itmatt" / "reference.xml").read_bytes()
START, ITEM, END = REFERENCE.partition(b"  <Item Function")[0], b"", b"</ItmattFile>\n"


def items(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Filing | Rejection]:
    return [item for item in itmatt.parse(raw(body), dialect) if isinstance(item, Filing | Rejection)]


def first(body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> Filing:
    found = items(body, dialect)[0]
    assert isinstance(found, Filing)
    return found


def file_of(count: int, *, spoil: int | None = None) -> bytes:
    """Return *count* copies of the first item of the reference file; number *spoil* loses its description."""
    item = b"  <Item " + REFERENCE.split(b"<Item ")[1]
    bad = item.replace(b"<Description>Stoneware coffee mug, 350 ml</Description>", b"")
    head = START.replace(b"<ItemCount>2</ItemCount>", b"<ItemCount>%d</ItemCount>" % count)
    return head + b"".join(bad if number == spoil else item for number in range(1, count + 1)) + END


def test_the_declared_value_is_the_sum_of_the_lines() -> None:
    consignment = first(REFERENCE).consignment
    assert consignment is not None
    assert consignment.declared_value is not None
    assert consignment.declared_value.amount == Decimal("54.48")


def test_an_item_is_keyed_by_its_s10_number() -> None:
    assert first(REFERENCE.replace(b"LZ314159268US", b"lz 314 159 268 us")).key == "post:LZ314159268US"


def test_an_item_without_s10_is_refused_though_it_has_a_local_id() -> None:
    refused = items(REFERENCE.replace(b"<Id>LZ314159268US</Id>", b""))[0]
    assert isinstance(refused, Rejection)
    assert refused.key is None
    assert "FLD-MISSING" in [finding.code for finding in refused.findings]


def test_a_wrong_check_digit_only_warns() -> None:
    filing = first(REFERENCE.replace(b"LZ314159268US", b"CP001020301BR"))
    assert [finding.code for finding in filing.findings or ()] == ["DQ-02"]


def test_a_cancellation_needs_no_declaration() -> None:
    cancel = items(REFERENCE)[1]
    assert isinstance(cancel, Filing)
    assert (cancel.function, cancel.version) == ("cancel", 2)
    assert cancel.findings is None


def test_an_order_is_named_by_number_and_platform() -> None:
    platform = Dialect(platform="bazaar-one")
    assert first(REFERENCE, platform).order_refs() == (OrderRef(platform_id="bazaar-one", order_id="OR-2026-55190"),)


def test_an_order_without_platform_links_nothing() -> None:
    filing = first(REFERENCE)
    assert filing.order_refs() == ()
    assert filing.consignment is not None
    assert filing.consignment.extra == {"OrderNumber": "OR-2026-55190"}


def test_the_same_file_gives_the_same_filings() -> None:
    assert items(REFERENCE) == items(REFERENCE)


def test_version_file_and_declaration_id_do_not_change_the_content() -> None:
    again = REFERENCE.replace(b'Version="1"', b'Version="7"').replace(b"000451", b"000452").replace(b"5b1c6f1a", b"00000000")
    assert first(again).content_digest == first(REFERENCE).content_digest


def test_another_way_of_writing_a_number_does_not_change_the_content() -> None:
    again = REFERENCE.replace(b"<GrossWeight>0.870<", b"<GrossWeight>0.87<").replace(b">39.98<", b">039.980<")
    assert first(again).content_digest == first(REFERENCE).content_digest


def test_another_value_changes_the_content() -> None:
    assert first(REFERENCE.replace(b">39.98<", b">39.97<")).content_digest != first(REFERENCE).content_digest


def test_one_bad_item_among_forty_nine_good_ones_is_refused_alone() -> None:
    found = items(file_of(50, spoil=17))
    assert [item.position for item in found if isinstance(item, Rejection)] == ["Item[17]"]
    assert sum(isinstance(item, Filing) for item in found) == 49


def test_more_than_ten_thousand_items_are_refused() -> None:
    small = b'<Item Function="CANCEL" Version="1"/>'
    body = START.replace(b"<ItemCount>2<", b"<ItemCount>10001<") + small * 10_001 + END
    with pytest.raises(MalformedMessage) as refused:
        itmatt.parse(raw(body), DEFAULT_DIALECT)
    assert refused.value.finding_code == "MSG-ITEMS"


def test_a_file_above_five_mebibytes_is_refused() -> None:
    with pytest.raises(MalformedMessage) as refused:
        itmatt.parse(raw(REFERENCE + b" " * 5 * 1024 * 1024), DEFAULT_DIALECT)
    assert refused.value.finding_code == "MSG-TOO-LARGE"


def test_a_file_is_read_item_by_item() -> None:
    parsed = itmatt.parse(raw(file_of(3)), DEFAULT_DIALECT)
    assert parsed.count == 3
    assert isinstance(next(iter(parsed)), Filing)


def test_a_dialect_weighs_findings() -> None:
    poor = REFERENCE.replace(b"<RecipientCity>Den Haag</RecipientCity>", b"")
    assert [finding.code for finding in first(poor).findings or ()] == ["DQ-07"]
    assert first(poor, Dialect(severities={"DQ-07": "off"})).findings is None
    assert isinstance(items(poor, Dialect(severities={"DQ-07": "error"}))[0], Rejection)


def test_what_the_format_forbids_stays_an_error() -> None:
    body = file_of(1, spoil=1)
    assert isinstance(items(body, Dialect(severities={"FLD-MISSING": "note"}))[0], Rejection)


def test_comma_decimals_are_read_where_they_were_agreed() -> None:
    body = REFERENCE.replace(b">39.98<", b">1.039,98<").replace(b"0.870", b"0,870").replace(b"0.300", b"0,3").replace(b"0.420", b"0,42")
    body = body.replace(b">14.50<", b">14,50<").replace(b">14.20<", b">14,20<")
    consignment = first(body, Dialect(decimal_comma=True)).consignment
    assert consignment is not None
    assert consignment.goods_items[0].item_amount is not None
    assert consignment.goods_items[0].item_amount.amount == Decimal("1039.98")


def test_a_local_time_is_read_in_the_agreed_time_zone() -> None:
    body = REFERENCE.replace(b"2026-11-20T17:42:10-08:00", b"2026-11-20T17:42:10")
    filing = first(body, Dialect(time_zone="America/Los_Angeles"))
    assert filing.consignment == first(REFERENCE).consignment
    assert [finding.code for finding in filing.findings or ()] == ["TIME-ZONE-ASSUMED"]


def test_a_number_is_no_posting_time() -> None:
    assert isinstance(items(REFERENCE.replace(b"2026-11-20T17:42:10-08:00", b"20261120"))[0], Rejection)


def test_a_field_outside_its_element_is_not_read() -> None:
    moved = REFERENCE.replace(b"<GrossWeight>0.870</GrossWeight>", b"").replace(b"<PId>", b"<GrossWeight>0.870</GrossWeight><PId>")
    assert isinstance(items(moved)[0], Rejection)


def test_every_value_tells_where_it_came_from() -> None:
    filing = first(REFERENCE, Dialect(platform="bazaar-one"))
    assert filing.consignment is not None
    found = provenance(filing, itmatt.PATHS)
    assert found.keys() == {path for path, _ in leaves(filing.consignment.model_dump(mode="json", exclude_none=True))}
    assert found["/goods_items/1/hs_code"] == "Item[1]/Declaration/Data/ContentPieces/ContentPiece[2]/HS"
    assert found["/consignee/postcode"] == "Item[1]/Declaration/Data/RecipientZIP"
    assert [path for path, source in found.items() if source == "Item[1]"] == [
        "/house_transport_document_type",
        "/channel",
        "/package_count",
    ]
