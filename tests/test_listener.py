"""The door for hubs, by real HTTP: whoever knocks badly gets a short answer, and soon."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import quote

import pytest

from monitor.door import AT_ONCE
from monitor.feeds.listener import Listener
from monitor.feeds.websub import MAX_PUSH
from monitor.model import Subscription
from tests.builders import a_subscription
from tests.hubs import exchange, free_port, request

EACH = a_subscription(callback="https://desk.example.org/websub/t0ken", secret="s3cret")
BODY = b"<rss/>"


class Receives:
    """Answers the questions it is to answer; remembers the rest."""

    def __init__(self) -> None:
        self.questions: list[dict[str, str]] = []
        self.pushes: list[bool] = []
        self.answer: str | None = "a challenge"

    def called(self, token: str) -> Subscription | None:
        return EACH if token == "t0ken" else None

    async def asked(self, each: Subscription, query: dict[str, str]) -> str | None:
        self.questions.append(query)
        if self.answer == "raise":
            raise RuntimeError("a bug")
        return self.answer

    def pushed(self, each: Subscription, *, good: bool) -> None:
        self.pushes.append(good)


@asynccontextmanager
async def listening(seconds: float = 10) -> AsyncIterator[tuple[Receives, int]]:
    receives, port = Receives(), free_port()
    listener = Listener(receives, "127.0.0.1", port, deadline=timedelta(seconds=seconds))
    listener.open()
    try:
        yield receives, port
    finally:
        await listener.aclose()


def signed(body: bytes, secret: str = "s3cret", method: str = "sha256") -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, method).hexdigest()
    return {"X-Hub-Signature": f"{method}={digest}"}


async def test_a_question_is_answered_as_plain_text():
    async with listening() as (receives, port):
        receives.answer = "<script>1</script>"
        said = await request(
            "GET", f"http://127.0.0.1:{port}/websub/t0ken?hub.topic={quote('a b')}"
        )
        assert (said.status, said.body) == (200, b"<script>1</script>")
        assert said.headers["content-type"] == "text/plain; charset=utf-8"
        assert said.headers["x-content-type-options"] == "nosniff"
        assert "server" not in said.headers
        assert receives.questions == [{"hub.topic": "a b"}]


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_a_signed_push_is_told(method):
    async with listening() as (receives, port):
        url = f"http://127.0.0.1:{port}/t0ken"
        said = await request("POST", url, BODY, signed(BODY, method=method))
        assert said.status == 202
        assert receives.pushes == [True]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="not signed"),
        pytest.param(signed(BODY, secret="guessed"), id="by another secret"),
        pytest.param(signed(BODY + b" "), id="of another body"),
        pytest.param({"X-Hub-Signature": "md5=d41d8cd98f00b204e9800998ecf8427e"}, id="by MD5"),
        pytest.param({"X-Hub-Signature": "sha256=" + "0" * 40}, id="cut short"),
    ],
)
async def test_a_push_that_is_signed_badly_is_answered_alike(headers):
    async with listening() as (receives, port):
        said = await request("POST", f"http://127.0.0.1:{port}/t0ken", BODY, headers)
        assert said.status == 202
        assert receives.pushes == [False]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/websub/", 404),
        ("POST", "/websub/t0ken/", 404),
        ("POST", "/websub/T0KEN", 404),
        ("GET", "/../../etc/passwd", 404),
        ("PUT", "/websub/t0ken", 405),
        ("DELETE", "/websub/t0ken", 405),
        ("GET", "/t0ken?" + "&".join(f"a{n}=b" for n in range(50)), 404),
        ("GET", "/t0ken?a=%ff", 200),
    ],
)
async def test_what_else_is_asked(method, path, status):
    async with listening() as (receives, port):
        said = await request(method, f"http://127.0.0.1:{port}{path}")
        assert said.status == status
        assert receives.pushes == []
        assert said.headers.get("allow", "GET, POST") == "GET, POST"


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_PUSH, 202), (MAX_PUSH + 1, 413), (2 << 20, 413), (20 << 20, 413)]
)
async def test_large_pushes(size, status):
    async with listening() as (receives, port):
        body = b"x" * size
        said = await request("POST", f"http://127.0.0.1:{port}/t0ken", body, signed(body))
        assert said.status in (
            (status, 0) if size > 8 << 20 else (status,)
        )  # 0: cut off in writing
        assert receives.pushes == ([True] if status == 202 else [])


async def test_a_push_without_length_is_cut_off_too():
    async with listening() as (receives, port):
        head = b"POST /t0ken HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        said = await exchange("127.0.0.1", port, head + chunk * 2 + b"0\r\n\r\n")
        assert said.status == 413
        assert receives.pushes == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(
            b"POST /t0ken HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", 408, id="body"
        ),
        pytest.param(b"GET /t0ken HTTP/1.1\r\nHo", 0, id="headers"),
        pytest.param(b"", 0, id="nothing at all"),
    ],
)
async def test_who_dawdles_is_cut_off(sent, status):
    async with listening(seconds=0.05) as (receives, port):
        said = await asyncio.wait_for(exchange("127.0.0.1", port, sent), 5)
        assert said.status == status
        assert receives.pushes == []


async def test_garbage_is_refused():
    async with listening() as (_, port):
        assert (await exchange("127.0.0.1", port, b"\x16\x03\x01\x02\r\n\r\n")).status == 400
        head = b"GET /t0ken HTTP/1.1\r\nX: " + b"x" * 100_000
        assert (await exchange("127.0.0.1", port, head)).status in (400, 0)


async def test_too_many_at_once_are_sent_away():
    async with listening() as (_, port):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(AT_ONCE)]
        assert (await request("GET", f"http://127.0.0.1:{port}/t0ken")).status == 503
        for _, writer in idle:
            writer.close()


async def test_a_bug_of_ours_is_answered_and_the_door_stays_open():
    async with listening() as (receives, port):
        receives.answer = "raise"
        assert (await request("GET", f"http://127.0.0.1:{port}/t0ken")).status == 503
        receives.answer = "fine"
        assert (await request("GET", f"http://127.0.0.1:{port}/t0ken")).status == 200


async def test_an_address_in_use_is_told():
    async with listening() as (_, port):
        with pytest.raises(OSError, match="in use"):
            Listener(Receives(), "127.0.0.1", port).open()
