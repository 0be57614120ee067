"""One GET: conditional, bounded, guarded.

httpx is known to this, its carriers, ``answer`` and ``failures``.  Whatever a server does comes
back as a value.  httpx unpacks without bound, has no deadline for a whole exchange and follows
redirects without asking, so all three are done here.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Self

import httpx

from monitor import __version__
from monitor.feeds import answer
from monitor.feeds.answer import CONDITIONS, Asking, Redirect, shown
from monitor.feeds.clients import Clients
from monitor.feeds.conceal import concealed
from monitor.feeds.encoding import read_as
from monitor.feeds.failures import failure_of
from monitor.feeds.guard import (
    Resolve,
    SystemResolver,
    refuse_written,
)
from monitor.feeds.hosts import Gate
from monitor.model import (
    FailureReason,
    Feed,
    Fetched,
    FetchFailed,
    FetchResult,
)
from monitor.settings import Access, FeedSettings, PollSettings

MAX_HOPS = 5
RESOLVER_THREADS = 32  # slow look-ups must not wait for each other
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.8, */*;q=0.5"
)
ACCEPT_PAGE = "text/html, application/xhtml+xml;q=0.9"
MAX_PAGE = 5 << 20  # bytes, as sent and after decompression
_HARMLESS = (*CONDITIONS, "accept", "accept-language")  # may follow a redirect to another origin


class _Stopwatch:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self.spent = clock, 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began = self._clock()
        try:
            yield
        finally:
            self.spent += self._clock() - began


class Fetcher:
    """Fetches within the bounds of *settings*; an async context manager.

    *feeds* may each have their own ``Access``.  *resolve* gives the addresses of a host; *tls* is
    for tests with certificates of their own.
    """

    def __init__(
        self,
        settings: PollSettings,
        *,
        contact: str = "",
        feeds: Sequence[FeedSettings] = (),
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system_resolver = SystemResolver(RESOLVER_THREADS)
        self._resolve, self._clock = resolve or self._system_resolver, clock
        self._tls = tls or ssl.create_default_context()  # one for all: making it costs 80 ms
        self._retired: list[Clients] = []
        self._set_up(settings, contact)
        self._access = _accesses(feeds)

    def _set_up(self, settings: PollSettings, contact: str) -> None:
        about = f" (+{contact})" if contact else ""
        self._settings, self._contact = settings, contact
        self._headers = {
            "accept": ACCEPT,
            "accept-encoding": "gzip, deflate",
            "connection": "keep-alive",
            "user-agent": f"news-monitor/{__version__}{about}",
        }
        self._timeout = settings.timeout.total_seconds()
        self._gate = Gate(
            at_once=settings.concurrency, gap=settings.per_host_gap, clock=self._clock
        )
        self._clients = Clients(settings, self._resolve, self._tls)

    def use(
        self, settings: PollSettings, *, contact: str, feeds: Sequence[FeedSettings] = ()
    ) -> None:
        """Fetch by other settings from now on; exchanges under way end by the old ones."""
        self._access = _accesses(feeds)
        if (settings, contact) != (self._settings, self._contact):
            self._retired.append(self._clients)
            self._set_up(settings, contact)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        self._system_resolver.close()
        for clients in (*self._retired, self._clients):
            await clients.aclose()

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        """The feed's document, or that it has not changed, or why there is none."""
        access = self._access.get(feed.url, Access())
        validators = {} if unconditional else _validators(feed)
        return await self.get(feed.url, validators, access=access, known=feed.packed_hash)

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        access: Access | None = None,
        known: str | None = None,
    ) -> FetchResult:
        """GET *url* with *headers* (latin-1) beside our own; never raises for what a server does.

        At another origin only headers that cannot carry a secret are sent again.  A body with the
        ``packed_hash`` *known* is not unpacked.
        """
        access = access or Access()
        own = {name.lower(): value for name, value in (headers or {}).items()}
        asking = Asking(headers=dict(access.headers) | own, access=access, known=known)
        result = await self._get(url, asking)
        if access.encoding and isinstance(result, Fetched):
            result = read_as(result, access.encoding)
        return concealed(result, access.secrets)

    async def page(self, url: str, feed: FeedSettings) -> FetchResult:
        """The HTML page that an entry of *feed* links to; its secrets go to its own origin only."""
        headers = dict(feed.access.headers) if _same_origin(url, feed.url) else {}
        headers |= {"accept": ACCEPT_PAGE}
        asking = Asking(headers=headers, access=feed.access, limit=MAX_PAGE, page=True)
        return concealed(await self._get(url, asking), feed.access.secrets)

    async def _get(self, url: str, asking: Asking) -> FetchResult:
        try:
            first = _parsed(url)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            reason = FailureReason.BAD_URL
            return FetchFailed(reason=reason, detail="not a usable http or https address")
        watch = _Stopwatch(self._clock)
        try:
            result = await self._follow(first, asking, watch)
        except Exception as error:  # a feed must not end the loop, whatever it does
            result = failure_of(error)
        return replace(result, seconds=watch.spent)

    async def _follow(self, url: httpx.URL, asking: Asking, watch: _Stopwatch) -> FetchResult:
        """The deadline is one for all hops; only exchanges count, not the wait for their turn."""
        permanent = True
        for hop in range(MAX_HOPS + 1):
            async with self._gate.admitted(url.host):
                with watch.running():
                    result = await self._exchange(url, asking, self._timeout - watch.spent)
            if isinstance(result, FetchFailed):
                return result
            if not isinstance(result, Redirect):
                if hop and permanent:
                    return replace(result, permanent_url=shown(url))
                return result
            permanent = permanent and result.permanent
            asking = replace(asking, headers=_portable(asking.headers, url, result.url))
            url = _web_url(result.url)
        reason = FailureReason.REDIRECTS
        return FetchFailed(reason=reason, detail=f"redirected more than {MAX_HOPS} times")

    async def _exchange(
        self, url: httpx.URL, asking: Asking, seconds: float
    ) -> FetchResult | Redirect:
        """One request and its whole answer, within *seconds*."""
        access = asking.access
        if access.proxy:  # it looks names up itself: what is written as an address is judged here
            refuse_written(url.host, (*self._settings.allow_private, *access.allow_private))
        ours = self._headers | ({"user-agent": access.user_agent} if access.user_agent else {})
        headers = {"host": url.netloc.decode()} | ours | asking.headers
        raw = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
        # With a stream httpx takes the headers as they are; else it makes them twice.
        request = httpx.Request("GET", url, headers=raw, stream=httpx.ByteStream(b""))
        async with asyncio.timeout(max(0.0, seconds)):
            response = await self._clients.send(request, access)
            try:
                return await answer.read(url, response, asking)
            finally:
                await response.aclose()


