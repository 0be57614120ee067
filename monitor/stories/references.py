from __future__ import annotations

from monitor.model import Entry


def references(entry: Entry) -> tuple[str, ...]:
    return ()
