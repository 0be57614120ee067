"""Numbers under which one notice is published in several places, months apart.  Pure.

An arms sale is announced by the State Department and the Defense Security Cooperation Agency, and
appears later in the Federal Register as "Arms Sales Notification [Transmittal No. 25-07]".
Spellings: Federal Register 2013 … 2026, the Congressional Record, pages of state.gov and dsca.mil.
"""

from __future__ import annotations

import re

from monitor.model import Entry

READ = 20_000  # characters
MOST = 5  # in more there is a list of notices, which is none of them

_DASHES = "-‐‑‒–—−"
# "25-105", "25–07"; reports of an enhancement: "26-1C", "24-0U", "0K-24".  Not the date 25-07-2025.
_NUMBER = (
    rf"[0-9][0-9A-Z]\s?[{_DASHES}]\s?(?:[0-9]{{1,3}}|[0-9][A-Z]|[0-9]{{2}}[A-Z])"
    rf"(?![0-9A-Z]|[{_DASHES}][0-9])"
)
# "Transmittal No. …", "Transmittal #…", "transmittal number …", "No.: …", "TRANSMITTAL NO. RSAT …"
_ONE = r"transmittals?\s{0,8}(?:(?:no|nos|number|numbers)\b|n°|#)?[\s.:#]{0,8}(?:RSAT[\s-]{1,2})?"
_MANY = r"(?:transmittals\s{0,8}|transmittal\s{1,8}(?:nos|numbers)\b)[\s.:#]{0,8}"
_AND = r"\s{0,8}(?:,\s{0,8}and\b|,|;|and\b|&)\s{0,8}"
_NAMED = re.compile(
    rf"\b(?:{_MANY}(?P<many>{_NUMBER}(?:{_AND}{_NUMBER}){{1,50}})|{_ONE}(?P<one>{_NUMBER}))",
    re.IGNORECASE,
)
_EACH = re.compile(_NUMBER, re.IGNORECASE)
_DASH = re.compile(rf"\s?[{_DASHES}]\s?")


def references(entry: Entry) -> tuple[str, ...]:
    """("transmittal 25-07",): the numbers *entry* names, each once; () for a list of many."""
    text = "\n".join(part[:READ] for part in (entry.title, entry.summary, entry.content))[:READ]
    if "ransmittal" not in text and "RANSMITTAL" not in text:
        return ()
    found = (match["many"] or match["one"] for match in _NAMED.finditer(text))
    numbers = (_normal(number) for numbers in found for number in _EACH.findall(numbers))
    named = tuple(dict.fromkeys(f"transmittal {number}" for number in numbers))
    return named if len(named) <= MOST else ()


def _normal(number: str) -> str:
    """With a plain dash, upper case and two digits: "25–7" is 25-07."""
    year, count = _DASH.sub("-", number).upper().split("-")
    return f"{year}-{count.zfill(2)}"
