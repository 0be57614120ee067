"""What is told of one story, or of one trouble of the monitor, before it has a medium.  Pure.

A ``Telling`` holds the parts in the order they are read: what happened, where and when, the
sentence, the link, and only then the rules and ids.  ``plain``, ``slack`` and ``mail`` set it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.model import Alert, AlertKind, Excerpt, Label, Severity

HEADLINE_LENGTH = 300
TERMS_SHOWN = 5
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LABELS = {
    Label.LATE: "late: published before this feed was watched",
    Label.EDITED: "edited: it matches only since its publisher changed it",
    Label.BACKFILL: "looked back: found by a rule that is newer than the story",
}
_FIELD_NAMES = {"title": "the title", "summary": "the text", "content": "the text"}

# Texts are cleaned where they enter; this is the last door before somebody else's parser.
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_INVISIBLE = re.compile(r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of text that is, or is not, a hit."""

    text: str
    hit: bool = False


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One story with all rules it alerts for, or one operator alert."""

    kind: AlertKind
    severity: Severity
    headline: Runs
    outlet: str = ""
    when: str = ""  # "Thu 13 Feb 2025, 11:00 CET"
    sentences: tuple[Runs, ...] = ()  # of the body; the title's is the headline
    paragraphs: tuple[str, ...] = ()  # operator alerts: what it means, what to do
    url: str = ""  # http, https or ""
    labels: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # "Rule fms-europe, because of …", one for each alert
    ids: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return "".join(run.text for run in self.headline)

    @property
    def tag(self) -> str:
        """What a subject begins with: "[HIGH]"."""
        return "[MONITOR]" if self.kind is AlertKind.OPERATOR else f"[{self.severity.name}]"


def tellings(alerts: Iterable[Alert], timezone: ZoneInfo) -> tuple[Telling, ...]:
    """*alerts* grouped by story: stories before operator alerts, the severe before the mild."""
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        same = groups.setdefault(alert.story_id or alert.id, [])
        if alert.id not in (other.id for other in same):
            same.append(alert)
    told = [_told(group, timezone) for group in groups.values()]
    return tuple(sorted(told, key=lambda each: (each.kind is AlertKind.OPERATOR, -each.severity)))


def local_time(at: datetime, timezone: ZoneInfo) -> str:
    """*at* for a reader in *timezone*, in words no locale changes: "Thu 13 Feb 2025, 11:00 CET"."""
    local = at.astimezone(timezone)
    zone = local.tzname() or ""
    if not zone[:1].isalpha():  # many zones have no letters: "-03"
        zone = f"UTC{zone}"
    day = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
    return f"{day}, {local:%H:%M} {zone}"


def one_line(text: str) -> str:
    """*text* on one line, without controls, lone surrogates, and marks that change direction."""
    return _INVISIBLE.sub("", _BREAKS.sub(" ", text)).strip()


def shorten(text: str, limit: int) -> str:
    """*text* in at most *limit* characters, cut between words, never inside a visible character."""
    if len(text) <= limit:
        return text
    end = limit - 1
    space = text.rfind(" ", end * 3 // 4, end + 1)
    if space > 0:
        end = space
    while end > 0 and _continues(text, end):
        end -= 1
    return text[:end].rstrip() + "…"


def _continues(text: str, index: int) -> bool:
    """Whether the character at *index* belongs to the one before it (accents, emoji sequences)."""
    char, before = text[index], text[index - 1]
    return (
        unicodedata.combining(char) != 0
        or unicodedata.category(char) in ("Mn", "Me", "Mc")
        or "\ufe00" <= char <= "\ufe0f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\u200d" in (char, before)
        or ("\U0001f1e6" <= char <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff")
    )


def _told(alerts: Sequence[Alert], timezone: ZoneInfo) -> Telling:
    first = max(alerts, key=lambda alert: alert.severity)
    if first.kind is AlertKind.OPERATOR:
        return Telling(
            kind=first.kind,
            severity=first.severity,
            headline=_headline(first.title, ()),
            when=local_time(first.created_at, timezone),
            paragraphs=tuple(filter(None, map(one_line, first.text.splitlines()))),
            ids=(first.id,),
        )
    shown = _united(excerpt for alert in alerts for excerpt in alert.excerpts)
    return Telling(
        kind=first.kind,
        severity=first.severity,
        headline=_headline(first.title, [each for each in shown if each.field == "title"]),
        outlet=one_line(first.outlet),
        when=_when(first, timezone),
        sentences=tuple(_runs(each) for each in shown if each.field != "title"),
        url=_web(first.url),
        labels=tuple(dict.fromkeys(LABELS[label] for alert in alerts for label in alert.labels)),
        reasons=tuple(_reason(alert) for alert in alerts),
        ids=tuple(alert.id for alert in alerts),
    )


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
    runs = _runs(marked[0]) if marked else ()
    if any(run.text.strip() for run in runs):
        return runs
    return (Run(text=shorten(one_line(title), HEADLINE_LENGTH) or "(no title)"),)


def _runs(excerpt: Excerpt) -> Runs:
    """The excerpt cut at its marks; overlapping marks become one."""
    runs: list[Run] = []
    done = 0
    for start, end in sorted(excerpt.marks):
        start, end = max(start, done), min(end, len(excerpt.text))
        if start < end:
            runs += [
                Run(text=excerpt.text[done:start]),
                Run(text=excerpt.text[start:end], hit=True),
            ]
            done = end
    runs.append(Run(text=excerpt.text[done:]))
    cleaned = [Run(text=_inner(run.text), hit=run.hit) for run in runs]
    return tuple(run for run in cleaned if run.text)


def _inner(text: str) -> str:
    """As ``one_line``, but spaces at the ends stay: they part this run from the next."""
    return _INVISIBLE.sub("", _BREAKS.sub(" ", text))


def _when(alert: Alert, timezone: ZoneInfo) -> str:
    if alert.published_at is None:
        return f"found {local_time(alert.created_at, timezone)}"
    return local_time(alert.published_at, timezone)


def _web(url: str) -> str:
    """*url* if a click on it opens a page and its text cannot pretend to be more than a link."""
    if not url.lower().startswith(("http://", "https://")):
        return ""
    return "" if _BREAKS.search(url) or _INVISIBLE.search(url) else url


def _reason(alert: Alert) -> str:
    """'Rule fms-europe, because of "foreign military sale" in the title and the text. <note>'"""
    terms = [f'"{one_line(term)}"' for term in alert.terms[:TERMS_SHOWN]]
    more = len(alert.terms) - len(terms)
    if more > 0:
        terms.append(f"{more} more")
    fields = dict.fromkeys(_FIELD_NAMES.get(e.field, e.field) for e in alert.excerpts if e.marks)
    because = f", because of {_joined(terms)}" if terms else ""
    where = f" in {_joined(list(fields))}" if terms and fields else ""
    note = one_line(alert.rule_note)
    return f"Rule {one_line(alert.rule_name)}{because}{where}." + (f" {note}" if note else "")


def _joined(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
