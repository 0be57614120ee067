"""``feeds remove|pause|resume|accept-move``: edits of config.toml, which stays the truth."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import click

from monitor.cli.options import config_option
from monitor.cli.reading import looked_up, reading, without_login
from monitor.confidential import secrets_of
from monitor.configedit import names_in, readdress, remove_feed, switch_off, switch_on
from monitor.errors import MonitorError, NotWritten
from monitor.feeds.condition import MOVED_POLLS, has_moved
from monitor.settings import Config, FeedSettings
from monitor.terminal import plain


@click.command("remove")
@config_option
@click.argument("name")
def remove(name: str) -> None:
    """Take a feed out of config.toml. What it has brought stays in the database."""
    gone: list[str] = []

    def edit(text: str) -> str:
        text, lines = remove_feed(text, name)
        gone.append(lines)
        return text

    settings, feed = _own(name)
    _rewritten(settings, feed, edit)
    _say(f'"{name}" is no longer in config.toml. These lines were taken out:')
    _say(_without_secrets(gone[0], feed, settings))
    _say(_live())


@click.command("pause")
@config_option
@click.argument("name")
@click.option("--reason", default="", help="Why; it is shown wherever the feed is.")
def pause(name: str, reason: str) -> None:
    """Stop watching a feed, until `feeds resume`. What comes and goes meanwhile is not seen."""
    settings, feed = _own(name)
    reason = " ".join(reason.split())
    if not feed.enabled and reason in ("", feed.reason):
        _say(f'"{name}" is switched off already{f": {feed.reason}" if feed.reason else ""}.')
        return
    _rewritten(settings, feed, lambda text: switch_off(text, name, reason))
    _say(f'"{name}" is switched off in {feed.source} now{f": {reason}" if reason else ""}.')
    _say(f'{_live()} Switch it on with: feeds resume "{name}"')


@click.command("resume")
@config_option
@click.argument("name")
def resume(name: str) -> None:
    """Watch a paused feed again, or one that config.toml has switched off."""
    settings, feed = _own(name)
    if feed.enabled:
        _say(f'"{name}" is not switched off. See how it fares with: feeds show "{name}"')
        return
    _rewritten(settings, feed, lambda text: switch_on(text, [name]))
    _say(f'"{name}" is watched again. {_live()}')


@click.command("accept-move")
@config_option
@click.argument("name")
def accept_move(name: str) -> None:
    """Write the address to which a feed has moved for good into config.toml. Its entries stay."""
    settings, feed = _own(name)
    moved_to = _moved_to(settings, feed)
    _rewritten(settings, feed, lambda text: readdress(text, name, moved_to))
    _say(f'"{name}" is {moved_to} in config.toml now; it was {feed.url}. {_live()}')


def _moved_to(settings: Config, feed: FeedSettings) -> str:
    """Where *feed* has moved to; refuses what cannot be accepted."""
    if without_login(feed.url) != feed.url:
        raise MonitorError(
            f'The address of "{feed.name}" has a log-in in it, which we do not send elsewhere by'
            f" ourselves. Change it by hand in {feed.source}; `feeds show` has the new address."
        )
    with reading(settings) as store:
        stored = next((each for each in store.feeds(rhythms=False) if each.url == feed.url), None)
    if stored is None or stored.moved_to is None or not has_moved(stored):
        raise MonitorError(
            f'"{feed.name}" has not moved: its address has not sent us to another one'
            f" {MOVED_POLLS} times in a row. Nothing was changed."
        )
    return stored.moved_to


def _own(name: str) -> tuple[Config, FeedSettings]:
    """The feed called *name*, which stands in config.toml itself; else NoSuchName, NotWritten."""
    from monitor.cli.named import named_feeds

    settings = looked_up()
    named_feeds(settings, [name])
    feed = next(each for each in settings.feeds if each.name == name)
    if name not in names_in(Path(settings.path).read_text("utf-8")):
        raise NotWritten(
            f'"{name}" comes from {feed.source}, which feeds_from in config.toml names: change it'
            " there. Or write a [[feeds]] table with its address into config.toml; what that says"
            " of the feed goes before."
        )
    return settings, feed


def _rewritten(settings: Config, feed: FeedSettings, edit: Callable[[str], str]) -> None:
    """Edit config.toml, and tell what is worth a look since: rules that are blind now."""
    from monitor.cli.rewrite import rewrite, rules_in_files

    rules = rules_in_files(settings)
    warnings = rewrite(Path(settings.path), edit)
    for problem in warnings:
        _say(str(problem))
    now = {each.name: each.enabled for each in looked_up().feeds}
    relying = rules.relying_on(feed.name, feed.tags) if rules is not None else ()
    if relying and not now.get(feed.name):
        _say(f"Rules that ask for it or for one of its tags: {', '.join(relying)}.")


def _without_secrets(lines: str, feed: FeedSettings, settings: Config) -> str:
    """The feed's own keys; tables below them, such as [feeds.headers], may hold secrets."""
    own = takewhile(lambda line: not line.lstrip().startswith("[feeds."), lines.split("\n"))
    text = "\n".join(own).replace(feed.url, without_login(feed.url)).rstrip()
    for secret in secrets_of(settings):
        text = text.replace(secret, "…")
    return text


def _live() -> str:
    from monitor.cli.rewrite import LIVE

    return LIVE


def _say(text: str) -> None:
    click.echo(plain(text).plain)
