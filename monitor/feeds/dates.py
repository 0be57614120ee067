"""The dates people write into feeds.  Pure; what is out of range is the caller's to judge.

feedparser reads CET, BST and JST silently as UTC, and epoch seconds as the year 1795: so we read
the string ourselves, and take its word only where we have none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache

# Hours east of UTC of the zone names met in feeds (RFC 822 and the tz database's abbreviations).
# Ambiguous ones (IST, BST, CST) as news feeds mean them.
_ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MEZ": 1,
    "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "TRT": 3, "IST": 5.5, "PKT": 5, "ICT": 7,
    "WIB": 7, "HKT": 8, "SGT": 8, "PHT": 8, "AWST": 8, "KST": 9, "JST": 9, "AEST": 10, "AEDT": 11,
    "NZST": 12, "NZDT": 13, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "BRT": -3, "ART": -3,
}  # fmt: skip

# Month names beside English, folded to three letters where that is enough.
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "nov": 11, "dec": 12,
    "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12,
    "fév": 2, "fev": 2, "avr": 4, "juin": 6, "juil": 7, "aoû": 8, "aou": 8, "déc": 12,
    "ene": 1, "abr": 4, "ago": 8, "dic": 12, "set": 9, "out": 10, "gen": 1, "mag": 5, "giu": 6,
    "lug": 7, "ott": 10,
}  # fmt: skip

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(\S.*)?$"
)
_NAMED = re.compile(
    r"(?:[^\W\d]+\.?,?\s+)?(\d{1,2})\.?[ -]+([^\W\d]+)\.?,?[ -]+(\d{4}|\d{2})"
    r"(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(\S.*)?$"
)
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?$")


@lru_cache(maxsize=1 << 10)  # the readers of a document's parts ask one after the other
def read(text: str) -> datetime | None:
    """The moment *text* names, aware and in UTC; None if we cannot be sure of it."""
    text = " ".join(text.split())[:100]
    for pattern, order in ((_ISO, "ymd"), (_NAMED, "dmy")):
        found = pattern.match(text)
        if found:
            return _moment(found, order)
    return _from_mail(text)


def _moment(found: re.Match[str], order: str) -> datetime | None:
    first, second, third, hour, minute, second_of_minute, zone = found.groups()
    year, month, day = (
        (first, int(second), third) if order == "ymd" else (third, _month(second), first)
    )
    offset = _offset(zone)
    if month is None or offset is None:
        return None
    try:
        local = datetime(
            _year(year),
            month,
            int(day),
            int(hour or 0),
            int(minute or 0),
            min(int(second_of_minute or 0), 59),
            tzinfo=offset,
        )
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _year(text: str) -> int:
    """Two digits as RFC 2822 §4.3 reads them."""
    number = int(text)
    if len(text) > 2:
        return number
    return number + (2000 if number < 50 else 1900)


def _month(name: str) -> int | None:
    folded = name.casefold()
    return _MONTHS.get(folded[:4]) or _MONTHS.get(folded[:3])


def _offset(zone: str | None) -> timezone | None:
    """UTC if none is named; None for a zone we do not know, which must not be taken for UTC."""
    if zone is None:
        return UTC
    name = zone.strip().strip("()").upper()
    if name in _ZONES:
        return timezone(timedelta(hours=_ZONES[name]))
    found = _OFFSET.match(name.partition(" (")[0].strip())
    if not found or int(found[2]) > 14:
        return None
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))


def _from_mail(text: str) -> datetime | None:
    """What is left of RFC 822's forms, if its zone is a number or one we know."""
    try:
        parts = parsedate_tz(text)
    except (ValueError, TypeError, IndexError):
        return None
    if parts is None:
        return None
    words = text.split()
    zone = words[-1].upper()
    if zone.isalpha() and zone not in _ZONES:
        return None
    seconds = _ZONES[zone] * 3600 if zone in _ZONES else (parts[9] or 0)
    try:
        offset = timezone(timedelta(seconds=seconds))
        return datetime(*parts[:6], tzinfo=offset).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
