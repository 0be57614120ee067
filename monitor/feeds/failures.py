"""What httpx, TLS and our own bounds raise → why a fetch failed, in words."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator

import httpx
import structlog

from monitor.errors import STARVED, is_starved
from monitor.feeds.body import BadCoding, CutOff, TooLarge
from monitor.feeds.guard import AddressRefused, NameUnknown
from monitor.model import FailureReason, FetchFailed

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
    (httpx.ProxyError, FailureReason.CONNECT, "the proxy does not let us through"),
    (httpx.NetworkError, FailureReason.CONNECT, "the connection was cut before an answer"),
    (httpx.UnsupportedProtocol, FailureReason.REDIRECTS, "redirected to what is no web address"),
    (httpx.InvalidURL, FailureReason.REDIRECTS, "redirected to an unusable address"),
    (UnicodeError, FailureReason.REDIRECTS, "redirected to an unusable address"),
    (httpx.HTTPError, FailureReason.PROTOCOL, "the server does not speak HTTP properly"),
)


def failure_of(error: Exception) -> FetchFailed:
    """Why an exchange that raised *error* brought nothing; what nobody foresaw is logged."""
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
    return of_ours(error)


def of_ours(error: Exception) -> FetchFailed:
    """A failure that is not the feed's: this machine has not the means, else a bug."""
    if is_starved(error):
        return FetchFailed(reason=FailureReason.STARVED, detail=STARVED)
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
