"""Our own transport under httpx: connections used again, their bounds, TLS, and what goes wrong."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network

import httpx
import pytest
import trustme

from monitor.feeds.guard import MAX_TRIED, AddressRefused, Guard, NameUnknown
from monitor.feeds.transport import OwnTransport
from tests.servers import FEED

LOOPBACK = (ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

Talk = Callable[["Line"], Awaitable[None]]


@dataclass(slots=True)
class Line:
    """One connection, as its server sees it."""

    number: int  # from 0
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def asked(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    def end(self, *, reset: bool = False) -> None:
        if reset:  # RST instead of FIN
            linger = struct.pack("ii", 1, 0)
            self.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
        self.writer.close()


@dataclass(slots=True)
class Lines:
    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    opened: list[Line] = field(default_factory=list)
    open: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@asynccontextmanager
async def lines(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[Lines]:
    """A server that says on every connection what *talk* says."""
    there = Lines()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(len(there.opened), reader, writer)
        there.opened.append(line)
        there.open += 1
        task = asyncio.current_task()
        assert task is not None
        there.tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await talk(line)
        except asyncio.CancelledError:  # the test is over
            writer.transport.abort()
        finally:
            there.open -= 1
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    there.port = server.sockets[0].getsockname()[1]
    try:
        yield there
    finally:
        server.close()
        for task in there.tasks:
            task.cancel()
        await asyncio.gather(*there.tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def at_loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@asynccontextmanager
async def transport(
    *answers: str, idle: int = 4, tls: ssl.SSLContext | None = None
) -> AsyncIterator[OwnTransport]:
    """*answers*: the addresses that every name has."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return answers or ["127.0.0.1"]

    context = tls or ssl.create_default_context()
    async with OwnTransport(Guard(LOOPBACK, resolve), context, idle=idle) as made:
        yield made


async def get(made: OwnTransport, url: str, method: str = "GET", **more: object) -> bytes:
    request = httpx.Request(method, url, **more)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        response = await made.handle_async_request(request)
        try:
            return await response.aread()
        finally:
            await response.aclose()


async def politely(line: Line) -> None:
    """Answer whatever is asked, for ever."""
    while True:
        await line.asked()
        line.writer.write(OK)


# --- connections used again


async def test_a_connection_serves_again() -> None:
    async with lines(politely) as server, transport() as made:
        for _ in range(3):
            assert await get(made, f"http://a.example:{server.port}/") == b"hi"
    assert len(server.opened) == 1


async def test_two_at_once_need_two() -> None:
    async with lines(politely) as server, transport() as made:
        url = f"http://a.example:{server.port}/"
        await asyncio.gather(get(made, url), get(made, url))
        await asyncio.gather(get(made, url), get(made, url))
    assert len(server.opened) == 2


@pytest.mark.parametrize(
    "second",
    ["http://b.example:{}/", "http://127.0.0.1:{}/"],
    ids=["another name", "the same address, written"],
)
async def test_another_origin_needs_its_own(second: str) -> None:
    async with lines(politely) as server, transport() as made:
        await get(made, f"http://a.example:{server.port}/")
        await get(made, second.format(server.port))
    assert len(server.opened) == 2


async def test_few_are_kept_and_the_longest_idle_goes_first() -> None:
    async with lines(politely) as server, transport(idle=2) as made:
        for host in ("a", "b", "c"):
            await get(made, f"http://{host}.example:{server.port}/")
        while server.open > 2:
            await asyncio.sleep(0)
        for host in ("c", "b"):
            await get(made, f"http://{host}.example:{server.port}/")
        assert len(server.opened) == 3
        await get(made, f"http://a.example:{server.port}/")
    assert len(server.opened) == 4


async def test_none_is_left_open_at_the_end() -> None:
    async with lines(politely) as server:
        async with transport() as made:
            await get(made, f"http://a.example:{server.port}/")
            assert server.open == 1
        while server.open:
            await asyncio.sleep(0)


UNFIT = {
    "it says that it closes": OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1),
    "HTTP/1.0": OK.replace(b"1.1", b"1.0"),
    "more than it said": OK + b"surplus",
}


