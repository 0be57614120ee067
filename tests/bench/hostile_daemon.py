"""The real program against all hostile documents and network behaviours at once, beside good feeds.

    python -m tests.bench.hostile_daemon [--seconds 120] [--good 50] [--keep FOLDER] [--control]

Every document and behaviour of the shared bench has an address of its own on loopback, as have the
good feeds, which publish at each poll.  A good feed is late when it is asked more than its interval
and ten seconds after the last time.  Documents are judged by ``expectations.json``: the outcome of
each poll by the daemon's log, the entries by its database.  Exit status 1 if anything is wrong.

With --control good feeds stand where the hostile ones would: what is late then is late because of
the machine, or the number of feeds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.servers import Asked, WebServer
from tests.sinks import http_sink

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "bench" / "hostile"
PORT = 8999  # the one the documents name: what they ask for would come here
INTERVAL = 10  # seconds between polls of a good feed
HOSTILE_INTERVAL = 30  # so that documents of successive polls come in turn
ALLOWED = 10  # seconds of delay
LONGEST_LINE = 16 << 20  # of the log: ten thousand alerts of one poll are named in one
# What was left out of these is never read, or never shown: that is said, where "ok" is expected.
ARGUED = ("title_5mb", "link_long")
OUR_WORDS = {"identity change": "came with new ids"}  # for warnings that are expected
CANARY = b"CANARY-CONTENT"
LOUD = "/xxe-hit"  # the address that documents try to have fetched

CONFIG = f"""
[monitor]
default_channels = ["sink"]
[poll]
interval = "{INTERVAL}s"
min_interval = "{INTERVAL}s"
per_host_gap = "0s"
first_poll = "alert"
allow_private = ["127.0.0.0/8"]
[[channels]]
name = "sink"
url = "{{sink}}"
"""
RULE = '[[rule]]\nname = "word"\nany = ["ALERTWORD"]\n'
BEHAVIOURS = {  # what a poll must end in; None: it works
    "/ok": None, "/etag": None, "/cookies": None,
    **dict.fromkeys([
        "/path-body", "/html", "/gzbomb?mb=500", "/gzbomb?mb=1000&layers=3", "/deflatebomb?mb=500",
        "/gztruncated", "/badgzip", "/endless", "/endless-headers", "/slow-body", "/slow-headers",
        "/hang", "/short", "/chunk-abort", "/reset", "/garbage", "/empty", "/always-304",
        "/status/429?retry_after=-5", "/status/500", "/redirect-loop", "/redirect-chain?n=25",
        "/redirect?to=http://10.0.0.1/", *[f"/bad-location?i={n}" for n in range(6)],
    ], "error"),
    "/long": "degraded",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Result:
    """What was seen while the daemon ran."""

    polls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # feed → log lines
    asked: dict[str, list[float]] = field(default_factory=dict)  # good feed → moments
    seconds_to_all: float | None = None  # until every hostile feed had been polled once
    peak: int = 0  # bytes of the daemon and its children together
    peak_daemon: int = 0
    not_json: int = 0
    tracebacks: int = 0
    ended: float = 0.0  # when it was told to stop
    exit_status: int | None = None


# --- servers


def serve(documents: str, hosts: str) -> None:
    """The hostile server, in a process of its own, at many addresses."""
    spec = importlib.util.spec_from_file_location("serve_hostile", SHARED / "serve_hostile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    options = SimpleNamespace(
        cases=documents, ledger=None, seed=1, max_seconds=120, max_bytes=1 << 30
    )
    hostile = module.Hostile(options)

    async def run() -> None:
        server = await asyncio.start_server(
            hostile.handle, hosts.split(","), PORT, limit=1 << 16, backlog=100
        )
        print("ready", flush=True)
        async with server:
            await server.serve_forever()

    asyncio.run(run())


class Good:
    """Fifty feeds by their Host header; each has one entry more at every poll."""

    def __init__(self) -> None:
        self.asked: dict[str, list[float]] = {}

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        host = asked.headers["host"].partition(":")[0]
        times = self.asked.setdefault(host, [])
        times.append(time.monotonic())
        entries = "".join(
            f"<item><guid isPermaLink='false'>{host}-{n}</guid><title>News {n} of {host}</title>"
            f"<link>http://{host}/{n}</link><description>{'Some words. ' * 40}</description></item>"
            for n in range(len(times), max(0, len(times) - 20), -1)
        )
        body = f"<rss version='2.0'><channel>{entries}</channel></rss>".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()


# --- the daemon


def good_url(host: str) -> str:
    return f"http://{host}:{PORT}/feed"


def feed_tables(feeds: dict[str, str], every: int) -> str:
    return "".join(
        f'[[feeds]]\nname = "{name}"\nurl = "{url}"\n'
        f'interval = "{every}s"\nmax_interval = "{every}s"\n'
        for name, url in feeds.items()
    )


def memory_of(pid: int) -> tuple[int, int]:
    """Resident bytes of a process, and of it with its children."""
    own = total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if int(folder.name) == pid or parent == pid:
                size = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                total += size
                own += size if int(folder.name) == pid else 0
    return own, total


async def observe(config: Path, hostile: Sequence[str], seconds: float) -> Result:
    result, began = Result(), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "run_monitor.py", "run", "--config", str(config), cwd=ROOT,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        limit=LONGEST_LINE,
    )  # fmt: skip
    log = asyncio.create_task(follow(process, result, set(hostile), began, config.parent / "log"))
    while time.monotonic() - began < seconds and process.returncode is None:
        own, total = memory_of(process.pid)
        result.peak, result.peak_daemon = max(result.peak, total), max(result.peak_daemon, own)
        await asyncio.sleep(0.5)
    result.ended = time.monotonic()
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    result.exit_status = await process.wait()
    await log
    return result


async def follow(
    process: asyncio.subprocess.Process,
    result: Result,
    waited_for: set[str],
    began: float,
    copy: Path,
) -> None:
    assert process.stderr is not None
    with copy.open("wb") as out:
        while line := await process.stderr.readline():
            out.write(line)
            try:
                said = json.loads(line)
            except ValueError:
                result.not_json += 1
                continue
            result.tracebacks += "exception" in said
            if said.get("event") == "polled":
                result.polls.setdefault(said["feed"], []).append(said)
                waited_for.discard(said["feed"])
            if not waited_for and result.seconds_to_all is None:
                result.seconds_to_all = time.monotonic() - began


# --- the judgement


def outcome(said: dict[str, Any]) -> str:
    if said["result"] == "failed":
        return "error"
    return "degraded" if said["warnings"] else "ok"


def warned(said: dict[str, Any], warning: str) -> bool:
    return any(warning in each for each in said["warnings"])


def complaints(case: dict[str, Any], polls: Sequence[dict[str, Any]], stored: int) -> list[str]:
    """What is wrong with a document's *polls* and the number of its *stored* entries."""
    if not polls:
        return ["never polled"]
    expected, bad = case["expect"], []
    documents = len(case.get("polls") or [case["file"]])
    wanted = expected["outcome"] if documents > 1 else [expected["outcome"]]
    warning = OUR_WORDS.get(expected.get("warning", ""), expected.get("warning", ""))
    for number, (said, allowed) in enumerate(zip(polls, wanted, strict=False), 1):
        if case["id"] in ARGUED or (warning and warned(said, warning)):
            allowed = "degraded"
        if allowed != "any" and outcome(said) not in allowed.split("|"):
            bad.append(f"poll {number}: {outcome(said)}, expected {allowed}; {said['detail']}")
    if warning and len(polls) >= documents and not any(warned(said, warning) for said in polls):
        bad.append(f'nothing is said of a "{warning}"')
    counts = expected["stored"] if documents > 1 else [expected["stored"]]
    reached = counts[: len(polls)][-1]
    low, high = reached if isinstance(reached, list) else (reached, reached)
    if not low <= stored <= high:
        bad.append(f"{stored} entries after {len(polls)} polls, expected {reached}")
    return bad


