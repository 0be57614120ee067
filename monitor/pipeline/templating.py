"""People's own templates in force: looked at again and again, applied to messages.

A bad file changes nothing: its last good state stays, else the built-in layout.  So it is for a
message on which a template fails.  Operators are told once for each state of the files.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from monitor import ids
from monitor.alerts.bundle import Bundle
from monitor.alerts.company import StoryNews
from monitor.alerts.layout import Layout, laid_out, notes
from monitor.alerts.lines import local_time
from monitor.alerts.telling import tellings
from monitor.alerts.template_output import FILES, Fault, files_for
from monitor.alerts.templates import Renderer, Templates, as_problem
from monitor.errors import Problem, StoreBusy
from monitor.events import Reloaded, Trouble
from monitor.model import Alert, Message
from monitor.pipeline import notices, unusable
from monitor.pipeline.noted import not_live_note
from monitor.pipeline.shared import Shared
from monitor.rules.watch import Stamp, Watcher, read_stamps
from monitor.settings import Channel

MOST_LATE = 3  # times a template may be late before it is set aside until it is edited

log = structlog.get_logger()

Tell = Callable[[Sequence[Alert]], Awaitable[None]]


class Applies(Protocol):
    """Whoever sets messages as people want them, as far as the deliver loop knows them."""

    async def applied(
        self, message: Message, bundle: Bundle, stories: Mapping[str, StoryNews], channel: Channel
    ) -> Message: ...


class _BuiltIn:
    async def applied(self, message: Message, *_: object) -> Message:
        return message


BUILT_IN: Applies = _BuiltIn()  # messages as they were rendered


class Templating:
    """What messages look like where people have templates of their own."""

    def __init__(self, shared: Shared, *, tell: Tell) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._tell = tell
        self._renderer = Renderer()
        self._watch = Watcher()
        self._texts: Mapping[str, str] = {}
        self._late: Counter[str] = Counter()
        self._told: set[str] = set()  # files whose failure on a message was told

    async def aclose(self) -> None:
        await self._renderer.aclose()

    # --- the files

    async def started(self) -> None:
        """Take the files as they are now; tell what is wrong with them."""
        self._watch.accept(await asyncio.to_thread(self._stamps))
        await self._take_over(await self._tried())

    async def check(self) -> None:
        """Take over what has changed and is stable."""
        if self._watch.observe(await asyncio.to_thread(self._stamps)):
            with self._watch.taking_over():
                await self.reload()

    async def reload(self) -> None:
        """Read the files again, changed or not."""
        before, found = self._texts, await self._tried()
        await self._take_over(found)
        if not found.bad and (before or self._texts):
            self._report(self._reloaded(before))

    def _stamps(self) -> dict[str, Stamp]:
        folder = Path(self._in_force.config.templates)
        return {
            name: stamp for file in FILES for name, stamp in read_stamps(str(folder / file)).items()
        }

    async def _tried(self) -> Templates:
        config = self._in_force.config
        return await self._renderer.tried(config.templates, config.timezone, self._clock())

    async def _take_over(self, found: Templates) -> None:
        kept = {file: self._texts[file] for file in found.bad if file in self._texts}
        self._texts = {**found.texts, **kept}
        self._late.clear()
        self._told.clear()
        problems = [problem for problem in found.problems if not problem.warning]
        shown = "\n".join(map(str, problems)) or None
        note = not_live_note("templates")
        await self._store.call(lambda store: store.set_note(note, shown))
        if problems:
            await self._refused(problems)
        elif since := await unusable.since("templates", self._store):
            await self._tell([notices.repaired("templates", self._clock(), since)])
            await unusable.over("templates", self._store)

    async def _refused(self, problems: Sequence[Problem]) -> None:
        now = self._clock()
        since = await unusable.begun("templates", self._store, now)
        self._report(Reloaded(what="templates", problems=tuple(problems)))
        await self._tell([notices.templates_not_live(problems, since, now)])

    def _reloaded(self, before: Mapping[str, str]) -> Reloaded:
        now = self._texts
        return Reloaded(
            what="templates",
            added=tuple(file for file in now if file not in before),
            edited=tuple(file for file in now if file in before and now[file] != before[file]),
            removed=tuple(file for file in before if file not in now),
            rules=sum(each.enabled for each in self._in_force.rules.rules),
        )

    # --- messages

    async def applied(
        self, message: Message, bundle: Bundle, stories: Mapping[str, StoryNews], channel: Channel
    ) -> Message:
        """*message* as people's own templates set it; where they fail or are none, as it is."""
        texts = self._usable(channel.kind)
        if not texts:
            return message
        try:
            layout, now = self._layout(bundle, stories, channel, message.created_at)
            message, faults = await self._renderer.applied(
                message, layout, texts, kind=channel.kind, now=now
            )
        except Exception:  # an alert that cannot be laid out at all: the message is a bare one
            log.exception("no template was applied", target=message.target)
            return message
        await self._note(texts, faults)
        return message

    def _layout(
        self, bundle: Bundle, stories: Mapping[str, StoryNews], channel: Channel, at: datetime
    ) -> tuple[Layout, str]:
        """What the message shows, and its moment in words."""
        zone = channel.timezone or self._in_force.config.timezone
        now = local_time(at, zone)
        told = tellings((queued.alert for queued in bundle.queued), zone, stories)
        return laid_out(told, bundle.gathered, notes(bundle, zone), now), now

    def _usable(self, kind: str) -> dict[str, str]:
        return {
            file: self._texts[file]
            for file in files_for(kind)
            if file in self._texts and self._late[file] < MOST_LATE
        }

    async def _note(self, texts: Mapping[str, str], faults: Sequence[Fault]) -> None:
        late = {fault.file for fault in faults if fault.late}
        for file in texts:
            self._late[file] = self._late[file] + 1 if file in late else 0
        for fault in faults:
            if fault.file not in self._told:
                await self._tell_of(fault, texts[fault.file])

    async def _tell_of(self, fault: Fault, source: str) -> None:
        self._told.add(fault.file)
        problem = as_problem(fault, self._in_force.config.templates)
        version = ids.derive("template", source)
        self._report(Trouble(what="a template failed", detail=str(problem)))
        try:
            await self._tell([notices.template_failed(problem, version, self._clock())])
        except StoreBusy:  # the message must go out; the next one that fails tells it
            self._told.discard(fault.file)
