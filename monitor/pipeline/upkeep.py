"""What must be done from time to time: tell of broken feeds, of undelivered alerts, and hello."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from monitor.alerts.operator import undelivered, welcome
from monitor.alerts.route import channels_for, deliveries, notices, owner_notices
from monitor.clocktrust import Verdict
from monitor.events import Trouble, Welcomed
from monitor.ingest.telling import story_alert, told
from monitor.model import Alert, Delivery, Entry, Label, Standing
from monitor.pipeline.all_feeds import all_feeds
from monitor.pipeline.fallbacks import Fallbacks
from monitor.pipeline.feed_reports import FeedReports
from monitor.pipeline.memory import Memory
from monitor.pipeline.shared import Shared
from monitor.pipeline.silences import SilenceEnds
from monitor.pipeline.trust import Trust, ticked
from monitor.settings import Channel, FirstPoll
from monitor.store import Store
from monitor.stories.index import COPY_WINDOW

EVERY = timedelta(minutes=1)
AT_FIRST = timedelta(seconds=1)  # until the first round is over and was told
SHARE = 0.05  # of the time, at most, is spent on it: to look through ten thousand feeds takes long
LOOK_BACK = timedelta(days=7)
LOOK_BACK_ENTRIES = 5_000
PORTION = 1_000  # entries looked back at in one go


class Upkeep:
    """The monitor's reports on itself."""

    def __init__(
        self, shared: Shared, *, memory: Memory, ticks: Callable[[], timedelta] = ticked
    ) -> None:
        """*ticks*: of a clock that nobody sets."""
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._queued = shared.queued
        self._memory = memory
        self._feed_reports = FeedReports(shared)
        self._fallbacks = Fallbacks(shared)
        self._silences = SilenceEnds(shared)
        self._trust, self._ticks = Trust(shared, ticks=ticks), ticks
        self.welcomed = False  # all channels have had their first message
        self._alone = False  # it was said that no feed answers

    async def tick(self) -> timedelta:
        """One of many sweeps; the time until the next."""
        began = self._ticks()
        await self.sweep(whole=False)
        return _until_next(self._ticks() - began, welcomed=self.welcomed)

    async def sweep(self, *, whole: bool = True) -> None:
        """All of it, once; *whole*: what a tick would leave to the next ones as well."""
        await self._feed_reports.sweep(whole=whole)
        await self.expire()
        await self._fallbacks.sweep()
        await self._silences.sweep()
        await self.welcome()
        await self._memory.save()
        await self._forget()

    async def tell_operators(self, alerts: Sequence[Alert]) -> None:
        """Queue alerts about the monitor itself; an alert already queued is not repeated."""
        if not alerts:
            return
        rows = deliveries(alerts, {}, (), self._in_force.config, self._clock())
        await self._raise(alerts, rows)

    async def tell_owner(self, owner: str, alert: Alert) -> None:
        """Queue *alert* for the channel that *owner* names, else for the operators."""
        rows = owner_notices(owner, alert, self._in_force.config, self._clock())
        await self._raise([alert], rows)

    async def _raise(self, alerts: Sequence[Alert], rows: Sequence[Delivery]) -> None:
        await self._store.call(lambda store: store.raise_alerts(alerts, rows))
        self._queued()

    async def backfill(self, since: Mapping[str, datetime]) -> None:
        """Alerts for stored entries that rules are to look back at: rule name → from when."""
        found: list[tuple[int, Entry]] = []
        while True:
            last = found[-1][0] if found else None
            portion = partial(_portion, min(since.values()), last)
            found = await self._store.call(portion)
            await self._look_back_at([entry for _, entry in found], since)
            if len(found) < PORTION:
                return

    async def _look_back_at(self, entries: Sequence[Entry], since: Mapping[str, datetime]) -> None:
        now, config = self._clock(), self._in_force.config
        stories = await self._stories_of(entries)
        for entry in entries:
            story = stories[entry.id]
            matches = [
                match
                for match in self._in_force.rules.matcher.match(entry)
                if entry.first_seen_at >= since.get(match.rule.name, now)
                and match.rule.name not in story.alerts
            ]
            if matches:
                alerts, rows = told(
                    entry, matches, config, now, story_id=story.story.id, labels=(Label.BACKFILL,)
                )
                await self._raise(alerts, rows)
            await asyncio.sleep(0)

    async def _stories_of(self, entries: Sequence[Entry]) -> dict[str, Standing]:
        """Entry id → the story it is in, as it stands."""
        names = [entry.id for entry in entries]
        of = await self._store.call(lambda store: store.stories_of(names))
        standings = await self._store.call(lambda store: store.standings(of.values()))
        return {entry_id: standings[story_id] for entry_id, story_id in of.items()}

    # --- deliveries nobody took

    async def expire(self) -> None:
        """Give up deliveries that are 14 days old, and say so; by a clock that can be believed."""
        now = await self._believed()
        if now is None:
            return
        gone = await self._store.call(lambda store: store.expire(now))
        told = undelivered(gone, now)
        if told is not None:
            await self.tell_operators([told])

    # --- what is too old to be compared with

    async def _forget(self) -> None:
        """What new entries are no more compared with: forgotten too early, they are told again."""
        now = await self._believed()
        if now is not None:
            before = now - COPY_WINDOW
            await self._store.call(lambda store: store.forget_traces(before))

    async def _believed(self) -> datetime | None:
        """The time, if the clock can be believed."""
        if await self._trust.verdict() not in (Verdict.SURE, Verdict.ALONE):
            return None
        return self._trust.judged_at  # of another look at the clock nothing is known

    # --- the first message of a channel

    async def welcome(self) -> None:
        """Once per channel, after the first round: what is watched, what would have alerted."""
        config = self._in_force.config
        new = await self._store.call(
            lambda store: [each for each in config.channels if store.note(_note(each)) is None]
        )
        feeds = (
            [feed for feed in await all_feeds(self._store.call) if not feed.paused] if new else []
        )
        self.welcomed = not feeds
        first_round_over = all(feed.polled_at is not None for feed in feeds)
        anything_seen = any(feed.baseline_at is not None for feed in feeds)
        if first_round_over and not anything_seen:
            self._nobody_answers(len(feeds))
        if self.welcomed or not (first_round_over and anything_seen):
            return
        sent = config.poll.first_poll is FirstPoll.ALERT
        would_have = [] if sent else await self.would_have_alerted()
        welcomed = Welcomed(
            feeds=len(feeds),
            failing=sum(feed.failures > 0 for feed in feeds),
            rules=len(self._in_force.rules.rules),
            entries=await self._store.call(lambda store: store.count_entries()),
            would_have=tuple(would_have),
            channels=tuple(channel.name for channel in new),
            sent=sent,
        )
        for channel in new:
            await self._greet(channel, welcomed)
        for channel in new:
            await self._store.call(partial(_welcome_noted, channel))
        self._report(welcomed)
        self.welcomed = True

    def _nobody_answers(self, feeds: int) -> None:
        """Said once: whoever has just started it waits for a word."""
        if self._alone or feeds < 2:
            return
        self._alone = True
        detail = (
            "probably this machine's network or name server; all are tried again,"
            " and nothing is lost that they still list then"
        )
        self._report(Trouble(what=f"None of {feeds} feeds answers", detail=detail))

    async def _greet(self, channel: Channel, welcomed: Welcomed) -> None:
        now = self._clock()
        if channel.kind == "terminal":
            return  # the start summary has said it already
        alert = welcome(channel, welcomed, now)
        await self._raise([alert], notices(alert, channel, now))

    async def would_have_alerted(self) -> list[Alert]:
        """What the entries of the last seven days would have alerted, newest first."""
        now = self._clock()
        since = now - LOOK_BACK
        entries = await self._store.call(
            lambda store: store.entries(since=since, limit=LOOK_BACK_ENTRIES)
        )
        of = await self._store.call(lambda store: store.stories_of(e.id for e in entries))
        alerts: dict[str, Alert] = {}  # by id: one for each story and rule, of its newest entry
        for entry in entries:
            if entry.published_at is None or entry.published_at >= since:
                for alert in self._alerts_of(entry, of[entry.id], now):
                    alerts.setdefault(alert.id, alert)
            await asyncio.sleep(0)
        return sorted(alerts.values(), key=lambda a: a.published_at or since, reverse=True)

    def _alerts_of(self, entry: Entry, story_id: str, now: datetime) -> list[Alert]:
        return [
            story_alert(entry, match, story_id=story_id, labels=(), now=now)
            for match in self._in_force.rules.matcher.match(entry)
            if channels_for(match.rule, entry.feed_tags, self._in_force.config)
        ]


def _until_next(took: timedelta, *, welcomed: bool) -> timedelta:
    return min(max(EVERY if welcomed else AT_FIRST, took / SHARE), EVERY)


def _portion(since: datetime, before: int | None, store: Store) -> list[tuple[int, Entry]]:
    return store.look_back(since, before, PORTION)


def _note(channel: Channel) -> str:
    return f"welcomed:{channel.name}"


def _welcome_noted(channel: Channel, store: Store) -> None:
    store.set_note(_note(channel), "yes")
