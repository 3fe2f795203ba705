"""The postal EDIFACT profiles say what the XML profiles say."""

from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from shared.contracts import TYPE_OF, Answer, Charge, DecisionMade, FilingRejected, Notice, OpenReferral, Outcome, PublicView, Summary
from shared.formats import (
    cusitm,
    cusitm_edifact,
    cusrsp,
    cusrsp_edifact,
    emsevt,
    emsevt_edifact,
    itmatt,
    itmatt_edifact,
    itmref,
    itmref_edifact,
    predes,
    predes_edifact,
    refrsp,
    refrsp_edifact,
)
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Dialect, Filing, Money, RawMessage
from tests.samples import FOLDER

AT = datetime(2026, 11, 21, 18, tzinfo=UTC)
FULL = (FOLDER / "itmatt-edifact/full.edi").read_bytes()


def read(module: ModuleType, body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Any]:
    return list(module.parse(RawMessage("usp", body, AT), dialect))


@pytest.mark.parametrize(
    ("edifact", "xml"),
    [(itmatt_edifact, itmatt), (predes_edifact, predes), (refrsp_edifact, refrsp), (emsevt_edifact, emsevt)],
    ids=lambda module: module.NAME,
)
def test_both_samples_of_the_reference_give_the_same_filings(edifact: ModuleType, xml: ModuleType) -> None:
    ours = read(edifact, (FOLDER / edifact.NAME / "reference.edi").read_bytes())
    theirs = read(xml, (FOLDER / xml.NAME / "reference.xml").read_bytes())
    assert [each.key for each in ours] == [each.key for each in theirs]
    assert [each.content for each in ours] == [each.content for each in theirs]
    assert [(each.function, each.version, each.message_id) for each in ours] == [
        (each.function, each.version, each.message_id) for each in theirs
    ]


def test_both_samples_of_a_referral_give_the_same_answer() -> None:
    [ours] = read(itmref_edifact, (FOLDER / "itmref-edifact/reference.edi").read_bytes())
    [theirs] = read(itmref, (FOLDER / "itmref/reference.xml").read_bytes())
    same = {"format": None, "position": None, "service": ""}
    assert ours.model_copy(update=same) == theirs.model_copy(update=same)


def test_both_samples_of_a_decision_agree_where_they_say_the_same() -> None:
    [ours] = read(cusrsp_edifact, (FOLDER / "cusrsp-edifact/reference.edi").read_bytes())
    theirs = next(each for each in read(cusrsp, (FOLDER / "cusrsp/reference.xml").read_bytes()) if each.key == ours.key)
    fields = ("answer_id", "key", "outcome", "decision", "track", "issued_at", "raw_code", "note", "phase")
    assert [getattr(ours, field) for field in fields] == [getattr(theirs, field) for field in fields]


def test_an_item_in_xml_may_be_written_in_edifact_and_the_other_way_round() -> None:
    filings = read(itmatt_edifact, FULL)
    envelope = Envelope("F1", "USP", "NLP", AT)
    as_xml = itmatt.write(filings, envelope, DEFAULT_DIALECT)
    as_edifact = itmatt_edifact.write(read(itmatt, as_xml.body), envelope, DEFAULT_DIALECT)
    assert not as_xml.findings
    assert not as_edifact.findings
    assert [each.content for each in read(itmatt_edifact, as_edifact.body)] == [each.content for each in filings]


def test_cusitm_written_is_read_as_it_was() -> None:
    filings = read(cusitm_edifact, (FOLDER / "cusitm-edifact/reference.edi").read_bytes())
    envelope = Envelope("F1", "NLP", "NLCUST", AT)
    for module in (cusitm_edifact, cusitm):
        written = module.write(filings, envelope, DEFAULT_DIALECT)
        assert [each.content for each in read(module, written.body)] == [each.content for each in filings]


