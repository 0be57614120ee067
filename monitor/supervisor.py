"""Talks to systemd: ready, a status line, and "I am alive" – only as long as work gets done.

The protocol of sd_notify(3): one datagram to the socket in NOTIFY_SOCKET.  Without one, all of this
does nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from time import monotonic

import structlog

PINGS = 3  # in the time after which systemd loses patience
PATIENCE = timedelta(minutes=2)  # a part that has not got anything done for so long is stuck

log = structlog.get_logger()


class Progress:
    """When each part of the monitor last got something done."""

    def __init__(self, parts: list[str], clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last = dict.fromkeys(parts, clock())

    def made(self, part: str) -> None:
        self._last[part] = self._clock()

    def stuck(self) -> list[str]:
        """Parts that have made no progress for too long."""
        now, patience = self._clock(), PATIENCE.total_seconds()
        return [part for part, last in self._last.items() if now - last > patience]


class Supervisor:
    """The service manager, if one started us."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        wanted = environment.get("WATCHDOG_USEC", "")
        own = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._patience = int(wanted) / 1e6 if wanted.isdecimal() and own else 0.0  # seconds

    def tell(self, *lines: str) -> None:
        """Send state lines such as "READY=1"; a manager that is gone, or reads nothing, is no
        reason to fail or to wait."""
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.connect(address)
            channel.sendall("\n".join(lines).encode())

    async def watch(self, progress: Progress, status: Callable[[], Awaitable[str]]) -> None:
        """Until cancelled: say that we live and how we are, unless a part is stuck."""
        pause = self._patience / PINGS if self._patience else PATIENCE.total_seconds() / 4
        while self._address:
            stuck = progress.stuck()
            if stuck:
                log.error("no progress", parts=stuck)
                self.tell(f"STATUS=stuck: {', '.join(stuck)}")
            else:
                self.tell("WATCHDOG=1")  # first: how we are may take long to find out
                self.tell(f"STATUS={await _said(status, pause)}")
            await asyncio.sleep(pause)


async def _said(status: Callable[[], Awaitable[str]], seconds: float) -> str:
    """How we are; that this cannot be said is no sign that no work gets done."""
    try:
        async with asyncio.timeout(seconds):
            return await status()
    except TimeoutError:
        return "the database is slow to answer"
    except Exception:
        log.exception("no status")
        return "how it is cannot be said: see the log"
