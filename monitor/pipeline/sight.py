"""Whether the monitor can see, and tell: the reasons why not.  Pure: callers bring the clock.

A dead-man's switch is to hear from us only while news would reach people; ``/healthz`` says the
same.  One feed or channel that fails is no reason: that has alerts of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import ChannelState, Feed
from monitor.settings import Channel

PATIENCE = timedelta(minutes=10)  # what passes within it is nobody's business
MANY = 3  # feeds that begin to fail together: no coincidence


class Blind(StrEnum):
    """What is wrong; the words are those of ``/healthz`` and the labels of metrics."""

    NO_FEEDS = "no feeds"
    FEEDS = "feeds"
    CHANNELS = "channels"
    DATABASE = "database"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the monitor is blind, or dumb."""

    what: Blind
    detail: str  # for people; no names, no addresses


def of_feeds(feeds: Iterable[Feed], now: datetime) -> list[Reason]:
    """Whether no news comes in."""
    watched = [feed for feed in feeds if not feed.paused]
    if not watched:
        return [Reason(what=Blind.NO_FEEDS, detail="no feed is watched")]
    if all(feed.failures > 1 for feed in watched):
        all_of_them = (
            f"all {len(watched)} feeds fail" if len(watched) > 1 else "the only feed fails"
        )
        return [Reason(what=Blind.FEEDS, detail=all_of_them)]
    newest = max((feed.succeeded_at for feed in watched if feed.succeeded_at), default=None)
    if newest is None or now - newest < PATIENCE:
        return []
    begun = sum(feed.failing_since is not None and feed.failing_since > newest for feed in watched)
    if begun < MANY:
        return []
    minutes = int((now - newest).total_seconds() // 60)
    detail = f"no feed has answered for {minutes} minutes, {begun} have begun to fail"
    return [Reason(what=Blind.FEEDS, detail=detail)]


def of_channels(
    channels: Sequence[Channel], states: Iterable[ChannelState], now: datetime
) -> list[Reason]:
    """Whether nobody can be told; a channel that was never used is taken to work."""
    known = {(each.channel, each.target): each for each in states}
    targets = [(channel.name, each.name) for channel in channels for each in channel.targets]
    found = [known.get(target) for target in targets]
    if any(each is None or not _is_down(each, now) for each in found):
        return []
    if len(channels) == 1:
        return [Reason(what=Blind.CHANNELS, detail="the only channel takes nothing")]
    return [Reason(what=Blind.CHANNELS, detail=f"none of {len(channels)} channels takes anything")]


def _is_down(each: ChannelState, now: datetime) -> bool:
    lasting = each.failing_since is not None and now - each.failing_since >= PATIENCE
    return each.stopped or (each.failures > 0 and lasting)


def of_database(since: datetime | None, now: datetime) -> list[Reason]:
    """Whether it cannot be written, *since* when that is tried in vain."""
    if since is None:
        return []
    minutes = int((now - since).total_seconds() // 60)
    lasting = f" for {minutes} minutes" if minutes else ""
    return [Reason(what=Blind.DATABASE, detail=f"the database cannot be written{lasting}")]


def of_parts(stuck: Sequence[str]) -> list[Reason]:
    """Whether some part of the monitor has got nothing done for too long."""
    if not stuck:
        return []
    return [Reason(what=Blind.STUCK, detail=f"no progress: {', '.join(stuck)}")]


def said(reasons: Sequence[Reason]) -> str:
    """All of them in one line."""
    return "; ".join(reason.detail for reason in reasons)
