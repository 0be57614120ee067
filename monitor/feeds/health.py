"""What a feed's failures mean for people, and when to tell them.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor import ids
from monitor.model import Alert, FailureReason, Feed, Severity

BROKEN_FAILURES = 3
BROKEN_AFTER = timedelta(hours=1)
BROKEN_AFTER_OFFICIAL = timedelta(minutes=30)
TOGETHER = 10  # feeds that break at once make one message: it is probably our network
NAMED = 15  # of them by name

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
    FailureReason.INTERNAL: "This is a mistake of the monitor: please report it.",
}
_WAIT = "Nothing, if it passes; else tell the publisher."


def explain(feed: Feed) -> str:
    """What is wrong and what to do, in two sentences; "" for a feed that works."""
    if feed.failure is None:
        return ""
    return f"{_sentence(feed.failure_detail)} {_REMEDIES.get(feed.failure, _WAIT)}"


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


def together(alerts: Sequence[Alert], now: datetime) -> tuple[Alert, ...]:
    """*alerts* as they should be told: ten or more feeds that broke at once as one message."""
    broken = [alert for alert in alerts if alert.subject.startswith("operator:feed-broken:")]
    if len(broken) < TOGETHER:
        return tuple(alerts)
    names = sorted(alert.title.removeprefix("No news from ") for alert in broken)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    merged = ids.operator_alert(
        "feeds-broken",
        ids.derive("feeds", *(alert.id for alert in broken)),
        title=f"No news from {len(broken)} feeds: probably our network",
        text=f"They stopped answering together: {', '.join(names[:NAMED])}{more}.\n"
        "What it means: nothing is lost if they return before their entries roll over.\n"
        "What to do: check this machine's network first; python3 run_monitor.py status has the"
        " reason of each.",
        now=now,
        severity=Severity.CRITICAL,
    )
    return (merged, *(alert for alert in alerts if alert not in broken))


def _broken(feed: Feed, relying: Sequence[str], now: datetime) -> Alert:
    since = feed.succeeded_at or feed.failing_since or now
    if feed.succeeded_at:
        meaning = "Nothing is lost if it returns before its entries roll over."
    else:
        meaning = "It has never worked since it was added."
    rules = f"\nRules that look only there: {', '.join(relying)}." if relying else ""
    return ids.operator_alert(
        f"feed-broken:{feed.id}",
        _occurrence(feed.failing_since or now),
        title=f"No news from {feed.name}",
        text=f"Since {since:%d %b %Y %H:%M} UTC: {_sentence(feed.failure_detail)}\n"
        f"What it means: {meaning}{rules}\n"
        f"What to do: {_REMEDIES.get(feed.failure, _WAIT) if feed.failure else _WAIT}",
        now=now,
    )


def _recovered(feed: Feed, now: datetime) -> Alert:
    return ids.operator_alert(
        f"feed-recovered:{feed.id}",
        _occurrence(feed.succeeded_at or now),
        title=f"{feed.name} answers again",
        text="Its entries since then have been read; what matched is on its way.",
        now=now,
        severity=Severity.NORMAL,
    )


def _occurrence(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"


def _sentence(text: str) -> str:
    text = text.strip() or "it does not answer"
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
