"""Posting once: real servers on loopback, and what their ends are taken for."""

from __future__ import annotations

import asyncio
import logging
import ssl
from datetime import timedelta

import pytest
import trustme

from monitor.alerts.exchange import Exchange, Post, seen
from monitor.alerts.outcome import judge
from monitor.alerts.posting import MOST_READ, Poster
from monitor.model import Refused
from tests.builders import NOW
from tests.servers import endless, raw, reply, serving
from tests.sinks import http_sink

BODY = b'{"text":"x"}'
PATIENCE = timedelta(seconds=0.5)


def a_post(url: str, **changes: object) -> Post:
    values: dict[str, object] = {"url": url, "headers": (("x-a", "1"),), "body": BODY}
    return Post(**(values | changes))  # type: ignore[arg-type]


async def posted(url: str, *, deadline: timedelta = PATIENCE * 2, **changes: object) -> Exchange:
    poster = Poster(deadline=deadline, patience=PATIENCE, connect=PATIENCE)
    try:
        return await poster.post(a_post(url, **changes))
    finally:
        await poster.aclose()


async def test_the_body_and_the_headers_arrive_as_they_are() -> None:
    async with http_sink() as sink:
        exchange = await posted(sink.url("200", scheme="http"))
        [request] = sink.posted
    assert exchange == Exchange(status=200, body=b"ok", handed_over=True)
    assert (request.method, request.body, request.headers["x-a"]) == ("POST", BODY, "1")
    assert request.headers["user-agent"].startswith("news-monitor/")
    assert request.headers["content-length"] == str(len(BODY))
    assert "cookie" not in request.headers


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param("hang", ("timeout", True), id="never answers"),
        pytest.param("reset", ("reset", True), id="closed before the text was read"),
        pytest.param("ambiguous", ("reset", True), id="closed after the text was read"),
        pytest.param("drip", ("timeout", True), id="an answer that never ends"),
    ],
)
async def test_an_end_without_an_answer_is_ambiguous(step: str, expected: tuple[str, bool]) -> None:
    async with http_sink() as sink:
        exchange = await posted(sink.url(step, scheme="http"))
    assert (exchange.fault, exchange.handed_over) == expected
    assert exchange.status is None
    result = judge(seen(exchange), NOW)
    assert isinstance(result, Refused)
    assert (result.retryable, result.ambiguous) == (True, True)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://127.0.0.1:1/", "refused"),
        ("http://no-such-host.invalid/", "dns"),
        ("ftp://127.0.0.1/", "address"),
        ("http://[::1/", "address"),
        ("nonsense", "address"),
    ],
)
async def test_nothing_was_handed_over(url: str, fault: str) -> None:
    assert await posted(url) == Exchange(fault=fault)


async def test_another_protocol() -> None:
    async with serving({"/": raw(b"SSH-2.0-OpenSSH_9\r\n\r\n")}) as server:
        exchange = await posted(server.url("/"))
    assert exchange.fault == "protocol"


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with http_sink() as sink:
        exchange = await posted(sink.url("redirect", scheme="http"))
        assert exchange.status == 302
        assert len(sink.posted) == 1


async def test_retry_after_is_heard() -> None:
    async with http_sink(retry_after="17") as sink:
        exchange = await posted(sink.url("429", scheme="http"))
    assert (exchange.status, exchange.retry_after) == (429, "17")


async def test_an_endless_answer_is_read_to_a_limit() -> None:
    async with serving({"/": endless(b"x" * 1000)}) as server:
        exchange = await posted(server.url("/"))
    assert (exchange.status, len(exchange.body)) == (200, MOST_READ)


async def test_where_the_status_is_enough_nothing_is_read() -> None:
    async with serving({"/": endless(b"x" * 1000)}) as server:
        exchange = await posted(server.url("/"), reads=False)
    assert (exchange.status, exchange.body, exchange.fault) == (200, b"", "")


async def test_an_answer_that_breaks_off_has_its_status_and_the_fault() -> None:
    cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin")
    async with serving({"/": cut}) as server:
        exchange = await posted(server.url("/"))
    assert (exchange.status, exchange.body) == (200, b"begin")
    assert exchange.fault == "protocol"


async def test_an_unknown_certificate_gets_nothing() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with serving({"/": reply()}, tls=context) as server:
        exchange = await posted(server.url("/"))
        assert server.asked == []
    assert exchange == Exchange(fault="tls")


async def test_an_authority_of_the_system_is_trusted(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with authority.cert_pem.tempfile(dir=str(tmp_path)) as file:
        monkeypatch.setenv("SSL_CERT_FILE", file)
        async with serving({"/": reply()}, tls=context) as server:
            assert (await posted(server.url("/"))).status == 200


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with http_sink() as sink:
        assert (await posted(sink.url("200", scheme="http"))).status == 200


async def test_a_cancelled_post_ends() -> None:
    async with http_sink() as sink:
        poster = Poster(deadline=PATIENCE * 99, patience=PATIENCE * 99, connect=PATIENCE)
        task = asyncio.create_task(poster.post(a_post(sink.url("hang", scheme="http"))))
        while not sink.posted:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await poster.aclose()


async def test_no_address_or_secret_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with http_sink() as sink:
        url = sink.url("S3CRET/200", scheme="http") + "?key=S3CRET"
        headers = (("authorization", "Bearer S3CRET"),)
        exchange = await posted(url, headers=headers, body=b"S3CRET")
        shown = f"{exchange} {a_post(url, headers=headers, body=b'S3CRET')!r} {caplog.text}"
        assert len(sink.posted) == 1
    assert "S3CRET" not in shown
