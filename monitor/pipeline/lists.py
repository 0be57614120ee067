"""Keeps the last good form of each OPML file that ``feeds_from`` names in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from monitor.configopml import read_list
from monitor.errors import ConfigError, Problem
from monitor.feeds import opml
from monitor.pipeline.last_list import NOTE
from monitor.settings import Config
from monitor.store import Store
from monitor.store.writer import Writer


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
