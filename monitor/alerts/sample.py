"""Alerts that never happened: what a message looks like before there is a real one.  Pure.

``send-test`` sends the first; people's own templates are tried with all of them, so that what a
template forgets is found when it is saved and not when there is news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor import ids
from monitor.alerts.bundle import Gathered
from monitor.alerts.company import StoryNews
from monitor.alerts.layout import Layout, laid_out
from monitor.alerts.telling import tellings
from monitor.model import (
    Alert,
    AlertKind,
    Excerpt,
    Label,
    Member,
    Severity,
    Update,
    UpdateReason,
)

_SENTENCE = "The Pentagon approved a possible Foreign Military Sale to a NATO ally on Thursday."
_HIT = "Foreign Military Sale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one message would tell."""

    name: str  # "a sample alert"
    alerts: tuple[Alert, ...]
    stories: Mapping[str, StoryNews] = field(default_factory=dict)
    gathered: Gathered = Gathered.STORY

    def layout(self, zone: ZoneInfo, now: str) -> Layout:
        return laid_out(tellings(self.alerts, zone, self.stories), self.gathered, (), now)


def sample(now: datetime) -> Alert:
    """What an alert looks like, before there is a real one."""
    return Alert(
        id=ids.alert_id("sample"),
        kind=AlertKind.STORY,
        subject="sample",
        severity=Severity.NORMAL,
        title="A sample alert: this is how a story will look",
        created_at=now,
        rule_name="sample",
        url="https://example.org/sample",
        outlet="The Example Times",
        published_at=now,
        excerpts=(_marked("summary", _SENTENCE, _HIT),),
        terms=(_HIT,),
    )


def samples(now: datetime) -> tuple[Sample, ...]:
    """One message of each kind: what is optional is there in some, and missing in others."""
    notice, bare = _notice(now), _bare(now)
    told = (_full(now), _known(now), bare, notice, _coverage(now))
    return (
        Sample(name="a sample alert", alerts=(sample(now),)),
        Sample(name="an alert of a headline alone", alerts=(bare,)),
        Sample(name="a sample digest", alerts=told, stories=_news(now), gathered=Gathered.DIGEST),
        Sample(name="a sample notice of the monitor", alerts=(notice,)),
    )


def _marked(field: str, text: str, hit: str) -> Excerpt:
    start = text.index(hit)
    return Excerpt(field=field, text=text, marks=((start, start + len(hit)),))


def _full(now: datetime) -> Alert:
    title = "A notice: F-16 aircraft <for> a NATO ally & others"
    return replace(
        sample(now),
        id=ids.alert_id("sample full"),
        story_id="sample full",
        entry_id="sample full",
        severity=Severity.CRITICAL,
        title=title,
        rule_note="Ask the desk.",
        excerpts=(_marked("title", title, "F-16"), _marked("summary", _SENTENCE, _HIT)),
        labels=(Label.LATE,),
        facts=("Poland", "$425 million"),
        first_alerted_at=now - timedelta(days=90),
    )


def _known(now: datetime) -> Alert:
    title = "A story you know, with something new in it"
    return replace(
        sample(now), id=ids.alert_id("sample known"), story_id="sample known", title=title
    )


def _bare(now: datetime) -> Alert:
    return Alert(
        id=ids.alert_id("sample bare"),
        kind=AlertKind.STORY,
        subject="sample bare",
        severity=Severity.LOW,
        title="A headline, and nothing else",
        created_at=now,
        rule_name="sample",
    )


def _notice(now: datetime) -> Alert:
    return ids.operator_alert(
        "sample",
        "1",
        title="No news from The Example Times since 06:10",
        text="Why: it answers 503.\nWhat to do: nothing, it is tried again.",
        now=now,
    )


def _coverage(now: datetime) -> Alert:
    return Alert(
        id=ids.alert_id("sample digest"),
        kind=AlertKind.DIGEST,
        subject="sample digest",
        severity=Severity.LOW,
        title="Digest",
        text="41 of 42 feeds healthy.",
        created_at=now,
    )


def _news(now: datetime) -> dict[str, StoryNews]:
    first = Member(
        entry_id="sample full",
        title="A notice",
        url="https://example.org/sample",
        outlet="The Example Times",
        seen_at=now,
    )
    other = replace(
        first, entry_id="other", outlet="The Other Times", because=("F-16",), gap=timedelta(hours=2)
    )
    update = Update(
        number=1,
        story_id="sample known",
        reason=UpdateReason.OFFICIAL,
        entry_id="update",
        created_at=now,
        title="The ministry confirms it",
        url="https://example.org/ministry",
        outlet="The Ministry",
        excerpts=(_marked("summary", _SENTENCE, _HIT),),
    )
    return {
        "sample full": StoryNews(members=(first, other)),
        "sample known": StoryNews(updates=(update,), known=True),
    }
