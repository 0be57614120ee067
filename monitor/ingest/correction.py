"""Stories split and joined by a person: what moves, and who must be told now.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor import ids
from monitor.ingest.telling import told
from monitor.model import (
    OUTLETS_KEPT,
    Alert,
    Correction,
    Delivery,
    Entry,
    Label,
    Match,
    Story,
)
from monitor.settings import Config
from monitor.urls import outlet_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A story with all that is stored of it."""

    story: Story
    entries: tuple[Entry, ...]  # in the order they came
    alerts: tuple[Alert, ...] = ()  # in the order they were raised
    sent: frozenset[str] = frozenset()  # ids of the alerts that somebody has got


def join(wholes: Sequence[Whole], now: datetime) -> Correction:
    """All of *wholes* as one story: the oldest.  Of two alerts of a rule the sent one stays."""
    kept, *others = sorted(wholes, key=lambda whole: whole.story.opened_at)
    entries = sorted((e for w in wholes for e in w.entries), key=lambda e: e.first_seen_at)
    story = _of(kept.story.id, kept.story.title, entries)
    winners, losers = _rivals(wholes)
    return Correction(
        what="join",
        at=now,
        expects={whole.story.id: len(whole.entries) for whole in wholes},
        stories=(story,),
        retired={whole.story.id: story.id for whole in others},
        moved=tuple((entry.id, story.id) for whole in others for entry in whole.entries),
        by_hand=tuple(whole.entries[0].id for whole in others if whole.entries),
        # The losers first: a subject is unique.
        alerts_moved=(
            *((alert.id, story.id, f"joined:{alert.id}") for alert in losers),
            *((a.id, story.id, ids.story_subject(story.id, a.rule_name)) for a in winners),
        ),
        discarded=tuple(alert.id for alert in losers),
    )


def _rivals(wholes: Sequence[Whole]) -> tuple[list[Alert], list[Alert]]:
    """The alerts that stay, one for each rule, and the others."""
    sent = {name for whole in wholes for name in whole.sent}
    alerts = sorted(
        (alert for whole in wholes for alert in whole.alerts),
        key=lambda alert: (alert.id not in sent, alert.created_at),
    )
    winners: dict[str, Alert] = {}
    for alert in alerts:
        winners.setdefault(alert.rule_name, alert)
    staying = {alert.id for alert in winners.values()}
    return list(winners.values()), [alert for alert in alerts if alert.id not in staying]


def split(
    whole: Whole,
    chosen: frozenset[str],
    matches: Mapping[str, Sequence[Match]],
    config: Config,
    now: datetime,
) -> Correction:
    """The *chosen* entries of a story as one of their own.

    Both halves get new ids, and each the alerts of its entries.  A rule whose alert went with one
    half and that matches the other too (*matches*: by entry id) had been hidden there: its alert
    is raised now.
    """
    parts = (
        [entry for entry in whole.entries if entry.id not in chosen],
        [entry for entry in whole.entries if entry.id in chosen],
    )
    if not all(parts):
        raise ValueError("a story cannot be split into nothing and all of it")
    stories = [
        _of(ids.derive("story", part[0].id, now.isoformat()), part[0].title, part) for part in parts
    ]
    story_of = {entry.id: s.id for s, part in zip(stories, parts, strict=True) for entry in part}
    alerts, rows = _hidden(whole, story_of, matches, config, now)
    return Correction(
        what="split",
        at=now,
        expects={whole.story.id: len(whole.entries)},
        stories=tuple(stories),
        retired={whole.story.id: story_of[whole.entries[0].id]},
        moved=tuple(story_of.items()),
        by_hand=(parts[1][0].id,),
        alerts_moved=tuple(
            (a.id, story, ids.story_subject(story, a.rule_name))
            for a in whole.alerts
            for story in (story_of.get(a.entry_id, stories[0].id),)
        ),
        alerts=alerts,
        deliveries=rows,
    )


def _hidden(
    whole: Whole,
    story_of: Mapping[str, str],
    matches: Mapping[str, Sequence[Match]],
    config: Config,
    now: datetime,
) -> tuple[tuple[Alert, ...], tuple[Delivery, ...]]:
    """Alerts of rules that had told the whole story, for the half that was not told of."""
    told_of = {(a.rule_name, story_of.get(a.entry_id, "")) for a in whole.alerts}
    rules = {alert.rule_name for alert in whole.alerts}
    alerts: tuple[Alert, ...] = ()
    rows: tuple[Delivery, ...] = ()
    for entry in whole.entries:
        story_id = story_of[entry.id]
        hidden = [
            match
            for match in matches.get(entry.id, ())
            if match.rule.name in rules and (match.rule.name, story_id) not in told_of
        ]
        told_of.update((match.rule.name, story_id) for match in hidden)
        more = told(entry, hidden, config, now, story_id=story_id, labels=(Label.SPLIT,))
        alerts, rows = alerts + more[0], rows + more[1]
    return alerts, rows


def _of(story_id: str, title: str, entries: Sequence[Entry]) -> Story:
    outlets = dict.fromkeys(outlet_of(entry.url) or entry.feed_id for entry in entries)
    return Story(
        id=story_id,
        title=title,
        opened_at=entries[0].first_seen_at,
        last_entry_at=entries[-1].first_seen_at,
        language=entries[0].language,
        entries=len(entries),
        outlets=tuple(outlets)[:OUTLETS_KEPT],
    )
