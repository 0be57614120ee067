"""Which addresses may be connected to: decided on the resolved address, at connect, on every hop.

A check of the URL before the request would miss redirects, odd spellings (0x7f000001) and names
that answer differently the second time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import anyio
import httpcore

from monitor.settings import Network

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]  # host, port → addresses

MAX_TRIED = 4  # addresses of one name

# ``is_global`` says True for these (CPython 3.11).  RFC 6890, 7526, 9637.
_NOT_PUBLIC = tuple(ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))
# As people name them when they allow what is their own.  RFC 1122, 1918, 3927, 4193, 4291.
_USUAL = tuple(
    ip_network(each)
    for each in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    )
)
_GLOBAL_V6 = ip_network("2000::/3")  # all that IANA hands out; site-local and the rest lie outside
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052; RFC 8215's 64:ff9b:1::/48 is not public at all


class AddressRefused(httpcore.ConnectError):
    """The name leads to an address that must not be connected to."""


class NameUnknown(httpcore.ConnectError):
    """The name could not be looked up."""


def is_public(address: Address) -> bool:
    """Whether *address* is on the open internet, whatever it is wrapped in."""
    inner = _unwrapped(address)
    if inner is not None:
        return is_public(inner)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if address.version == 6 and address not in _GLOBAL_V6:
        return False
    return not any(address.version == net.version and address in net for net in _NOT_PUBLIC)


def is_allowed(text: str, private: Iterable[Network]) -> bool:
    """Whether *text*, an address, is public or in one of the *private* networks allowed."""
    address = ip_address(text.partition("%")[0])
    plain = _unwrapped(address) or address
    return is_public(address) or any(
        plain.version == net.version and plain in net for net in private
    )


def network_of(text: str) -> Network:
    """The network that is to be allowed where *text*, a private address, is to be reached."""
    address = ip_address(text.partition("%")[0])
    address = _unwrapped(address) or address
    around = (net for net in _USUAL if net.version == address.version and address in net)
    return next(around, ip_network(address))


def refuse_written(host: str, private: Iterable[Network]) -> None:
    """Raise AddressRefused if *host* is a private address in whatever spelling, or this machine.

    For what a proxy connects to: a name it looks up itself cannot be judged here.
    """
    address = _written(host)
    if address is not None and not is_allowed(str(address), private):
        raise AddressRefused(f"{host} is a private address ({network_of(str(address))})")


def _written(host: str) -> Address | None:
    """The address that *host* spells: 127.0.0.1, 0x7f000001, ::1, localhost; None for a name."""
    plain = host.strip("[]").rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(plain)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(plain))
    except OSError:
        return None


def _unwrapped(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class SystemResolver:
    """The system's resolver in threads of its own: slow names must not hold up other work.

    The event loop's own pool has six threads on two cores, and all of ``to_thread`` shares it.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def close(self) -> None:
        """Without waiting for look-ups that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Guard:
    """Looks names up and judges what it finds; *private*: the networks that are open."""

    def __init__(self, private: Iterable[Network], resolve: Resolve) -> None:
        self._private = tuple(private)
        self._resolve = resolve

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of *host*, from one to MAX_TRIED; one that is refused refuses all.

        Raises httpcore.ConnectError, often AddressRefused or NameUnknown.
        """
        if not 0 < port < 65536:
            raise httpcore.ConnectError(f"there is no port {port}")
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or "not a host name"
            raise NameUnknown(f"{host} is not found: {why}") from error
        if not addresses:
            raise NameUnknown(f"{host} is not found: it has no address")
        for address in addresses:
            if not is_allowed(address, self._private):
                network = network_of(address)
                raise AddressRefused(f"{host} is at the private address {address} ({network})")
        return addresses[:MAX_TRIED]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Has httpx's own transport connect only to checked addresses; TLS still checks the name."""

    def __init__(self, private: Iterable[Network], resolve: Resolve) -> None:
        self._guard = Guard(private, resolve)
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
        # A share each: behind a dead IPv6 route the IPv4 address must get its turn.
        share = timeout / len(addresses) if timeout else None
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return _Stream(
                    await self._plain.connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None  # there was an address, and none answered
        raise failure

    async def _addresses(self, host: str, port: int, timeout: float | None) -> Sequence[str]:
        try:
            async with asyncio.timeout(timeout):
                return await self._guard.addresses(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"looking up {host} took too long") from error

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("no local sockets")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is closed when its TLS handshake is cancelled: httpcore leaves it open."""

    def __init__(self, plain: httpcore.AsyncNetworkStream) -> None:
        self._plain = plain

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._plain.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._plain.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._plain.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._plain.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)
