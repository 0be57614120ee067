"""What a server says in its headers: spans of time, links.  Pure: callers bring the clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=1)  # nobody may send us away for longer

# RFC 8288 §3; what is no parameter ends the link.
_LINK = re.compile(r'<([^<>]{1,4000})>((?:\s*;\s*[\w*-]{1,40}\s*(?:=\s*(?:"[^"]*"|[^\s",;]*))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]*))', re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]+")
_MAX_AGE = re.compile(r'(?:^|[,\s])max-age\s*=\s*"?([0-9]+)', re.IGNORECASE)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Retry-After as a wait, at most ``LONGEST``: seconds or a date (RFC 9110 §10.2.3).

    None for what is missing, unreadable, or not in the future.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        wait = _seconds(text)
    else:
        at = _http_date(text)
        wait = at - now if at else timedelta(0)
    return min(wait, LONGEST) if wait > timedelta(0) else None


def max_age(cache_control: str | None) -> timedelta | None:
    """How long the answer is good for, at most ``LONGEST``, by Cache-Control (RFC 9111 §5.2.2)."""
    found = _MAX_AGE.search(cache_control or "")
    return min(_seconds(found[1]), LONGEST) if found else None


def links(value: str | None) -> tuple[tuple[str, str], ...]:
    """(relation, address) of each relation in a Link header (RFC 8288), addresses as written."""
    found = []
    for address, parameters in _LINK.findall(value or ""):
        named = _REL.search(parameters)
        words = (named[1] or named[2] or "") if named else ""
        found += [(word.lower(), address.strip()) for word in words.split()]
    return tuple(found)


def _seconds(digits: str) -> timedelta:
    """Nine digits are 31 years: enough, and no number is too large for ``int`` or ``timedelta``."""
    return timedelta(seconds=int(digits)) if len(digits) <= 9 else LONGEST


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
