"""Where a webhook may not go. Resolvers are fakes and listeners on this machine: what slips through must not reach anybody."""

from __future__ import annotations

import socket
from uuid import uuid4

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notify.channels import webhook
from services.notify.guard import check_address, check_url
from services.notify.retry import Claim
from shared.errors import Refused

# fmt: off
DENIED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1",
    "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]
PUBLIC = [
    "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1", "2a00:1450::1",
]
# fmt: on


@pytest.mark.parametrize("address", DENIED)
def test_no_address_that_is_not_plainly_public_is_allowed(address: str) -> None:
    with pytest.raises(Refused):
        check_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("address", [each for each in DENIED if not each.startswith("127.") and each not in ("::1", "::ffff:127.0.0.1")])
def test_allowing_this_machine_allows_nothing_else(address: str) -> None:
    with pytest.raises(Refused):
        check_address(address, allow_local=True)


@pytest.mark.parametrize(
    "url", ["https://example.test/hook", "https://example.test:8443/h?x=1", "https://xn--bcher-kva.test/", "https://8.8.8.8/"]
)
def test_https_on_its_two_ports_is_allowed(url: str) -> None:
    check_url(url)


FORBIDDEN = [
    "http://example.test/",
    "ftp://example.test/",
    "file:///etc/passwd",
    "https://example.test:444/",
    "https://example.test:99999/",
    "https:///hook",
    "https://user:secret@example.test/",
    "https://example.test@127.0.0.1/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://example.test\\@127.0.0.1/",
    "https://exa mple.test/",
    "https://example.test\n.other/",
    "https://169.254.169.254/latest/meta-data",
    "https://bücher.test/",
    "not a url",
    "",
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_every_other_form_of_url_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/hook", "http://localhost:80/", "http://[::1]:9000/", "https://localhost:9443/"])
def test_this_machine_is_allowed_only_where_the_setting_says_so(url: str) -> None:
    check_url(url, allow_local=True)
    with pytest.raises(Refused):
        check_url(url)


@pytest.mark.parametrize("url", ["http://example.test/", "http://127.0.0.1.example.test/", "http://10.0.0.1/", "ftp://localhost/"])
def test_allowing_this_machine_does_not_allow_plain_http_to_others(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url, allow_local=True)


class FakeResolver(AbstractResolver):
    """Answers each look-up with the next list of addresses."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked += 1
        addresses = self.answers.pop(0)
        return [ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0) for each in addresses]

    async def close(self) -> None:
        return None


def a_claim() -> Claim:
    return Claim(uuid4(), 1, uuid4(), "post:RR1", 0, "{}")


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["10.0.0.7"], ["192.0.2.1", "127.0.0.1"]])
async def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(answer: list[str]) -> None:
    resolver = FakeResolver(answer)
    async with webhook.open_session(resolver=resolver) as session:
        attempt = await webhook.send(session, a_claim(), "https://example.test/hook", ["whsec_c2VjcmV0"])
    assert attempt.refused
    assert attempt.status is None
    assert resolver.asked == 1


async def test_allowing_this_machine_does_not_let_a_foreign_name_lead_here() -> None:
    resolver = FakeResolver(["127.0.0.1"])
    async with webhook.open_session(resolver=resolver, allow_local=True) as session:
        attempt = await webhook.send(session, a_claim(), "https://rebound.test/hook", ["whsec_c2VjcmV0"], allow_local=True)
    assert attempt.refused


async def test_a_name_nobody_knows_is_a_failure_to_be_tried_again() -> None:
    class Unknown(FakeResolver):
        async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
            raise OSError("no such name")

    async with webhook.open_session(resolver=Unknown()) as session:
        attempt = await webhook.send(session, a_claim(), "https://example.test/hook", ["whsec_c2VjcmV0"])
    assert not attempt.refused
    assert attempt.error
