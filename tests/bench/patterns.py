"""Documents that a farm of feeds serves: real ones as patterns where there are any, else made ones.

Entry *s* of feed *n* is the same bytes in every revision, as with a real publisher: new entries
come in at the top, the oldest fall off, all others stay as they are.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from itertools import product
from pathlib import Path

REAL = Path(__file__).parents[3] / "shared" / "feed-templates"
BASE = 1_793_491_200  # 2026-11-01: fixed, so that documents are the same in every run
STEP = 2_100  # seconds between two entries of a feed
_WORDS = """market storm council vote trial climate energy bank strike health study border player
league minister school rocket data court river report police update project kernel library"""

_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"

_ITEM = {
    "rss": re.compile(rb"<item[\s>].*?</item>", re.S),
    "atom": re.compile(rb"<entry[\s>].*?</entry>", re.S),
}
_TITLE = re.compile(rb"(<title(?:\s[^>]*)?>)(.*?)(</title>)", re.S)
_ID = re.compile(rb"(<(id|guid)(?:\s[^>]*)?>)(.*?)(</\2>)", re.S)
_RSS_LINK = re.compile(rb"(<link>)(.*?)(</link>)", re.S)
_ATOM_LINK = re.compile(rb"<link\s[^>]*>")
_HREF = re.compile(rb"""(href\s*=\s*)(["'])(.*?)\2""")
_RFC = re.compile(rb"(<(pubDate|lastBuildDate)>)(.*?)(</\2>)", re.S)
_ISO = re.compile(rb"(<(updated|published|dc:date)>)(.*?)(</\2>)", re.S)
# No client is ever led off this machine (icons, hubs): namespaces stay, all other hosts go.
_FOREIGN = re.compile(
    rb"""(xmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*'))|https?:/?/?(?:[\w.-]+\.[A-Za-z]{2,}"""
    rb"""|localhost)(?::\d+)?|(?<=["'])//[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?=[/"'])"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One feed as a pattern; in its parts @TAG@, @URL@, @RFC@ and @ISO@ stand for what differs."""

    kind: str  # "rss" or "atom"
    head: bytes
    items: Sequence[bytes]
    tail: bytes

    @property
    def count(self) -> int:
        """How many entries a document lists."""
        return max(20, min(50, len(self.items)))

    def entry(self, feed: int, number: int, marker: str = "") -> bytes:
        at = BASE + number * STEP - feed * 7
        tag = b" [%d/%d] %s" % (feed, number, marker.encode())
        url = b"http://127.0.0.1:1/site%d/entry-%d" % (feed, number)
        return _filled(self.items[number % len(self.items)], tag, url, at)

    def document(self, feed: int, top: int, revision: int, markers: Mapping[int, str]) -> bytes:
        """The feed while entry *top* is its newest; *revision* changes what is round entries."""
        head = _filled(self.head, b" of farm %d" % feed, b"", BASE + top * STEP + revision)
        entries = [
            self.entry(feed, number, markers.get(number, ""))
            for number in range(top, top - self.count, -1)
        ]
        note = b"\n<!-- made %d -->\n" % revision if revision else b""
        return head + b"\n".join(entries) + self.tail + note


class Unlike:
    """A feed each of whose entries has words of its own: no two, of any feeds, tell one event."""

    kind, count = "rss", 20
    _words = tuple(map("".join, product(_CONSONANTS, _VOWELS, _CONSONANTS, _VOWELS, "nrs")))

    def document(self, feed: int, top: int, revision: int, markers: Mapping[int, str]) -> bytes:
        entries = (
            self._entry(feed, number, markers.get(number, ""))
            for number in range(top, top - self.count, -1)
        )
        head = f"<rss version='2.0'><channel><title>Feed {feed}</title>"
        head += f"<lastBuildDate>{formatdate(BASE + top * STEP + revision, usegmt=True)}"
        return f"{head}</lastBuildDate>{''.join(entries)}</channel></rss>".encode()

    def _entry(self, feed: int, number: int, marker: str) -> str:
        chance = random.Random(feed << 20 | number)
        title, *paragraphs = (" ".join(chance.choices(self._words, k=k)) for k in (8, 40, 60))
        url = f"http://127.0.0.1:1/site{feed}/entry-{number}"
        when = formatdate(BASE + number * STEP - feed * 7, usegmt=True)
        text = "".join(f"&lt;p&gt;{each}.&lt;/p&gt;" for each in paragraphs)
        return (
            f"<item><title>{title} {marker}</title><link>{url}</link><guid>{url}</guid>"
            f"<pubDate>{when}</pubDate><description>{text}</description></item>\n"
        )


def _filled(part: bytes, tag: bytes, url: bytes, at: int) -> bytes:
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)).encode()
    part = part.replace(b"@TAG@", tag).replace(b"@URL@", url).replace(b"@ISO@", iso)
    return part.replace(b"@RFC@", formatdate(at, usegmt=True).encode())


