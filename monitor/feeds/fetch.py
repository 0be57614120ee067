"""One visit's GET: conditional, bounded, guarded.  The one module that knows httpx for feeds.

Whatever a server does comes back as a value.  httpx unpacks without bound, has no deadline for a
whole exchange and follows redirects without asking, so all three are done here.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Self

import httpx
import structlog

from monitor import __version__
from monitor.feeds.body import BadCoding, CutOff, Inflater, TooLarge
from monitor.feeds.guard import (
    AddressRefused,
    GuardedBackend,
    NameUnknown,
    Resolve,
    SystemResolver,
)
from monitor.feeds.headers import max_age, retry_after
from monitor.feeds.hosts import Gate
from monitor.model import FailureReason, Feed, Fetched, FetchFailed, FetchResult, NotModified
from monitor.settings import PollSettings

MAX_HOPS = 5
RESOLVER_THREADS = 32  # slow look-ups must not wait for each other
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.8, */*;q=0.5"
)
_PERMANENT, _TEMPORARY = (301, 308), (302, 303, 307)
_CONDITIONS = ("if-none-match", "if-modified-since")
_HARMLESS = (*_CONDITIONS, "accept", "accept-language")  # may follow a redirect to another origin
_STATUSES = {  # reason, and what the server does
    204: (FailureReason.EMPTY, "answers without a document"),
    205: (FailureReason.EMPTY, "answers without a document"),
    206: (FailureReason.TRUNCATED, "sends only a part"),
    401: (FailureReason.FORBIDDEN, "wants a password"),
    403: (FailureReason.FORBIDDEN, "refuses us"),
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
_log = structlog.get_logger()

# What we raise ourselves and what TLS raises lies under httpx's translation of it.
_OURS: tuple[tuple[type[Exception], FailureReason], ...] = (
    (AddressRefused, FailureReason.BLOCKED_ADDRESS),
    (NameUnknown, FailureReason.DNS),
    (TooLarge, FailureReason.TOO_LARGE),
    (BadCoding, FailureReason.BAD_ENCODING),
    (CutOff, FailureReason.TRUNCATED),
    (ssl.SSLError, FailureReason.TLS),
)
# What httpx and its parts raise, the special before the general.
_THEIRS: tuple[tuple[type[Exception], FailureReason, str], ...] = (
    (httpx.ConnectTimeout, FailureReason.TIMEOUT, "no connection in time"),
    (httpx.TimeoutException, FailureReason.TIMEOUT, "no answer in time"),
    (TimeoutError, FailureReason.TIMEOUT, "the answer took too long"),
    (httpx.ConnectError, FailureReason.CONNECT, "no connection"),
    (httpx.NetworkError, FailureReason.CONNECT, "the connection was cut before an answer"),
    (httpx.UnsupportedProtocol, FailureReason.REDIRECTS, "redirected to what is no web address"),
    (httpx.InvalidURL, FailureReason.REDIRECTS, "redirected to an unusable address"),
    (UnicodeError, FailureReason.REDIRECTS, "redirected to an unusable address"),
    (httpx.HTTPError, FailureReason.PROTOCOL, "the server does not speak HTTP properly"),
)


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: httpx.URL
    permanent: bool


class Fetcher:
    """Fetches within the bounds of *settings*; an async context manager.

    *resolve* gives the addresses of a host; *tls* is for tests with certificates of their own.
    """

    def __init__(
        self,
        settings: PollSettings,
        *,
        contact: str = "",
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system_resolver = SystemResolver(RESOLVER_THREADS)
        self._resolve, self._clock = resolve or self._system_resolver, clock
        self._tls = tls or ssl.create_default_context()  # one for all: making it costs 80 ms
        self._retired: list[httpx.AsyncClient] = []
        self._set_up(settings, contact)

    def _set_up(self, settings: PollSettings, contact: str) -> None:
        about = f" (+{contact})" if contact else ""
        self._settings, self._contact = settings, contact
        self._headers = {
            "user-agent": f"news-monitor/{__version__}{about}",
            "accept": ACCEPT,
            "accept-encoding": "gzip, deflate",
        }
        self._timeout = settings.timeout.total_seconds()
        self._gate = Gate(
            at_once=settings.concurrency, gap=settings.per_host_gap, clock=self._clock
        )
        self._client = _client(settings, self._resolve, self._tls)

    def use(self, settings: PollSettings, *, contact: str) -> None:
        """Fetch by other settings from now on; exchanges under way end by the old ones."""
        if (settings, contact) != (self._settings, self._contact):
            self._retired.append(self._client)
            self._set_up(settings, contact)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        self._system_resolver.close()
        for client in (*self._retired, self._client):
            await client.aclose()

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        """The feed's document, or that it has not changed, or why there is none."""
        return await self.get(feed.url, {} if unconditional else _validators(feed))

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> FetchResult:
        """GET *url* with *headers* (latin-1) beside our own; never raises for what a server does.

        At another origin only headers that cannot carry a secret are sent again.
        """
        try:
            first = _web_url(httpx.URL(url))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            reason = FailureReason.BAD_URL
            return FetchFailed(reason=reason, detail="not a usable http or https address")
        own = {name.lower(): value for name, value in (headers or {}).items()}
        try:
            return await self._follow(first, own)
        except Exception as error:  # a feed must not end the loop, whatever it does
            return _failure(error)

    async def _follow(self, url: httpx.URL, headers: dict[str, str]) -> FetchResult:
        """The deadline is one for all hops; only exchanges count, not the wait for their turn."""
        left, permanent = self._timeout, True
        for hop in range(MAX_HOPS + 1):
            async with self._gate.admitted(url.host):
                began = self._clock()
                result = await self._exchange(url, headers, left)
                left -= self._clock() - began
            if isinstance(result, FetchFailed):
                return result
            if not isinstance(result, _Redirect):
                return replace(result, permanent_url=_shown(url) if hop and permanent else None)
            permanent = permanent and result.permanent
            headers = _portable(headers, url, result.url)
            url = _web_url(result.url)
        reason = FailureReason.REDIRECTS
        return FetchFailed(reason=reason, detail=f"redirected more than {MAX_HOPS} times")

    async def _exchange(
        self, url: httpx.URL, headers: dict[str, str], seconds: float
    ) -> FetchResult | _Redirect:
        """One request and its whole answer, within *seconds*."""
        raw = [(k.encode(), v.encode("latin-1")) for k, v in (self._headers | headers).items()]
        async with asyncio.timeout(max(0.0, seconds)):
            request = self._client.build_request("GET", url, headers=raw)
            response = await self._client.send(request, stream=True)
            try:
                asked = any(name in headers for name in _CONDITIONS)
                return await _answer(url, response, conditional=asked)
            finally:
                await response.aclose()


