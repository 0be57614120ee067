"""Has a file changed, and is it stable?  Looks at content: network shares lie about times.

``read_stamps`` is the thin reader, ``Watcher`` the decision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MAX_DIGESTED = 50 << 20  # bytes; of larger files only size and time are looked at


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from another."""

    size: int
    digest: str


def read_stamps(path: str) -> dict[str, Stamp]:
    """Name → stamp of a file, or of every ``*.toml`` in a folder; {} if there is nothing."""
    place = Path(path)
    stamps = {}
    for file in sorted(place.glob("*.toml")) if place.is_dir() else [place]:
        try:
            stat = file.stat()
            small = stat.st_size <= MAX_DIGESTED
            content = file.read_bytes() if small else str(stat.st_mtime_ns).encode()
        except OSError:
            continue  # it vanished, or cannot be read: reading it will tell
        stamps[file.name] = Stamp(stat.st_size, hashlib.sha256(content).hexdigest())
    return stamps


class Watcher:
    """Notices each change once, when two looks in a row have seen the same."""

    def __init__(self) -> None:
        self._accepted: dict[str, Stamp] = {}
        self._seen: dict[str, Stamp] = {}

    def accept(self, stamps: Mapping[str, Stamp]) -> None:
        """Take *stamps* for what is in force."""
        self._accepted = self._seen = dict(stamps)

    def observe(self, stamps: Mapping[str, Stamp]) -> bool:
        """Whether to read the files now: they differ from before, and hold still."""
        stable, self._seen = dict(stamps) == self._seen, dict(stamps)
        if not stable or self._seen == self._accepted:
            return False
        self._accepted = self._seen
        return True

    @contextmanager
    def taking_over(self) -> Iterator[None]:
        """What was noticed is taken over within; if that fails, it is noticed once more."""
        try:
            yield
        except Exception:
            self._accepted = {"": Stamp(0, "")}  # no file has no name
            raise
