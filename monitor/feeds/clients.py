"""How feeds are asked: one way out for each proxy, network and authority, all of them guarded.

Below httpx's client, on its transports: so there are no redirects, no cookies, no environment.
Through a proxy the guard sees the proxy's address, not the feed's, which the proxy looks up.
"""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import httpx

from monitor.feeds.guard import Guard, GuardedBackend, Resolve
from monitor.feeds.transport import OwnTransport
from monitor.settings import Access, Network, PollSettings, Transport

Way = tuple[str, tuple[Network, ...], str]  # proxy, networks allowed, authorities trusted


class Clients:
    """Made when they are first needed; feeds that go the same way share connections."""

    def __init__(self, settings: PollSettings, resolve: Resolve, tls: ssl.SSLContext) -> None:
        self._settings, self._resolve, self._tls = settings, resolve, tls
        self._by_way: dict[Way, httpx.AsyncBaseTransport] = {}
        seconds = settings.timeout.total_seconds()
        self._timeout = httpx.Timeout(seconds, pool=None).as_dict()

    async def send(self, request: httpx.Request, access: Access) -> httpx.Response:
        """The answer to *request*, its body still to be read; close it.  Raises httpx errors."""
        request.extensions["timeout"] = self._timeout
        url = request.url
        if url.userinfo:
            next(httpx.BasicAuth(url.username, url.password).auth_flow(request))
        return await self._of(access).handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._by_way.values():
            await transport.aclose()

    def _of(self, access: Access) -> httpx.AsyncBaseTransport:
        way = access.proxy, access.allow_private, access.ca
        transport = self._by_way.get(way)
        if transport is None:
            transport = self._by_way[way] = self._made(*way)
        return transport

    def _made(self, proxy: str, private: tuple[Network, ...], ca: str) -> httpx.AsyncBaseTransport:
        networks = (*self._settings.allow_private, *private)
        tls = _trusting(ca) if ca else self._tls
        most = self._settings.concurrency
        if self._settings.transport is Transport.OWN and not proxy:  # it knows no proxies
            return OwnTransport(Guard(networks, self._resolve), tls, idle=most)
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=most, keepalive_expiry=30
        )
        transport = httpx.AsyncHTTPTransport(
            verify=tls,
            limits=limits,
            trust_env=False,
            proxy=_proxy(proxy, tls) if proxy else None,
        )
        # httpx 0.28 has no argument for the network backend of its pool.
        transport._pool._network_backend = GuardedBackend(networks, self._resolve)
        return transport


def _proxy(url: str, tls: ssl.SSLContext) -> httpx.Proxy:
    secure = urlsplit(url).scheme.lower() == "https"
    return httpx.Proxy(url, ssl_context=tls if secure else None)


def _trusting(ca: str) -> ssl.SSLContext:
    """The usual authorities and those in *ca*, PEM."""
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=ca)
    return context
