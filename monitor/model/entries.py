"""An entry as it is kept, what was known of it, and the page it links to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.model.alerts import Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as everything after the border may rely on it: no optional text."""

    id: str  # hash(feed id, first key); stored, never recomputed
    feed_id: str
    feed_name: str
    feed_tags: frozenset[str] = frozenset()
    keys: tuple[str, ...]  # the identities it is known by, the deciding one first
    url: str = ""  # http or https, or ""
    title: str = ""
    summary: str = ""
    content: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    language: str = ""  # "de", "" unknown
    published_at: datetime | None = None  # the publisher's word, clamped; for display only
    first_seen_at: datetime  # the clock of this program
    fingerprint: str  # of the folded words: equal for trivial edits


class ArticleState(StrEnum):
    QUEUED = "queued"  # due at ``due_at``; also after a failed try
    DONE = "done"  # the entry's content is the page's text
    FAILED = "failed"  # for good: the feed's own text stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The page that an entry links to: to be read, or what became of it."""

    entry_id: str
    host: str
    state: ArticleState = ArticleState.QUEUED
    due_at: datetime  # once settled: when that was
    attempts: int = 0
    detail: str = ""  # why it failed last, or what is to be known of its text


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """The text of a web page, without what stands around it."""

    text: str
    for_subscribers: bool = False  # its publisher says so: this may be only the beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store remembers of an entry under one key."""

    entry_id: str
    story_id: str
    title: str = ""
    fingerprint: str
    first_seen_at: datetime
    rules: frozenset[str] = frozenset()  # rules that matched it, or alerted for its story
    article: str = ""  # its content, where that is the text of the page it links to


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A changed entry: the new text; the store keeps the old one with ``changed_at``."""

    entry: Entry  # with the stored id and first_seen_at
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry that somebody searched for: its headline and its text, with the hits in them."""

    entry: Entry
    headline: Excerpt
    excerpt: Excerpt | None  # None: the hits are in the headline only


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierText:
    """What an entry said until it was changed, or its article was read."""

    changed_at: datetime
    title: str
    summary: str
    content: str
