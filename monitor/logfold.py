"""What is said again and again is said a few times, then how often.  Pure: the clock is brought.

A dead database may be complained about once a second for a day: of ten minutes the first complaints
are admitted, the others only counted.  Every one is either admitted or in a count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

WINDOW = timedelta(minutes=10)
TOLD = 5  # times in a window
MOST = 2_000  # different complaints remembered at a time

EXCEPTION = "exception_type"
PASSING = frozenset(("timestamp", "message", "alerts", "entry", "attempts", "next_poll_at"))
_NUMBERED = ("event", "detail")  # "attempt 3" is what "attempt 2" was
_NUMBER = re.compile(r"\d+")
_LONG = 300  # characters that tell one complaint from another

Key = tuple[str, ...]
Event = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """An event that came again after it had been admitted."""

    event: Event  # as it was when it was admitted
    times: int  # not counting those admitted
    length: timedelta  # of the time in which it came again


@dataclass(slots=True, kw_only=True)
class _Window:
    event: Event
    began: float
    told: int = 1
    times: int = 0


@dataclass(slots=True, kw_only=True)
class Folder:
    """Admits each event *told* times in *window*; *clock* counts seconds and never goes back."""

    clock: Callable[[], float]
    window: timedelta = WINDOW
    told: int = TOLD
    most: int = MOST
    _open: dict[Key, _Window] = field(default_factory=dict)  # the oldest first
    _over: list[Repeated] = field(default_factory=list)

    def admits(self, event: Event) -> bool:
        """Whether *event* is to be told; if not, it is counted."""
        self._close_old()
        key = _key(event)
        known = self._open.get(key)
        if known is not None and known.told < self.told:
            known.told += 1
            return True
        if known is not None:
            known.times += 1
            return False
        if len(self._open) >= self.most:
            self._close(next(iter(self._open)))
        self._open[key] = _Window(event=dict(event), began=self.clock())
        return True

    def over(self) -> list[Repeated]:
        """What came again in windows that have ended since the last call."""
        self._close_old()
        over, self._over = self._over, []
        return over

    def rest(self) -> list[Repeated]:
        """All that is counted and not told yet: nothing more will come."""
        for key in tuple(self._open):
            self._close(key)
        return self.over()

    def _close_old(self) -> None:
        begun = self.clock() - self.window.total_seconds()
        old = []
        for key, each in self._open.items():
            if each.began > begun:
                break
            old.append(key)
        for key in old:
            self._close(key)

    def _close(self, key: Key) -> None:
        each = self._open.pop(key)
        if each.times:
            length = timedelta(seconds=self.clock() - each.began)
            self._over.append(Repeated(event=each.event, times=each.times, length=length))


def _key(event: Event) -> Key:
    """What makes two events one complaint: what, about whom, why; not when, and no ids."""
    told = sorted(event.keys() - PASSING)
    return tuple(f"{name}={_gist(name, event[name])}" for name in told)


def _gist(name: str, value: object) -> str:
    text = str(value)[:_LONG]
    return _NUMBER.sub("0", text) if name in _NUMBERED else text
