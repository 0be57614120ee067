"""Prints messages of the terminal channel by a thread: output that nobody reads holds up nobody.

``run | less`` with nobody turning the page blocks whoever writes; then the message counts as not
taken and is tried again, while the same print goes on waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from threading import Thread

from monitor.model import Accepted, Message, Refused, Scope, SendResult

PATIENCE = timedelta(seconds=5)
_NOBODY = "nobody reads what is printed"


class Printer:
    """*show* prints a text, and may block."""

    def __init__(self, show: Callable[[str], object], *, patience: timedelta = PATIENCE) -> None:
        self._show, self._patience = show, patience
        self._prints: dict[str, Future[None]] = {}  # by message: under way, or not asked after

    async def print(self, message: Message) -> SendResult:
        """Accepted once it is printed; tried again, it is asked after and not printed anew."""
        if message.id not in self._prints:
            if not all(each.done() for each in self._prints.values()):
                return Refused(detail=_NOBODY, scope=Scope.CHANNEL)
            self._prints[message.id] = self._begun(message.text)
        printed = asyncio.wrap_future(self._prints[message.id])
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await asyncio.shield(printed)
        except TimeoutError:
            return Refused(detail=_NOBODY, scope=Scope.CHANNEL)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            del self._prints[message.id]
            why = getattr(error, "strerror", None) or "it is closed"
            return Refused(detail=f"nothing can be printed: {why}", scope=Scope.CHANNEL)
        del self._prints[message.id]
        return Accepted()

    def _begun(self, text: str) -> Future[None]:
        """A daemon: one that blocks for ever does not keep the program from ending."""
        future: Future[None] = Future()

        def show() -> None:
            try:
                self._show(text)
            except BaseException as error:  # told to whoever waits
                future.set_exception(error)
            else:
                future.set_result(None)

        Thread(target=show, name="terminal", daemon=True).start()
        return future
