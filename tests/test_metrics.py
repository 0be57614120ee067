"""Metrics: events and standings become numbers; no label names what is watched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.events import ArticleRead, Event, Handed, Polled, PollKind, Trouble
from monitor.metrics import Metrics, Standing
from monitor.model import Accepted, Article, ArticleState, Refused
from tests.builders import NOW, a_feed, a_message, an_alert, an_entry, minutes

EMPTY = Standing(feeds={}, queue={})
FEED = replace(a_feed(name="canary-feed"), next_poll_at=NOW + minutes(15))
NEWS = Polled(feed=FEED, kind=PollKind.NEWS, new=3, edited=1, alerts=(an_alert(),))


def handed(result: Accepted | Refused) -> Handed:
    message = a_message(channel="canary-channel", target="canary-target")
    return Handed(message=message, result=result, since=NOW - minutes(2))


def article() -> ArticleRead:
    entry = an_entry()
    read = Article(entry_id=entry.id, host="a.example", due_at=NOW, state=ArticleState.DONE)
    return ArticleRead(entry=entry, article=read, alerts=(an_alert(),))


def values(metrics: Metrics, standing: Standing = EMPTY) -> dict[str, float]:
    lines = metrics.text(standing).splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


@pytest.mark.parametrize(
    ("event", "counted"),
    [
        pytest.param(
            NEWS,
            {
                'monitor_polls_total{outcome="news"}': 1,
                'monitor_polls_total{outcome="failed"}': 0,
                'monitor_entries_total{outcome="new"}': 3,
                'monitor_entries_total{outcome="edited"}': 1,
                "monitor_alerts_total": 1,
            },
            id="a poll",
        ),
        pytest.param(
            handed(Accepted()),
            {
                'monitor_deliveries_total{outcome="accepted"}': 1,
                "monitor_delivery_delay_seconds_sum": 120,
            },
            id="accepted",
        ),
        pytest.param(
            handed(Refused(detail="canary-detail")),
            {
                'monitor_deliveries_total{outcome="refused"}': 1,
                "monitor_delivery_delay_seconds_count": 0,
            },
            id="refused",
        ),
        pytest.param(
            handed(Refused(detail="late", ambiguous=True)),
            {'monitor_deliveries_total{outcome="unclear"}': 1},
            id="no answer",
        ),
        pytest.param(
            article(),
            {'monitor_articles_total{outcome="done"}': 1, "monitor_alerts_total": 1},
            id="an article",
        ),
        pytest.param(Trouble(what="canary-trouble"), {"monitor_troubles_total": 1}, id="trouble"),
    ],
)
def test_events_are_counted(event: Event, counted: dict[str, float]) -> None:
    metrics = Metrics()
    metrics.note(event, NOW)
    assert values(metrics).items() >= counted.items()
    assert "canary" not in metrics.text(EMPTY)


def test_a_poll_is_late_by_the_time_since_it_was_due() -> None:
    metrics = Metrics()
    metrics.note(NEWS, NOW)
    metrics.note(NEWS, NOW + minutes(15) + timedelta(seconds=3))
    assert values(metrics)["monitor_poll_delay_seconds_sum"] == 3
    metrics.note(NEWS, NOW)  # a hub has called earlier
    assert values(metrics)["monitor_poll_delay_seconds_sum"] == 3
    assert values(metrics)["monitor_poll_delay_seconds_count"] == 2


def test_how_things_stand() -> None:
    standing = Standing(
        feeds={"healthy": 41, "not polled yet": 1},
        queue={"queued": 2},
        oldest_queued=90.0,
        poll_lag=0.5,
        success_ages={"poll": 7.0},
        bytes={"wal": 4096},
        blind={"no feeds": False, "database": True},
    )
    metrics = Metrics()
    metrics.parsed(0.1)
    metrics.committed(0.2)
    assert (
        values(metrics, standing).items()
        >= {
            'monitor_feeds{state="healthy"}': 41,
            'monitor_feeds{state="new"}': 1,
            'monitor_feeds{state="failing"}': 0,
            'monitor_queue{state="queued"}': 2,
            'monitor_queue{state="parked"}': 0,
            "monitor_queue_oldest_seconds": 90,
            "monitor_poll_lag_seconds": 0.5,
            'monitor_last_success_age_seconds{of="poll"}': 7,
            'monitor_storage_bytes{file="wal"}': 4096,
            'monitor_blind{reason="no_feeds"}': 0,
            'monitor_blind{reason="database"}': 1,
            "monitor_parse_seconds_count": 1,
            "monitor_commit_seconds_sum": 0.2,
        }.items()
    )
    assert "monitor_build_info{" in metrics.text(standing)


def test_two_monitors_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.note(Trouble(what="x"), NOW)
    assert values(other)["monitor_troubles_total"] == 0
