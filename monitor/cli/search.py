"""``search``: stored entries with these words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta

import click
from rich.text import Text

from monitor.cli.named import spelt_right
from monitor.cli.options import config_option, json_option
from monitor.cli.reading import Span, local, looked_up, reading, since
from monitor.cli.why import marked
from monitor.model import Found
from monitor.searchquery import to_index
from monitor.settings import Config
from monitor.store.search import Wanted
from monitor.terminal import console, counted, plain, print_json

_OPERATORS = ("or", "not", "and")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True)
@config_option
@json_option
@click.option("--since", "span", type=Span(), help="Only those first seen in the last 24h, 7d …")
@click.option("--feed", help="Only those of the feed with this name.")
@click.option("--best", is_flag=True, help="The best first, not the newest.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
def search(
    words: Sequence[str],
    as_json: bool,
    span: timedelta | None,
    feed: str | None,
    best: bool,
    limit: int,
) -> None:
    """Find entries by the words of their headlines and texts, the newest first.

    All words must be there: search NATO summit. Also: "arms sale" for a phrase (within '…' for
    the shell), Kyiv OR Odesa, -football or NOT football, missil* for a beginning, ( ) to group.
    Capitals and accents make no difference.
    """
    for word in words:
        if word.startswith("--"):  # a slip in an option's name is no word
            raise click.NoSuchOption(word)
    settings, query = looked_up(), " ".join(words)
    wanted = Wanted(words=to_index(query), since=since(span), feed=feed, by_rank=best, limit=limit)
    with reading(settings) as store:
        found, missing = store.search(wanted), store.unindexed()
        if not found:
            spelt_right(settings, store, feed=feed)
    if as_json:
        print_json({"unsearchable": missing, "found": [_plainly(each) for each in found]})
        return
    shown = console()
    for each in found:
        for line in _lines(each, settings, colour=shown.is_terminal):
            shown.print(line)
    for remark in _remarks(query, len(found), limit, missing):
        click.echo(remark)


def _lines(found: Found, settings: Config, *, colour: bool) -> Iterator[Text]:
    entry = found.entry
    when = f"{local(entry.first_seen_at, settings)}  {entry.feed_name}  "
    yield _one_line(plain(when) + marked(found.headline, colour=colour))
    if found.excerpt is not None:
        yield _one_line(Text("    ") + marked(found.excerpt, colour=colour))
    yield plain(f"    {entry.url or 'no link'}  (entry {entry.id})")


def _one_line(text: Text) -> Text:
    """Feeds break lines where they like."""
    for at, char in enumerate(text.plain):
        if char in "\n\t":
            text = text[:at] + Text(" ") + text[at + 1 :]
    return text


def _remarks(query: str, found: int, limit: int, missing: int) -> Iterator[str]:
    if found == limit:
        yield f"These are the first {limit}; more with --limit."
    elif not found:
        yield "Nothing was found."
        low = [word for word in query.split() if word in _OPERATORS]
        if low:
            yield f'"{low[0]}" was looked for as a word; {low[0].upper()} in capitals parts words.'
    if missing:
        yield (
            f"{counted(missing, 'entry', 'entries')} of an older program cannot be searched yet:"
            " the running monitor makes them so, the newest first."
        )


def _plainly(found: Found) -> dict[str, object]:
    entry = found.entry
    return {
        "entry": entry.id,
        "first_seen_at": entry.first_seen_at,
        "published_at": entry.published_at,
        "feed": entry.feed_name,
        "title": entry.title,
        "url": entry.url,
        "headline": asdict(found.headline),
        "excerpt": asdict(found.excerpt) if found.excerpt else None,
    }
