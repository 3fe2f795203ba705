"""The postal family: what real partners do, and what an implementation must show."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.contracts import Answer, Charge, Missing, OpenReferral, Outcome, PublicView
from shared.errors import MalformedMessage
from shared.formats import READERS, cds_view, cusitm, cusrsp, emsevt, itmatt, itmref, national_item, predes, refrsp, resdes
from shared.formats.base import Envelope, FilingWriter
from shared.formats.provenance import provenance
from shared.identifiers import receptacle, s10
from shared.model import DEFAULT_DIALECT, Consignment, Dialect, Filing, Finding, Money, Rejection
from tests.builders import a_house_consignment, a_party
from tests.samples import FOLDER, raw, samples
from tests.unit.shared.formats.notices import AT, a_notice

FAMILY = ("itmatt", "cusitm", "cusrsp", "itmref", "refrsp", "predes", "resdes", "emsevt", "cds-view", "national-item")
ENVELOPE = Envelope("M-1", "NLP", "NLCUST", datetime(2026, 11, 21, 18, tzinfo=UTC))
CASES = [(name, path) for name in FAMILY for path in samples(name)]


def sample(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def read(module: Any, body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Any]:
    return list(module.parse(raw(body), dialect))


def codes(item: Any) -> list[str]:
    return [finding.code for finding in item.findings or ()]


# --- the whole family --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "path"), CASES, ids=lambda value: getattr(value, "stem", value))
def test_a_file_sent_again_gives_the_same_ids(name: str, path: Any) -> None:
    """After a time-out a partner sends the same file again: acknowledged again, processed once."""
    body = path.read_bytes()
    try:
        first, second = (read(READERS[name], body) for _ in range(2))
    except MalformedMessage:
        return
    assert first == second


@pytest.mark.parametrize(("name", "path"), CASES, ids=lambda value: getattr(value, "stem", value))
def test_every_value_of_a_filing_tells_where_it_came_from(name: str, path: Any) -> None:
    try:
        items = read(READERS[name], path.read_bytes())
    except MalformedMessage:
        return
    for filing in items:
        if isinstance(filing, Filing):
            found = provenance(filing, READERS[name].PATHS)
            assert {where for where, source in found.items() if source == filing.position} <= {
                "/channel",
                "/house_transport_document_type",
                "/package_count",
                "/stage",
                "/kind",
                "/posted_at",
                "/despatch_id",
                *(where for where in found if where.startswith("/goods_items/") and where.endswith("/sequence_number")),
            }


@pytest.mark.parametrize("name", ["itmatt", "cusitm", "cusrsp", "itmref", "refrsp", "predes", "resdes", "emsevt"])
def test_a_wrong_count_refuses_the_file_and_says_where(name: str) -> None:
    body = sample(f"{name}/reference.xml")
    count = body.partition(b"<ItemCount>")[2].partition(b"<")[0]
    with pytest.raises(MalformedMessage) as refused:
        read(READERS[name], body.replace(b"<ItemCount>" + count + b"<", b"<ItemCount>77<", 1))
    assert (refused.value.finding_code, refused.value.path) == ("MSG-COUNT", "Header/ItemCount")


@pytest.mark.parametrize("name", ["itmatt", "cusitm", "cusrsp", "itmref", "refrsp", "predes", "resdes", "emsevt"])
def test_a_namespace_on_each_leaf_changes_nothing(name: str) -> None:
    module = READERS[name]
    body = sample(f"{name}/reference.xml")
    space = f'xmlns="urn:hub:postal:{name}:1"'.encode()
    bare = body.replace(b" " + space, b"")
    assert content(read(module, bare)) == content(read(module, body))


def content(items: Sequence[Any]) -> list[Any]:
    return [item.content if isinstance(item, Filing) else item.model_copy(update={"message_id": None}) for item in items]


# --- written and read again --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "name"), [(itmatt, "itmatt"), (cusitm, "cusitm")])
def test_what_was_read_is_written_and_read_again(module: FilingWriter, name: str) -> None:
    for path in samples(name):
        try:
            filings = [item for item in read(module, path.read_bytes()) if isinstance(item, Filing)]
        except MalformedMessage:
            continue
        written = module.write(filings, ENVELOPE, DEFAULT_DIALECT)
        assert not [finding for finding in written.findings if finding.severity == "error"]
        again = read(module, written.body, Dialect(platform=None)) if filings else []
        assert [item.consignment for item in again] == [filing.consignment for filing in filings], path.name
        assert [(item.key, item.function) for item in again] == [(filing.key, filing.function) for filing in filings]
        assert module.write(filings, ENVELOPE, DEFAULT_DIALECT) == written


def filed(consignment: Consignment) -> Filing:
    base = read(itmatt, sample("itmatt/reference.xml"))[0]
    return Filing.model_validate({**dict(base), "consignment": consignment, "key": "post:RR473124829GB"})


def test_a_text_too_long_for_its_field_is_cut_with_a_finding() -> None:
    long = a_house_consignment(consignee=a_party(street_line="Laan " * 30))
    postal = {"origin_post": "GBA", "destination_post": "NLP", "mail_class": "U"}
    whole = Consignment.model_validate({**dict(long), "postal": postal, "posted_at": "2026-11-20T12:00:00Z"})
    written = itmatt.write([filed(whole)], ENVELOPE, DEFAULT_DIALECT)
    assert [(found.code, found.path) for found in written.findings if found.code == "WRITE-CUT"] == [
        ("WRITE-CUT", "/consignee/street_line")
    ]
    assert len(read(itmatt, written.body)) == 1


def test_an_item_without_its_posts_is_not_written() -> None:
    written = itmatt.write([filed(a_house_consignment())], ENVELOPE, DEFAULT_DIALECT)
    assert written.body == b""
    assert {found.path for found in written.findings if found.severity == "error"} == {
        "/postal/origin_post",
        "/postal/destination_post",
        "/posted_at",
    }


def test_what_the_format_cannot_carry_is_told() -> None:
    consignment = read(itmatt, sample("itmatt/update.xml"))[0].consignment
    richer = Consignment.model_validate({**dict(consignment), "incoterm": "DDP"})
    written = itmatt.write([filed(richer)], ENVELOPE, DEFAULT_DIALECT)
    assert [found.path for found in written.findings] == ["/incoterm"]


# --- identifiers -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["RR473124829GB", "LZ314159268US", "CY271828189US", "EE987654326KR", "UY506070808ES", "LZ161803397US"])
def test_published_identifiers_are_valid(number: str) -> None:
    assert s10.problem(number) is None


def test_a_receptacle_tells_its_mass() -> None:
    assert receptacle.parse("USLAXANLHAGIAUN60123004100085").gross_mass_kg == Decimal("8.5")
    assert receptacle.parse("USLAXANLHAGIAUN60123004109999").gross_mass_kg is None


# --- what real partners do ---------------------------------------------------------------------------------------------------------------


def test_a_mass_in_grams_is_suspicious() -> None:
    assert "DQ-11" in codes(read(itmatt, sample("itmatt/grams_and_dotted_codes.xml"))[0])


def test_a_code_with_dots_is_kept_whole_without_them() -> None:
    assert read(itmatt, sample("itmatt/grams_and_dotted_codes.xml"))[0].consignment.goods_items[0].hs_code == "61091000"


def test_a_year_of_two_digits_is_read_and_told() -> None:
    filing = read(itmatt, sample("itmatt/grams_and_dotted_codes.xml"), Dialect(time_zone="America/Los_Angeles"))[0]
    assert filing.consignment.posted_at == datetime.fromisoformat("2026-11-20T17:42:10-08:00")
    assert codes(filing)[:2] == ["TIME-YEAR-ASSUMED", "TIME-ZONE-ASSUMED"]


def test_a_country_s_name_is_read_as_its_code() -> None:
    assert read(itmatt, sample("itmatt/grams_and_dotted_codes.xml"))[0].consignment.goods_items[0].country_of_origin == "BD"
    assert read(national_item, sample("national-item/no_house_number.xml"))[0].consignment.consignee.country == "NL"


def test_other_alphabets_and_service_characters_survive() -> None:
    consignment = read(itmatt, sample("itmatt/other_alphabets.xml"))[0].consignment
    assert consignment.consignee.name == "Марика де Фрис"
    assert consignment.goods_items[0].goods_description == "男士针织棉T恤 'A+B:C?' قميص"


def test_a_return_carries_the_suffix_of_its_destination() -> None:
    filing = read(itmatt, sample("itmatt/returned_item.xml"))[0]
    assert (filing.key[-2:], filing.consignment.is_return) == ("NL", True)


def test_data_after_the_item_say_so() -> None:
    assert read(cusitm, sample("cusitm/data_after_item.xml"))[0].consignment.extra["ArrivedBeforeData"] == "true"


def test_the_same_item_in_another_file_has_the_same_content() -> None:
    body = sample("itmatt/reference.xml")
    first, again = (read(itmatt, each)[0] for each in (body, body.replace(b"000451", b"000999")))
    assert first.content_digest == again.content_digest
    assert first.filing_id != again.filing_id


def test_a_decision_and_an_event_may_come_before_the_item() -> None:
    assert read(READERS["cusrsp"], sample("cusrsp/reference.xml"))[0].key == "post:LZ314159268US"
    assert read(emsevt, sample("emsevt/reference.xml"))[0].key == "post:LZ314159268US"


def test_good_items_beside_a_bad_one_are_taken() -> None:
    items = read(cusitm, sample("cusitm/one_bad_of_three.xml"))
    assert [type(item) for item in items] == [Filing, Rejection, Filing]


# --- referrals ---------------------------------------------------------------------------------------------------------------------------


def test_a_referral_names_what_it_asks_for_and_until_when() -> None:
    answer = read(itmref, sample("itmref/reference.xml"))[0]
    assert (answer.decision, answer.track, answer.outcome) == ("INFO_REQUESTED", "pre_loading", Outcome.REFERRAL)
    assert answer.requested == ("/goods_items/1/goods_description", "/consignor/country_subdivision")
    assert answer.due_at == datetime.fromisoformat("2026-11-22T19:39:44+01:00")


@pytest.mark.parametrize("name", ["minimal", "full", "several", "do_not_load", "lifted", "unknown_type"])
def test_a_referral_never_releases(name: str) -> None:
    for answer in read(itmref, sample(f"itmref/{name}.xml")):
        assert isinstance(answer, Answer)
        assert (answer.track, answer.outcome is Outcome.RELEASE) == ("pre_loading", False)


def test_a_referral_of_a_receptacle_reaches_all_in_it() -> None:
    house, bag = read(itmref, sample("itmref/full.xml"))
    assert (house.scope.level, bag.scope.level) == ("house", "receptacle")
    assert bag.key == "receptacle:USLAXANLHAGIAUN60123004100085"


def test_do_not_load_wants_somebody_to_call() -> None:
    assert codes(read(itmref, sample("itmref/do_not_load.xml"))[0]) == []
    body = sample("itmref/do_not_load.xml").replace(b"<ContactPoint>+31205550100</ContactPoint>", b"")
    assert codes(read(itmref, body)[0]) == ["FLD-WANTED"]


def test_a_referral_of_the_hub_can_be_read() -> None:
    notice = a_notice(outcome=Outcome.REFERRAL, referred=("/goods_items/1/goods_description",))
    answer = read(itmref, itmref.render([notice], DEFAULT_DIALECT))[0]
    assert (answer.decision, answer.requested, answer.version_judged) == ("INFO_REQUESTED", ("/goods_items/1/goods_description",), 3)


def test_each_notice_is_the_referral_it_stands_for() -> None:
    missing = (Missing(path="/consignor/city", view="pre_loading", holders=("POO",)),)
    refused = Finding(code="DQ-01", message="No.", remedy="Yes.", path="/house_transport_document_id")
    notices = [
        a_notice(),
        a_notice("guichet.consignment.accepted", missing=missing),
        a_notice("guichet.filing.rejected", findings=(refused,), consignment=None, filing=None),
        a_notice(outcome=Outcome.HOLD),
        a_notice("guichet.consignment.accepted"),
    ]
    read_again = read(itmref, itmref.render(notices, DEFAULT_DIALECT))
    assert [answer.raw_code for answer in read_again] == ["ASC", "INC", "ERR"]
    assert itmref.render([a_notice(outcome=Outcome.HOLD)], DEFAULT_DIALECT) == b""


RFI = OpenReferral(type="RFI", referral_id="EU-1", due_at=AT, requested=("/goods_items/0/goods_description",))
RFS = OpenReferral(type="RFS", referral_id="EU-2")
DNL = OpenReferral(type="DNL", referral_id="EU-3", contact="+31205550100")
SECURITY = (PublicView(public="security"),)


def test_the_referrals_of_authorities_are_passed_on_as_they_are() -> None:
    notice = a_notice(outcome=Outcome.HOLD, reasons=SECURITY, referrals=(RFI, RFS, DNL), referred=RFI.requested)
    answers = read(itmref, itmref.render([notice], DEFAULT_DIALECT))
    assert [(answer.raw_code, answer.referral_id, answer.due_at, answer.requested) for answer in answers] == [
        ("RFI", "EU-1", AT, RFI.requested),
        ("RFS", "EU-2", None, None),
        ("DNL", "EU-3", None, None),
    ]
    assert answers[2].extra["ContactPoint"] == "+31205550100"
    assert codes(answers[2]) == []


def test_an_answered_referral_is_not_asked_again() -> None:
    answered = RFI.model_copy(update={"answered": True})
    notice = a_notice(outcome=Outcome.REFERRAL, referrals=(answered,), referred=RFI.requested)
    assert itmref.render([notice], DEFAULT_DIALECT) == b""


def test_what_the_hub_asks_for_itself_stands_beside_the_referral_of_an_authority() -> None:
    notice = a_notice(outcome=Outcome.REFERRAL, referrals=(RFI,), referred=(*(RFI.requested or ()), "/consignor/city"))
    theirs, ours = read(itmref, itmref.render([notice], DEFAULT_DIALECT))
    assert (theirs.referral_id, theirs.requested) == ("EU-1", RFI.requested)
    assert ours.referral_id not in (None, "EU-1")
    assert (ours.raw_code, ours.requested, ours.due_at) == ("RFI", ("/consignor/city",), None)


def test_a_referral_without_a_number_gets_one() -> None:
    unnamed = tuple(each.model_copy(update={"referral_id": None}) for each in (RFI, RFS))
    answers = read(itmref, itmref.render([a_notice(outcome=Outcome.HOLD, referrals=unnamed)], DEFAULT_DIALECT))
    assert len({answer.referral_id for answer in answers}) == 2


def test_do_not_load_is_the_decision_told_to_the_post() -> None:
    notice = a_notice(outcome=Outcome.HOLD, reasons=SECURITY, referrals=(RFS, DNL))
    (answer,) = read(cusrsp, cusrsp.render([notice], DEFAULT_DIALECT))
    assert (answer.decision, answer.track) == ("DO_NOT_LOAD", "pre_loading")


@pytest.mark.parametrize(("referrals", "code"), [((RFS,), "EXD"), ((RFS, DNL), "EXB"), (None, "EXB")])
def test_the_office_of_origin_holds_for_a_question_or_for_security(referrals: Any, code: str) -> None:
    dialect = Dialect(code_maps={"events": {"side": "export"}})
    notice = a_notice(outcome=Outcome.HOLD, reasons=SECURITY, referrals=referrals)
    assert [each.event.code for each in read(emsevt, emsevt.render([notice], dialect))] == [code]


def test_a_reply_names_the_new_version() -> None:
    filing = read(refrsp, sample("refrsp/reference.xml"))[0]
    assert (filing.reply.referral_id, filing.reply.outcome, filing.reply.new_version) == ("EU-REF-26-000451-1", "data_sent", 2)


def test_elements_given_in_a_reply_have_dataset_paths() -> None:
    reply = read(refrsp, sample("refrsp/full.xml"))[0].reply
    assert reply.provided == {"/goods_items/1/goods_description": "Glazed stoneware drinking mug"}
    assert [screening.result for screening in reply.screenings] == ["clear", "clear"]
    assert read(refrsp, sample("refrsp/path_inside_text.xml"))[0].reply.provided == {
        "/consignor/country_subdivision": "CA",
        "text[2]": "see invoice",
    }


# --- movements ---------------------------------------------------------------------------------------------------------------------------


def test_items_and_receptacles_of_a_despatch_have_their_own_keys() -> None:
    items = read(predes, sample("predes/reference.xml"))
    assert [item.key for item in items] == ["receptacle:USLAXANLHAGIAUN60123004100085", "post:LZ314159268US", "post:LZ161803397US"]
    assert [item.position for item in items][1:] == ["Dispatch[1]/Receptacle[1]/Item[1]", "Dispatch[1]/Receptacle[1]/Item[2]"]
    assert {item.movement.stage for item in items} == {"despatched"}


def test_the_last_of_two_receptacles_holds_the_item() -> None:
    found = [item for item in read(predes, sample("predes/item_in_two_receptacles.xml")) if item.key == "post:LZ314159268US"]
    assert [item.movement.receptacle_id[-9:] for item in found] == ["005100120"]
    assert codes(found[0]) == ["FLD-TWICE"]


def test_a_receptacle_of_another_despatch_is_refused_with_what_lies_in_it() -> None:
    items = read(predes, sample("predes/receptacle_of_another_despatch.xml"))
    assert [type(item) for item in items] == [Rejection, Rejection, Filing, Filing]
    assert codes(items[0]) == codes(items[1]) == ["FLD-DESPATCH"]


def test_untracked_letters_are_counted_and_not_listed() -> None:
    (only,) = read(predes, sample("predes/untracked_letters.xml"))
    assert (only.movement.package_count, codes(only)) == (212, [])


def test_a_despatch_taken_back_names_no_receptacle() -> None:
    (only,) = read(predes, sample("predes/cancel.xml"))
    assert (only.function, only.key) == ("cancel", "despatch:USLAXANLHAGIAUN60123")


def test_of_several_legs_the_first_departure_and_the_last_arrival_count() -> None:
    movement = read(predes, sample("predes/full.xml"))[0].movement
    assert (movement.place_of_loading, movement.place_of_arrival, movement.conveyance_reference) == ("LAX", "AMS", "KL602")


def test_an_arrival_is_a_movement_received() -> None:
    first, second = read(resdes, sample("resdes/reference.xml"))
    assert (first.movement.stage, first.key) == ("received", "receptacle:USLAXANLHAGIAUN60123004100085")
    assert second.movement.despatch_id == "USLAXANLHAGIAUN60123"


# --- events ------------------------------------------------------------------------------------------------------------------------------


def test_an_event_means_a_word_of_the_hub() -> None:
    assert [item.event.means for item in read(emsevt, sample("emsevt/reference.xml"))] == ["ARR_OOE_IN", "IMP_HELD", "IMP_RETURNED"]


def test_a_hold_without_a_reason_is_told() -> None:
    held, legacy = read(emsevt, sample("emsevt/held_without_reason.xml"))
    assert codes(held) == ["FLD-WANTED"]
    assert legacy.event.means == "SORT_OUT"


@pytest.mark.parametrize(
    ("outcome", "reason", "told", "abroad"),
    [
        (Outcome.RELEASE, "other", [("EDC", None), ("EMF", None)], [("EXC", None)]),
        (Outcome.PHYSICAL_CHECK, "examination", [("EDB", None)], [("EXA", None)]),
        (Outcome.HOLD, "payment_due", [("EME", "20")], [("EXB", "20")]),
        (Outcome.HOLD, "security", [("EME", "11")], [("EXB", "11")]),
        (Outcome.REFERRAL, "data_missing", [("EME", "30")], [("EXD", "30")]),
        (Outcome.DOCUMENT_CHECK, "documents_needed", [("EME", "32")], [("EXD", "32")]),
        (Outcome.HOLD, "prohibited_goods", [("EME", "40")], [("EXB", "40")]),
    ],
)
def test_a_decision_is_told_as_events(outcome: Outcome, reason: Any, told: list[Any], abroad: list[Any]) -> None:
    notice = a_notice(outcome=outcome, reasons=(PublicView(public=reason),))
    office = {"NLP": "NLHAGI", "USP": "USLAXA"}
    for events, place, expected in (({}, "NLHAGI", told), ({"side": "export"}, "USLAXA", abroad)):
        items = read(emsevt, emsevt.render([notice], Dialect(code_maps={"office": office, "events": events})))
        assert [(item.event.code, item.event.reason_code) for item in items] == expected
        assert {item.event.place for item in items} == {place}


def test_a_partner_s_own_retention_codes_are_written() -> None:
    notice = a_notice(outcome=Outcome.HOLD, reasons=(PublicView(public="payment_due"),))
    assert b"<RetentionReasonCd>61<" in emsevt.render([notice], Dialect(code_maps={"retention": {"20": "61"}}))


def test_an_item_held_for_payment_tells_the_sum() -> None:
    (pay,) = [item for item in read(cusrsp, sample("cusrsp/reference.xml")) if item.charges]
    due = a_notice(outcome=Outcome.DOCUMENT_CHECK, reasons=(PublicView(public="payment_due"),), charges=pay.charges)
    (event,) = read(emsevt, emsevt.render([due], DEFAULT_DIALECT))
    assert (event.event.code, event.event.charges) == ("EME", Money(amount=Decimal("71.27"), currency="EUR"))


def test_charges_in_two_currencies_are_no_sum() -> None:
    charges = tuple(Charge(type="VAT", amount=Money(amount=Decimal("1.00"), currency=currency)) for currency in ("EUR", "USD"))
    due = a_notice(outcome=Outcome.DOCUMENT_CHECK, reasons=(PublicView(public="payment_due"),), charges=charges)
    assert read(emsevt, emsevt.render([due], DEFAULT_DIALECT))[0].event.charges is None


def test_what_is_no_decision_is_no_event() -> None:
    assert emsevt.render([a_notice("guichet.consignment.accepted"), a_notice(outcome=Outcome.WITHDRAWN)], DEFAULT_DIALECT) == b""


# --- dialects ----------------------------------------------------------------------------------------------------------------------------


def test_a_view_of_the_declaration_system_is_the_same_item() -> None:
    profile = read(itmatt, sample("itmatt/reference.xml"))[0].consignment
    view = read(cds_view, sample("cds-view/full.xml"))[1].consignment
    assert view.goods_items[0] == profile.goods_items[0]
    assert view.tax_ids == profile.tax_ids
    assert (view.consignee.name, view.consignor.city, view.posted_at) == ("Marieke de Vries", "Los Angeles", profile.posted_at)
    assert view.extra["DutyPaidRef"] == "DDP-77120"


def test_soap_and_plain_say_the_same() -> None:
    plain, soap = (read(cds_view, sample(f"cds-view/{name}.xml"))[0] for name in ("declaration", "soap_declarations"))
    assert plain.consignment == soap.consignment


def test_a_response_of_the_system_means_what_was_agreed() -> None:
    agreed = read(cds_view, sample("cds-view/soap_responses.xml"), Dialect(code_maps={"decision": {"7": "PAY"}}))[0]
    assert (agreed.decision, agreed.answer_id) == ("PAYMENT_REQUIRED", "77aa6f1a-3b6e-4a9d-9b1e-5d2b9b6c1a77")
    assert agreed.extra["Tax[1]"] == "BC 8.000% 16.00 EUR"


def test_a_response_of_the_hub_is_read_by_its_own_reader() -> None:
    dialect = Dialect(code_maps={"native": {"RELEASE": "2"}, "decision": {"2": "RELEASE"}})
    body = cds_view.render([a_notice(), a_notice(key="order:x:1", notice_id=UUID(int=3))], dialect)
    (answer,) = read(cds_view, body, dialect)
    assert (answer.key, answer.decision, answer.raw_code) == ("post:LZ314159268US", "RELEASE", "2")


@pytest.mark.parametrize("outcome", ["release", "document_check", "physical_check", "referral", "hold", "withdrawn"])
def test_who_agreed_no_codes_reads_the_decision_in_words(outcome: str) -> None:
    (answer,) = read(cds_view, cds_view.render([a_notice(outcome=outcome, referred=("/consignee/name",))], DEFAULT_DIALECT))
    (profile,) = read(cusrsp, cusrsp.render([a_notice(outcome=outcome)], DEFAULT_DIALECT))
    assert (answer.decision, answer.outcome, answer.raw_code) == (profile.decision, profile.outcome, profile.raw_code)
    assert answer.extra["RequestedElement[1]"] == "requested CDSView/Declaration/Data/RecipientName"


def test_what_customs_at_the_departure_said_is_kept_and_frees_nothing() -> None:
    said = b"<DCResponse><CDSStateCd>55</CDSStateCd><Data><DecisionCd>2</DecisionCd><Dutiable>false</Dutiable></Data></DCResponse>"
    (declaration,) = read(cds_view, sample("cds-view/declaration.xml").replace(b"<CDSView>", b"<CDSView>" + said))
    assert declaration.consignment.extra["DCResponse/DecisionCd"] == "2"
    assert not [finding for finding in declaration.findings or () if finding.code == "FLD-IGNORED"]


def test_a_declaration_as_the_system_stores_it_is_taken_without_goods() -> None:
    stored = read(cds_view, sample("cds-view/stored_declarations.xml"))[0]
    told = read(cds_view, sample("cds-view/declaration.xml"))[0]
    assert (stored.consignment.consignor.name, stored.consignment.gross_mass_kg) == (told.consignment.consignor.name, Decimal("0.870"))
    assert stored.consignment.consignee.city == told.consignment.consignee.city
    assert stored.consignment.goods_items == ()
    assert [finding.path for finding in stored.findings if finding.code == "FLD-WANTED"] == ["/goods_items"]


def test_what_the_system_stores_beside_a_declaration_changes_nothing() -> None:
    told = sample("cds-view/declaration.xml")
    both = told.replace(b"</Data>", b"</Data><XMLData>&lt;DecData SNm='Other' GWgt='9'/&gt;</XMLData>")
    assert read(cds_view, both)[0].consignment == read(cds_view, told)[0].consignment


def test_both_syntaxes_of_the_national_form_say_the_same() -> None:
    forms = [read(national_item, sample(f"national-item/{name}"))[0] for name in ("reference.xml", "single.json", "bare_object.json")]
    assert forms[0].consignment == forms[1].consignment == forms[2].consignment
    assert forms[0].content_digest == forms[1].content_digest


def test_the_day_of_receipt_is_no_part_of_the_content() -> None:
    body = sample("national-item/reference.xml")
    later = raw(body)
    later = type(later)(later.participant, body, datetime(2026, 12, 1, tzinfo=UTC))
    first, again = (next(iter(national_item.parse(message, DEFAULT_DIALECT))) for message in (raw(body), later))
    assert isinstance(first, Filing)
    assert isinstance(again, Filing)
    assert first.content_digest == again.content_digest
    assert first.consignment != again.consignment


def test_a_national_receptacle_list_is_a_despatch() -> None:
    items = read(national_item, sample("national-item/receptacle.json"))
    assert [item.key for item in items][1:] == ["post:LZ314159268US", "post:LZ161803397US"]
    assert {item.movement.despatch_id for item in items} == {"USLAXANLHAGIAUN60123"}
