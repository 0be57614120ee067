"""The door for hubs: their questions and pushes, handed on as values.

Behind a reverse proxy that speaks TLS.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol
from urllib.parse import parse_qsl

from monitor.door import DEADLINE, Door, Message, Receive, Reply
from monitor.feeds import websub
from monitor.model import Subscription

MAX_THROWN_AWAY = 8 << 20  # bytes of a push too large that are still taken, so that it gets its 413
_MAX_FIELDS = 20


class Receiver(Protocol):
    """Who is asked, and told."""

    def called(self, token: str) -> Subscription | None:
        """Whose callback ends with *token*."""

    async def asked(self, each: Subscription, query: dict[str, str]) -> str | None:
        """The answer to a hub's question; None: it is not answered."""

    def pushed(self, each: Subscription, *, good: bool) -> None:
        """A push has come, with a good signature or without."""


class Listener:
    """Listens on *host* and *port* until it is closed."""

    def __init__(
        self, receiver: Receiver, host: str, port: int, *, deadline: timedelta = DEADLINE
    ) -> None:
        self._receiver = receiver
        self._door = Door(self._answer, host, port, deadline=deadline)

    def open(self) -> None:
        """Raises OSError if the address cannot be taken."""
        self._door.open()

    async def aclose(self) -> None:
        await self._door.aclose()

    # --- one request

    async def _answer(self, scope: Message, receive: Receive) -> Reply | None:
        each = self._receiver.called(scope["path"].rpartition("/")[2])
        if each is None:
            return Reply(404)
        if scope["method"] == "GET":
            return await self._question(each, scope["query_string"])
        if scope["method"] == "POST":
            return await self._push(each, dict(scope["headers"]), receive)
        return Reply(405, allow="GET, POST")

    async def _question(self, each: Subscription, query: bytes) -> Reply:
        try:
            fields = dict(parse_qsl(query.decode(), max_num_fields=_MAX_FIELDS))
        except ValueError:
            return Reply(404)
        text = await self._receiver.asked(each, fields)
        return Reply(404) if text is None else Reply(200, text)

    async def _push(
        self, each: Subscription, headers: dict[bytes, bytes], receive: Receive
    ) -> Reply | None:
        """A bad signature is answered like a good one, and ignored (§7.1.2)."""
        signed = websub.signature(headers.get(b"x-hub-signature", b"").decode("latin-1"))
        summed = websub.summing(each, signed) if signed else None
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            size += len(message["body"])
            if size > MAX_THROWN_AWAY:
                return Reply(413)
            if summed is not None and size <= websub.MAX_PUSH:
                summed.update(message["body"])
            more = message["more_body"]
        if size > websub.MAX_PUSH:
            return Reply(413)
        good = signed is not None and summed is not None and websub.is_good(summed, signed)
        self._receiver.pushed(each, good=good)
        return Reply(202)
