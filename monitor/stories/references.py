"""Numbers under which one notice is published in several places, months apart.  Pure.

An arms sale is announced by the State Department and the Defense Security Cooperation Agency, and
appears later in the Federal Register as "Arms Sales Notification [Transmittal No. 25-07]".
"""

from __future__ import annotations

import re

from monitor.model import Entry

READ = 20_000  # characters
MOST = 5  # in more there is a list of notices, which is none of them

# "Transmittal No. 25-105", "Transmittal #26-27", "transmittal number 23-26", "No.: 26-1C", "0K-24"
_TRANSMITTAL = re.compile(
    r"transmittal\s{0,3}(?:no\b|nos\b|number|numbers|#)?[\s.:#]{0,4}"
    r"([0-9][0-9A-Z]\s?[-–‑]\s?[0-9][0-9A-Z]{0,2})\b",
    re.IGNORECASE,
)
_DASH = re.compile(r"\s?[-–‑]\s?")


def references(entry: Entry) -> tuple[str, ...]:
    """("transmittal 25-07",): the numbers *entry* names, each once; () for a list of many."""
    text = f"{entry.title}\n{entry.summary}\n{entry.content}"[:READ]
    if "ransmittal" not in text and "RANSMITTAL" not in text:
        return ()
    numbers = (_DASH.sub("-", found).upper() for found in _TRANSMITTAL.findall(text))
    named = tuple(dict.fromkeys(f"transmittal {number}" for number in numbers))
    return named if len(named) <= MOST else ()
