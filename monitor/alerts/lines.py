"""Lines for people: cleaned, cut, marked, dated.  Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor.model import Excerpt

ITEM = "· "  # begins a line that is one of a list
HOST_LENGTH = 60
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Texts are cleaned where they enter; this is the last door before somebody else's parser.
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_INVISIBLE = re.compile(r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of text that is, or is not, a hit."""

    text: str
    hit: bool = False


Runs = tuple[Run, ...]


def local_time(at: datetime, timezone: ZoneInfo) -> str:
    """*at* for a reader in *timezone*, in words no locale changes: "Thu 13 Feb 2025, 11:00 CET"."""
    local = at.astimezone(timezone)
    zone = local.tzname() or ""
    if not zone[:1].isalpha():  # many zones have no letters: "-03"
        zone = f"UTC{zone}"
    day = f"{DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
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


def runs(excerpt: Excerpt) -> Runs:
    """The excerpt cut at its marks; overlapping marks become one."""
    found: list[Run] = []
    done = 0
    for start, end in sorted(excerpt.marks):
        start, end = max(start, done), min(end, len(excerpt.text))
        if start < end:
            found += [
                Run(text=excerpt.text[done:start]),
                Run(text=excerpt.text[start:end], hit=True),
            ]
            done = end
    found.append(Run(text=excerpt.text[done:]))
    cleaned = [Run(text=_inner(run.text), hit=run.hit) for run in found]
    return tuple(run for run in cleaned if run.text)


def _inner(text: str) -> str:
    """As ``one_line``, but spaces at the ends stay: they part this run from the next."""
    return _INVISIBLE.sub("", _BREAKS.sub(" ", text))


def web(url: str) -> str:
    """*url* if a click on it opens a page and its text cannot pretend to be more than a link."""
    if not url.lower().startswith(("http://", "https://")):
        return ""
    return "" if _BREAKS.search(url) or _INVISIBLE.search(url) else url


def host(url: str) -> str:
    """Where a link leads, in a word: "politico.eu".  Of a long name the end, which decides."""
    try:
        name = (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:  # "http://["
        name = url
    return name if len(name) <= HOST_LENGTH else f"…{name[1 - HOST_LENGTH :]}"


def joined(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def short_time(at: datetime, timezone: ZoneInfo, day: datetime) -> str:
    """*at* beside a date near *day*: "09:12", or with its own date "6 Feb 2025, 09:12"."""
    local, other = at.astimezone(timezone), day.astimezone(timezone)
    if local.date() == other.date():
        return f"{local:%H:%M}"
    year = f" {local.year}" if local.year != other.year else ""
    return f"{local.day} {_MONTHS[local.month - 1]}{year}, {local:%H:%M}"


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 story", "3 stories"."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def date(at: datetime, timezone: ZoneInfo) -> str:
    """ "6 Feb 2025"."""
    local = at.astimezone(timezone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def span(length: timedelta) -> str:
    """ "20 min", "3 h", "4 days"."""
    minutes = round(length / timedelta(minutes=1))
    if minutes < 60:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


def lasting(duration: timedelta) -> str:
    """ "20 minutes", "3 hours", "4 days"."""
    minutes = max(1, round(duration.total_seconds() / 60))
    if minutes < 120:
        return counted(minutes, "minute")
    hours = round(minutes / 60)
    return counted(hours, "hour") if hours < 48 else counted(round(hours / 24), "day")
