"""What an arms-sale notice is about: the buyer and the amount.  Pure.

Written for the notices of the US Defense Security Cooperation Agency, the State Department and the
Federal Register; what is not found is left out, never guessed.
"""

from __future__ import annotations

import re

from monitor.alerts.countries import COUNTRIES
from monitor.model import Entry

READ = 20_000  # characters; notices say it at their beginning

_NOTICE = re.compile(
    r"foreign military sale|arms sales? notification|major[- ]arms[- ]sales?|prospective purchaser"
    r"|transmittal (?:no|number|#)",
    re.IGNORECASE,
)
_NAMES = "|".join(re.escape(name) for name in sorted(COUNTRIES, key=len, reverse=True))
_FORMAL = (
    r"(?:(?:Kingdom|Republic|State|Sultanate|Principality|Grand Duchy|Commonwealth) of (?:the )?)?"
)
_BUYERS = (  # the first that is found counts
    re.compile(
        rf"^{_FORMAL}({_NAMES})\b(?: in the United States)?\s*(?:[–—-]|--)"
    ),  # the title: "Iraq – Very Small …"
    re.compile(
        rf"(?:[Gg]overnment of|[Pp]urchaser:|[Ss]ale to|[Ff]or) (?:the )?(?:[Gg]overnment of )?"
        rf"(?:the )?{_FORMAL}({_NAMES})\b"
    ),
)
_UNITS = {"m": "million", "mn": "million", "bn": "billion", "b": "billion"}
_SUM = r"(?:US)?(\$|€|£)\s?(\d[\d,]*(?:\.\d+)?)\s?(million|billion|trillion|bn|mn|m|b)?\b"
_AMOUNTS = (  # totals before parts
    re.compile(rf"\bTOTAL\b[^$€£]{{0,40}}{_SUM}"),
    re.compile(
        rf"(?:estimated|total)\s(?:total\s)?(?:program\s|case\s)?(?:cost|value)[^$€£.]{{0,40}}{_SUM}",
        re.I,
    ),
    re.compile(rf"(?:valued at|worth|cost of|value of)[^$€£.]{{0,30}}{_SUM}", re.I),
)


def facts(entry: Entry) -> tuple[str, ...]:
    """("Kuwait", "$425 million") of a notice of an arms sale; () for anything else."""
    text = f"{entry.summary}\n{entry.content}"[:READ]
    if not (_NOTICE.search(entry.title) or _NOTICE.search(text) or _NOTICE.search(entry.url)):
        return ()
    found = (_buyer(entry.title, text), _amount(text))
    return tuple(filter(None, found))


def _buyer(title: str, text: str) -> str:
    beginning, anywhere = _BUYERS
    found = beginning.search(title) or anywhere.search(title) or anywhere.search(text)
    return COUNTRIES[found[1]] if found else ""


def _amount(text: str) -> str:
    for pattern in _AMOUNTS:
        found = pattern.search(text)
        if found:
            sign, number, unit = found.groups()
            unit = (unit or "").lower()
            return f"{sign}{number} {_UNITS.get(unit, unit)}".strip()
    return ""
