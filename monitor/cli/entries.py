"""``entries list|show``: what the feeds brought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta

import click

from monitor.cli.options import config_option, json_option
from monitor.cli.reading import Span, local, looked_up, reading, since
from monitor.errors import MonitorError
from monitor.model import EarlierText
from monitor.settings import Config
from monitor.terminal import plain, print_json, print_table


@click.group()
@config_option
def entries() -> None:
    """What the feeds brought, whether a rule matched it or not."""


@entries.command("list")
@config_option
@json_option
@click.option("--since", "span", type=Span(), help="Only those first seen in the last 24h, 7d …")
@click.option("--feed", help="Only those of the feed with this name.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
def list_entries(as_json: bool, span: timedelta | None, feed: str | None, limit: int) -> None:
    """List entries, the newest first."""
    settings = looked_up()
    with reading(settings) as store:
        found = store.entries(since=since(span), feed=feed, limit=limit)
    if as_json:
        print_json([asdict(entry) for entry in found])
        return
    print_table(
        ("first seen", "feed", "title", "id"),
        [
            (local(entry.first_seen_at, settings), entry.feed_name, entry.title, entry.id)
            for entry in found
        ],
    )


@entries.command("show")
@config_option
@json_option
@click.argument("entry_id", metavar="ID|URL")
def show_entry(as_json: bool, entry_id: str) -> None:
    """Show one entry: by its id, the beginning of its id, or its address."""
    settings = looked_up()
    with reading(settings) as store:
        entry = store.entry(entry_id)
        earlier = store.revisions(entry.id) if entry else []
        story = store.story(entry.id) if entry else None
    if entry is None or story is None:
        raise MonitorError(f'There is no entry "{entry_id}". `entries list` shows ids.')
    if as_json:
        texts = [asdict(each) for each in earlier]
        print_json(asdict(entry) | {"story_id": story.id, "earlier": texts})
        return
    for line in (
        entry.title,
        f"{entry.feed_name}, {local(entry.published_at or entry.first_seen_at, settings)}",
        entry.url,
        "",
        entry.content or entry.summary,
        "",
        f"Entry {entry.id}, first seen {local(entry.first_seen_at, settings)}, story {story.id}",
        *_history(earlier, settings),
    ):
        click.echo(plain(line).plain)


def _history(earlier: Sequence[EarlierText], settings: Config) -> Iterator[str]:
    """What the entry said before, the latest first."""
    for text in reversed(earlier):
        yield ""
        yield f"Until {local(text.changed_at, settings)} it said:"
        yield from filter(None, (text.title, text.content or text.summary))
