"""Whether the intervals in config.toml go together: those of all feeds, and those of each."""

from __future__ import annotations

from datetime import timedelta

from monitor.configfile import FeedTable, PollTable
from monitor.configsecrets import Findings, Where

LONGEST, SHORTEST = timedelta(hours=24), timedelta(seconds=1)
LONGEST_GAP = timedelta(minutes=5)  # a feed waits for its host within its claim, of ten minutes


def check_poll(poll: PollTable, findings: Findings) -> None:
    _check_limits(("poll",), poll.min_interval, poll.max_interval, findings)
    if not poll.min_interval <= poll.interval <= poll.max_interval:
        what = "interval must lie between min_interval and max_interval"
        findings.add(("poll", "interval"), what)
    if poll.per_host_gap > LONGEST_GAP:
        what = "per_host_gap is for politeness within a host, and this is longer than 5 minutes"
        remedy = 'write "5m" or less; how often a feed is visited is its interval'
        findings.add(("poll", "per_host_gap"), what, remedy)


def check_feed(where: Where, feed: FeedTable, poll: PollTable, findings: Findings) -> None:
    """A feed's own bounds take the place of those of [poll]."""
    who = f'feed "{feed.name}"'
    shortest = feed.min_interval or poll.min_interval
    longest = feed.max_interval or poll.max_interval
    _check_limits(where, feed.min_interval, feed.max_interval, findings)
    if shortest > longest and (feed.min_interval or feed.max_interval):
        which = "max_interval" if feed.max_interval else "min_interval"
        what = f"{who}: max_interval is shorter than min_interval"
        findings.add((*where, which), what, "change one of them, here or in [poll]")
    elif feed.interval is not None and feed.interval < shortest:
        what = f"{who}: interval is shorter than min_interval"
        findings.add((*where, "interval"), what, "make it longer, or lower min_interval")
    elif feed.interval is not None and feed.interval > longest:
        what = f"{who}: interval is longer than max_interval"
        findings.add((*where, "interval"), what, "make it shorter, or raise max_interval")


def _check_limits(
    where: Where, shortest: timedelta | None, longest: timedelta | None, findings: Findings
) -> None:
    if shortest is not None and shortest < SHORTEST:
        what = "visits without a pause are an attack"
        findings.add((*where, "min_interval"), what, 'write "1s" or more')
    if longest is not None and longest > LONGEST:
        what = "feeds are visited at least once a day"
        findings.add((*where, "max_interval"), what, 'write "24h" or less')
