"""However spoiled a message is, it is acknowledged, and the same way twice."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest import intake
from shared.directory import Participant, Role
from shared.model import RawMessage
from tests.samples import FOLDER, RECEIVED_AT

WHO = Participant(id="sample-sender", name="Sample sender", role=Role.CUSTOMS, country="NL")
NOW = datetime(2026, 11, 21, 19, tzinfo=UTC)
SEEDS = [
    (FOLDER / name).read_bytes()
    for name in (
        "cuscar/several_messages.edi",
        "cuscar/two_interchanges.edi",
        "cusres/minimal.edi",
        "cds-view/one_bad_of_two.xml",
        "ie3f32/one_house_rejected.xml",
        "manifest-csv/two_lines_pounds.csv",
        "neutral/several_lines_without_head.json",
        "wco-declaration/several.xml",
        "xfhl/one_house_refused.xml",
        "xfzb/minimal.xml",
    )
]
SPOILS = st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6), st.integers(0, 40)), max_size=8)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), SPOILS)
def test_a_spoiled_message_is_acknowledged(body: bytes, spoils: list[tuple[int, bytes, int]]) -> None:
    for place, put, cut in spoils:
        at = place % (len(body) + 1)
        body = body[:at] + put + body[at + cut :]
    events = []
    for _ in range(2):
        reading = intake.read(RawMessage(WHO.id, body, RECEIVED_AT), WHO)
        reading.acknowledge(WHO.dialect)
        list(reading)
        events.append(reading.acknowledgement(NOW).to_json())
    assert events[0] == events[1]
