"""Runs a function in a child process with a deadline and a memory limit, killed when it is late.

For work on hostile data (parsing holds the interpreter for minutes on 26 kB) and for libraries that
hang (senders).  Requests are a JSON header and bytes, answers are JSON: what comes back from a
child that has read hostile data is never unpickled.  Secrets go by pipe, not by argument.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from monitor.errors import ChildFailed
from monitor.heaps import bound_heaps

_REQUEST = struct.Struct("!IQ")  # lengths of header and body
_ANSWER = struct.Struct("!Q")
MAX_ANSWER = 256 << 20
LONG = 1 << 20  # bytes: a longer answer is read beside the event loop, not in it
LAST_BREATH = 1.0  # seconds that a child that hung up has to exit
LOOK_AGAIN = 0.005  # seconds: whether one that was killed is gone, which it is soon
GROWN = 48 << 20  # bytes that a child may hold more than when it began, until it is replaced

Function = Callable[[Mapping[str, Any], bytes], Any]


class Pool:
    """*size* warm children for one *function* ("package.module:name"); started on demand."""

    def __init__(
        self,
        function: str,
        *,
        size: int,
        deadline: timedelta,
        memory: int | None,
        cpu: timedelta | None = None,
        idle: timedelta | None = None,
    ) -> None:
        """*deadline*: wall time of a call; *memory*: bytes of address space; *cpu*: of a call;
        *idle*: a child without work for that long is ended."""
        limits = {"memory": memory, "cpu": cpu.total_seconds() if cpu else None}
        self._arguments = (function, json.dumps(limits))
        self._deadline = deadline.total_seconds()
        self._idle = idle.total_seconds() if idle else None
        self._free: list[_Child] = []
        self._room = asyncio.Semaphore(size)
        self._children: set[_Child] = set()

    async def call(self, header: Mapping[str, Any], body: bytes = b"") -> Any:
        """The function's answer.  Raises ChildFailed; the child that failed is replaced."""
        async with self._room:
            child = await self._ready()
            child.keep()
            try:
                async with asyncio.timeout(self._deadline):
                    answer = await child.ask(header, body)
            except TimeoutError:
                await self._end(child)
                raise ChildFailed("deadline", f"not done after {self._deadline:g} s") from None
            except (EOFError, OSError) as error:
                raise await self._died(child) from error
            except BaseException:
                await self._end(child)
                raise
            if answer.get("last"):
                await self._end(child)
            else:
                self._free.append(child)
                self._end_when_idle(child)
        if "raised" in answer:
            reason = "memory" if answer["raised"] == "MemoryError" else "raised"
            raise ChildFailed(reason, str(answer["raised"]))
        return answer["value"]

    async def aclose(self) -> None:
        """Kill all children, busy or not."""
        await asyncio.gather(*(self._end(child) for child in tuple(self._children)))

    async def _ready(self) -> _Child:
        """A child that waits for work and lives; else a new one."""
        while self._free:
            child = self._free.pop()
            if child.lives:
                return child
            await self._end(child)
        return await self._start()

    async def _start(self) -> _Child:
        try:
            child = await _started(self._arguments)
        except (OSError, MemoryError) as error:
            raise ChildFailed("not started", type(error).__name__) from error
        self._children.add(child)
        return child

    async def _died(self, child: _Child) -> ChildFailed:
        self._children.discard(child)
        code = await child.died()
        if code == -signal.SIGXCPU:
            return ChildFailed("deadline", "it took too much processor time")
        return ChildFailed("died", f"exit status {code}")

    def _end(self, child: _Child) -> Awaitable[int]:
        """From the call on nobody asks *child*; to be awaited until it has ended."""
        child.keep()
        self._children.discard(child)
        if child in self._free:
            self._free.remove(child)
        return child.end()

    def _end_when_idle(self, child: _Child) -> None:
        if self._idle is not None:
            child.idle(self._idle, lambda: self._end(child))


