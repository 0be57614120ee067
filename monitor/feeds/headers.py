"""What a server asks for in its headers, as spans of time.  Pure: callers bring the clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=1)  # nobody may send us away for longer

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


def _seconds(digits: str) -> timedelta:
    """Nine digits are 31 years: enough, and no number is too large for ``int`` or ``timedelta``."""
    return timedelta(seconds=int(digits)) if len(digits) <= 9 else LONGEST


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
