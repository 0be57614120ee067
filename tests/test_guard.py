"""Which addresses are connected to, judged on the address itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.guard import (
    MAX_TRIED,
    AddressRefused,
    GuardedBackend,
    NameUnknown,
    SystemResolver,
    is_allowed,
    is_public,
    network_of,
)
from tests.servers import reply, serving

LOOPBACK = (ip_network("127.0.0.0/8"),)

PUBLIC = {
    "IPv4": "8.8.8.8",
    "IPv6": "2606:4700:4700::1111",
    "mapped": "::ffff:8.8.8.8",
    "6to4": "2002:808:808::1",
    "NAT64": "64:ff9b::808:808",
    "Teredo": "2001:0:4136:e378:8000:63bf:f7f7:f7f7",  # of 8.8.8.8
}
PRIVATE = {
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.255.254",
    "this host": "0.0.0.0",
    "10/8": "10.1.2.3",
    "172.16/12": "172.31.0.1",
    "192.168/16": "192.168.1.1",
    "link-local, metadata": "169.254.169.254",
    "carrier NAT": "100.64.0.1",
    "protocol assignments": "192.0.0.8",
    "6to4 relay": "192.88.99.1",
    "benchmarks": "198.18.0.1",
    "documentation": "203.0.113.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "IPv6 unspecified": "::",
    "IPv6 multicast": "ff02::1",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local with zone": "fe80::1%eth0",
    "IPv6 site-local": "fec0::1",
    "IPv6 unique local": "fd00::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, RFC 9637": "3fff::1",
    "IPv6 segment routing": "5f00::1",
    "IPv4-compatible loopback": "::7f00:1",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "6to4 of loopback": "2002:7f00:1::",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "local NAT64, whatever it holds": "64:ff9b:1::808:808",
    "Teredo of loopback": "2001:0:4136:e378:8000:63bf:80ff:fffe",
}


@pytest.mark.parametrize("address", PUBLIC.values(), ids=PUBLIC)
def test_public(address: str) -> None:
    assert is_allowed(address, ())


@pytest.mark.parametrize("address", PRIVATE.values(), ids=PRIVATE)
def test_private(address: str) -> None:
    assert not is_allowed(address, ())


@given(st.ip_addresses(v=4))
def test_wrapping_changes_nothing(address) -> None:  # type: ignore[no-untyped-def]
    number = int(address)
    wrapped = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x2002 << 112) | number << 80),
        IPv6Address((0x64FF9B << 96) | number),
    ]
    assert {is_public(each) for each in wrapped} == {is_public(address)}


@given(st.ip_addresses())
def test_never_laxer_than_the_standard_library(address) -> None:  # type: ignore[no-untyped-def]
    wrapped = address.version == 6 and (address.ipv4_mapped or address.sixtofour or address.teredo)
    if is_public(address) and not wrapped:
        assert address.is_global
        assert not address.is_multicast


TRAPS = ["224.0.0.1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1", "192.0.0.8"]


@pytest.mark.parametrize("address", TRAPS)
def test_trap_is_global_alone_would_let_them_through(address: str) -> None:
    standard = ip_address(address)
    assert not is_public(standard)
    if not standard.is_global:
        pytest.skip("this Python knows better")


@pytest.mark.parametrize(
    ("address", "networks", "allowed"),
    [
        ("127.0.0.1", ["127.0.0.0/8"], True),
        ("127.0.0.1", ["10.0.0.0/8"], False),
        ("::ffff:127.0.0.1", ["127.0.0.0/8"], True),
        ("::1", ["127.0.0.0/8"], False),
        ("::1", ["::1/128"], True),
        ("fd00::1%eth0", ["fd00::/8"], True),
        ("10.0.0.1", ["::/0"], False),
    ],
)
def test_networks_allowed_by_name(address: str, networks: list[str], allowed: bool) -> None:
    assert is_allowed(address, [ip_network(each) for each in networks]) is allowed


# --- connecting


def backend(*answers: str, private: Sequence[object] = LOOPBACK) -> GuardedBackend:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return answers

    return GuardedBackend(private, resolve)  # type: ignore[arg-type]


async def test_connects_to_the_checked_address() -> None:
    async with serving({"/": reply()}) as server:
        stream = await backend("127.0.0.1").connect_tcp("any.example.org", server.port, 1)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        await stream.aclose()


@pytest.mark.parametrize(
    "answers",
    [("10.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("127.0.0.1", "::1")],
    ids=["the only one", "one among good ones", "one beside an allowed one"],
)
async def test_one_refused_address_refuses_the_name(answers: tuple[str, ...]) -> None:
    told = r"any\.example\.org is at the private address .* \(.*/\d+\)"
    with pytest.raises(AddressRefused, match=told):
        await backend(*answers).connect_tcp("any.example.org", 80, 1)


async def test_the_next_address_gets_its_turn() -> None:
    async with serving({"/": reply()}) as server:
        dead = [f"127.0.0.{n}" for n in range(2, MAX_TRIED + 1)]  # nobody listens there
        stream = await backend(*dead, "127.0.0.1").connect_tcp("a.example.org", server.port, 1)
        await stream.aclose()


async def test_addresses_tried_are_bounded() -> None:
    async with serving({"/": reply()}) as server:
        dead = [f"127.0.0.{n}" for n in range(2, MAX_TRIED + 2)]
        with pytest.raises(httpcore.ConnectError):
            await backend(*dead, "127.0.0.1").connect_tcp("a.example.org", server.port, 1)


async def test_no_address_is_an_unknown_name() -> None:
    with pytest.raises(NameUnknown, match="has no address"):
        await backend().connect_tcp("a.example.org", 80, 1)


@pytest.mark.parametrize("port", [0, -1, 65_536, 99_999])
async def test_impossible_ports(port: int) -> None:
    with pytest.raises(httpcore.ConnectError, match="there is no port"):
        await backend("127.0.0.1").connect_tcp("a.example.org", port, 1)


async def test_looking_up_has_a_deadline() -> None:
    async def hanging(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(httpcore.ConnectTimeout):
        await GuardedBackend((), hanging).connect_tcp("a.example.org", 80, 0.05)


async def test_no_local_sockets() -> None:
    with pytest.raises(httpcore.ConnectError):
        await backend("127.0.0.1").connect_unix_socket("/run/x.sock")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1"])
async def test_odd_spellings_are_judged_by_what_they_mean(host: str) -> None:
    resolver = SystemResolver(1)
    try:
        assert list(await resolver(host, 80)) == ["127.0.0.1"]
        with pytest.raises(AddressRefused):
            await GuardedBackend((), resolver).connect_tcp(host, 80, 1)
    finally:
        resolver.close()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "127.0.0.0/8"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("172.20.0.1", "172.16.0.0/12"),
        ("::ffff:192.168.1.1", "192.168.0.0/16"),
        ("fd00::1", "fc00::/7"),
        ("fe80::1%eth0", "fe80::/10"),
        ("100.64.0.1", "100.64.0.1/32"),
    ],
)
def test_the_network_to_allow_for_a_private_address(address: str, network: str) -> None:
    assert network_of(address) == ip_network(network)
    assert is_allowed(address, [network_of(address)])
