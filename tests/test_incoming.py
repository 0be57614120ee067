"""Answers as they come in: what is one, where it ends, and that h11 would say the same."""

from __future__ import annotations

from collections.abc import Iterable

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.incoming import MAX_HEAD, BadAnswer, Incoming

OK = b"HTTP/1.1 200 OK\r\n"
TWO = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def read(*pieces: bytes, end: bool = True) -> Incoming:
    answer = Incoming()
    for piece in filter(None, pieces):
        answer.feed(piece)
    if end:
        answer.end()
    return answer


def body(answer: Incoming) -> bytes:
    taken = []
    while answer.parts:
        taken.append(answer.take())
    assert answer.waiting == 0
    return b"".join(taken)


Read = tuple[int, list[tuple[bytes, bytes]], bytes]  # status, headers, body


def by_h11(data: bytes) -> Read | None:
    """As httpx's own transport reads it; None: it does not."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    head, parts = None, []
    try:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None
    assert head is not None
    return head.status_code, told(head.headers.raw_items()), b"".join(parts)


def by_us(pieces: Iterable[bytes]) -> Read | None:
    try:
        answer = read(*pieces)
    except BadAnswer:
        return None
    return (answer.status, told(answer.headers), body(answer)) if answer.complete else None


def told(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """But for the coding, of which h11 changes the spelling."""
    return [(k, v) for k, v in headers if k.lower() != b"transfer-encoding"]


ANSWERS = {
    "with a length": OK + TWO + b"\r\nhi",
    "nothing": OK + b"Content-Length: 0\r\n\r\n",
    "until the end": OK + b"\r\nhi",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nhi",
    "HTTP/1.0 with a length": b"HTTP/1.0 200 OK\r\n" + TWO + b"\r\nhi",
    "an odd version": b"HTTP/1.2 200 OK\r\n" + TWO + b"\r\nhi",
    "in chunks": OK + CHUNKED + b"\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
    "in chunks, capitals": OK + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "in chunks with a remark": OK + CHUNKED + b"\r\n2;a=b\r\nhi\r\n0\r\n\r\n",
    "in chunks with spaces": OK + CHUNKED + b"\r\n2  \r\nhi\r\n0\r\n\r\n",
    "in chunks with a trailer": OK + CHUNKED + b"\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
    "in chunks, and a length": OK + TWO + CHUNKED + b"\r\n3\r\nhey\r\n0\r\n\r\n",
    "one length twice": OK + b"A: b\r\n" + TWO + b"content-length:  2\r\n\r\nhi",
    "not changed, with a length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    "not changed, in chunks": b"HTTP/1.1 304 Not Modified\r\n" + CHUNKED + b"\r\n",
    "no content, with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n",
    "after an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + TWO + b"\r\nhi",
    "after early hints": b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + OK + TWO + b"\r\nhi",
    "after an unknown interim answer": b"HTTP/1.1 110 X\r\nA: b\r\n\r\n" + OK + TWO + b"\r\nhi",
    "without a reason": b"HTTP/1.1 200\r\n" + TWO + b"\r\nhi",
    "a reason in Latin-1": b"HTTP/1.1 200 Tr\xe8s bien\r\n" + TWO + b"\r\nhi",
    "bare line feeds": b"HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\nhi",
    "a value in Latin-1": OK + b'ETag: "caf\xe9"\r\n' + TWO + b"\r\nhi",
    "a control character": OK + b"A: b\x01c\r\n" + TWO + b"\r\nhi",
    "an empty value": OK + b"A:\r\n" + TWO + b"\r\nhi",
    "spaces round a value": OK + b"A: \t b \t\r\n" + TWO + b"\r\nhi",
    "an upgrade we may leave": OK + b"Upgrade: h2\r\nConnection: upgrade\r\n" + TWO + b"\r\nhi",
    "more than it says": OK + TWO + b"\r\nhi there",
    "more after its close": OK + b"Connection: close\r\n" + TWO + b"\r\nhi there",
    "two answers": (OK + TWO + b"\r\nhi") * 2,
}


@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS)
def test_answers(data: bytes) -> None:
    ours = by_us([data])
    assert ours is not None
    assert ours == by_h11(data)


@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS)
def test_answers_byte_by_byte(data: bytes) -> None:
    assert by_us(data[at : at + 1] for at in range(len(data))) == by_h11(data)


NO_ANSWERS = {
    "nothing": b"",
    "garbage": b"\x00\xff garbage \x17\r\n\r\n",
    "garbage without a blank line": b"\x00\xff garbage",
    "gopher": b"iWelcome\tfake\t(NULL)\t0\r\n\r\n",
    "Icecast": b"ICY 200 OK\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\n\r\n",
    "half a head": OK + b"A: b\r\n",
    "half a body": OK + b"Content-Length: 9\r\n\r\nhi",
    "half a chunk": OK + CHUNKED + b"\r\n9\r\nhi",
    "no last chunk": OK + CHUNKED + b"\r\n2\r\nhi\r\n",
    "no chunk": OK + CHUNKED + b"\r\nzz\r\nhi\r\n0\r\n\r\n",
    "chunk too long": OK + CHUNKED + b"\r\n1\r\nhi\r\n0\r\n\r\n",
    "two lengths": OK + TWO + b"Content-Length: 3\r\n\r\nhi",
    "no length": OK + b"Content-Length: two\r\n\r\nhi",
    "an empty length": OK + b"Content-Length:\r\n\r\nhi",
    "a negative length": OK + b"Content-Length: -2\r\n\r\nhi",
    "an endless length": OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\nhi",
    "another transfer coding": OK + b"Transfer-Encoding: gzip\r\n\r\nhi",
    "two transfer codings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no header": OK + b"nonsense\r\n\r\nhi",
    "a space before the colon": OK + b"A : b\r\n\r\nhi",
    "a header without a name": OK + b": b\r\n\r\nhi",
    "a continuation of nothing": OK + b"  b\r\n\r\nhi",
    "a NUL": OK + b"A: b\0c\r\n\r\nhi",
    "a bare carriage return": OK + b"A: b\rc\r\n\r\nhi",
    "an empty line first": b"\r\n" + OK + TWO + b"\r\nhi",
    "status 99": b"HTTP/1.1 099 What\r\n\r\nhi",
    "status 2000": b"HTTP/1.1 2000 What\r\n\r\nhi",
    "another protocol": b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhi",
}


@pytest.mark.parametrize("data", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_no_answers(data: bytes) -> None:
    assert by_us([data]) is None
    assert by_h11(data) is None


@given(data=st.data())
def test_where_the_pieces_are_cut_changes_nothing(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([*ANSWERS.values(), *NO_ANSWERS.values()]))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert by_us(pieces) == by_us([whole])


@given(data=st.data())
def test_what_is_damaged_never_becomes_another_answer(data: st.DataObject) -> None:
    """A byte is changed: either h11 reads the same from it, or one of the two refuses it."""
    whole = bytearray(data.draw(st.sampled_from(list(ANSWERS.values()))))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    ours, theirs = by_us([bytes(whole)]), by_h11(bytes(whole))
    if ours is not None and theirs is not None:
        assert (ours[0], ours[2]) == (theirs[0], theirs[2])


# --- the connection afterwards


REUSABLE = {
    "whole": (OK + TWO + b"\r\nhi", True),
    "not changed": (b"HTTP/1.1 304 Not Modified\r\n\r\n", True),
    "in chunks": (OK + CHUNKED + b"\r\n0\r\n\r\n", True),
    "closing": (OK + b"Connection: close\r\n" + TWO + b"\r\nhi", False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n" + TWO + b"\r\nhi", False),
    "more than it says": (OK + TWO + b"\r\nhi!", False),
    "two answers": ((OK + TWO + b"\r\nhi") * 2, False),
    "of two lengths": (OK + TWO + CHUNKED + b"\r\n0\r\n\r\n", False),
    "cut off": (OK + TWO + b"\r\nh", None),
}


@pytest.mark.parametrize(("data", "reusable"), REUSABLE.values(), ids=REUSABLE)
def test_whether_the_connection_serves_again(data: bytes, reusable: bool | None) -> None:
    answer = read(data, end=False)
    assert answer.complete is (reusable is not None)
    if reusable is not None:
        assert answer.reusable is reusable


def test_what_comes_later_makes_it_useless() -> None:
    answer = read(OK + TWO + b"\r\nhi", end=False)
    answer.feed(b"!")
    assert (answer.complete, answer.reusable, body(answer)) == (True, False, b"hi")


# --- bounds


def padded(count: int) -> bytes:
    return OK + TWO + b"X-Pad: " + b"a" * (count - len(OK + TWO) - 11) + b"\r\n\r\n"


def test_the_longest_head_is_exact() -> None:
    assert len(padded(MAX_HEAD)) == MAX_HEAD
    assert read(padded(MAX_HEAD) + b"hi").complete
    with pytest.raises(BadAnswer, match="too long"):
        read(padded(MAX_HEAD + 1) + b"hi")


ENDLESS = {
    "a head": (OK, b"X-Pad: " + b"a" * 90 + b"\r\n"),
    "one header": (OK + b"X-Pad: ", b"a" * 100),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a trailer": (OK + CHUNKED + b"\r\n0\r\n", b"X-Pad: " + b"a" * 90 + b"\r\n"),
    "one trailer": (OK + CHUNKED + b"\r\n0\r\nX: ", b"a" * 100),
    "remarks on a chunk": (OK + CHUNKED + b"\r\n1;a=", b"a" * 100),
}


@pytest.mark.parametrize(("start", "more"), ENDLESS.values(), ids=ENDLESS)
def test_what_brings_no_body_ends(start: bytes, more: bytes) -> None:
    answer = Incoming()
    if start:
        answer.feed(start)
    for _ in range((MAX_HEAD - len(start)) // len(more)):
        answer.feed(more)
    with pytest.raises(BadAnswer):
        answer.feed(more)


def test_a_body_of_small_chunks_is_no_long_head() -> None:
    answer = read(OK + CHUNKED + b"\r\n", *([b"1\r\nx\r\n"] * MAX_HEAD), b"0\r\n\r\n")
    assert body(answer) == b"x" * MAX_HEAD
