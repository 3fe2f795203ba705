"""Cargo-IMP answers: what is written is read again; spoiled lines give answers or refusals, in time."""

from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts import Answer, Notice, Outcome, PublicView, Scope, Summary
from shared.errors import MalformedMessage
from shared.formats import cargo_imp, fer, fma, fsn, per, psn
from shared.formats.base import Received
from shared.identifiers import air_waybill
from shared.model import DEFAULT_DIALECT, Dialect, Finding, RawMessage, Rejection
from tests.samples import RECEIVED_AT, samples
from tests.unit.shared.formats.notices import a_notice

BOUNDED = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
MODULES: dict[str, Any] = {"psn": psn, "per": per, "fsn": fsn, "fer": fer}
SEEDS = [(name, path.read_bytes()) for name in MODULES for path in samples(name)]

AWBS = st.builds(air_waybill.build, st.sampled_from(["888", "020", "125"]), st.integers(0, 9_999_999))
HOUSES = st.from_regex(r"[A-Z0-9]([A-Z0-9.-]{0,33}[A-Z0-9])?", fullmatch=True)
MINUTES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC)).map(
    lambda at: at.replace(second=0, microsecond=0)
)
ZONES = st.sampled_from(["UTC", "Etc/GMT+5", "Etc/GMT-8"])
DELAYS = st.integers(0, 360 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
REASONS = st.lists(
    st.sampled_from(["data_missing", "value_query", "documents_needed", "security", "prohibited_goods", "agency_control"]),
    max_size=3,
    unique=True,
)
WANTED = st.lists(st.sampled_from(["/consignee/name", "/gross_mass_kg", "/package_count", "/consignor/country"]), max_size=4, unique=True)


@st.composite
def notices(draw: st.DrawFn) -> Notice:
    """A decision about a house under its master, within the limits of the format."""
    house, master = draw(HOUSES), draw(AWBS)
    return a_notice(
        key=f"express:jx:{house}",
        at=draw(MINUTES),
        outcome=draw(st.sampled_from(list(Outcome))),
        reasons=tuple(PublicView(public=each) for each in draw(REASONS)),
        referred=tuple(draw(WANTED)) or None,
        consignment=Summary(
            house_transport_document_id=house,
            master_transport_document_id=master,
            channel="express",
            package_count=draw(st.none() | st.integers(1, 99_999)),
        ),
    )


def back(module: Any, body: bytes, at: datetime, zone: str) -> Answer:
    (answer,) = module.parse(RawMessage("authority", body, at), Dialect(carrier="jx", time_zone=zone))
    assert isinstance(answer, Answer), answer
    return answer


def check_lines(body: bytes) -> None:
    """What is written keeps to the standard: its characters, its lengths, nothing broken."""
    for message in cargo_imp.read(body, DEFAULT_DIALECT):
        assert not [made for made in message.findings if made.value != "_"]
        assert len(message.text) + message.text.count("\n") <= cargo_imp.MESSAGE_BYTES


@BOUNDED
@given(notices(), DELAYS, ZONES)
def test_a_pre_loading_status_written_is_read_again(notice: Notice, delay: timedelta, zone: str) -> None:
    body = psn.render([notice], Dialect(time_zone=zone))
    check_lines(body)
    answer = back(psn, body, notice.at + delay, zone)
    texts = psn.texts_for(notice)
    assert (answer.key, answer.raw_code, answer.issued_at, answer.note) == (
        notice.key,
        psn.status_of(notice),
        notice.at,
        "; ".join(texts)[:255],
    )
    if psn.status_of(notice) not in ("SR", "SF"):
        assert set(answer.requested or ()) >= set(notice.referred or ())


@BOUNDED
@given(notices(), DELAYS, ZONES)
def test_a_disposition_written_is_read_again(notice: Notice, delay: timedelta, zone: str) -> None:
    code = fsn.disposition_of(notice)
    assert code is not None
    body = fsn.render([notice], Dialect(time_zone=zone))
    check_lines(body)
    answer = back(fsn, body, notice.at + delay, zone)
    pieces = notice.consignment.package_count if notice.consignment else None
    assert (answer.key, answer.raw_code, answer.issued_at, answer.note) == (
        notice.key,
        code,
        notice.at,
        "; ".join(fsn.texts_for(notice, code))[:255],
    )
    assert answer.scope == (Scope(level="pieces", pieces=pieces) if pieces else Scope(level="house"))


FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["FLD-MISSING", "FLD-FORM", "DQ-12"]),
    message=st.text(max_size=200),
    remedy=st.text(max_size=100),
    path=st.sampled_from(["/consignee/name", "/gross_mass_kg", "/goods_items/0/hs_code"]),
    sender_path=st.none() | st.text(max_size=100),
)