def _accesses(feeds: Sequence[FeedSettings]) -> dict[str, Access]:
    return {feed.url: feed.access for feed in feeds}


# --- what is asked


def _validators(feed: Feed) -> dict[str, str]:
    """What the server sent, sent back byte for byte."""
    stored = zip(CONDITIONS, (feed.etag, feed.last_modified), strict=True)
    return {name: value for name, value in stored if value}


@lru_cache(maxsize=1 << 12)  # half a kB each; to parse one takes 10 µs
def _parsed(url: str) -> httpx.URL:
    return _web_url(httpx.URL(url))


def _web_url(url: httpx.URL) -> httpx.URL:
    good_port = url.port is None or 0 < url.port < 65536
    if url.scheme not in ("http", "https") or not url.host or not good_port:
        raise httpx.UnsupportedProtocol("not a web address")
    return url


def _portable(headers: dict[str, str], here: httpx.URL, there: httpx.URL) -> dict[str, str]:
    """What of *headers* may go along: all within an origin, else nothing that may be a secret."""
    if _same_origin(here, there):
        return headers
    return {name: value for name, value in headers.items() if name in _HARMLESS}


def _same_origin(here: httpx.URL | str, there: httpx.URL | str) -> bool:
    try:
        one, other = httpx.URL(here), httpx.URL(there)
    except (httpx.InvalidURL, UnicodeError):
        return False
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