def _client(settings: PollSettings, resolve: Resolve, tls: ssl.SSLContext) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=settings.concurrency, keepalive_expiry=30
    )
    transport = httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False)
    # httpx 0.28 has no argument for the network backend of its pool.
    transport._pool._network_backend = GuardedBackend(settings.allow_private, resolve)
    seconds = settings.timeout.total_seconds()
    client = httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(seconds, pool=None),
        trust_env=False,
        follow_redirects=False,
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


def _tls() -> ssl.SSLContext:
    """Trusts certifi's authorities and the system's, where a company keeps its own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


# --- what is asked


def _validators(feed: Feed) -> dict[str, str]:
    """What the server sent, sent back byte for byte."""
    stored = zip(_CONDITIONS, (feed.etag, feed.last_modified), strict=True)
    return {name: value for name, value in stored if value}


def _web_url(url: httpx.URL) -> httpx.URL:
    good_port = url.port is None or 0 < url.port < 65536
    if url.scheme not in ("http", "https") or not url.host or not good_port:
        raise httpx.UnsupportedProtocol("not a web address")
    return url


def _portable(headers: dict[str, str], here: httpx.URL, there: httpx.URL) -> dict[str, str]:
    """What of *headers* may go along: all within an origin, else nothing that may be a secret."""
    if (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port):
        return headers
    return {name: value for name, value in headers.items() if name in _HARMLESS}


def _shown(url: httpx.URL) -> str:
    """Without user and password: links are resolved against it, and people see it."""
    return str(url.copy_with(userinfo=b""))


# --- what came back


async def _answer(
    url: httpx.URL, response: httpx.Response, *, conditional: bool
) -> FetchResult | _Redirect:
    status = response.status_code
    if status in (*_PERMANENT, *_TEMPORARY) and "location" in response.headers:
        target = url.join(response.headers["location"])
        return _Redirect(target, permanent=status in _PERMANENT)
    if status == 304:
        return _unchanged(response, conditional=conditional)
    if status not in (200, 203):  # 203: a proxy on the way has changed something
        return _refused(response)
    body = await _body(response)
    if not body.strip():
        return FetchFailed(reason=FailureReason.EMPTY, detail="the answer is empty", status=status)
    return Fetched(
        body=body,
        final_url=_shown(url),
        content_type=response.headers.get("content-type"),
        etag=_header(response, b"etag"),
        last_modified=_header(response, b"last-modified"),
        max_age=max_age(response.headers.get("cache-control")),
    )


async def _body(response: httpx.Response) -> bytes:
    inflater = Inflater(response.headers.get("content-encoding", ""))
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


# --- what went wrong


def _failure(error: Exception) -> FetchFailed:
    for cause in _causes(error):
        for kind, reason in _OURS:
            if isinstance(cause, kind):
                return FetchFailed(reason=reason, detail=_one_line(cause))
    for cause in _causes(error):  # httpx wraps the InvalidURL of a redirect in a protocol error
        if isinstance(cause, httpx.InvalidURL):
            error = cause
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" in str(error):
        error = httpx.ReadError("")  # httpcore's words for a connection that closed unanswered
    for theirs, reason, words in _THEIRS:
        if isinstance(error, theirs):
            return FetchFailed(reason=reason, detail=f"{words}{_system_says(error)}")
    _log.error("fetch failed in an unforeseen way", exc_info=error)
    return FetchFailed(reason=FailureReason.INTERNAL, detail=type(error).__name__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """*error* and what led to it, but for what TLS raises while it waits."""
    cause: BaseException | None = error
    while cause is not None:
        if not isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            yield cause
        cause = cause.__cause__ or cause.__context__


def _system_says(error: Exception) -> str:
    """What the operating system said of a connection: ": connection refused"."""
    if not isinstance(error, httpx.NetworkError):
        return ""
    numbers = [cause.errno for cause in _causes(error) if isinstance(cause, OSError)]
    number = next((number for number in reversed(numbers) if number), None)
    return f": {os.strerror(number).lower()}" if number else ""


def _one_line(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {(error.reason or 'TLS failed').lower().replace('_', ' ')}"
    return " ".join(str(error).split())[:200]
