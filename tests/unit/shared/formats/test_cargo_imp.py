"""Cargo-IMP: envelopes, broken lines, several messages, dates without a month; then what each message files."""

import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.errors import MalformedMessage
from shared.formats import cargo_imp, ffm, fhl, fsu, fwb, recognition, xffm, xfsu, xfzb
from shared.formats.base import Reader
from shared.formats.cargo_imp import Envelope
from shared.formats.provenance import provenance
from shared.model import DEFAULT_DIALECT, Dialect, Rejection
from tests.samples import FOLDER, raw

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
FHL = "FHL/4\nMBI/888-45123072SZXLGG/T3K2.7\nHBS/JXE260300017/SZXLGG/1/K0.5/1/T-SHIRT\n/SPX\n"
TYPE_B = "QU LGGCUXX BRUFMXX\nLGGKKXX\n.SZXJXXX 010412\n"


def read(text: str, dialect: Dialect = DEFAULT_DIALECT) -> list[cargo_imp.Message]:
    return cargo_imp.read(text.encode(), dialect)


def codes(message: cargo_imp.Message) -> list[str]:
    return [finding.code for finding in message.findings]


# --- the transmission --------------------------------------------------------------------------------------------------------------------


def test_a_line_with_identifier_begins_a_group_and_a_stroke_continues_it() -> None:
    message = read(FHL)[0]
    assert (message.type, message.version, message.line) == ("FHL", "4", 1)
    assert [(group.name, group.line) for group in message.groups] == [("MBI", 2), ("HBS", 3)]
    assert message.groups[1].element(0) == "JXE260300017"
    assert [row.elements for row in message.groups[1].continued] == [["SPX"]]
    assert codes(message) == []


def test_the_envelope_says_who_sent_it_and_when() -> None:
    message = read("ZCZC 0042\n" + TYPE_B + FHL + "NNNN\n")[0]
    assert message.envelope == Envelope("QU", ("LGGCUXX", "BRUFMXX", "LGGKKXX"), "SZXJXXX", "010412")
    assert cargo_imp.sent_at(message, NOW) == datetime(2026, 3, 1, 4, 12, tzinfo=UTC)
    assert message.line == 5
    assert codes(message) == []


def test_line_ends_and_control_characters_do_not_matter() -> None:
    plain = [group.rows for group in read(TYPE_B + FHL)[0].groups]
    for text in (("\x01" + TYPE_B + "\x02" + FHL + "\x03").replace("\n", "\r\n"), (TYPE_B + FHL).replace("\n", "\r")):
        assert recognition.look(text.encode()).root == "FHL"
        assert [group.rows for group in read(text)[0].groups] == plain


def test_text_before_the_message_is_told_and_not_read() -> None:
    message = read("Good morning,\nplease find below\n" + FHL)[0]
    assert codes(message) == ["IMP-STRAY", "IMP-CHARACTER"]
    assert len(message.groups) == 2


def test_a_broken_line_is_joined_and_told() -> None:
    message = read(FHL.replace("SZXLGG/1/K0.5/1/T-SHIRT", "SZX\nLGG/1/K\n0.5/1/T-SHIRT"))[0]
    assert message.groups[1].first == ["JXE260300017", "SZXLGG", "1", "K0.5", "1", "T-SHIRT"]
    assert [(finding.code, finding.sender_path) for finding in message.findings] == [("IMP-LINES", "FHL line 3")]


def test_lines_that_are_read_again_are_told_once() -> None:
    message = read(FHL.replace("SZXLGG/1", "SZX\nLGG/1"))[0]
    assert list(message.lines()) == list(message.lines())
    assert codes(message) == ["IMP-LINES"]
    assert message.groups == list(cargo_imp.grouped(message.lines()))
    assert codes(message) == ["IMP-LINES"]


def test_empty_elements_keep_their_place() -> None:
    message = read(FHL + "OCI//ISS/RA/CN RA 00123-01\n///ED/0627\n")[0]
    oci = message.group("OCI")
    assert oci is not None
    assert [row.elements for row in oci.rows] == [["", "ISS", "RA", "CN RA 00123-01"], ["", "", "ED", "0627"]]


