"""The last good form of an OPML file that ``feeds_from`` names, as ``lists`` keeps it.

A list that somebody else keeps may be broken just when the monitor starts: its feeds go on.
"""

from __future__ import annotations

from monitor.errors import StoreError
from monitor.store.opening import looks_usable
from monitor.store.sqlite import SqliteStore

NOTE = "feeds-from:"  # and the path: an OPML document


def last_good(database: str, path: str) -> bytes | None:
    """The list at *path* as it was when it could last be read; None if it never could."""
    try:
        return _noted(database, path)
    except StoreError:  # whoever opens it next will tell
        return None


def _noted(database: str, path: str) -> bytes | None:
    if not looks_usable(database):
        return None
    store = SqliteStore.read_only(database)
    try:
        text = store.note(NOTE + path)
    finally:
        store.close()
    return text.encode() if text is not None else None