@pytest.mark.parametrize("answer", UNFIT.values(), ids=UNFIT)
async def test_unfit_connections_are_closed(answer: bytes) -> None:
    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(answer)
        await line.reader.read()

    async with lines(talk) as server, transport() as made:
        for _ in range(2):
            assert await get(made, f"http://a.example:{server.port}/") == b"hi"
    assert len(server.opened) == 2


async def test_one_whose_body_nobody_wanted_is_closed() -> None:
    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000000\r\n\r\nhalf")
        await line.reader.read()

    async with lines(talk) as server, transport() as made:
        request = httpx.Request("GET", f"http://a.example:{server.port}/")
        response = await made.handle_async_request(request)
        await response.aclose()
        async with asyncio.timeout(2):
            while server.open:
                await asyncio.sleep(0)


async def test_what_comes_unasked_on_an_idle_connection_ends_it() -> None:
    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(OK)
        if line.number == 0:
            await asyncio.sleep(0)
            line.writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await line.reader.read()

    async with lines(talk) as server, transport() as made:
        await get(made, f"http://a.example:{server.port}/")
        async with asyncio.timeout(2):
            while server.open:
                await asyncio.sleep(0)
        assert await get(made, f"http://a.example:{server.port}/") == b"hi"


# --- a connection that was closing already


def closing(*, reset: bool) -> Talk:
    """The first connection ends when it is asked for the second time."""

    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(OK)
        await line.asked()
        if line.number:
            line.writer.write(OK)
        line.end(reset=reset)

    return talk


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_stale_connection_is_tried_again_on_a_fresh_one(reset: bool) -> None:
    async with lines(closing(reset=reset)) as server, transport() as made:
        for _ in range(2):
            assert await get(made, f"http://a.example:{server.port}/") == b"hi"
    assert len(server.opened) == 2


async def test_only_once() -> None:
    async def talk(line: Line) -> None:
        await line.asked()
        if line.number == 0:
            line.writer.write(OK)
            await line.asked()

    async with lines(talk) as server, transport() as made:
        await get(made, f"http://a.example:{server.port}/")
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
            await get(made, f"http://a.example:{server.port}/")
    assert len(server.opened) == 2


async def test_not_when_an_answer_had_begun() -> None:
    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(OK)
        await line.asked()
        line.writer.write(b"HTTP/1.1 2")

    async with lines(talk) as server, transport() as made:
        await get(made, f"http://a.example:{server.port}/")
        with pytest.raises(httpx.RemoteProtocolError):
            await get(made, f"http://a.example:{server.port}/")
    assert len(server.opened) == 1


async def test_a_post_goes_on_a_fresh_one_always() -> None:
    async def talk(line: Line) -> None:
        while head := await line.asked():
            if head.startswith(b"POST"):
                assert await line.reader.readexactly(3) == b"a=b"
            line.writer.write(OK)

    async with lines(talk) as server, transport() as made:
        url = f"http://a.example:{server.port}/"
        await get(made, url)
        assert await get(made, url, "POST", data={"a": "b"}) == b"hi"
    assert len(server.opened) == 2


# --- what is asked


async def test_the_question_as_it_is_sent() -> None:
    heard = []

    async def talk(line: Line) -> None:
        heard.append(await line.asked())
        line.writer.write(OK)

    async with lines(talk) as server, transport() as made:
        url = f"http://a.example:{server.port}/caf%C3%A9?q=a+b#part"
        await get(made, url, headers=[(b"if-none-match", b'"caf\xe9"')])
    head = f"GET /caf%C3%A9?q=a+b HTTP/1.1\r\nHost: a.example:{server.port}\r\n".encode()
    assert heard == [head + b'if-none-match: "caf\xe9"\r\n\r\n']


@pytest.mark.parametrize("value", [b"a\r\nX: b", b"a\nX: b", b"a\rb", b"a\0b"])
async def test_a_header_that_would_be_two_is_not_sent(value: bytes) -> None:
    async with transport() as made:
        with pytest.raises(httpx.LocalProtocolError):
            await get(made, "http://a.example/", headers=[(b"x-key", value)])


# --- answers


