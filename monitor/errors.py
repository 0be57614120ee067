"""The exception tree.  Expected failures (a feed is down, a channel refuses) are values, not these.

MonitorError
├── ConfigError        config.toml or a rule file cannot be used; carries every problem      exit 2
├── StoreError         the database refused                                                exit 3
│   ├── StoreRefused   not ours, from the future, damaged, unreadable: a person must act
│   │   └── StoreDamaged   SQLite finds it damaged: no waiting mends that
│   └── StoreBusy      locked or full: passes by itself, the caller tries again later     exit 1
├── NotWritten         a file cannot be edited in the way that was asked                    exit 2
├── AlreadyRunning     another daemon holds the database                                    exit 4
├── QueryError         what was typed after `search` cannot be looked for                  exit 2
└── ChildFailed        a sandboxed function died, was late or ran out of memory
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a file a person wrote, or one thing worth a look (``warning``)."""

    file: str
    line: int | None = None
    column: int | None = None
    where: str = ""  # "routes[2].channels", "rule fms-ukraine, query"
    what: str  # 'no channel "opps"'
    remedy: str = ""  # 'did you mean "ops"?'
    excerpt: str = ""  # the faulty line, newline, a caret under the fault
    warning: bool = False

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        middle = f"{self.where}: " if self.where else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        kind = "warning: " if self.warning else ""
        excerpt = f"\n{self.excerpt}" if self.excerpt else ""
        return f"{place}: {kind}{middle}{self.what}{remedy}{excerpt}"


class MonitorError(Exception):
    """Anything this program raises on purpose."""

    exit_code = 1


class ConfigError(MonitorError):
    """A file cannot be used; ``problems`` holds all that is wrong with it, not only the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StoreError(MonitorError):
    """The database refused."""

    exit_code = 3


class StoreRefused(StoreError):
    """The database is not ours, from the future, damaged or unreadable: a person must act."""


class StoreDamaged(StoreRefused):
    """The database is damaged, at the start or while it is used."""


class StoreBusy(StoreError):
    """The database is locked or the disk is full: nothing was written, try again later."""

    exit_code = 1


class StoryChanged(StoreError):
    """A story is no longer as it was when this was decided; nothing was written: decide again."""


class NotWritten(MonitorError):
    """A file cannot be edited in the way that was asked; nothing was changed."""

    exit_code = 2


class AlreadyRunning(MonitorError):
    """Another daemon holds the lock of this database."""

    exit_code = 4


class QueryError(MonitorError):
    """What a person typed after ``search`` cannot be looked for; says what to write instead."""

    exit_code = 2


class ChildFailed(MonitorError):
    """A sandboxed function died, was late, or ran out of memory; ``reason`` says which.

    "not started": this machine had no process, memory or handle for it, which may pass.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason  # "deadline" | "memory" | "died" | "raised" | "not started"
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
STARVED = "this machine has no memory, process or file handle left for it"


def is_starved(error: BaseException) -> bool:
    """Whether *error* says that this machine has not the means: it may pass, and is no mistake."""
    if isinstance(error, OSError):
        return error.errno in _USED_UP
    no_thread = isinstance(error, RuntimeError) and str(error) == "can't start new thread"
    return no_thread or isinstance(error, MemoryError)
