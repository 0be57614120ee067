"""Children that work, hang, eat memory, die: each costs only its own call."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from monitor.errors import ChildFailed
from monitor.sandbox import GROWN, Pool
from tests.scarce import handles_left, open_handles

SECOND = timedelta(seconds=1)


# --- run in the child

_kept: list[bytes] = []


def obey(header: Mapping[str, Any], body: bytes) -> Any:
    match header["do"]:
        case "echo":
            print("libraries print things")  # noqa: T201
            return {"length": len(body), "pid": os.getpid(), "argv": sys.argv}
        case "hang":
            time.sleep(60)
        case "burn":
            while True:
                pass
        case "eat":
            return len(bytearray(2 << 30))
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            raise UnicodeError("on hostile data")
        case "surrogate":
            return "\ud800"
        case "keep":
            _kept.append(b"x" * len(body))
            return os.getpid()


def pool(**changes: Any) -> Pool:
    values: dict[str, Any] = {"size": 1, "deadline": 20 * SECOND, "memory": 1 << 30}
    return Pool("tests.test_sandbox:obey", **(values | changes))


async def test_an_answer_comes_back_and_the_child_stays_warm() -> None:
    children = pool()
    first = await children.call({"do": "echo"}, b"x" * 3_000_000)
    second = await children.call({"do": "echo"})
    await children.aclose()
    assert first["length"] == 3_000_000
    assert first["pid"] == second["pid"]


@pytest.mark.parametrize(
    ("what", "reason", "changes"),
    [
        pytest.param("hang", "deadline", {"deadline": 2 * SECOND}, id="late"),
        pytest.param("burn", "deadline", {"cpu": SECOND / 10}, id="too much processor time"),
        pytest.param("eat", "memory", {}, id="too much memory"),
        pytest.param("die", "died", {}, id="killed"),
        pytest.param("raise", "raised", {}, id="raises"),
    ],
)
async def test_failures_are_told_apart_and_the_next_call_works(what, reason, changes) -> None:
    children = pool(**changes)
    await children.call({"do": "echo"})  # warm: starting is not the subject
    with pytest.raises(ChildFailed) as failed:
        await children.call({"do": what})
    assert failed.value.reason == reason
    if "deadline" not in changes:
        assert (await children.call({"do": "echo"}))["length"] == 0
    await children.aclose()


async def test_lone_surrogates_survive_the_wire() -> None:
    children = pool()
    assert await children.call({"do": "surrogate"}) == "\ud800"
    await children.aclose()


async def test_a_cancelled_call_ends_its_child() -> None:
    children = pool()
    pid = (await children.call({"do": "echo"}))["pid"]
    call = asyncio.create_task(children.call({"do": "hang"}))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await children.call({"do": "echo"}))["pid"] != pid
    await children.aclose()


async def test_calls_wait_for_a_free_child() -> None:
    children = pool(size=2)
    answers = await asyncio.gather(*(children.call({"do": "echo"}) for _ in range(8)))
    await children.aclose()
    assert len({answer["pid"] for answer in answers}) <= 2


async def test_nothing_of_a_request_is_in_the_arguments() -> None:
    children = pool()
    answer = await children.call({"do": "echo", "url": "slack://secret"})
    await children.aclose()
    assert "secret" not in str(answer["argv"])


async def test_an_idle_child_is_ended() -> None:
    children = pool(idle=SECOND / 20)
    pid = (await children.call({"do": "echo"}))["pid"]
    async with asyncio.timeout(5):
        while _alive(pid):
            await asyncio.sleep(0.02)
    assert (await children.call({"do": "echo"}))["pid"] != pid
    await children.aclose()


async def test_a_child_that_is_asked_as_its_idle_time_ends_is_not_ended() -> None:
    children = pool(idle=SECOND / 5)
    await children.call({"do": "echo"})

    async def just_before() -> Any:
        await asyncio.sleep(0.199)
        return await children.call({"do": "echo"})

    asked = asyncio.create_task(just_before())
    await asyncio.sleep(0)
    time.sleep(0.3)  # both come in one turn of the loop
    assert await asked
    await children.aclose()


@pytest.mark.parametrize(("orphaned", "answers"), [(False, True), (True, False)])
def test_a_child_does_nothing_for_a_parent_that_has_died(orphaned: bool, answers: bool) -> None:
    parent = 1 if orphaned else os.getpid()
    limits = json.dumps({"memory": None, "cpu": None})
    arguments = ["-m", "monitor.sandbox", "tests.test_sandbox:obey", limits, str(parent)]
    head = json.dumps({"do": "echo"}).encode()
    child = subprocess.run(
        [sys.executable, *arguments],
        input=struct.pack("!IQ", len(head), 0) + head,
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert bool(child.stdout) is answers


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# --- what starting one takes


ENOUGH = 5  # handles: a pair of sockets, a pipe for what goes wrong, /dev/null


async def test_children_take_no_threads() -> None:
    children, before = pool(size=3), threading.active_count()
    await asyncio.gather(*(children.call({"do": "echo"}) for _ in range(3)))
    assert threading.active_count() == before
    await children.aclose()


@pytest.mark.parametrize("left", range(8))
async def test_without_handles_it_is_said_that_none_was_started(left: int) -> None:
    children, before = pool(), open_handles()
    with handles_left(left):
        assert await _trouble(children) == ("not started" if left < ENOUGH else "")
    assert (await children.call({"do": "echo"}))["length"] == 0
    await children.aclose()
    assert open_handles() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


async def _trouble(children: Pool) -> str:
    try:
        await children.call({"do": "echo"})
    except ChildFailed as failed:
        return failed.reason
    return ""


async def test_a_call_is_not_given_to_a_child_that_has_died() -> None:
    children = pool()
    pid = (await children.call({"do": "echo"}))["pid"]
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert (await children.call({"do": "echo"}))["pid"] != pid
    await children.aclose()


async def test_a_child_that_has_grown_is_replaced() -> None:
    children = pool()
    pids = [await children.call({"do": "keep"}, bytes(size)) for size in (1 << 20, GROWN, 9, 9)]
    await children.aclose()
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_a_child_that_gives_back_what_it_needed_stays() -> None:
    children = pool()
    answers = [await children.call({"do": "echo"}, bytes(size)) for size in (9, 2 * GROWN, 9)]
    await children.aclose()
    assert len({answer["pid"] for answer in answers}) == 1
