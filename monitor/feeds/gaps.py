"""Have entries come and gone between two visits, unseen?  Pure: callers bring the clock.

A document shows a feed's newest entries.  If none of them is known from before, or only pinned ones
are, it may have turned over since: what came first has rolled out at its end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.model import Alert, Entry, Feed, Oddity, Severity

GAP = "feed-gap"
FEWEST = 2  # a document of one entry always turns over, and says nothing
PINNED_SHARE = 0.1  # known entries above new ones may be pinned, if they are so few
SAME = timedelta(days=1)  # gaps that follow each other sooner are one, told once


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When the entries came that may be missing."""

    begin: datetime
    end: datetime


def found(
    feed: Feed, entries: Sequence[Entry], known: Collection[str], now: datetime
) -> Window | None:
    """The gap before *entries*, a complete document; *known*: keys of those stored before.

    *feed* is as it was before this visit.
    """
    since = feed.succeeded_at
    if feed.baseline_at is None or since is None or len(entries) < FEWEST:
        return None
    new = [entry for entry in entries if not _is_known(entry, known)]
    if not new or not _turned_over(entries, new):
        return None
    oldest = min((entry.published_at for entry in new if entry.published_at), default=now)
    if oldest <= since:  # it reaches back to what we have seen
        return None
    return Window(begin=since, end=min(oldest, now))


def after(before: Feed, feed: Feed, window: Window | None) -> Feed:
    """*feed*, which was *before*, once a visit came upon *window*; None: upon no gap."""
    if window is None or feed.suspicion.oddity is Oddity.ANOTHER:
        return feed
    if before.gap_until is not None and window.begin - before.gap_until < SAME:
        return replace(feed, gap_until=window.end)
    return replace(feed, gap_from=window.begin, gap_until=window.end, gap_told=False)


def sooner(feed: Feed, shortest: timedelta, now: datetime) -> Feed:
    """*feed* with half the wait for its next visit, as it turns over faster than was thought."""
    wait = max((feed.next_poll_at - now) / 2, shortest)
    return replace(feed, next_poll_at=min(feed.next_poll_at, now + wait))


def report(feed: Feed, relying: Sequence[str], now: datetime) -> tuple[Feed, Alert | None]:
    """The alert about a gap that was not told yet, and the feed as told."""
    if feed.gap_told or feed.paused or feed.gap_from is None or feed.gap_until is None:
        return feed, None
    return replace(feed, gap_told=True), _alert(feed, feed.gap_from, feed.gap_until, relying, now)


def _alert(
    feed: Feed, begin: datetime, end: datetime, relying: Sequence[str], now: datetime
) -> Alert:
    rules = f" Rules that look only there: {', '.join(relying)}." if relying else ""
    return ids.operator_alert(
        f"{GAP}:{feed.id}",
        f"{begin:%Y%m%dT%H%M%S}",
        title=f"Possible gap in {feed.name} {span(begin, end)} UTC",
        text="Its document held nothing that was known from the visit before: entries may have come"
        " and gone between the two, and no older pages show them all.\n"
        f"What it means: news of that time may be missing; it is visited sooner now.{rules}\n"
        "What to do: look through that time on its site. If this comes again, give the feed a"
        " shorter interval in config.toml, or the address of its news sitemap as backfill. Gaps"
        " that follow within a day are told in digests only.",
        now=now,
        severity=Severity.NORMAL,
    )


def span(begin: datetime, end: datetime) -> str:
    """ "13 Feb 02:00–04:00"; the day of the end where it is another."""
    day = "" if begin.date() == end.date() else f"{end:%d %b} "
    return f"{begin:%d %b %H:%M}–{day}{end:%H:%M}"


def missed(entries: Sequence[Entry], known: Collection[str], window: Window) -> tuple[Entry, ...]:
    """Of an older page's *entries*, those that *window* lost: above what is known, not older."""
    lost = []
    for entry in entries:
        if _is_known(entry, known):
            break
        if entry.published_at is None or entry.published_at >= window.begin:
            lost.append(entry)
    return tuple(lost)


def within(entries: Sequence[Entry], known: Collection[str], window: Window) -> tuple[Entry, ...]:
    """Of a site's *entries*, in any order, those that *window* lost."""
    return tuple(
        entry
        for entry in entries
        if entry.published_at is not None
        and window.begin <= entry.published_at < window.end
        and not _is_known(entry, known)
    )


def reaches(entries: Sequence[Entry], known: Collection[str], window: Window) -> bool:
    """Whether an older page goes back to before *window*."""
    return any(
        _is_known(entry, known) or (entry.published_at or window.end) < window.begin
        for entry in entries
    )


def _is_known(entry: Entry, known: Collection[str]) -> bool:
    return any(key in known for key in entry.keys)


def _turned_over(entries: Sequence[Entry], new: Sequence[Entry]) -> bool:
    """Whether no entry is known but for a few pinned ones: those stand above new ones."""
    if len(new) == len(entries):
        return True
    few = len(entries) - len(new) <= len(entries) * PINNED_SHARE
    return few and entries[-1] is new[-1]
