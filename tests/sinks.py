"""Servers on loopback that take messages, or misbehave on request.

``HttpSink`` does what the last step of the path says: ``POST /hook/429`` is answered 429.
``SmtpSink`` is a real aiosmtpd whose answers a test chooses.  Both live in the test's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from monitor.alerts.addresses import Security, mail_url
from monitor.demo.sinks import Mail, Posted

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter

BOT_TOKEN = "xoxb-1234567890-c4n4ry-S3CRET"


@dataclass(slots=True, kw_only=True)
class HttpSink:
    """Steps: a status, ``hang``, ``slow``, ``drip``, ``reset``, ``ambiguous`` or ``redirect``."""

    port: int = 0
    answer: bytes = b"ok"
    answers: list[bytes] = field(default_factory=list)  # given in turn, before ``answer``
    retry_after: str = ""
    slow: float = 0.2  # seconds
    posted: list[Posted] = field(default_factory=list)  # read whole, whatever was answered

    def url(self, step: str, *, scheme: str = "json") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/hook/{step}"

    def slack_url(self, step: str) -> str:
        """An address of apprise's Slack plugin that posts here."""
        base = f"http://127.0.0.1:{self.port}/{step}"
        return f"slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?base={base}"

    def bot_url(self, step: str = "200") -> str:
        """An address of a Slack bot that posts here."""
        return f"slack-bot://{BOT_TOKEN}/C0123ABCD?base=http://127.0.0.1:{self.port}/{step}"

    def paths(self) -> list[str]:
        return [posted.path for posted in self.posted]

    async def _talk(self, reader: Reader, writer: Writer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.rstrip().split("\r\n")
        method, path, _ = request.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        steps = path.partition("?")[0].split("/")[::-1]
        mode = next((step for step in steps if step in _MODES), "200")
        if mode == "reset":
            writer.transport.abort()
            return
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.posted.append(Posted(method=method, path=path, headers=headers, body=body))
        await self._answer(mode, writer)

    async def _answer(self, mode: str, writer: Writer) -> None:
        if mode == "ambiguous":
            writer.transport.abort()
        elif mode == "hang":
            await asyncio.sleep(60)
        elif mode == "drip":
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.2)
        elif mode == "redirect":
            await self._reply(writer, "302", f"Location: {self.url('200', scheme='http')}\r\n")
        else:
            await asyncio.sleep(self.slow if mode == "slow" else 0)
            extra = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
            await self._reply(writer, "200" if mode == "slow" else mode, extra)

    async def _reply(self, writer: Writer, status: str, extra: str = "") -> None:
        answer = self.answers.pop(0) if self.answers else self.answer
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n{extra}\r\n"
        writer.write(head.encode() + answer)
        await writer.drain()


_MODES = {"reset", "ambiguous", "hang", "drip", "redirect", "slow"} | {
    str(status) for status in range(200, 600)
}


@asynccontextmanager
async def http_sink(**changes: Any) -> AsyncIterator[HttpSink]:
    sink = HttpSink(**changes)
    async with _serving(sink._talk) as sink.port:
        yield sink


@dataclass(slots=True, kw_only=True)
class SmtpSink:
    """Answers for each command; None: aiosmtpd's own, which accepts.  Also its handler."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    on_mail: str | None = None
    on_rcpt: str | None = None
    on_data: str | None = None
    hang_after_data: bool = False
    drop_after_data: bool = False
    password: str | None = None  # set: logging in is offered

    def url(self, to: str = "anna@example.org", **changes: Any) -> str:
        values = {"server": "127.0.0.1", "port": self.port, "from_": "Monitor <mon@corp.org>"}
        return mail_url(to=to, security=Security.NONE, **(values | changes))

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.on_mail or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.on_rcpt:
            return self.on_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.on_data:
            return self.on_data
        data = envelope.content
        assert isinstance(data, bytes)
        self.mails.append(
            Mail(sender=str(envelope.mail_from), recipients=tuple(envelope.rcpt_tos), data=data)
        )
        if self.hang_after_data:
            await asyncio.sleep(60)
        if self.drop_after_data:
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password.decode() == self.password, handled=False)


@asynccontextmanager
async def smtp_sink(kind: type[SmtpSink] = SmtpSink, **changes: Any) -> AsyncIterator[SmtpSink]:
    sink = kind(**changes)
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        made = SMTP(
            sink,
            hostname="sink",
            loop=loop,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=sink.authenticate if sink.password is not None else None,
        )
        sessions.append(made)
        return made

    server = await loop.create_server(session, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for each in sessions:
            if each.transport is not None:
                each.transport.abort()
            if each._handler_coroutine is not None:
                each._handler_coroutine.cancel()
        await asyncio.sleep(0)


@asynccontextmanager
async def _serving(talk: Any) -> AsyncIterator[int]:
    """A TCP server whose conversations end with it; its port."""
    running: set[asyncio.Task[Any]] = set()

    async def serve(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await talk(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def talking(greeting: bytes) -> AsyncIterator[int]:
    """A server that says *greeting*, and nothing more, to whoever connects; its port."""

    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(greeting)
        await writer.drain()
        await reader.read()

    async with _serving(talk) as port:
        yield port
