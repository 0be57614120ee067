"""What a feed would bring: a look before it is watched.  Decides nothing, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import ids
from monitor.feeds.normalise import entries_of, primary
from monitor.model import Entry, Feed, Match, ParsedFeed
from monitor.rules.load import RuleSet
from monitor.settings import FeedSettings
from monitor.terminal import age, counted

SHOWN = 10  # matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A feed's document, seen with the rules in the files; None: those have mistakes."""

    title: str
    language: str
    entries: tuple[Entry, ...]
    matches: tuple[tuple[Entry, Match], ...] | None

    @property
    def newest(self) -> Entry | None:
        dated = [entry for entry in self.entries if entry.published_at is not None]
        return max(dated, key=_published, default=None)


def preview(
    parsed: ParsedFeed, chosen: FeedSettings, rules: RuleSet | None, now: datetime
) -> Preview:
    """What *parsed* would bring if it were watched as *chosen* says."""
    feed = Feed(
        id=ids.feed_id(chosen.url),
        url=chosen.url,
        name=chosen.name,
        tags=chosen.tags,
        added_at=now,
        next_poll_at=now,
    )
    _, entries = entries_of(parsed, feed, now)
    matches = None
    if rules is not None:
        matches = tuple((each, match) for each in entries for match in rules.matcher.match(each))
    languages = [entry.language for entry in entries if entry.language]
    language = primary(parsed.language or "") or (languages[0] if languages else "")
    return Preview(title=parsed.title, language=language, entries=entries, matches=matches)


def pace(entries: Sequence[Entry]) -> float | None:
    """Entries a day, by the dates of those there are; None if they do not tell."""
    dates = sorted(entry.published_at for entry in entries if entry.published_at is not None)
    if len(dates) < 2 or dates[-1] - dates[0] < timedelta(minutes=1):
        return None
    return (len(dates) - 1) / ((dates[-1] - dates[0]) / timedelta(days=1))


def lines(seen: Preview, now: datetime) -> Iterator[str]:
    """*seen*, for people."""
    newest = seen.newest
    yield f"Title     {seen.title or '(none)'}"
    yield f"Language  {seen.language or 'not said'}"
    yield f"Entries   {counted(len(seen.entries), 'entry', 'entries')}"
    if newest is not None:
        yield f"Newest    {age(newest.published_at, now)}: {newest.title or newest.url}"
    elif seen.entries:
        yield f"First     {seen.entries[0].title or seen.entries[0].url} (entries have no dates)"
    yield f"Pace      {_pace_in_words(pace(seen.entries))}"
    yield from _matches(seen)


def _matches(seen: Preview) -> Iterator[str]:
    if seen.matches is None:
        yield "Rules     not tried: the rule files have mistakes, see `check`"
        return
    matched = len({entry.id for entry, _ in seen.matches})
    yield f"Rules     {matched or 'none'} of these entries would have matched"
    for entry, match in seen.matches[:SHOWN]:
        terms = ", ".join(dict.fromkeys(hit.term for hit in match.hits))
        because = f" (because of: {terms})" if terms else ""
        yield f"          {match.rule.name}: {entry.title or entry.url}{because}"
    if len(seen.matches) > SHOWN:
        yield f"          and {len(seen.matches) - SHOWN} more"


def _pace_in_words(a_day: float | None) -> str:
    if a_day is None:
        return "not known: the entries have no dates, or one"
    for days, unit in ((1, "a day"), (7, "a week"), (30, "a month")):
        if a_day * days >= 1:
            return f"about {a_day * days:.0f} {unit}"
    return "less than one a month"


def _published(entry: Entry) -> datetime:
    assert entry.published_at is not None
    return entry.published_at
