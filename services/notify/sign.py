"""Signatures of webhooks as Standard Webhooks 1.0 defines them: HMAC-SHA256 over ``id.timestamp.body``, keyed by the decoded secret.

>>> sign(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as random_secrets
from collections.abc import Sequence
from typing import Final

from shared.errors import Misconfigured

PREFIX: Final = "whsec_"
VERSION: Final = "v1"
SECRET_BYTES: Final = 32
TOLERANCE_SECONDS: Final = 300
"""How far a receiver lets a time stamp be from its own clock."""


def new_secret() -> str:
    """Return a fresh secret: 256 random bits, base64, behind ``whsec_``."""
    return PREFIX + base64.b64encode(random_secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secrets: Sequence[str], id: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``: one signature per active secret, separated by spaces, so that secrets change without a
    gap.

    *timestamp* is in seconds since 1970. Raises :class:`Misconfigured` for a secret that is not base64.
    """
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    return " ".join(f"{VERSION},{base64.b64encode(hmac.digest(_key(secret), signed, 'sha256')).decode()}" for secret in secrets)


def verify(secret: str, id: str, timestamp: int, body: bytes, signature: str, now: int) -> bool:
    """Return whether one of the signatures is right and the time stamp within :data:`TOLERANCE_SECONDS` of *now*: the receiver's half."""
    if abs(now - timestamp) > TOLERANCE_SECONDS:
        return False
    right = sign([secret], id, timestamp, body)
    return any(hmac.compare_digest(right.encode(), given.encode()) for given in signature.split(" "))


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise Misconfigured("a webhook secret must be base64 behind whsec_") from exc
