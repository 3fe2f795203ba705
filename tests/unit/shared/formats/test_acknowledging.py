"""A message as a whole is answered in its own kind, the same again for the same bytes; an acknowledgement is not answered."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.ingest import intake
from shared.contracts import Acknowledgement, Answer, MessageAcknowledged
from shared.directory import Participant, Role
from shared.formats import FORMATS, READERS, contrl, ics2_answers, manifest_csv, xfnm
from shared.formats.acknowledging import details
from shared.formats.base import ANSWER_LIMIT, Acknowledging, Received, Taken
from shared.model import DEFAULT_DIALECT, Dialect, Finding, RawMessage
from tests.samples import FOLDER
from tests.unit.shared.formats.notices import a_notice

AT = datetime(2026, 3, 2, 7, 2, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 7, 3, tzinfo=UTC)
DIALECT = Dialect(carrier="jx", code_maps={"cargo_xml": {"address": "JXE"}})
ANSWERED = {name: module.ACKNOWLEDGED_BY for name, module in FORMATS.items() if hasattr(module, "ACKNOWLEDGED_BY")}
SPARING = ("ics2-answers", "uk-notification", "cds-view")
"""Formats that have a word for some messages only; the others are answered item by item, in JSON."""
SAMPLES = [path for name in ANSWERED for path in sorted((FOLDER / name).iterdir()) if ".expected." not in path.name]


def acknowledged(body: bytes, *, role: Role = Role.CARRIER, content_type: str | None = None) -> MessageAcknowledged:
    sender = Participant(id="jx", name="Jet", role=role, country="CN", dialect=DIALECT)
    reading = intake.read(RawMessage("jx", body, AT, content_type), sender)
    reading.acknowledge(sender.dialect)
    list(reading)
    assert reading.over
    return reading.acknowledgement(NOW)


def in_kind(event: MessageAcknowledged) -> Acknowledgement:
    assert event.acknowledgement is not None
    return event.acknowledgement


def test_whoever_says_that_he_is_answered_is_answered_by_a_format_that_can() -> None:
    assert {"contrl", "xfnm", "manifest-csv", "manifest-xlsx"} <= set(ANSWERED.values())
    assert all(isinstance(FORMATS[name], Acknowledging) for name in ANSWERED.values())


def test_an_acknowledgement_is_not_acknowledged() -> None:
    kinds = {kind for name, kind in ANSWERED.items() if name != kind}
    assert not kinds & set(ANSWERED)
    assert acknowledged((FOLDER / "contrl/reference.edi").read_bytes(), role=Role.CUSTOMS).acknowledgement is None


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_sample_is_answered_in_its_own_kind_and_the_same_again(path: Path) -> None:
    kind = ANSWERED[path.parent.name]
    event = acknowledged(path.read_bytes(), content_type=FORMATS[path.parent.name].CONTENT_TYPES[0])
    assert event == acknowledged(path.read_bytes(), content_type=FORMATS[path.parent.name].CONTENT_TYPES[0])
    assert MessageAcknowledged.from_json(event.to_json()) == event
    if event.acknowledgement is None:
        assert kind in SPARING or event.format is None
        assert len(event.details or ()) == (event.items + event.rejected)
        return
    assert event.details is None
    answer = in_kind(event)
    assert (answer.format, answer.content_type) == (kind, FORMATS[kind].CONTENT_TYPES[0])
    assert len(answer.body) <= ANSWER_LIMIT
    if kind in ("contrl", "xfnm", *SPARING):
        read = list(READERS[kind].parse(RawMessage("hub", answer.body, AT), DEFAULT_DIALECT))
        assert read
        assert all(isinstance(each, Answer) and each.track == "filing" for each in read)
        whole = next(each for each in read if isinstance(each, Answer))
        nothing_taken = event.items == 0 and event.rejected > 0
        if kind == "xfnm":
            assert (whole.decision == "REJECTED") == bool(event.rejected)
            assert (b">Rejected<" in answer.body) == nothing_taken


def test_a_manifest_without_cargo_is_received_like_any_other() -> None:
    event = acknowledged((FOLDER / "ffm/nil_cargo.txt").read_bytes())
    assert (event.items, event.rejected) == (0, 0)
    assert in_kind(event).body.startswith(b"FMA\r\nACK/MESSAGE RECEIVED")


def test_a_house_waybill_is_acknowledged_by_its_number() -> None:
    body = in_kind(acknowledged((FOLDER / "xfzb/reference.xml").read_bytes())).body
    (answer,) = xfnm.parse(RawMessage("hub", body, AT), DEFAULT_DIALECT)
    assert isinstance(answer, Answer)
    assert answer.decision == "RECEIVED"
    assert re.search(rb"<rsm:BusinessHeaderDocument><ram:ID>JXE2603000017</ram:ID>.*<ram:StatusCode>Received<", body)
    assert b"<ram:ConversationID>" in body


def test_of_a_house_manifest_with_one_bad_house_that_house_is_named() -> None:
    event = acknowledged((FOLDER / "xfhl/one_house_refused.xml").read_bytes())
    assert event.rejected == 1
    assert event.items > 0
    body = in_kind(event).body
    assert body.count(b"<ram:ConditionCode>Error<") >= 1
    assert b"<ram:StatusCode>Received<" in body


def test_a_test_message_is_acknowledged_as_a_test_though_nothing_comes_of_it() -> None:
    body = (FOLDER / "cuscar/reference.edi").read_bytes()
    unb = re.search(rb"UNB[^']*'", body)
    assert unb is not None
    elements = unb[0][:-1].split(b"+")
    tested = body.replace(unb[0], b"+".join(elements + [b""] * (11 - len(elements)) + [b"1"]) + b"'")
    event = acknowledged(tested)
    assert event.test
    assert event.items == acknowledged(body).items > 0
    assert re.search(rb"UNB[^']*\+1'", in_kind(event).body)


def test_an_interchange_of_a_message_nobody_reads_is_refused_with_contrl() -> None:
    body = b"UNB+UNOC:3+JXEXPRESS+GUICHET+260302:0702+77'UNH+1+INVOIC:D:96A:UN'BGM+380+1+9'UNT+3+1'UNZ+1+77'"
    event = acknowledged(body)
    assert (event.format, event.items, event.rejected) == (None, 0, 1)
    (answer,) = contrl.parse(RawMessage("hub", in_kind(event).body, AT), DEFAULT_DIALECT)
    assert isinstance(answer, Answer)
    assert (answer.key, answer.decision) == ("lrn:77", "REJECTED")


def test_an_fma_is_not_answered_though_nobody_reads_it() -> None:
    assert acknowledged(b"QK HUBXXXX\n.LGGJXCR 020702\nFMA\nACK/RECEIVED\nFHL/5\n").acknowledgement is None


def test_a_table_without_known_columns_comes_back_with_the_reason() -> None:
    answer = in_kind(acknowledged(b"parcel;weight\n1;2\n"))
    assert answer.format == manifest_csv.NAME
    assert b"NOT TAKEN | MSG-FORMAT" in answer.body


def test_a_table_of_stock_movements_comes_back_with_what_was_found_in_each_row() -> None:
    answer = in_kind(acknowledged((FOLDER / "stock/table_rows_refused.csv").read_bytes(), role=Role.PLATFORM))
    assert answer.format == manifest_csv.NAME
    header, first, second, third = answer.body.decode("utf-8-sig").splitlines()
    assert header.endswith('"guichet_findings"')
    assert '"IN-1"' in first
    assert "NOT TAKEN" in first
    assert "yesterday" in first
    assert second.endswith('"ok"')
    assert "NOT TAKEN" in third
    assert acknowledged((FOLDER / "stock/reference.json").read_bytes(), role=Role.PLATFORM).acknowledgement is None


def test_what_has_no_answer_in_kind_is_told_all_the_same() -> None:
    event = acknowledged((FOLDER / "itmatt/reference.xml").read_bytes(), role=Role.POST)
    assert event.acknowledgement is None
    assert (event.format, event.items, event.rejected) == ("itmatt", 2, 0)


def test_two_files_under_one_control_reference_are_answered_under_two() -> None:
    body = (FOLDER / "cuscar/reference.edi").read_bytes()
    first, second = (in_kind(acknowledged(each)).body for each in (body, body.replace(b"MUGS", b"CUPS") + b"\n"))
    references = [re.search(rb"UNZ\+[0-9]+\+([^']+)'", each) for each in (first, second)]
    assert references[0] is not None
    assert references[1] is not None
    assert references[0][1] != references[1][1]


# --- families with a word for some messages ----------------------------------------------------------------------------------------------


def answers_of(answer: Acknowledgement) -> list[Answer]:
    read = list(READERS[answer.format].parse(RawMessage("hub", answer.body, AT), DEFAULT_DIALECT))
    assert all(isinstance(each, Answer) for each in read)
    return [each for each in read if isinstance(each, Answer)]


def test_an_ics2_filing_of_which_nothing_was_taken_is_answered_with_its_errors() -> None:
    body = (FOLDER / "ie3f32/reference.xml").read_bytes()
    answer = in_kind(acknowledged(body.replace(b"<country>CN</country>", b"<country>QQ</country>")))
    assert answer.format == "ics2-answers"
    assert b"MRN" not in answer.body
    assert b"MemberState" not in answer.body
    assert b"<messageElementPath>IE3F32/consignmentMasterLevel/consignmentHouseLevel[1]/consignor/address/country<" in answer.body
    (said,) = answers_of(answer)
    assert (said.key, said.decision, said.track) == ("lrn:JXE2603010000017A1", "REJECTED", "filing")
    assert said.requested == ("/consignor/country",)


def test_an_error_about_an_element_with_a_rule_of_ics2_names_the_rule() -> None:
    finding = Finding(code="FLD-MISSING", message="It is missing.", remedy="Give it.", sender_path="a/consignee/address/postCode")
    body = ics2_answers.render([a_notice("guichet.filing.rejected", findings=(finding,), message_id="JXE1")], DEFAULT_DIALECT)
    assert b"<functionalReference>JXE1</functionalReference>" in body
    assert b"<validationCode>C3034</validationCode>" in body
    assert ics2_answers.render([a_notice()], DEFAULT_DIALECT) == b""


def test_of_an_ics2_filing_that_was_taken_in_part_each_house_is_told() -> None:
    event = acknowledged((FOLDER / "ie3f32/one_house_rejected.xml").read_bytes())
    assert event.acknowledgement is None
    assert [(each.position, each.refused) for each in event.details or ()] == [
        ("consignmentMasterLevel/consignmentHouseLevel[1]", False),
        ("consignmentMasterLevel/consignmentHouseLevel[2]", True),
    ]
    assert "consignmentMasterLevel/consignmentHouseLevel[2]/totalGrossMass" in {
        found.sender_path for each in event.details or () for found in each.findings
    }


def test_ics2_bytes_that_are_no_xml_are_answered_without_a_number() -> None:
    answer = in_kind(acknowledged(b'<IE3F32 xmlns="urn:wco:datamodel:WCO:CIS:1"><documentIssueDate>'))
    assert b"functionalReference" not in answer.body


def test_a_declaration_of_the_uk_service_is_received_or_rejected_by_its_own_reference() -> None:
    body = (FOLDER / "wco-declaration/reference.xml").read_bytes()
    (received,) = answers_of(in_kind(acknowledged(body)))
    assert (received.key, received.decision, received.raw_code) == ("lrn:JXE20260301H7000017", "RECEIVED", "02")
    (rejected,) = answers_of(in_kind(acknowledged(body.replace(b"<QuantityQuantity>1<", b"<QuantityQuantity>x<"))))
    assert (rejected.key, rejected.decision, rejected.raw_code) == ("lrn:JXE20260301H7000017", "REJECTED", "03")
    assert rejected.extra is not None
    assert rejected.extra["error[1]"].endswith("42A/67A/68A[1]")


def test_a_declaration_of_another_administration_is_not_answered_in_the_words_of_the_uk() -> None:
    event = acknowledged((FOLDER / "wco-declaration/reference.xml").read_bytes().replace(b"-DMS:2", b":3"))
    assert event.acknowledgement is None
    assert [(each.key, each.refused) for each in event.details or ()] == [("express:jx:JXE2603000017", False)]


def test_a_pushed_declaration_is_answered_with_a_response_of_the_same_service() -> None:
    body = (FOLDER / "cds-view/one_bad_of_two.xml").read_bytes()
    event = acknowledged(body, role=Role.POST)
    said = answers_of(in_kind(event))
    assert sorted(each.decision or "" for each in said) == ["ACCEPTED", "REJECTED"]
    refused = next(each for each in said if each.decision == "REJECTED")
    assert refused.extra is not None
    assert "Error[1]" in refused.extra


def test_a_response_is_not_answered_with_a_response() -> None:
    event = acknowledged((FOLDER / "cds-view/soap_responses.xml").read_bytes(), role=Role.CUSTOMS)
    assert event.acknowledgement is None
    back = in_kind(acknowledged((FOLDER / "cds-view/declaration.xml").read_bytes(), role=Role.POST)).body
    assert acknowledged(back, role=Role.POST).acknowledgement is None


# --- everybody else ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["order/single.json", "payment/reference.json", "neutral/reference.json", "h7-json/reference.json", "awmds/single.xml"],
)
def test_who_has_no_message_for_it_is_told_item_by_item(name: str) -> None:
    role = Role.PLATFORM if name.startswith("order") else Role.PAYMENT_PROVIDER if name.startswith("payment") else Role.CARRIER
    event = acknowledged((FOLDER / name).read_bytes(), role=role)
    assert event.acknowledgement is None
    details = event.details or ()
    assert len(details) == event.items + event.rejected > 0
    assert all(each.position and each.key for each in details)


def test_a_message_refused_as_a_whole_is_told_in_one_line() -> None:
    event = acknowledged(b'{"guichet": "1", "items": []}')
    (whole,) = event.details or ()
    assert (whole.position, whole.refused, whole.findings[0].code) == (None, True, "MSG-NO-ITEMS")


def test_of_too_many_items_only_those_refused_are_told() -> None:
    raw = RawMessage("jx", b"", AT)
    taken = [Taken(f"items[{number}]/{'x' * 200}", f"express:jx:{number}", number % 1000 == 0, ()) for number in range(10_000)]
    told = details(Received(UUID(int=1), raw, None, tuple(taken)))
    assert told is not None
    assert len(told) == 10
    assert all(each.refused for each in told)
    assert details(Received(UUID(int=1), raw, None, tuple(each._replace(refused=True) for each in taken))) is None
