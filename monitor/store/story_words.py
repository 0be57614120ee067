"""In how many entries of a language a word stands: what tells rare words from common ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

KEPT = 400_000  # rows of a language, before the rare half is forgotten


def counts(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Language → stemmed word → entries with it; "" counts the entries themselves."""
    found: dict[str, dict[str, int]] = {}
    for row in db.execute("SELECT language, word, entries FROM story_words"):
        found.setdefault(row["language"], {})[row["word"]] = row["entries"]
    return found


def add(db: sqlite3.Connection, counted: Mapping[str, Mapping[str, int]]) -> None:
    """Add what was counted since the last time."""
    for language, words in counted.items():
        db.executemany(
            "INSERT INTO story_words VALUES (?, ?, ?) ON CONFLICT (language, word)"
            " DO UPDATE SET entries = entries + excluded.entries",
            [(language, word, n) for word, n in words.items()],
        )
        where = "WHERE language = ?"
        (kept,) = db.execute(f"SELECT count(*) FROM story_words {where}", [language]).fetchone()
        if kept > KEPT:  # shares stay what they were
            db.execute(f"UPDATE story_words SET entries = entries / 2 {where}", [language])
            db.execute(f"DELETE FROM story_words {where} AND entries = 0", [language])
