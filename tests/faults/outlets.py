"""Feeds and sinks on loopback that write down what they served and received, completely.

``outlet.behaviour`` and ``hook.mode`` make them misbehave while a test runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from string import ascii_lowercase
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.faults.ledgers import Ledger, Received, Served
from tests.servers import Asked, Behaviour, Writer
from tests.sinks import HttpSink, SmtpSink

_ALERT_ID = re.compile(r"\b[0-9a-f]{16}\b")
# Where a message names the alerts it tells: under each, or behind it in a very long digest.  A
# notice of what was not delivered has ids in its text, too, and tells none of them.
_NAMED = re.compile(r"^(?:Alert|Notice|Digest) .*|\([0-9a-f, ]{16,}\)$", re.MULTILINE)


class Outlet:
    """A feed with an ETag whose document a test changes while it is served."""

    def __init__(self, url_path: str, ledger: Ledger, *, seed: int = 1) -> None:
        self.path, self.url = url_path, ""  # the url is known once it is served
        self.behaviour: Behaviour | None = None  # instead of the document
        self.gets = 0
        self._items: dict[str, str] = {}  # link → item, oldest first
        self._published = 0
        self._ledger, self._chance = ledger, random.Random(seed)

    def publish(self, title: str = "", *, minutes_ago: float = 0) -> str:
        """One more item; its headline, of words that nobody else uses unless *title* says."""
        link = f"https://news.example{self.path}/{self._published}"
        title = title or f"NATO {self._words()} {self._published}"
        at = format_datetime(datetime.now(UTC) - timedelta(minutes=minutes_ago))
        self._published += 1
        self._items[link] = (
            f"<item><guid isPermaLink='false'>{link}</guid><link>{link}</link>"
            f"<title>{title}</title><pubDate>{at}</pubDate></item>"
        )
        return title

    def _words(self) -> str:
        """A headline must not be joined to another's story."""
        return " ".join("".join(self._chance.choices(ascii_lowercase, k=9)) for _ in range(5))

    @property
    def links(self) -> list[str]:
        return list(self._items)

    def roll_over(self, stored: Iterable[str], *, listed: int = 40) -> None:
        """Only the newest stay listed, and those that are not in *stored* yet."""
        old = set(stored) - set(self.links[-listed:])
        self._items = {link: item for link, item in self._items.items() if link not in old}

    async def __call__(self, asked: Asked, writer: Writer) -> None:
        self.gets += 1
        if self.behaviour is not None:
            self._note(whole=False)
            await self.behaviour(asked, writer)
            return
        links, body = self.links, self._document()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if asked.headers.get("if-none-match") == tag:
            writer.write(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n")
            links = []
        else:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nETag: {tag}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        self._note(whole=True, links=links)

    def _document(self) -> bytes:
        items = "".join(reversed(self._items.values()))
        return f"<rss version='2.0'><channel>{items}</channel></rss>".encode()

    def _note(self, *, whole: bool, links: Iterable[str] = ()) -> None:
        t = self._ledger.now
        self._ledger.write(Served(t=t, feed=self.url, whole=whole, links=list(links)))


class _Notes:
    """Numbers what a sink received."""

    count = 0  # over all sinks of a test: the order in which messages came

    def __init__(self, name: str, ledger: Ledger) -> None:
        self.name, self._ledger = name, ledger
        self.texts: list[str] = []

    def received(self, text: str) -> int:
        _Notes.count += 1
        self.texts.append(text)
        self._ledger.write(
            Received(
                t=self._ledger.now,
                n=_Notes.count,
                sink=self.name,
                ids=told(text),
                text=text,
            )
        )
        return _Notes.count

    def acked(self, n: int) -> None:
        self._ledger.acked(n)


@dataclass(slots=True, kw_only=True)
class Hook(HttpSink):
    """A webhook that keeps a ledger; ``mode`` overrides the last step of the path."""

    notes: Any = None
    mode: str = ""

    async def _answer(self, mode: str, writer: asyncio.StreamWriter) -> None:
        body = json.loads(self.posted[-1].body)  # nothing was awaited since it was added
        n = self.notes.received(f"{body.get('title', '')}\n{body.get('message', '')}")
        mode = self.mode or mode
        await HttpSink._answer(self, mode, writer)
        if mode == "slow" or mode.startswith("2"):
            self.notes.acked(n)


@dataclass(slots=True, kw_only=True)
class Mailbox(SmtpSink):
    """A mail server that keeps a ledger."""

    notes: Any = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        before = len(self.mails)
        answering = asyncio.ensure_future(SmtpSink.handle_DATA(self, server, session, envelope))
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        if len(self.mails) == before:  # it was refused
            return await answering
        mail = self.mails[-1]
        n = self.notes.received(f"{mail.message['subject']}\n{mail.text()}")
        answer = await answering
        if answer.startswith("2") and not self.drop_after_data:
            self.notes.acked(n)
        return answer


def told(text: str) -> list[str]:
    """Ids of the alerts that a message tells."""
    return sorted({id_ for named in _NAMED.findall(text) for id_ in _ALERT_ID.findall(named)})


def notes(name: str, ledger: Ledger) -> _Notes:
    return _Notes(name, ledger)