def lateness(times: Sequence[float], end: float) -> float:
    """The longest time between two polls, the end of the run counting as one."""
    return max(b - a for a, b in zip(times, [*times[1:], end], strict=True)) if times else 1e9


def told(result: Result, cases: dict[str, dict[str, Any]], folder: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(folder / "data" / "monitor.db")) as db:
        stored = dict(
            db.execute(
                "SELECT f.name, count(e.id) FROM feeds f LEFT JOIN entries e ON e.feed_id = f.id"
                " GROUP BY f.name"
            )
        )
    wrong = []
    for name, case in cases.items():
        bad = complaints(case, result.polls.get(name, []), stored.get(name, 0))
        wrong += [f"{name}: {each}" for each in bad]
    for path, wanted in BEHAVIOURS.items():
        seen = [outcome(said) for said in result.polls.get(path, [])]
        if not seen or any(each != (wanted or "ok") for each in seen):
            wrong.append(f"{path}: {seen or 'never polled'}, expected {wanted or 'ok'}")
    for file in folder.rglob("*"):
        if file.is_file() and "documents" not in file.parts and CANARY in file.read_bytes():
            wrong.append(f"{file.name} holds what stands in a local file")
    return wrong


def late(result: Result) -> list[str]:
    gaps = {host: lateness(times, result.ended) for host, times in result.asked.items()}
    return [
        f"good feed {host}: {gap:.1f} s between polls"
        for host, gap in gaps.items()
        if gap > INTERVAL + ALLOWED
    ]


