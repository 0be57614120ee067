"""Which feeds of a lively farm are slow, giant or hostile: a few of many, always the same ones."""

from __future__ import annotations

import functools
import gzip
from dataclasses import dataclass

SLOW = 20  # one of so many feeds: 5 %
SLOW_FOR = 3.0  # seconds
GIANT = 1_000  # one of so many
GIANT_BYTES = 2_000_000
HOSTILE = 100  # one of so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """What is odd with a feed: nothing, by default."""

    wait: float = 0.0
    body: bytes = b""  # gzipped


def oddity_of(feed: int) -> Oddity:
    if feed % SLOW == 7:
        return Oddity(wait=SLOW_FOR)
    if feed % GIANT == 11:
        return Oddity(body=giant())
    if feed % HOSTILE == 33:
        bodies = hostile()
        return Oddity(body=bodies[feed // HOSTILE % len(bodies)])
    return Oddity()


@functools.cache
def giant() -> bytes:
    item = b"<item><guid>%d</guid><title>Story %d</title><description>%s</description></item>"
    words = b"Ministers met and said little. " * 60
    count = GIANT_BYTES // (len(words) + 80)
    return _packed(b"".join(item % (n, n, words) for n in range(count)))


@functools.cache
def hostile() -> list[bytes]:
    """What parsers choke on: depth, open tags, entities, a bomb, no end, no XML at all."""
    return [
        _packed(b"<item>" + b"<a>" * 20_000 + b"</item>"),
        _packed(b"<item><title>" + b"<![CDATA[" * 3_000 + b"</title></item>"),
        _packed(b"<item><description>" + b"&lt;a b='" * 8_000 + b"</description></item>"),
        gzip.compress(
            b"<!DOCTYPE rss [<!ENTITY a 'aaaaaaaaaa'>"
            + b"".join(b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 9))
            + b"]><rss version='2.0'><channel><item><title>&a8;</title></item></channel></rss>"
        ),
        gzip.compress(b"<rss version='2.0'><channel>" + b" " * 50_000_000),
        gzip.compress(b"<rss version='2.0'><channel><item><title>cut off"),
        gzip.compress(bytes(range(256)) * 400),
    ]


def _packed(items: bytes) -> bytes:
    return gzip.compress(b"<rss version='2.0'><channel><title>x</title>%s</channel></rss>" % items)
