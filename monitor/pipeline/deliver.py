"""The deliver loop: claim → render → freeze → send → finish.

Each channel is drained by a task of its own, so that a dead one delays no other.  A message is
stored before it is first sent, and retried unchanged; what came of it is stored after the
hand-over, never before: a crash may send twice, it never sends not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from monitor import ids
from monitor.alerts import retry
from monitor.alerts.company import StoryNews
from monitor.alerts.render import render
from monitor.alerts.route import deliveries
from monitor.errors import StoreBusy
from monitor.events import Handed, Trouble
from monitor.model import (
    Accepted,
    ChannelState,
    DeliveryKind,
    Finished,
    Message,
    QueuedDelivery,
    Refused,
    SendResult,
)
from monitor.pipeline.shared import Shared
from monitor.settings import Channel, Target

BATCH = 50  # deliveries claimed at once for one channel

log = structlog.get_logger()

Bundle = list[QueuedDelivery]  # what goes out as one message


class Sends(Protocol):
    """The channels, as far as the deliver loop knows them."""

    async def send(self, message: Message, target: Target, channel: Channel) -> SendResult: ...


class Deliverer:
    """Hands over the deliveries whose time has come."""

    def __init__(self, shared: Shared, *, sender: Sends) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._sender = sender
        self._draining: dict[str, asyncio.Task[int]] = {}
        self._unrecorded: list[Finished] = []  # sent, but the store was busy: recorded first
        self._recording = asyncio.Lock()

    async def start_due(self) -> None:
        """Begin to drain every channel that is not being drained already."""
        await self._record([])
        for channel in self._in_force.config.channels:
            if channel.name not in self._draining:
                task = asyncio.create_task(self._drain(channel), name=f"deliver {channel.name}")
                self._draining[channel.name] = task
                task.add_done_callback(partial(self._drained, channel.name))

    def _drained(self, channel: str, _: asyncio.Task[int]) -> None:
        del self._draining[channel]

    async def round(self) -> int:
        """Drain every channel once and wait; the number of messages accepted."""
        await self.start_due()
        return sum(await asyncio.gather(*self._draining.values()))

    async def aclose(self, grace: timedelta) -> None:
        """Let hand-overs finish for *grace*, then abandon them: their rows stay queued."""
        tasks = tuple(self._draining.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._record([])

    # --- one channel

    async def _drain(self, channel: Channel) -> int:
        accepted = 0
        try:
            while bundles := await self._claim(channel):
                accepted += await self._send_all(channel, bundles)
        except StoreBusy as busy:
            self._report(Trouble(what="database busy", detail=str(busy)))
        except Exception:
            log.exception("delivery failed", channel=channel.name)
        return accepted

    async def _claim(self, channel: Channel) -> list[Bundle]:
        if self._unrecorded:  # claiming now could send again what has just been sent
            raise StoreBusy("results of earlier deliveries are not recorded yet")
        now = self._clock()
        claimed = await self._store.call(
            lambda store: store.claim_deliveries(now, BATCH, channel=channel.name)
        )
        return bundled(claimed)

    async def _send_all(self, channel: Channel, bundles: Sequence[Bundle]) -> int:
        messages = [self._message(channel, bundle) for bundle in bundles]
        new = [m for m, b in zip(messages, bundles, strict=True) if b[0].message is None]
        await self._store.call(lambda store: store.freeze(new))
        states = {
            state.target: state
            for state in await self._store.call(lambda store: store.channel_states())
            if state.channel == channel.name
        }
        accepted = 0
        for message, bundle in zip(messages, bundles, strict=True):
            state = states.get(message.target) or ChannelState(
                channel=channel.name, target=message.target
            )
            finished, states[message.target] = await self._send(channel, message, bundle, state)
            accepted += isinstance(finished.result, Accepted)
            await self._record([finished])
        return accepted

    async def _send(
        self, channel: Channel, message: Message, bundle: Bundle, state: ChannelState
    ) -> tuple[Finished, ChannelState]:
        now = self._clock()
        rows = [queued.delivery for queued in bundle]
        if state.stopped or (state.not_before is not None and state.not_before > now):
            return retry.put_back(rows, state, now), state
        result = await self._hand_over(channel, message)
        self._report(Handed(message=message, result=result))
        now = self._clock()
        finished, after = retry.after(rows, message, result, state, now)
        told = deliveries(finished.alerts, {}, (), self._in_force.config, now)
        return replace(finished, raised=told), after

    async def _hand_over(self, channel: Channel, message: Message) -> SendResult:
        target = next((t for t in channel.targets if t.name == message.target), None)
        if target is None:
            return Refused(detail="this recipient is no longer in config.toml")
        try:
            return await self._sender.send(message, target, channel)
        except Exception as bug:  # a message that trips us must not block those behind it
            log.exception("sending failed", target=message.target)
            return Refused(detail=f"a mistake of the monitor: {type(bug).__name__}")

    def _message(self, channel: Channel, bundle: Bundle) -> Message:
        if bundle[0].message is not None:
            return bundle[0].message
        now = self._clock()
        name = ids.derive("message", *(queued.delivery.id for queued in bundle))
        try:
            return render(
                [(queued.delivery, queued.alert) for queued in bundle],
                channel=channel,
                timezone=self._in_force.config.timezone,
                now=now,
                message_id=name,
                stories=_stories(bundle),
            )
        except Exception:  # an alert that cannot be laid out is told without layout
            log.exception("rendering failed", target=bundle[0].delivery.target)
            return _bare(bundle, channel, name, now)

    # --- recording

    async def _record(self, finished: Sequence[Finished]) -> None:
        """Store what came of hand-overs; what cannot be stored now is kept and stored first."""
        self._unrecorded.extend(finished)
        async with self._recording:
            waiting = tuple(self._unrecorded)
            if not waiting:
                return
            try:
                await self._store.call(lambda store: store.finish(waiting))
            except StoreBusy as busy:
                self._report(Trouble(what="database busy", detail=str(busy)))
            else:
                del self._unrecorded[: len(waiting)]


def bundled(claimed: Sequence[QueuedDelivery]) -> list[Bundle]:
    """What goes out together: a frozen message again, else all of one story to one target."""
    bundles: dict[tuple[str, str], Bundle] = {}
    for queued in claimed:
        frozen = queued.delivery.message_id
        about = frozen or queued.alert.story_id or queued.alert.id
        bundles.setdefault((queued.delivery.target, about), []).append(queued)
    for bundle in bundles.values():
        bundle.sort(key=lambda queued: (-queued.alert.severity, queued.alert.rule_name))
    return list(bundles.values())


def _stories(bundle: Bundle) -> dict[str, StoryNews]:
    """What is known of the stories in a message; ``known`` where the reader was told before."""
    stories: dict[str, list[QueuedDelivery]] = {}
    for queued in bundle:
        stories.setdefault(queued.alert.story_id, []).append(queued)
    return {
        name: StoryNews(
            members=rows[0].members,
            updates=tuple(dict.fromkeys(row.update for row in rows if row.update)),
            known=all(row.delivery.kind is DeliveryKind.UPDATE for row in rows),
        )
        for name, rows in stories.items()
    }


def _bare(bundle: Bundle, channel: Channel, name: str, now: datetime) -> Message:
    """A message of headline, link and ids alone."""
    alerts = [queued.alert for queued in bundle]
    first = alerts[0]
    text = "\n".join([first.title or "An alert", first.url, *(f"Alert {a.id}" for a in alerts)])
    return Message(
        id=name,
        channel=channel.name,
        target=bundle[0].delivery.target,
        subject=" ".join(f"[{first.severity.name}] {first.title}".split())[:150],
        text=text,
        alert_ids=tuple(alert.id for alert in alerts),
        delivery_ids=tuple(queued.delivery.id for queued in bundle),
        created_at=now,
    )
