"""Channel ``webhook``: one signed POST per notice (Standard Webhooks), under a total time limit, to an address that was checked.

The name is resolved once per connection, every address it gives is checked, and the connection goes to a checked one: a name that changes
its mind between the check and the connection (DNS rebinding) gains nothing. No redirects, no proxies from the environment, no cookies.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notify import guard
from services.notify.retry import Attempt, Claim
from services.notify.sign import sign
from shared.errors import HubError, Refused

NAME: Final = "webhook"
TOTAL_SECONDS: Final = 15.0
"""From the first look at the name to the last byte of the answer. A limit per read would be defeated by a receiver that drips."""
ANSWER_BYTES: Final = 64 * 1024
"""Read of the answer at most; a longer one costs the receiver its connection, not the delivery."""
USER_AGENT: Final = "guichet-webhook/1"


class CheckedResolver(AbstractResolver):
    """Resolves names and refuses those that give even one address a webhook may not use."""

    def __init__(self, inner: AbstractResolver, *, allow_local: bool = False) -> None:
        self._inner = inner
        self._allow_local = allow_local

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """Return the addresses of *host*. Raises :class:`Refused`, or ``OSError`` when the name is unknown."""
        found = await self._inner.resolve(host, port, family)
        local = self._allow_local and guard.is_local_name(host)
        for entry in found:
            guard.check_address(entry["host"], allow_local=local)
        return found

    async def close(self) -> None:
        await self._inner.close()


def open_session(*, allow_local: bool = False, resolver: AbstractResolver | None = None, connections: int = 500) -> aiohttp.ClientSession:
    """Return the session all webhooks of a process share. *resolver* replaces the system's."""
    checked = CheckedResolver(resolver or aiohttp.ThreadedResolver(), allow_local=allow_local)
    connector = aiohttp.TCPConnector(resolver=checked, use_dns_cache=False, limit=connections, limit_per_host=0)
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None),
        headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
    )


async def send(
    session: aiohttp.ClientSession,
    claim: Claim,
    endpoint: str,
    secrets: Sequence[str],
    *,
    allow_local: bool = False,
    total_seconds: float = TOTAL_SECONDS,
) -> Attempt:
    """Post one notice and return what came of it; only a cancellation is raised."""
    try:
        guard.check_url(endpoint, allow_local=allow_local)
        headers = headers_of(claim, secrets, int(time.time()))
        async with asyncio.timeout(total_seconds):
            async with session.post(endpoint, data=claim.body.encode(), headers=headers, allow_redirects=False) as response:
                await _drain(response)
                return Attempt(response.status, _reason(response.status), _retry_after(response))
    except Refused as exc:
        return Attempt(error=str(exc), refused=True)
    except TimeoutError:
        return Attempt(error=f"no complete answer within {total_seconds:g} s")
    except (aiohttp.ClientError, OSError, HubError, ValueError) as exc:
        return Attempt(error=type(exc).__name__)


def headers_of(claim: Claim, secrets: Sequence[str], timestamp: int) -> dict[str, str]:
    """Return the headers of one attempt: the id is the event's and stays, time stamp and signature are new on each."""
    id = str(claim.event_id)
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, id, timestamp, claim.body.encode()),
    }


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the answer, so that its connection can serve again; cut it off at the limit."""
    read = 0
    async for chunk in response.content.iter_any():
        read += len(chunk)
        if read > ANSWER_BYTES:
            response.close()
            return


def _reason(status: int) -> str | None:
    return None if 200 <= status < 300 else f"HTTP {status}"


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Return the pause the receiver asks for: seconds, or a date (RFC 9110, section 10.2.3)."""
    wish = response.headers.get("retry-after", "").strip()
    if wish.isascii() and wish.isdecimal():
        return float(wish[:9])
    try:
        return max(0.0, parsedate_to_datetime(wish).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
