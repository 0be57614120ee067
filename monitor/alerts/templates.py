"""People's own templates: read from their folder, tried, and filled in by a child process.

``read_templates`` and ``Renderer`` are thin; what becomes of an output is in ``template_output``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.alerts.layout import Layout
from monitor.alerts.lines import local_time, one_line
from monitor.alerts.sample import Sample, samples
from monitor.alerts.telling import Telling
from monitor.alerts.template_output import (
    FILES,
    SUBJECT,
    Fault,
    empty,
    files_for,
    limit,
    placed,
    too_long,
    unshown,
)
from monitor.alerts.template_values import Values, values_of
from monitor.errors import ChildFailed, Problem
from monitor.model import Message
from monitor.sandbox import Pool

CHILD = "monitor.alerts.template_child:fill"
CPU = timedelta(seconds=1)  # the kernel counts whole seconds: up to two
DEADLINE = timedelta(seconds=10)  # by the wall clock: a busy machine is no fault of a template
CHILDREN = 2  # a late one holds up only its own channel
MEMORY = 256 << 20
MAX_FILE = 256 << 10  # bytes

_CHILD_FAILURES = {
    "deadline": ("it takes longer than 2 s", "is there a loop in a loop?"),
    "memory": (f"it takes more than {MEMORY >> 20} MB of memory", "is a text repeated?"),
    "not started": ("no process could be started to fill it in", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """The good templates of a folder, by file name, and what is wrong with the others."""

    texts: Mapping[str, str]
    problems: tuple[Problem, ...] = ()

    @property
    def bad(self) -> frozenset[str]:
        """Names of files that cannot be used."""
        return frozenset(Path(each.file).name for each in self.problems if not each.warning)


def read_templates(folder: str) -> Templates:
    """The templates in *folder*, not tried yet."""
    texts: dict[str, str] = {}
    problems = list(_unknown_files(Path(folder)))
    for file in FILES:
        path = Path(folder) / file
        try:
            if path.exists():
                texts[file] = _text_of(path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            problems.append(Problem(file=_shown(path), what=f"cannot be read: {why.lower()}"))
    return Templates(texts=texts, problems=tuple(problems))


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _text_of(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE >> 10} KB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not saved as UTF-8") from None


def _unknown_files(folder: Path) -> Iterator[Problem]:
    """Files that no message asks for: a slip of the name would have no effect, silently."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in found:
        if path.name in FILES or path.name.startswith(".") or path.name.endswith("~"):
            continue
        near = get_close_matches(path.name, FILES, n=1)
        yield Problem(
            file=_shown(path),
            what="no message uses a file of this name",
            remedy=f'did you mean "{near[0]}"?' if near else f"there is {', '.join(FILES)}",
            warning=True,
        )


class Renderer:
    """Fills templates in, in a child process that is killed when it is late."""

    def __init__(self) -> None:
        self._pool = Pool(CHILD, size=CHILDREN, deadline=DEADLINE, memory=MEMORY, cpu=CPU)

    async def fill(self, file: str, source: str, values: Values, most: int) -> str | list[Fault]:
        """What the template makes, of at most *most* characters; else why not."""
        body = json.dumps({"source": source, "values": values}).encode()
        try:
            answer = await self._pool.call({"file": file, "limit": most}, body)
        except ChildFailed as failed:
            what, remedy = _CHILD_FAILURES.get(failed.reason, ("filling it in fails", ""))
            late = failed.reason != "not started"  # that is no fault of the template
            return [Fault(file=file, what=what, remedy=remedy, late=late)]
        if "too_long" in answer:
            return [too_long(file, most)]
        if "text" in answer:
            return str(answer["text"])
        return [_fault(file, said) for said in answer["faults"]]

    async def applied(
        self, message: Message, layout: Layout, texts: Mapping[str, str], *, kind: str, now: str
    ) -> tuple[Message, list[Fault]]:
        """*message* for a channel *kind* with what the templates in *texts* make of *layout*.

        What a faulty one would make stays as it was.  *now*: the message's moment, in words.
        """
        faults = []
        values = values_of(layout, now=now)
        for file in files_for(kind):
            if file in texts:
                changed = await self._changed(message, file, texts[file], values, kind)
                if isinstance(changed, Fault):
                    faults.append(changed)
                else:
                    message = changed
                    values["subject"] = message.subject
        return message, faults

    async def _changed(
        self, message: Message, file: str, source: str, values: Values, kind: str
    ) -> Message | Fault:
        made = await self.fill(file, source, values, limit(file, kind))
        return made[0] if isinstance(made, list) else placed(message, file, made, kind)

    async def tried(self, folder: str, timezone: ZoneInfo, now: datetime) -> Templates:
        """The templates in *folder* that work with every sample."""
        read = await asyncio.to_thread(read_templates, folder)
        problems = list(read.problems)
        for file, source in read.texts.items():
            faults = await self._try(file, source, timezone, now)
            problems += [as_problem(fault, folder) for fault in faults]
        found = Templates(texts=read.texts, problems=tuple(problems))
        texts = {file: text for file, text in read.texts.items() if file not in found.bad}
        return Templates(texts=texts, problems=found.problems)

    async def _try(
        self, file: str, source: str, timezone: ZoneInfo, now: datetime
    ) -> Sequence[Fault]:
        """What is wrong with one template, as the first sample shows that trips it."""
        first, *others = samples(now)
        faults = await self._try_with(first, file, source, timezone, now)
        for sample in others:
            if faults:
                break
            found = await self._try_with(sample, file, source, timezone, now)
            faults = [replace(fault, what=f"{fault.what} (in {sample.name})") for fault in found]
        return faults

    async def _try_with(
        self, sample: Sample, file: str, source: str, timezone: ZoneInfo, now: datetime
    ) -> Sequence[Fault]:
        moment = local_time(now, timezone)
        layout = sample.layout(timezone, moment)
        values = values_of(layout, now=moment)
        made = await self.fill(file, source, values, limit(file, "mailto"))
        return made if isinstance(made, list) else _unfit(layout.told, file, made)

    async def aclose(self) -> None:
        await self._pool.aclose()


def _unfit(told: Sequence[Telling], file: str, made: str) -> list[Fault]:
    """What is wrong with a text that could be made."""
    if not made.strip():
        return [empty(file)]
    hidden = unshown(told, file, made) if file != SUBJECT else None
    return [hidden] if hidden else []


def _fault(file: str, said: Mapping[str, Any]) -> Fault:
    return Fault(file=file, line=said["line"], what=said["what"], remedy=said["remedy"])


def as_problem(fault: Fault, folder: str) -> Problem:
    """*fault* of a template in *folder*, as people are told it."""
    return Problem(
        file=_shown(Path(folder) / fault.file),
        line=fault.line,
        what=one_line(fault.what),  # it may repeat what a feed says
        remedy=fault.remedy,
    )
