"""Cargo-IMP: what authorities say before loading and at import; answers in kind."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.ingest import intake
from shared.contracts import Answer, OpenReferral, Outcome, PublicView, Stop, Summary
from shared.directory import Participant, Role
from shared.errors import InvalidConsignment
from shared.formats import cargo_imp, fer, fma, fna, fsn, per, psn, xcsn
from shared.formats.base import Received, Taken
from shared.formats.cargo_imp import LINE, MESSAGE_BYTES
from shared.model import DEFAULT_DIALECT, Dialect, Finding, RawMessage, Rejection
from tests.samples import FOLDER, RECEIVED_AT
from tests.unit.shared.formats.notices import AT, a_notice

SUMMARY = Summary(
    house_transport_document_id="JXE260300018", master_transport_document_id="888-45123072", channel="express", package_count=2
)
CARRIER = Dialect(carrier="jx")
WRONG = Finding(
    code="FLD-FORM",
    message="The value does not have the form of its field.",
    remedy="Correct the value.",
    path="/gross_mass_kg",
    sender_path="FHL line 3, HBS/weight",
)
FHL = b"FHL/4\r\nMBI/888-45123072SZXLGG/T3K2.7\r\nHBS/JXE260300018/SZXLGG/1/K0.5/1/COTTON T-SHIRT\r\n"


def sample(name: str, case: str = "reference") -> bytes:
    return (FOLDER / name / f"{case}.txt").read_bytes()


def outcomes(module: Any, body: bytes, dialect: Dialect = DEFAULT_DIALECT, at: datetime = RECEIVED_AT) -> list[Any]:
    return list(module.parse(RawMessage("authority", body, at), dialect))


def back(module: Any, body: bytes, dialect: Dialect = CARRIER) -> Answer:
    """Return the one answer that a written message is read as, a minute after it was written."""
    (answer,) = outcomes(module, body, dialect, AT + timedelta(minutes=1))
    assert isinstance(answer, Answer), answer
    return answer


def codes(outcome: Any) -> list[str]:
    return [finding.code for finding in outcome.findings or ()]


def notice(**changes: Any) -> Any:
    values: dict[str, Any] = {"key": "express:jx:JXE260300018", "consignment": SUMMARY, "participant": "jx"}
    return a_notice(**(values | changes))


def refusal(**changes: Any) -> Any:
    return notice(type="guichet.filing.rejected", **({"findings": (WRONG,), "position": "FHL line 3"} | changes))


# --- reading -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "decision", "lifted"),
    [
        ("reference", "SCREEN_REQUESTED", None),
        ("minimal", "RECEIVED", None),
        ("complete_in_envelope", "ASSESSED_OK", None),
        ("do_not_load_master", "DO_NOT_LOAD", None),
        ("information_in_place", "INFO_REQUESTED", None),
        ("screening_removed", "SCREEN_REQUESTED", True),
        ("unknown_code", "HOLD", None),
    ],
)
def test_a_status_before_loading_never_frees_goods(case: str, decision: str, lifted: bool | None) -> None:
    (answer,) = outcomes(psn, sample("psn", case))
    assert (answer.decision, answer.lifted) == (decision, lifted)
    assert answer.track in ("pre_loading", "filing")
    assert answer.outcome is not Outcome.RELEASE


@pytest.mark.parametrize(
    ("case", "decision", "lifted", "scope"),
    [
        ("reference", "RELEASE", None, ("pieces", 2)),
        ("part_released", "RELEASE", None, ("pieces", 1)),
        ("minimal", "RELEASE", None, ("master", None)),
        ("with_identifiers", "RELEASE", None, ("pieces", 2)),
        ("hold_removed", "HOLD", True, ("pieces", 2)),
        ("examination", "EXAMINE", None, ("pieces", 2)),
        ("entry_cancelled", "CANCELLED", None, ("pieces", 2)),
        ("transfer_broken_line", "TRANSFER_OK", None, ("pieces", 2)),
        ("quantity_zero", "HOLD", None, ("house", None)),
    ],
)
def test_a_disposition_is_about_the_pieces_it_names(case: str, decision: str, lifted: bool | None, scope: tuple[str, int | None]) -> None:
    (answer,) = outcomes(fsn, sample("fsn", case))
    assert (answer.decision, answer.track, answer.lifted) == (decision, "clearance", lifted)
    assert (answer.scope.level, answer.scope.pieces) == scope


def test_two_parts_released_in_one_minute_are_two_answers() -> None:
    body = b"FSN\r\n888-45123072-JXE260300018\r\nCSN/1C-2/02MAR0915\r\nCSN/1C-1/02MAR0915\r\nCSN/1C-1/02MAR0915\r\n"
    first, second, again = outcomes(fsn, body)
    assert [first.scope.pieces, second.scope.pieces] == [2, 1]
    assert first.answer_id != second.answer_id == again.answer_id


def test_the_same_code_means_one_thing_before_loading_and_another_at_import() -> None:
    line = b"888-45123072-JXE260300018\r\nCSN/7H/01MAR0522\r\n"
    before, at_import = outcomes(psn, b"PSN\r\n" + line)[0], outcomes(fsn, b"FSN\r\n" + line)[0]
    assert (before.decision, before.track) == ("INFO_REQUESTED", "pre_loading")
    assert (at_import.decision, at_import.track) == ("HOLD", "clearance")


@pytest.mark.parametrize(
    ("dialect", "key"),
    [
        (Dialect(carrier="jx"), "express:jx:JXE260300018"),
        (Dialect(code_maps={"carrier": {"LGGJXCR": "jy"}}), "express:jy:JXE260300018"),
        (Dialect(code_maps={"carrier": {"888": "jz"}}), "express:jz:JXE260300018"),
        (DEFAULT_DIALECT, "express:lggjxcr:JXE260300018"),
    ],
)
def test_a_house_is_keyed_by_the_carrier_that_was_agreed(dialect: Dialect, key: str) -> None:
    (answer,) = outcomes(psn, sample("psn", "complete_in_envelope"), dialect)
    assert answer.key == key
    assert ("FLD-ASSUMED" in codes(answer)) == (dialect is DEFAULT_DIALECT)


def test_nothing_was_said_in_the_future() -> None:
    body = b"PSN\r\n888-45123072\r\nCSN/SF/01MAR0522/ASSESSMENT COMPLETE\r\n"
    for received_at in (RECEIVED_AT, datetime(2026, 3, 1, 5, 23, tzinfo=UTC), datetime(2027, 2, 27, tzinfo=UTC)):
        assert outcomes(psn, body, at=received_at)[0].issued_at == datetime(2026, 3, 1, 5, 22, tzinfo=UTC)
    assert outcomes(psn, sample("psn", "no_time"))[0].issued_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_time_is_one_of_the_agreed_zone() -> None:
    (answer,) = outcomes(psn, sample("psn"), Dialect(carrier="jx", time_zone="America/Toronto"))
    assert answer.issued_at == datetime(2026, 3, 1, 10, 22, tzinfo=UTC)
    assert codes(answer) == ["TIME-ZONE-ASSUMED"]


def test_a_code_the_table_does_not_have_is_read_as_agreed() -> None:
    (answer,) = outcomes(psn, sample("psn", "unknown_code"), Dialect(carrier="jx", code_maps={"placi": {"SN": "SR"}}))
    assert (answer.decision, answer.raw_code) == ("RECEIVED", "SN")


def test_words_of_the_programme_name_what_is_asked_for() -> None:
    (asked,) = outcomes(psn, sample("psn", "information_with_words"))
    assert asked.requested[:2] == ("/consignee/name", "/goods_items")
    (refused,) = outcomes(per, sample("per", "several_errors"))
    assert (refused.decision, refused.raw_code) == ("REJECTED", "MISSING_CNE_ADDR")
    assert {"/consignee/city", "/gross_mass_kg"} <= set(refused.requested)


@pytest.mark.parametrize("case", ["reference", "minimal", "text_in_a_line_of_its_own", "in_envelope", "broken_line"])
def test_an_error_of_the_manifest_is_known_by_its_number(case: str) -> None:
    (answer,) = outcomes(fer, sample("fer", case))
    assert (answer.decision, answer.track) == ("REJECTED", "filing")
    assert answer.raw_code.isdecimal()
    assert answer.note.startswith(f"{answer.raw_code} ")


@pytest.mark.parametrize(("name", "case"), [("psn", "without_waybill"), ("per", "unreadable"), ("fer", "without_waybill")])
def test_what_names_no_waybill_is_told_and_not_guessed(name: str, case: str) -> None:
    module = {"psn": psn, "per": per, "fer": fer}[name]
    (refused,) = outcomes(module, sample(name, case))
    assert isinstance(refused, Rejection)
    assert "FLD-KEY" in codes(refused)


def test_another_message_in_the_transmission_is_refused_and_the_good_ones_are_taken() -> None:
    answer, refused = outcomes(psn, sample("psn") + sample("fsn"))
    assert isinstance(answer, Answer)
    assert codes(refused) == ["IMP-TYPE"]


# --- writing -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "public", "code"),
    [
        (Outcome.RELEASE, "other", "SF"),
        (Outcome.REFERRAL, "data_missing", "7H"),
        (Outcome.DOCUMENT_CHECK, "documents_needed", "7H"),
        (Outcome.PHYSICAL_CHECK, "examination", "8H"),
        (Outcome.HOLD, "security", "8H"),
        (Outcome.HOLD, "prohibited_goods", "6H"),
        (Outcome.HOLD, "no_answer", "SR"),
        (Outcome.WITHDRAWN, "withdrawn_by_sender", "SR"),
    ],
)
def test_a_decision_becomes_a_pre_loading_status_that_can_be_read(outcome: Outcome, public: Any, code: str) -> None:
    told = notice(outcome=outcome, reasons=(PublicView(public=public),))
    body = psn.render([told], DEFAULT_DIALECT)
    answer = back(psn, body)
    assert (answer.raw_code, answer.key, answer.issued_at) == (code, told.key, AT.replace(second=0))
    assert body == psn.render([told], DEFAULT_DIALECT)


@pytest.mark.parametrize(
    ("outcome", "public", "code", "decision"),
    [
        (Outcome.RELEASE, "other", "1C", "RELEASE"),
        (Outcome.REFERRAL, "data_missing", "1H", "HOLD"),
        (Outcome.DOCUMENT_CHECK, "documents_needed", "1H", "HOLD"),
        (Outcome.PHYSICAL_CHECK, "examination", "1A", "EXAMINE"),
        (Outcome.HOLD, "agency_control", "3H", "HOLD"),
        (Outcome.WITHDRAWN, "withdrawn_by_sender", "4E", "CANCELLED"),
    ],
)
def test_a_decision_becomes_a_disposition_that_can_be_read(outcome: Outcome, public: Any, code: str, decision: str) -> None:
    told = notice(outcome=outcome, reasons=(PublicView(public=public),))
    answer = back(fsn, fsn.render([told], DEFAULT_DIALECT))
    assert (answer.raw_code, answer.decision, answer.key, answer.scope.pieces) == (code, decision, told.key, 2)  # type: ignore[union-attr]


def statuses(module: Any, body: bytes) -> list[tuple[Any, ...]]:
    """Return code, decision and whether it lifts, of each status that a written message is read as."""
    read = outcomes(module, body, CARRIER, AT + timedelta(minutes=1))
    return [(answer.raw_code, answer.decision, bool(answer.lifted)) for answer in read]


def after(before: Outcome, public: Any, /, **changes: Any) -> Any:
    """Return the notice of a decision that takes the place of a stop."""
    return notice(instead_of=Stop(outcome=before, public=(public,)), **changes)


@pytest.mark.parametrize(
    ("outcome", "public", "lifted", "decision"),
    [
        (Outcome.REFERRAL, "data_missing", "7I", "INFO_REQUESTED"),
        (Outcome.PHYSICAL_CHECK, "examination", "8I", "SCREEN_REQUESTED"),
        (Outcome.HOLD, "prohibited_goods", "6I", "DO_NOT_LOAD"),
    ],
)
def test_a_hold_before_loading_is_removed_by_its_own_code(outcome: Outcome, public: Any, lifted: str, decision: str) -> None:
    body = psn.render([after(outcome, public)], DEFAULT_DIALECT)
    assert statuses(psn, body) == [(lifted, decision, True), ("SF", "ASSESSED_OK", False)]


def test_what_an_authority_forbids_to_load_is_no_mere_request_for_screening() -> None:
    security = (PublicView(public="security"),)
    asked, forbidden = OpenReferral(type="RFS"), OpenReferral(type="DNL")
    told = notice(outcome=Outcome.HOLD, reasons=security, referrals=(asked, forbidden))
    assert [code for code, _, _ in statuses(psn, psn.render([told], DEFAULT_DIALECT))] == ["6H"]
    assert xcsn.status_of(told) == "CD"
    stop = Stop(outcome=Outcome.HOLD, public=("security",), do_not_load=True)
    left = notice(outcome=Outcome.HOLD, reasons=security, referrals=(asked,), instead_of=stop)
    assert [code for code, _, _ in statuses(psn, psn.render([left], DEFAULT_DIALECT))] == ["6I", "8H"]
    assert [code for code, _, _ in statuses(psn, psn.render([notice(instead_of=stop)], DEFAULT_DIALECT))] == ["6I", "SF"]


def test_another_hold_before_loading_takes_the_place_of_the_one_removed() -> None:
    told = after(Outcome.HOLD, "prohibited_goods", outcome=Outcome.REFERRAL, reasons=(PublicView(public="data_missing"),))
    assert [code for code, _, _ in statuses(psn, psn.render([told], DEFAULT_DIALECT))] == ["6I", "7H"]


def test_a_hold_that_stands_for_other_reasons_is_not_removed() -> None:
    told = after(Outcome.REFERRAL, "data_missing", outcome=Outcome.REFERRAL, reasons=(PublicView(public="value_query"),))
    assert [code for code, _, _ in statuses(psn, psn.render([told], DEFAULT_DIALECT))] == ["7H"]
    assert [code for code, _, _ in statuses(fsn, fsn.render([told], DEFAULT_DIALECT))] == ["1H"]


@pytest.mark.parametrize(
    ("outcome", "public", "codes"),
    [
        (Outcome.REFERRAL, "data_missing", ["1I", "1C"]),
        (Outcome.HOLD, "agency_control", ["3I", "1C"]),
        (Outcome.PHYSICAL_CHECK, "examination", ["1B"]),
    ],
)
def test_a_hold_at_import_is_removed_before_the_goods_are_released(outcome: Outcome, public: Any, codes: list[str]) -> None:
    body = fsn.render([after(outcome, public)], DEFAULT_DIALECT)
    assert [code for code, _, _ in statuses(fsn, body)] == codes
    assert f"CSN/{codes[0]}-2/23NOV0812/".encode() in body


def test_the_agency_hold_gives_way_to_one_of_customs() -> None:
    told = after(Outcome.HOLD, "agency_control", outcome=Outcome.HOLD, reasons=(PublicView(public="officer"),))
    assert [code for code, _, _ in statuses(fsn, fsn.render([told], DEFAULT_DIALECT))] == ["3I", "1H"]


def test_that_an_examination_gave_way_to_a_hold_has_no_code_and_is_told_so() -> None:
    told = after(Outcome.PHYSICAL_CHECK, "examination", outcome=Outcome.HOLD, reasons=(PublicView(public="officer"),))
    written = fsn.compose(told, DEFAULT_DIALECT)
    assert [code for code, _, _ in statuses(fsn, written.body)] == ["1H"]
    assert [(each.code, each.path, each.value) for each in written.findings] == [("WRITE-LOST", "/instead_of", "1A")]


def test_the_published_layout_is_written() -> None:
    told = notice(outcome=Outcome.REFERRAL, reasons=(PublicView(public="data_missing"),), referred=("/consignee/name", "/documents/380"))
    lines = psn.render([told], DEFAULT_DIALECT).decode().split("\r\n")
    assert lines == [
        "PSN",
        "888-45123072-JXE260300018",
        "CSN/7H/23NOV0812/REQUEST FOR INFORMATION HOLD",
        "/DATA MISSING",
        "/MISSING CNE NAME",
        "/WANTED DOCUMENTS 380",
        "",
    ]
    assert back(psn, psn.render([told], DEFAULT_DIALECT)).requested == ("/consignee/name",)


def test_location_and_envelope_are_data_of_the_receiver() -> None:
    dialect = Dialect(code_maps={"cargo_imp": {"hub": "LGGGUXH", "address": "JFKJXCR LGGJXCR", "location": "JFKXX"}})
    body = fsn.render([notice()], dialect)
    assert body.startswith(b"QK JFKJXCR LGGJXCR\r\n.LGGGUXH 230812\r\nFSN\r\nJFKXX\r\n888-45123072-JXE260300018\r\nCSN/1C-2/23NOV0812/")
    answer = back(fsn, body)
    assert answer.extra == {"CCL": "JFKXX", "originator": "LGGGUXH"}


def test_a_house_is_not_written_without_its_master() -> None:
    alone = notice(consignment=SUMMARY.model_copy(update={"master_transport_document_id": None}))
    for module in (psn, fsn):
        assert module.compose(alone, DEFAULT_DIALECT).body == b""
        with pytest.raises(InvalidConsignment, match="WRITE-MISSING"):
            module.render([alone], DEFAULT_DIALECT)


@pytest.mark.parametrize("house", ["JXE/2603", "JXE_2603", "É-2603", "J" * 36])
def test_a_house_number_that_does_not_fit_is_never_cut(house: str) -> None:
    told = notice(consignment=SUMMARY.model_copy(update={"house_transport_document_id": house}))
    with pytest.raises(InvalidConsignment):
        psn.render([told], DEFAULT_DIALECT)


def test_a_house_number_longer_than_the_message_standard_is_written_with_a_warning() -> None:
    told = notice(key="express:jx:JXE2603000018", consignment=SUMMARY.model_copy(update={"house_transport_document_id": "JXE2603000018"}))
    written = psn.compose(told, DEFAULT_DIALECT)
    assert [finding.code for finding in written.findings] == ["WRITE-WANTED"]
    assert back(psn, written.body).key == told.key


def test_the_short_form_agreed_is_written_and_leads_to_the_full_number() -> None:
    agreed = Dialect(carrier="jx", code_maps={"house": {"JXE*********": "JXE****0*****"}})
    told = notice(key="express:jx:JXE2603000018", consignment=SUMMARY.model_copy(update={"house_transport_document_id": "JXE2603000018"}))
    written = psn.compose(told, agreed)
    assert not written.findings
    assert b"\r\n888-45123072-JXE260300018\r\n" in written.body
    assert back(psn, written.body, agreed).key == told.key


def test_a_number_outside_of_the_series_agreed_is_written_whole_with_a_warning() -> None:
    agreed = Dialect(carrier="jx", code_maps={"house": {"JXE*********": "JXE****0*****"}})
    told = notice(key="express:jx:JXE2603100018", consignment=SUMMARY.model_copy(update={"house_transport_document_id": "JXE2603100018"}))
    written = psn.compose(told, agreed)
    assert [finding.code for finding in written.findings] == ["WRITE-WANTED"]
    assert back(psn, written.body, agreed).key == told.key


def test_a_direct_waybill_is_named_alone() -> None:
    direct = Summary(house_transport_document_id="888-45123072", master_transport_document_id="888-45123072", channel="freight")
    body = psn.render([notice(key="freight:jx:888-45123072", consignment=direct)], DEFAULT_DIALECT)
    assert back(psn, body).key == "master:888-45123072"


def test_refused_data_are_told_before_loading_in_the_programme_s_words() -> None:
    missing = Finding(code="FLD-MISSING", message="A mandatory field is missing.", remedy="Fill the field.", path="/consignee/name")
    body = psn.render([refusal(findings=(missing, WRONG))], DEFAULT_DIALECT)
    assert body.startswith(
        b"PER\r\n888-45123072-JXE260300018\r\nERR/422/MISSING_CNE_NAME\r\n/A MANDATORY FIELD IS MISSING. FILL THE FIELD.\r\n"
    )
    answer = back(per, body)
    assert (answer.decision, answer.requested) == ("REJECTED", ("/consignee/name", "/gross_mass_kg"))


def test_a_refused_house_whose_master_nobody_knows_is_named_in_the_text() -> None:
    body = per.render([refusal(consignment=None)], DEFAULT_DIALECT).decode()
    assert "\r\n/WAYBILL JXE260300018\r\n" in body
    assert "888-" not in body


def test_an_unreadable_message_is_told_without_a_waybill() -> None:
    told = refusal(key="message:jx", consignment=None, filing=None, message_id="sha256:0", position=None)
    assert per.render([told], DEFAULT_DIALECT).startswith(b"PER\r\nERR/400/BAD_WBL_FORMAT\r\n/FLD-FORM\r\n")


def test_many_errors_become_several_messages() -> None:
    body = per.render([refusal(findings=tuple(WRONG for _ in range(60)))], DEFAULT_DIALECT)
    messages = cargo_imp.read(body, DEFAULT_DIALECT)
    assert len(messages) > 1
    assert all(len(message.text.replace("\n", "\r\n")) <= MESSAGE_BYTES for message in messages)
    assert sum(len(message.all("ERR")) for message in messages) == 60
    assert all(message.group(cargo_imp.AWB) is not None for message in messages)


def test_what_is_no_decision_yet_is_acknowledged_and_refused_data_are_rejected() -> None:
    accepted = notice(type="guichet.consignment.accepted")
    assert fsn.render([accepted], DEFAULT_DIALECT) == fma.render([accepted], DEFAULT_DIALECT)
    assert fsn.render([refusal()], DEFAULT_DIALECT) == fna.render([refusal()], DEFAULT_DIALECT)
    assert fma.render([accepted], DEFAULT_DIALECT) == b"FMA\r\nACK/MESSAGE RECEIVED\r\n/ITMATT 888-45123072-JXE260300018\r\n"
    assert fna.render([accepted], DEFAULT_DIALECT) == b""
    assert per.render([accepted], DEFAULT_DIALECT) == b""


def test_a_rejection_says_what_is_wrong_and_what_to_do() -> None:
    (message,) = cargo_imp.read(fna.render([refusal()], DEFAULT_DIALECT), DEFAULT_DIALECT)
    told = " ".join("/".join(row.elements) for group in message.groups for row in group.rows)
    assert "MESSAGE REFUSED" in told
    assert "FLD-FORM FHL LINE 3 HBS WEIGHT THE VALUE DOES NOT HAVE THE FORM OF ITS FIELD. CORRECT THE VALUE." in told
    assert not message.findings


# --- answering a message -----------------------------------------------------------------------------------------------------------------


def taken(position: str, *findings: Finding) -> Taken:
    return Taken(position, None, bool(findings), findings)


def acknowledged(body: bytes, *fates: Taken, refusal: tuple[Finding, ...] = ()) -> bytes | None:
    return fma.acknowledge(Received(UUID(int=1), RawMessage("jx", body, AT), None, fates, refusal), DEFAULT_DIALECT)


def test_a_message_is_acknowledged_and_repeated() -> None:
    assert acknowledged(FHL) == b"FMA\r\nACK/MESSAGE RECEIVED\r\n" + FHL


def test_a_message_of_which_nothing_was_taken_is_rejected_and_repeated() -> None:
    body = acknowledged(FHL, taken("FHL line 3", WRONG))
    assert body is not None
    (message,) = cargo_imp.read(body, DEFAULT_DIALECT)
    assert (message.type, len(message.all("ACK"))) == ("FNA", 2)
    assert message.quoted is not None
    assert message.quoted.group("HBS") is not None
    assert body.endswith(FHL)


def test_a_message_taken_in_part_is_acknowledged_with_what_was_not() -> None:
    body = acknowledged(FHL, taken("FHL line 3", WRONG), taken("FHL line 9"))
    assert body is not None
    assert body.startswith(b"FMA\r\nACK/1 OF 2 TAKEN\r\nACK/FLD-FORM ")


def test_each_message_of_a_transmission_has_its_own_answer() -> None:
    body = acknowledged(FHL + FHL, taken("FHL line 3"), taken("FHL line 6", WRONG))
    assert body is not None
    assert [message.type for message in cargo_imp.read(body, DEFAULT_DIALECT)] == ["FMA", "FNA"]


@pytest.mark.parametrize(
    ("case", "start"), [("reference", b"FMA\r\nACK/MESSAGE RECEIVED\r\nFHL/5\r\n"), ("no_house", b"FNA\r\nACK/MESSAGE REFUSED\r\n")]
)
def test_a_house_list_is_answered_in_kind(case: str, start: bytes) -> None:
    sender = Participant(id="jx", name="Jet", role=Role.CARRIER, country="CN")
    reading = intake.read(RawMessage("jx", sample("fhl", case), AT), sender)
    reading.acknowledge(sender.dialect)
    list(reading)
    told = reading.acknowledgement(AT).acknowledgement
    assert told is not None
    assert (told.format, told.body[: len(start)]) == ("fma", start)


def test_an_answer_goes_back_to_the_originator() -> None:
    body = acknowledged(b"QK LGGGUXH LGGFMXH\r\n.SZXJXXX 230810\r\n" + FHL)
    assert body is not None
    assert body.startswith(b"QK SZXJXXX\r\n.LGGGUXH 230812\r\nFMA\r\nACK/MESSAGE RECEIVED\r\nFHL/4\r\n")


@pytest.mark.parametrize(
    "body", [sample("psn"), sample("per"), sample("fsn"), sample("fer"), b"FMA\r\nACK/X\r\n", b"FNA\r\nACK/X\r\n" + FHL]
)
def test_answers_are_not_answered(body: bytes) -> None:
    assert acknowledged(body) is None


def test_what_is_repeated_stops_at_a_whole_line_and_says_so() -> None:
    long = FHL + b"".join(b"TXT/LINE %03d OF A LONG MESSAGE\r\n" % number for number in range(200))
    body = acknowledged(long, refusal=(WRONG,) * 40)
    assert body is not None
    assert len(body) <= MESSAGE_BYTES
    assert all(len(line) <= LINE for line in body.decode().split("\r\n"))
    text = body.decode()
    assert " MORE ERRORS\r\n" in text
    kept = int(text.partition("REPEATED UP TO LINE ")[2].split()[0])
    assert text.partition("FHL/4")[2].count("\r\n") == kept


def test_what_cannot_be_read_at_all_is_rejected_with_its_text() -> None:
    body = acknowledged(b"FHL/4\r\nMBI/\x00\r\n")
    assert body is not None
    assert body.startswith(b"FNA\r\nACK/MESSAGE REFUSED\r\nACK/MSG-NUL ")
    assert b"FHL/4" in body


def test_the_same_notice_gives_the_same_bytes() -> None:
    told = notice(notice_id=UUID(int=7))
    for module in (psn, fsn, fma):
        assert module.render([told, told], DEFAULT_DIALECT) == module.render([told], DEFAULT_DIALECT) * 2


def test_samples_are_read_without_a_word_about_the_programme_s_own_words() -> None:
    assert not [code for each in outcomes(per, sample("per"), CARRIER) for code in codes(each)]