async def _started(arguments: tuple[str, ...]) -> _Child:
    """A new child; nothing is left of one that cannot be started, or not be talked to.

    asyncio's own children would take a thread each to wait for them, up to Python 3.11.
    """
    ours, theirs = socket.socketpair()
    with theirs, contextlib.ExitStack() as undo:
        undo.callback(ours.close)
        process = _process(arguments, theirs.fileno())
        undo.callback(process.wait)
        undo.callback(process.kill)
        reader, writer = await asyncio.open_connection(sock=ours)
        undo.pop_all()
    return _Child(process, reader, writer)


def _process(arguments: tuple[str, ...], end: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "monitor.sandbox", *arguments, str(os.getpid())]
    return subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.DEVNULL)


class _Child:
    """A running child, seen from the parent."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader, self._writer = reader, writer
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[int] | None = None

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    async def ask(self, header: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        head = json.dumps(header).encode()
        self._writer.write(_REQUEST.pack(len(head), len(body)) + head)
        self._writer.write(body)
        await self._writer.drain()
        (length,) = _ANSWER.unpack(await self._reader.readexactly(_ANSWER.size))
        if length > MAX_ANSWER:
            raise EOFError("the answer is too long")
        text = await self._reader.readexactly(length)
        answer = json.loads(text) if length <= LONG else await asyncio.to_thread(json.loads, text)
        if not isinstance(answer, dict):
            raise EOFError("not an answer")
        return answer

    def keep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def idle(self, seconds: float, end: Callable[[], Awaitable[int]]) -> None:
        def begin() -> None:
            self._ending = asyncio.ensure_future(end())

        self._timer = asyncio.get_running_loop().call_later(seconds, begin)

    async def died(self) -> int:
        """The exit status of a child that hung up; killed if it lingers."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_BREATH):
                await self._gone()
        return await self.end()

    async def end(self) -> int:
        self._process.kill()  # nothing is sent to one whose end was seen
        self._writer.transport.abort()
        return await self._gone()

    async def _gone(self) -> int:
        while (status := self._process.poll()) is None:
            await asyncio.sleep(LOOK_AGAIN)
        return status


# --- in the child


def main(function: str, limits: str, parent: str) -> None:
    """Answer requests on standard input until it ends.

    What *parent* asked for before it was killed is not done any more: its successor asks again.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us in order
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not break the frames
    bounds = json.loads(limits)
    if bounds["memory"]:
        _limit(resource.RLIMIT_AS, bounds["memory"])
    module, _, name = function.partition(":")
    work: Function = getattr(importlib.import_module(module), name)
    gc.freeze()  # what is imported stays
    bound_heaps()
    most = _held() + GROWN
    while (request := _read(requests)) is not None and os.getppid() == int(parent):
        _allow_cpu(bounds["cpu"])
        found = _answer(work, *request)
        del request  # it may be large, and does not count as held
        answer = json.dumps(found | {"last": _held() > most}).encode()
        answers.write(_ANSWER.pack(len(answer)) + answer)
        answers.flush()


def _read(requests: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    lengths = requests.read(_REQUEST.size)
    if len(lengths) < _REQUEST.size:
        return None
    head, body = _REQUEST.unpack(lengths)
    return json.loads(requests.read(head)), requests.read(body)


def _answer(work: Function, header: dict[str, Any], body: bytes) -> dict[str, Any]:
    try:
        return {"value": work(header, body)}
    except (Exception, MemoryError) as error:  # libraries raise all sorts of things on hostile data
        return {"raised": type(error).__name__}


def _held() -> int:
    """Bytes of memory that this process has now; where nobody says so, never more than before."""
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[1]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _allow_cpu(seconds: float | None) -> None:
    """So much processor time more from now; beyond it the kernel ends us."""
    if seconds is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 1)


def _limit(what: int, wanted: int) -> None:
    """At most *wanted*, or what we were given, which may be less and is not ours to raise."""
    most = resource.getrlimit(what)[1]
    soft = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(what, (soft, most))


if __name__ == "__main__":
    main(*sys.argv[1:])
