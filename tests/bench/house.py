"""A folder with configuration and rules, and the daemon's own loops in this process, to look at."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.cli import run
from monitor.cli.ticks import ticks
from monitor.daemon import Daemon
from monitor.pipeline.session import Session

SECRET = "0123456789abcdef0123456789abcdef"


def write_house(
    folder: Path,
    urls: Iterable[str],
    *,
    sink: str = "http://127.0.0.1:1/",
    rules: int = 1,
    poll: str = "",
) -> Path:
    """The path of a configuration that watches *urls* and tells *sink*, a webhook's address.

    One rule is for ALERT; the *rules* beyond it match nothing.  *poll*: more lines of ``[poll]``.
    """
    (folder / "rules").mkdir(parents=True)
    told = '[[rule]]\nname = "alert"\nany = ["ALERT"]\n'
    others = (f'[[rule]]\nname = "r{n}"\nany = ["zq{n} words", "yx{n}"]\n' for n in range(1, rules))
    (folder / "rules" / "all.toml").write_text(told + "".join(others))
    feeds = (f'[[feeds]]\nname = "feed {n}"\nurl = "{url}"\n' for n, url in enumerate(urls))
    config = folder / "config.toml"
    config.write_text(
        f'[poll]\nper_host_gap = "0s"\nallow_private = ["127.0.0.0/8"]\n{poll}\n'
        f'[[channels]]\nname = "hook"\nrate = "1000/s"\nburst = 1000\n[channels.webhook]\n'
        f'url = "{sink}"\nsecret = "{SECRET}"\n' + "".join(feeds)
    )
    return config


@asynccontextmanager
async def the_daemon(config: Path) -> AsyncIterator[Session]:
    """The daemon of *config*, with all its ticks, until the end of the block."""
    async with run._session(config, "info") as (session, _, waker):
        daemon = Daemon(ticks(session), on_hangup=lambda: None, on_jump=session.jumps.jumped)
        waker.daemon = daemon
        running = asyncio.create_task(daemon.run())
        try:
            yield session
        finally:
            daemon.stop()
            await running


def some_words(chance: random.Random, count: int) -> str:
    """Words that nobody has used before: no two headlines are one story."""
    letters = "abcdefghijklmnoprstuvw"
    return " ".join("".join(chance.choices(letters, k=chance.randint(4, 9))) for _ in range(count))