def test_several_messages_stand_in_one_transmission() -> None:
    messages = read(TYPE_B + FHL + "QK LGGCUXX\n.SZXJXXX 010415\n" + FHL + FHL)
    assert [(message.line, message.envelope and message.envelope.sent) for message in messages] == [
        (4, "010412"),
        (10, "010415"),
        (14, "010415"),
    ]
    assert all(len(message.groups) == 2 and codes(message) == [] for message in messages)


def test_an_answer_holds_what_it_repeats() -> None:
    messages = read("FNA\nACK/HBS NOT IN LIST\n" + FHL + "FMA\nACK/READ\n" + FHL)
    assert [message.type for message in messages] == ["FNA", "FMA"]
    for message, line in zip(messages, (3, 9), strict=True):
        assert [group.name for group in message.groups] == ["ACK"]
        assert message.quoted is not None
        assert (message.quoted.type, message.quoted.line, len(message.quoted.groups)) == ("FHL", line, 2)


def test_airports_named_like_messages_stay_airports() -> None:
    ffm = "FFM/8\n1/XX8012/01MAR/SZX\nPER\n888-45123072SZXPER/T2K60\nFNA\n888-45123083SZXFNA/T1K2\nLAST\n"
    messages = read(ffm + "PER\n888-45123072\nERR/422/INVALID_ROUTING\n")
    assert [message.type for message in messages] == ["FFM", "PER"]
    assert [group.name for group in messages[0].groups] == ["", "", "AWB", "", "AWB", "LAST"]
    assert [group.name for group in messages[1].groups] == ["AWB", "ERR"]


def test_other_characters_and_long_lines_are_read_and_told_once() -> None:
    message = read(FHL + "TXT/Häkelnadel\nTXT/é\nTXT/" + "A" * 70 + "\n")[0]
    assert codes(message) == ["IMP-CHARACTER", "IMP-LENGTH"]
    assert message.findings[0].sender_path == "FHL line 5, column 6"
    assert message.all("TXT")[0].first == ["Häkelnadel"]
    assert codes(cargo_imp.read(FHL.encode() + "TXT/é".encode("latin-1"), DEFAULT_DIALECT)[0]) == ["IMP-CHARACTER", "IMP-CHARACTER"]
    latin = cargo_imp.read(FHL.encode() + "TXT/É".encode("latin-1"), Dialect(encoding="latin-1"))[0]
    assert latin.all("TXT")[0].first == ["É"]


def test_text_without_a_message_is_refused() -> None:
    with pytest.raises(MalformedMessage) as refused:
        read("QU LGGCUXX\n.SZXJXXX 010412\nHELLO\n")
    assert (refused.value.finding_code, refused.value.line) == ("MSG-SYNTAX", 1)


def test_each_message_of_another_type_is_rejected() -> None:
    messages = read(FHL + "PSN\n888-45123072\nCSN/SF/01MAR0522\n")
    wanted, refused = cargo_imp.of_type(messages, "FHL", raw(b"x"), "fhl")
    assert [message.type for message in wanted] == ["FHL"]
    assert [(each.position, each.findings[0].code) for each in refused] == [("PSN line 5", "IMP-TYPE")]


# --- times -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "near", "meant"),
    [
        ("01", datetime(2026, 2, 27, tzinfo=UTC), date(2026, 3, 1)),
        ("31", datetime(2026, 3, 2, tzinfo=UTC), date(2026, 3, 31)),
        ("30", datetime(2026, 3, 2, tzinfo=UTC), date(2026, 3, 30)),
        ("01JAN", datetime(2026, 12, 30, tzinfo=UTC), date(2027, 1, 1)),
        ("01MAR26", datetime(2020, 1, 1, tzinfo=UTC), date(2026, 3, 1)),
        ("29FEB", datetime(2028, 3, 1, tzinfo=UTC), date(2028, 2, 29)),
        ("29FEB", datetime(2026, 3, 1, tzinfo=UTC), None),
        ("0126", datetime(2026, 3, 1, tzinfo=UTC), None),
        ("41", datetime(2026, 3, 1, tzinfo=UTC), None),
        ("01MAI", datetime(2026, 3, 1, tzinfo=UTC), None),
    ],
)
def test_a_day_is_the_nearest_one(said: str, near: datetime, meant: date | None) -> None:
    assert cargo_imp.day(said, near) == meant


