"""What the hub tells in a format that authorities speak, too, it reads again as the same word about the same goods."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.codes import decisions
from shared.contracts import Answer, Charge, FilingRef, Notice, OpenReferral, Outcome, PublicView, Summary
from shared.formats import (
    FORMATS,
    READERS,
    WRITERS,
    aperak,
    cds_view,
    contrl,
    cusres,
    cusrsp,
    cusrsp_edifact,
    emsevt,
    emsevt_edifact,
    ics2_answers,
    itmref,
    itmref_edifact,
    uk_notification,
    xcsn,
    xfnm,
)
from shared.formats.base import FilingWriter
from shared.formats.edifact_answers import error_code
from shared.formats.postal_tracking import scans
from shared.model import DEFAULT_DIALECT, Dialect, Filing, Finding, Money, RawMessage
from tests.property.test_postal_round_trip import NUMBERS
from tests.unit.shared.formats.notices import a_notice

BOUNDED = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
CARRIER = Dialect(carrier="jx")

ASKED = [
    "/consignee/name",
    "/gross_mass_kg",
    "/consignor/country_subdivision",
    "/goods_items/1/goods_description",
    "/goods_items/0/hs_code",
]
SECONDS = st.integers(0, 20_000_000).map(lambda seconds: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds))
HOUSES = st.from_regex(r"[A-Z0-9][A-Z0-9.-]{0,20}[A-Z0-9]", fullmatch=True)
PUBLIC = ["data_missing", "value_query", "documents_needed", "payment_due", "security", "prohibited_goods", "examination", "other"]
OUTCOMES = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.WITHDRAWN])
CHARGES = st.lists(
    st.builds(
        Charge,
        type=st.sampled_from(["CUD", "VAT", "GST", "EXC", "FIN", "OTH", "BC"]),
        amount=st.builds(Money, amount=st.decimals("0.01", "99999", places=2), currency=st.sampled_from(["EUR", "USD"])),
        rate_percent=st.none() | st.decimals("0.001", "99.999", places=3),
    ),
    max_size=4,
).map(tuple)
TEXTS = st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "S")), min_size=1, max_size=60)
FINDINGS = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from(["FLD-MISSING", "FLD-FORM", "DQ-12"]),
        message=TEXTS,
        remedy=TEXTS,
        path=st.sampled_from(["/consignee/name", "/gross_mass_kg"]),
        sender_path=st.sampled_from(["Declaration/Consignee/Name", "Item[1]/Weight"]),
    ),
    min_size=1,
    max_size=4,
).map(tuple)


@st.composite
def decided(draw: st.DrawFn, *, postal: bool, outcomes: st.SearchStrategy[Outcome] = OUTCOMES) -> Notice:
    """A decision about a postal item, or about a house under its master."""
    number = draw(NUMBERS if postal else HOUSES)
    summary = Summary(
        house_transport_document_id=number,
        master_transport_document_id=None if postal else "888-45123072",
        channel="post" if postal else "express",
        origin_post="USP" if postal else None,
        destination_post="NLP" if postal else None,
        posted_at=datetime(2026, 2, 27, 8, tzinfo=UTC) if postal else None,
    )
    return a_notice(
        key=f"post:{number}" if postal else f"express:jx:{number}",
        at=draw(SECONDS),
        sequence=draw(st.integers(1, 999)),
        outcome=draw(outcomes),
        reasons=tuple(PublicView(public=each) for each in draw(st.lists(st.sampled_from(PUBLIC), max_size=2, unique=True))),
        referred=tuple(draw(st.lists(st.sampled_from(ASKED), max_size=3, unique=True))) or None,
        consignment=summary,
    )


def back(module: Any, body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Any]:
    return list(module.parse(RawMessage("authority", body, datetime(2027, 1, 1, tzinfo=UTC)), dialect))


def one(module: Any, body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> Answer:
    (answer,) = back(module, body, dialect)
    assert isinstance(answer, Answer), answer
    return answer


# --- post --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [cusrsp, cusrsp_edifact], ids=lambda module: module.NAME)
@BOUNDED
@given(notice=decided(postal=True), charges=CHARGES, fee=st.none() | st.decimals("0.01", "99", places=2))
def test_a_response_to_a_post_is_read_again(module: Any, notice: Notice, charges: tuple[Charge, ...], fee: Decimal | None) -> None:
    if fee is not None:
        charges = (*charges, Charge(type="FEE", amount=Money(amount=fee, currency="EUR")))
    told = notice.model_copy(update={"charges": charges})
    answer = one(module, module.render([told], DEFAULT_DIALECT))
    word = decisions.meaning("cusrsp", cusrsp.hub_decision(told))
    assert (answer.key, answer.decision, answer.outcome) == (told.key, word.decision, word.outcome)
    assert (answer.phase, answer.phase_sequence, answer.version_judged) == (cusrsp.phase(told), told.sequence, 3)
    assert (answer.issued_at, answer.note) == (told.at, cusrsp.reason_text(told))
    assert (answer.requested or (), answer.charges or ()) == (told.referred or (), charges)


@BOUNDED
@given(notice=decided(postal=True))
def test_a_view_of_the_declaration_system_is_read_again(notice: Notice) -> None:
    answer = one(cds_view, cds_view.render([notice], DEFAULT_DIALECT))
    word = decisions.meaning("cusrsp", cusrsp.hub_decision(notice))
    assert (answer.key, answer.decision, answer.raw_code) == (notice.key, word.decision, cusrsp.native_code(notice))
    assert cusrsp.phase(notice) != "FIN" or answer.issued_at == notice.at


REFERRALS = st.lists(
    st.builds(
        OpenReferral,
        type=st.sampled_from(["RFI", "RFS", "DNL"]),
        referral_id=st.none() | st.from_regex(r"EU-[0-9]{1,9}", fullmatch=True),
        due_at=st.none() | SECONDS,
        requested=st.none() | st.lists(st.sampled_from(ASKED), min_size=1, max_size=2, unique=True).map(tuple),
        contact=st.none() | st.just("desk@authority.example"),
        answered=st.sampled_from([None, True]),
    ),
    max_size=3,
    unique_by=lambda one: one.referral_id,
).map(tuple)


@pytest.mark.parametrize("module", [itmref, itmref_edifact], ids=lambda module: module.NAME)
@BOUNDED
@given(notice=decided(postal=True), asked=REFERRALS, due=st.none() | SECONDS)
def test_each_question_before_loading_is_read_again(
    module: Any, notice: Notice, asked: tuple[OpenReferral, ...], due: datetime | None
) -> None:
    told = notice.model_copy(update={"referrals": asked or None, "answer_due_at": due})
    body = module.render([told], DEFAULT_DIALECT)
    read = back(module, body) if body else []
    wanted = list(itmref.questions(told))
    assert [(each.raw_code, each.referral_id, each.due_at) for each in read] == [
        (each.type, each.referral_id, each.due_at) for each in wanted
    ]
    assert all((each.key, each.issued_at) == (told.key, told.at) for each in read)
    named = {path for each in read for path in each.requested or ()}
    assert named == {path for one in asked if not one.answered for path in one.requested or ()} | set(_own(told, wanted))


def _own(told: Notice, wanted: list[itmref.Question]) -> list[str]:
    """What the hub itself asks for, where one of the questions is its own."""
    own = cusrsp.response_id(told.notice_id)
    others = {path for one in told.referrals or () for path in one.requested or ()}
    mine = any(each.referral_id == own for each in wanted)
    return [path for path in itmref.requested_paths(told) if path not in others] if mine else []


@pytest.mark.parametrize("module", [emsevt, emsevt_edifact], ids=lambda module: module.NAME)
@BOUNDED
@given(notice=decided(postal=True), charges=CHARGES, side=st.sampled_from(["import", "export"]))
def test_events_of_a_decision_are_read_again(module: Any, notice: Notice, charges: tuple[Charge, ...], side: str) -> None:
    told = notice.model_copy(update={"charges": charges})
    dialect = Dialect(code_maps={"office": {"*": "NLHAGI"}, "events": {"side": side}})
    body = module.render([told], dialect)
    read = back(module, body) if body else []
    assert all(isinstance(each, Filing) and each.key == told.key for each in read)
    assert [(each.event.code, each.event.reason_code, each.event.charges) for each in read] == list(scans(told, dialect))
    assert {(each.event.at, each.event.place) for each in read} <= {(told.at, "NLHAGI")}


# --- air cargo ---------------------------------------------------------------------------------------------------------------------------


@BOUNDED
@given(notice=decided(postal=False))
def test_a_status_of_loading_is_read_again(notice: Notice) -> None:
    status = xcsn.status_of(notice)
    body = xcsn.render([notice], CARRIER)
    answer = one(xfnm if status is None else xcsn, body, CARRIER)
    assert (answer.key, answer.issued_at) == (notice.key, notice.at)
    assert answer.raw_code == (status or "Received")


@BOUNDED
@given(notice=decided(postal=False), findings=FINDINGS)
def test_a_refusal_in_cargo_xml_is_read_again(notice: Notice, findings: tuple[Finding, ...]) -> None:
    refused = notice.model_copy(update={"type": "guichet.filing.rejected", "outcome": None, "findings": findings})
    answer = one(xfnm, xfnm.render([refused], CARRIER), CARRIER)
    assert (answer.key, answer.decision, answer.issued_at) == (notice.key, "REJECTED", notice.at)
    assert set(answer.requested or ()) >= {found.path for found in findings}


# --- EDIFACT -----------------------------------------------------------------------------------------------------------------------------


@BOUNDED
@given(notice=decided(postal=False, outcomes=st.sampled_from(list(Outcome))), charges=CHARGES)
def test_a_customs_response_is_read_again(notice: Notice, charges: tuple[Charge, ...]) -> None:
    told = notice.model_copy(update={"charges": charges})
    answer = one(cusres, cusres.render([told], CARRIER), CARRIER)
    assert (answer.key, answer.decision, answer.issued_at) == (told.key, cusres.neutral(told), told.at)
    assert (answer.charges or ()) == charges


@BOUNDED
@given(notice=decided(postal=False), findings=FINDINGS)
def test_each_error_in_an_application_report_is_read_again(notice: Notice, findings: tuple[Finding, ...]) -> None:
    refused = notice.model_copy(update={"type": "guichet.filing.rejected", "outcome": None, "findings": findings})
    answers = back(aperak, aperak.render([refused], CARRIER), CARRIER)
    assert [(each.key, each.decision) for each in answers] == [(notice.key, "REJECTED")] * len(findings)
    assert all(each.note.startswith(error_code(found.code)) for each, found in zip(answers, findings, strict=True))


@BOUNDED
@given(number=st.from_regex(r"[A-Z0-9]{1,14}", fullmatch=True), refused=st.booleans(), at=SECONDS)
def test_a_syntax_report_names_the_interchange_again(number: str, refused: bool, at: datetime) -> None:
    kind = "guichet.filing.rejected" if refused else "guichet.message.acknowledged"
    notice = a_notice(kind, at=at, key="message", consignment=None, filing=None, message_id=f"M1/{number}", format="cuscar")
    answer = one(contrl, contrl.render([notice], DEFAULT_DIALECT))
    assert (answer.key, answer.raw_code) == (f"lrn:{number}", "4" if refused else "7")


# --- customs systems in XML --------------------------------------------------------------------------------------------------------------


@BOUNDED
@given(number=st.from_regex(r"[A-Z0-9]{5,22}", fullmatch=True), findings=FINDINGS, at=SECONDS)
def test_the_errors_of_a_filing_for_entry_are_read_again(number: str, findings: tuple[Finding, ...], at: datetime) -> None:
    notice = a_notice("guichet.filing.rejected", at=at, message_id=f"{number}/1", findings=findings, filing=None, consignment=None)
    answer = one(ics2_answers, ics2_answers.render([notice], DEFAULT_DIALECT))
    assert (answer.key, answer.decision, answer.issued_at) == (f"lrn:{number}", "REJECTED", at)
    assert all(found.message in (answer.note or "") for found in findings[:1])


@BOUNDED
@given(notice=decided(postal=False, outcomes=st.sampled_from(list(Outcome))), number=st.from_regex(r"[A-Z0-9]{1,22}", fullmatch=True))
def test_a_notification_of_the_declaration_service_is_read_again(notice: Notice, number: str) -> None:
    assert notice.filing is not None
    filing = FilingRef.model_validate({**dict(notice.filing), "references": (f"lrn:{number}",)})
    told = notice.model_copy(update={"filing": filing})
    answer = one(uk_notification, uk_notification.render([told], DEFAULT_DIALECT))
    assert (answer.key, answer.decision, answer.issued_at) == (f"lrn:{number}", cusres.neutral(told), told.at)


# --- none is forgotten -------------------------------------------------------------------------------------------------------------------

_HERE: tuple[ModuleType, ...] = (
    *(cusrsp, cusrsp_edifact, cds_view, itmref, itmref_edifact, emsevt, emsevt_edifact),
    *(xcsn, xfnm, cusres, aperak, contrl, ics2_answers, uk_notification),
)
_CARGO_IMP = {"psn", "per", "fsn"}
"""Asked in ``test_cargo_imp_answers``."""
_TABLES = {"manifest-csv", "manifest-xlsx"}
"""Decisions in a table are a list for people: the manifest that is read has none."""


def test_every_format_in_which_answers_are_written_and_read_is_asked() -> None:
    assert {module.NAME for module in _HERE} | _CARGO_IMP | _TABLES == set(WRITERS) & set(READERS)


_FILINGS = {
    "test_asycuda_round_trip": {"awmds"},
    "test_cargo_round_trip": {"xfzb", "xfhl"},
    "test_edifact": {"cuscar", "itmatt-edifact", "cusitm-edifact"},
    "test_h7_round_trip": {"h7-json"},
    "test_ics2_round_trip": {"ie3f27", "ie3f32", "ie3f42", "ie3f43"},
    "test_postal_round_trip": {"itmatt", "cusitm"},
    "test_round_trips": {"manifest-csv", "manifest-xlsx", "neutral", "neutral-lines", "wco-declaration"},
}
_ONE_WAY_EACH = {"asycuda-sad"}
"""Written is a declaration, read is what customs made of it."""


def test_every_format_in_which_filings_are_written_and_read_is_asked() -> None:
    both_ways = {name for name in READERS if isinstance(FORMATS[name], FilingWriter)}
    assert set().union(*_FILINGS.values()) | _ONE_WAY_EACH == both_ways
