"""Hands messages over: one child process for each channel, killed when it is late.

This side knows no apprise: it starts children, gives them a message and reads what they saw.
Channels of our own, see ``direct``, need no child.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from monitor.alerts import direct, slackbot
from monitor.alerts.addresses import TERMINAL
from monitor.alerts.outcome import judge
from monitor.alerts.posting import Poster
from monitor.alerts.printing import Printer
from monitor.alerts.room import Room
from monitor.errors import ChildFailed
from monitor.model import Message, Refused, Scope, SendResult
from monitor.sandbox import Pool
from monitor.settings import Channel, Target

CHILD = "monitor.alerts.apprise_child:send"
DEADLINE = timedelta(seconds=45)  # of the whole hand-over: then the child is killed
PATIENCE = timedelta(seconds=30)  # for one answer; a service that takes 20 s has still accepted
CONNECT = timedelta(seconds=10)
IDLE = timedelta(minutes=5)
MOST_CHILDREN = 8
MEMORY = 512 << 20  # apprise takes 60 MiB
CPU = timedelta(seconds=10)

# What services ask of senders: Slack and Discord take about one message a second from a webhook.
GAPS = {"slack": timedelta(seconds=1.1), "discord": timedelta(seconds=0.5)}
GAPS |= {slackbot.KIND: GAPS["slack"]}

_CHILD_FAILURES = {
    "deadline": "no answer in time",
    "memory": "sending took too much memory",
    "died": "the sending process died",
}


class Sender:
    """Sends one message to one target at a time for each channel; channels do not wait for others.

    At most eight channels are sent to at once.
    """

    def __init__(
        self,
        *,
        terminal: Callable[[str], object],
        deadline: timedelta = DEADLINE,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._printer = Printer(terminal)
        self._deadline = deadline
        self._patience = patience
        self._poster = Poster(deadline=deadline, patience=patience, connect=min(CONNECT, patience))
        self._pools: dict[str, Pool] = {}
        self._lanes: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}  # target → event loop time
        self._room = Room(MOST_CHILDREN, time.monotonic)

    async def send(
        self, message: Message, target: Target, channel: Channel, *, thread: str = ""
    ) -> SendResult:
        """Try once, as an answer in *thread*.  Never raises for what a channel does."""
        if channel.kind == TERMINAL:
            return await self._printer.print(message)
        async with self._lanes.setdefault(channel.name, asyncio.Lock()):
            await self._keep_gap(target.name, channel.kind)
            if channel.kind in direct.KINDS:
                return await direct.send(
                    self._poster, message, target, channel, thread=thread, clock=_now
                )
            async with self._room.admitted(channel.name):
                return await self._try(message, target, channel)

    async def aclose(self) -> None:
        """Kill all children, in the middle of what they do."""
        await self._poster.aclose()
        pools, self._pools = list(self._pools.values()), {}
        await asyncio.gather(*(pool.aclose() for pool in pools))

    async def _try(self, message: Message, target: Target, channel: Channel) -> SendResult:
        pool = await self._pool(channel.name)
        body = json.dumps({"text": message.text, "html": message.html}).encode()
        try:
            seen = await pool.call(self._header(message, target), body)
        except ChildFailed as failure:
            return _child_failed(failure)
        return judge(seen, _now())

    def _header(self, message: Message, target: Target) -> dict[str, object]:
        return {
            "url": target.url,
            "subject": message.subject,
            "headers": message.headers,
            "connect_timeout": min(CONNECT, self._patience).total_seconds(),
            "read_timeout": self._patience.total_seconds(),
        }

    async def _pool(self, channel: str) -> Pool:
        """The channel's child; of eight others, the one that was used longest ago has to go."""
        pool = self._pools.pop(channel, None) or Pool(
            CHILD, size=1, deadline=self._deadline, memory=MEMORY, cpu=CPU, idle=IDLE
        )
        self._pools[channel] = pool  # last: used most recently
        for name in list(self._pools)[:-MOST_CHILDREN]:
            if not self._lanes[name].locked():
                await self._pools.pop(name).aclose()
        return pool

    async def _keep_gap(self, target: str, kind: str) -> None:
        loop = asyncio.get_running_loop()
        wait = self._free_at.get(target, 0.0) - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        if kind in GAPS:
            self._free_at[target] = loop.time() + GAPS[kind].total_seconds()


def _now() -> datetime:
    return datetime.now(UTC)


def _child_failed(failure: ChildFailed) -> Refused:
    """A child that was killed may have handed its message over just before."""
    if failure.reason == "raised":
        return Refused(detail="sending it failed inside this program")
    if failure.reason == "not started":
        return Refused(detail="the sending process could not be started", scope=Scope.CHANNEL)
    detail = _CHILD_FAILURES.get(failure.reason, "the sending process failed")
    return Refused(detail=detail, ambiguous=True, scope=Scope.CHANNEL)
