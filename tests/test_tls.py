"""TLS over bytes, against OpenSSL's own server side."""

from __future__ import annotations

import ssl
from contextlib import suppress

import pytest
import trustme

from monitor.feeds.tls import Tls

CA = trustme.CA()


class Server:
    """The other end: bytes in, bytes out."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._in, self._out, server_side=True)

    def take(self, data: bytes) -> None:
        self._in.write(data)
        with suppress(ssl.SSLWantReadError):
            self.object.do_handshake()

    def outgoing(self) -> bytes:
        return self._out.read()


def server_context(name: str = "a.example") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    CA.configure_trust(context)
    return context


def talk(tls: Tls, server: Server) -> None:
    """All that the two have to say to each other before the first question."""
    tls.shake()
    while out := tls.outgoing():
        server.take(out)
        tls.take(server.outgoing())


def test_what_is_written_comes_and_what_comes_is_read(client_context: ssl.SSLContext) -> None:
    server, tls = Server(server_context()), Tls(client_context, "a.example")
    assert not tls.ready
    talk(tls, server)
    assert tls.ready
    assert not tls.resumed
    tls.write(b"question")
    server.take(tls.outgoing())
    assert server.object.read(99) == b"question"
    server.object.write(b"x" * 40_000)
    tls.take(server.outgoing())
    pieces = list(iter(tls.read, b""))
    assert b"".join(pieces) == b"x" * 40_000
    assert not tls.ended


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_however_it_is_cut(client_context: ssl.SSLContext, size: int) -> None:
    server, tls = Server(server_context()), Tls(client_context, "a.example")
    talk(tls, server)
    server.object.write(b"answer")
    data, read = server.outgoing(), b""
    for at in range(0, len(data), size):
        tls.take(data[at : at + size])
        read += b"".join(iter(tls.read, b""))
    assert read == b"answer"


def test_the_other_side_says_that_it_ends(client_context: ssl.SSLContext) -> None:
    server, tls = Server(server_context()), Tls(client_context, "a.example")
    talk(tls, server)
    server.object.write(b"last")
    with suppress(ssl.SSLWantReadError):
        server.object.unwrap()
    tls.take(server.outgoing())
    assert (tls.read(), tls.ended) == (b"last", False)
    assert (tls.read(), tls.ended) == (b"", True)


def test_a_certificate_of_another_name(client_context: ssl.SSLContext) -> None:
    server, tls = Server(server_context("b.example")), Tls(client_context, "a.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        talk(tls, server)
    assert not tls.ready
    assert tls.outgoing()  # it is told why


def test_a_handshake_that_is_cut_off(client_context: ssl.SSLContext) -> None:
    tls = Tls(client_context, "a.example")
    tls.shake()
    with pytest.raises(ssl.SSLError):
        tls.cut()


def test_an_end_without_a_word_is_no_error_afterwards(client_context: ssl.SSLContext) -> None:
    server, tls = Server(server_context()), Tls(client_context, "a.example")
    talk(tls, server)
    tls.cut()
    assert tls.ready


def test_a_session_is_taken_up(client_context: ssl.SSLContext) -> None:
    """Also where nobody has said that the first connection ends."""
    context = server_context()
    server, tls = Server(context), Tls(client_context, "a.example")
    talk(tls, server)
    server.object.write(b"answer")
    tls.take(server.outgoing())
    assert tls.read() == b"answer"
    again = Tls(client_context, "a.example", tls.session())
    del tls
    talk(again, Server(context))
    assert again.resumed
