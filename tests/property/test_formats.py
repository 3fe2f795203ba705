"""Whatever bytes come in, filings or refusals come out, and nothing else."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest import intake
from shared.directory import Participant, Role
from shared.model import Filing, RawMessage, Rejection
from tests.samples import FOLDER, RECEIVED_AT

WHO = Participant(id="sample-sender", name="Sample sender", role=Role.POST, country="NL")
SEEDS = [
    (FOLDER / name).read_bytes()
    for name in (
        "itmatt/reference.xml",
        "itmatt/poor_data.xml",
        "manifest-csv/two_lines_pounds.csv",
        "manifest-json/reference.json",
        "order/single.json",
    )
]
BOUNDED = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def check(body: bytes) -> None:
    outcomes = list(intake.read(RawMessage(WHO.id, body, RECEIVED_AT), WHO))
    assert outcomes
    for outcome in outcomes:
        assert isinstance(outcome, Filing | Rejection)
        assert type(outcome).from_json(outcome.to_json()) == outcome
        if isinstance(outcome, Rejection):
            assert outcome.findings
            intake.rejected(outcome, datetime.now(UTC)).to_json()


@BOUNDED
@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6), st.integers(0, 40)), min_size=1, max_size=8)
)
def test_a_spoiled_message_is_read_or_refused(body: bytes, spoils: list[tuple[int, bytes, int]]) -> None:
    for place, put, cut in spoils:
        at = place % (len(body) + 1)
        body = body[:at] + put + body[at + cut :]
    check(body)


@BOUNDED
@given(st.sampled_from(SEEDS), st.data())
def test_a_spoiled_value_is_read_or_refused(body: bytes, data: st.DataObject) -> None:
    """Replace whole values, so that more than the syntax is tried."""
    marks = b">" if body.lstrip().startswith(b"<") else b'"' if body.lstrip().startswith(b"{") else b";"
    pieces = body.split(marks)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(1, len(pieces) - 1))
        tail = pieces[at].partition(b"<")[2] if marks == b">" else b""
        said = data.draw(
            st.one_of(st.text(max_size=60), st.sampled_from(["0", "-1", "9" * 40, "1e9", "\ufffd", "é" * 300, "2026-02-30T25:00:00Z"]))
        )
        pieces[at] = said.encode("utf-8", "replace") + (b"<" + tail if tail else b"")
    check(marks.join(pieces))


@BOUNDED
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_in_peace(body: bytes) -> None:
    check(body)
