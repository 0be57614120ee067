"""When to poll next, and what a visit leaves on the feed.  Pure: callers bring the clock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitor import ids
from monitor.feeds import pace
from monitor.feeds.pace import Bounds
from monitor.feeds.rhythm import learn
from monitor.model import (
    Entry,
    FailureReason,
    Feed,
    Fetched,
    FetchFailed,
    NotModified,
    ParsedFeed,
    ParseFailed,
    Rhythm,
    SameBytes,
    Unchanged,
)
from monitor.settings import FeedSettings, PollSettings

MAX_BACKOFF = timedelta(hours=24)  # failing feeds are tried for ever, at least daily
WHOLE_EVERY = timedelta(days=1)  # an unconditional fetch: some servers answer 304 for ever
JITTER = 0.1
SOON = 2  # failures in a row after which the waits begin to grow

# How fast the waits grow, and up to what.  What may be our own network, or costs nothing to try, is
# tried often; what somebody must first repair, or what costs the publisher or us much, seldom.
_PASSING = (1.5, timedelta(hours=2))
_AILING = (2.0, timedelta(hours=6))
_OTHER = (3.0, MAX_BACKOFF)
_PATIENCE = {
    FailureReason.DNS: _PASSING,
    FailureReason.CONNECT: _PASSING,
    FailureReason.STARVED: _PASSING,
    FailureReason.TIMEOUT: _AILING,
    FailureReason.HTTP_SERVER: _AILING,
    FailureReason.TRUNCATED: _AILING,
    FailureReason.PROTOCOL: _AILING,
    FailureReason.EMPTY: _AILING,
    FailureReason.THROTTLED: (4.0, MAX_BACKOFF),
    FailureReason.TOO_LARGE: (4.0, MAX_BACKOFF),
    FailureReason.PARSER_KILLED: (4.0, MAX_BACKOFF),
}


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
    fetched: Fetched | Unchanged,
    parsed: ParsedFeed | None,
    settings: PollSettings,
    now: datetime,
    own: FeedSettings | None = None,
    new: Sequence[Entry] = (),
    digest: str | None = None,
) -> Feed:
    """The feed after a visit that went well; *parsed* is None when the body was the last one's.

    A document that was cut off counts as an answer, but leaves the old validators, so that what it
    lacked is sent again, and the old ``succeeded_at``.  *own* are the feed's settings, *new* are
    the entries that it had not shown before, *digest* is the ``body_hash`` if that is known.
    """
    rhythm = _learnt(feed, parsed, new, now)
    bounds = Bounds.of(settings, own)
    wait = pace.wait(rhythm, now, bounds, max_age=fetched.max_age)
    moved_to = fetched.permanent_url
    again = feed.moved_count if moved_to == feed.moved_to else 0
    return replace(
        feed,
        polled_at=now,
        next_poll_at=now + _spread(wait, feed, bounds),
        rhythm=rhythm,
        failures=0,
        failing_since=None,
        failure=None,
        failure_detail="",
        moved_to=moved_to,
        moved_count=again + 1 if moved_to else 0,  # in a row, at the same new address
        **_of_document(feed, fetched, parsed, now, digest),
    )


def _of_document(
    feed: Feed,
    fetched: Fetched | Unchanged,
    parsed: ParsedFeed | None,
    now: datetime,
    digest: str | None,
) -> dict[str, Any]:
    """What a document leaves on the feed that came to its end, or is that of the last visit."""
    if isinstance(fetched, NotModified):
        return {"succeeded_at": now}
    validators = {
        "succeeded_at": now,
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
        "validators_at": now,
    }
    if isinstance(fetched, SameBytes):
        return validators
    digest = digest or body_hash(fetched.body)
    if not (parsed.complete if parsed else digest == feed.body_hash):
        return {}
    return {
        **validators,
        "body_hash": digest,
        "packed_hash": fetched.packed_hash,
        "baseline_at": feed.baseline_at or now,
    }


def failed(
    feed: Feed,
    failure: FetchFailed | ParseFailed,
    settings: PollSettings,
    now: datetime,
    own: FeedSettings | None = None,
) -> Feed:
    """The feed after a visit that brought nothing: back off, but never for ever.

    Nor for longer than it has been failing: visits that come sooner than planned, because a hub
    pushes or a person asks, and short intervals add failures, but no time in which it was down.
    """
    failures = feed.failures + 1
    asked = (failure.retry_after if isinstance(failure, FetchFailed) else None) or timedelta(0)
    bounds = Bounds.of(settings, own)
    first = max(min(pace.wait(feed.rhythm, now, bounds), bounds.usual), bounds.shortest)
    since = feed.failing_since or now
    grown = backoff(feed.id, failures, failure.reason, first, most=now - since)
    wait = max(grown, min(asked, MAX_BACKOFF))
    if failure.reason is FailureReason.GONE:
        wait = MAX_BACKOFF
    return replace(
        feed,
        polled_at=now,
        next_poll_at=now + wait,
        failures=failures,
        failing_since=since,
        failure=failure.reason,
        failure_detail=failure.detail,
    )


def backoff(
    feed_id: str,
    failures: int,
    reason: FailureReason,
    first: timedelta,
    *,
    most: timedelta = MAX_BACKOFF,
) -> timedelta:
    """The wait after *failures* in a row, the last for *reason*; at *most* that, but for *first*.

    Twice *first*, so that a breakdown is known to last before it is told; from then on it grows as
    the kind of failure says.  Between nine and ten tenths of that, by feed and count: feeds that
    failed together part.
    """
    growth, longest = _PATIENCE.get(reason, _OTHER)
    times = min(growth ** min(max(failures - SOON, 0), 40), MAX_BACKOFF / first)
    most = min(max(min(longest, most), first), MAX_BACKOFF)
    return min(first * times, most) * (1 - JITTER * _share(feed_id, str(failures)))


def _learnt(feed: Feed, parsed: ParsedFeed | None, new: Sequence[Entry], now: datetime) -> Rhythm:
    """The feed's rhythm after this visit; undated entries of a first document teach nothing."""
    was = feed.rhythm
    if parsed and parsed.complete and (was.word, was.listed) != (parsed.word, parsed.listed):
        was = replace(was, word=parsed.word, listed=parsed.listed)
    first = was.learnt_at is None
    times = [each.published_at or (None if first else each.first_seen_at) for each in new]
    return learn(was, [at for at in times if at], now)


def _spread(wait: timedelta, feed: Feed, bounds: Bounds) -> timedelta:
    """*wait*, up to a tenth shorter, for each feed in its own way; at the shortest, longer.

    So feeds do not march in step: those that were visited together part, further with every visit.
    After a first visit it is shorter by anything up to all of it: they part at once.
    """
    share = _share(feed.id)
    if feed.polled_at is None:
        return max(wait * (1 - share), bounds.shortest)
    most = max(wait, min(bounds.shortest / (1 - JITTER), bounds.longest))
    return max(most * (1 - JITTER * share), bounds.shortest)


def _share(*parts: str) -> float:
    return int(ids.derive("share", *parts), 16) / 16**16
