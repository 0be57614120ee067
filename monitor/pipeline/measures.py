"""Events and times → metrics, while somebody wants them; nothing is counted without [metrics]."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.events import Event
from monitor.feeds.parse import Parser, Read
from monitor.model import Fetched, Listing, Outcome
from monitor.store import Store
from monitor.store.writer import Writer

if TYPE_CHECKING:
    from monitor.metrics import Metrics


class Measures:
    """Where the loops leave what they count."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.metrics: Metrics | None = None

    def switch_on(self) -> Metrics:
        """Count from now on; what was counted before stays."""
        if self.metrics is None:
            from monitor.metrics import Metrics  # prometheus-client is an extra

            self.metrics = Metrics()
        return self.metrics

    def note(self, event: Event) -> None:
        if self.metrics is not None:
            self.metrics.note(event, self._clock())

    def parsed(self, seconds: float) -> None:
        if self.metrics is not None:
            self.metrics.parsed(seconds)

    def committed(self, seconds: float) -> None:
        if self.metrics is not None:
            self.metrics.committed(seconds)


class TimedParser(Parser):
    """A parser whose readings of visits are measured, the wait for a child included."""

    def __init__(self, measures: Measures) -> None:
        super().__init__()
        self._measures = measures

    async def read(self, fetched: Fetched, before: Listing) -> Read:
        began = time.monotonic()
        try:
            return await super().read(fetched, before)
        finally:
            self._measures.parsed(time.monotonic() - began)


class TimedWriter(Writer):
    """A store whose commits are measured, the wait for their turn included."""

    def __init__(self, open_store: Callable[[], Store], measures: Measures) -> None:
        super().__init__(open_store)
        self._measures = measures

    async def commit(self, outcome: Outcome, *, in_company: bool = False) -> bool:
        began = time.monotonic()
        try:
            return await super().commit(outcome, in_company=in_company)
        finally:
            self._measures.committed(time.monotonic() - began)