def test_a_moment_is_read_with_and_without_its_year() -> None:
    assert cargo_imp.moment("01MAR0522", NOW) == cargo_imp.moment("01MAR260522", NOW) == datetime(2026, 3, 1, 5, 22, tzinfo=UTC)
    assert cargo_imp.moment("01MAR2522", NOW) is None
    assert cargo_imp.moment("01MAR", NOW) is None


# --- writing -----------------------------------------------------------------------------------------------------------------------------


def test_text_is_written_in_the_characters_of_the_standard() -> None:
    assert cargo_imp.transliterate("Straße 12, L'Été & Ñuñoa — Øster Ærø") == "STRASSE 12 L ETE NUNOA OSTER AERO"


def test_a_text_is_broken_between_words() -> None:
    assert cargo_imp.wrapped("COTTON KNITTED T-SHIRT", 10) == (["COTTON", "KNITTED T-SHIRT"], "")
    assert cargo_imp.wrapped("A" * 25, 10, 10, 2) == (["A" * 10, "A" * 10], "A" * 5)


def test_what_is_written_is_read_again() -> None:
    envelope = Envelope("QU", tuple(f"LGGCU{number:02}" for number in range(10)), "SZXJXXX", "010412")
    body = cargo_imp.join(FHL.splitlines(), envelope)
    assert body.count(b"\r\n") == body.count(b"\n") == 7
    message = cargo_imp.read(body, DEFAULT_DIALECT)[0]
    assert message.envelope == envelope
    assert message.groups == [group._replace(rows=[row._replace(line=row.line + 3) for row in group.rows]) for group in read(FHL)[0].groups]


# --- what is filed -----------------------------------------------------------------------------------------------------------------------


def sample(name: str, case: str = "reference") -> bytes:
    return (FOLDER / name / f"{case}.txt").read_bytes()


def outcomes(module: Reader, body: bytes | str, dialect: Dialect = DEFAULT_DIALECT) -> list[Any]:
    return list(module.parse(raw(body if isinstance(body, bytes) else body.encode()), dialect))


def told(outcome: Any) -> list[str]:
    return [finding.code for finding in outcome.findings or ()]


def test_a_house_in_text_and_one_in_xml_file_the_same() -> None:
    text = outcomes(fhl, sample("fhl").replace(b"JXE260300017", b"JXE2603000017"))[0]
    other = outcomes(xfzb, (FOLDER / "xfzb" / "reference.xml").read_bytes())[0]
    assert text.key == other.key == "express:sample-sender:JXE2603000017"
    alike = {"consignor", "consignee", "declared_value", "gross_mass_kg", "package_count", "place_of_arrival", "channel", "carrier_id"}
    assert text.consignment.model_dump(include=alike) == other.consignment.model_dump(include=alike)


def test_a_shortened_house_number_is_the_number_it_stands_for() -> None:
    agreed = Dialect(code_maps={"house": {"JXE*********": "JXE****0*****"}})
    short = outcomes(fhl, sample("fhl"), agreed)[0]
    full = outcomes(xfzb, (FOLDER / "xfzb" / "reference.xml").read_bytes(), agreed)[0]
    assert short.key == full.key == "express:sample-sender:JXE2603000017"
    assert short.consignment.house_transport_document_id == "JXE2603000017"
    assert short.consignment.extra["HBS"] == "JXE260300017"


def test_an_agreed_form_that_does_not_fit_changes_no_number() -> None:
    for series in ({"JXE********": "JXE****0*****"}, {"JXE*********": "JXE****0****"}, {"AXE*********": "JXE****0*****"}):
        assert outcomes(fhl, sample("fhl"), Dialect(code_maps={"house": series}))[0].key == "express:sample-sender:JXE260300017"


def test_both_layouts_of_a_party_read_the_same() -> None:
    new = outcomes(fhl, sample("fhl"))[0].consignment
    old = sample("fhl").replace(b"FHL/5", b"FHL/4").replace(b"SHP\nNAM", b"SHP").replace(b"CNE\nNAM", b"CNE")
    assert outcomes(fhl, old.replace(b"\nADR/", b"\n/").replace(b"\nLOC/", b"\n/"))[0].consignment == new


