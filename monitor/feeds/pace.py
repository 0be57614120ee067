"""How long to wait for the next visit of a feed that works.  Pure: callers bring the clock.

Within a feed, visits an hour follow the square root of the rate: entries that come by themselves at
rate r are found with a mean delay of 1/2f by f visits an hour, and of all ways to spend a number of
visits over the hours, f ~ √r has the least delay per entry (Lagrange: r/2f² is the same
everywhere).  Across feeds they follow a little less, ``ACROSS``: an entry of a feed that writes
seldom counts more, for the notice of the week must not wait for a hundred headlines a day.  A feed
with ``rhythm.USUAL`` entries an hour, at all hours, is visited at the interval people set.

The next visit is due when the frequencies of the hours to come add up to one visit, so a night is
not slept through because it was quiet at its beginning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.feeds.rhythm import USUAL, Profile, hours_between, liveliness
from monitor.model import Rhythm
from monitor.settings import FeedSettings, PollSettings

ACROSS = 0.4  # tests/bench/pace.py: ½ has the least delay by entry, 0 by feed
KEPT_SHARE = 3  # a visit is due before a third of the listed entries are new: none rolls over
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What people chose for a feed."""

    usual: timedelta  # of a feed with USUAL entries an hour
    shortest: timedelta
    longest: timedelta
    fixed: timedelta | None = None  # the feed's own ``interval``: no pace is learnt

    @classmethod
    def of(cls, settings: PollSettings, own: FeedSettings | None = None) -> Bounds:
        """Those of the feed itself, else those of all."""
        shortest = (own and own.min_interval) or settings.min_interval
        longest = (own and own.max_interval) or settings.max_interval
        return cls(
            usual=settings.interval,
            shortest=shortest,
            longest=max(longest, shortest),
            fixed=own.interval if own else None,
        )


def wait(
    rhythm: Rhythm, now: datetime, bounds: Bounds, *, max_age: timedelta | None = None
) -> timedelta:
    """The time until the next visit, between the bounds.

    The feed's own word (ttl, skipped hours and days) and the server's (*max_age*) make it longer,
    but not where entries would roll over.
    """
    if bounds.fixed is not None:
        return min(max(bounds.fixed, bounds.shortest), bounds.longest)
    if bounds.shortest == bounds.longest:  # there is nothing to choose
        return bounds.shortest
    profile, asked = Profile.of(rhythm), _asked(rhythm, max_age)
    missing = 1.0
    for at, hours in hours_between(now, now + bounds.longest):
        rate = profile.at(at) * liveliness(rhythm, at)
        often = _often(rhythm, at, rate, profile.level, asked, bounds)
        if often * hours >= missing:
            return max(at + _HOUR * (missing / often) - now, bounds.shortest)
        missing -= often * hours
    return bounds.longest


def _often(
    rhythm: Rhythm, at: datetime, rate: float, level: float, asked: timedelta, bounds: Bounds
) -> float:
    """Visits an hour, wished for at *at*."""
    wished = math.pow(level / USUAL, ACROSS) * math.sqrt(rate / level) / (bounds.usual / _HOUR)
    if asked:
        wished = min(wished, _HOUR / asked)
    if at.hour in rhythm.word.skip_hours or at.weekday() in rhythm.word.skip_days:
        wished = 0.0
    needed = KEPT_SHARE * rate / rhythm.listed if rhythm.listed else 0.0
    return min(max(wished, needed), _HOUR / bounds.shortest)


def _asked(rhythm: Rhythm, max_age: timedelta | None) -> timedelta:
    return max(rhythm.word.ttl or timedelta(0), max_age or timedelta(0))
