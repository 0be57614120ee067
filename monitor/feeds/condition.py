"""How a feed fares, in words a person can act on: its state, since when, why, what to do.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import FailureReason, Feed, Oddity

MOVED_POLLS = 3  # equal permanent redirects in a row, until we believe that it has moved


class State(StrEnum):
    """One word for it; a feed that fails is blocked or gone when that is why."""

    NEW = "not polled yet"
    HEALTHY = "healthy"
    FAILING = "failing"
    BLOCKED = "blocked"
    GONE = "gone"
    SUSPICIOUS = "suspicious"
    QUIET = "quiet"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """``why`` and ``remedy`` are whole sentences, or "" for a feed about which nothing is to do."""

    state: State
    since: datetime | None = None
    why: str = ""
    remedy: str = ""


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
    FailureReason.EMPTY: "Open the address in a browser: if it is empty there too, tell the"
    " publisher.",
    FailureReason.HTML: "The address shows a web page. Put the feed it names into config.toml, or"
    " look there for a link named RSS or Feed.",
    FailureReason.LOGIN: "The feed is for members only: ask the publisher for an address that needs"
    " no login.",
    FailureReason.NOT_A_FEED: "Look on the site for the address of its RSS or Atom feed.",
    FailureReason.TOO_LARGE: "The publisher must shorten it; the limit is 15 MiB.",
    FailureReason.PARSER_KILLED: "Reading it takes too long: tell the publisher, and us.",
    FailureReason.PARSER_RAISED: "This is a mistake of the monitor: please report it.",
    FailureReason.STARVED: "Give the monitor more memory, or let it have more processes and open"
    " files; else end what else needs them.",
    FailureReason.INTERNAL: "This is a mistake of the monitor: please report it.",
}
_WAIT = "Nothing, if it passes; else tell the publisher."
_STATES = {
    FailureReason.FORBIDDEN: State.BLOCKED,
    FailureReason.LOGIN: State.BLOCKED,
    FailureReason.GONE: State.GONE,
}
_ODD_REMEDIES = {
    Oddity.CUT_OFF: "What is whole is read; open it in a browser, and tell the publisher if it ends"
    " too early there too.",
    Oddity.EMPTIED: "Open the site: if it still publishes, look there for the feed's new address.",
    Oddity.GARBLED: "Rules may miss words with such letters: tell the publisher.",
    Oddity.ANOTHER: "Open the address in a browser: if it is no longer the feed you want, correct"
    " it in config.toml.",
}


def condition(feed: Feed) -> Condition:
    """How *feed* fares; of several troubles the one that matters most."""
    if feed.paused:
        return Condition(state=State.PAUSED)
    if feed.failures:
        state = _STATES.get(feed.failure, State.FAILING) if feed.failure else State.FAILING
        why = f"{sentence(feed.failure_detail)} {meaning(feed)}"
        return Condition(state=state, since=feed.failing_since, why=why, remedy=remedy(feed))
    if feed.polled_at is None:
        return Condition(state=State.NEW)
    if feed.suspected_since is not None:
        why, what = sentence(feed.suspicion.detail), remedy(feed)
        return Condition(state=State.SUSPICIOUS, since=feed.suspected_since, why=why, remedy=what)
    moved = _moved(feed)
    if feed.quiet_since is not None:
        why = "Nothing new for longer than is usual for it."
        look = moved or "Look at its site: if there is news, the feed has stopped being kept up."
        return Condition(state=State.QUIET, since=feed.quiet_since, why=why, remedy=look)
    why = f"It has moved for good to {feed.moved_to}." if moved else ""
    return Condition(state=State.HEALTHY, why=why, remedy=moved)


def explain(feed: Feed, now: datetime) -> str:
    """How *feed* fares in one line: "failing for 3 hours: why, what it means and what to do"."""
    found = condition(feed)
    lasting = f" for {span(now - found.since)}" if found.since else ""
    words = " ".join(part for part in (found.why, found.remedy) if part)
    return f"{found.state}{lasting}{f': {words}' if words else ''}"


def has_moved(feed: Feed) -> bool:
    """Whether we believe its permanent redirect."""
    return feed.moved_to is not None and feed.moved_count >= MOVED_POLLS


def _moved(feed: Feed) -> str:
    return f"Accept it with: {accept_command(feed)}" if has_moved(feed) else ""


def accept_command(feed: Feed) -> str:
    """What to type, for a shell."""
    quoted = feed.name.replace("'", "'\\''")
    return f"python3 run_monitor.py feeds accept-move '{quoted}'"


def meaning(feed: Feed) -> str:
    if feed.succeeded_at is None:
        return "It has never worked since it was added."
    if feed.failure is FailureReason.GONE:
        return "Nothing more will come from this address."
    return "Nothing is lost if it returns before its entries roll over."


def remedy(feed: Feed) -> str:
    """What to do about a feed that fails or looks wrong."""
    if not feed.failures and feed.suspicion.oddity is not None:
        return _ODD_REMEDIES[feed.suspicion.oddity]
    return _REMEDIES.get(feed.failure, _WAIT) if feed.failure else _WAIT


def span(time: timedelta) -> str:
    """Roughly: "5 minutes", "3 hours", "2 days"."""
    minutes = max(0, int(time.total_seconds())) // 60
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def sentence(text: str) -> str:
    text = text.strip() or "it does not answer"
    first = text[0] if "." in text.split()[0][:-1] else text[0].upper()  # names of hosts stay so
    return f"{first}{text[1:]}{'' if text.endswith('.') else '.'}"
