"""Cargo-XML: keys, masses, totals, notes; answers of authorities and answers in kind."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from shared.contracts import Answer, Outcome, PublicView, Summary
from shared.formats import manifest_json, xcsn, xffm, xfhl, xfnm, xfsu, xfwb, xfzb
from shared.formats.base import Envelope
from shared.formats.provenance import provenance
from shared.model import DEFAULT_DIALECT, Dialect, Filing, Finding, Rejection
from tests.samples import FOLDER, RECEIVED_AT, raw, samples
from tests.unit.shared.formats.notices import AT, a_notice

ENVELOPE = Envelope("M-1", "HUB", "AUTH", RECEIVED_AT)
SUMMARY = Summary(house_transport_document_id="JXE2603000017", master_transport_document_id="888-45123072", channel="express")


def sample(name: str, case: str = "reference") -> bytes:
    return (FOLDER / name / f"{case}.xml").read_bytes()


def outcomes(module: Any, body: bytes, dialect: Dialect = DEFAULT_DIALECT) -> list[Any]:
    return list(module.parse(raw(body), dialect))


def codes(outcome: Any) -> list[str]:
    return [finding.code for finding in outcome.findings or ()]


def notice(**changes: Any) -> Any:
    values: dict[str, Any] = {"key": "express:jx:JXE2603000017", "consignment": SUMMARY, "participant": "jx"}
    return a_notice(**(values | changes))


# --- reading filings ---------------------------------------------------------------------------------------------------------------------


def test_a_house_waybill_and_a_manifest_row_of_one_house_meet() -> None:
    assert (
        outcomes(xfzb, sample("xfzb"))[0].key == outcomes(manifest_json, (FOLDER / "manifest-json" / "reference.json").read_bytes())[0].key
    )


def test_the_agreed_carrier_stands_in_the_key() -> None:
    assert outcomes(xfzb, sample("xfzb"), Dialect(carrier="jx"))[0].key == "express:jx:JXE2603000017"
    assert outcomes(xfwb, sample("xfwb", "direct"), Dialect(carrier="jx"))[0].key == "freight:jx:888-45123072"


def test_prefixes_and_the_place_of_a_namespace_do_not_matter() -> None:
    usual, other = (outcomes(xfzb, sample("xfzb", case))[0] for case in ("reference", "other_prefixes"))
    assert usual.consignment == other.consignment


def test_pounds_become_kilograms_and_stay_as_sent() -> None:
    consignment = outcomes(xfzb, sample("xfzb", "pounds"))[0].consignment
    assert consignment.gross_mass_kg == Decimal("0.499")
    assert consignment.goods_items[0].gross_mass_kg == Decimal("0.499")
    assert consignment.extra["GrossWeightMeasure"] == "1.1 LBR"


def test_a_house_that_is_more_than_its_master_is_told() -> None:
    found = outcomes(xfzb, sample("xfzb", "totals_differ"))[0]
    assert codes(found).count("FLD-COUNT") == 4
    assert found.consignment.package_count == 5


def test_totals_of_a_manifest_are_compared_within_the_tolerance() -> None:
    assert [codes(each) for each in outcomes(xfhl, sample("xfhl"))] == [[], [], []]
    close = sample("xfhl").replace(b">2.7<", b">3.1<")
    assert codes(outcomes(xfhl, close)[-1]) == []
    assert codes(outcomes(xfhl, sample("xfhl", "totals_differ"))[-1]) == ["FLD-COUNT", "FLD-COUNT"]


def test_a_house_in_the_header_of_a_manifest_is_not_taken_for_the_master() -> None:
    assert outcomes(xfhl, sample("xfhl", "house_in_header"))[-1].key == "master:888-45123072"


def test_a_manifest_never_replaces_a_house_s_own_data() -> None:
    assert {each.kind for each in outcomes(xfhl, sample("xfhl"))} == {"movement"}


def test_a_bad_house_does_not_take_the_good_ones_down() -> None:
    bad, good, master = outcomes(xfhl, sample("xfhl", "one_house_refused"))
    assert isinstance(bad, Rejection)
    assert isinstance(good, Filing)
    assert isinstance(master, Filing)


def test_notes_become_identifiers_phones_and_documents() -> None:
    consignment = outcomes(xfzb, sample("xfzb", "full"))[0].consignment
    assert (consignment.consignee.identifier_scheme, consignment.consignee.identifier) == ("eori", "BE0999888777")
    assert consignment.documents[0].document_id == "26BE0000H7K3P41AR8"
    assert consignment.extra["OCI[1]"] == "BE/ISS/RA/BE/RA/00001-01"


def test_the_last_leg_is_the_flight_that_arrives() -> None:
    consignment = outcomes(xfzb, sample("xfzb", "full"))[0].consignment
    assert (consignment.conveyance_reference, consignment.place_of_loading, consignment.place_of_arrival) == ("XX8012", "HKG", "LGG")
    assert consignment.extra["OriginLocation"] == "SZX"


def test_an_unknown_purpose_is_refused_unless_it_was_agreed() -> None:
    body = sample("xfzb").replace(b"Creation", b"Neu")
    assert "FLD-CODE" in codes(outcomes(xfzb, body)[0])
    assert outcomes(xfzb, body, Dialect(code_maps={"purpose": {"Neu": "Creation"}}))[0].function == "original"


def test_a_master_is_a_movement_and_a_direct_waybill_a_consignment() -> None:
    assert outcomes(xfwb, sample("xfwb"))[0].key == "master:888-45123072"
    assert outcomes(xfwb, sample("xfwb", "direct"))[0].kind == "consignment"
    assert outcomes(xfwb, sample("xfwb", "no_type"))[0].kind == "movement"


def test_what_flew_is_loaded_on_its_flight() -> None:
    movement = outcomes(xffm, sample("xffm", "several_devices"))[1].movement
    assert (movement.stage, movement.conveyance_reference, movement.receptacle_id) == ("loaded", "XX8012", "AKE54321XX")


def test_a_status_is_an_event_at_its_place() -> None:
    departed, arrived, notified = (each.event for each in outcomes(xfsu, sample("xfsu", "several")))
    assert (departed.code, departed.means, departed.place, departed.next_place) == ("DEP", "departed", "SZX", "LGG")
    assert (arrived.place, notified.place) == ("LGG", "LGG")


@pytest.mark.parametrize("module", [xfzb, xfhl, xfwb, xffm, xfsu])
def test_every_value_tells_where_it_came_from(module: Any) -> None:
    derived = {"/channel", "/carrier_id", "/house_transport_document_type", "/stage", "/mode_of_transport"}
    for path in samples(module.NAME):
        if path.stem in ("reference", "full", "direct", "several"):
            for filing in outcomes(module, path.read_bytes()):
                found = provenance(filing, module.PATHS)
                assert {where for where, source in found.items() if source == filing.position} <= derived


# --- reading answers ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "decision", "lifted"),
    [
        ("reference", "SCREEN_REQUESTED", None),
        ("information", "INFO_REQUESTED", None),
        ("do_not_load_master", "DO_NOT_LOAD", None),
        ("complete", "ASSESSED_OK", True),
        ("screening_removed", "SCREEN_REQUESTED", True),
        ("unknown_code", "HOLD", None),
    ],
)
def test_a_status_becomes_a_decision_before_loading(case: str, decision: str, lifted: bool | None) -> None:
    (answer,) = outcomes(xcsn, sample("xcsn", case))
    assert (answer.decision, answer.lifted) == (decision, lifted)
    assert answer.outcome is not Outcome.RELEASE


def test_the_house_of_a_status_is_keyed_by_the_carrier_that_filed_it() -> None:
    dialect = Dialect(code_maps={"carrier": {"REUAGT88JXEXPRESS/SZX01": "jx"}})
    assert outcomes(xcsn, sample("xcsn"), dialect)[0].key == "express:jx:JXE2603000018"
    assert outcomes(xcsn, sample("xcsn"), Dialect(carrier="ex"))[0].key == "express:ex:JXE2603000018"


def test_a_status_about_a_master_reaches_all_its_houses() -> None:
    (answer,) = outcomes(xcsn, sample("xcsn", "do_not_load_master"))
    assert (answer.key, answer.scope.level) == ("master:888-45123072", "master")


def test_each_house_of_a_status_has_an_answer_of_its_own() -> None:
    first, second = outcomes(xcsn, sample("xcsn", "two_houses"))
    assert first.answer_id != second.answer_id


def test_several_statuses_are_each_told_so_that_no_hold_is_lost() -> None:
    answers = outcomes(xcsn, sample("xcsn", "several_statuses"))
    assert [(answer.key.rpartition(":")[2], answer.decision) for answer in answers] == [
        (house, decision) for decision in ("SCREEN_REQUESTED", "INFO_REQUESTED") for house in ("JXE2603000018", "JXE2603000017")
    ]
    assert len({answer.answer_id for answer in answers}) == len({answer.position for answer in answers}) == 4


def test_a_house_belongs_to_the_master_named_before_it() -> None:
    answers = outcomes(xcsn, sample("xcsn", "houses_of_two_masters"))
    assert [answer.extra["master"] for answer in answers] == ["888-45123072", "888-45123083"]


def test_an_unknown_code_is_kept_with_its_text() -> None:
    (answer,) = outcomes(xcsn, sample("xcsn", "unknown_code"))
    assert (answer.raw_code, answer.note) == ("ZZ", "unknown_code; SEE LETTER")


def test_the_reasons_of_an_error_name_what_is_asked_for() -> None:
    (answer,) = outcomes(xfnm, sample("xfnm", "several_errors"))
    assert answer.decision == "REJECTED"
    assert "/consignee/name" in answer.requested
    assert "/gross_mass_kg" in answer.requested


# --- writing answers in kind -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "public", "status"),
    [
        (Outcome.RELEASE, "other", "CO"),
        (Outcome.REFERRAL, "data_missing", "RI"),
        (Outcome.DOCUMENT_CHECK, "documents_needed", "RI"),
        (Outcome.PHYSICAL_CHECK, "examination", "RS"),
        (Outcome.HOLD, "security", "RS"),
        (Outcome.HOLD, "prohibited_goods", "CD"),
        (Outcome.HOLD, "address_problem", "RI"),
    ],
)
def test_a_decision_becomes_a_status_that_can_be_read(outcome: Outcome, public: Any, status: str) -> None:
    told = notice(outcome=outcome, reasons=(PublicView(public=public),))
    body = xcsn.render([told], DEFAULT_DIALECT)
    (answer,) = outcomes(xcsn, body, Dialect(carrier="jx"))
    assert (answer.raw_code, answer.key, answer.issued_at) == (status, told.key, AT)
    assert body == xcsn.render([told], DEFAULT_DIALECT)


@pytest.mark.parametrize(
    "told", [notice(type="guichet.consignment.accepted"), notice(outcome=Outcome.HOLD, reasons=(PublicView(public="no_answer"),))]
)
def test_what_is_no_decision_yet_is_an_acknowledgement(told: Any) -> None:
    (answer,) = outcomes(xfnm, xcsn.render([told], DEFAULT_DIALECT), Dialect(carrier="jx"))
    assert (answer.key, answer.decision) == (told.key, "RECEIVED")


def test_houses_of_two_masters_in_one_message_keep_their_own() -> None:
    under = {"JXE1": "888-45123072", "JXE2": "888-45123083", "JXE3": "888-45123072"}
    told = [
        notice(
            key=f"express:jx:{house}",
            consignment=Summary(house_transport_document_id=house, master_transport_document_id=master, channel="express"),
        )
        for house, master in under.items()
    ]
    answers = outcomes(xcsn, xcsn.render(told, DEFAULT_DIALECT), Dialect(carrier="jx"))
    assert {answer.key.rpartition(":")[2]: answer.extra["master"] for answer in answers} == under


def test_several_statuses_are_not_one_message() -> None:
    with pytest.raises(ValueError, match="one by one"):
        xcsn.render([notice(), notice(outcome=Outcome.REFERRAL)], DEFAULT_DIALECT)


def reported(findings: Sequence[Finding]) -> Answer:
    told = notice(type="guichet.filing.rejected", consignment=None, findings=tuple(findings))
    (answer,) = outcomes(xfnm, xfnm.render([told], DEFAULT_DIALECT), Dialect(carrier="jx"))
    assert isinstance(answer, Answer)
    return answer


def test_a_refused_waybill_is_told_in_the_programmes_words() -> None:
    refused = outcomes(xfzb, sample("xfzb", "refused"))[0]
    body = xfnm.render([notice(type="guichet.filing.rejected", consignment=None, findings=refused.findings)], DEFAULT_DIALECT).decode()
    assert "<ram:Reason>MISSING_CNE_NAME</ram:Reason>" in body
    assert "<ram:Reason>MISSING_WEIGHT</ram:Reason>" in body
    assert "<ram:StatusCode>Rejected</ram:StatusCode>" in body
    assert "(line 20, column 3)</ram:Information>" in body
    answer = reported(refused.findings)
    assert (answer.decision, answer.key) == ("REJECTED", "express:jx:JXE2603000017")


def test_a_finding_without_a_word_keeps_its_code() -> None:
    answer = reported([Finding(code="MSG-SYNTAX", message="Not well-formed.", remedy="Correct it.")])
    assert answer.note is not None
    assert answer.note.startswith("MSG-SYNTAX")


# --- writing filings ---------------------------------------------------------------------------------------------------------------------


def test_one_message_holds_one_house() -> None:
    filing = outcomes(xfzb, sample("xfzb"))[0]
    written = xfzb.write([filing, filing], ENVELOPE, DEFAULT_DIALECT)
    assert [finding.code for finding in written.findings] == ["WRITE-ONE"]


def test_what_the_waybill_cannot_say_is_told() -> None:
    filing = outcomes(manifest_json, (FOLDER / "manifest-json" / "reference.json").read_bytes())[0]
    lost = {finding.path for finding in xfzb.write([filing], ENVELOPE, DEFAULT_DIALECT).findings}
    assert {"/tax_ids/0/number", "/goods_items/0/item_amount/amount", "/orders/0/order_id"} <= lost


def test_consignments_make_a_manifest_with_their_sums() -> None:
    filing = outcomes(xfzb, sample("xfzb"))[0]
    house, master = outcomes(xfhl, xfhl.write([filing], ENVELOPE, DEFAULT_DIALECT).body)
    assert (house.key, master.movement.package_count, master.movement.gross_mass_kg) == (filing.key, 1, Decimal("0.5"))


def test_a_missing_postcode_is_written_as_an_empty_element() -> None:
    filing = outcomes(xfzb, sample("xfzb", "minimal"))[0]
    assert b"<ram:PostcodeCode></ram:PostcodeCode>" in xfzb.write([filing], ENVELOPE, DEFAULT_DIALECT).body