def pattern_of(raw: bytes) -> Pattern:
    """*raw*, a document of RSS or Atom, as a pattern."""
    if not raw.lstrip().startswith(b"<?xml"):
        raw = b'<?xml version="1.0" encoding="UTF-8"?>\n' + raw.lstrip()
    raw = _FOREIGN.sub(lambda found: found[1] or b"http://127.0.0.1:1", raw)
    root = re.search(rb"<(rss|feed)[\s>]", raw)
    kind = "rss" if root and root[1] == b"rss" else "atom"
    found = list(_ITEM[kind].finditer(raw))
    return Pattern(
        kind=kind,
        head=_dated(_tagged(raw[: found[0].start()])),
        items=[_item(each[0], kind) for each in found],
        tail=raw[found[-1].end() :].rstrip(),
    )


def _item(item: bytes, kind: str) -> bytes:
    item = _ID.sub(rb"\1@URL@\4", _dated(_tagged(item)), count=1)
    if kind == "rss":
        return _RSS_LINK.sub(rb"\1@URL@\3", item, count=1)
    return _ATOM_LINK.sub(_linked, item)


def _tagged(part: bytes) -> bytes:
    def title(found: re.Match[bytes]) -> bytes:
        text, end, rest = found[2].rpartition(b"]]>")
        inner = text + b"@TAG@" + end + rest if end else found[2] + b"@TAG@"
        return found[1] + inner + found[3]

    return _TITLE.sub(title, part, count=1)


def _dated(part: bytes) -> bytes:
    return _ISO.sub(rb"\1@ISO@\4", _RFC.sub(rb"\1@RFC@\4", part))


def _linked(found: re.Match[bytes]) -> bytes:
    if b"rel=" in found[0] and b"alternate" not in found[0]:
        return found[0]
    return _HREF.sub(rb"\1\2@URL@\2", found[0], count=1)


def patterns(*, real: bool = True) -> list[Pattern]:
    """Those of real feeds where they are at hand and wanted, else made ones of such sizes."""
    found = sorted(REAL.glob("*.xml")) if real else []
    return [pattern_of(path.read_bytes()) for path in found] or [_made(n) for n in range(12)]


def _made(number: int) -> Pattern:
    chance = random.Random(1_000 + number)

    def some(count: int) -> str:
        return " ".join(chance.choices(_WORDS.split(), k=count)).capitalize()

    def text() -> str:
        paragraphs = (some(chance.randint(20, 60)) for _ in range(chance.randint(1, 9)))
        return "".join(f'<p>{each} <a href="/x">{some(2)}</a>.</p>' for each in paragraphs)

    make = _atom_entry if number % 3 == 0 else _rss_item
    entries = "\n".join(
        make(some(8), some(2), some(25), text()) for _ in range(chance.randint(20, 50))
    )
    return pattern_of((_ATOM if number % 3 == 0 else _RSS).replace("@ENTRIES@", entries).encode())


_RSS = (
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>x</title><link>http://x/</link>'
    "<description>d</description><lastBuildDate>x</lastBuildDate>\n@ENTRIES@\n</channel></rss>"
)
_ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><id>x</id>'
    "<updated>x</updated>\n@ENTRIES@\n</feed>"
)


def _rss_item(title: str, author: str, summary: str, text: str) -> str:
    return (
        f"<item><title>{title}</title><link>http://x/</link><guid>http://x/</guid>"
        f"<dc:creator><![CDATA[{author}]]></dc:creator><pubDate>x</pubDate>"
        f"<description>{summary}</description>"
        f"<content:encoded><![CDATA[{text}]]></content:encoded></item>"
    )


def _atom_entry(title: str, author: str, summary: str, text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<entry><title>{title}</title><id>x</id><link rel="alternate" href="http://x/"/>'
        f"<updated>x</updated><author><name>{author}</name></author><summary>{summary}</summary>"
        f'<content type="html">{escaped}</content></entry>'
    )
