"""What feeds and the network between do: hang, lie, overflow, refuse, vanish, all at once."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from tests.faults.fault import fault, scaled
from tests.faults.house import House, a_house
from tests.faults.outlets import Outlet
from tests.replay import SHARED
from tests.servers import (
    FEED,
    Asked,
    Behaviour,
    WebServer,
    Writer,
    bomb,
    drip,
    endless,
    hang,
    raw,
    reply,
)

Held = Callable[[object], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
HTML = b"<!doctype html><html><title>Wi-Fi</title><form><input type=password></form></html>"

HANGS = {
    "before the answer": hang(),
    "in the headers": drip(start=b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "in the body": drip(),
}
BROKEN = {
    "reset": raw(b"", reset=True),
    "closed": raw(b""),
    "short": reply(length=len(FEED) + 1000),
    "cut off": raw(HEAD + b"\r\n" + FEED[:-30], reset=True),
    "chunk abort": raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n<rss>", reset=True),
    "garbage": raw(b"\x00\xff\xfe garbage \r\n\r\n"),
    "no feed": reply(b"\x89PNG\r\n\x1a\n"),
    "empty": reply(b""),
}
BOMBS = {
    "gzip": reply(bomb(500), content_encoding="gzip"),
    "deflate": reply(bomb(500, 15), content_encoding="deflate"),
    "bare deflate": reply(bomb(500, -15), content_encoding="deflate"),
    "layered": reply(bomb(500), content_encoding="gzip, gzip"),
    "endless": endless(b"<item/>" * 4096),
}
STATUSES = {str(each): reply(b"", status=each) for each in (403, 404, 429, 500, 502, 503)}


class Misbehaves:
    """An outlet that behaves so for the next *times*, then well again."""

    def __init__(self, outlet: Outlet, behaviour: Behaviour, times: int) -> None:
        self._outlet, self._behaviour, self._left = outlet, behaviour, times
        outlet.behaviour = self

    async def __call__(self, asked: Asked, writer: Writer) -> None:
        self._left -= 1
        if self._left <= 0:
            self._outlet.behaviour = None
        await self._behaviour(asked, writer)


async def _bystanders_misbehave(
    house: House, behaviours: Sequence[Behaviour], times: int, within: float
) -> list[str]:
    """The first bystanders, each in its way, while the others are well; until all are."""
    await house.settled_in()
    await house.sample("before")
    ailing = house.bystanders[: len(behaviours)]
    for outlet, behaviour in zip(ailing, behaviours, strict=True):
        outlet.publish()
        Misbehaves(outlet, behaviour, times)
    for _ in range(3):
        house.outlet.publish()
        await house.polled()
    await house.until(
        lambda: all(each.behaviour is None for each in ailing), "all to have failed", within
    )
    await house.settled(within)
    await house.sample("after")
    return [each.url for each in ailing]


def _each_failed(house: House, feeds: int, times: int) -> None:
    """The first bystanders, as often as they misbehaved."""
    failed = Counter(each["feed"] for each in house.logged("polled") if each["result"] == "failed")
    assert all(failed[f"Bystander {n + 1}"] >= times for n in range(feeds)), failed


def _failures(house: House) -> int:
    return sum(line.get("result") == "failed" for line in house.logged("polled"))


@asynccontextmanager
async def _own_hosts(
    house: House, outlets: Sequence[Outlet], *, interval: str = "1s"
) -> AsyncIterator[None]:
    """*outlets* on hosts of their own, as all of 127.0.0.0/8 leads to us."""
    web = WebServer(routes={each.path: each for each in outlets})
    server = await asyncio.start_server(web.talk, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    first = ipaddress.ip_address("127.8.0.1")
    for number, each in enumerate(outlets):
        each.url = f"http://{first + number}:{port}{each.path}"
    house.write_config(interval=interval)
    try:
        yield
    finally:
        server.close()
        await web.hang_up()


@fault(
    17,
    "a feed hangs",
    injected="before the answer, in the headers, in the body: bytes that never end",
    holds="the whole exchange has a deadline; other feeds are on time; nothing lost",
)
async def test_hanging_feeds(tmp_path: Path, held: Held) -> None:
    async with (
        a_house(tmp_path, bystanders=len(HANGS) + 1) as house,
        _own_hosts(house, house.bystanders[: len(HANGS)]),
    ):
        times = scaled(ci=1, scaled=1, full=4)
        ailing = await _bystanders_misbehave(house, list(HANGS.values()), times, 90 * times)
        _each_failed(house, len(HANGS), times)
        held(f"{_failures(house)} polls failed; {await house.audit(ailing=ailing)}")


@fault(
    18,
    "a feed resets, is short, is garbage",
    injected=f"on feeds of their own, three times each: {', '.join(BROKEN)}",
    holds="each is a failure of its feed alone; nothing lost once it is well",
)
async def test_broken_answers(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path, bystanders=len(BROKEN) + 1) as house:
        ailing = await _bystanders_misbehave(house, list(BROKEN.values()), 3, 60)
        held(f"{_failures(house)} polls failed; {await house.audit(ailing=ailing)}")


@fault(
    19,
    "decompression bombs and endless bodies",
    injected=f"500 MB packed into 500 kB, twice each: {', '.join(BOMBS)}",
    holds="stopped at 15 MiB; memory as before; other feeds on time",
)
async def test_bombs(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path, bystanders=len(BOMBS) + 1) as house:
        ailing = await _bystanders_misbehave(house, list(BOMBS.values()), 2, 60)
        _each_failed(house, len(BOMBS), 2)
        held(f"{_failures(house)} polls failed; {await house.audit(ailing=ailing)}")


@fault(
    20,
    "error statuses, mixed",
    injected=f"three times each, and 410: {', '.join(STATUSES)}",
    holds="each is a failure of its feed alone and shown; nothing lost once it is well",
)
async def test_error_statuses(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path, bystanders=len(STATUSES) + 1) as house:
        ailing = await _bystanders_misbehave(house, list(STATUSES.values()), 3, 60)
        gone = house.bystanders[-1]
        gone.behaviour = reply(b"", status=410)
        await house.until(lambda: _failures(house) > 3 * len(STATUSES), "the 410")
        await house.status()
        verdict = await house.audit(ailing=[*ailing, gone.url], visible=["410"])
        held(f"{_failures(house)} polls failed; {verdict}")


async def _all_fail(house: House, behaviour: Behaviour, seconds: float) -> float:
    """Every feed, for so long; the seconds until news is told afterwards."""
    await house.settled_in()
    everyone = (house.outlet, *house.bystanders)
    async with house.holding_up("all feeds fail"):
        for each in everyone:
            each.behaviour = behaviour
            each.publish()
        await asyncio.sleep(seconds)
        for each in everyone:
            each.behaviour = None
        took = await house.recovers(within=4 * seconds + 10)  # waits grow with the failures
    await house.settled(within=4 * seconds + 10)
    return took


@fault(
    21,
    "captive portal",
    injected="every feed answers 200 with a sign-in page (scaled: 6 s, else 2 min)",
    holds="failures, never entries; validators kept; nothing lost afterwards",
)
async def test_a_captive_portal(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        portal = reply(HTML, content_type="text/html", etag='"portal"')
        took = await _all_fail(house, portal, scaled(ci=4, scaled=6, full=120))
        assert _failures(house) >= 4
        held(f"told {took:.1f} s after its end; {await house.audit()}")


@fault(
    22,
    "all feeds fail at once, then recover",
    injected="503 from every feed (scaled: 5 s, else 2 min)",
    holds="all are polled again by themselves; nothing lost",
)
async def test_all_feeds_fail(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path, bystanders=20) as house:
        down = reply(b"", status=503)
        took = await _all_fail(house, down, scaled(ci=4, scaled=5, full=120))
        held(f"told {took:.1f} s after its end; {await house.audit()}")


# --- all hostile documents


@fault(
    23,
    "every hostile document on its own feed, at once",
    injected="the single documents of gen_hostile.py (bombs, bad XML, bad dates, endless names …)",
    holds="the daemon stays up, every log line is JSON, good feeds on time, nothing of theirs lost",
)
async def test_all_hostile_documents(tmp_path: Path, held: Held) -> None:
    documents = _hostile_documents(tmp_path / "documents")
    async with (
        a_house(tmp_path, bystanders=len(documents), interval="10s") as house,
        _own_hosts(house, house.bystanders, interval="10s"),
    ):
        for outlet, body in zip(house.bystanders, documents, strict=True):
            outlet.behaviour = reply(body, content_type="application/xml")
        house.outlet.publish("Old", minutes_ago=600)
        began = house.ledger.now
        await house.run()
        names = [f"Bystander {n + 1}" for n in range(len(documents))]
        asked = {line["feed"]: line for line in house.logged("polled")}

        def all_polled() -> bool:
            asked.update({line["feed"]: line for line in house.logged("polled")})
            return asked.keys() >= set(names)

        await house.until(all_polled, "every document to be read", within=180)
        took = house.ledger.now - began
        house.outlet.publish()
        await house.until(lambda: house.outlet.links[-1] in house.stored(), "good news", 30)
        ailing = [each.url for each in house.bystanders]
        # Hostile documents repeat links, and mention alerts that nobody is told of.
        verdict = await house.audit(
            ailing=ailing, interval=10.0, without=("INV1", "INV3"), given_up=["refused", "parked"]
        )
        assert not any("exception" in line for line in house.lines())
        held(f"{len(documents)} documents in {took:.0f} s; {verdict}")


def _hostile_documents(folder: Path) -> list[bytes]:
    generator = SHARED / "bench" / "hostile" / "gen_hostile.py"
    if not generator.exists():
        pytest.skip("the hostile documents are not here")
    command = [sys.executable, str(generator), "--out", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return [
        each.read_bytes() for each in sorted(folder.glob("*.xml")) + sorted(folder.glob("*.json"))
    ]


# --- the network


@fault(
    24,
    "DNS fails, is slow, flaps",
    injected="its own /etc/hosts, emptied and filled each 2 s; a name server that never answers",
    holds="a failure of the named feed alone; others on time; polled again when it is found",
)
async def test_flapping_names(tmp_path: Path, held: Held) -> None:
    if shutil.which("unshare") is None or not _may("mount", "--bind", "/etc/hosts", "/etc/hosts"):
        pytest.skip("needs unshare and a mount namespace of its own")
    hosts, resolver = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text("")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))  # resolvers ask port 53 only: nobody answers there either
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
        async with a_house(tmp_path, bystanders=2) as house:
            named = house.bystanders[0]
            named.url = named.url.replace("127.0.0.1", "feeds.test")
            house.write_config()
            script = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2'
            house.before = (
                *("unshare", "--map-root-user", "--mount", "sh", "-c", f'{script} && exec "$@"'),
                *("sh", str(hosts), str(resolver)),
            )
            named.publish()
            await house.settled_in()
            for _ in range(scaled(ci=2, scaled=4, full=60)):
                hosts.write_text("127.0.0.1 feeds.test\n")
                await asyncio.sleep(2)
                hosts.write_text("")
                house.outlet.publish()
                named.publish()
                await asyncio.sleep(2)
            hosts.write_text("127.0.0.1 feeds.test\n")
            await house.settled(within=120)
            assert _failures(house)
            held(f"{_failures(house)} polls failed; {await house.audit(ailing=[named.url])}")


def _may(*command: str) -> bool:
    """Whether this machine lets us do so in namespaces of our own."""
    inside = ("unshare", "--map-root-user", "--mount", *command)
    return subprocess.run(inside, capture_output=True).returncode == 0


@fault(
    26,
    "network gone",
    injected="the feeds' socket is closed for 5 s; and a start without any interface (unshare -n)",
    holds="polled again by itself when it is back; nothing lost, nothing repeated",
    ci=True,
)
async def test_the_network_is_gone(tmp_path: Path, held: Held) -> None:
    async with a_house(tmp_path) as house:
        port = await _move_to_a_server_of_its_own(house)
        server = await _listen(house, port)
        await house.settled_in()
        async with house.holding_up("network gone"):
            server.close()
            house.outlet.publish()
            await asyncio.sleep(scaled(ci=3, scaled=5, full=60))
            server = await _listen(house, port)
            took = await house.recovers(within=30)
        await house.settled()
        if shutil.which("unshare") and _may("true"):
            await _without_interfaces(house)
        server.close()
        held(f"told {took:.1f} s after its end; {await house.audit()}")


async def _move_to_a_server_of_its_own(house: House) -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    for each in (house.outlet, *house.bystanders):
        each.url = f"http://127.0.0.1:{port}{each.path}"
    house.write_config()
    return port


async def _listen(house: House, port: int) -> asyncio.Server:
    routes = {each.path: each for each in (house.outlet, *house.bystanders)}
    return await asyncio.start_server(WebServer(routes=routes).talk, "127.0.0.1", port)


async def _without_interfaces(house: House) -> None:
    """A life in a network of nothing: what waits, waits."""
    await house.stop()
    house.outlet.publish()
    async with house.holding_up("no interfaces"):
        before, house.before = house.before, ("unshare", "--map-root-user", "--net")
        await house.run()
        await house.until(lambda: _failures(house) >= 2, "polls to fail")
        await house.stop()
        house.before = before
        await house.run()
        await house.recovers(within=40)
        await house.settled(within=40)


@fault(
    27,
    "TLS expired, wrong host, self-signed",
    injected="certificates of trustme on loopback; one authority is named by ca_file",
    holds="only the good one is read; the others are shown as failing; others on time",
)
async def test_bad_certificates(tmp_path: Path, held: Held) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    past = datetime(2020, 1, 1, tzinfo=UTC)
    certificates = [
        ours.issue_cert("127.0.0.1"),
        ours.issue_cert("127.0.0.1", not_before=past, not_after=past.replace(year=2021)),
        ours.issue_cert("elsewhere.example"),
        theirs.issue_cert("127.0.0.1"),
    ]
    async with a_house(tmp_path, bystanders=5) as house, _secure(house, certificates):
        text = house.config.read_text()
        for number in range(1, 5):
            name = f'name = "Bystander {number}"\n'
            text = text.replace(name, f'{name}ca_file = "ca.pem"\n')
        house.config.write_text(text)
        good, *bad = house.bystanders[:4]
        for each in (*house.bystanders, house.outlet):
            each.publish("Old", minutes_ago=600)
        await house.run()
        await house.until(lambda: house.told("Watching"), "the first message")
        good.publish()
        await house.until(lambda: good.links[-1] in house.stored(), "news over TLS")
        await house.recovers()
        polls = house.logged("polled")
        read = {line["feed"] for line in polls if line["result"] != "failed"}
        assert {line["feed"] for line in polls} - read == {f"Bystander {n}" for n in (2, 3, 4)}
        assert all(each.gets == 0 for each in bad)
        await house.status()
        ailing = [each.url for each in bad]
        shown = ["the certificate is not valid"]
        held(f"three refused; {await house.audit(ailing=ailing, visible=shown)}")


@asynccontextmanager
async def _secure(house: House, certificates: Sequence[trustme.LeafCert]) -> AsyncIterator[None]:
    """The first bystanders behind these certificates."""
    servers = []
    for outlet, certificate in zip(house.bystanders, certificates, strict=False):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        web = WebServer(routes={outlet.path: outlet})
        server = await asyncio.start_server(web.talk, "127.0.0.1", 0, ssl=context)
        outlet.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}{outlet.path}"
        servers.append(server)
    house.write_config()
    try:
        yield
    finally:
        for server in servers:
            server.close()


@fault(
    48,
    "1000 feeds, all but a few slow for ever",
    injected="each drips a byte now and then, each on a host of its own (scaled: 200 feeds)",
    holds="the good feeds are on time: slow hosts have half of the slots at most",
)
async def test_slow_for_ever(tmp_path: Path, held: Held) -> None:
    count = scaled(ci=50, scaled=200, full=1000)
    async with (
        a_house(tmp_path, bystanders=count + 1) as house,
        _own_hosts(house, house.bystanders[:count]),
    ):
        slow = house.bystanders[:count]
        for each in slow:
            each.behaviour = drip(1.0)
        for each in (house.outlet, *house.bystanders[count:]):
            each.publish("Old", minutes_ago=600)
        await house.run()
        times = scaled(ci=15, scaled=40, full=120)
        for _ in range(times):
            house.outlet.publish()
            await house.polled()
        await house.until(lambda: len(house.outlet.links) <= len(house.stored()), "all", 30)
        slow_polls = sum(each.gets for each in slow)
        verdict = await house.audit(ailing=[each.url for each in slow])
        held(f"{count} feeds dripped, asked {slow_polls} times; {verdict}")
