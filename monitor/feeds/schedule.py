"""When to poll next, and what a visit leaves on the feed.  Pure: callers bring the clock."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.model import (
    FailureReason,
    Feed,
    Fetched,
    FetchFailed,
    NotModified,
    ParsedFeed,
    ParseFailed,
)
from monitor.settings import PollSettings

MAX_BACKOFF = timedelta(hours=24)  # failing feeds are tried for ever, at least daily
WHOLE_EVERY = timedelta(days=1)  # an unconditional fetch: some servers answer 304 for ever
JITTER = 0.1


def body_hash(body: bytes) -> str:
    """Tells whether a body is the same as last time."""
    return hashlib.sha256(body).hexdigest()[:32]


def wants_whole(feed: Feed, now: datetime) -> bool:
    """Whether to ask for the document whatever the validators say: once a day.

    Also when the last time lies in the future: the clock was set back since.
    """
    if feed.validators_at is None:
        return True
    return not timedelta(0) <= now - feed.validators_at < WHOLE_EVERY


def succeeded(
    feed: Feed,
    *,
    fetched: Fetched | NotModified,
    parsed: ParsedFeed | None,
    settings: PollSettings,
    now: datetime,
    interval: timedelta | None = None,
) -> Feed:
    """The feed after a visit that went well; *parsed* is None when the body was the last one's.

    A document that was cut off counts as an answer, but leaves the old validators, so that what it
    lacked is sent again, and the old ``succeeded_at``.  *interval* is the feed's own setting.
    """
    wait = _interval(fetched, parsed, settings, interval)
    moved_to = fetched.permanent_url
    again = feed.moved_count if moved_to == feed.moved_to else 0
    after = replace(
        feed,
        polled_at=now,
        next_poll_at=now + max(_spread(wait, feed.id, now), settings.min_interval),
        failures=0,
        failing_since=None,
        failure=None,
        failure_detail="",
        moved_to=moved_to,
        moved_count=again + 1 if moved_to else 0,  # in a row, at the same new address
    )
    if isinstance(fetched, NotModified):
        return replace(after, succeeded_at=now)
    digest = body_hash(fetched.body)
    if not (parsed.complete if parsed else digest == feed.body_hash):
        return after
    return replace(
        after,
        succeeded_at=now,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        validators_at=now,
        body_hash=digest,
        baseline_at=feed.baseline_at or now,
    )


def failed(
    feed: Feed, failure: FetchFailed | ParseFailed, settings: PollSettings, now: datetime
) -> Feed:
    """The feed after a visit that brought nothing: back off, but never for ever."""
    failures = feed.failures + 1
    asked = (failure.retry_after if isinstance(failure, FetchFailed) else None) or timedelta(0)
    wait = max(backoff(feed.id, failures, settings), min(asked, MAX_BACKOFF))
    if failure.reason is FailureReason.GONE:
        wait = MAX_BACKOFF
    return replace(
        feed,
        polled_at=now,
        next_poll_at=now + wait,
        failures=failures,
        failing_since=feed.failing_since or now,
        failure=failure.reason,
        failure_detail=failure.detail,
    )


def backoff(feed_id: str, failures: int, settings: PollSettings) -> timedelta:
    """The interval, doubled at each failure in a row after the first, up to a day.

    Between nine and ten tenths of it, by feed and count: feeds that failed together part.
    """
    longest = min(MAX_BACKOFF, settings.interval * (1 << min(failures - 1, 12)))
    return longest * (1 - JITTER * _share(feed_id, str(failures)))


def _interval(
    fetched: Fetched | NotModified,
    parsed: ParsedFeed | None,
    settings: PollSettings,
    own: timedelta | None,
) -> timedelta:
    """The feed's own setting, else the default or what the publisher asks for, if longer."""
    asked = [each for each in (fetched.max_age, parsed.word.ttl if parsed else None) if each]
    wait = own or max([settings.interval, *asked])
    return min(max(wait, settings.min_interval), settings.max_interval)


def _spread(wait: timedelta, feed_id: str, now: datetime) -> timedelta:
    """*wait*, a little shorter for each feed in its own way, so that they do not march in step."""
    return wait * (1 - JITTER * _share(feed_id, now.isoformat()))


def _share(*parts: str) -> float:
    return int(ids.derive("share", *parts), 16) / 16**16
