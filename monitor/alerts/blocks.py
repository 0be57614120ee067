"""Messages as blocks for a Slack bot.  Pure.

What comes from outside stands in ``text`` and ``link`` elements of ``rich_text`` blocks, which
Slack takes literally: feed text cannot mention ``<!channel>``, hide an address, or set type.  Why
it was sent, small, is ours alone: rule and ids, in ``context`` blocks of ``plain_text``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from monitor.alerts import plain
from monitor.alerts.layout import Layout
from monitor.alerts.lines import ITEM, Run, Runs, host, shorten
from monitor.alerts.telling import Telling
from monitor.model import AlertKind

MOST_BLOCKS = 50
# Slack publishes no limit for all blocks together, and refuses them (msg_blocks_too_long) from
# about 11 300 characters of text or 13 200 of all: slackapi/bolt-js, issues 2509 and 2867.
MOST_BYTES = 10_000  # of compact JSON
TEXT_LENGTH = 3_000  # of one element
REASONS_LENGTH = 1_500  # of those a story has; its ids stand below them, in one text object
URL_LENGTH = 2_000  # a longer address is shown, but is no link

# each with a divider and its small print; and a divider, one block and small print for all others
MOST_IN_FULL = MOST_BLOCKS // 3 - 1

Element = dict[str, Any]
_DIVIDER: Element = {"type": "divider"}
_AROUND = 40  # bytes of what stands between two stories


def payload(layout: Layout, *, broadcast: bool) -> str:
    """The JSON that is frozen; *broadcast*: as an answer in a thread, the channel sees it too.

    Without blocks where not even the headlines fit: then the text has to do.
    """
    frozen = {"blocks": blocks(layout), "broadcast": broadcast}
    return json.dumps(frozen, separators=(",", ":"))


def blocks(layout: Layout) -> list[Element]:
    """What is told in order, first in full, then by headline; empty if that is too long.

    One alone is told in full or, without blocks, by the text.
    """
    told = layout.told
    opened = list(zip(_openings(layout), told, strict=True))
    full = [_full(opening, each) for opening, each in opened[:MOST_IN_FULL]]
    brief = [[*opening, *_brief(each)] for opening, each in opened]
    long, short = [_size(each) for each in full], [_size(each) for each in brief]
    for count in range(len(full), 0 if len(told) == 1 else -1, -1):
        if sum(long[:count]) + sum(short[count:]) <= MOST_BYTES:
            rest = [[_rich([_section(_joined(brief[count:]))])]] if brief[count:] else []
            parts = [[_DIVIDER, *each] for each in (*full[:count], *rest)]
            return [block for part in parts for block in part][1:]
    return []


def _openings(layout: Layout) -> Iterator[list[Element]]:
    """What stands before each telling: the introduction, and the heading of its section."""
    intro = _text("".join(f"{line}\n" for line in layout.intro))
    for section in layout.sections:
        heading = _text(f"{section.heading}\n", italic=True) if section.heading else []
        yield [*intro, *(_text("\n") if intro and heading else []), *heading]
        yield from [[]] * (len(section.told) - 1)
        intro = []


def _size(part: object) -> int:
    written = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
    return len(written.encode("utf-8", "replace")) + _AROUND


# --- one telling


def _full(opening: Sequence[Element], telling: Telling) -> list[Element]:
    """The blocks that tell it all."""
    told = _story(telling) if telling.kind is AlertKind.STORY else _notice(telling)
    first, *others = told
    first["elements"] = [*opening, *first["elements"]]
    why = [shorten("\n".join(telling.reasons), REASONS_LENGTH)] if telling.reasons else []
    return [_rich([first, *others]), _small("\n".join((*why, plain.footer(telling))))]


def _story(telling: Telling) -> Iterator[Element]:
    """What happened, what of it is new, where and when, the sentence; then who else tells it."""
    lines = [_headline(telling)]
    for news in telling.news:
        lines += [[*_runs(news.text), *_leading(news.url)], _too_long(news.url)]
    place = ", ".join(filter(None, (telling.outlet, telling.when)))
    lines += [[*_text(place), *_leading(telling.url)], _text(telling.facts)]
    yield _section(_joined(lines))
    for sentence in filter(None, map(_runs, telling.sentences)):
        yield {"type": "rich_text_quote", "elements": sentence}
    lines = [_text(f"({label})") for label in telling.labels]
    lines += [*map(_text, telling.also), _too_long(telling.url)]
    if any(lines):
        yield _section(_joined(lines))


def _headline(telling: Telling) -> list[Element]:
    """All of it bold, its hits in italics, too."""
    runs = (Run(text=f"{telling.tag} "), *telling.headline)
    return [each for run in runs for each in _text(run.text, bold=True, italic=run.hit)]


def _notice(telling: Telling) -> Iterator[Element]:
    """Its title, then lines and lists."""
    lines = [_text(telling.tagged, bold=True)]
    for is_item, group in groupby(telling.paragraphs, key=lambda line: line.startswith(ITEM)):
        if not is_item:
            lines += map(_text, group)
            continue
        if lines:
            yield _section(_joined(lines))
        items = [_section(_text(line.removeprefix(ITEM))) for line in group]
        yield {"type": "rich_text_list", "style": "bullet", "elements": items}
        lines = []
    if lines:
        yield _section(_joined(lines))


def _brief(telling: Telling) -> list[Element]:
    title = telling.tagged
    return [*(_link(telling.url, title) or _text(title)), *_text(f"\n{plain.footer(telling)}\n")]


# --- elements


def _rich(parts: Sequence[Element]) -> Element:
    return {"type": "rich_text", "elements": list(parts)}


def _section(elements: Sequence[Element]) -> Element:
    return {"type": "rich_text_section", "elements": list(elements)}


def _small(text: str) -> Element:
    shown = {"type": "plain_text", "text": shorten(text, TEXT_LENGTH), "emoji": False}
    return {"type": "context", "elements": [shown]}


def _joined(lines: Sequence[Sequence[Element]]) -> list[Element]:
    """The lines that are not empty, each on its own."""
    full = [line for line in lines if line]
    return [each for line in full for each in (*_text("\n"), *line)][1:]


def _runs(runs: Runs) -> list[Element]:
    return [element for run in runs for element in _text(run.text, bold=run.hit)]


def _text(text: str, *, bold: bool = False, italic: bool = False) -> list[Element]:
    if not text:
        return []  # Slack refuses empty elements
    element: Element = {"type": "text", "text": shorten(text, TEXT_LENGTH)}
    style = {name: True for name, on in (("bold", bold), ("italic", italic)) if on}
    return [element | {"style": style} if style else element]


def _leading(url: str) -> list[Element]:
    """ " → " and where the link leads, in a word."""
    link = _link(url, host(url))
    return [*_text(" → "), *link] if link else []


def _too_long(url: str) -> list[Element]:
    return _text(url) if len(url) > URL_LENGTH else []


def _link(url: str, text: str) -> list[Element]:
    if not url or len(url) > URL_LENGTH:
        return []
    return [{"type": "link", "url": url, "text": shorten(text, TEXT_LENGTH)}]
