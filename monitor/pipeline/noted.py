"""What the running monitor notes of itself, for commands beside it: names and forms of the notes.

It imports next to nothing, so that ``status`` is quick.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

ALIVE = "alive"  # when the database was last written by a running monitor
PULSE = "heartbeat"  # JSON, a ``Pulse``
METRICS_TROUBLE = "metrics-trouble"  # why nobody can ask; None: they can


def not_live_note(what: str) -> str:
    """The note that says why the *what* in the files ("rules", "config") are not in force."""
    return f"not-live:{what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the heartbeat goes, for ``status``."""

    at: datetime  # when this was found
    heard_at: datetime | None = None  # by the switch, the last time
    stopped_since: datetime | None = None
    why: str = ""  # it is stopped, or the switch did not hear it


def read_pulse(text: str | None) -> Pulse | None:
    """The pulse noted as *text*."""
    if text is None:
        return None
    noted = json.loads(text)
    at, heard, stopped = (
        datetime.fromisoformat(noted[name]) if noted[name] else None
        for name in ("at", "heard_at", "stopped_since")
    )
    assert at is not None
    return Pulse(at=at, heard_at=heard, stopped_since=stopped, why=noted["why"])
