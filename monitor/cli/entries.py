"""``entries list|show``: what the feeds brought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta

import click

from monitor.cli.groups import Guessing
from monitor.cli.named import spelt_right
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import Span, emptied, local, looked_up, reading, since
from monitor.errors import MonitorError
from monitor.model import Article, ArticleState, EarlierText
from monitor.settings import Config
from monitor.terminal import plain, print_json, print_table


@click.group(cls=Guessing)
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
        if not found:
            spelt_right(settings, store, feed=feed)
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
        article = store.article(entry.id) if entry else None
        gone = bool(entry and emptied([entry], store))
    if entry is None or story is None:
        raise MonitorError(f'There is no entry "{entry_id}". `entries list` shows ids.')
    if as_json:
        texts = [asdict(each) for each in earlier]
        page = asdict(article) if article else None
        print_json(
            asdict(entry)
            | {"story_id": story.id, "earlier": texts, "article": page, "text_gone": gone}
        )
        return
    for line in (
        entry.title,
        f"{entry.feed_name}, {local(entry.published_at or entry.first_seen_at, settings)}",
        entry.url,
        "",
        entry.content or entry.summary or ("(the text was too old to be kept)" if gone else ""),
        "",
        f"Entry {entry.id}, first seen {local(entry.first_seen_at, settings)}, story {story.id}",
        *_said_of(article, settings),
        *_history(earlier, article, settings),
    ):
        click.echo(plain(line).plain)


def _said_of(article: Article | None, settings: Config) -> Iterator[str]:
    """Whether the text above is that of the page, and if not, why."""
    if article is None:
        return
    at = local(article.due_at, settings)
    match article.state:
        case ArticleState.DONE:
            yield f"Full text, read from the page {at}" + _because(article)
        case ArticleState.FAILED:
            yield "Only the text of the feed" + _because(article)
        case ArticleState.QUEUED:
            yield f"The page is still to be read, {at} at the earliest" + _because(article)


def _because(article: Article) -> str:
    return f": {article.detail}" if article.detail else ""


def _history(
    earlier: Sequence[EarlierText], article: Article | None, settings: Config
) -> Iterator[str]:
    """What the entry said before, the latest first."""
    for text in reversed(earlier):
        read = article is not None and article.due_at == text.changed_at
        yield ""
        until = f"Until {local(text.changed_at, settings)}"
        yield f"{until}, when its full text was read, it said:" if read else f"{until} it said:"
        yield from filter(None, (text.title, text.content or text.summary))