def test_houses_without_parties_are_movements_and_the_master_is_checked() -> None:
    first, second, master = outcomes(fhl, sample("fhl", "several"))
    assert (first.kind, second.kind, master.key) == ("movement", "movement", "master:888-45123072")
    assert told(master) == []
    assert told(outcomes(fhl, sample("fhl", "several").replace(b"/2/K2.2/", b"/1/K2.2/"))[-1]) == ["FLD-COUNT"]


def test_a_list_sent_in_several_messages_is_summed_up() -> None:
    one, two = sample("fhl", "several").split(b"HBS/JXE260300018")
    parts = one + one.partition(b"HBS")[0] + b"HBS/JXE260300018" + two
    assert [told(outcome) for outcome in outcomes(fhl, parts)] == [[], [], []]


def test_a_house_list_is_read_house_by_house() -> None:
    lines = "".join(f"HBS/JXE{number:09}/SZXLGG/1/K0.5/1/SHIRT\nTXT/COTTON SHIRT\n" for number in range(4_000))
    body = f"FHL/5\nMBI/888-45123072SZXLGG/T4000K2000\n{lines}".encode()
    tracemalloc.start()
    count = sum(1 for _ in fhl.parse(raw(body), DEFAULT_DIALECT))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < 8 * len(body)) == (4_001, True)


def test_the_house_that_is_too_many_is_named() -> None:
    one = "FHL/5\nMBI/888-45123072SZXLGG/T3K2.7\n" + "HBS/JXE260300017/SZXLGG/1/K0.5/1/SHIRT\n" * 6_000
    with pytest.raises(MalformedMessage) as refused:
        fhl.parse(raw((one + one).encode()), DEFAULT_DIALECT)
    assert (refused.value.finding_code, refused.value.path, refused.value.value) == ("MSG-ITEMS", "FHL line 10005, HBS", "12000")


def test_houses_that_are_more_than_their_master_are_told() -> None:
    body = sample("fhl").replace(b"/T3K2.7", b"/T1K0.4")
    assert "FLD-COUNT" not in told(outcomes(fhl, body)[0])
    assert told(outcomes(fhl, body.replace(b"LGG/1/K0.5", b"LGG/2/K1.5"))[0]).count("FLD-COUNT") == 2


def test_pounds_become_kilograms_and_stay_as_sent() -> None:
    consignment = outcomes(fhl, sample("fhl", "full"))[0].consignment
    assert (consignment.gross_mass_kg, consignment.extra["GrossWeightMeasure"]) == (Decimal("0.499"), "1.1 LBR")


def test_a_finding_names_line_and_field() -> None:
    refused = outcomes(fhl, sample("fhl", "one_house_refused"))[0]
    where = {finding.code: finding.sender_path for finding in refused.findings}
    assert where["FLD-KEY"] == "FHL line 3, HBS/number"
    assert where["FLD-CODE"] == "FHL line 8, CNE/country"


def test_a_value_tells_its_place() -> None:
    filing = outcomes(fhl, sample("fhl"))[0]
    found = provenance(filing, fhl.PATHS)
    assert found["/goods_items/0/hs_code"] == "FHL line 3/HTS"
    assert found["/consignor/phone"] == "FHL line 3/SHP/TE"


def test_a_direct_waybill_is_a_consignment_and_a_consolidation_a_movement() -> None:
    direct, master = outcomes(fwb, sample("fwb", "direct"))[0], outcomes(fwb, sample("fwb"))[0]
    assert (direct.kind, direct.key) == ("consignment", "freight:sample-sender:888-45123083")
    assert (master.kind, master.key) == ("movement", "master:888-45123072")
    assert [(line.hs_code, line.package_count) for line in direct.consignment.goods_items] == [("851830", 2), ("6109100010", 3)]


def test_the_day_of_a_flight_is_near_to_the_date_of_issue() -> None:
    assert outcomes(fwb, sample("fwb"))[0].movement.departure_at == datetime(2026, 3, 1, tzinfo=UTC)
    unsigned = sample("fwb").replace(b"ISU/01MAR26/SHENZHEN/JX EXPRESS\n", b"")
    assert outcomes(fwb, unsigned)[0].movement.departure_at == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_broken_line_of_a_waybill_changes_nothing_else() -> None:
    assert outcomes(fwb, sample("fwb", "broken_lines"))[0].movement == outcomes(fwb, sample("fwb"))[0].movement


