"""``backup`` and ``restore``: a proved copy of the database, and putting one back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.cli.reading import local, looked_up, reading
from monitor.errors import AlreadyRunning, NotWritten
from monitor.settings import Config
from monitor.store.backup import Contents, examine, make, put_back
from monitor.store.lock import Lock
from monitor.terminal import confirm, counted


@click.command()
@click.argument("path")
@config_option
def backup(path: str) -> None:
    """Copy the database to PATH, also while the monitor runs, and prove the copy.

    PATH is a new file, or a folder: then the copy is named by the time. It holds all entries,
    stories, alerts and what waits to be sent; keep config.toml and the rules folder with it.
    """
    settings, now = looked_up(), datetime.now(UTC)
    to = Path(path)
    if to.is_dir():
        to /= f"monitor-{now.astimezone(settings.timezone):%Y-%m-%dT%H%M%S}.db"
    elif path.endswith("/"):
        raise NotWritten(f"{path}: there is no such folder; make it first, or name a file")
    with reading(settings):  # refuses with the usual words
        contents = make(settings.database, to)
    click.echo(f"{to}: whole, {_said(contents, settings)}.")


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(path: Path, yes: bool) -> None:
    """Make the backup at PATH the database; the monitor must not run.

    The database that is replaced stays beside it. What was published since the backup and is still
    listed by its feed is found again, and alerts again; what waited then may be sent twice.
    """
    settings = looked_up()
    if path.is_dir():
        raise NotWritten(f"{path} is a folder; name the backup in it")
    contents = examine(path)
    click.echo(f"{path}: whole, {_said(contents, settings)}.")
    try:
        with Lock(settings.database):
            if not yes:
                confirm(f"Make it the database {settings.database}?")
            _, kept = put_back(path, settings.database, datetime.now(UTC))
    except AlreadyRunning as running:
        raise AlreadyRunning(f"{running}\nStop the monitor, restore, start it again.") from None
    click.echo("Restored." + (f" What was there before is now {kept}." if kept else ""))


def _said(contents: Contents, settings: Config) -> str:
    waiting = counted(contents.waiting, "delivery", "deliveries")
    newest = f", the newest of {local(contents.newest, settings)}" if contents.newest else ""
    return (
        f"{contents.size / 1e6:.1f} MB, {counted(contents.entries, 'entry', 'entries')}{newest},"
        f" {counted(contents.alerts, 'alert')}, {waiting} waiting"
    )
