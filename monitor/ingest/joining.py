"""What an entry adds to its story: alerts of rules not heard yet, or an update, or nothing.  Pure.

A later outlet attaches silently.  People hear of it when an institution itself tells the story,
when a rule finds words the story had not had, when a notice is published again, and once when
many outlets tell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor import ids
from monitor.alerts.excerpt import excerpts
from monitor.ingest.telling import headline, terms, told
from monitor.model import (
    OUTLETS_KEPT,
    Alert,
    Delivery,
    DeliveryKind,
    Entry,
    Excerpt,
    Label,
    Match,
    Placement,
    Standing,
    StandingAlert,
    Story,
    Update,
    UpdateReason,
)
from monitor.settings import Config, Updates

OFFICIAL = "official"  # tag of institutions' feeds
MANY_OUTLETS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What one entry raised, and its story after it."""

    standing: Standing
    alerts: tuple[Alert, ...] = ()
    updates: tuple[Update, ...] = ()
    deliveries: tuple[Delivery, ...] = ()


def advanced(story: Story, entry: Entry, placement: Placement) -> Story:
    """*story* with one more entry."""
    outlets = dict.fromkeys((*story.outlets, placement.told.outlet))
    return replace(
        story,
        entries=story.entries + 1,
        outlets=tuple(outlets)[:OUTLETS_KEPT],
        last_entry_at=max(story.last_entry_at, entry.first_seen_at),
    )


def add_to_story(
    entry: Entry,
    placement: Placement,
    matches: Sequence[Match],
    standing: Standing,
    labels: tuple[Label, ...],
    config: Config,
    now: datetime,
) -> Added:
    """The alerts and the update that *entry* raises; *standing*: its story, this entry included."""
    fresh = [match for match in matches if match.rule.name not in standing.alerts]
    again = [match for match in matches if match.rule.name in standing.alerts]
    repeated = set(placement.references).intersection(placement.because)
    alerts, rows = told(
        entry,
        fresh,
        config,
        now,
        story_id=standing.story.id,
        labels=labels,
        first_alerted_at=standing.first_alerted_at if repeated else None,
    )
    update = _update(entry, placement, again, standing, now) if standing.alerts else None
    rows += _update_rows(update, standing, config, now) if update else ()
    return Added(
        standing=_after(standing, entry, alerts, rows, update, now),
        alerts=alerts,
        updates=(update,) if update else (),
        deliveries=rows,
    )


def _update(
    entry: Entry, placement: Placement, again: Sequence[Match], standing: Standing, now: datetime
) -> Update | None:
    """What people who know the story hear of *entry*; None: it attaches silently."""
    match, new_terms = _with_new_terms(again, standing)
    reason = _reason(entry, placement, standing, new_terms)
    if reason is None:
        return None
    number = ids.derive("update", standing.story.id, entry.id)
    return Update(
        number=int(number[:12], 16),
        story_id=standing.story.id,
        reason=reason,
        entry_id=entry.id,
        created_at=now,
        title=headline(entry),
        url=entry.url,
        outlet=entry.feed_name,
        published_at=entry.published_at,
        rule_name=match.rule.name if match else "",
        terms=new_terms,
        excerpts=_excerpts(entry, match, new_terms),
        outlets=len(standing.story.outlets),
        first_alerted_at=standing.first_alerted_at,
    )


def _reason(
    entry: Entry, placement: Placement, standing: Standing, new_terms: Sequence[str]
) -> UpdateReason | None:
    if set(placement.references).intersection(placement.because):
        return UpdateReason.PUBLISHED_AGAIN
    if OFFICIAL in entry.feed_tags and not (
        placement.told.copy_of and entry.feed_id in standing.feeds
    ):
        return UpdateReason.OFFICIAL
    if new_terms:
        return UpdateReason.NEW_TERMS
    if len(standing.story.outlets) >= MANY_OUTLETS and not standing.outlets_told:
        return UpdateReason.OUTLETS
    return None


def _with_new_terms(
    again: Sequence[Match], standing: Standing
) -> tuple[Match | None, tuple[str, ...]]:
    """The severest rule that finds what the story had not had, and those terms."""
    for match in sorted(again, key=lambda match: -match.rule.severity):
        known = standing.alerts[match.rule.name].terms
        new = tuple(term for term in terms(match) if term not in known)
        if new:
            return match, new
    return None, ()


def _excerpts(entry: Entry, match: Match | None, new_terms: Sequence[str]) -> tuple[Excerpt, ...]:
    if match is None:
        return ()
    return excerpts(entry, [hit for hit in match.hits if hit.term in new_terms], limit=1)


def _update_rows(
    update: Update, standing: Standing, config: Config, now: datetime
) -> tuple[Delivery, ...]:
    """One for each target that was told of the story, through its severest alert."""
    silent = {each.name for each in config.channels if each.updates is Updates.OFF}
    alerts: Iterable[StandingAlert] = standing.alerts.values()
    if update.reason is UpdateReason.NEW_TERMS:
        alerts = [standing.alerts[update.rule_name]]
    through: dict[tuple[str, str], StandingAlert] = {}
    for alert in sorted(alerts, key=lambda alert: -alert.severity):
        for recipient in alert.targets:
            through.setdefault(recipient, alert)
    return tuple(
        Delivery(
            id=ids.delivery_id(alert.id, target, DeliveryKind.UPDATE, update.number),
            alert_id=alert.id,
            channel=channel,
            target=target,
            kind=DeliveryKind.UPDATE,
            sequence=update.number,
            due_at=now,
            created_at=now,
        )
        for (channel, target), alert in through.items()
        if channel not in silent
    )


def _after(
    standing: Standing,
    entry: Entry,
    alerts: Sequence[Alert],
    rows: Sequence[Delivery],
    update: Update | None,
    now: datetime,
) -> Standing:
    """The story as it stands for the next entry."""
    told_of = dict(standing.alerts)
    if update and update.rule_name:
        old = told_of[update.rule_name]
        told_of[update.rule_name] = replace(old, terms=old.terms.union(update.terms))
    for alert in alerts:
        told_of[alert.rule_name] = StandingAlert(
            id=alert.id,
            severity=alert.severity,
            terms=frozenset(alert.terms),
            targets=tuple((row.channel, row.target) for row in rows if row.alert_id == alert.id),
        )
    return replace(
        standing,
        feeds=standing.feeds | {entry.feed_id},
        alerts=told_of,
        outlets_told=standing.outlets_told
        or (update is not None and update.reason is UpdateReason.OUTLETS),
        first_alerted_at=standing.first_alerted_at or (now if alerts else None),
    )
