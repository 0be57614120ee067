"""Since when files of a kind cannot be used, kept over restarts.

So each time that they break is told once, also when they break as they did before.
"""

from __future__ import annotations

from datetime import datetime

from monitor.store.writer import Writer


async def since(what: str, store: Writer) -> str | None:
    """The ISO time of the first load that failed; None: they are good."""
    return await store.call(lambda each: each.note(_note(what)))


async def begun(what: str, store: Writer, now: datetime) -> str:
    """The same after a load that failed: *now*, if it is the first."""
    known = await since(what, store)
    if known is not None:
        return known
    await store.call(lambda each: each.set_note(_note(what), now.isoformat()))
    return now.isoformat()


async def over(what: str, store: Writer) -> None:
    """They are good again, and whoever had to hear of it has."""
    await store.call(lambda each: each.set_note(_note(what), None))


def _note(what: str) -> str:
    return f"{what}-failed-since"
