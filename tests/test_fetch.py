"""Fetching from real servers on loopback: every misbehaviour is a value, within bounds."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import ssl
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import trustme

from monitor.feeds.fetch import MAX_HOPS, Fetcher
from monitor.model import (
    FailureReason,
    Fetched,
    FetchFailed,
    FetchResult,
    NotModified,
    SameBytes,
)
from monitor.settings import Access, PollSettings, Transport
from tests.builders import a_feed, feed_settings
from tests.servers import (
    FEED,
    USUAL_TLS,
    Behaviour,
    bomb,
    drip,
    endless,
    hang,
    in_turn,
    raw,
    redirect,
    reply,
    serving,
    slow,
)

HOSTILE = Path(__file__).parents[2] / "shared" / "bench" / "hostile" / "serve_hostile.py"
LOOPBACK = (ip_network("127.0.0.0/8"),)
SHORT = timedelta(seconds=0.3)
PACKED = gzip.compress(FEED * 20)
USED = Transport.OWN


@pytest.fixture(autouse=True, params=list(Transport), ids=str)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this twice: whatever carries the requests, the results are the same."""
    monkeypatch.setattr(sys.modules[__name__], "USED", request.param)


def settings(**changes: Any) -> PollSettings:
    values: dict[str, Any] = {
        "per_host_gap": timedelta(0),
        "timeout": timedelta(seconds=5),
        "allow_private": LOOPBACK,
        "transport": USED,
    }
    return PollSettings(**(values | changes))


async def at_loopback(host: str, port: int) -> Sequence[str]:
    """A resolver that finds every name here."""
    return ["127.0.0.1"]


def fetcher(**options: Any) -> Fetcher:
    apart = {key: options.pop(key) for key in ("contact", "resolve", "tls") if key in options}
    return Fetcher(settings(**options), **{"tls": USUAL_TLS, **apart})


async def get(behaviour: Behaviour, **options: Any) -> FetchResult:
    async with serving({"/feed": behaviour}) as server, fetcher(**options) as fetch:
        return await fetch.get(server.url("/feed"))


async def failure(behaviour: Behaviour, **options: Any) -> FetchFailed:
    result = await get(behaviour, **options)
    assert isinstance(result, FetchFailed), result
    assert "\n" not in result.detail
    assert 0 < len(result.detail) <= 200
    return result


# --- what works


async def test_a_document_with_what_came_along() -> None:
    behaviour = reply(
        content_type="application/rss+xml",
        etag='W/"1"',
        last_modified="Thu, 13 Feb 2025 10:00:00 GMT",
        cache_control="public, max-age=600",
        link='<https://hub.example/>; rel="hub"',
    )
    async with serving({"/feed": behaviour}) as server, fetcher() as fetch:
        result = await fetch.get(server.url("/feed"))
    assert result == Fetched(
        body=FEED,
        final_url=server.url("/feed"),
        content_type="application/rss+xml",
        etag='W/"1"',
        last_modified="Thu, 13 Feb 2025 10:00:00 GMT",
        max_age=timedelta(minutes=10),
        links=(("hub", "https://hub.example/"),),
    )


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", gzip.compress(FEED)), ("x-gzip", gzip.compress(FEED)), ("identity", FEED)],
    ids=["gzip", "x-gzip", "identity"],  # what gzip packs has the time in it, and differs by worker
)
async def test_unpacks_the_codings_it_asks_for(coding: str, body: bytes) -> None:
    result = await get(reply(body, content_encoding=coding))
    assert isinstance(result, Fetched)
    assert result.body == FEED


async def test_reads_until_the_end_when_there_is_no_length() -> None:
    result = await get(raw(b"HTTP/1.0 200 OK\r\n\r\n" + FEED))
    assert isinstance(result, Fetched)
    assert result.body == FEED


async def test_says_honestly_who_asks() -> None:
    contact = "https://example.org/feeds"
    async with serving({"/feed": reply()}) as server, fetcher(contact=contact) as fetch:
        await fetch.get(server.url("/feed"))
    headers = server.asked[0].headers
    assert headers["user-agent"].startswith("news-monitor/")
    assert headers["user-agent"].endswith(f" (+{contact})")
    assert headers["accept-encoding"] == "gzip, deflate"
    assert headers["accept"].startswith("application/atom+xml")
    assert not {"cookie", "referer", "if-none-match", "if-modified-since"} & set(headers)


