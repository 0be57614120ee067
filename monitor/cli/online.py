"""``check --online``: do the feeds answer?  Offers to switch on those that do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection
from functools import partial
from pathlib import Path

import click

from monitor import configedit
from monitor.cli.rewrite import rewrite
from monitor.feeds.fetch import Fetcher
from monitor.feeds.parse import Parser
from monitor.model import Fetched, ParsedFeed
from monitor.settings import Config, FeedSettings
from monitor.terminal import counted, print_table


async def check_feeds(settings: Config) -> int:
    """Fetch every feed once and tell how it went; 1 if one that is switched on failed."""
    parser = Parser()
    try:
        async with Fetcher(settings.poll, contact=settings.contact) as fetcher:
            said = await asyncio.gather(*(_try(feed, fetcher, parser) for feed in settings.feeds))
    finally:
        await parser.aclose()
    answers = dict(zip((feed.name for feed in settings.feeds), said, strict=True))
    print_table(("feed", "answer"), [(name, answer) for name, (_, answer) in answers.items()])
    works = {name for name, (good, _) in answers.items() if good}
    own = configedit.names_in(Path(settings.path).read_text("utf-8"))
    off = [f.name for f in settings.feeds if not f.enabled and f.name in works and f.name in own]
    if off:
        _offer(settings, off)
    failed = [feed.name for feed in settings.feeds if feed.enabled and feed.name not in works]
    click.echo(f"{len(works)} of {len(answers)} feeds answer.")
    if len(answers) > 1 and not works:
        click.echo("That is probably this machine's network or name server, not the feeds.")
    return 1 if failed else 0


async def _try(feed: FeedSettings, fetcher: Fetcher, parser: Parser) -> tuple[bool, str]:
    """Whether *feed* brings entries, and what to say of it."""
    result = await fetcher.get(feed.url, access=feed.access)
    if not isinstance(result, Fetched):
        return False, getattr(result, "detail", "not modified")
    parsed = await parser.parse(result)
    if not isinstance(parsed, ParsedFeed):
        return False, parsed.detail
    moved = f"; it moved to {result.permanent_url}" if result.permanent_url else ""
    return True, f"{counted(len(parsed.entries), 'entry', 'entries')}{moved}"


def _offer(settings: Config, names: Collection[str]) -> None:
    listed = ", ".join(names)
    if not sys.stdin.isatty():
        click.echo(f"Switched off, but answering: {listed}.")
        return
    if click.confirm(f"Switched off, but answering: {listed}. Switch on in config.toml?"):
        switch_on(Path(settings.path), names)
        click.echo("Done.")


def switch_on(path: Path, names: Collection[str]) -> None:
    """Take ``enabled = false`` and its reason from the feeds called *names*; the rest stays."""
    rewrite(path, partial(configedit.switch_on, names=names))
