"""People are told of feeds that broke, look wrong, are silent, have a gap, or are well again.

Told once, and of many together.  What a feed's state says is asked of the store: of ten thousand
feeds few are in trouble.  Silence can only be seen in a feed's rhythm, which takes time to read;
no silence becomes unusual within minutes, so of many feeds some have their turn at each sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.alerts.route import deliveries
from monitor.feeds import gaps, health, quiet
from monitor.model import Alert, Feed, Rhythm
from monitor.pipeline.all_feeds import light, with_rhythms
from monitor.pipeline.shared import Shared

TURNS = 10  # sweeps until each feed's silence has been looked at
AT_LEAST = 500  # feeds at a sweep: fewer are looked at all at once

_Report = Callable[[Feed, Sequence[str], datetime], tuple[Feed, Alert | None]]


@dataclass(slots=True)
class _Told:
    """What a sweep found."""

    now: datetime
    alerts: list[Alert] = field(default_factory=list)
    marked: dict[str, Feed] = field(default_factory=dict)  # by id: feeds as told

    def look(self, feed: Feed, relying: Sequence[str], *reports: _Report) -> None:
        after, before = feed, len(self.alerts)
        for report in reports:
            after, alert = report(after, relying, self.now)
            self.alerts += [alert] if alert else []
        if len(self.alerts) == before:
            return
        if (noted := self.marked.get(feed.id)) is not None:  # read earlier, its gap may be another
            after = replace(noted, quiet_since=after.quiet_since)
        self.marked[feed.id] = replace(after, rhythm=Rhythm())


class FeedReports:
    """Looks from time to time what is to be told about feeds."""

    def __init__(self, shared: Shared) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._queued = shared.queued
        self._next = 0  # where the next turn begins, by name

    async def sweep(self, *, whole: bool = True) -> None:
        """Tell what is new; *whole*: of many feeds, each silence is looked at now."""
        now, call = self._clock(), self._store.call
        noted = await light(call, await call(lambda store: store.feeds_of_note()))
        if health.gathering(noted, now, self._in_force.config.poll.interval):
            return
        told = _Told(now)
        for feed in noted:
            told.look(feed, self._relying(feed), health.report, gaps.report)
        every = await call(lambda store: store.feed_ids())
        turn = every if whole else self._turn(every)
        silent = [feed.id for feed in noted if feed.quiet_since is not None]
        async for few in with_rhythms(call, [*dict.fromkeys([*silent, *turn])]):
            for feed in few:
                told.look(feed, self._relying(feed), quiet.report)
        await self._tell(told)

    def _turn(self, ids: Sequence[str]) -> Sequence[str]:
        size = max(AT_LEAST, -(-len(ids) // TURNS))
        start = self._next if self._next < len(ids) else 0
        self._next = start + size
        return ids[start : self._next]

    def _relying(self, feed: Feed) -> tuple[str, ...]:
        """Rules that look only at this feed or one of its tags."""
        return self._in_force.rules.relying_on(feed.name, feed.tags)

    async def _tell(self, told: _Told) -> None:
        if not told.alerts:
            return
        marked = [*told.marked.values()]
        alerts = health.together(told.alerts, told.now)
        rows = deliveries(alerts, {}, (), self._in_force.config, told.now)
        await self._store.call(lambda store: store.report_feeds(marked, alerts, rows))
        self._queued()
