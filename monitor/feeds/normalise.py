"""RawEntry → Entry: the border where optional fields end and identities begin.  Pure.

An entry is looked up by its deciding key, ``keys[0]``.  The other keys are registered with it, so
that it is recognised when the feed's identity mode changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from monitor import ids
from monitor.feeds.clean import clean_text, one_line
from monitor.feeds.links import is_whole
from monitor.model import Entry, Feed, IdentityMode, ParsedFeed, RawEntry
from monitor.text import joined_words, words
from monitor.urls import page_key

OLDEST = datetime(1995, 1, 1, tzinfo=UTC)  # before the first feeds: a date to be doubted
AHEAD = timedelta(days=1)  # clocks and zones differ by less
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_KEY_LENGTH = 32  # hex digits of SHA-256


def entries_of(
    parsed: ParsedFeed, feed: Feed, now: datetime
) -> tuple[IdentityMode, tuple[Entry, ...]]:
    """The document's entries, each once, and the mode that tells them apart from now on."""
    mode = identity_mode(feed, parsed.entries)
    entries: dict[str, Entry] = {}
    for raw in parsed.entries:
        entry = normalise(raw, feed, parsed.language, mode, now)
        if entry is not None:
            entries.setdefault(entry.keys[0], entry)
    return mode, tuple(entries.values())


def identity_mode(feed: Feed, entries: Sequence[RawEntry]) -> IdentityMode:
    """GUID, until the feed shows one guid with different links, or, without guids, one link with
    different titles; then both decide, for ever."""
    if feed.identity is not IdentityMode.GUID:
        return feed.identity
    links: dict[str, str | None] = {}
    titles: dict[str, str | None] = {}
    for raw in entries:
        if raw.guid:
            if links.setdefault(raw.guid, raw.link) != raw.link:
                return IdentityMode.GUID_AND_LINK
        elif raw.link and titles.setdefault(raw.link, raw.title) != raw.title:
            return IdentityMode.LINK_AND_TITLE
    return IdentityMode.GUID


def normalise(
    raw: RawEntry, feed: Feed, language: str | None, mode: IdentityMode, now: datetime
) -> Entry | None:
    """*raw* with every field filled; None if there is nothing in it."""
    title, summary = one_line(raw.title or ""), clean_text(raw.summary or "").strip()
    content = clean_text(raw.content or "").strip()
    url = web_url(raw.link)
    if not (title or summary or content or url):
        return None
    text = f"{title}\n{summary}\n{content}"
    keys = identities(raw, url, text, mode)
    return Entry(
        id=ids.entry_id(feed.id, keys[0]),
        feed_id=feed.id,
        feed_name=feed.name,
        feed_tags=feed.tags,
        keys=keys,
        url=url,
        title=title,
        summary=summary,
        content=content,
        author=one_line(raw.author or ""),
        categories=raw.categories,
        language=primary(raw.language or language or ""),
        published_at=plausible(raw.published_at or raw.updated_at, now),
        first_seen_at=now,
        fingerprint=fingerprint(text),
    )


def identities(raw: RawEntry, url: str, text: str, mode: IdentityMode) -> tuple[str, ...]:
    """The keys of an entry, the deciding one first: guid, else page, else its words.

    With an unreliable guid, guid and link together decide; with an unreliable link, link and title.
    """
    page = page_key(url)
    if raw.guid:
        both = _key("gl", raw.guid, raw.link) if raw.link else None
        alone = _key("g", raw.guid)
        if mode is IdentityMode.GUID_AND_LINK and both:
            return _some(both, page)  # the guid alone is somebody else's too
        return _some(alone, both, page)
    if raw.link:
        both = _key("lt", raw.link, " ".join(words(raw.title or "")))
        if mode is IdentityMode.LINK_AND_TITLE:
            return (both,)  # the page is somebody else's too
        return _some(page or _key("l", raw.link), both)
    return (_key("h", fingerprint(text)),)


def _some(*keys: str | None) -> tuple[str, ...]:
    return tuple(key for key in keys if key)


def fingerprint(text: str) -> str:
    """Equal for texts of the same words: case, punctuation and space do not count."""
    return _digest(joined_words(text))


def web_url(link: str | None) -> str:
    """*link* if it is one to a web page, else ""."""
    if not link:
        return ""
    if is_whole(link) and "xn--" not in link:
        return link
    link = one_line(link)
    try:
        parts = urlsplit(link)
        if parts.scheme.lower() not in ("http", "https") or not _is_host(parts.hostname or ""):
            return ""
    except ValueError:
        return ""
    return link.replace(" ", "%20")


def _is_host(name: str) -> bool:
    """Whether *name* can be a host's; raises ValueError if it says "xn--" and is not so coded."""
    coded = [label[4:] for label in name.split(".") if label.startswith("xn--")]
    return bool(name) and not any(
        _CONTROLS.search(each.encode().decode("punycode")) for each in coded
    )


def plausible(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and OLDEST <= at <= now + AHEAD else None


def primary(language: str) -> str:
    """ "en" of "en-GB"; "" for what is no language tag."""
    tag = language.replace("_", "-").partition("-")[0].strip().lower()
    return tag if tag.isascii() and tag.isalpha() and 2 <= len(tag) <= 3 else ""


def _key(kind: str, *parts: str | None) -> str:
    return f"{kind}:{_digest(chr(0).join(part or '' for part in parts))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_KEY_LENGTH]
