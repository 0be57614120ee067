"""Is a feed that answers silent for unusually long, by its own rhythm?  Pure.

A silence is unusual when its hours would have brought up to twice the entries of the 99 % gap, or
when it is nearly twice as long by the clock as any gap that is remembered.  The first sees through
nights and weekends; the second knows feeds that keep to a day of the week, whose gaps are alike.

How much of the 99 % gap: where entries come independently, one gap in 100 ** f exceeds f times the
99 % gap.  So a feed with many gaps in a quarter needs more of it for the same false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.feeds import rhythm
from monitor.model import Alert, Feed, Rhythm, Severity

QUIET, AGAIN = "feed-quiet", "feed-again"
LEAST_OBSERVED = timedelta(days=14)  # before that nobody knows a feed's weekends
LEAST_GAPS = 8
LEAST, MOST = 1.5, 1.95  # times the 99 % gap
RECORD = 1.75  # times the 99 % gap: so far, a silence must also be longer than any other
ALARMS = 0.5  # false ones for each feed and quarter that independent entries would give
BURSTY, BURST_DOUBT = 1.3, 1.35  # times as long as that of independent entries; more of it
INDEPENDENT = -math.log(0.01)  # entries expected in the 99 % gap of independent ones
CLOCK = 1.9  # times the longest gap that is remembered
QUARTER = 13  # weeks


def report(feed: Feed, relying: Sequence[str], now: datetime) -> tuple[Feed, Alert | None]:
    """The alert that is due about *feed*, and the feed as told: once silent, once with news."""
    last = feed.rhythm.last_at
    if feed.quiet_since is not None:
        if last is None or last <= feed.quiet_since:
            return feed, None
        return replace(feed, quiet_since=None), _again(feed, feed.quiet_since, last, now)
    if last is None or feed.paused or feed.failures or not is_unusual(feed):
        return feed, None
    return replace(feed, quiet_since=last), _quiet(feed, last, relying, now)


def is_unusual(feed: Feed) -> bool:
    """Whether nothing had come for unusually long when the feed last answered."""
    learnt, until = feed.rhythm, feed.succeeded_at
    if until is None or learnt.last_at is None or len(learnt.gaps) < LEAST_GAPS:
        return False
    if rhythm.observed(learnt) < LEAST_OBSERVED:
        return False
    silence, missed = until - learnt.last_at, _missed(learnt, learnt.last_at, until)
    if silence <= CLOCK * learnt.gaps[-1].length and missed <= LEAST * INDEPENDENT:
        return False  # as nearly always; to look at all gaps takes a while
    known = (*learnt.gaps, *learnt.longest)
    if silence > CLOCK * max(gap.length for gap in known):
        return True
    usual = rhythm.usual_gap(learnt)
    if missed <= LEAST * usual:
        return False
    record = max(gap.expected for gap in known)
    return missed > max(_factor(learnt, usual) * usual, min(record, RECORD * usual))


def _missed(learnt: Rhythm, last: datetime, until: datetime) -> float:
    """Entries that would have come since *last* at the pace until then.

    What was learnt includes the silence: hours watched without an entry, which are taken out.
    """
    hours = sum(learnt.watched_by_day)
    silent = (rhythm.FADE / timedelta(hours=1)) * -math.expm1(-((until - last) / rhythm.FADE))
    before = max(hours - silent, hours / 10)
    return rhythm.expected(learnt, last, until) * (hours / before if before else 1.0)


def _factor(learnt: Rhythm, usual: float) -> float:
    """Times the 99 % gap, by the gaps of a quarter.

    Of a feed whose entries come in bursts few gaps are long, so less is known of the 99 % gap.
    """
    a_quarter = rhythm.Profile.of(learnt).week * QUARTER
    factor = math.log(max(a_quarter, 1.0) / ALARMS, 100)
    if usual > BURSTY * INDEPENDENT:
        factor *= BURST_DOUBT
    return min(max(factor, LEAST), MOST)


def _quiet(feed: Feed, last: datetime, relying: Sequence[str], now: datetime) -> Alert:
    until = feed.succeeded_at or now
    longest = rhythm.longest_gap(feed.rhythm, until)
    missed = max(1, round(_missed(feed.rhythm, last, until)))
    compared = f"longest in 90 days: {figure(longest)}"
    if until - last <= longest:  # a night or a weekend was longer, but brought no less
        compared = f"these hours usually bring {missed} entries"
    rules = f" Rules that look only there: {', '.join(relying)}." if relying else ""
    return ids.operator_alert(
        f"{QUIET}:{feed.id}",
        f"{last:%Y%m%dT%H%M%S}",
        title=f"{feed.name}: nothing for {figure(until - last)}; {compared}",
        text=f"It answers, but its newest entry came {last:%d %b %Y %H:%M} UTC; at its usual pace"
        f" there would have been about {missed} since.\n"
        f"What it means: it rests, or its publisher writes elsewhere by now.{rules}\n"
        "What to do: look at its site. If there is news, look there for the feed's new address.",
        now=now,
        severity=Severity.NORMAL,
    )


def _again(feed: Feed, since: datetime, last: datetime, now: datetime) -> Alert:
    return ids.operator_alert(
        f"{AGAIN}:{feed.id}",
        f"{since:%Y%m%dT%H%M%S}",
        title=f"{feed.name} has news again, after {figure(last - since)}",
        text="Nothing is to be done.",
        now=now,
        severity=Severity.NORMAL,
    )


def figure(time: timedelta) -> str:
    """ "31 hours", "6.5 days": fine enough to compare two of them."""
    hours = time / timedelta(hours=1)
    count, unit = (hours, "hour") if hours < 72 else (hours / 24, "day")
    text = f"{count:.1f}".removesuffix(".0")
    return f"{text} {unit}{'' if text == '1' else 's'}"