@BOUNDED
@given(notices(), st.lists(FINDINGS, min_size=1, max_size=30))
def test_errors_written_are_read_again(notice: Notice, findings: list[Finding]) -> None:
    refused = notice.model_copy(update={"type": "guichet.filing.rejected", "findings": tuple(findings), "position": "FHL line 3"})
    body = per.render([refused], DEFAULT_DIALECT)
    check_lines(body)
    read = list(per.parse(RawMessage("authority", body, notice.at), Dialect(carrier="jx")))
    assert {answer.key for answer in read if isinstance(answer, Answer)} == {notice.key}
    asked = {path for answer in read if isinstance(answer, Answer) for path in answer.requested or ()}
    assert asked >= {found.path for found in findings if found.path != "/goods_items/0/hs_code"}


@BOUNDED
@given(st.sampled_from(["FHL/4", "FWB/16"]), st.lists(st.text(max_size=90), max_size=60), st.lists(FINDINGS, max_size=20))
def test_any_message_has_an_answer_within_the_standard(header: str, lines: list[str], findings: list[Finding]) -> None:
    body = "\r\n".join([header, *lines]).encode("utf-8", "replace")
    answer = fma.acknowledge(Received(UUID(int=1), RawMessage("jx", body, RECEIVED_AT), None, (), tuple(findings)), DEFAULT_DIALECT)
    assert answer is None or (answer.isascii() and answer[:3] in (b"FMA", b"FNA"))


def check(name: str, body: bytes) -> None:
    allowed = 0.05 * max(1, len(body) / 3000)
    before = process_time()
    try:
        read = list(MODULES[name].parse(RawMessage("authority", body, RECEIVED_AT), DEFAULT_DIALECT))
    except MalformedMessage:
        read = []
    assert process_time() - before < allowed, "50 ms for 3 kB"
    for outcome in read:
        assert isinstance(outcome, Answer | Rejection)
        assert type(outcome).from_json(outcome.to_json()) == outcome
        assert isinstance(outcome, Answer) or outcome.findings


@settings(BOUNDED, max_examples=400)
@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6), st.integers(0, 40)), min_size=1, max_size=8)
)
def test_a_spoiled_answer_is_read_or_refused(seed: tuple[str, bytes], spoils: list[tuple[int, bytes, int]]) -> None:
    name, body = seed
    for place, put, cut in spoils:
        at = place % (len(body) + 1)
        body = body[:at] + put + body[at + cut :]
    check(name, body)


@settings(BOUNDED, max_examples=400)
@given(st.sampled_from(SEEDS), st.data())
def test_lines_doubled_swapped_left_out_and_filled_with_anything(seed: tuple[str, bytes], data: st.DataObject) -> None:
    name, body = seed
    lines = body.split(b"\r\n")
    for _ in range(data.draw(st.integers(1, 6))):
        first, second = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 4)):
            case 0:
                lines[first], lines[second] = lines[second], lines[first]
            case 1:
                lines.insert(first, lines[second])
            case 2 if len(lines) > 2:
                del lines[first]
            case 3:
                elements = lines[first].split(b"/")
                said = data.draw(
                    st.text(max_size=40) | st.sampled_from(["0", "-1", "9" * 60, "29FEB2460", "/////", "É" * 300, "888-00000000-"])
                )
                elements[second % len(elements)] = said.encode("utf-8", "replace")
                lines[first] = b"/".join(elements)
            case _:
                lines[first] += b"/" * data.draw(st.sampled_from([1, 500, 20_000]))
    check(name, b"\r\n".join(lines))
