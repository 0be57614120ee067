"""A small file system of one's own, in a namespace of one's own: to fill, and to make read-only.

async with small_space("4m") as space:
    house.before, house.database, house.seen_at = space.house("monitor.db")
    space.fill()
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

INSIDE = "/mnt"  # where the namespace sees it
_HOLD = f"mount -t tmpfs -o size={{size}} none {INSIDE} && echo ready && exec sleep infinity"


@dataclass(frozen=True, slots=True)
class Space:
    """The process that holds the namespace is *holder*."""

    holder: int

    @property
    def outside(self) -> Path:
        return Path(f"/proc/{self.holder}/root{INSIDE}")

    @property
    def before(self) -> tuple[str, ...]:
        """Put before a command to run it inside."""
        enter = ("nsenter", "--target", str(self.holder), "--user", "--mount")
        return (*enter, "--preserve-credentials", f"--wdns={Path.cwd()}")

    def fill(self) -> None:
        """Until not a byte is left."""
        with (self.outside / "filler").open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with suppress(OSError):  # ENOSPC
                    while True:
                        file.write(b"x" * size)

    def free(self) -> None:
        (self.outside / "filler").unlink()

    async def remount(self, how: str) -> None:
        """*how*: ``ro`` or ``rw``."""
        command = (*self.before, "mount", "-o", f"remount,{how}", INSIDE)
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0


@asynccontextmanager
async def small_space(size: str) -> AsyncIterator[Space]:
    """Skips the test where a user may not make a namespace."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("needs unshare and nsenter (util-linux)")
    holder = await asyncio.create_subprocess_exec(
        *("unshare", "--map-root-user", "--mount", "sh", "-c", _HOLD.format(size=size)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert holder.stdout is not None
    try:
        if await holder.stdout.readline() != b"ready\n":
            pytest.skip("this user may not make a namespace with a file system of its own")
        yield Space(holder.pid)
    finally:
        if holder.returncode is None:
            holder.kill()
        await holder.wait()
