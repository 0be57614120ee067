"""Our HTTP client without the monitor around it: the least that a visit can cost.

Requests as ``monitor.feeds.fetch`` sends them, over the same transport; answers are unpacked, and
of what came only the validators are kept, for the next round.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import httpx

from monitor.feeds.body import Inflater
from monitor.feeds.clients import Clients
from monitor.settings import Access, Config
from tests.bench.cycle import Cost, measured, on_this_machine

HEADERS = {"accept-encoding": "gzip, deflate", "connection": "keep-alive", "user-agent": "bench"}
CONDITIONS = {"etag": "if-none-match", "last-modified": "if-modified-since"}


class Client:
    """Asks for each feed of *config* once a round, a host one thing at a time."""

    def __init__(self, config: Config) -> None:
        self._settings, self._access = config.poll, Access()
        self._validators: dict[str, dict[str, str]] = {}
        self._by_host: dict[str, list[str]] = {}
        for feed in config.feeds:
            self._by_host.setdefault(httpx.URL(feed.url).host, []).append(feed.url)

    async def round(self) -> Cost:
        clients = Clients(self._settings, on_this_machine, ssl.create_default_context())
        try:
            return await measured(self._all(clients))
        finally:
            await clients.aclose()

    async def _all(self, clients: Clients) -> None:
        await asyncio.gather(*(self._host(clients, urls) for urls in self._by_host.values()))

    async def _host(self, clients: Clients, urls: Sequence[str]) -> None:
        for url in urls:
            request = httpx.Request("GET", url, headers=HEADERS | self._validators.get(url, {}))
            response = await clients.send(request, self._access)
            try:
                await self._read(url, response)
            finally:
                await response.aclose()

    async def _read(self, url: str, response: httpx.Response) -> None:
        body = Inflater(response.headers.get("content-encoding", ""))
        async for chunk in response.aiter_raw():
            body.feed(chunk)
        body.finish()
        if response.status_code == 200:
            known = [name for name in CONDITIONS if name in response.headers]
            self._validators[url] = {CONDITIONS[name]: response.headers[name] for name in known}
