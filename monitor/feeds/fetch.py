"""One visit's GET: conditional, bounded, guarded.  The one module that knows httpx for feeds.

Whatever a server does comes back as a value.  httpx unpacks without bound, has no deadline for a
whole exchange and follows redirects without asking, so all three are done here.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Self

import httpx

from monitor import __version__
from monitor.feeds.body import BadCoding, CutOff, Inflater, TooLarge
from monitor.feeds.guard import AddressRefused, GuardedBackend, NameUnknown, Resolve, resolve
from monitor.feeds.hosts import Gate
from monitor.model import FailureReason, Feed, Fetched, FetchFailed, FetchResult, NotModified
from monitor.settings import PollSettings

MAX_HOPS = 5
MAX_RETRY_AFTER = timedelta(days=1)
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.8, */*;q=0.5"
)
_PERMANENT, _TEMPORARY = (301, 308), (302, 303, 307)
_STATUS_REASONS = {
    401: FailureReason.FORBIDDEN,
    403: FailureReason.FORBIDDEN,
    404: FailureReason.NOT_FOUND,
    410: FailureReason.GONE,
    429: FailureReason.THROTTLED,
    503: FailureReason.THROTTLED,
}
_STATUS_WORDS = {
    401: "wants a password",
    403: "refuses us",
    404: "says there is no such page",
    410: "says the feed is gone for good",
    429: "says we ask too often",
    503: "is overloaded or closed for maintenance",
}
# What httpx and its parts raise, the special before the general.
_EXCEPTIONS: tuple[tuple[type[BaseException], FailureReason, str], ...] = (
    (httpx.ConnectTimeout, FailureReason.TIMEOUT, "no connection in time"),
    (httpx.TimeoutException, FailureReason.TIMEOUT, "no answer in time"),
    (TimeoutError, FailureReason.TIMEOUT, "the answer took too long"),
    (httpx.RemoteProtocolError, FailureReason.TRUNCATED, "the answer breaks off"),
    (httpx.ReadError, FailureReason.TRUNCATED, "the connection was cut"),
    (httpx.ConnectError, FailureReason.CONNECT, "no connection"),
    (httpx.UnsupportedProtocol, FailureReason.BAD_URL, "not a web address"),
    (httpx.InvalidURL, FailureReason.BAD_URL, "not a usable address"),
    (UnicodeError, FailureReason.BAD_URL, "not a usable host name"),
    (httpx.HTTPError, FailureReason.PROTOCOL, "the server does not speak HTTP properly"),
)


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: httpx.URL
    permanent: bool


class Fetcher:
    """Fetches within the bounds of *settings*; an async context manager."""

    def __init__(
        self,
        settings: PollSettings,
        *,
        contact: str = "",
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        about = f" (+{contact})" if contact else ""
        self._headers = {
            b"User-Agent": f"news-monitor/{__version__}{about}".encode(),
            b"Accept": ACCEPT.encode(),
            b"Accept-Encoding": b"gzip, deflate",
        }
        self._timeout = settings.timeout.total_seconds()
        self._gate = Gate(at_once=settings.concurrency, gap=settings.per_host_gap, clock=clock)
        self._client = _client(settings, resolve, tls or ssl.create_default_context())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def fetch(self, feed: Feed, *, unconditional: bool = False) -> FetchResult:
        """The feed's document, or that it has not changed, or why there is none."""
        headers = {} if unconditional else _validators(feed)
        return await self.get(feed.url, headers)

    async def get(self, url: str, headers: Mapping[bytes, bytes] | None = None) -> FetchResult:
        """GET *url* with *headers* beside our own, which must not name secrets."""
        asked = dict(headers or {})
        try:
            return await self._follow(httpx.URL(url), asked)
        except Exception as error:  # a feed must not end the loop, whatever it does
            return _failure(error)

    async def _follow(self, url: httpx.URL, headers: dict[bytes, bytes]) -> FetchResult:
        permanent = True
        for hop in range(MAX_HOPS + 1):
            _must_be_web(url)
            result = await self._exchange(url, headers)
            if not isinstance(result, _Redirect):
                moved = str(url) if hop and permanent else None
                return result if isinstance(result, FetchFailed) else _moved(result, moved)
            permanent = permanent and result.permanent
            url = result.url
        return FetchFailed(
            reason=FailureReason.REDIRECTS, detail=f"redirected more than {MAX_HOPS} times"
        )

    async def _exchange(
        self, url: httpx.URL, headers: dict[bytes, bytes]
    ) -> FetchResult | _Redirect:
        """One request and its whole answer, within the deadline."""
        async with self._gate.admitted(url.host), asyncio.timeout(self._timeout):
            request = self._client.build_request("GET", url, headers={**self._headers, **headers})
            response = await self._client.send(request, stream=True)
            try:
                return await _answer(url, response, conditional=bool(headers))
            finally:
                await response.aclose()


