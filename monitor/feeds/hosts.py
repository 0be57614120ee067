"""Who may fetch now: few at once, one per host, a pause between.

Slow hosts have half of the slots at most; they and those that nobody knows yet never all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

SLOW = 5.0  # seconds: a host whose last exchange took longer waits among the slow ones
REMEMBERED = 1_000  # hosts; idle ones are forgotten beyond that


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0
    known: bool = False  # an exchange with it has ended
    slow: bool = False
    waiting: int = 0


class Gate:
    """Admits exchanges; times are those of *clock*, in seconds."""

    def __init__(self, *, at_once: int, gap: timedelta, clock: Callable[[], float]) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._slow_slots = asyncio.Semaphore(max(1, at_once // 2))
        # Hosts nobody knows yet may be slow ones: some slots are for those that were quick.
        self._unproven_slots = asyncio.Semaphore(at_once - at_once // 8)
        self._gap = gap.total_seconds()
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def admitted(self, name: str) -> AsyncIterator[None]:
        """Wait until it is this host's turn; the pause counts from the end of the exchange."""
        host = self._hosts.setdefault(name, _Host())
        host.waiting += 1
        try:
            async with host.lock:
                if (pause := host.free_at - self._clock()) > 0:
                    await asyncio.sleep(pause)
                async with self._slot(host):
                    began = self._clock()
                    try:
                        yield
                    finally:
                        host.known, host.slow = True, self._clock() - began > SLOW
                        host.free_at = self._clock() + self._gap
        finally:
            host.waiting -= 1
            self._forget()

    @asynccontextmanager
    async def _slot(self, host: _Host) -> AsyncIterator[None]:
        if host.slow:
            async with self._slow_slots, self._unproven_slots, self._slots:
                yield
        elif not host.known:
            async with self._unproven_slots, self._slots:
                yield
        else:
            async with self._slots:
                yield

    def _forget(self) -> None:
        """Drop half of the limit when it is passed: fast hosts first, then the longest idle."""
        if len(self._hosts) <= REMEMBERED:
            return
        now = self._clock()
        idle = [n for n, host in self._hosts.items() if not host.waiting and host.free_at <= now]
        idle.sort(key=lambda name: (self._hosts[name].slow, self._hosts[name].free_at))
        for name in idle[: REMEMBERED // 2]:
            del self._hosts[name]
