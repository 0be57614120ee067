"""What an arms-sale notice is about: the buyer and the amount.  Pure.

Written for the notices of the US Defense Security Cooperation Agency, the State Department and the
Federal Register, and for what agencies report of them; what is not found is left out, never
guessed.  Patterns read texts with single spaces.
"""

from __future__ import annotations

import re

from monitor.countries import COUNTRIES
from monitor.model import Entry

READ = 20_000  # characters; notices say it at their beginning

# "foreign military sales" is the programme, which any contract may mention
_NOTICE = re.compile(
    r"\bforeign military sale\b|\barms sales? notification\b|\bprospective purchaser:"
    r"|\btransmittals? ?(?:no\b|nos\b|number|#|[0-9][0-9A-Z][-‐‑–][0-9])"
    r"|\bletters?(?:\(s\))? of offer and acceptance to\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"/major-arms-sales/", re.IGNORECASE)
# both together make a notice, too
_SALE = re.compile(r"\b(?:possible|potential|proposed) (?:[^.;]{1,40} )?sale\b", re.IGNORECASE)
_AGENCY = re.compile(r"\bDSCA\b|Defen[sc]e Security Cooperation Agency")

# --- the buyer

_NAMES = "|".join(re.escape(name) for name in sorted(COUNTRIES, key=len, reverse=True))
_FORMAL = (  # lazy: the Republic of Korea is a name of its own
    r"(?:(?:[A-Z][a-z]+ ){0,2}(?:Kingdom|Republic|State|Sultanate|Principality|Grand Duchy"
    r"|Commonwealth) of (?:the )?)??"
)
_BUYER = (  # not the Israel of "Israel-based", nor NATO of "NATO Ally"
    rf"(?:[Tt]he )?(?:[Gg]overnment of )?(?:[Tt]he )?{_FORMAL}({_NAMES})(?!\w|-\w)"
    r"(?! (?:[Aa]ll(?:y|ies)|[Mm]ember|[Pp]artner|[Cc]ountr))"
)
_TITLE = re.compile(  # "Iraq – Very Small …", "NATO Support and Procurement Agency (NSPA) – …"
    rf"{_BUYER}(?: in the United States| \([A-Z.]{{2,12}}\)){{0,2}}(?:--|[–—] | [–—]| - )"
)
_BUYERS = tuple(  # the first that is found counts
    re.compile(pattern)
    for pattern in (
        rf"[Pp]urchaser: {_BUYER}",
        rf"[Ss]ale (?:\(FMS\) )?(?:to|for) {_BUYER}",
        rf"[Aa]cceptance to {_BUYER}",
        rf"[Ss]ale (?:\(FMS\) )?of [^.;]{{1,120}}? to {_BUYER}",
        rf"(?=[Gg]overnment of){_BUYER} has requested",
        rf"(?=[Gg]overnment of){_BUYER}",
    )
)

# --- the amount

_SUM = (  # "$1.25 billion", "US$ 1.4bn", "USD 300 million", "$8Bln", "$425,000,000"; not "A$ 5m"
    r"(?<![A-Za-z0-9$])(?:(?:US ?|U\.S\. ?)?(?P<sign>[$€£]) ?|(?P<code>USD|EUR|GBP) ?)"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,12})(?P<part>\.[0-9]{1,4})?(?![0-9]|[.,][0-9])"
    r"(?:[ -]?(?P<unit>million|billion|trillion|mln|bln|mn|bn|m|b)\b)?"
)
_LINK = (  # words that may stand between "estimated cost" and the sum
    r"(?:[:,]? (?:is|was|of|at|to|be|will|would|cost|not|exceed|approximately|about|around|up"
    r"|nearly|almost|over|some|an?|estimated|close|as|much|more|than)\b){0,6}:? ?"
)
_AMOUNTS = tuple(  # totals before estimates, these before other sums
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"total estimated value.{{0,800}}?\btotal[ .…:]{{0,90}}{_SUM}",
        r"\b(?:estimated|total)(?: (?:estimated|total|potential|maximum|program|programme|case"
        rf"|contract|package)){{0,3}} (?:cost|value|price){_LINK}{_SUM}",
        rf"\bestimated (?:at|to cost){_LINK}{_SUM}",
        rf"\b(?:valued at|worth|cost of|value of|price tag of|for approximately){_LINK}{_SUM}",
        rf"{_SUM}(?: (?!sale|deal|package)[\w()-]{{1,20}}){{0,4}} (?:sale|deal|package)\b",
        rf"\bfor{_LINK}{_SUM}",
    )
)
_UNITS = {"m": "million", "b": "billion", "t": "trillion"}  # by their first letter
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def facts(entry: Entry) -> tuple[str, ...]:
    """("Kuwait", "$425 million") of a notice of an arms sale; () for anything else."""
    title, text = _plain(entry.title), _plain(f"{entry.summary[:READ]}\n{entry.content[:READ]}")
    everything = f"{title}\n{text}"[:READ]
    if not (_ADDRESS.search(entry.url) or _is_notice(everything)):
        return ()
    return tuple(filter(None, (_buyer(title, everything), _amount(everything))))


def _plain(text: str) -> str:
    return " ".join(text[:READ].split())


def _is_notice(text: str) -> bool:
    if _NOTICE.search(text):
        return True
    return _AGENCY.search(text) is not None and _SALE.search(text) is not None


def _buyer(title: str, text: str) -> str:
    found = _TITLE.match(title)
    if not found:
        tried = (pattern.search(text) for pattern in _BUYERS)
        found = next(filter(None, tried), None)
    return COUNTRIES[found[1]] if found else ""


def _amount(text: str) -> str:
    """The first sum of at least a million, as the best pattern finds it."""
    sums = (_sum(found) for pattern in _AMOUNTS for found in pattern.finditer(text))
    return next(filter(None, sums), "")


def _sum(found: re.Match[str]) -> str:
    """A sum as people write it: "$425 million" for $425,000,000, too; "" if it is small change."""
    sign = found["sign"] or _SIGNS[found["code"].upper()]
    digits = found["number"].replace(",", "")
    value = float(digits + (found["part"] or ""))
    if found["unit"] and value:
        written = found["number"] + (found["part"] or "")
        return f"{sign}{written} {_UNITS[found['unit'][0].lower()]}"
    for power, unit in ((9, "billion"), (6, "million")):
        if value >= 10**power:
            return f"{sign}{value / 10**power:.10g} {unit}"
    return ""
