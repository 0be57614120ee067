"""Which entries of a document are new, which were edited, which only have a new name.  Pure.

A publisher that changes its software gives new ids to entries everybody has seen.  They are
recognised when most of a document has new keys, the pages and titles of stored entries, and those
are no longer in it under their old keys.  A single new id on an old page is news: status feeds do
that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.model import Entry, Known, Revision
from monitor.text import words
from monitor.urls import is_page

FEWEST_RENAMED = 3
RENAMED_SHARE = 0.5  # of the entries in the document


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The entries of a document by what is known of them."""

    new: tuple[Entry, ...]
    edited: tuple[tuple[Revision, Known], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()  # (stored entry id, key it comes with now)


def page_keys(entries: Sequence[Entry], known: Mapping[str, Known], left_out: int = 0) -> list[str]:
    """The further keys to look up, where so many entries are unknown that they may be renamed.

    *left_out* entries of the document were seen at the last visit, and nobody looked at them again.
    """
    unknown = [entry for entry in entries if entry.keys[0] not in known]
    if len(unknown) < _enough(len(entries) + left_out):
        return []
    return [key for entry in unknown for key in entry.keys if is_page(key)]


def sort_out(
    entries: Sequence[Entry], known: Mapping[str, Known], now: datetime, left_out: int = 0
) -> Sorted:
    """*entries* against what is stored under their deciding keys, and under ``page_keys``."""
    stored = {entry.id: known[key] for entry in entries if (key := entry.keys[0]) in known}
    renamed = _renamed([entry for entry in entries if entry.id not in stored], known, stored)
    if len(renamed) < _enough(len(entries) + left_out):
        renamed = {}
    same = stored | renamed
    edited = [(entry, same[entry.id]) for entry in entries if entry.id in same]
    return Sorted(
        new=tuple(entry for entry in entries if entry.id not in same),
        edited=tuple(
            (_revision(entry, was, now), was)
            for entry, was in edited
            if was.fingerprint != entry.fingerprint
        ),
        renamed=tuple(
            (renamed[entry.id].entry_id, key)
            for entry in entries
            if entry.id in renamed
            for key in entry.keys
        ),
    )


def _renamed(
    unknown: Sequence[Entry], known: Mapping[str, Known], stored: Mapping[str, Known]
) -> dict[str, Known]:
    """Entries with a new key, and the page and title of one that has left the document."""
    listed = {was.entry_id for was in stored.values()}
    found: dict[str, Known] = {}
    for entry in unknown:
        was = next((known[key] for key in entry.keys if is_page(key) and key in known), None)
        if was and was.entry_id not in listed and words(was.title) == words(entry.title):
            listed.add(was.entry_id)
            found[entry.id] = was
    return found


def _enough(listed: int) -> float:
    return max(FEWEST_RENAMED, RENAMED_SHARE * listed)


def _revision(entry: Entry, was: Known, now: datetime) -> Revision:
    stored = replace(
        entry,
        id=was.entry_id,
        first_seen_at=was.first_seen_at,
        content=was.article or entry.content,  # the feed knows nothing of the page's text
    )
    return Revision(entry=stored, changed_at=now)
