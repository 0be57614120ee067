"""What a visit to a feed brought, before it is committed.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.events import Polled, PollKind
from monitor.feeds.gaps import Window
from monitor.model import Entry, Feed, Fetched, IdentityMode, Listing, Outcome, ParsedFeed
from monitor.pipeline.backfill import Filled, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What a visit found to have rolled over since the last one, and what older pages had of it."""

    window: Window | None = None
    filled: Filled = field(default_factory=Filled)

    @property
    def entries(self) -> Sequence[Entry]:
        return self.filled.entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that was read, and what was made of it so far."""

    fetched: Fetched
    digest: str  # ``schedule.body_hash``
    parsed: ParsedFeed
    listing: Listing | None  # None: as before
    mode: IdentityMode = IdentityMode.GUID
    entries: tuple[Entry, ...] = ()
    gap: Gap = field(default_factory=Gap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a visit brought before it is committed."""

    outcome: Outcome
    polled: Polled


def only_the_feed(before: Feed, after: Feed) -> Outcome:
    """What a visit changes that brought no document: the state of the feed."""
    return Outcome(feed=after, learnt=after.rhythm is not before.rhythm)


def overtaken(feed: Feed) -> Polled:
    """What is said of a visit whose feed was claimed again before it ended."""
    detail = "it took longer than its lease, another visit came in between"
    return Polled(feed=feed, kind=PollKind.FAILED, detail=detail)


def told(before: Feed, after: Feed, document: Document, outcome: Outcome) -> Polled:
    """What is said of a visit with a document."""
    first, gap = before.baseline_at is None, document.gap
    return Polled(
        feed=after,
        kind=PollKind.NEWS if outcome.entries else PollKind.NO_NEWS,
        baseline=first,
        entries=len(document.entries) + document.parsed.left_out,
        new=len(outcome.entries),
        edited=len(outcome.revisions),
        matched=len(outcome.matches),
        alerts=outcome.alerts,
        undated=sum(entry.published_at is None for entry in outcome.entries) if first else 0,
        warnings=(
            *document.parsed.warnings,
            *_renamed(outcome),
            *([said(gap.window, gap.filled)] if gap.window else []),
        ),
    )


def _renamed(outcome: Outcome) -> tuple[str, ...]:
    """What is said when a feed gives new ids to its entries."""
    count = len({entry_id for entry_id, _ in outcome.renamed})
    if not count:
        return ()
    return (f"{count} entries came with new ids; they were taken for those seen before",)
