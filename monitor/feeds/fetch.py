"""One GET: conditional, bounded, guarded.  httpx is known to this, its carriers and ``failures``.

Whatever a server does comes back as a value.  httpx unpacks without bound, has no deadline for a
whole exchange and follows redirects without asking, so all three are done here.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self

import httpx

from monitor import __version__
from monitor.feeds.body import MAX_BODY, CutOff, Inflater
from monitor.feeds.clients import Clients
from monitor.feeds.conceal import concealed
from monitor.feeds.encoding import read_as
from monitor.feeds.failures import failure_of
from monitor.feeds.guard import (
    Resolve,
    SystemResolver,
    refuse_written,
)
from monitor.feeds.headers import links, max_age, retry_after
from monitor.feeds.hosts import Gate
from monitor.model import FailureReason, Feed, Fetched, FetchFailed, FetchResult, NotModified
from monitor.settings import Access, FeedSettings, PollSettings

MAX_HOPS = 5
RESOLVER_THREADS = 32  # slow look-ups must not wait for each other
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.8, */*;q=0.5"
)
ACCEPT_PAGE = "text/html, application/xhtml+xml;q=0.9"
MAX_PAGE = 5 << 20  # bytes, as sent and after decompression
_PERMANENT, _TEMPORARY = (301, 308), (302, 303, 307)
_CONDITIONS = ("if-none-match", "if-modified-since")
_HARMLESS = (*_CONDITIONS, "accept", "accept-language")  # may follow a redirect to another origin
_STATUSES = {  # reason, and what the server does
    204: (FailureReason.EMPTY, "answers without a document"),
    205: (FailureReason.EMPTY, "answers without a document"),
    206: (FailureReason.TRUNCATED, "sends only a part"),
    401: (FailureReason.FORBIDDEN, "wants a password"),
    403: (FailureReason.FORBIDDEN, "refuses us"),
    407: (FailureReason.FORBIDDEN, "is behind a proxy that wants a password"),
    404: (FailureReason.NOT_FOUND, "says there is no such page"),
    410: (FailureReason.GONE, "says the feed is gone for good"),
    429: (FailureReason.THROTTLED, "says we ask too often"),
    503: (FailureReason.THROTTLED, "is overloaded or closed for maintenance"),
}
_CLASSES = {
    3: (FailureReason.REDIRECTS, "redirects us, but not where to"),
    4: (FailureReason.HTTP_CLIENT, "refuses the request"),
    5: (FailureReason.HTTP_SERVER, "has an error of its own"),
}


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: httpx.URL
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What is asked for beside an address."""

    headers: dict[str, str]  # names in lower case
    access: Access
    limit: int = MAX_BODY
    page: bool = False  # HTML is wanted, and nothing else


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
        return await self.get(feed.url, {} if unconditional else _validators(feed), access=access)

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, access: Access | None = None
    ) -> FetchResult:
        """GET *url* with *headers* (latin-1) beside our own; never raises for what a server does.

        At another origin only headers that cannot carry a secret are sent again.
        """
        access = access or Access()
        own = {name.lower(): value for name, value in (headers or {}).items()}
        asking = _Asking(headers=dict(access.headers) | own, access=access)
        result = await self._get(url, asking)
        if access.encoding and isinstance(result, Fetched):
            result = read_as(result, access.encoding)
        return concealed(result, access.secrets)

    async def page(self, url: str, feed: FeedSettings) -> FetchResult:
        """The HTML page that an entry of *feed* links to; its secrets go to its own origin only."""
        headers = dict(feed.access.headers) if _same_origin(url, feed.url) else {}
        headers |= {"accept": ACCEPT_PAGE}
        asking = _Asking(headers=headers, access=feed.access, limit=MAX_PAGE, page=True)
        return concealed(await self._get(url, asking), feed.access.secrets)

    async def _get(self, url: str, asking: _Asking) -> FetchResult:
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

    async def _follow(self, url: httpx.URL, asking: _Asking, watch: _Stopwatch) -> FetchResult:
        """The deadline is one for all hops; only exchanges count, not the wait for their turn."""
        permanent = True
        for hop in range(MAX_HOPS + 1):
            async with self._gate.admitted(url.host):
                with watch.running():
                    result = await self._exchange(url, asking, self._timeout - watch.spent)
            if isinstance(result, FetchFailed):
                return result
            if not isinstance(result, _Redirect):
                if hop and permanent:
                    return replace(result, permanent_url=_shown(url))
                return result
            permanent = permanent and result.permanent
            asking = replace(asking, headers=_portable(asking.headers, url, result.url))
            url = _web_url(result.url)
        reason = FailureReason.REDIRECTS
        return FetchFailed(reason=reason, detail=f"redirected more than {MAX_HOPS} times")

    async def _exchange(
        self, url: httpx.URL, asking: _Asking, seconds: float
    ) -> FetchResult | _Redirect:
        """One request and its whole answer, within *seconds*."""
        access = asking.access
        if access.proxy:  # it looks names up itself: what is written as an address is judged here
            refuse_written(url.host, (*self._settings.allow_private, *access.allow_private))
        ours = self._headers | ({"user-agent": access.user_agent} if access.user_agent else {})
        raw = [(k.encode(), v.encode("latin-1")) for k, v in (ours | asking.headers).items()]
        request = httpx.Request("GET", url, headers=raw)
        async with asyncio.timeout(max(0.0, seconds)):
            response = await self._clients.send(request, access)
            try:
                return await _answer(url, response, asking)
            finally:
                await response.aclose()


