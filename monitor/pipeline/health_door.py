"""``/healthz`` and ``/metrics``: opens the door that [metrics] asks for, and answers there.

Off without [metrics].  Whoever asks by a name that is not ours is sent away, so that no web page
can ask through somebody's browser (DNS rebinding).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.events import Trouble
from monitor.feeds.condition import condition
from monitor.pipeline.measures import Measures
from monitor.pipeline.noted import METRICS_TROUBLE
from monitor.pipeline.shared import Shared
from monitor.pipeline.sight import Blind
from monitor.pipeline.vigil import Stored, View, Vigil
from monitor.settings import MetricsSettings

if TYPE_CHECKING:
    from monitor.door import Door, Message, Receive, Reply
    from monitor.metrics import Metrics, Standing

EVERY = timedelta(seconds=5)  # the configuration may change meanwhile
_HOST = re.compile(r"(.+?)(?::\d+)?")
_OUR_NAMES = ("localhost", "127.0.0.1", "[::1]")


class HealthDoor:
    """Answers whoever asks how the monitor is."""

    def __init__(self, shared: Shared, *, vigil: Vigil, measures: Measures) -> None:
        self._in_force, self._store, self._clock = shared.in_force, shared.store, shared.clock
        self._report, self._vigil, self._measures = shared.report, vigil, measures
        self._door: Door | None = None
        self._opened: MetricsSettings | None = None
        self._trouble: str | None = None  # told last

    async def tick(self) -> timedelta:
        """Open, move or close the door as the configuration wants it."""
        wanted = self._in_force.config.metrics
        if wanted != self._opened:
            await self.aclose()
        if wanted is not None and self._door is None:
            await self._open(wanted)
        return EVERY

    async def aclose(self) -> None:
        if self._door is not None:
            await self._door.aclose()
        self._door, self._opened = None, None

    async def _open(self, wanted: MetricsSettings) -> None:
        trouble = ""
        try:
            from monitor.door import Door  # uvicorn is an extra

            metrics = self._measures.switch_on()
            door = Door(partial(self._answer, metrics, wanted), wanted.host, wanted.port)
            door.open()
        except ImportError as error:
            trouble = f"{error.name} is not installed"
        except OSError as error:
            trouble = f"cannot listen on {wanted.host}, port {wanted.port}: {error.strerror}"
        else:
            self._door, self._opened = door, wanted
        await self._tell(trouble)

    async def _tell(self, trouble: str) -> None:
        """Once, however often it is tried; ``status`` has it, too."""
        if trouble == self._trouble:
            return
        if trouble:
            self._report(Trouble(what="nobody can ask for health and metrics", detail=trouble))
        await self._store.call(lambda store: store.set_note(METRICS_TROUBLE, trouble or None))
        self._trouble = trouble

    # --- one request

    async def _answer(
        self, metrics: Metrics, settings: MetricsSettings, scope: Message, receive: Receive
    ) -> Reply:
        from monitor.door import Reply

        if not _is_ours(dict(scope["headers"]).get(b"host", b"").decode("latin-1"), settings):
            return Reply(421, "This is not the name of this monitor: see [metrics] hosts.\n")
        if scope["path"] not in ("/healthz", "/metrics"):
            return Reply(404, "There are /healthz and /metrics.\n")
        if scope["method"] != "GET":
            return Reply(405, allow="GET")
        view = await self._vigil.look()
        if scope["path"] == "/healthz":
            return _health(view)
        return _metrics(metrics, self._standing(view))

    def _standing(self, view: View) -> Standing:
        from monitor.metrics import Standing

        now, holds = self._clock(), {reason.what for reason in view.reasons}
        blind = {each.value: each in holds for each in Blind}
        sizes = _sizes(self._in_force.config.database)
        if view.stored is None:
            return Standing(feeds={}, queue={}, bytes=sizes, blind=blind)
        stored = view.stored
        return Standing(
            feeds=Counter(condition(feed).state.value for feed in stored.feeds),
            queue=stored.queue,
            oldest_queued=_age(stored.oldest_waiting_at, now),
            poll_lag=_age(stored.next_poll_at, now),
            success_ages=_success_ages(stored, now),
            bytes=sizes,
            blind=blind,
        )


def _health(view: View) -> Reply:
    from monitor.door import Reply

    reasons = [{"what": each.what.value, "detail": each.detail} for each in view.reasons]
    said = {"status": "blind" if reasons else "ok", "reasons": reasons}
    return Reply(503 if reasons else 200, f"{json.dumps(said)}\n", kind="application/json")


def _metrics(metrics: Metrics, standing: Standing) -> Reply:
    from monitor.door import Reply
    from monitor.metrics import KIND

    return Reply(200, metrics.text(standing), kind=KIND)


def _is_ours(host: str, settings: MetricsSettings) -> bool:
    """Whether a request that names *host* means us."""
    found = _HOST.fullmatch(host.lower())
    address = settings.host if ip_address(settings.host).version == 4 else f"[{settings.host}]"
    return found is not None and found[1] in (*_OUR_NAMES, address, *settings.hosts)


def _success_ages(stored: Stored, now: datetime) -> dict[str, float]:
    """Of what has ever succeeded."""
    polls = [feed.succeeded_at for feed in stored.feeds if feed.succeeded_at]
    deliveries = [each.accepted_at for each in stored.channels if each.accepted_at]
    newest = {"poll": _newest(polls), "delivery": _newest(deliveries)}
    return {of: _age(at, now) for of, at in newest.items() if at is not None}


def _newest(moments: Iterable[datetime]) -> datetime | None:
    return max(moments, default=None)


def _age(at: datetime | None, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds()) if at is not None else 0.0


def _sizes(database: str) -> dict[str, int]:
    files = {"database": Path(database), "wal": Path(f"{database}-wal")}
    return {name: path.stat().st_size for name, path in files.items() if path.exists()}
