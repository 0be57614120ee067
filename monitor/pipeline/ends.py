"""The three ends of a visit: it failed, found nothing changed, or brought a document.

What each leaves behind, before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from monitor import ingest
from monitor.events import Polled, PollKind
from monitor.feeds import gaps, schedule, suspicion, websub
from monitor.model import (
    Entry,
    Feed,
    Fetched,
    FetchFailed,
    Outcome,
    ParsedFeed,
    ParseFailed,
    Unchanged,
)
from monitor.pipeline.in_force import InForce
from monitor.pipeline.visits import Document, Visit, only_the_feed, told
from monitor.settings import FeedSettings


class Ends:
    """By the settings in force."""

    def __init__(self, in_force: InForce, clock: Callable[[], datetime]) -> None:
        self._in_force = in_force
        self._clock = clock

    def failed(self, feed: Feed, failure: FetchFailed | ParseFailed) -> Visit:
        config, own = self._in_force.config, self.settings_of(feed)
        after = schedule.failed(feed, failure, config.poll, self._clock(), own)
        polled = Polled(feed=after, kind=PollKind.FAILED, detail=failure.detail)
        return Visit(outcome=only_the_feed(feed, after), polled=polled)

    def unchanged(
        self, feed: Feed, fetched: Fetched | Unchanged, digest: str | None = None
    ) -> Visit:
        after = self._succeeded(feed, fetched, digest=digest)
        polled = Polled(feed=after, kind=PollKind.UNCHANGED)
        return Visit(outcome=only_the_feed(feed, after), polled=polled)

    def brought(
        self, feed: Feed, document: Document, decided: Outcome, ahead: Sequence[Outcome] = ()
    ) -> Visit:
        """What a document changes: what was *decided* on it, and the state of its feed.

        *ahead* is stored already; it belongs to what this visit brought.
        """
        brought = ingest.combine(decided, ahead) if ahead else decided
        after = self._succeeded(
            feed, document.fetched, document.parsed, brought.entries, document.digest
        )
        if document.mode is not after.identity:
            after = replace(after, identity=document.mode)
        after = self._judged(feed, after, document, brought)
        parsed = document.parsed
        outcome = replace(
            decided,
            feed=after,
            offer=websub.offered(document.fetched, parsed) if parsed.complete else None,
            listing=document.listing,
            learnt=after.rhythm is not feed.rhythm,
        )
        return Visit(outcome=outcome, polled=told(feed, after, document, brought))

    def settings_of(self, feed: Feed) -> FeedSettings | None:
        return self._in_force.config.feed_at(feed.url)

    def _judged(self, before: Feed, after: Feed, document: Document, brought: Outcome) -> Feed:
        """*after* with what the document gives cause to doubt."""
        now, gap = self._clock(), document.gap
        late = {entry.id for entry in gap.entries}
        new = sum(entry.id not in late for entry in brought.entries)
        known = document.parsed.listed - new
        after = suspicion.after(after, document.parsed, known, now)
        if gap.window is None:
            return after
        own = self.settings_of(before)
        shortest = (own and own.min_interval) or self._in_force.config.poll.min_interval
        after = gaps.sooner(after, shortest, now)
        return gaps.after(before, after, None if gap.filled.closed else gap.window)

    def _succeeded(
        self,
        feed: Feed,
        fetched: Fetched | Unchanged,
        parsed: ParsedFeed | None = None,
        new: Sequence[Entry] = (),
        digest: str | None = None,
    ) -> Feed:
        return schedule.succeeded(
            feed,
            fetched=fetched,
            parsed=parsed,
            settings=self._in_force.config.poll,
            now=self._clock(),
            own=self.settings_of(feed),
            new=new,
            digest=digest,
        )