def _accesses(feeds: Sequence[FeedSettings]) -> dict[str, Access]:
    return {feed.url: feed.access for feed in feeds}


# --- what is asked


def _validators(feed: Feed) -> dict[str, str]:
    """What the server sent, sent back byte for byte."""
    stored = zip(_CONDITIONS, (feed.etag, feed.last_modified), strict=True)
    return {name: value for name, value in stored if value}


@lru_cache(maxsize=4_096)  # feeds are asked again and again
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


def _shown(url: httpx.URL) -> str:
    """Without user and password: links are resolved against it, and people see it."""
    return str(url.copy_with(userinfo=b"") if url.userinfo else url)


# --- what came back


async def _answer(
    url: httpx.URL, response: httpx.Response, asking: _Asking
) -> FetchResult | _Redirect:
    status = response.status_code
    if status in (*_PERMANENT, *_TEMPORARY) and "location" in response.headers:
        target = url.join(response.headers["location"])
        return _Redirect(target, permanent=status in _PERMANENT)
    if status == 304:
        conditional = any(name in asking.headers for name in _CONDITIONS)
        return _unchanged(response, conditional=conditional)
    if status not in (200, 203):  # 203: a proxy on the way has changed something
        return _refused(response)
    kind = response.headers.get("content-type")
    if asking.page and not _is_html(kind):
        return FetchFailed(
            reason=FailureReason.NOT_A_FEED, detail=f"it is no web page but {_named(kind)}"
        )
    body = await _body(response, asking.limit)
    if not body.strip():
        return FetchFailed(reason=FailureReason.EMPTY, detail="the answer is empty", status=status)
    return Fetched(
        body=body,
        final_url=_shown(url),
        content_type=kind,
        etag=_header(response, b"etag"),
        last_modified=_header(response, b"last-modified"),
        max_age=max_age(response.headers.get("cache-control")),
        links=links(response.headers.get("link")),
    )


def _is_html(kind: str | None) -> bool:
    """Whether the Content-Type is HTML; without one it may be."""
    name = (kind or "text/html").partition(";")[0].strip().lower()
    return name in ("text/html", "application/xhtml+xml")


def _named(kind: str | None) -> str:
    return (kind or "").partition(";")[0].strip()[:80] or "nothing named"


async def _body(response: httpx.Response, limit: int) -> bytes:
    inflater = Inflater(response.headers.get("content-encoding", ""), limit=limit)
    try:
        async for chunk in response.aiter_raw():
            inflater.feed(chunk)
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise CutOff("the answer breaks off before its end") from error
    return inflater.finish()


def _unchanged(response: httpx.Response, *, conditional: bool) -> FetchResult:
    if conditional:
        return NotModified(max_age=max_age(response.headers.get("cache-control")))
    return FetchFailed(
        reason=FailureReason.PROTOCOL,
        detail='the server says "not changed" although we asked for the whole',
        status=304,
    )


def _refused(response: httpx.Response) -> FetchFailed:
    status = response.status_code
    odd = (FailureReason.PROTOCOL, "answers strangely")
    reason, words = _STATUSES.get(status) or _CLASSES.get(status // 100, odd)
    return FetchFailed(
        reason=reason,
        detail=f"the server {words} (HTTP {status})",
        status=status,
        retry_after=retry_after(response.headers.get("retry-after"), datetime.now(UTC)),
    )


def _header(response: httpx.Response, name: bytes) -> str | None:
    """The header's bytes as latin-1 text: what goes back is what came."""
    values = (value for key, value in response.headers.raw if key.lower() == name)
    value = next(values, None)
    return None if value is None else value.decode("latin-1")
