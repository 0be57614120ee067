"""What is told of one story, or of one trouble of the monitor, before it has a medium.  Pure.

A ``Telling`` holds the parts in the order they are read: what happened, where and when, the
sentence, the link, and only then the rules and ids.  ``plain``, ``slack`` and ``mail`` set it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.alerts.company import News, StoryNews, also, news_of
from monitor.alerts.lines import (
    Run,
    Runs,
    date,
    joined,
    local_time,
    one_line,
    runs,
    shorten,
    web,
)
from monitor.model import Alert, AlertKind, Excerpt, Label, Severity, UpdateReason

HEADLINE_LENGTH = 300
TERMS_SHOWN = 5
LABELS = {
    Label.LATE: "late: published before this feed was watched",
    Label.GAP: "late: found when a gap in its feed was filled",
    Label.ARTICLE: "found in the article's full text",
    Label.EDITED: "edited: it matches only since its publisher changed it",
    Label.BACKFILL: "looked back: found by a rule that is newer than the story",
    Label.SPLIT: "parted by hand from a story you were told of",
    Label.TEST: "test: somebody tries this channel; it is no news",
}
_RANKS = {AlertKind.STORY: 0, AlertKind.OPERATOR: 1, AlertKind.DIGEST: 2}
_FIELD_NAMES = {"title": "the title", "summary": "the text", "content": "the text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One story with all rules it alerts for, or one thing the monitor says of itself."""

    kind: AlertKind
    severity: Severity
    headline: Runs
    rule: str = ""  # the severest of its rules
    outlet: str = ""
    when: str = ""  # "Thu 13 Feb 2025, 11:00 CET"
    sentences: tuple[Runs, ...] = ()  # of the body; the title's is the headline
    paragraphs: tuple[str, ...] = ()  # of the monitor itself; "· " begins an item of a list
    url: str = ""  # http, https or ""
    facts: str = ""  # "Kuwait · $425 million"
    news: tuple[News, ...] = ()  # what is new in a story the reader knows
    also: tuple[str, ...] = ()  # the story's other entries
    labels: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # "Rule fms-europe, because of …", one for each alert
    ids: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return "".join(run.text for run in self.headline)

    @property
    def tag(self) -> str:
        """What a subject begins with: "[HIGH]"."""
        own = {AlertKind.OPERATOR: "[MONITOR]", AlertKind.DIGEST: "[DIGEST]"}
        return own.get(self.kind, f"[{self.severity.name}]")

    @property
    def tagged(self) -> str:
        """The title with the tag before it, among others; what a digest says last needs none."""
        return self.title if self.kind is AlertKind.DIGEST else f"{self.tag} {self.title}"


def tellings(
    alerts: Iterable[Alert], timezone: ZoneInfo, stories: Mapping[str, StoryNews] | None = None
) -> tuple[Telling, ...]:
    """*alerts* grouped by story: stories before operator alerts, the severe before the mild.

    *stories*: what is known of each besides, by story id.
    """
    stories = stories or {}
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        same = groups.setdefault(alert.story_id or alert.id, [])
        if alert.id not in (other.id for other in same):
            same.append(alert)
    told = [_told(group, timezone, stories.get(name)) for name, group in groups.items()]
    return tuple(sorted(told, key=lambda each: (_RANKS[each.kind], -each.severity)))


def _told(alerts: Sequence[Alert], timezone: ZoneInfo, story: StoryNews | None) -> Telling:
    first = max(alerts, key=lambda alert: alert.severity)
    if first.kind is not AlertKind.STORY:
        return _of_the_monitor(first, timezone)
    story = story or StoryNews()
    shown = _united(excerpt for alert in alerts for excerpt in alert.excerpts)
    sentences = () if story.known else [each for each in shown if each.field != "title"]
    return Telling(
        kind=first.kind,
        severity=_severity(first, story),
        headline=_headline(first.title, [each for each in shown if each.field == "title"]),
        rule=first.rule_name,
        outlet=one_line(first.outlet),
        when=_when(first, timezone),
        sentences=tuple(runs(each) for each in sentences),
        url=web(first.url),
        facts=" · ".join(map(one_line, first.facts)),
        news=news_of(story, first, timezone),
        also=also(story, first, timezone),
        labels=_labels(alerts, timezone),
        reasons=tuple(_reason(alert) for alert in alerts),
        ids=tuple(alert.id for alert in alerts),
    )


def _of_the_monitor(alert: Alert, timezone: ZoneInfo) -> Telling:
    return Telling(
        kind=alert.kind,
        severity=alert.severity,
        headline=_headline(alert.title, ()),
        when=local_time(alert.created_at, timezone),
        paragraphs=tuple(filter(None, map(one_line, alert.text.splitlines()))),
        ids=(alert.id,),
    )


def _severity(alert: Alert, story: StoryNews) -> Severity:
    """A notice that is only published again is mild, however severe it was when it was news."""
    reasons = {update.reason for update in story.updates}
    mild = story.known and reasons == {UpdateReason.PUBLISHED_AGAIN}
    return Severity.LOW if mild else alert.severity


def _labels(alerts: Sequence[Alert], timezone: ZoneInfo) -> tuple[str, ...]:
    labels = [LABELS[label] for alert in alerts for label in alert.labels]
    labels += [
        f"first alerted {date(alert.first_alerted_at, timezone)}"
        for alert in alerts
        if alert.first_alerted_at
    ]
    return tuple(dict.fromkeys(labels))


def _united(excerpts: Iterable[Excerpt]) -> list[Excerpt]:
    """Each sentence once, with the marks of all rules that hit it."""
    marks: dict[tuple[str, str], set[tuple[int, int]]] = {}
    for excerpt in excerpts:
        marks.setdefault((excerpt.field, excerpt.text), set()).update(excerpt.marks)
    return [
        Excerpt(field=field, text=text, marks=tuple(sorted(spans)))
        for (field, text), spans in marks.items()
    ]


def _headline(title: str, marked: Sequence[Excerpt]) -> Runs:
    found = runs(marked[0]) if marked else ()
    if any(run.text.strip() for run in found):
        return found
    return (Run(text=shorten(one_line(title), HEADLINE_LENGTH) or "(no title)"),)


def _when(alert: Alert, timezone: ZoneInfo) -> str:
    if alert.published_at is None:
        return f"found {local_time(alert.created_at, timezone)}"
    return local_time(alert.published_at, timezone)


def _reason(alert: Alert) -> str:
    """'Rule fms-europe, because of "foreign military sale" in the title and the text. <note>'"""
    terms = [f'"{one_line(term)}"' for term in alert.terms[:TERMS_SHOWN]]
    more = len(alert.terms) - len(terms)
    if more > 0:
        terms.append(f"{more} more")
    fields = dict.fromkeys(_FIELD_NAMES.get(e.field, e.field) for e in alert.excerpts if e.marks)
    because = f", because of {joined(terms)}" if terms else ""
    where = f" in {joined(list(fields))}" if terms and fields else ""
    note = one_line(alert.rule_note)
    return f"Rule {one_line(alert.rule_name)}{because}{where}." + (f" {note}" if note else "")
