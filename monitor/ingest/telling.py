"""A match → the alert people get, and who gets it.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor import ids
from monitor.alerts.excerpt import excerpts
from monitor.alerts.facts import facts
from monitor.alerts.route import deliveries
from monitor.model import Alert, AlertKind, Delivery, Entry, Label, Match, Severity
from monitor.settings import Config


def story_alert(
    entry: Entry,
    match: Match,
    *,
    story_id: str,
    labels: tuple[Label, ...],
    now: datetime,
    first_alerted_at: datetime | None = None,
) -> Alert:
    """The alert that *match* raises: once per (story, rule), with its reason.

    *first_alerted_at*: the same notice was told then, so that this one is mild.
    """
    rule = match.rule
    subject = ids.story_subject(story_id, rule.name)
    return Alert(
        id=ids.alert_id(subject),
        kind=AlertKind.STORY,
        subject=subject,
        severity=Severity.LOW if first_alerted_at else rule.severity,
        title=headline(entry),
        created_at=now,
        story_id=story_id,
        entry_id=entry.id,
        rule_name=rule.name,
        rule_note=rule.note,
        url=entry.url,
        outlet=entry.feed_name,
        published_at=entry.published_at,
        excerpts=excerpts(entry, match.hits),
        terms=terms(match),
        labels=labels,
        facts=facts(entry),
        first_alerted_at=first_alerted_at,
    )


def told(
    entry: Entry,
    matches: Sequence[Match],
    config: Config,
    now: datetime,
    *,
    story_id: str,
    labels: tuple[Label, ...],
    first_alerted_at: datetime | None = None,
) -> tuple[tuple[Alert, ...], tuple[Delivery, ...]]:
    """The alerts of *matches*, and who gets them; ``channels = []`` stores without telling."""
    alerts = tuple(
        story_alert(
            entry,
            match,
            story_id=story_id,
            labels=labels,
            now=now,
            first_alerted_at=first_alerted_at,
        )
        for match in matches
    )
    rules = {match.rule.name: match.rule for match in matches}
    return alerts, deliveries(alerts, rules, entry.feed_tags, config, now)


def headline(entry: Entry) -> str:
    """What an entry is called, also without a title."""
    return entry.title or entry.summary[:120] or entry.url


def terms(match: Match) -> tuple[str, ...]:
    """The terms that hit, as written in the rule, each once."""
    return tuple(dict.fromkeys(hit.term for hit in match.hits))
