"""When people are told of a feed that broke, looks wrong, recovered or moved.  Pure.

The words for its state are in ``condition``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.feeds import gaps, quiet, suspicion
from monitor.feeds.condition import MOVED_POLLS, accept_command, meaning, remedy, sentence
from monitor.model import Alert, FailureReason, Feed, Severity

BROKEN_FAILURES = 3
AILING_FAILURES = 2
BROKEN_AFTER = timedelta(hours=1)
BROKEN_AFTER_OFFICIAL = timedelta(minutes=30)
TOGETHER = 10  # feeds that break at once make one message: it is probably our network
NAMED = 15  # of them by name

_BROKEN, _RECOVERED = "feed-broken", "feed-recovered"
_NO_NEWS, _AGAIN = "No news from ", " answers again"
_SUSPICIOUS, _WRONG = "feed-suspicious", " answers, but looks wrong"
_CAUGHT_UP = (
    "What came in the meantime and is still listed has been read; what matched is on its way."
)


def report(feed: Feed, relying: Sequence[str], now: datetime) -> tuple[Feed, Alert | None]:
    """The alert that is due about *feed*, and the feed as told: once in trouble, once recovered."""
    if feed.reported and not feed.failures and feed.suspected_since is None:
        return replace(feed, reported=False), _recovered(feed, now)
    if feed.reported or feed.paused:
        return feed, None
    if is_broken(feed, now):
        return replace(feed, reported=True), _broken(feed, relying, now)
    if not feed.failures and suspicion.lasts(feed, now):
        return replace(feed, reported=True), _suspicious(feed, relying, now)
    return feed, None


def moved(feed: Feed, now: datetime) -> Alert | None:
    """What is told after the visit that made us believe a permanent redirect."""
    if feed.moved_to is None or feed.moved_count != MOVED_POLLS or feed.failures:
        return None
    return ids.operator_alert(
        f"feed-moved:{feed.id}",
        ids.derive("moved", feed.moved_to),
        title=f"{feed.name} has moved for good",
        text=f"Its address sends us to {feed.moved_to}, {MOVED_POLLS} times in a row.\n"
        "What it means: nothing is lost while the old address still shows the way.\n"
        f"What to do: accept it with {accept_command(feed)}",
        now=now,
        severity=Severity.NORMAL,
    )


def is_broken(feed: Feed, now: datetime) -> bool:
    """Whether it has failed so often and so long that somebody should look."""
    if feed.paused or feed.failing_since is None:
        return False
    if feed.failure is FailureReason.GONE:
        return True
    patience = BROKEN_AFTER_OFFICIAL if "official" in feed.tags else BROKEN_AFTER
    return feed.failures >= BROKEN_FAILURES and now - feed.failing_since >= patience


def is_ailing(feed: Feed) -> bool:
    """Whether it brings nothing, for more than a poll: what a digest must own up to."""
    lasting = feed.failures > 0 and feed.reported
    return not feed.paused and (lasting or feed.failures >= AILING_FAILURES)


def is_suspicious(feed: Feed) -> bool:
    """Whether it answers, but what it brings looks wrong."""
    return not feed.paused and not feed.failures and feed.suspected_since is not None


def gathering(feeds: Sequence[Feed], now: datetime, interval: timedelta) -> bool:
    """Whether to wait a little with telling: many feeds fail since about the same time.

    They are polled within one *interval* of each other, so they reach the hour one by one; told
    together they are one message instead of forty.
    """
    failing = [f for f in feeds if f.failing_since and not f.reported and not f.paused]
    if len(failing) < TOGETHER:
        return False
    first = min(feed.failing_since for feed in failing if feed.failing_since)
    return now - first < BROKEN_AFTER + interval and not all(is_broken(f, now) for f in failing)


def together(alerts: Sequence[Alert], now: datetime) -> tuple[Alert, ...]:
    """*alerts* as they should be told: ten feeds or more that broke, or returned, as one."""
    told = _merged(alerts, _BROKEN, outage, now)
    told = _merged(told, _RECOVERED, _return, now)
    told = _merged(told, _SUSPICIOUS, _many_wrong, now)
    told = _merged(told, quiet.QUIET, _many_quiet, now)
    told = _merged(told, quiet.AGAIN, _many_again, now)
    return _merged(told, gaps.GAP, _many_gaps, now)


def outage(alerts: Sequence[Alert], now: datetime) -> Alert:
    """One message about many feeds that broke at once."""
    return ids.operator_alert(
        "feeds-broken",
        ids.derive("feeds", *(alert.id for alert in alerts)),
        title=f"No news from {len(alerts)} feeds: probably our network",
        text=f"They stopped answering together: {_names(alerts)}.\n"
        "What it means: nothing is lost if they return before their entries roll over.\n"
        "What to do: check this machine's network first; python3 run_monitor.py status has the"
        " reason of each.",
        now=now,
        severity=Severity.CRITICAL,
    )


def _return(alerts: Sequence[Alert], now: datetime) -> Alert:
    return ids.operator_alert(
        "feeds-recovered",
        ids.derive("feeds", *(alert.id for alert in alerts)),
        title=f"{len(alerts)} feeds answer again",
        text=f"{_names(alerts)}.\n{_CAUGHT_UP}",
        now=now,
        severity=Severity.NORMAL,
    )


def _many_wrong(alerts: Sequence[Alert], now: datetime) -> Alert:
    return ids.operator_alert(
        "feeds-suspicious",
        ids.derive("feeds", *(alert.id for alert in alerts)),
        title=f"{len(alerts)} feeds answer, but look wrong: probably something on the way to us",
        text=f"{_names(alerts)}.\n"
        "What to do: look for a proxy or filter between this machine and the sites;"
        " python3 run_monitor.py status has the reason of each.",
        now=now,
    )


def _many_quiet(alerts: Sequence[Alert], now: datetime) -> Alert:
    title = f"{len(alerts)} feeds bring nothing new for unusually long"
    return _listed(
        "feeds-quiet", title, "nothing on a holiday; else look at their sites", alerts, now
    )


def _many_again(alerts: Sequence[Alert], now: datetime) -> Alert:
    title = f"{len(alerts)} feeds have news again"
    return _listed("feeds-again", title, "nothing", alerts, now)


def _many_gaps(alerts: Sequence[Alert], now: datetime) -> Alert:
    title = f"Possible gaps in {len(alerts)} feeds"
    look = "if the monitor was off or cut off, look through that time on the sites that matter"
    return _listed("feeds-gap", title, look, alerts, now)


def _listed(
    condition: str, title: str, remedy: str, alerts: Sequence[Alert], now: datetime
) -> Alert:
    """*alerts* of one kind as one, by their titles."""
    shown = [f"· {alert.title}" for alert in alerts[:NAMED]]
    if len(alerts) > NAMED:
        shown.append(f"· and {len(alerts) - NAMED} more: python3 run_monitor.py status")
    return ids.operator_alert(
        condition,
        ids.derive("feeds", *(alert.id for alert in alerts)),
        title=title,
        text="\n".join([*shown, f"What to do: {remedy}."]),
        now=now,
        severity=Severity.NORMAL,
    )


def _merged(
    alerts: Sequence[Alert],
    condition: str,
    merge: Callable[[Sequence[Alert], datetime], Alert],
    now: datetime,
) -> tuple[Alert, ...]:
    alike, others = list[Alert](), list[Alert]()
    for alert in alerts:
        same = alert.subject.startswith(f"operator:{condition}:")
        (alike if same else others).append(alert)
    return tuple(alerts) if len(alike) < TOGETHER else (merge(alike, now), *others)


def _names(alerts: Sequence[Alert]) -> str:
    """The feeds that *alerts* of one kind are about; the first of them by name."""
    names = sorted(
        alert.title.removeprefix(_NO_NEWS).removesuffix(_AGAIN).removesuffix(_WRONG)
        for alert in alerts
    )
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _broken(feed: Feed, relying: Sequence[str], now: datetime) -> Alert:
    since = feed.succeeded_at or feed.failing_since or now
    rules = f"\nRules that look only there: {', '.join(relying)}." if relying else ""
    return ids.operator_alert(
        f"{_BROKEN}:{feed.id}",
        _occurrence(feed.failing_since or now),
        title=f"{_NO_NEWS}{feed.name}",
        text=f"Since {since:%d %b %Y %H:%M} UTC: {sentence(feed.failure_detail)}\n"
        f"What it means: {meaning(feed)}{rules}\n"
        f"What to do: {remedy(feed)}",
        now=now,
    )


def _suspicious(feed: Feed, relying: Sequence[str], now: datetime) -> Alert:
    since = feed.suspected_since or now
    rules = f"\nRules that look only there: {', '.join(relying)}." if relying else ""
    return ids.operator_alert(
        f"{_SUSPICIOUS}:{feed.id}",
        _occurrence(since),
        title=f"{feed.name}{_WRONG}",
        text=f"Since {since:%d %b %Y %H:%M} UTC: {sentence(feed.suspicion.detail)}\n"
        f"What it means: it is read all the same, but news may be missing.{rules}\n"
        f"What to do: {remedy(feed)}",
        now=now,
    )


def _recovered(feed: Feed, now: datetime) -> Alert:
    wrong = feed.suspicion.oddity is not None
    return ids.operator_alert(
        f"{_RECOVERED}:{feed.id}",
        _occurrence(feed.polled_at or now),
        title=f"{feed.name}{' looks right again' if wrong else _AGAIN}",
        text=f"It was: {feed.suspicion.detail}." if wrong else _CAUGHT_UP,
        now=now,
        severity=Severity.NORMAL,
    )


def _occurrence(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"
