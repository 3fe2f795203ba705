"""What a door checks before it believes a request: the credential, and a body that is counted while it is read.

Neither Content-Length nor a compressed size is trusted; a body is cut off the moment it passes its limit, before or after decompression.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import zlib
from collections.abc import AsyncIterator
from typing import Final

from shared.errors import Rejected

BODY_LIMIT: Final = 5 * 1024 * 1024
"""Bytes of one submission at most, after decompression."""
BODY_SECONDS: Final = 30.0
"""Total time a body may take to arrive."""

_BEARER: Final = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]{1,512}=*)")
"""RFC 6750, section 2.1."""


class BodyTooLarge(Rejected):
    """The body passes its limit."""

    code = "body-too-large"


class BodyTooSlow(Rejected):
    """The body did not arrive in its total time."""

    code = "request-timeout"


class BodyBroken(Rejected):
    """The body is not the gzip stream it claims to be, or ends half-way."""

    code = "body-broken"


class EncodingUnsupported(Rejected):
    """The Content-Encoding is neither identity nor gzip."""

    code = "media-type-unsupported"


def bearer(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization: Bearer …`` header, or None when there is none or it is ill-formed."""
    match = _BEARER.fullmatch(authorization or "")
    return match.group(1) if match else None


def same(left: str | bytes, right: str | bytes) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(_bytes(left), _bytes(right))


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


async def read_body(
    chunks: AsyncIterator[bytes], *, encoding: str | None = None, limit: int = BODY_LIMIT, timeout_seconds: float = BODY_SECONDS
) -> bytes:
    """Read a whole body, decompressed, of *limit* bytes at most, within *timeout_seconds* in total.

    *encoding* is the Content-Encoding: none, ``identity`` or ``gzip``. Raises :class:`BodyTooLarge`, :class:`BodyTooSlow`,
    :class:`BodyBroken` or :class:`EncodingUnsupported`.
    """
    collect = _collector(encoding, limit)
    try:
        async with asyncio.timeout(timeout_seconds):
            async for chunk in chunks:
                collect.add(chunk)
    except TimeoutError:
        raise BodyTooSlow(f"The body did not arrive within {timeout_seconds:.0f} s.") from None
    return collect.body()


def _collector(encoding: str | None, limit: int) -> _Plain:
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return _Plain(limit)
    if name in ("gzip", "x-gzip"):
        return _Gzip(limit)
    raise EncodingUnsupported("Content-Encoding must be gzip or absent.")


class _Plain:
    """Collects chunks up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._chunks: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limit:
            raise BodyTooLarge(f"The body is larger than {self._limit} bytes.")
        self._chunks.append(chunk)

    def body(self) -> bytes:
        return b"".join(self._chunks)


class _Gzip(_Plain):
    """Collects what chunks of one gzip stream decompress to; never decompresses more than one byte past the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._stream = zlib.decompressobj(wbits=31)

    def add(self, chunk: bytes) -> None:
        try:
            plain = self._stream.decompress(chunk, self._limit - self._size + 1)
        except zlib.error:
            raise BodyBroken("The body is not the gzip stream its Content-Encoding says.") from None
        super().add(plain)
        if self._stream.unconsumed_tail:
            raise BodyTooLarge(f"The body is larger than {self._limit} bytes when decompressed.")
        if self._stream.unused_data:
            raise BodyBroken("The body goes on after the end of its gzip stream.")

    def body(self) -> bytes:
        if not self._stream.eof:
            raise BodyBroken("The gzip stream of the body ends half-way.")
        return super().body()
