"""Places where a fault test makes the program die, stop or stand still.  Otherwise they do nothing.

``MONITOR_CRASHPOINT=before-send:3`` ends the process when that place is reached for the third time;
``…:3:term`` sends it SIGTERM there, ``…:3:block60`` blocks for 60 s, ``…:3:late5`` dies 5 ms later.
"""

from __future__ import annotations

import os
import signal
import threading
import time

POINTS = {
    "after-fetch": "a document was fetched, nothing of it is stored",
    "in-transaction": "entries are written, their alerts are not, nothing is committed",
    "after-commit": "a poll is committed, nobody was told of it",
    "before-send": "a message is frozen, not handed over",
    "after-send": "the channel has answered, the answer is not recorded",
    "after-mark": "the answer is recorded",
    "in-checkpoint": "the log is about to be written into the database",
    "in-migration": "a statement of a migration has run",
    "in-reload": "edited rules are remembered, the old ones are in force",
}
KILLED = 137  # the exit code of a process that SIGKILL ended

_name, _, _rest = os.environ.get("MONITOR_CRASHPOINT", "").partition(":")
_count, _, _act = _rest.partition(":")
_left = int(_count or 1)


def crashpoint(name: str) -> None:
    """Here *name* of ``POINTS`` is reached."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        _do(_act)


def _do(act: str) -> None:
    if act == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    elif act.startswith("block"):
        time.sleep(float(act.removeprefix("block")))
    elif act.startswith("late"):
        late = float(act.removeprefix("late")) / 1000
        threading.Timer(late, os._exit, [KILLED]).start()
    else:
        os._exit(KILLED)