def test_what_is_not_latin1_is_told_and_utf8_may_be_agreed() -> None:
    filings = read(itmatt_edifact, (FOLDER / "itmatt-edifact/unow.edi").read_bytes())
    envelope = Envelope("F1", "USP", "NLP", AT)
    latin = itmatt_edifact.write(filings, envelope, DEFAULT_DIALECT)
    assert [(each.code, each.path) for each in latin.findings] == [("EDI-CHARACTER", "/consignee/name")]
    agreed = Dialect(code_maps={"edifact": {"charset": "UNOW"}})
    assert [each.content for each in read(itmatt_edifact, itmatt_edifact.write(filings, envelope, agreed).body)] == [
        each.content for each in filings
    ]


def test_an_item_that_lacks_what_the_profile_needs_is_not_written() -> None:
    [filing] = read(itmatt_edifact, FULL)
    bare = filing.model_copy(update={"consignment": filing.consignment.model_copy(update={"gross_mass_kg": None})})
    written = itmatt_edifact.write([bare, filing], Envelope("F1", "USP", "NLP", AT), DEFAULT_DIALECT)
    assert [(each.code, each.path) for each in written.findings] == [("WRITE-MISSING", "/gross_mass_kg")]
    assert b"CNT+11:1'" in written.body


# --- what is written from notices --------------------------------------------------------------------------------------------------------


def a_notice(type: type = DecisionMade, **changes: object) -> Notice:
    given = {
        "notice_id": UUID(int=7),
        "subscription": UUID(int=1),
        "participant": "nlp",
        "feed_sequence": 1,
        "type": TYPE_OF[type],
        "at": AT,
        "key": "post:LZ314159268US",
        "sequence": 3,
        "outcome": Outcome.RELEASE,
        "consignment": Summary(
            house_transport_document_id="LZ314159268US", channel="post", posted_at=AT, origin_post="USP", destination_post="NLP"
        ),
    }
    return Notice.model_validate({**given, **changes})


NOTICES = [
    a_notice(),
    a_notice(outcome=Outcome.PHYSICAL_CHECK, reasons=(PublicView(public="examination"),)),
    a_notice(outcome=Outcome.REFERRAL, referred=("/goods_items/1/goods_description", "/consignor/country_subdivision")),
    a_notice(outcome=Outcome.HOLD, reasons=(PublicView(public="payment_due"),)),
    a_notice(
        outcome=Outcome.DOCUMENT_CHECK,
        reasons=(PublicView(public="payment_due"),),
        charges=(
            Charge(type="VAT", amount=Money(amount=Decimal("49.27"), currency="EUR"), rate_percent=Decimal("21.000")),
            Charge(type="FEE", amount=Money(amount=Decimal("6.00"), currency="EUR")),
        ),
    ),
    a_notice(outcome=Outcome.WITHDRAWN),
    a_notice(
        outcome=Outcome.HOLD,
        reasons=(PublicView(public="security"),),
        referrals=(
            OpenReferral(type="RFI", referral_id="EU-1", due_at=AT, requested=("/consignor/city",)),
            OpenReferral(type="RFS"),
            OpenReferral(type="DNL", referral_id="EU-3", contact="desk@authority.example"),
        ),
    ),
    a_notice(FilingRejected, outcome=None),
]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: str(notice.outcome))
@pytest.mark.parametrize(
    ("edifact", "xml"), [(cusrsp_edifact, cusrsp), (itmref_edifact, itmref), (emsevt_edifact, emsevt)], ids=lambda module: module.NAME
)
def test_a_notice_says_the_same_in_both_syntaxes(edifact: ModuleType, xml: ModuleType, notice: Notice) -> None:
    body = edifact.render([notice], DEFAULT_DIALECT)
    other = xml.render([notice], DEFAULT_DIALECT)
    assert bool(body) == bool(other)
    assert body == edifact.render([notice], DEFAULT_DIALECT)
    if not body:
        return
    same = {"format": None, "position": None}
    ours, theirs = read(edifact, body), read(xml, other)
    assert len(ours) == len(theirs)
    for one, two in zip(ours, theirs, strict=True):
        if isinstance(one, Answer):
            one, two = (each.model_copy(update={**same, "extra": None}) for each in (one, two))
            assert one == two
        else:
            assert isinstance(one, Filing)
            assert one.content == two.content