def report(result: Result, wrong: Sequence[str], counts: tuple[int, int, int]) -> None:
    gaps = sorted(lateness(times, result.ended) for times in result.asked.values())
    polls = sum(map(len, result.asked.values()))
    all_polled = result.seconds_to_all
    print(f"documents {counts[0]}, behaviours {counts[1]}, good feeds {counts[2]}")
    print(f"every hostile feed polled once    {all_polled and round(all_polled, 1)} s")
    print(f"polls of hostile feeds            {sum(map(len, result.polls.values())) - polls}")
    print(f"polls of good feeds               {polls} of {len(gaps)}")
    print(f"longest time between two, of {INTERVAL} s  median {gaps[len(gaps) // 2]:.1f} s,"
          f" worst {gaps[-1]:.1f} s, allowed {INTERVAL + ALLOWED} s")  # fmt: skip
    print(f"peak memory                       daemon {result.peak_daemon >> 20} MiB,"
          f" with its children {result.peak >> 20} MiB")  # fmt: skip
    print(f"log lines that are no JSON        {result.not_json}")
    print(f"tracebacks in the log             {result.tracebacks}")
    print(f"exit status after SIGTERM         {result.exit_status}")
    print(f"complaints                        {len(wrong)}")
    for each in wrong:
        print(f"  {each}")


# --- all of it


async def main(seconds: float, good: int, keep: str | None, control: bool) -> int:
    table = json.loads((SHARED / "expectations.json").read_text())["cases"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(keep or temporary)
        documents = folder / "documents"
        make = [sys.executable, str(SHARED / "gen_hostile.py"), "--big", "--out", str(documents)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        cases = {case["id"]: case for case in table}
        paths = {name: f"/poll/{name}" for name in cases} | {path: path for path in BEHAVIOURS}
        hosts = [f"127.1.{n // 200}.{n % 200 + 1}" for n in range(len(paths))]
        hostile = {
            name: f"http://{host}:{PORT}{path}"
            for host, (name, path) in zip(hosts, paths.items(), strict=True)
        }
        command = [sys.executable, "-m", "tests.bench.hostile_daemon", "--serve", str(documents)]
        server = await asyncio.create_subprocess_exec(
            *command, ",".join(["127.0.0.1", *hosts]), cwd=ROOT, stdout=subprocess.PIPE
        )
        assert server.stdout is not None
        await server.stdout.readline()
        try:
            return await watch(folder, hostile, cases, seconds=seconds, good=good, control=control)
        finally:
            server.kill()
            await server.wait()


async def watch(
    folder: Path,
    hostile: dict[str, str],
    cases: dict[str, Any],
    *,
    seconds: float,
    good: int,
    control: bool,
) -> int:
    outlet = Good()
    web = WebServer(routes={"/feed": outlet})
    addresses = [f"127.2.0.{n + 1}" for n in range(good)]
    others = [f"127.3.0.{n + 1}" for n in range(len(hostile) if control else 0)]
    hostile = dict(zip(hostile, map(good_url, others), strict=True)) if control else hostile
    server = await asyncio.start_server(web.talk, addresses + others, PORT)
    feeds = {f"good {host}": good_url(host) for host in addresses}
    async with http_sink() as sink, server:
        config = folder / "config.toml"
        (folder / "rules").mkdir()
        (folder / "rules" / "word.toml").write_text(RULE)
        head = CONFIG.format(sink=sink.url("200"))
        config.write_text(
            head + feed_tables(hostile, HOSTILE_INTERVAL) + feed_tables(feeds, INTERVAL)
        )
        result = await observe(config, list(hostile), seconds)
        result.asked = {host: outlet.asked.get(host, []) for host in addresses}
        await web.hang_up()
    wrong = late(result)
    if not control:
        wrong += told(result, cases, folder) + await loud()
    report(result, wrong, (len(cases), len(BEHAVIOURS), good))
    print(f"messages at the sink              {len(sink.posted)}")
    return 1 if wrong or result.exit_status or result.tracebacks or result.not_json else 0


async def loud() -> list[str]:
    """Whether anything asked for an address that only stands within a document."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"GET /stats HTTP/1.1\r\nConnection: close\r\n\r\n")
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().split("content-length:")[1].split("\r\n")[0])
    hits = json.loads(await reader.readexactly(length))["hits"]
    writer.close()
    return [f"{LOUD} was asked for"] if LOUD in hits else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--good", type=int, default=50)
    parser.add_argument("--keep", help="folder for what would be removed, the log for one")
    parser.add_argument("--control", action="store_true", help="good feeds for hostile ones")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
    else:
        sys.exit(asyncio.run(main(options.seconds, options.good, options.keep, options.control)))
