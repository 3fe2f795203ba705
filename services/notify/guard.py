"""Which addresses a webhook may be sent to: public ones over HTTPS, nothing else.

The list says what is denied instead of asking ``ipaddress`` what is global: ``is_global`` is true for multicast, for NAT64
(``64:ff9b::/96``) and 6to4, which lead back into a private network. Sources: IANA special-purpose address registries for IPv4 and IPv6.
On one machine (``GUICHET_WEBHOOK_ALLOW_LOCAL``) this machine itself may be a receiver, over plain HTTP on any port.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from shared.errors import Refused

PORTS: Final = frozenset({443, 8443})

_NAME: Final = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+")
"""A host name in ASCII. Other alphabets must come in their IDNA form, because libraries differ in what they make of the rest."""
_NUMBER: Final = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
"""A last label that makes resolvers read the whole as an IPv4 address (``127.1``, ``0x7f000001``, ``2130706433``): WHATWG URL, *ends in a
number*."""

_DENIED_V4: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_UNICAST_V6: Final = ip_network("2000::/3")
_DENIED_V6: Final = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)


def check_url(url: str, *, allow_local: bool = False) -> None:
    """Raise :class:`Refused` when *url* cannot be a webhook's endpoint, whatever its name resolves to."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as exc:
        raise Refused("the endpoint is not a URL") from exc
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None or not _plain(url, host):
        raise Refused("the endpoint needs a plain host name and no credentials")
    if allow_local and is_local_name(host) and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https" or port not in PORTS:
        raise Refused("the endpoint must use https on port 443 or 8443")
    if (address := _literal(host)) is not None:
        check_address(address, allow_local=allow_local)


def check_address(address: str | IPv4Address | IPv6Address, *, allow_local: bool = False) -> None:
    """Raise :class:`Refused` when a webhook may not be sent to *address*; its text does not repeat the address."""
    found = ip_address(address) if isinstance(address, str) else address
    if allow_local and found.is_loopback:
        return
    if isinstance(found, IPv4Address):
        denied = any(found in network for network in _DENIED_V4)
    else:
        denied = found not in _UNICAST_V6 or any(found in network for network in _DENIED_V6)
    if denied:
        raise Refused("the endpoint's address is not a public one")


def is_local_name(host: str) -> bool:
    """Return whether *host* says by itself that it is this machine."""
    literal = _literal(host)
    return host.lower() == "localhost" or (literal is not None and literal.is_loopback)


def _plain(url: str, host: str) -> bool:
    """Return whether every library will read *host* as we do."""
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return False
    if _literal(host) is not None:
        return "%" not in host
    return _NAME.fullmatch(host) is not None and _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
