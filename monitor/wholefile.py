"""A file replaced whole: readers see the old or the new, whenever the machine stops."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

NEW_FILE_MODE = 0o644


def replace_file(path: Path, text: bytes) -> None:
    """Make *text* the content of *path*, with the mode and, for root, the owner it has.

    Raises OSError.
    """
    path = path.resolve()  # a link stays a link
    known = path.stat() if path.exists() else None
    if known is not None and _holds(path, text):
        return
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)  # of a run that was killed
        with new.open("xb") as file:
            file.write(text)
            file.flush()
            _like(known, file.fileno())
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def _like(known: os.stat_result | None, handle: int) -> None:
    """Mode and owner of the file that is replaced: the daemon must be able to read it."""
    if known is not None and os.geteuid() == 0:
        os.fchown(handle, known.st_uid, known.st_gid)
    os.fchmod(handle, stat.S_IMODE(known.st_mode) if known is not None else NEW_FILE_MODE)


def _holds(path: Path, text: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(text) and path.read_bytes() == text
