"""A mail server and a webhook on loopback that keep what they receive: where the demo sends to.

Standard library only, good for polite clients; tests use harsher ones.  Both are async context
managers; ``port`` is known once they are entered.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

LINE_LIMIT = 1 << 20
QUIET_AFTER = 30.0  # seconds without a word from the client


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail as it was handed over."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.data, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def text(self, subtype: str = "plain") -> str:
        """The body part text/*subtype*, decoded; "" when there is none."""
        part = self.message.get_body((subtype,))
        return part.get_content().replace("\r\n", "\n") if part is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One request to the webhook."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)  # lower-case names
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Sink(ABC):
    """A server on 127.0.0.1 at a free port."""

    port = 0

    async def __aenter__(self) -> Self:
        self._open: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, limit=LINE_LIMIT
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            async with asyncio.timeout(QUIET_AFTER):
                await self._talk(reader, writer)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError):
            pass  # the client left or talks nonsense: its own affair
        finally:
            self._open.discard(task)
            writer.close()

    @abstractmethod
    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""


class MailSink(_Sink):
    """Speaks as much SMTP as it takes to receive mail; accepts everything."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())
            await writer.drain()

        sender, recipients = "", list[str]()
        await say("220 monitor demo")
        while line := (await reader.readline()).decode("utf-8", "replace").strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    await say("250-monitor demo", "250-8BITMIME", "250 SMTPUTF8")
                case "MAIL":
                    sender, recipients = _address(rest), []
                    await say("250 OK")
                case "RCPT":
                    recipients.append(_address(rest))
                    await say("250 OK")
                case "DATA" if recipients:
                    await say("354 go on")
                    data = await _until_dot(reader)
                    self.mails.append(Mail(sender=sender, recipients=tuple(recipients), data=data))
                    await say("250 taken")
                case "HELO" | "RSET" | "NOOP":
                    await say("250 OK")
                case "QUIT":
                    await say("221 bye")
                    return
                case "DATA":
                    await say("503 no recipient")
                case _:
                    await say("502 unknown command")


class WebhookSink(_Sink):
    """Takes any POST and answers 200 "ok", as Slack's webhooks do."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.rstrip().split("\r\n")
        method, path, _ = request.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.posted.append(Posted(method=method, path=path, headers=headers, body=body))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()


async def _until_dot(reader: asyncio.StreamReader) -> bytes:
    """The text up to the line with a single dot, its doubled dots undone (RFC 5321, 4.5.2)."""
    lines = []
    while (line := await reader.readline()) not in (b".\r\n", b""):
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


def _address(rest: str) -> str:
    """ "FROM:<a@b> SIZE=1" → "a@b"."""
    return rest.partition("<")[2].partition(">")[0]
