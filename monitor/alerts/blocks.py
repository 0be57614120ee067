"""Messages as blocks for a Slack bot.  Pure.

All text stands in ``text`` elements of ``rich_text`` blocks, which Slack takes literally: feed
text cannot mention ``<!channel>``, hide an address, or set type.  Links are elements of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from monitor.alerts import plain
from monitor.alerts.layout import Layout
from monitor.alerts.lines import Runs, shorten
from monitor.alerts.telling import Telling
from monitor.model import AlertKind

MOST_BLOCKS = 50
# Slack publishes no limit for all blocks together, and refuses them (msg_blocks_too_long) from
# about 11 300 characters of text or 13 200 of all: slackapi/bolt-js, issues 2509 and 2867.
MOST_BYTES = 10_000  # of compact JSON
TEXT_LENGTH = 3_000  # of one element
URL_LENGTH = 2_000  # a longer address is shown, but is no link

MOST_IN_FULL = MOST_BLOCKS // 2 - 1  # each with a divider; and one block for all others

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
    opened = list(zip(map(_text, _openings(layout)), told, strict=True))
    full = [_block([*opening, *_full(each)]) for opening, each in opened[:MOST_IN_FULL]]
    brief = [[*opening, *_brief(each)] for opening, each in opened]
    long, short = [_size(each) for each in full], [_size(each) for each in brief]
    for count in range(len(full), 0 if len(told) == 1 else -1, -1):
        if sum(long[:count]) + sum(short[count:]) <= MOST_BYTES:
            rest = [_block(_joined(brief[count:]))] if brief[count:] else []
            return [each for block in (*full[:count], *rest) for each in (_DIVIDER, block)][1:]
    return []


def _openings(layout: Layout) -> Iterator[str]:
    """What stands before each telling: the introduction, and the heading of its section."""
    intro = "".join(f"{line}\n" for line in layout.intro)
    for section in layout.sections:
        heading = f"{plain.heading(section.heading)}\n" if section.heading else ""
        yield f"{intro}{heading}"
        yield from [""] * (len(section.told) - 1)
        intro = ""


def _size(part: object) -> int:
    written = json.dumps(part, ensure_ascii=False, separators=(",", ":"))
    return len(written.encode("utf-8", "replace")) + _AROUND


def _block(elements: Sequence[Element]) -> Element:
    section = {"type": "rich_text_section", "elements": list(elements)}
    return {"type": "rich_text", "elements": [section]}


# --- one telling


def _full(telling: Telling) -> list[Element]:
    lines = _story(telling) if telling.kind is AlertKind.STORY else _notice(telling)
    return _joined([line for line in lines if line])


def _story(telling: Telling) -> Iterator[list[Element]]:
    """What happened, where and when, the sentence, the link; then why."""
    yield [*_text(f"{telling.tag} "), *_runs(telling.headline)]
    yield _text(", ".join(filter(None, (telling.outlet, telling.when))))
    yield _text(telling.facts)
    for news in telling.news:
        yield _runs(news.text)
        yield _link(news.url)
    yield from map(_runs, telling.sentences)
    yield _link(telling.url)
    for label in telling.labels:
        yield _text(f"({label})")
    yield from map(_text, telling.also)
    yield from map(_text, telling.reasons)
    yield _text(plain.footer(telling))


def _notice(telling: Telling) -> Iterator[list[Element]]:
    yield _text(f"{telling.tag} {telling.title}")
    yield from map(_text, telling.paragraphs)
    yield _text(plain.footer(telling))


def _brief(telling: Telling) -> list[Element]:
    title = f"{telling.tag} {telling.title}"
    return [*(_link(telling.url, title) or _text(title)), *_text(f"\n{plain.footer(telling)}")]


def _joined(lines: Sequence[list[Element]]) -> list[Element]:
    found = list(lines[0])
    for line in lines[1:]:
        found += [*_text("\n"), *line]
    return found


# --- elements


def _runs(runs: Runs) -> list[Element]:
    return [element for run in runs for element in _text(run.text, bold=run.hit)]


def _text(text: str, *, bold: bool = False) -> list[Element]:
    if not text:
        return []  # Slack refuses empty elements
    element: Element = {"type": "text", "text": shorten(text, TEXT_LENGTH)}
    return [element | {"style": {"bold": True}} if bold else element]


def _link(url: str, text: str = "") -> list[Element]:
    if not url or len(url) > URL_LENGTH:
        return [] if text else _text(url)
    shown = {"text": shorten(text, TEXT_LENGTH)} if text else {}
    return [{"type": "link", "url": url, **shown}]
