"""What ``run`` and ``once`` print on a terminal: a summary, a progress bar, one line per event.

Feed text is printed as plain text, never as markup.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TextIO, cast

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from monitor.alerts.plain import terminal_lines
from monitor.cli.screen import Screen
from monitor.events import (
    ArticleRead,
    Event,
    Handed,
    Polled,
    PollKind,
    Reloaded,
    Trouble,
    Welcomed,
)
from monitor.model import Accepted, Feed
from monitor.rules.load import RuleSet
from monitor.settings import Config
from monitor.terminal import console, counted, plain

FRAMES = 2  # of the progress bar, a second: each waits for a terminal that is held up
SHOWN = 5  # matches of the first round printed in full


class Live:
    """Prints events as they come; a progress bar stands below until the first round is over."""

    def __init__(self, screen: Screen, config: Config) -> None:
        self._screen, self._console = screen, console(cast("TextIO", screen))
        self._config = config
        self._progress: Progress | None = None

    def start(self, config: Config, rules: RuleSet, feeds: list[Feed]) -> None:
        """The start summary, and the progress bar if there are feeds to see for the first time."""
        watched = [feed for feed in feeds if not feed.paused]
        self._line(
            "Feeds", f"{len(watched)} watched, {len(config.feeds) - len(watched)} switched off"
        )
        self._line("Rules", f"{sum(rule.enabled for rule in rules.rules)} from {config.rules}")
        self._line("Channels", ", ".join(channel.name for channel in config.channels))
        self._line("Database", config.database)
        unseen = sum(feed.polled_at is None for feed in watched)
        if unseen:
            self._progress = Progress(
                TextColumn("first look at"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("feeds"),
                console=self._console,
                transient=True,
                refresh_per_second=FRAMES,
            )
            self._progress.add_task("first", total=unseen)
            self._progress.start()

    def end_progress(self) -> None:
        """The progress bar, if it stands yet, is taken away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _advance(self) -> None:
        """When all have been looked at there is nothing to wait for, whatever came of it."""
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0])
            if self._progress.finished:
                self.end_progress()

    def close(self) -> None:
        self.end_progress()
        self._screen.end()

    def __call__(self, event: Event) -> None:
        printers: dict[type, Callable[..., None]] = {
            ArticleRead: self._article,
            Polled: self._polled,
            Handed: self._handed,
            Reloaded: self._reloaded,
            Trouble: self._trouble,
            Welcomed: self._welcomed,
        }
        printers[type(event)](event)

    def message(self, text: str) -> None:
        """A message of the terminal channel, as it would look elsewhere; waits until it is shown.

        Raises OSError if it cannot be.
        """
        with self._console.capture() as shown:
            self._console.print()
            self._console.print(plain(text))
            self._console.print()
        self._screen.show(shown.get())

    # --- one printer an event

    def _polled(self, event: Polled) -> None:
        self._advance()
        if event.kind is PollKind.FAILED:
            self._say(f"{event.feed.name}: {event.detail}", "yellow")
        elif event.baseline:
            self._say(f"{event.feed.name}: {_entries(event.new)} there already", "dim")
        elif event.new or event.edited:
            self._say(f"{event.feed.name}: {_counts(event)}", "green" if event.alerts else "")
        for warning in event.warnings:
            self._say(f"{event.feed.name}: {warning}", "yellow")

    def _article(self, event: ArticleRead) -> None:
        if event.alerts:
            names = ", ".join(sorted({alert.rule_name for alert in event.alerts}))
            title = event.entry.title or event.entry.url
            self._say(f"{event.entry.feed_name}: full text of “{title}”, alerts: {names}", "green")

    def _handed(self, event: Handed) -> None:
        if isinstance(event.result, Accepted):
            self._say(f"sent to {event.message.target}: {event.message.subject}", "green")
        else:
            self._say(f"{event.message.target} did not take it: {event.result.detail}", "red")

    def _reloaded(self, event: Reloaded) -> None:
        if event.problems:
            self._say(f"The new {event.what} cannot be used; the last good ones stay:", "red")
            for problem in event.problems:
                self._say(f"  {problem}", "red")
            return
        changed = [
            f"{len(names)} {word}"
            for word, names in (
                ("added", event.added),
                ("edited", event.edited),
                ("removed", event.removed),
            )
            if names
        ]
        self._say(f"New {event.what} in force: {', '.join(changed) or 'nothing changed'}", "green")

    def _trouble(self, event: Trouble) -> None:
        self._say(f"{event.what}: {event.detail}", "red")

    def _welcomed(self, event: Welcomed) -> None:
        self.end_progress()
        would_have = "" if event.sent else f", {len(event.stories)} would have alerted"
        self._say(f"baseline: {_entries(event.entries)}{would_have}", "bold")
        for story in reversed(event.stories[:SHOWN]):
            self._console.print()
            for line in terminal_lines(story, self._config.timezone):
                self._console.print(Text(f"  {line}"))
        if event.would_have:
            self._console.print()
            self._say("Nothing was sent: these were there before you came.", "bold")
        self._say(f"New stories will be sent to {', '.join(event.channels)}.", "bold")

    def _say(self, line: str, style: str = "") -> None:
        clock = Text(f"{datetime.now(self._config.timezone):%H:%M:%S} ", style="dim")
        self._console.print(clock + Text(plain(line).plain, style=style))

    def _line(self, word: str, value: str) -> None:
        self._console.print(Text(f"{word:9}", style="bold") + Text(value))


def _entries(number: int) -> str:
    return counted(number, "entry", "entries")


def _counts(event: Polled) -> str:
    parts = [f"{event.new} new"]
    if event.edited:
        parts.append(f"{event.edited} edited")
    if event.matched:
        names = sorted({alert.rule_name for alert in event.alerts})
        parts.append(f"alerts: {', '.join(names)}" if names else f"{event.matched} matched")
    return ", ".join(parts)
