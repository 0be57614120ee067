from __future__ import annotations

from monitor.model import Entry


def facts(entry: Entry) -> tuple[str, ...]:
    return ()
