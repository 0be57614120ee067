"""What happened and how things stand, as Prometheus reads it.  All that knows prometheus-client.

Labels name outcomes, never feeds, channels or addresses: their number is bounded and they tell
nothing of what is watched.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from monitor import __version__
from monitor.events import ArticleRead, Event, Handed, Polled, PollKind, Trouble
from monitor.feeds.condition import State
from monitor.model import ArticleState, DeliveryState, Refused

disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the lines, and nobody asks for them
KIND = "text/plain; version=0.0.4; charset=utf-8"
_DELAYS = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400)  # seconds
_POLL_DELAYS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900)
_WORK = (0.005, 0.02, 0.1, 0.5, 2, 10, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand at one moment; seconds and bytes."""

    feeds: Mapping[str, int]  # by state
    queue: Mapping[str, int]  # deliveries by state
    oldest_queued: float = 0.0
    poll_lag: float = 0.0  # of the feed that has been due for longest
    success_ages: Mapping[str, float] = field(default_factory=dict)  # "poll", "delivery"
    bytes: Mapping[str, int] = field(default_factory=dict)  # "database", "wal"
    blind: Mapping[str, bool] = field(default_factory=dict)  # by what is wrong


class Metrics:
    """Counts events from the moment it is made; *standing* is brought at each scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._due: dict[str, datetime] = {}  # feed → when its next visit was planned for
        self._make_counters()
        self._make_histograms()
        self._make_gauges()
        build = self._gauge("build_info", "Which program this is.", "version", "python")
        build.labels(__version__, platform.python_version()).set(1)

    def _make_counters(self) -> None:
        self._polls = self._counter("polls", "Visits to feeds, by what came of them.", "outcome")
        self._entries = self._counter("entries", "Entries stored, by what they were.", "outcome")
        self._articles = self._counter("articles", "Tries to read a page, by state.", "outcome")
        self._alerts = self._counter("alerts", "Alerts raised for news.")
        self._handed = self._counter("deliveries", "Messages handed over, by outcome.", "outcome")
        self._troubles = self._counter("troubles", "Troubles of the monitor itself.")
        for kind in PollKind:
            self._polls.labels(kind.name.lower())
        for outcome in ("new", "edited"):
            self._entries.labels(outcome)
        for outcome in ("accepted", "refused", "unclear"):
            self._handed.labels(outcome)
        for state in ArticleState:
            self._articles.labels(state.value)

    def _make_histograms(self) -> None:
        told = "From when a feed was due until what it brought was stored."
        self._poll_delay = self._histogram("poll_delay_seconds", told, _POLL_DELAYS)
        told = "From an alert to its acceptance; digests and quiet hours count."
        self._delivery_delay = self._histogram("delivery_delay_seconds", told, _DELAYS)
        told = "Reading a document, the wait for a free reader included."
        self._parse = self._histogram("parse_seconds", told, _WORK)
        told = "Storing what a visit brought, the wait for the store included."
        self._commit = self._histogram("commit_seconds", told, _WORK)

    def _make_gauges(self) -> None:
        self._feeds = self._gauge("feeds", "Feeds by state.", "state")
        self._queue = self._gauge("queue", "Deliveries by state.", "state")
        self._oldest = self._gauge("queue_oldest_seconds", "Age of the oldest queued delivery.")
        self._lag = self._gauge("poll_lag_seconds", "How long the latest feed has been due.")
        told = "Age of the last success."
        self._ages = self._gauge("last_success_age_seconds", told, "of")
        self._bytes = self._gauge("storage_bytes", "Size of the files of the database.", "file")
        self._blind = self._gauge("blind", "1: no news would reach anybody, because of.", "reason")

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, namespace="monitor", registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(name, told, labels, namespace="monitor", registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, told, namespace="monitor", buckets=buckets, registry=self.registry)

    # --- what happens

    def note(self, event: Event, now: datetime) -> None:
        """Count *event*."""
        match event:
            case Polled():
                self._polled(event, now)
            case ArticleRead():
                self._articles.labels(event.article.state.value).inc()
                self._alerts.inc(len(event.alerts))
            case Handed():
                self._handed_over(event, now)
            case Trouble():
                self._troubles.inc()

    def _polled(self, event: Polled, now: datetime) -> None:
        self._polls.labels(event.kind.name.lower()).inc()
        self._entries.labels("new").inc(event.new)
        self._entries.labels("edited").inc(event.edited)
        self._alerts.inc(len(event.alerts))
        due = self._due.get(event.feed.id)
        if due is not None:
            self._poll_delay.observe(max(0.0, (now - due).total_seconds()))
        self._due[event.feed.id] = event.feed.next_poll_at

    def _handed_over(self, event: Handed, now: datetime) -> None:
        if isinstance(event.result, Refused):
            self._handed.labels("unclear" if event.result.ambiguous else "refused").inc()
            return
        self._handed.labels("accepted").inc()
        if event.since is not None:
            self._delivery_delay.observe(max(0.0, (now - event.since).total_seconds()))

    def parsed(self, seconds: float) -> None:
        self._parse.observe(seconds)

    def committed(self, seconds: float) -> None:
        self._commit.observe(seconds)

    # --- how things stand

    def text(self, standing: Standing) -> str:
        """Everything, as ``/metrics`` answers it."""
        for state in State:
            self._feeds.labels(state.name.lower()).set(standing.feeds.get(state.value, 0))
        for each in DeliveryState:
            self._queue.labels(each.value).set(standing.queue.get(each.value, 0))
        self._oldest.set(standing.oldest_queued)
        self._lag.set(standing.poll_lag)
        for of, age in standing.success_ages.items():
            self._ages.labels(of).set(age)
        for file, size in standing.bytes.items():
            self._bytes.labels(file).set(size)
        for reason, holds in standing.blind.items():
            self._blind.labels(reason.replace(" ", "_")).set(holds)
        return generate_latest(self.registry).decode()