async def test_secrets_in_the_address_are_sent_and_shown_to_nobody() -> None:
    async with serving({"/feed": reply(), "/moved": redirect("/feed", 301)}) as server:
        url = server.url("/moved", host="anna:s3cret@127.0.0.1")
        async with fetcher() as fetch:
            result = await fetch.get(url)
    assert all("authorization" in asked.headers for asked in server.asked)
    assert isinstance(result, Fetched)
    assert "s3cret" not in repr(result)


async def test_no_cookie_is_kept() -> None:
    cookies = reply(set_cookie=f"c={'v' * 3_000}; Path=/")
    async with serving({"/feed": cookies}) as server, fetcher() as fetch:
        for _ in range(3):
            assert isinstance(await fetch.get(server.url("/feed")), Fetched)
    assert not any("cookie" in asked.headers for asked in server.asked)


async def test_the_environment_chooses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert isinstance(await get(reply()), Fetched)


# --- conditional requests


async def test_validators_go_back_byte_for_byte() -> None:
    etag, date = 'W/"caf\xe9;\'\\"', "yesterday, about noon"
    behaviour = in_turn(reply(etag=etag, last_modified=date), reply(b"", status=304))
    async with serving({"/feed": behaviour}) as server, fetcher() as fetch:
        first = await fetch.get(server.url("/feed"))
        assert isinstance(first, Fetched)
        feed = a_feed(url=server.url("/feed"), etag=first.etag, last_modified=first.last_modified)
        assert await fetch.fetch(feed) == NotModified()
    headers = server.asked[1].headers
    assert headers["if-none-match"] == etag
    assert headers["if-modified-since"] == date


async def test_unconditional_means_without_validators() -> None:
    async with serving({"/feed": reply()}) as server, fetcher() as fetch:
        feed = a_feed(url=server.url("/feed"), etag='"1"', last_modified="now")
        await fetch.fetch(feed, unconditional=True)
    assert "if-none-match" not in server.asked[0].headers
    assert "if-modified-since" not in server.asked[0].headers


async def test_validators_follow_a_redirect() -> None:
    routes = {"/feed": redirect("/new", 301), "/new": reply(b"", status=304)}
    async with serving(routes) as server, fetcher() as fetch:
        result = await fetch.fetch(a_feed(url=server.url("/feed"), etag='"1"'))
    assert result == NotModified(permanent_url=server.url("/new"))


async def test_the_same_packed_bytes_are_not_unpacked_again() -> None:
    whole = reply(PACKED, content_encoding="gzip", etag='"2"', cache_control="max-age=60")
    other = reply(gzip.compress(FEED), content_encoding="gzip")
    async with serving({"/feed": in_turn(whole, whole, other)}) as server, fetcher() as fetch:
        feed = a_feed(url=server.url("/feed"))
        first = await fetch.fetch(feed)
        assert isinstance(first, Fetched)
        feed = replace(feed, packed_hash=first.packed_hash)
        again = await fetch.fetch(feed, unconditional=True)
        third = await fetch.fetch(feed)
    assert again == SameBytes(etag='"2"', max_age=timedelta(minutes=1))
    assert isinstance(third, Fetched)
    assert third.body == FEED
    assert third.packed_hash not in (None, first.packed_hash)


async def test_the_same_packed_bytes_in_another_encoding_are_another_document() -> None:
    packed = reply(gzip.compress("<rss>ś</rss>".encode("cp1250")), content_encoding="gzip")
    async with serving({"/feed": packed}) as server:
        feed, found = a_feed(url=server.url("/feed")), []
        for encoding in ("cp1252", "cp1250", "cp1250"):
            own = feed_settings(url=feed.url, access=Access(encoding=encoding))
            async with Fetcher(settings(), feeds=[own], tls=USUAL_TLS) as fetch:
                result = await fetch.fetch(feed)
            found.append(result)
            if isinstance(result, Fetched):
                feed = replace(feed, packed_hash=result.packed_hash)
    assert [type(result) for result in found] == [Fetched, Fetched, SameBytes]
    assert "ś".encode() in found[1].body


