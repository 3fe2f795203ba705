"""Every format that is written: a filing is in the message, or it is told why it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared.errors import MalformedMessage
from shared.formats import FORMATS, READERS
from shared.formats.base import Envelope, FilingWriter
from shared.formats.losses import gaps
from shared.model import DEFAULT_DIALECT, Filing, Rejection
from tests.builders import a_filing, a_house_consignment
from tests.samples import raw, samples

ENVELOPE = Envelope("M-1", "SENDER", "RECEIVER", datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
WRITERS = {name: module for name, module in FORMATS.items() if isinstance(module, FilingWriter)}


def all_filings() -> Iterator[tuple[str, Filing]]:
    for name, module in READERS.items():
        for path in samples(name):
            try:
                found = list(module.parse(raw(path.read_bytes()), DEFAULT_DIALECT))
            except MalformedMessage:
                continue
            yield from ((f"{name}/{path.stem}", each) for each in found if isinstance(each, Filing))


FILINGS = list(all_filings())
BOTH_WAYS = [name for name in WRITERS if any(where.startswith(f"{name}/") for where, _ in FILINGS)]


@pytest.mark.parametrize("name", WRITERS)
def test_a_filing_alone_is_in_the_message_or_there_is_no_message_and_an_error_that_names_it(name: str) -> None:
    for where, filing in FILINGS:
        written = WRITERS[name].write([filing], ENVELOPE, DEFAULT_DIALECT)
        errors = [found for found in written.findings if found.severity == "error"]
        assert bool(written.body) is not bool(errors), where
        assert {found.sender_path for found in errors} <= {filing.key}, where


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_what_is_written_without_a_warning_is_taken_by_the_same_format(name: str) -> None:
    taken = 0
    for where, filing in FILINGS:
        written = WRITERS[name].write([filing], ENVELOPE, DEFAULT_DIALECT)
        if not written.body or any(found.severity != "note" for found in written.findings):
            continue
        back = list(READERS[name].parse(raw(written.body), DEFAULT_DIALECT))
        assert back, where
        assert not [found for each in back if isinstance(each, Rejection) for found in each.findings if found.severity == "error"], where
        taken += 1
    assert taken > 0


def test_what_a_receiver_wants_and_a_filing_has_not_is_told_by_its_path() -> None:
    whole = a_house_consignment()
    wanted = ("/consignor/name", "/consignor/phone", "/gross_mass_kg", "/goods_items/*/item_amount/amount", "/goods_items/*/brand")
    line = whole.goods_items[0].model_copy(update={"item_amount": None})
    poor = whole.model_copy(update={"consignor": None, "gross_mass_kg": None, "goods_items": (whole.goods_items[0], line)})
    found = gaps(a_filing(poor), wanted, DEFAULT_DIALECT)
    assert [each.path for each in found] == [
        *("/consignor/name", "/consignor/phone", "/gross_mass_kg", "/goods_items/1/item_amount/amount"),
        *("/goods_items/0/brand", "/goods_items/1/brand"),
    ]
    assert {(each.code, each.severity) for each in found} == {("WRITE-WANTED", "warning")}
    nothing = whole.model_copy(update={"goods_items": ()})
    assert [each.path for each in gaps(a_filing(nothing), wanted[3:], DEFAULT_DIALECT)] == ["/goods_items"]
    assert not gaps(a_filing(nothing, function="cancel"), wanted, DEFAULT_DIALECT)