async def test_headers_come_as_they_are() -> None:
    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(b'HTTP/1.1 304 Not Modified\r\nETag: W/"caf\xe9;\'\\"\r\nX-a:\r\n\r\n')

    async with lines(talk) as server, transport() as made:
        request = httpx.Request("GET", f"http://a.example:{server.port}/")
        response = await made.handle_async_request(request)
        await response.aclose()
    assert response.status_code == 304
    assert response.headers.raw == [(b"ETag", b'W/"caf\xe9;\'\\"'), (b"X-a", b"")]


async def test_a_server_that_answers_before_it_is_asked() -> None:
    async def talk(line: Line) -> None:
        line.writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno")
        await line.reader.read()

    async with lines(talk) as server, transport() as made:
        assert await get(made, f"http://a.example:{server.port}/") == b"no"


async def test_a_server_that_sends_faster_than_we_read_must_wait() -> None:
    """10 GB would otherwise lie in memory before the limit of a body counted the first byte."""
    sent = 0

    async def talk(line: Line) -> None:
        nonlocal sent
        await line.asked()
        line.writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.writer.write(b"x" * 65_536)
            await line.writer.drain()
            sent += 65_536

    async with lines(talk) as server, transport() as made:
        request = httpx.Request("GET", f"http://a.example:{server.port}/")
        response = await made.handle_async_request(request)
        before = -1
        while sent > before:  # until the buffers of the system are full
            before = sent
            for _ in range(50):
                await asyncio.sleep(0)
        assert before < 64 << 20
        read = 0
        async for part in response.aiter_raw():
            assert len(part) <= 65_536
            read += len(part)
            if read > before + (1 << 20):
                break
        await response.aclose()
    assert sent > before


BROKEN: dict[str, tuple[bytes, bool, type[httpx.HTTPError]]] = {
    "nothing": (b"", False, httpx.RemoteProtocolError),
    "reset": (b"", True, httpx.ReadError),
    "half a head": (b"HTTP/1.1 200 OK\r\n", False, httpx.RemoteProtocolError),
    "garbage": (b"garbage\r\n\r\n", False, httpx.RemoteProtocolError),
    "half a body": (OK[:-1], False, httpx.RemoteProtocolError),
    "half a body, reset": (OK[:-1], True, httpx.ReadError),
}


@pytest.mark.parametrize(("answer", "reset", "kind"), BROKEN.values(), ids=BROKEN)
async def test_broken_answers(answer: bytes, reset: bool, kind: type[httpx.HTTPError]) -> None:
    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(answer)
        if reset:
            await line.writer.drain()
            line.end(reset=True)

    async with lines(talk) as server, transport() as made:
        with pytest.raises(kind):
            await get(made, f"http://a.example:{server.port}/")


# --- connecting


async def test_the_next_address_gets_its_turn() -> None:
    dead = [f"127.0.0.{n}" for n in range(2, MAX_TRIED + 1)]  # nobody listens there
    async with lines(politely) as server, transport(*dead, "127.0.0.1") as made:
        assert await get(made, f"http://a.example:{server.port}/") == b"hi"


async def test_an_address_that_does_not_answer_gets_its_share_of_the_time() -> None:
    silent = "127.0.0.9"
    async with lines(politely) as server, transport(silent, "127.0.0.1") as made:
        with silence(silent, server.port):
            url = f"http://a.example:{server.port}/"
            began = time.monotonic()
            assert await get(made, url, extensions={"timeout": {"connect": 0.4}}) == b"hi"
    assert time.monotonic() - began >= 0.2


async def test_an_only_address_that_does_not_answer() -> None:
    with silence("127.0.0.9", 0) as port:
        async with transport("127.0.0.9") as made:
            url = f"http://a.example:{port}/"
            with pytest.raises(httpx.ConnectTimeout):
                await get(made, url, extensions={"timeout": {"connect": 0.05}})