async def test_not_changed_although_nobody_asked_is_a_failure() -> None:
    assert (await failure(reply(b"", status=304))).reason is FailureReason.PROTOCOL


# --- statuses


STATUSES = {
    204: FailureReason.EMPTY,
    206: FailureReason.TRUNCATED,
    300: FailureReason.REDIRECTS,
    301: FailureReason.REDIRECTS,  # without saying where to
    400: FailureReason.HTTP_CLIENT,
    401: FailureReason.FORBIDDEN,
    403: FailureReason.FORBIDDEN,
    404: FailureReason.NOT_FOUND,
    410: FailureReason.GONE,
    418: FailureReason.HTTP_CLIENT,
    429: FailureReason.THROTTLED,
    500: FailureReason.HTTP_SERVER,
    503: FailureReason.THROTTLED,
    599: FailureReason.HTTP_SERVER,
    999: FailureReason.PROTOCOL,
}


@pytest.mark.parametrize(("status", "reason"), STATUSES.items())
async def test_statuses(status: int, reason: FailureReason) -> None:
    body = b"" if status == 204 else b"some words"
    result = await failure(reply(body, status=status))
    assert (result.reason, result.status) == (reason, status)
    assert f"HTTP {status}" in result.detail


async def test_203_is_a_document() -> None:
    assert isinstance(await get(reply(status=203)), Fetched)


async def test_retry_after_in_seconds() -> None:
    result = await failure(reply(b"", status=429, retry_after="3600"))
    assert result.retry_after == timedelta(hours=1)


async def test_retry_after_as_a_date() -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    date = f"{later:%a, %d %b %Y %H:%M:%S} GMT"
    result = await failure(reply(b"", status=503, retry_after=date))
    assert result.retry_after is not None
    assert abs(result.retry_after - timedelta(hours=2)) < timedelta(seconds=10)


# --- redirects


@pytest.mark.parametrize(
    ("statuses", "permanent"),
    [
        ((301,), True),
        ((308,), True),
        ((301, 308), True),
        ((302,), False),
        ((303,), False),
        ((307,), False),
        ((301, 302), False),
        ((302, 301), False),
    ],
)
async def test_moved_for_good_only_if_every_hop_says_so(
    statuses: tuple[int, ...], permanent: bool
) -> None:
    routes = {f"/{hop}": redirect(f"/{hop + 1}", status) for hop, status in enumerate(statuses)}
    last = f"/{len(statuses)}"
    async with serving({**routes, last: reply()}) as server, fetcher() as fetch:
        result = await fetch.get(server.url("/0"))
    assert isinstance(result, Fetched)
    assert result.final_url == server.url(last)
    assert result.permanent_url == (server.url(last) if permanent else None)


@pytest.mark.parametrize(("hops", "arrives"), [(MAX_HOPS, True), (MAX_HOPS + 1, False)])
async def test_follows_five_hops(hops: int, arrives: bool) -> None:
    routes = {f"/{hop}": redirect(f"/{hop + 1}") for hop in range(hops)}
    async with serving({**routes, f"/{hops}": reply()}) as server, fetcher() as fetch:
        result = await fetch.get(server.url("/0"))
    assert isinstance(result, Fetched) is arrives
    if isinstance(result, FetchFailed):
        assert result.reason is FailureReason.REDIRECTS


async def test_a_loop_ends() -> None:
    assert (await failure(redirect("/feed"))).reason is FailureReason.REDIRECTS


BAD_LOCATIONS = {
    "broken IPv6": "http://[::1",
    "impossible host": "http://xn--a/",
    "impossible port": "http://a:99999/",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1/",
    "javascript": "javascript:alert(1)",
    "no port": "http://127.0.0.1:x/",
}


@pytest.mark.parametrize("location", BAD_LOCATIONS.values(), ids=BAD_LOCATIONS)
async def test_redirects_to_nowhere(location: str) -> None:
    assert (await failure(redirect(location))).reason is FailureReason.REDIRECTS


PRIVATE = {
    "cloud metadata": "http://169.254.169.254/latest/meta-data",
    "private network": "http://10.0.0.1/",
    "IPv6 loopback": "http://[::1]:1/",
    "mapped": "http://[::ffff:10.0.0.1]/",
    "a number": "http://167772161/",  # 10.0.0.1
    "hexadecimal": "http://0x0a000001/",
    "short": "http://10.1/",
}


