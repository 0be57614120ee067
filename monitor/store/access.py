"""Whether this user may change the database, and who may."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

_EFFECTIVE = os.access in os.supports_effective_ids
_ROOT = 0


def may_write(path: Path) -> bool:
    """The file, and the folder: SQLite keeps its log beside the file."""
    places = [path.parent] if _owner(path) is None else [path.parent, path]
    return all(os.access(place, os.W_OK, effective_ids=_EFFECTIVE) for place in places)


def cannot_write(path: Path) -> str:
    """What a user is told who may not write to the database at *path*."""
    return f"{path}: cannot write here; {as_whom(path)}"


def as_whom(path: Path) -> str:
    """What to do for a user who may not use the database at *path*."""
    place, uid = next(
        (each, uid)
        for each in (path, *path.absolute().parents)
        if (uid := _owner(each)) is not None
    )
    if uid == os.geteuid():
        return f"{place} is yours: make it and its folder writable, or move the database elsewhere"
    if uid == _ROOT and place != path:  # a folder of the system, not of a monitor
        return f"make {place} writable for the user that runs the monitor"
    return f"run it as the user the monitor runs as: sudo -u {_login(uid)} python3 run_monitor.py …"


def _owner(place: Path) -> int | None:
    """None for what is not there, or not to be seen."""
    try:
        return place.stat().st_uid
    except OSError:
        return None


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"'#{uid}'"  # as sudo understands it
