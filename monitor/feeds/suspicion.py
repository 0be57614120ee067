"""Does a document that can be read look like the feed it was?  Pure: callers bring the clock.

A feed that answers and is wrong all the same fails nobody's check: it is cut off again and again,
its letters are garbled, it has hardly an entry left, or it is another feed's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.model import Feed, Oddity, ParsedFeed, RawEntry, Suspicion

PATIENCE = timedelta(hours=1)  # what is over sooner is only shown
PATIENCE_EMPTIED = timedelta(days=1)  # a feed of warnings in force may be empty for a while
ACCEPTED_AFTER = timedelta(days=7)  # fewer entries, or another title: the feed is like that now
FEWEST = 10  # entries a feed must have had, for a tenth of them to be few
SHARE = 0.1

# UTF-8 read as Windows-1252 or Latin-1 ("â€™", "Ã©", "Â£"), UTF-8 read as Windows-1251 ("РџСЂРё"),
# and what a decoder puts in place of bytes it cannot read.
_GARBLED = re.compile(
    "â€.|Ã[\u0080-\u00bf\u0192\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
    "|Â[\u00a0-\u00bf]|\ufffd|(?:[РС]\\S){4}"
)
_BEGIN = "âÃÂ\ufffdРС"  # one of these begins it: looking for them alone takes no time


def after(feed: Feed, parsed: ParsedFeed, known: int, now: datetime) -> Feed:
    """*feed* once *parsed* came, of whose entries *known* had been stored before."""
    was = feed.suspicion
    oddity, detail = _odd(feed, parsed, known)
    if oddity is not None and not _accepted(feed, oddity, now):
        suspicion = replace(was, oddity=oddity, detail=detail)
        return replace(feed, suspicion=suspicion, suspected_since=feed.suspected_since or now)
    # What was odd is remembered for one more visit: whoever tells that it is over says what it was.
    over = was if feed.suspected_since is not None else Suspicion()
    looks = Suspicion(
        oddity=over.oddity, detail=over.detail, title=parsed.title, entries=parsed.listed
    )
    if looks == was and feed.suspected_since is None:
        return feed
    return replace(feed, suspicion=looks, suspected_since=None)


def lasts(feed: Feed, now: datetime) -> bool:
    """Whether it has looked wrong for so long that somebody should look."""
    if feed.suspected_since is None:
        return False
    emptied = feed.suspicion.oddity is Oddity.EMPTIED
    return now - feed.suspected_since >= (PATIENCE_EMPTIED if emptied else PATIENCE)


def _odd(feed: Feed, parsed: ParsedFeed, known: int) -> tuple[Oddity | None, str]:
    """What is wrong, and one line about it."""
    was, count = feed.suspicion, parsed.listed
    if not parsed.complete:
        return Oddity.CUT_OFF, f"the document is cut off after {_entries(count)}"
    if was.entries and (count == 0 or (was.entries >= FEWEST and count <= was.entries * SHARE)):
        left = "no entry is left" if not count else f"only {_entries(count)} left"
        return Oddity.EMPTIED, f"{left} of {was.entries}"
    pieces = garbled(parsed.entries)
    if pieces and len(pieces) >= max(2, count * SHARE):
        sample = f', as in "{pieces[0]}"'
        return (
            Oddity.GARBLED,
            f"the letters of {len(pieces)} of {count} entries are garbled{sample}",
        )
    if _is_another(feed, parsed, known):
        return Oddity.ANOTHER, f'the document is titled "{parsed.title}", not "{was.title}"'
    return None, ""


def _is_another(feed: Feed, parsed: ParsedFeed, known: int) -> bool:
    """Another title and not one entry of ours; later its entries are ours, the title is not."""
    was = feed.suspicion
    if not was.title or not parsed.title or parsed.title == was.title or not parsed.listed:
        return False
    return known == 0 or (feed.suspected_since is not None and was.oddity is Oddity.ANOTHER)


def _accepted(feed: Feed, oddity: Oddity, now: datetime) -> bool:
    """Whether it has been like that for so long that this is how the feed is."""
    if oddity not in (Oddity.EMPTIED, Oddity.ANOTHER) or feed.suspected_since is None:
        return False
    return feed.suspicion.oddity is oddity and now - feed.suspected_since >= ACCEPTED_AFTER


def garbled(entries: Sequence[RawEntry]) -> list[str]:
    """A piece of each entry whose letters are garbled."""
    texts = (f"{raw.title or ''} {raw.summary or ''}" for raw in entries)
    found = (_GARBLED.search(text) for text in texts if any(map(text.__contains__, _BEGIN)))
    return [_piece(each) for each in found if each]


def _piece(found: re.Match[str]) -> str:
    start, end = max(0, found.start() - 8), found.end() + 8
    return " ".join(found.string[start:end].split())


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"