@pytest.mark.parametrize("location", PRIVATE.values(), ids=PRIVATE)
async def test_redirects_to_private_addresses_are_refused(location: str) -> None:
    assert (await failure(redirect(location))).reason is FailureReason.BLOCKED_ADDRESS


async def test_secrets_stay_at_their_origin() -> None:
    own = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "If-None-Match": '"1"'}
    async with serving({"/feed": reply()}) as other:
        routes = {"/feed": redirect("/next"), "/next": redirect(other.url("/feed"))}
        async with serving(routes) as server, fetcher() as fetch:
            await fetch.get(server.url("/feed"), own)
    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer s3cret"] * 2
    assert "s3cret" not in str(other.asked[0].headers)
    assert other.asked[0].headers["if-none-match"] == '"1"'


# --- addresses


NO_ADDRESSES = ["", "nonsense", "ftp://example.org/", "file:///etc/passwd", "http://", "\x00"]
NO_ADDRESSES += ["http://[::1", "http://xn--a/", "http://a:0/", "http://a:99999/"]


@pytest.mark.parametrize("url", NO_ADDRESSES)
async def test_addresses_that_are_none(url: str) -> None:
    async with fetcher() as fetch:
        result = await fetch.get(url)
    assert isinstance(result, FetchFailed)
    assert result.reason is FailureReason.BAD_URL


async def test_private_addresses_are_refused_unless_allowed() -> None:
    async with serving({"/feed": reply()}) as server, fetcher(allow_private=()) as fetch:
        result = await fetch.get(server.url("/feed"))
    assert isinstance(result, FetchFailed)
    assert result.reason is FailureReason.BLOCKED_ADDRESS
    assert server.asked == []


async def test_a_name_that_changes_its_address_is_judged_each_time() -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with serving({"/feed": reply()}) as server, fetcher(resolve=rebinding) as fetch:
        url = server.url("/feed", host="feeds.example.org")
        assert isinstance(await fetch.get(url), Fetched)
        second = await fetch.get(url)
    assert isinstance(second, FetchFailed)
    assert second.reason is FailureReason.BLOCKED_ADDRESS
    assert "feeds.example.org" in second.detail


async def test_an_unknown_name() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    async with fetcher(resolve=unknown) as fetch:
        result = await fetch.get("https://feeds.example.org/?key=s3cret")
    assert result == FetchFailed(
        reason=FailureReason.DNS,
        detail="feeds.example.org is not found: Name or service not known",
    )


