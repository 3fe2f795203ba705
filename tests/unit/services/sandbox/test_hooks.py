"""The pretend receiver believes nobody without a signature, and remembers what it acknowledged."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.sandbox.hooks import BadSignature, Inbox, signature, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime.fromtimestamp(1614265330, UTC)


def signed(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + signature(secret, f"msg_p5jXN8AQM9LWM0D4loKWxJek.{stamp}.".encode() + body),
    }


def a_notice(number: int) -> dict[str, object]:
    return {
        "notice_id": str(UUID(int=number)),
        "subscription": str(UUID(int=9)),
        "type": "guichet.decision.made",
        "key": f"post:{number}",
        "sequence": 1,
        "feed_sequence": number,
        "outcome": "release",
        "at": "2026-11-21T09:00:00Z",
        "consignment": {"house_transport_document_id": "not kept"},
    }


def test_the_published_test_vector_verifies():
    # Standard Webhooks, the example of its reference libraries
    body = b'{"test": 2432232314}'
    headers = signed(body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert verify([SECRET], headers, body, NOW) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_one_of_two_secrets_is_enough_while_they_change():
    other = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
    assert verify([other, SECRET], signed(b"{}"), b"{}", NOW)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, b"{ }"),
        ({"webhook-id": "another"}, b"{}"),
        ({"webhook-signature": "v1,AAAA"}, b"{}"),
        ({"webhook-signature": ""}, b"{}"),
        ({"webhook-timestamp": "yesterday"}, b"{}"),
    ],
)
def test_what_was_touched_on_the_way_is_refused(change: dict[str, str], body: bytes):
    with pytest.raises(BadSignature):
        verify([SECRET], signed(b"{}") | change, body, NOW)


def test_an_old_delivery_is_refused():
    with pytest.raises(BadSignature, match="too far"):
        verify([SECRET], signed(b"{}", at=NOW - timedelta(minutes=6)), b"{}", NOW)


def test_what_was_acknowledged_is_known_after_a_restart(tmp_path: Path):
    inbox = Inbox("carrier", tmp_path)
    inbox.keep("id-1", a_notice(1), NOW)
    inbox.keep("id-2", a_notice(2), NOW)
    inbox.close()
    (tmp_path / "carrier.jsonl").open("ab").write(b'{"number":3,"webhook')
    again = Inbox("carrier", tmp_path)
    again.keep("id-3", a_notice(3), NOW)
    assert [entry.webhook_id for entry in again.after(1, 10)] == ["id-2", "id-3"]
    assert b"not kept" not in (tmp_path / "carrier.jsonl").read_bytes()
    again.close()