def _client(settings: PollSettings, resolver: Resolve, tls: ssl.SSLContext) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=settings.concurrency, keepalive_expiry=30
    )
    transport = httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False)
    # httpx 0.28 has no argument for the network backend of its pool.
    transport._pool._network_backend = GuardedBackend(settings.allow_private, resolver)
    seconds = settings.timeout.total_seconds()
    client = httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(seconds, pool=None),
        trust_env=False,
        follow_redirects=False,
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


def _validators(feed: Feed) -> dict[bytes, bytes]:
    """What the server sent, sent back byte for byte."""
    headers = {}
    if feed.etag:
        headers[b"If-None-Match"] = feed.etag.encode("latin-1")
    if feed.last_modified:
        headers[b"If-Modified-Since"] = feed.last_modified.encode("latin-1")
    return headers


def _must_be_web(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise httpx.UnsupportedProtocol(f"{url.scheme or 'no scheme'}")


async def _answer(
    url: httpx.URL, response: httpx.Response, *, conditional: bool
) -> FetchResult | _Redirect:
    status = response.status_code
    if status in (*_PERMANENT, *_TEMPORARY) and "location" in response.headers:
        target = url.join(response.headers["location"])
        return _Redirect(target, permanent=status in _PERMANENT)
    if status == 304:
        return _unchanged(response, conditional=conditional)
    if status != 200:
        return _refused(response)
    body = await _body(response)
    if not body.strip():
        return FetchFailed(reason=FailureReason.EMPTY, detail="the answer is empty", status=status)
    return Fetched(
        body=body,
        final_url=str(url),
        content_type=response.headers.get("content-type"),
        etag=_header(response, "etag"),
        last_modified=_header(response, "last-modified"),
        max_age=_max_age(response),
    )


async def _body(response: httpx.Response) -> bytes:
    inflater = Inflater(response.headers.get("content-encoding", ""))
    async for chunk in response.aiter_raw():
        inflater.feed(chunk)
    return inflater.finish()


def _unchanged(response: httpx.Response, *, conditional: bool) -> FetchResult:
    if conditional:
        return NotModified(max_age=_max_age(response))
    return FetchFailed(
        reason=FailureReason.PROTOCOL,
        detail='the server says "not changed" although we have nothing yet',
        status=304,
    )


def _refused(response: httpx.Response) -> FetchFailed:
    status = response.status_code
    server = FailureReason.HTTP_SERVER if status >= 500 else FailureReason.HTTP_CLIENT
    words = _STATUS_WORDS.get(status, "answers with an error" if status >= 400 else "sends no feed")
    return FetchFailed(
        reason=_STATUS_REASONS.get(status, server),
        detail=f"the server {words} (HTTP {status})",
        status=status,
        retry_after=retry_after(response.headers.get("retry-after"), datetime.now(UTC)),
    )


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Retry-After as a wait: seconds or a date (RFC 9110 §10.2.3); capped at a day, never past."""
    if value is None:
        return None
    try:
        wait = timedelta(seconds=min(int(value), 10**9))
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(wait, MAX_RETRY_AFTER) if wait > timedelta(0) else None


def _max_age(response: httpx.Response) -> timedelta | None:
    for part in response.headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "max-age" and value.strip('"').isdecimal():
            return timedelta(seconds=min(int(value.strip('"')), 86_400))
    return None


def _header(response: httpx.Response, name: str) -> str | None:
    """The header's bytes as latin-1 text: what goes back is what came."""
    for key, value in response.headers.raw:
        if key.lower() == name.encode():
            return value.decode("latin-1")
    return None


def _moved(result: Fetched | NotModified, url: str | None) -> FetchResult:
    return replace(result, permanent_url=url)


def _failure(error: Exception) -> FetchFailed:
    cause: BaseException | None = error
    while cause is not None:  # ours lie under httpx's translation of them
        special = _special(cause)
        if special is not None:
            return special
        cause = cause.__cause__ or cause.__context__
    for kind, reason, words in _EXCEPTIONS:
        if isinstance(error, kind):
            return FetchFailed(reason=reason, detail=words)
    return FetchFailed(reason=FailureReason.INTERNAL, detail=type(error).__name__)


def _special(error: BaseException) -> FetchFailed | None:
    reasons: tuple[tuple[type[BaseException], FailureReason], ...] = (
        (AddressRefused, FailureReason.BLOCKED_ADDRESS),
        (NameUnknown, FailureReason.DNS),
        (TooLarge, FailureReason.TOO_LARGE),
        (BadCoding, FailureReason.BAD_ENCODING),
        (CutOff, FailureReason.TRUNCATED),
        (ssl.SSLError, FailureReason.TLS),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return FetchFailed(reason=reason, detail=_one_line(error))
    return None


def _one_line(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {(error.reason or 'TLS failed').lower()}"
    return " ".join(str(error).split())[:200]