async def test_a_name_that_is_looked_up_for_ever() -> None:
    async def hanging(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    async with fetcher(resolve=hanging, timeout=SHORT) as fetch:
        result = await fetch.get("https://feeds.example.org/")
    assert isinstance(result, FetchFailed)
    assert result.reason is FailureReason.TIMEOUT


async def test_nobody_listens() -> None:
    async with serving({}) as server:
        pass
    async with fetcher() as fetch:
        result = await fetch.get(server.url("/feed"))
    assert result == FetchFailed(
        reason=FailureReason.CONNECT, detail="no connection: connection refused"
    )


# --- bodies and protocols that break


BROKEN: dict[str, tuple[Behaviour, FailureReason]] = {
    "empty": (reply(b""), FailureReason.EMPTY),
    "only white space": (reply(b" \r\n\t"), FailureReason.EMPTY),
    "shorter than it says": (reply(length=len(FEED) + 500), FailureReason.TRUNCATED),
    "chunk missing": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n"),
        FailureReason.TRUNCATED,
    ),
    "chunk broken": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<rss>\r\n0\r\n\r\n"),
        FailureReason.TRUNCATED,
    ),
    "reset in the body": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n<rss>", reset=True),
        FailureReason.TRUNCATED,
    ),
    "packed, cut off": (
        reply(PACKED[: len(PACKED) // 2], content_encoding="gzip"),
        FailureReason.TRUNCATED,
    ),
    "packed, broken": (
        reply(b"\x1f\x8b\x08\x00garbage garbage", content_encoding="gzip"),
        FailureReason.BAD_ENCODING,
    ),
    "packed twice": (
        reply(gzip.compress(PACKED), content_encoding="gzip, gzip"),
        FailureReason.BAD_ENCODING,
    ),
    "packed unasked": (reply(FEED, content_encoding="br"), FailureReason.BAD_ENCODING),
    "endless": (endless(b"<!-- padding -->" * 4_096), FailureReason.TOO_LARGE),
    "bomb": (reply(bomb(100), content_encoding="gzip"), FailureReason.TOO_LARGE),
    "no HTTP": (raw(b"\x00\xff garbage \x17\r\n\r\n"), FailureReason.PROTOCOL),
    "gopher": (raw(b"iWelcome\tfake\t(NULL)\t0\r\n\r\n"), FailureReason.PROTOCOL),
    "endless headers": (
        raw(b"HTTP/1.1 200 OK\r\n" + (b"X-Pad: " + b"a" * 8_000 + b"\r\n") * 100),
        FailureReason.PROTOCOL,
    ),
    "no answer": (raw(b""), FailureReason.CONNECT),
    "reset before an answer": (raw(b"", reset=True), FailureReason.CONNECT),
}


@pytest.mark.parametrize(("behaviour", "reason"), BROKEN.values(), ids=BROKEN)
async def test_broken_answers(behaviour: Behaviour, reason: FailureReason) -> None:
    assert (await failure(behaviour)).reason is reason


LATE = {
    "hangs": hang(),
    "body byte by byte": drip(),
    "headers byte by byte": drip(start=b"HTTP/1.1 200 OK\r\nX-Pad: "),
    "status line byte by byte": drip(start=b"HTTP"),
    "slow error": slow(30, reply(status=500)),
}


@pytest.mark.parametrize("behaviour", LATE.values(), ids=LATE)
async def test_the_deadline_is_for_the_whole_exchange(behaviour: Behaviour) -> None:
    began = time.monotonic()
    assert (await failure(behaviour, timeout=SHORT)).reason is FailureReason.TIMEOUT
    assert time.monotonic() - began < 2


async def test_redirects_share_one_deadline() -> None:
    each = slow(0.2, redirect("/feed"))
    began = time.monotonic()
    assert (await failure(each, timeout=timedelta(seconds=0.5))).reason is FailureReason.TIMEOUT
    assert time.monotonic() - began < 1


async def test_a_bomb_does_not_fill_the_memory() -> None:
    packed = reply(bomb(200), content_encoding="gzip")
    tracemalloc.start()
    try:
        result = await get(packed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(result, FetchFailed)
    assert peak < 64 << 20


async def test_cancelling_is_not_a_failure() -> None:
    async with serving({"/feed": hang()}) as server, fetcher() as fetch:
        task = asyncio.create_task(fetch.get(server.url("/feed")))
        while not server.asked:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_bug_of_ours_is_contained() -> None:
    async def broken(host: str, port: int) -> Sequence[str]:
        raise LookupError("s3cret")

    async with fetcher(resolve=broken) as fetch:
        result = await fetch.get("http://feeds.example.org/")
    assert result == FetchFailed(reason=FailureReason.INTERNAL, detail="LookupError")


async def test_a_machine_without_threads_is_no_bug() -> None:
    async def broken(host: str, port: int) -> Sequence[str]:
        raise RuntimeError("can't start new thread")

    async with fetcher(resolve=broken) as fetch:
        result = await fetch.get("http://feeds.example.org/")
    assert isinstance(result, FetchFailed)
    assert result.reason is FailureReason.STARVED


# --- many feeds


async def test_one_exchange_at_a_time_per_host() -> None:
    behaviour = slow(0.02, reply())
    async with serving({"/feed": behaviour}) as server, fetcher() as fetch:
        results = await asyncio.gather(*(fetch.get(server.url("/feed")) for _ in range(6)))
    assert all(isinstance(result, Fetched) for result in results)
    assert server.most_at_once == 1


async def test_waiting_for_ones_turn_is_not_counted() -> None:
    behaviour = slow(0.1, reply())
    async with serving({"/feed": behaviour}) as server, fetcher(timeout=SHORT) as fetch:
        results = await asyncio.gather(*(fetch.get(server.url("/feed")) for _ in range(6)))
    assert all(isinstance(result, Fetched) for result in results)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(slow(0.2, reply()), id="a document"),
        pytest.param(slow(0.2, reply(status=500)), id="a refusal"),
        pytest.param(hang(), id="no answer"),
    ],
)
async def test_what_an_exchange_took_is_told_without_the_wait(behaviour: Behaviour) -> None:
    async with serving({"/feed": behaviour}) as server, fetcher(timeout=SHORT) as fetch:
        results = await asyncio.gather(*(fetch.get(server.url("/feed")) for _ in range(3)))
    assert all(0.2 <= each.seconds < 2 * SHORT.total_seconds() for each in results)


