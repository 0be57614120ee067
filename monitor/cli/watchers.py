"""What ``status`` says of those who watch the monitor: the heartbeat, health and metrics; expat."""

from __future__ import annotations

import pyexpat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor import expat
from monitor.pipeline.noted import METRICS_TROUBLE, PULSE, Pulse, read_pulse
from monitor.settings import Config, HeartbeatSettings, MetricsSettings
from monitor.store import Store
from monitor.terminal import age, duration

MISSED = 3  # intervals without a word, until it counts as gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """What is configured, and what the running monitor noted of it last."""

    heartbeat: HeartbeatSettings | None
    pulse: Pulse | None
    metrics: MetricsSettings | None
    trouble: str  # why nobody can ask for metrics
    old_expat: str

    def lines(self, now: datetime) -> Iterator[str]:
        if self.heartbeat is not None:
            yield f"Heartbeat every {duration(self.heartbeat.interval)}: {self._pulse(now)}."
        if self.metrics is not None:
            yield f"Health and metrics: {self._door()}."
        if self.old_expat:
            yield f"Warning: {self.old_expat}."

    def _pulse(self, now: datetime) -> str:
        """How it goes; an old note is no news: the monitor may be gone, or cannot write."""
        if self.heartbeat is None or self.pulse is None:
            return "none yet"
        heard = f"last heard {age(self.pulse.heard_at, now)}"
        if now - self.pulse.at > MISSED * self.heartbeat.interval:
            return f"{heard}; the monitor does not run, or cannot write"
        if self.pulse.stopped_since is not None:
            return (
                f"stopped {age(self.pulse.stopped_since, now)}, because {self.pulse.why}; {heard}"
            )
        if self.pulse.why:
            return f"not heard: {self.pulse.why}; {heard}"
        return heard

    def _door(self) -> str:
        assert self.metrics is not None
        if self.trouble:
            return f"nobody can ask: {self.trouble}"
        host = f"[{self.metrics.host}]" if ":" in self.metrics.host else self.metrics.host
        return f"http://{host}:{self.metrics.port}/healthz and /metrics"

    def as_plain(self) -> dict[str, Any]:
        """For ``--json``; never the address of the heartbeat."""
        pulse, door = self.pulse, self.metrics
        beat = None
        if self.heartbeat is not None:
            beat = {
                "interval": self.heartbeat.interval,
                "heard_at": pulse.heard_at if pulse else None,
                "stopped_since": pulse.stopped_since if pulse else None,
                "why": pulse.why if pulse else "",
            }
        asked = {"host": door.host, "port": door.port, "trouble": self.trouble} if door else None
        return {"heartbeat": beat, "metrics": asked, "old_expat": self.old_expat}


def watchers_of(settings: Config, store: Store) -> Watchers:
    return Watchers(
        heartbeat=settings.heartbeat,
        pulse=read_pulse(store.note(PULSE)),
        metrics=settings.metrics,
        trouble=store.note(METRICS_TROUBLE) or "",
        old_expat=expat.warning(pyexpat.EXPAT_VERSION),
    )
