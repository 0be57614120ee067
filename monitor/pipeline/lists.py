"""The last good form of each OPML file that ``feeds_from`` names, kept in the database.

A list that somebody else keeps may be broken just when the monitor starts: its feeds go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from monitor.configopml import read_list
from monitor.errors import ConfigError, Problem, StoreError
from monitor.feeds import opml
from monitor.settings import Config
from monitor.store import Store
from monitor.store.opening import looks_usable
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer

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


async def keep(config: Config, store: Writer) -> Sequence[Problem]:
    """Remember the lists of *config* that can be read; what is wrong with the others."""
    good, broken = await asyncio.to_thread(_read, config)
    await store.call(partial(_remember, good))
    return broken


def _read(config: Config) -> tuple[Mapping[str, str], Sequence[Problem]]:
    good: dict[str, str] = {}
    broken: list[Problem] = []
    for path in config.feeds_from:
        try:
            good[path] = opml.write(path, read_list(Path(path)).feeds).decode()
        except ConfigError as error:
            broken += error.problems
    return good, broken


def _remember(good: Mapping[str, str], store: Store) -> None:
    for path, text in good.items():
        if store.note(NOTE + path) != text:
            store.set_note(NOTE + path, text)