async def test_hosts_do_not_wait_for_each_other() -> None:
    routes = {"/hang": hang(), "/feed": reply()}
    options = {"resolve": at_loopback, "concurrency": 32}
    async with serving(routes) as server, fetcher(**options) as fetch:
        stuck = [
            asyncio.create_task(fetch.get(server.url("/hang", host=f"slow{n}.example.org")))
            for n in range(20)
        ]
        good = (fetch.get(server.url("/feed", host=f"good{n}.example.org")) for n in range(20))
        async with asyncio.timeout(3):
            results = await asyncio.gather(*good)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    assert all(isinstance(result, Fetched) for result in results)


# --- TLS


@asynccontextmanager
async def secure(certificate: trustme.LeafCert) -> AsyncIterator[str]:
    """The port of a server with *certificate*, as part of an address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    async with serving({"/feed": reply()}, tls=context) as server:
        yield f":{server.port}/feed"


def trusting(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


async def test_https() -> None:
    ca = trustme.CA()
    options = {"resolve": at_loopback, "tls": trusting(ca)}
    async with secure(ca.issue_cert("feeds.example.org")) as there, fetcher(**options) as fetch:
        result = await fetch.get(f"https://feeds.example.org{there}")
    assert isinstance(result, Fetched)
    assert result.body == FEED


CERTIFICATES = {
    "of another host": ({}, "other.example.org", True),
    "expired": ({"not_after": datetime(2020, 1, 1, tzinfo=UTC)}, "feeds.example.org", True),
    "of an unknown authority": ({}, "feeds.example.org", False),
}


@pytest.mark.parametrize(("options", "name", "trusted"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_certificates_that_prove_nothing(
    options: dict[str, Any], name: str, trusted: bool
) -> None:
    ca = trustme.CA()
    tls = trusting(ca if trusted else trustme.CA())
    fetching = fetcher(resolve=at_loopback, tls=tls)
    async with secure(ca.issue_cert(name, **options)) as there, fetching as fetch:
        result = await fetch.get(f"https://feeds.example.org{there}")
    assert isinstance(result, FetchFailed)
    assert result.reason is FailureReason.TLS
    assert "certificate" in result.detail


async def test_https_where_there_is_none() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server, fetcher() as fetch:
        result = await fetch.get(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert isinstance(result, FetchFailed)
    assert result.reason is FailureReason.TLS
    assert result.detail == "no secure connection: wrong version number"


async def test_trap_a_handshake_that_hangs_leaves_no_connection() -> None:
    """httpcore forgets to close it when the deadline cancels ``start_tls``."""
    async with serving({}) as server, fetcher(timeout=SHORT) as fetch:
        result = await fetch.get(server.url("/feed").replace("http:", "https:"))
        assert isinstance(result, FetchFailed)
        assert result.reason is FailureReason.TIMEOUT
        async with asyncio.timeout(2):
            while server.connections:
                await asyncio.sleep(0.01)


# --- the bench's hostile server


WANTED = {
    "/ok": None,
    "/etag": None,
    "/cookies": None,
    "/path-body": None,  # the parser opens no file
    "/html": None,  # the parser tells it from a feed
    "/long": None,  # more than it says: the parser sees a document cut off
    "/gzbomb?mb=100": FailureReason.TOO_LARGE,
    "/gzbomb?mb=100&layers=3": FailureReason.BAD_ENCODING,
    "/deflatebomb?mb=100": FailureReason.TOO_LARGE,
    "/gztruncated": FailureReason.TRUNCATED,
    "/badgzip": FailureReason.TRUNCATED,  # what is there is the beginning of a long file name
    "/endless": FailureReason.TOO_LARGE,
    "/endless-headers": FailureReason.PROTOCOL,
    "/slow-body": FailureReason.TIMEOUT,
    "/slow-headers": FailureReason.TIMEOUT,
    "/hang": FailureReason.TIMEOUT,
    "/short": FailureReason.TRUNCATED,
    "/chunk-abort": FailureReason.TRUNCATED,
    "/reset": FailureReason.TRUNCATED,
    "/garbage": FailureReason.CONNECT,  # it ends before a blank line: no answer at all
    "/empty": FailureReason.EMPTY,
    "/always-304": FailureReason.PROTOCOL,
    "/status/429?retry_after=-5": FailureReason.THROTTLED,
    "/redirect-loop": FailureReason.REDIRECTS,
    "/redirect-chain?n=25": FailureReason.REDIRECTS,
    "/redirect?to=http://10.0.0.1/": FailureReason.BLOCKED_ADDRESS,
    **{f"/bad-location?i={n}": FailureReason.REDIRECTS for n in (0, 1, 2, 4, 5)},
    "/bad-location?i=3": None,  # http:/// is the same host to every browser, and to us
}


def hostile_module() -> Any:
    spec = importlib.util.spec_from_file_location("serve_hostile", HOSTILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def hostile_server() -> AsyncIterator[str]:
    options = SimpleNamespace(
        cases=HOSTILE.parent / "out", ledger=None, seed=1, max_seconds=3, max_bytes=64 << 20
    )
    hostile = hostile_module().Hostile(options)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the test is over
            await hostile.handle(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=1 << 16)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@pytest.mark.skipif(not HOSTILE.exists(), reason="needs the shared bench")
def test_every_behaviour_of_the_hostile_server_is_in_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    hostile = hostile_module().Hostile
    there = {name[2:].replace("_", "-") for name in vars(hostile) if name.startswith("b_")}
    assert len(there) == 26
    assert {path.split("?")[0].split("/")[1] for path in WANTED} == there


@pytest.mark.skipif(not HOSTILE.exists(), reason="needs the shared bench")
@pytest.mark.parametrize(("path", "reason"), WANTED.items(), ids=WANTED)
async def test_hostile_server(
    path: str, reason: FailureReason | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    late = reason is FailureReason.TIMEOUT
    fetching = fetcher(timeout=SHORT if late else timedelta(seconds=8))
    async with hostile_server() as base, fetching as fetch:
        result = await fetch.get(base + path)
    assert getattr(result, "reason", None) is reason, result


# --- traps of httpx: an upgrade that mends one of them lets us drop code


async def test_trap_httpx_takes_a_cut_off_gzip_for_whole() -> None:
    behaviour = reply(PACKED[: len(PACKED) // 2], content_encoding="gzip")
    client = httpx.AsyncClient(trust_env=False)
    async with serving({"/feed": behaviour}) as server, client:
        response = await client.get(server.url("/feed"))
    assert response.status_code == 200
    assert len(response.content) < len(FEED * 20)


async def test_trap_httpx_unpacks_without_bound() -> None:
    chunk = bomb(32)[:40_000]
    client = httpx.AsyncClient(trust_env=False)
    async with (
        serving({"/feed": reply(chunk, content_encoding="gzip")}) as server,
        client,
        client.stream("GET", server.url("/feed")) as response,
    ):
        largest = max([len(part) async for part in response.aiter_bytes()])
    assert largest > 200 * len(chunk)


async def test_trap_httpx_timeouts_are_per_read() -> None:
    client = httpx.AsyncClient(trust_env=False, timeout=0.2)
    async with (
        serving({"/feed": drip(0.05)}) as server,
        client,
        client.stream("GET", server.url("/feed")) as response,
    ):
        began = time.monotonic()
        async for _ in response.aiter_raw():
            if time.monotonic() - began > 0.4:
                break
    assert time.monotonic() - began > 0.4


@pytest.mark.parametrize("url", ["http://xn--a/", "http://[::1"])
def test_trap_httpx_raises_beside_its_own_errors(url: str) -> None:
    with pytest.raises((httpx.InvalidURL, UnicodeError)) as raised:
        httpx.URL(url).host  # noqa: B018
    assert not isinstance(raised.value, httpx.HTTPError)


async def test_trap_httpx_has_one_private_place_for_the_guard() -> None:
    transport = httpx.AsyncHTTPTransport()
    assert hasattr(transport._pool, "_network_backend")
    await transport.aclose()
