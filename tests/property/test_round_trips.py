"""What is written is read back as it was."""

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.formats import neutral, neutral_lines
from shared.formats.base import Envelope
from shared.model import DEFAULT_DIALECT, Consignment, Event, Filing, Movement, Order, Payment, ReferralReply
from tests.property.contents import contents, filing
from tests.samples import PARTICIPANT, RECEIVED_AT, raw

BOUNDED = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
ENVELOPE = Envelope("M-1", PARTICIPANT, "receiver", RECEIVED_AT)
KINDS = {"consignment": Consignment, "order": Order, "payment": Payment, "movement": Movement, "event": Event, "reply": ReferralReply}


@cache
def _contents(kind: str) -> st.SearchStrategy[Any]:
    return contents(KINDS[kind], **NAMED.get(kind, {}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("module", [neutral, neutral_lines], ids=lambda module: module.NAME)
@BOUNDED
@given(data=st.data())
def test_the_neutral_layout_loses_nothing(module: Any, kind: str, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(_contents(kind), min_size=1, max_size=3))
    filings = [filing(kind, content, function="replace", version=number) for number, content in enumerate(drawn, 1)]
    body = module.write(filings, ENVELOPE, DEFAULT_DIALECT).body
    parsed = module.parse(raw(body), DEFAULT_DIALECT)
    read = list(parsed)
    assert all(isinstance(each, Filing) for each in read), read
    assert [(each.function, each.version, each.content) for each in read] == [
        (each.function, each.version, each.content) for each in filings
    ]
    assert parsed.head.message_id == "M-1"
    assert module.write(filings, ENVELOPE, DEFAULT_DIALECT).body == body


_ORDERS = st.just(({"platform_id": PARTICIPANT, "order_id": "778120"},))
_HOUSE = st.just("RR473124829GB")
NAMED: dict[str, dict[str, Any]] = {
    "payment": {"orders": _ORDERS},
    "movement": {"house_transport_document_id": _HOUSE},
    "event": {"house_transport_document_id": _HOUSE},
    "reply": {"house_transport_document_id": _HOUSE},
}
