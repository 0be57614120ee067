"""One POST to a hub: guarded like a fetch, and of the answer only its status counts."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from monitor import __version__
from monitor.feeds.clients import Clients
from monitor.feeds.failures import failure_of
from monitor.feeds.guard import Resolve, SystemResolver, refuse_written
from monitor.settings import Access, PollSettings

RESOLVER_THREADS = 4
_MOVED = (307, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAnswer:
    """What a hub says to a request."""

    taken: bool = False  # it will ask back, or has
    moved_to: str = ""  # it is to be asked there
    detail: str = ""  # why not, one line for people
    for_good: bool = False  # asking again soon would bring the same


class Hubs:
    """Asks hubs within the bounds of *settings*; *resolve* gives the addresses of a host."""

    def __init__(
        self, settings: PollSettings, *, contact: str = "", resolve: Resolve | None = None
    ) -> None:
        self._system_resolver = SystemResolver(RESOLVER_THREADS)
        self._resolve = resolve or self._system_resolver
        self._settings, self._contact = settings, contact
        self._clients: list[Clients] = []  # the last is in use
        self._outdated = True

    def use(self, settings: PollSettings, *, contact: str) -> None:
        """Ask by other settings from now on; what is under way ends by the old ones."""
        self._outdated = self._outdated or settings != self._settings
        self._settings, self._contact = settings, contact

    async def aclose(self) -> None:
        self._system_resolver.close()
        for clients in self._clients:
            await clients.aclose()

    def _way_out(self) -> Clients:
        """Made when the first hub is asked: few monitors ask any, and TLS takes 80 ms."""
        if self._outdated:
            tls = ssl.create_default_context()
            self._clients.append(Clients(self._settings, self._resolve, tls))
            self._outdated = False
        return self._clients[-1]

    async def ask(self, hub: str, fields: Mapping[str, str], access: Access) -> HubAnswer:
        """POST *fields*; never raises for what a hub does.  *access*: only its way is taken."""
        try:
            return await self._asked(hub, fields, access)
        except Exception as error:  # a hub must not end the loop, whatever it does
            return HubAnswer(detail=failure_of(error).detail)

    async def _asked(self, hub: str, fields: Mapping[str, str], access: Access) -> HubAnswer:
        networks = (*self._settings.allow_private, *access.allow_private)
        if access.proxy:  # it looks names up itself: what is written as an address is judged here
            refuse_written(httpx.URL(hub).host, networks)
        clients = self._way_out()
        about = f" (+{self._contact})" if self._contact else ""
        headers = {
            "accept": "*/*",
            "user-agent": access.user_agent or f"news-monitor/{__version__}{about}",
        }
        async with asyncio.timeout(self._settings.timeout.total_seconds()):
            request = httpx.Request("POST", hub, data=dict(fields), headers=headers)
            response = await clients.send(request, access)
            await response.aclose()
        return _answer(request, response)


def _answer(request: httpx.Request, response: httpx.Response) -> HubAnswer:
    status = response.status_code
    if status in _MOVED and "location" in response.headers:
        return HubAnswer(moved_to=str(request.url.join(response.headers["location"])))
    if 200 <= status < 300:
        return HubAnswer(taken=True)
    refuses = 400 <= status < 500 and status not in (408, 425, 429)
    return HubAnswer(detail=f"the hub answers HTTP {status}", for_good=refuses)
