"""What ``run`` and ``once`` write without a terminal: one JSON line per event, on stderr."""

from __future__ import annotations

import structlog

from monitor.events import ArticleRead, Event, Handed, Polled, PollKind, Reloaded, Trouble, Welcomed
from monitor.logwriter import to_stdout
from monitor.model import Accepted, Feed
from monitor.rules.load import RuleSet
from monitor.settings import Config


class Journal:
    """Logs events; never a channel's address."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind()  # made once: there is a line for every visit

    def start(self, config: Config, rules: RuleSet, feeds: list[Feed]) -> None:
        self._log.info(
            "started",
            feeds=sum(not feed.paused for feed in feeds),
            rules=sum(each.enabled for each in rules.rules),
            channels=[channel.name for channel in config.channels],
            database=config.database,
        )

    def end_progress(self) -> None:
        """There is none."""

    def close(self) -> None:
        """Nothing is left open."""

    def message(self, text: str) -> None:
        """A message of the terminal channel: what is asked for goes to stdout."""
        to_stdout(f"{text}\n\n")

    def __call__(self, event: Event) -> None:
        match event:
            case Polled():
                self._polled(event)
            case ArticleRead():
                self._log.info(
                    "article",
                    feed=event.entry.feed_name,
                    entry=event.entry.id,
                    state=event.article.state.value,
                    attempts=event.article.attempts,
                    alerts=[alert.id for alert in event.alerts],
                    detail=event.article.detail,
                )
            case Handed():
                self._handed(event)
            case Reloaded():
                self._reloaded(event)
            case Welcomed():
                self._log.info(
                    "first round over",
                    feeds=event.feeds,
                    failing=event.failing,
                    entries=event.entries,
                    would_have_alerted=len(event.stories),
                )
            case Trouble():
                self._log.error(event.what, detail=event.detail, **event.context)

    def _polled(self, event: Polled) -> None:
        say = self._log.warning if event.kind is PollKind.FAILED else self._log.info
        say(
            "polled",
            feed=event.feed.name,
            result=event.kind.value,
            new=event.new,
            edited=event.edited,
            matched=event.matched,
            alerts=[alert.id for alert in event.alerts],
            detail=event.detail,
            warnings=list(event.warnings),
            next_poll_at=event.feed.next_poll_at.isoformat(),
        )

    def _handed(self, event: Handed) -> None:
        accepted = isinstance(event.result, Accepted)
        (self._log.info if accepted else self._log.warning)(
            "sent" if accepted else "not sent",
            target=event.message.target,
            message=event.message.id,
            alerts=list(event.message.alert_ids),
            detail="" if isinstance(event.result, Accepted) else event.result.detail,
        )

    def _reloaded(self, event: Reloaded) -> None:
        if event.problems:
            self._log.error(
                "not live", what=event.what, problems=[str(each) for each in event.problems]
            )
            return
        self._log.info(
            "live",
            what=event.what,
            added=list(event.added),
            edited=list(event.edited),
            removed=list(event.removed),
            rules=event.rules,
        )
