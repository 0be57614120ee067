"""The event loop that the daemon runs on: Python's own, or uvloop's, where that is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import click

INSTALL = ".venv/bin/pip install -e '.[fast]'"
OWN, UVLOOP = "asyncio", "uvloop"

event_loop_option = click.option(
    "--event-loop",
    type=click.Choice((OWN, UVLOOP)),
    default=OWN,
    help="asyncio by default; uvloop needs less CPU for thousands of feeds (extra fast).",
)


def maker_of(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes an event loop of that *name*.  Raises click.UsageError if it is not installed."""
    if name == OWN:
        return asyncio.new_event_loop
    try:
        import uvloop
    except ImportError:
        raise click.UsageError(
            f"--event-loop uvloop: it is not installed. Install the extra: {INSTALL}"
        ) from None
    return uvloop.new_event_loop
