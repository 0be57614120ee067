"""What commands that only look share: the configuration, a read-only store, spans of time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import click

from monitor import config
from monitor.cli.options import config_path
from monitor.configfile import read_duration
from monitor.configsecrets import shown
from monitor.errors import MonitorError
from monitor.model import Entry
from monitor.pipeline.last_list import last_good
from monitor.settings import Config
from monitor.store.opening import looks_usable
from monitor.store.retention import KEPT_FROM
from monitor.store.sqlite import SqliteStore


class NothingYet(MonitorError):
    """There is no database: the monitor has never run with this configuration."""


class Span(click.ParamType[timedelta]):
    """A length of time: ``24h``, ``7d``."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        try:
            return value if isinstance(value, timedelta) else read_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def looked_up() -> Config:
    """The configuration, for commands that send nothing: secrets may be missing, lists broken."""
    return config.load(config_path(), need_secrets=False, last_good=last_good)


@contextlib.contextmanager
def reading(settings: Config) -> Iterator[SqliteStore]:
    """The store, read-only: works while the daemon runs."""
    if not looks_usable(settings.database):
        raise NothingYet(
            "Nothing has been polled yet: there is no database"
            f" {shown(Path(settings.database))}. "
            "Start the monitor first: python3 run_monitor.py"
        )
    store = SqliteStore.read_only(settings.database)
    try:
        yield store
    finally:
        store.close()


@contextlib.contextmanager
def writing(settings: Config) -> Iterator[SqliteStore]:
    """The store for a command that changes it, also while the daemon runs."""
    with reading(settings):  # refuses with the same words
        store = SqliteStore.beside(settings.database)
    try:
        yield store
    finally:
        store.close()


def emptied(entries: Sequence[Entry], store: SqliteStore) -> int:
    """How many of *entries* have no text because it was too old to be kept."""
    note = store.note(KEPT_FROM)
    if note is None:
        return 0
    kept_from = datetime.fromisoformat(note)
    return sum(
        entry.first_seen_at < kept_from and not entry.summary and not entry.content
        for entry in entries
    )


def say_emptied(entries: Sequence[Entry], store: SqliteStore, settings: Config) -> None:
    """On stderr, where *entries* are looked at that have lost their texts."""
    number, keep = emptied(entries, store), settings.keep_text
    if not number:
        return
    whose = "Its text is" if len(entries) == 1 else f"The texts of {number} of them are"
    older = f"older than {keep.days} days" if keep else "old"
    click.echo(
        f"{whose} gone: what is {older} is emptied (keep_text), and only headline, author and"
        " labels can be looked at.",
        err=True,
    )


def local(at: datetime | None, settings: Config) -> str:
    """*at* in the reader's zone, to the minute."""
    return at.astimezone(settings.timezone).strftime("%Y-%m-%d %H:%M") if at else ""


def since(span: timedelta | None) -> datetime | None:
    return datetime.now(UTC) - span if span is not None else None


def without_login(url: str) -> str:
    """*url* without a name and password in it."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=f"…@{parts.netloc.rpartition('@')[2]}"))
