"""What an answer means: where it leads, that nothing has changed, a document, or why there is none.

Knows httpx's responses; sends nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from monitor.feeds.body import MAX_BODY, CutOff, Inflater
from monitor.feeds.headers import links, max_age, retry_after
from monitor.model import (
    FailureReason,
    Fetched,
    FetchFailed,
    FetchResult,
    NotModified,
    SameBytes,
)
from monitor.settings import Access

CONDITIONS = ("if-none-match", "if-modified-since")
_PERMANENT, _TEMPORARY = (301, 308), (302, 303, 307)
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
class Redirect:
    url: httpx.URL
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked for beside an address."""

    headers: dict[str, str]  # names in lower case
    access: Access
    limit: int = MAX_BODY
    page: bool = False  # HTML is wanted, and nothing else
    known: str | None = None  # the ``packed_hash`` of a body that need not be unpacked


async def read(url: httpx.URL, response: httpx.Response, asking: Asking) -> FetchResult | Redirect:
    """What came of *asking* for *url*, its body read.  Raises what ``failures`` knows."""
    status = response.status_code
    if status in (*_PERMANENT, *_TEMPORARY) and "location" in response.headers:
        target = url.join(response.headers["location"])
        return Redirect(target, permanent=status in _PERMANENT)
    if status == 304:
        conditional = any(name in asking.headers for name in CONDITIONS)
        return _unchanged(response, conditional=conditional)
    if status not in (200, 203):  # 203: a proxy on the way has changed something
        return _refused(response)
    kind = response.headers.get("content-type")
    if asking.page and not _is_html(kind):
        return FetchFailed(
            reason=FailureReason.NOT_A_FEED, detail=f"it is no web page but {_named(kind)}"
        )
    return await _document(url, response, asking)


async def _document(url: httpx.URL, response: httpx.Response, asking: Asking) -> FetchResult:
    packed = await _packed(response, asking)
    while packed.step(all_taken=True):
        await asyncio.sleep(0)
    body = packed.finish()
    etag, last_modified = _header(response, b"etag"), _header(response, b"last-modified")
    age = max_age(response.headers.get("cache-control"))
    if body is None:
        return SameBytes(etag=etag, last_modified=last_modified, max_age=age)
    if not body.strip():
        detail, status = "the answer is empty", response.status_code
        return FetchFailed(reason=FailureReason.EMPTY, detail=detail, status=status)
    return Fetched(
        body=body,
        packed_hash=packed.packed_hash,
        final_url=shown(url),
        content_type=response.headers.get("content-type"),
        etag=etag,
        last_modified=last_modified,
        max_age=age,
        links=links(response.headers.get("link")),
    )


def _is_html(kind: str | None) -> bool:
    """Whether the Content-Type is HTML; without one it may be."""
    name = (kind or "text/html").partition(";")[0].strip().lower()
    return name in ("text/html", "application/xhtml+xml")


def _named(kind: str | None) -> str:
    return (kind or "").partition(";")[0].strip()[:80] or "nothing named"


async def _packed(response: httpx.Response, asking: Asking) -> Inflater:
    """The whole body, to be unpacked."""
    inflater = Inflater(
        response.headers.get("content-encoding", ""),
        limit=asking.limit,
        known=asking.known,
        read_as=asking.access.encoding,
    )
    try:
        async for chunk in response.aiter_raw():
            inflater.feed(chunk)
            while inflater.step():  # a few bytes may become many
                await asyncio.sleep(0)
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise CutOff("the answer breaks off before its end") from error
    return inflater


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


def shown(url: httpx.URL) -> str:
    """Without user and password: links are resolved against it, and people see it."""
    return str(url.copy_with(userinfo=b"") if url.userinfo else url)
