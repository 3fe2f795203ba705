"""A message as a whole is answered in its own kind, the same again for the same bytes; an acknowledgement is not answered."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.ingest import intake
from shared.contracts import Acknowledgement, Answer, MessageAcknowledged
from shared.directory import Participant, Role
from shared.formats import FORMATS, READERS, contrl, manifest_csv, xfnm
from shared.formats.base import ANSWER_LIMIT, Acknowledging
from shared.model import DEFAULT_DIALECT, Dialect, RawMessage
from tests.samples import FOLDER

AT = datetime(2026, 3, 2, 7, 2, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 7, 3, tzinfo=UTC)
DIALECT = Dialect(carrier="jx", code_maps={"cargo_xml": {"address": "JXE"}})
ANSWERED = {name: module.ACKNOWLEDGED_BY for name, module in FORMATS.items() if hasattr(module, "ACKNOWLEDGED_BY")}
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
    kinds = {name for name in ANSWERED.values() if not name.startswith("manifest-")}
    assert not kinds & set(ANSWERED)
    assert acknowledged((FOLDER / "contrl/reference.edi").read_bytes(), role=Role.CUSTOMS).acknowledgement is None


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_sample_is_answered_in_its_own_kind_and_the_same_again(path: Path) -> None:
    kind = ANSWERED[path.parent.name]
    event = acknowledged(path.read_bytes(), content_type=FORMATS[path.parent.name].CONTENT_TYPES[0])
    assert event == acknowledged(path.read_bytes(), content_type=FORMATS[path.parent.name].CONTENT_TYPES[0])
    assert MessageAcknowledged.from_json(event.to_json()) == event
    if event.format is None and kind != "contrl":
        return
    answer = in_kind(event)
    assert (answer.format, answer.content_type) == (kind, FORMATS[kind].CONTENT_TYPES[0])
    assert len(answer.body) <= ANSWER_LIMIT
    if kind in ("contrl", "xfnm"):
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
