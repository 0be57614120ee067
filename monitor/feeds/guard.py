"""Which addresses may be connected to: decided on the resolved address, at connect, on every hop.

A check of the URL before the request would miss redirects, odd spellings (0x7f000001) and names
that answer differently the second time.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import anyio
import httpcore

from monitor.settings import Network

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# ``is_global`` says True for these (CPython 3.11): reliability of the address is judged stricter.
# RFC 6890, 6666, 3068, 3879, 4380 and the segment-routing range of RFC 9602.
_NOT_PUBLIC = tuple(
    ip_network(each)
    for each in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "5f00::/16", "100::/64")
)
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


class AddressRefused(httpcore.ConnectError):
    """The name leads to an address that must not be connected to."""


def is_public(address: Address) -> bool:
    """Whether *address* is on the open internet, whatever it is wrapped in."""
    inner = _unwrapped(address)
    if inner is not None:
        return is_public(inner)
    if not address.is_global or address.is_multicast:
        return False
    return not any(address.version == net.version and address in net for net in _NOT_PUBLIC)


def _unwrapped(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if any(address in net for net in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def is_allowed(text: str, private: Iterable[Network]) -> bool:
    """Whether *text*, an address, is public or in one of the *private* networks allowed."""
    address = ip_address(text.partition("%")[0])
    plain = _unwrapped(address) or address
    return is_public(address) or any(
        plain.version == net.version and plain in net for net in private
    )


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of *host*, by the system's resolver."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects only to checked addresses; TLS still checks the name."""

    def __init__(self, private: Iterable[Network], resolver: Resolve = resolve) -> None:
        self._private = tuple(private)
        self._resolve = resolver
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._addresses(host, port, timeout)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return await self._plain.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def _addresses(self, host: str, port: int, timeout: float | None) -> Sequence[str]:
        """The addresses of *host*; one that is refused refuses all: its owner means harm."""
        if not 0 < port < 65536:
            raise httpcore.ConnectError(f"there is no port {port}")
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:  # before OSError, which it is
            raise httpcore.ConnectTimeout(f"looking up {host} took too long") from error
        except (OSError, UnicodeError) as error:
            raise NameUnknown(f"{host}: {error}") from error
        for address in addresses:
            if not is_allowed(address, self._private):
                raise AddressRefused(f"{host} is at the private address {address}")
        return addresses

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("no local sockets")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class NameUnknown(httpcore.ConnectError):
    """The name could not be looked up."""
