"""Whether the page an entry links to is read, and what becomes of it then.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from monitor.model import (
    Article,
    ArticleState,
    Entry,
    FailureReason,
    FetchFailed,
    PageText,
    ParseFailed,
)
from monitor.settings import ContentMode

SHORT = 600  # characters: a feed that gives fewer gives a teaser
FEWEST = 200  # characters of a page; less is a cookie notice or a request to subscribe
RETRIES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))

_CLOSED = (401, 402, 403)
_PASSING = frozenset(
    {
        FailureReason.DNS,
        FailureReason.CONNECT,
        FailureReason.TIMEOUT,
        FailureReason.THROTTLED,
        FailureReason.HTTP_SERVER,
        FailureReason.TRUNCATED,
        FailureReason.STARVED,
    }
)
_SUBSCRIBERS = "its publisher marks the page as for subscribers: this may be only the beginning"


def nothing(entry: Entry) -> bool:
    """No entry is worth reading."""
    return False


def to_read(
    entry: Entry, content: ContentMode, worth_reading: Callable[[Entry], bool], now: datetime
) -> tuple[Article, ...]:
    """The page of *entry*, a new one, if it is to be read."""
    if content is ContentMode.FEED or not entry.url:
        return ()
    if content is ContentMode.AUTO and (_given(entry) >= SHORT or not worth_reading(entry)):
        return ()
    host = (urlsplit(entry.url).hostname or "").lower()
    return (Article(entry_id=entry.id, host=host, due_at=now),)


def with_text(
    entry: Entry, article: Article, page: PageText, now: datetime
) -> tuple[Entry, Article]:
    """*entry* with the text of its page, unless the feed itself gives more."""
    if len(page.text) < max(FEWEST, _given(entry)):
        what = "the page shows less than the feed" if _given(entry) else "the page shows no text"
        return entry, _failed(article, f"{what}: for subscribers only, or not an article", now)
    detail = _SUBSCRIBERS if page.for_subscribers else ""
    done = replace(article, state=ArticleState.DONE, due_at=now, detail=detail)
    return replace(entry, content=page.text), done


def after_failure(article: Article, failure: FetchFailed | ParseFailed, now: datetime) -> Article:
    """Tried again a few times where that may help; else the feed's text is all there will be."""
    detail = failure.detail
    if isinstance(failure, FetchFailed) and failure.status in _CLOSED:
        detail = f"the page is not open to us: {detail}"
    if failure.reason not in _PASSING or article.attempts > len(RETRIES):
        return _failed(article, detail, now)
    asked = getattr(failure, "retry_after", None) or timedelta(0)
    wait = max(RETRIES[article.attempts - 1], asked)
    return replace(article, state=ArticleState.QUEUED, due_at=now + wait, detail=detail)


def _failed(article: Article, detail: str, now: datetime) -> Article:
    return replace(article, state=ArticleState.FAILED, due_at=now, detail=detail)


def _given(entry: Entry) -> int:
    """Characters of text that the feed gives."""
    return max(len(entry.summary), len(entry.content))
