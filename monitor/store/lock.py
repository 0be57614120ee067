"""One monitor for one database: a lock file beside it, held as long as the process lives."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Self

from monitor.errors import AlreadyRunning, StoreBusy, StoreRefused
from monitor.store.access import as_whom

FULL = (errno.ENOSPC, errno.EDQUOT)


class Lock:
    """A context manager; the kernel lets go of the lock when the process dies, however it dies."""

    def __init__(self, database: str) -> None:
        # The same lock whatever link the database was reached by.
        self._database = Path(os.path.realpath(database))
        self._path = Path(f"{self._database}.lock")
        self._file: int | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            if error.errno in FULL:
                raise self._full(error) from error
            raise StoreRefused(
                f"{self._path.parent}: cannot write here ({error.strerror});"
                f" {as_whom(self._database)}"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise AlreadyRunning(_already(holder)) from error
        except OSError as error:
            os.close(handle)
            raise StoreRefused(
                f"{self._path}: this file system cannot lock files ({error.strerror}); keep the"
                " database on a local disk"
            ) from error
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(handle)
            raise self._full(error) from error
        self._file = handle
        return self

    def _full(self, error: OSError) -> StoreBusy:
        return StoreBusy(f"{self._path}: cannot be written ({error.strerror})")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)  # the file stays: removing it would let two others lock two files
            self._file = None


def _already(holder: str) -> str:
    running = "a monitor is already running on this database"
    if not holder.isdigit():  # it has the lock, but has not written its number yet
        return f"{running}; stop it first"
    return (
        f"{running} (process {holder}); stop it first: kill {holder}, or systemctl stop if it"
        " runs as a service"
    )
