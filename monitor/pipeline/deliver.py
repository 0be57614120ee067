"""The deliver loop: claim → plan → render → freeze → send → finish.

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
from monitor.alerts.bundle import Bundle
from monitor.alerts.company import StoryNews
from monitor.alerts.fallback import mentioned
from monitor.alerts.layout import notes
from monitor.alerts.plan import Circumstances, Plan
from monitor.alerts.rate import Bucket
from monitor.alerts.render import most_stories, render
from monitor.alerts.route import deliveries
from monitor.crashpoint import crashpoint
from monitor.errors import STARVED, StoreBusy, is_starved
from monitor.events import Handed, Trouble
from monitor.model import (
    Accepted,
    ChannelState,
    DeliveryKind,
    Finished,
    Message,
    QueuedDelivery,
    Refused,
    Scope,
    SendResult,
    Silence,
)
from monitor.pipeline import poison
from monitor.pipeline.digests import Digests
from monitor.pipeline.shared import Shared
from monitor.pipeline.templating import BUILT_IN, Applies
from monitor.settings import Channel, Target
from monitor.store import Store

BATCH = 500  # deliveries claimed at once for one channel
AGAIN = timedelta(seconds=2)  # after a drain that the database, or a mistake of ours, cut off

log = structlog.get_logger()

States = dict[str, ChannelState]  # by target
Claimed = tuple[list[QueuedDelivery], States, list[Silence]]


class Sends(Protocol):
    """The channels, as far as the deliver loop knows them."""

    async def send(
        self, message: Message, target: Target, channel: Channel, *, thread: str = ""
    ) -> SendResult: ...


class Deliverer:
    """Hands over the deliveries whose time has come."""

    def __init__(self, shared: Shared, *, sender: Sends, templating: Applies = BUILT_IN) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._sender = sender
        self._templating = templating
        self._digests = Digests(shared)
        self._buckets: dict[str, Bucket] = {}  # by target; a restart fills them
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

    def next_digest_at(self) -> datetime | None:
        """When a digest is due next: the deliver tick must come then."""
        return self._digests.next_at()

    # --- one channel

    async def _drain(self, channel: Channel) -> int:
        accepted = 0
        try:
            while (claimed := await self._claim(channel)) is not None:
                accepted += await self._send_all(channel, *claimed)
        except StoreBusy as busy:
            self._report(Trouble(what="database busy", detail=str(busy)))
        except Exception:
            log.exception("delivery failed", channel=channel.name)
        return accepted

    async def _claim(self, channel: Channel) -> tuple[Plan, States] | None:
        """What becomes of all that is due for *channel*, and how it stands; None: nothing is."""
        # Claiming now could send again what has just been sent.  Others may be recording theirs.
        sent = (row.channel for each in self._unrecorded for row in each.deliveries)
        if channel.name in sent:
            raise StoreBusy("results of earlier deliveries are not recorded yet")
        await self._digests.raise_due(channel)
        now = self._clock()
        claimed, states, silences = await self._store.call(partial(_claimed, channel, now))
        if not claimed:
            return None
        given = Circumstances(
            zone=self._in_force.config.timezone,
            states=states,
            silences=silences,
            buckets=self._buckets,
            most=most_stories(channel.kind),
        )
        planned, poisonous = poison.planned(claimed, channel, given, now)
        if poisonous:
            await self._record([poison.set_aside(poisonous, self._in_force.config, now)])
        self._buckets.update(planned.buckets)
        return planned, states

    async def _send_all(self, channel: Channel, planned: Plan, states: States) -> int:
        if planned.rows:
            await self._record([Finished(deliveries=planned.rows, at=self._clock())])
        accepted, left = 0, list(planned.bundles)
        try:
            while left:
                bundle = left[0]
                known = states.get(bundle.target)
                state = known or ChannelState(channel=channel.name, target=bundle.target)
                finished, states[bundle.target] = await self._send(channel, bundle, state)
                del left[0]
                accepted += isinstance(finished.result, Accepted)
                await self._record([finished])
                crashpoint("after-mark")
        except Exception:  # nobody else would ever claim again what is claimed
            self._unrecorded += [_put_back(bundle, channel, self._clock()) for bundle in left]
            raise
        return accepted

    async def _send(
        self, channel: Channel, bundle: Bundle, state: ChannelState
    ) -> tuple[Finished, ChannelState]:
        now = self._clock()
        rows = [queued.delivery for queued in bundle.queued]
        if state.stopped or (state.not_before is not None and state.not_before > now):
            return retry.put_back(rows, state, now), state
        try:
            message = await self._frozen(channel, bundle)
        except StoreBusy:
            raise
        except Exception:
            log.exception("a message could not be made", target=bundle.target)
            return poison.set_aside(rows, self._in_force.config, now), state
        crashpoint("before-send")
        result = await self._hand_over(channel, message)
        crashpoint("after-send")
        since = min(queued.alert.created_at for queued in bundle.queued)
        self._report(Handed(message=message, result=result, since=since))
        now = self._clock()
        finished, after = retry.after(rows, message, result, state, now)
        alerts = tuple(mentioned(alert, channel) for alert in finished.alerts)
        told = deliveries(alerts, {}, (), self._in_force.config, now)
        about = message.story_id
        return replace(finished, alerts=alerts, raised=told, story_id=about), after

    async def _frozen(self, channel: Channel, bundle: Bundle) -> Message:
        """The message of *bundle*, stored before it is first sent."""
        if bundle.message is not None:
            return bundle.message
        message = self._message(channel, bundle)
        message = await self._templating.applied(message, bundle, _stories(bundle), channel)
        await self._store.call(lambda store: store.freeze([message]))
        return message

    async def _hand_over(self, channel: Channel, message: Message) -> SendResult:
        target = next((t for t in channel.targets if t.name == message.target), None)
        if target is None:
            return Refused(detail="this recipient is no longer in config.toml")
        try:
            thread = await self._thread(message)
            return await self._sender.send(message, target, channel, thread=thread)
        except Exception as bug:  # a message that trips us must not block those behind it
            log.exception("sending failed", target=message.target)
            if is_starved(bug):  # no other message could be sent either
                return Refused(detail=STARVED, scope=Scope.CHANNEL)
            return Refused(detail=f"a mistake of the monitor: {type(bug).__name__}")

    async def _thread(self, message: Message) -> str:
        """What *message* is an answer to.  A busy store is no reason to be late."""
        if not message.story_id:
            return ""
        about = message.channel, message.target, message.story_id
        try:
            return await self._store.call(lambda store: store.thread(*about))
        except StoreBusy:
            return ""

    def _message(self, channel: Channel, bundle: Bundle) -> Message:
        now = self._clock()
        name = ids.derive("message", *(queued.delivery.id for queued in bundle.queued))
        zone = channel.timezone or self._in_force.config.timezone
        try:
            return render(
                [(queued.delivery, queued.alert) for queued in bundle.queued],
                channel=channel,
                timezone=zone,
                now=now,
                message_id=name,
                stories=_stories(bundle),
                gathered=bundle.gathered,
                notes=notes(bundle, zone),
            )
        except Exception:  # an alert that cannot be laid out is told without layout
            log.exception("rendering failed", target=bundle.target)
            return poison.bare(bundle, channel, name, now)

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


def _claimed(channel: Channel, now: datetime, store: Store) -> Claimed:
    """In the thread of the store: all that a plan needs, in one turn.

    The claim comes last: if the store were busy after it, nobody would know of what is claimed.
    """
    states, silences = _states(channel, store), store.silences()
    return store.claim_deliveries(now, BATCH, channel=channel.name), states, silences


def _put_back(bundle: Bundle, channel: Channel, now: datetime) -> Finished:
    """The rows of *bundle*, claimed and not handed over: they are due again in a moment."""
    state = ChannelState(channel=channel.name, target=bundle.target, not_before=now + AGAIN)
    return retry.put_back([queued.delivery for queued in bundle.queued], state, now)


def _states(channel: Channel, store: Store) -> States:
    return {s.target: s for s in store.channel_states() if s.channel == channel.name}


def _stories(bundle: Bundle) -> dict[str, StoryNews]:
    """What is known of the stories in a message; ``known`` where the reader was told before."""
    stories: dict[str, list[QueuedDelivery]] = {}
    for queued in bundle.queued:
        stories.setdefault(queued.alert.story_id, []).append(queued)
    return {
        name: StoryNews(
            members=rows[0].members,
            updates=tuple(dict.fromkeys(row.update for row in rows if row.update)),
            known=all(row.delivery.kind is DeliveryKind.UPDATE for row in rows),
        )
        for name, rows in stories.items()
    }
