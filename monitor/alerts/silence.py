"""Silences: which alerts nobody should get just now, and what is told when one is over.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor import ids
from monitor.alerts.lines import counted, one_line, shorten
from monitor.model import Alert, AlertKind, Severity, Silence, Update
from monitor.text import words

ANYTHING = "*"  # in the name of a rule: any characters, also none
REASON_SHOWN = 120
EVERYTHING = "everything"


def muting(
    alert: Alert, update: Update | None, silences: Iterable[Silence], now: datetime
) -> Silence | None:
    """The first of *silences* that keeps *alert*, or *update* of its story, from people.

    What the monitor says of itself, and digests, are never muted.
    """
    if alert.kind is not AlertKind.STORY:
        return None
    return next((s for s in silences if in_force(s, now) and _fits(s, alert, update)), None)


def in_force(silence: Silence, now: datetime) -> bool:
    return silence.ended_at is None and silence.created_at <= now < silence.ends_at


def _fits(silence: Silence, alert: Alert, update: Update | None) -> bool:
    """Everything that is named must fit; of several of a kind one is enough."""
    outlets = {alert.outlet} if update is None else {alert.outlet, update.outlet}
    return (
        (not silence.rules or any(names_rule(each, alert.rule_name) for each in silence.rules))
        and (not silence.stories or alert.story_id in silence.stories)
        and (not silence.feeds or not silence.feeds.isdisjoint(outlets))
        and (not silence.severities or alert.severity in silence.severities)
        and (not silence.texts or _says(silence.texts, _told(alert, update)))
    )


def names_rule(pattern: str, rule: str) -> bool:
    """Whether *pattern* is the name *rule*, or has ``*`` where they differ ("fms-*")."""
    first, *others = pattern.split(ANYTHING)
    if not others:
        return pattern == rule
    *middle, last = others
    if not rule.startswith(first) or not rule[len(first) :].endswith(last):
        return False
    at, end = len(first), len(rule) - len(last)
    for part in middle:
        found = rule.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end


def _told(alert: Alert, update: Update | None) -> list[str]:
    """Headlines and sentences that people would read."""
    told = [alert.title, *(each.text for each in alert.excerpts)]
    if update is not None:
        told += [update.title, *(each.text for each in update.excerpts)]
    return told


def _says(texts: Iterable[str], told: Sequence[str]) -> bool:
    """Whether one of *texts* stands in one of *told*, word by word, whatever case and accents."""
    phrases = [words(text) for text in texts]
    return any(_stands_in(phrase, words(line)) for line in told for phrase in phrases)


def _stands_in(phrase: Sequence[str], line: Sequence[str]) -> bool:
    length = len(phrase)
    starts = range(len(line) - length + 1)
    return bool(length) and any(line[at : at + length] == phrase for at in starts)


def described(silence: Silence) -> str:
    """What it mutes, in words: "rule fms-ukraine or fms-poland, feed Politico"."""
    kinds = (
        ("rule", sorted(silence.rules)),
        ("story", sorted(silence.stories)),
        ("feed", sorted(silence.feeds)),
        ("severity", [Severity(each).label for each in sorted(silence.severities)]),
        ("text", [f'"{text}"' for text in silence.texts]),
    )
    named = [f"{kind} {' or '.join(values)}" for kind, values in kinds if values]
    return one_line(", ".join(named)) or EVERYTHING


def why(silence: Silence) -> str:
    """ "anna: too noisy"."""
    return shorten(one_line(f"{silence.owner}: {silence.reason}"), REASON_SHOWN)


def silence_over(silence: Silence, now: datetime) -> Alert:
    """What its owner is told once it is over, also when it has muted nothing."""
    alerts = counted(silence.muted, "alert") if silence.muted else "no alerts"
    which = f"python3 run_monitor.py deliveries list --state silenced --silence {silence.id}"
    return ids.operator_alert(
        f"silence-over:{silence.id}",
        f"{silence.ends_at:%Y%m%dT%H%M%S}",
        title=f"Silence over: {described(silence)} ({why(silence)})",
        text=f"It has muted {alerts}. New ones are sent again.\n"
        + (f"What to do: read them with {which}" if silence.muted else "There is nothing to do."),
        now=now,
        severity=Severity.NORMAL,
    )
