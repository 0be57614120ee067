"""One GET that says "alive" to a dead-man's switch: guarded like a fetch, its status counts."""

from __future__ import annotations

import asyncio
import ssl

import httpx

from monitor import __version__
from monitor.feeds.clients import Clients
from monitor.feeds.failures import failure_of
from monitor.feeds.guard import Resolve, SystemResolver
from monitor.settings import Access, PollSettings

RESOLVER_THREADS = 2


class Beats:
    """Goes within the bounds of *settings*; *resolve* gives the addresses of a host."""

    def __init__(self, *, resolve: Resolve | None = None) -> None:
        self._system_resolver = SystemResolver(RESOLVER_THREADS)
        self._resolve = resolve or self._system_resolver
        self._settings: PollSettings | None = None
        self._clients: list[Clients] = []  # the last is in use

    async def aclose(self) -> None:
        self._system_resolver.close()
        for clients in self._clients:
            await clients.aclose()

    async def send(self, url: str, settings: PollSettings) -> str:
        """Why the switch has not heard us, one line without its address; "" if it has."""
        try:
            return await self._sent(url, settings)
        except Exception as error:  # whatever it does, the monitor goes on
            return failure_of(error).detail

    async def _sent(self, url: str, settings: PollSettings) -> str:
        client = self._client(settings)
        async with asyncio.timeout(settings.timeout.total_seconds()):
            headers = {"user-agent": f"news-monitor/{__version__}"}
            request = client.build_request("GET", url, headers=headers)
            response = await client.send(request, stream=True)
            await response.aclose()
        return _judged(response.status_code)

    def _client(self, settings: PollSettings) -> httpx.AsyncClient:
        """Made when it is first needed: few have a heartbeat, and TLS takes 80 ms."""
        if settings != self._settings:
            tls = ssl.create_default_context()
            self._clients.append(Clients(settings, self._resolve, tls))
            self._settings = settings
        return self._clients[-1].of(Access())


def _judged(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it redirects us (HTTP {status}): write the address it leads to"
    return f"it answers HTTP {status}"