@contextmanager
def silence(address: str, port: int) -> Iterator[int]:
    """Its port: nobody is refused there, and nobody let in, as behind a dead route."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind((address, port))
        full.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield full.getsockname()[1]


async def test_addresses_tried_are_bounded() -> None:
    dead = [f"127.0.0.{n}" for n in range(2, MAX_TRIED + 2)]
    async with lines(politely) as server, transport(*dead, "127.0.0.1") as made:
        with pytest.raises(httpx.ConnectError):
            await get(made, f"http://a.example:{server.port}/")


@pytest.mark.parametrize(
    ("addresses", "cause"),
    [
        pytest.param(["10.0.0.1"], AddressRefused, id="private"),
        pytest.param(["127.0.0.1", "::1"], AddressRefused, id="one private among allowed"),
    ],
)
async def test_the_guard_is_asked(addresses: list[str], cause: type[Exception]) -> None:
    async with transport(*addresses) as made:
        with pytest.raises(httpx.ConnectError) as raised:
            await get(made, "http://a.example:1/")
    assert isinstance(raised.value.__cause__, cause)


async def test_an_unknown_name() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        return []

    tls = ssl.create_default_context()
    async with OwnTransport(Guard(LOOPBACK, unknown), tls, idle=1) as made:
        with pytest.raises(httpx.ConnectError) as raised:
            await get(made, "http://a.example/")
    assert isinstance(raised.value.__cause__, NameUnknown)


async def test_a_look_up_that_hangs_has_a_deadline() -> None:
    async def hanging(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    tls = ssl.create_default_context()
    async with OwnTransport(Guard((), hanging), tls, idle=1) as made:
        with pytest.raises(httpx.ConnectTimeout):
            await get(made, "http://a.example/", extensions={"timeout": {"connect": 0.02}})


# --- TLS


def secure(ca: trustme.CA, name: str = "a.example") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of the server, of us."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(server)
    client = ssl.create_default_context()
    ca.configure_trust(client)
    return server, client


async def test_a_tls_connection_serves_again() -> None:
    theirs, ours = secure(trustme.CA())
    async with lines(politely, theirs) as server, transport(tls=ours) as made:
        for _ in range(3):
            assert await get(made, f"https://a.example:{server.port}/") == b"hi"
    assert len(server.opened) == 1


async def test_the_name_is_told_and_checked() -> None:
    ca = trustme.CA()
    theirs, ours = secure(ca)
    names = []
    theirs.sni_callback = lambda _, name, __: names.append(name)  # type: ignore[assignment]
    async with lines(politely, theirs) as server, transport(tls=ours) as made:
        await get(made, f"https://a.example:{server.port}/")
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            await get(made, f"https://b.example:{server.port}/")
    assert names == ["a.example", "b.example"]


async def test_a_session_is_taken_up() -> None:
    async def once(line: Line) -> None:
        await line.asked()
        line.writer.write(OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        resumed.append(line.writer.get_extra_info("ssl_object").session_reused)

    resumed: list[bool] = []
    theirs, ours = secure(trustme.CA())
    async with lines(once, theirs) as server, transport(tls=ours) as made:
        for _ in range(3):
            await get(made, f"https://a.example:{server.port}/")
    assert resumed == [False, True, True]


async def test_a_session_is_of_one_origin() -> None:
    """Taken up elsewhere it would vouch for a name that the certificate does not hold."""
    theirs, ours = secure(trustme.CA())
    async with lines(politely, theirs) as server, transport(tls=ours) as made:
        await get(made, f"https://a.example:{server.port}/")
        with pytest.raises(httpx.ConnectError):
            await get(made, f"https://b.example:{server.port}/")


async def test_a_big_body_over_tls() -> None:
    body = FEED * 20_000

    async def talk(line: Line) -> None:
        await line.asked()
        line.writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + body)
        await line.writer.drain()

    theirs, ours = secure(trustme.CA())
    async with lines(talk, theirs) as server, transport(tls=ours) as made:
        assert await get(made, f"https://a.example:{server.port}/") == body


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_handshake_that_is_cut_off(reset: bool) -> None:
    async def talk(line: Line) -> None:
        await line.reader.readexactly(20)
        line.end(reset=reset)

    async with lines(talk) as server, transport() as made:
        with pytest.raises(httpx.ConnectError):
            await get(made, f"https://a.example:{server.port}/")
