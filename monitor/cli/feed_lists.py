"""``feeds import|export``: OPML files ↔ config.toml."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from monitor.cli.options import config_option
from monitor.cli.reading import looked_up, without_login
from monitor.configedit import add_feeds
from monitor.configopml import read_list
from monitor.configsecrets import shown
from monitor.errors import ConfigError, MonitorError, NotWritten
from monitor.feeds import opml
from monitor.feeds.address import place, public
from monitor.settings import Config, FeedSettings
from monitor.terminal import counted, plain, print_table


@click.command("import")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--tag", "tags", multiple=True, help="A label for all of them; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only show what would be added.")
def import_feeds(file: Path, tags: tuple[str, ...], dry_run: bool) -> None:
    """Add the feeds of an OPML file to config.toml.

    OPML is what feed readers export; folders become tags. A text file with an address a line will
    do. What is watched already is left as it is. To follow a file
    that others keep, name it in config.toml instead: feeds_from = ["feeds.opml"].
    """
    settings, listed = looked_up(), read_list(file)
    known = {place(feed.url): feed for feed in settings.feeds}
    new = [feed for feed in listed.feeds if place(feed.url) not in known]
    named = opml.named_apart(new, [feed.name for feed in settings.feeds])
    tables = [_table(feed, tags, file) for feed in named]
    if tables and not dry_run:
        _write(settings, tables)
    _tell(listed, tables, [known[place(f.url)] for f in listed.feeds if place(f.url) in known])
    said = "would be added" if dry_run else "added to config.toml"
    left_out = f", {len(listed.left_out)} left out" if listed.left_out else ""
    old = len(listed.feeds) - len(new)
    _say(f"{counted(len(tables), 'feed')} {said}, {old or 'none'} watched already{left_out}.")
    if tables and not dry_run:
        _say("A running monitor takes them over within seconds. Try them with: check --online")


def _table(feed: opml.Outline, tags: Sequence[str], file: Path) -> dict[str, Any]:
    """A [[feeds]] table."""
    labels = list(dict.fromkeys([*feed.tags, *tags]))
    off = {"enabled": False, "reason": f"commented out in {file.name}"}
    table = {"name": feed.name, "url": feed.url}
    return table | ({"tags": labels} if labels else {}) | ({} if feed.enabled else off)


def _write(settings: Config, tables: Sequence[dict[str, Any]]) -> None:
    from monitor.cli.rewrite import rewrite

    for problem in rewrite(Path(settings.path), partial(add_feeds, tables=tables)):
        _say(str(problem))


def _tell(
    listed: opml.FeedList, tables: Sequence[dict[str, Any]], known: Sequence[FeedSettings]
) -> None:
    """Every feed of the list by name: new, known, or left out and why."""
    rows = [
        ("new", t["name"], ", ".join(t.get("tags", ())), without_login(t["url"])) for t in tables
    ]
    rows += [("known", f.name, ", ".join(sorted(f.tags)), without_login(f.url)) for f in known]
    if rows:
        print_table(("", "feed", "tags", "address"), rows)
    for problem in listed.left_out:
        _say(str(problem))
    if listed.mended:
        _say('The file is not well-formed XML (a bare & or "); it was read as it was meant.')


@click.command("export")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
def export_feeds(file: Path) -> None:
    """Write all feeds into an OPML file.

    Tags become folders; FILE may be - for standard output. Feeds that are switched off are marked
    as comments. Names and passwords are left out.
    """
    settings = looked_up()
    text = opml.write("Feeds of the news monitor", map(_outline, settings.feeds))
    if str(file) == "-":
        sys.stdout.write(text.decode())
        return
    _refuse_other_files(file)
    _replace(file, text)
    _say(f"{counted(len(settings.feeds), 'feed')} written to {shown(file)}.")
    logins = [feed.name for feed in settings.feeds if public(feed.url) != feed.url]
    if logins:
        _say(f"Without the name and password in the address of: {', '.join(logins)}.")


def _outline(feed: FeedSettings) -> opml.Outline:
    tags = tuple(sorted(feed.tags))
    return opml.Outline(url=public(feed.url), name=feed.name, tags=tags, enabled=feed.enabled)


def _refuse_other_files(file: Path) -> None:
    """NotWritten if there is something at *file* that is no OPML: a slip would overwrite it."""
    if not file.exists():
        return
    try:
        read_list(file)
    except ConfigError:
        raise NotWritten(
            f"{shown(file)} is there and is not OPML: it was left alone. Take another name"
        ) from None


def _replace(file: Path, text: bytes) -> None:
    from monitor.wholefile import replace_file

    try:
        replace_file(file, text)
    except OSError as error:
        raise MonitorError(f"{shown(file)} cannot be written: {error.strerror}") from None


def _say(text: str) -> None:
    click.echo(plain(text).plain)