def test_a_manifest_loads_each_part_into_its_device() -> None:
    loads = [outcome.movement for outcome in outcomes(ffm, sample("ffm", "full"))]
    assert [(load.receptacle_id, load.package_count, load.place_of_arrival) for load in loads] == [
        (None, 3, "LGG"),
        ("PMC12345XX", 2, "LGG"),
        ("AKE54321XX", 3, "LGG"),
        (None, 1, "PER"),
    ]
    assert {load.conveyance_reference for load in loads} == {"XX8012"}


def test_a_manifest_in_text_fills_the_fields_that_one_in_xml_fills() -> None:
    text = outcomes(ffm, sample("ffm", "full"))[1].movement
    other = outcomes(xffm, (FOLDER / "xffm" / "reference.xml").read_bytes())[0].movement
    assert {"stage", "channel", "conveyance_reference", "carrier_id", "place_of_loading"} <= text.model_fields_set & other.model_fields_set


def test_a_flight_departs_when_its_manifest_was_sent_unless_a_time_is_said() -> None:
    sent = outcomes(ffm, sample("ffm", "sent_after_departure"))[0]
    assert sent.movement.departure_at == sent.prepared_at
    assert "FLD-ASSUMED" in told(sent)
    assert outcomes(ffm, sample("ffm", "full"))[0].movement.departure_at == datetime(2026, 11, 2, 18, 15, tzinfo=UTC)


def test_a_manifest_without_its_end_may_be_cut_off() -> None:
    assert "IMP-CUT" in told(outcomes(ffm, sample("ffm", "cut_off"))[0])
    assert all("IMP-CUT" not in told(outcome) for outcome in outcomes(ffm, sample("ffm", "part_of_several")))


def test_a_flight_without_cargo_is_a_manifest_of_which_nothing_comes() -> None:
    assert outcomes(ffm, sample("ffm", "nil_cargo")) == []
    both = outcomes(ffm, b"FFM/8\n1/XX8012/01MAR1830/SZX\nLGG/NIL\nBRU\n888-45123072SZXBRU/T3K2.7\nLAST\n")
    assert [load.movement.place_of_arrival for load in both] == ["BRU"]


def test_one_of_two_manifests_may_be_without_cargo_and_none_without_saying_so() -> None:
    nil, empty = (f"FFM/8\n1/XX801{number}/01MAR/SZX\nLGG{said}\nLAST\n" for number, said in ((1, "/NIL"), (2, "")))
    assert [type(outcome) for outcome in outcomes(ffm, (nil + empty).encode())] == [Rejection]
    with pytest.raises(MalformedMessage):
        outcomes(ffm, empty.encode())


def test_a_status_in_text_and_one_in_xml_mean_the_same() -> None:
    text = outcomes(fsu, sample("fsu"))[0]
    other = outcomes(xfsu, (FOLDER / "xfsu" / "reference.xml").read_bytes())[0]
    assert text.key == other.key
    assert (text.event.code, text.event.means, text.event.kind) == ("RCF", "received", "tracking")


def test_each_end_of_a_flight_has_its_own_time() -> None:
    events = {outcome.event.code: outcome.event for outcome in outcomes(fsu, sample("fsu", "full"), Dialect(time_zone="Asia/Shanghai"))}
    assert events["DEP"].at == datetime(2026, 11, 1, 10, 42, tzinfo=UTC)
    assert (events["DEP"].place, events["DEP"].next_place) == ("SZX", "LGG")
    assert (events["ARR"].place, events["ARR"].next_place) == ("LGG", None)
    assert events["DIS"].condition_code == "MSCA"


def test_a_status_broken_behind_a_stroke_is_no_status_of_its_own() -> None:
    body = "FSU/14\n888-45123072SZXLGG/T3K2.7\nRCF/XX8012/02NOV0610/\nLGG/T3K2.7\n"
    assert outcomes(fsu, body)[0].event == outcomes(fsu, sample("fsu"))[0].event


def test_a_status_without_its_waybill_is_rejected() -> None:
    assert [told(outcome)[0] for outcome in outcomes(fsu, sample("fsu", "refused"))] == ["FLD-KEY"]
