"""The HTTP clients feeds are fetched with: one for each way out, all of them guarded.

Through a proxy the guard sees the proxy's address, not the feed's, which the proxy looks up.
"""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx

from monitor.feeds.guard import GuardedBackend, Resolve
from monitor.settings import Access, Network, PollSettings

Way = tuple[str, tuple[Network, ...], str]  # proxy, networks allowed, authorities trusted


class Clients:
    """Made when they are first needed; feeds that go the same way share connections."""

    def __init__(self, settings: PollSettings, resolve: Resolve, tls: ssl.SSLContext) -> None:
        self._settings, self._resolve, self._tls = settings, resolve, tls
        self._by_way: dict[Way, httpx.AsyncClient] = {}

    def of(self, access: Access) -> httpx.AsyncClient:
        way = access.proxy, access.allow_private, access.ca
        if way not in self._by_way:
            self._by_way[way] = self._made(*way)
        return self._by_way[way]

    async def aclose(self) -> None:
        for client in self._by_way.values():
            await client.aclose()

    def _made(self, proxy: str, private: tuple[Network, ...], ca: str) -> httpx.AsyncClient:
        limits = httpx.Limits(
            max_connections=None,
            max_keepalive_connections=self._settings.concurrency,
            keepalive_expiry=30,
        )
        tls = _trusting(ca) if ca else self._tls
        transport = httpx.AsyncHTTPTransport(
            verify=tls,
            limits=limits,
            trust_env=False,
            proxy=_proxy(proxy, tls) if proxy else None,
        )
        # httpx 0.28 has no argument for the network backend of its pool.
        networks = (*self._settings.allow_private, *private)
        transport._pool._network_backend = GuardedBackend(networks, self._resolve)
        client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(self._settings.timeout.total_seconds(), pool=None),
            trust_env=False,
            follow_redirects=False,
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client


def _proxy(url: str, tls: ssl.SSLContext) -> httpx.Proxy:
    secure = urlsplit(url).scheme.lower() == "https"
    return httpx.Proxy(url, ssl_context=tls if secure else None)


def _trusting(ca: str) -> ssl.SSLContext:
    """The usual authorities and those in *ca*, PEM."""
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=ca)
    return context
