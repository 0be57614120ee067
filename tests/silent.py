"""Feeds whose rhythm is known, and what becomes of it while they are silent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.feeds import rhythm
from monitor.model import Feed
from tests.bench.quiet import HOUR
from tests.builders import NOW, a_feed

DAY = timedelta(days=1)


def learnt(times: Iterable[datetime], until: datetime) -> Feed:
    """A feed whose entries came at *times*, visited every hour until *until*."""
    return visited(a_feed(name="DSCA"), sorted(times), NOW - 60 * DAY, until)


def visited(feed: Feed, times: list[datetime], since: datetime, until: datetime) -> Feed:
    now = since
    while now <= until:
        new = [at for at in times if now - HOUR < at <= now]
        feed = replace(feed, rhythm=rhythm.learn(feed.rhythm, new, now), succeeded_at=now)
        now += HOUR
    return feed


def days(first: int, last: int, *hours: int) -> list[datetime]:
    """Entries at these hours from NOW of each day from NOW."""
    return [NOW + day * DAY + hour * HOUR for day in range(first, last) for hour in hours]


TWICE_A_DAY = days(-60, 0, 0, 11)
