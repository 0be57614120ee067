"""The entries a story is told by, and what is new in it, in words.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.alerts.lines import (
    Run,
    Runs,
    date,
    joined,
    one_line,
    runs,
    short_time,
    shorten,
    span,
    web,
)
from monitor.model import Alert, Member, Update, UpdateReason

SHOWN = 6  # entries of each kind
TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryNews:
    """What is known of a story beside its alerts."""

    members: tuple[Member, ...] = ()  # in the order they came
    updates: tuple[Update, ...] = ()  # to be told now
    known: bool = False  # the reader was told of it before


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something new in a story."""

    text: Runs
    url: str = ""


def news_of(story: StoryNews, alert: Alert, timezone: ZoneInfo) -> tuple[News, ...]:
    """What *story* has new for a reader who knows it."""
    if not story.known:
        return ()
    return tuple(_news(update, story, alert, timezone) for update in story.updates)


def also(story: StoryNews, alert: Alert, timezone: ZoneInfo) -> tuple[str, ...]:
    """The story's other entries: those with the same text in one line, the others one each."""
    told = {alert.entry_id, *(update.entry_id for update in story.updates if story.known)}
    own = next((each for each in story.members if each.entry_id == alert.entry_id), None)
    others = [each for each in story.members if each.entry_id not in told]
    texts = {alert.entry_id, own.copy_of if own else ""} - {""}
    same = [each for each in others if texts & {each.entry_id, each.copy_of}]
    rest = [each for each in others if each not in same]
    lines = [_own(own)] if own and own.because else []
    if same:
        lines.append(f"Same text: {_listed([_copy(each, own, alert, timezone) for each in same])}")
    lines += [_other(each, alert, timezone) for each in rest[:SHOWN]]
    if rest[SHOWN:]:
        lines.append(f"Also: {len(rest) - SHOWN} more")
    return tuple(lines)


def joined_because(member: Member) -> str:
    """Why an entry is in its story, in words; "" for its founder."""
    if member.by_hand:
        return "put there by hand"
    if member.copy_of:
        return f"same text, {_percent(member.containment)}"
    if not member.because:
        return ""
    return f"joined: {', '.join(map(one_line, member.because))}; {span(member.gap)} apart"


def _own(own: Member) -> str:
    return f"The story is known from others; {joined_because(own)}"


def _copy(each: Member, own: Member | None, alert: Alert, timezone: ZoneInfo) -> str:
    """ "Reuters 09:12, 87 %"."""
    share = each.containment or (own.containment if own else 0.0)
    return f"{_place(each, alert, timezone)}{f', {_percent(share)}' if share else ''}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _other(each: Member, alert: Alert, timezone: ZoneInfo) -> str:
    why = joined_because(each)
    title = shorten(one_line(each.title), TITLE_LENGTH)
    return f"Also: {_place(each, alert, timezone)}: {title}{f' ({why})' if why else ''}"


def _place(each: Member, alert: Alert, timezone: ZoneInfo) -> str:
    return f"{one_line(each.outlet)} {short_time(each.seen_at, timezone, alert.created_at)}"


def _listed(names: Sequence[str]) -> str:
    shown = "; ".join(names[:SHOWN])
    return f"{shown}; {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _news(update: Update, story: StoryNews, alert: Alert, timezone: ZoneInfo) -> News:
    text = _WORDS[update.reason](update, story, timezone)
    sentence = runs(update.excerpts[0]) if update.excerpts else ()
    parts = (Run(text=text), *((Run(text=" – "), *sentence) if sentence else ()))
    return News(text=parts, url=web(update.url))


def _outlets(update: Update, story: StoryNews, _: ZoneInfo) -> str:
    names = list(dict.fromkeys(one_line(each.outlet) for each in story.members))
    return f"Now {update.outlets} outlets: {_listed(names)}"


def _official(update: Update, _: StoryNews, timezone: ZoneInfo) -> str:
    return f"Now from {_told_by(update, timezone)}"


def _new_terms(update: Update, _: StoryNews, timezone: ZoneInfo) -> str:
    terms = joined([f'"{one_line(term)}"' for term in update.terms[:SHOWN]])
    return f"New in this story: {terms}, in {_told_by(update, timezone)}"


def _again(update: Update, _: StoryNews, timezone: ZoneInfo) -> str:
    first = (
        f"; first alerted {date(update.first_alerted_at, timezone)}"
        if update.first_alerted_at
        else ""
    )
    return f"Published again by {_told_by(update, timezone)}{first}"


def _told_by(update: Update, timezone: ZoneInfo) -> str:
    at = update.published_at or update.created_at
    title = shorten(one_line(update.title), TITLE_LENGTH)
    return f"{one_line(update.outlet)} {short_time(at, timezone, update.created_at)}: {title}"


_WORDS = {
    UpdateReason.OUTLETS: _outlets,
    UpdateReason.OFFICIAL: _official,
    UpdateReason.NEW_TERMS: _new_terms,
    UpdateReason.PUBLISHED_AGAIN: _again,
}
