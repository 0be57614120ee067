"""New entries + rules + stories → Outcome.  Pure: the one place where the stages meet.

A poll's entries come here in slices; ``combine`` joins the outcomes of the slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from monitor import ids
from monitor.alerts.excerpt import excerpts
from monitor.alerts.route import deliveries
from monitor.model import (
    Alert,
    AlertKind,
    Delivery,
    Entry,
    Feed,
    Known,
    Label,
    Match,
    Outcome,
    Revision,
    Story,
)
from monitor.settings import Config, FirstPoll


class Matcher(Protocol):
    """What is asked of the rules."""

    def match(self, entry: Entry) -> list[Match]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What holds for a whole poll while its entries are decided on."""

    feed: Feed  # as it was before this poll
    matcher: Matcher
    config: Config
    now: datetime
    rules_since: Mapping[str, datetime] = field(default_factory=dict)  # since when a rule is live

    @property
    def first_poll(self) -> bool:
        return self.feed.baseline_at is None


def decide(entries: Sequence[Entry], known: Mapping[str, Known], situation: Situation) -> Outcome:
    """What *entries* of one feed change; *known* maps deciding keys to what is stored."""
    new = [entry for entry in entries if entry.keys[0] not in known]
    edited = _edited(entries, known, situation.now)
    outcome = Outcome(
        feed=situation.feed,
        entries=tuple(new),
        stories=tuple(_found(entry) for entry in new),
        membership=tuple((entry.id, entry.id) for entry in new),
        revisions=tuple(revision for revision, _ in edited),
    )
    fresh = [(entry, entry.id, _labels_of_new(entry, situation)) for entry in new]
    changed = [(revision.entry, was, (Label.EDITED,)) for revision, was in edited]
    return combine(
        outcome,
        [
            *(_alerted(entry, story, labels, situation) for entry, story, labels in fresh),
            *(_alerted_again(entry, was, labels, situation) for entry, was, labels in changed),
        ],
    )


def combine(first: Outcome, others: Iterable[Outcome]) -> Outcome:
    """One outcome of one feed: everything of all of them, in order."""
    parts = (first, *others)
    return replace(
        first,
        entries=tuple(each for part in parts for each in part.entries),
        revisions=tuple(each for part in parts for each in part.revisions),
        stories=tuple(each for part in parts for each in part.stories),
        membership=tuple(each for part in parts for each in part.membership),
        matches=tuple(each for part in parts for each in part.matches),
        alerts=tuple(each for part in parts for each in part.alerts),
        deliveries=tuple(each for part in parts for each in part.deliveries),
    )


def story_alert(
    entry: Entry, match: Match, *, story_id: str, labels: tuple[Label, ...], now: datetime
) -> Alert:
    """The alert that *match* raises: once per (story, rule), with its reason."""
    rule = match.rule
    subject = ids.story_subject(story_id, rule.name)
    return Alert(
        id=ids.alert_id(subject),
        kind=AlertKind.STORY,
        subject=subject,
        severity=rule.severity,
        title=entry.title or entry.summary[:120] or entry.url,
        created_at=now,
        story_id=story_id,
        entry_id=entry.id,
        rule_name=rule.name,
        rule_note=rule.note,
        url=entry.url,
        outlet=entry.feed_name,
        published_at=entry.published_at,
        excerpts=excerpts(entry, match.hits),
        terms=tuple(dict.fromkeys(hit.term for hit in match.hits)),
        labels=labels,
    )


def told(
    entry: Entry,
    matches: Sequence[Match],
    config: Config,
    now: datetime,
    *,
    story_id: str,
    labels: tuple[Label, ...],
) -> tuple[tuple[Alert, ...], tuple[Delivery, ...]]:
    """The alerts of *matches*, and who gets them; ``channels = []`` stores without telling."""
    alerts = tuple(
        story_alert(entry, match, story_id=story_id, labels=labels, now=now) for match in matches
    )
    rules = {match.rule.name: match.rule for match in matches}
    return alerts, deliveries(alerts, rules, entry.feed_tags, config, now)


def _found(entry: Entry) -> Story:
    return Story(
        id=entry.id,
        title=entry.title,
        opened_at=entry.first_seen_at,
        last_entry_at=entry.first_seen_at,
        language=entry.language,
    )


def _edited(
    entries: Sequence[Entry], known: Mapping[str, Known], now: datetime
) -> list[tuple[Revision, Known]]:
    """Entries whose words changed, under their stored id and first sight."""
    found = []
    for entry in entries:
        was = known.get(entry.keys[0])
        if was is None or was.fingerprint == entry.fingerprint:
            continue
        stored = replace(entry, id=was.entry_id, first_seen_at=was.first_seen_at)
        found.append((Revision(entry=stored, changed_at=now), was))
    return found


def _labels_of_new(entry: Entry, situation: Situation) -> tuple[Label, ...] | None:
    """Labels of a new entry's alerts; None: it was there before the feed was watched."""
    if not situation.first_poll or situation.config.poll.first_poll is FirstPoll.ALERT:
        return ()
    if entry.published_at is None or entry.published_at < situation.feed.added_at:
        return None
    return (Label.LATE,)


def _alerted(
    entry: Entry, story_id: str, labels: tuple[Label, ...] | None, situation: Situation
) -> Outcome:
    matches = situation.matcher.match(entry)
    outcome = Outcome(feed=situation.feed, matches=tuple(matches))
    if labels is None:  # baseline: the match is remembered, nobody is told
        return outcome
    return _with_alerts(outcome, entry, matches, situation, story_id, labels)


def _alerted_again(
    entry: Entry, was: Known, labels: tuple[Label, ...], situation: Situation
) -> Outcome:
    """Rules that fit an edited entry and did not fit it before, and are older than the entry."""
    matches = [
        match
        for match in situation.matcher.match(entry)
        if match.rule.name not in was.rules
        and situation.rules_since.get(match.rule.name, entry.first_seen_at) <= entry.first_seen_at
    ]
    outcome = Outcome(feed=situation.feed, matches=tuple(matches))
    return _with_alerts(outcome, entry, matches, situation, was.story_id, labels)


def _with_alerts(
    outcome: Outcome,
    entry: Entry,
    matches: Sequence[Match],
    situation: Situation,
    story_id: str,
    labels: tuple[Label, ...],
) -> Outcome:
    alerts, rows = told(
        entry, matches, situation.config, situation.now, story_id=story_id, labels=labels
    )
    return replace(outcome, alerts=alerts, deliveries=rows)
