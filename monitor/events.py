"""What happened, as values: the terminal prints them, the log writes them, tests count them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.errors import Problem
from monitor.model import Alert, Article, Entry, Feed, Message, SendResult


class PollKind(StrEnum):
    NEWS = "news"  # a document with entries not seen before
    NO_NEWS = "no news"  # a document that holds nothing new
    UNCHANGED = "unchanged"  # 304, or the same bytes
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """One visit to a feed, after its commit."""

    feed: Feed  # as it is now
    kind: PollKind
    baseline: bool = False  # the feed's first complete document
    entries: int = 0  # in the document
    new: int = 0
    edited: int = 0
    matched: int = 0  # rule × entry
    alerts: tuple[Alert, ...] = ()
    undated: int = 0  # baseline: entries without a date, whose age nobody knows
    warnings: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One try to hand a message over."""

    message: Message
    result: SendResult
    since: datetime | None = None  # when the oldest alert in it was raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """Rules or configuration were read again; with problems, the last good ones stay in force."""

    what: str  # "rules" | "config"
    problems: tuple[Problem, ...] = ()
    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rules: int = 0  # now in force


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something of our own went wrong and is being retried."""

    what: str
    detail: str = ""
    context: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcomed:
    """The first round is over: what is watched, and what would have alerted had it been earlier."""

    feeds: int
    failing: int
    rules: int
    entries: int  # stored by the first round
    would_have: tuple[Alert, ...]  # newest first; none of them was sent
    channels: tuple[str, ...]
    sent: bool = False  # first_poll = "alert": what was there and matched has been queued

    @property
    def stories(self) -> list[list[Alert]]:
        """``would_have`` by story."""
        stories: dict[str, list[Alert]] = {}
        for alert in self.would_have:
            stories.setdefault(alert.story_id, []).append(alert)
        return list(stories.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleRead:
    """One try to read the page an entry links to, after its commit."""

    entry: Entry
    article: Article  # as it is now
    alerts: tuple[Alert, ...] = ()


Event = ArticleRead | Polled | Handed | Reloaded | Trouble | Welcomed
Report = Callable[[Event], None]
