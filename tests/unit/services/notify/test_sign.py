"""Signatures as any Standard Webhooks library checks them."""

from __future__ import annotations

import base64

import pytest

from services.notify.sign import new_secret, sign, verify
from shared.errors import Misconfigured

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector() -> None:
    assert sign([SECRET], ID, AT, BODY) == SIGNATURE


def test_both_secrets_sign_while_a_receiver_changes_over() -> None:
    new = new_secret()
    both = sign([new, SECRET], ID, AT, BODY)
    assert both.split(" ")[1] == SIGNATURE
    assert verify(SECRET, ID, AT, BODY, both, AT)
    assert verify(new, ID, AT, BODY, both, AT)


@pytest.mark.parametrize(
    ("id", "at", "body"), [("msg_other", AT, BODY), (ID, AT + 1, BODY), (ID, AT, BODY + b" ")], ids=["id", "time stamp", "body"]
)
def test_a_signature_covers_id_time_stamp_and_body(id: str, at: int, body: bytes) -> None:
    assert not verify(SECRET, id, at, body, SIGNATURE, at)


def test_an_old_message_is_not_believed() -> None:
    assert not verify(SECRET, ID, AT, BODY, SIGNATURE, AT + 301)


def test_a_new_secret_has_256_bits_and_is_never_the_same() -> None:
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32
    assert new_secret() != new_secret()


def test_a_secret_that_is_not_base64_is_our_mistake() -> None:
    with pytest.raises(Misconfigured):
        sign(["whsec_???"], ID, AT, BODY)
