"""What a feed's failures mean for people, and when to tell them.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.model import Alert, FailureReason, Feed, Severity

BROKEN_FAILURES = 3
AILING_FAILURES = 2
BROKEN_AFTER = timedelta(hours=1)
BROKEN_AFTER_OFFICIAL = timedelta(minutes=30)
TOGETHER = 10  # feeds that break at once make one message: it is probably our network
NAMED = 15  # of them by name

_BROKEN, _RECOVERED = "feed-broken", "feed-recovered"
_NO_NEWS, _AGAIN = "No news from ", " answers again"
_CAUGHT_UP = (
    "What came in the meantime and is still listed has been read; what matched is on its way."
)

# What to do about it, for the person who keeps the monitor.
_REMEDIES = {
    FailureReason.DNS: "Check the address for a typing mistake, and this machine's network.",
    FailureReason.CONNECT: "The site or the way to it is down; it usually passes.",
    FailureReason.TLS: "The site must renew its certificate; open it in a browser to compare.",
    FailureReason.TIMEOUT: "The site is slow or overloaded; it usually passes.",
    FailureReason.BLOCKED_ADDRESS: "If this is your own network, name it in [poll] allow_private.",
    FailureReason.BAD_URL: "Correct the address in config.toml.",
    FailureReason.REDIRECTS: "Open it in a browser and put the final address into config.toml.",
    FailureReason.FORBIDDEN: "The site blocks programs. Ask the publisher, naming our User-Agent,"
    " or use another source for it.",
    FailureReason.NOT_FOUND: "The feed has probably moved: look for its new address on the site.",
    FailureReason.GONE: "Remove it from config.toml, or look for its successor on the site.",
    FailureReason.THROTTLED: "Give this feed a longer interval.",
    FailureReason.HTML: "The address shows a web page. Look there for a link named RSS or Feed.",
    FailureReason.NOT_A_FEED: "Look on the site for the address of its RSS or Atom feed.",
    FailureReason.TOO_LARGE: "The publisher must shorten it; the limit is 15 MiB.",
    FailureReason.PARSER_KILLED: "Reading it takes too long: tell the publisher, and us.",
    FailureReason.PARSER_RAISED: "This is a mistake of the monitor: please report it.",
    FailureReason.INTERNAL: "This is a mistake of the monitor: please report it.",
}
_WAIT = "Nothing, if it passes; else tell the publisher."


def explain(feed: Feed, now: datetime) -> str:
    """What is wrong, what it means and what to do, in one line; "" for a feed that works."""
    if feed.failure is None:
        return ""
    lasting = _span(now - (feed.failing_since or now))
    return f"For {lasting}: {_sentence(feed.failure_detail)} {_meaning(feed)} {_remedy(feed)}"


def report(feed: Feed, relying: Sequence[str], now: datetime) -> tuple[Feed, Alert | None]:
    """The alert that is due about *feed*, and the feed as told: once broken, once recovered."""
    if feed.reported and not feed.failures:
        return replace(feed, reported=False), _recovered(feed, now)
    if not feed.reported and is_broken(feed, now):
        return replace(feed, reported=True), _broken(feed, relying, now)
    return feed, None


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
    return not feed.paused and (feed.reported or feed.failures >= AILING_FAILURES)


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
    return _merged(told, _RECOVERED, _return, now)


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


def _merged(
    alerts: Sequence[Alert],
    condition: str,
    merge: Callable[[Sequence[Alert], datetime], Alert],
    now: datetime,
) -> tuple[Alert, ...]:
    alike = [alert for alert in alerts if alert.subject.startswith(f"operator:{condition}:")]
    if len(alike) < TOGETHER:
        return tuple(alerts)
    return (merge(alike, now), *(alert for alert in alerts if alert not in alike))


def _names(alerts: Sequence[Alert]) -> str:
    """The feeds that *alerts* of one kind are about; the first of them by name."""
    names = sorted(alert.title.removeprefix(_NO_NEWS).removesuffix(_AGAIN) for alert in alerts)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _broken(feed: Feed, relying: Sequence[str], now: datetime) -> Alert:
    since = feed.succeeded_at or feed.failing_since or now
    rules = f"\nRules that look only there: {', '.join(relying)}." if relying else ""
    return ids.operator_alert(
        f"{_BROKEN}:{feed.id}",
        _occurrence(feed.failing_since or now),
        title=f"{_NO_NEWS}{feed.name}",
        text=f"Since {since:%d %b %Y %H:%M} UTC: {_sentence(feed.failure_detail)}\n"
        f"What it means: {_meaning(feed)}{rules}\n"
        f"What to do: {_remedy(feed)}",
        now=now,
    )


def _recovered(feed: Feed, now: datetime) -> Alert:
    return ids.operator_alert(
        f"{_RECOVERED}:{feed.id}",
        _occurrence(feed.polled_at or now),
        title=f"{feed.name}{_AGAIN}",
        text=_CAUGHT_UP,
        now=now,
        severity=Severity.NORMAL,
    )


def _meaning(feed: Feed) -> str:
    if feed.succeeded_at is None:
        return "It has never worked since it was added."
    if feed.failure is FailureReason.GONE:
        return "Nothing more will come from this address."
    return "Nothing is lost if it returns before its entries roll over."


def _remedy(feed: Feed) -> str:
    return _REMEDIES.get(feed.failure, _WAIT) if feed.failure else _WAIT


def _span(time: timedelta) -> str:
    """Roughly: "5 minutes", "3 hours", "2 days"."""
    minutes = max(0, int(time.total_seconds())) // 60
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def _occurrence(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"


def _sentence(text: str) -> str:
    text = text.strip() or "it does not answer"
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
