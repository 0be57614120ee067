"""Packed bodies: what is unpacked, what is refused, and at what cost."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.body import (
    HELD,
    MAX_BODY,
    MAX_MEMBERS,
    STEP,
    BadCoding,
    CutOff,
    Inflater,
    TooLarge,
)
from tests.servers import FEED, bomb


def unpack(coding: str, data: bytes, *, step: int = 65_536, limit: int = MAX_BODY) -> bytes:
    body = taken(Inflater(coding, limit=limit), data, step=step).finish()
    assert body is not None
    return body


def taken(inflater: Inflater, data: bytes, *, step: int = 65_536) -> Inflater:
    for start in range(0, len(data), step):
        inflater.feed(data[start : start + step])
        while inflater.step():
            pass
    return inflater


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "no coding": ("", FEED),
    "identity": ("identity", FEED),
    "gzip": ("gzip", gzip.compress(FEED)),
    "x-gzip in capitals": (" X-GZIP ", gzip.compress(FEED)),
    "gzip in two members": ("gzip", gzip.compress(FEED[:50]) + gzip.compress(FEED[50:])),
    "gzip with padding": ("gzip", gzip.compress(FEED) + b"\0" * 512),
    "deflate with zlib's header": ("deflate", zlib.compress(FEED)),
    "deflate without it": ("deflate", bare_deflate(FEED)),
    "gzip labelled deflate": ("deflate", gzip.compress(FEED)),
}


@pytest.mark.parametrize("step", [1, 2, 7, 65_536])
@pytest.mark.parametrize(("coding", "data"), PACKED.values(), ids=PACKED)
def test_unpacks_whatever_the_chunks(coding: str, data: bytes, step: int) -> None:
    assert unpack(coding, data, step=step) == FEED


@given(st.binary(max_size=3_000), st.integers(1, 500), st.sampled_from(["gzip", "zlib", "bare"]))
def test_unpacks_anything_packed(body: bytes, step: int, how: str) -> None:
    pack = {"gzip": gzip.compress, "zlib": zlib.compress, "bare": bare_deflate}[how]
    coding = "gzip" if how == "gzip" else "deflate"
    assert unpack(coding, pack(body), step=step) == body


def hash_of(coding: str, data: bytes, **more: str) -> str | None:
    return taken(Inflater(coding, **more), data).packed_hash


@pytest.mark.parametrize("step", [1, 65_536])
@pytest.mark.parametrize(("coding", "data"), list(PACKED.values())[2:], ids=list(PACKED)[2:])
def test_what_is_known_is_not_unpacked(coding: str, data: bytes, step: int) -> None:
    known = hash_of(coding, data)
    assert taken(Inflater(coding, known=known), data, step=step).finish() is None
    assert taken(Inflater(coding, known="0" * 32), data, step=step).finish() == FEED


def test_what_makes_another_document_of_the_same_bytes_is_in_the_hash() -> None:
    packed = zlib.compress(FEED)
    known = hash_of("deflate", packed)
    assert known != hash_of("gzip", packed)
    assert known != hash_of("deflate", packed, read_as="cp1252")
    assert known != hash_of("deflate", packed + b"\0")


@pytest.mark.parametrize("coding", ["", "identity"])
def test_what_is_not_packed_has_no_such_hash(coding: str) -> None:
    inflater = taken(Inflater(coding, known="0" * 32), FEED)
    assert inflater.packed_hash is None
    assert inflater.finish() == FEED


def test_a_large_body_is_unpacked_as_it_comes() -> None:
    body = random.Random(1).randbytes(HELD + 1)
    packed = gzip.compress(body)
    inflater = taken(Inflater("gzip", known=hash_of("gzip", packed)), packed)
    assert inflater.finish() == body


def test_what_is_held_is_bounded_and_its_faults_are_found_at_its_end() -> None:
    for bad, error in (
        (bomb(100), TooLarge),
        (gzip.compress(FEED)[:-9], CutOff),
        (b"no", BadCoding),
    ):
        inflater = Inflater("gzip", limit=1 << 20, known="0" * 32)
        with pytest.raises(error):
            taken(inflater, bad).finish()


@pytest.mark.parametrize("size", [STEP - 1, STEP, STEP + 1, 3 * STEP])
@pytest.mark.parametrize("step", [7, 1 << 20])
@pytest.mark.parametrize("byte", [b"a", b"\0"])
def test_little_is_unpacked_at_a_time(size: int, step: int, byte: bytes) -> None:
    body = byte * size
    packed = gzip.compress(body) + gzip.compress(b"end")
    assert unpack("gzip", packed, step=step) == body + b"end"
    inflater = Inflater("gzip")
    inflater.feed(packed)
    steps = 1
    while inflater.step():
        assert len(inflater._body) <= steps * STEP
        steps += 1
    assert inflater.finish() == body + b"end"
    assert steps >= 1 + size // STEP


def test_an_empty_body_is_empty_whatever_it_is_labelled() -> None:
    assert unpack("gzip", b"") == b""


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip,identity", "x" * 900, "\x00"])
def test_refuses_codings_not_asked_for(coding: str) -> None:
    with pytest.raises(BadCoding) as refused:
        Inflater(coding)
    assert len(str(refused.value)) < 150


BROKEN = {
    "not gzip": ("gzip", FEED),
    "gzip header, then garbage": ("gzip", b"\x1f\x8b\x08\x00garbage and more garbage"),
    "wrong checksum": ("gzip", gzip.compress(FEED)[:-8] + b"\xff" * 8),
    "bare deflate labelled gzip": ("gzip", bare_deflate(FEED)),
    "something after the end": ("gzip", gzip.compress(FEED) + b"<!-- served by cache -->"),
}


@pytest.mark.parametrize(("coding", "data"), BROKEN.values(), ids=BROKEN)
def test_refuses_what_is_broken(coding: str, data: bytes) -> None:
    with pytest.raises(BadCoding, match="broken"):
        unpack(coding, data)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, bare_deflate])
def test_notices_every_truncation(pack) -> None:  # type: ignore[no-untyped-def]
    coding = "gzip" if pack is gzip.compress else "deflate"
    packed = pack(FEED)
    for length in range(1, len(packed)):
        with pytest.raises(CutOff):
            unpack(coding, packed[:length])


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_the_limit_is_exact(coding: str) -> None:
    noise = random.Random(1).randbytes(10_000)
    pack = gzip.compress if coding else bytes
    assert unpack(coding, pack(noise), limit=20_000) == noise
    body = b" " * 10_000
    assert unpack(coding, pack(body), limit=10_000) == body
    with pytest.raises(TooLarge):
        unpack(coding, pack(body + b" "), limit=10_000)


@pytest.mark.parametrize(("coding", "bits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_bomb_costs_no_more_than_the_limit(coding: str, bits: int) -> None:
    data = bomb(200, bits)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="15 MiB when unpacked"):
            unpack(coding, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_BODY


def test_what_unpacks_to_nothing_is_bounded_too() -> None:
    empty_block = b"\x00\x00\x00\xff\xff"  # stored, of length 0
    with pytest.raises(TooLarge):
        unpack("deflate", b"\x78\x9c" + empty_block * 2_000, limit=5_000)


def test_members_are_bounded() -> None:
    with pytest.raises(BadCoding, match="too many pieces"):
        unpack("gzip", gzip.compress(b"") * (MAX_MEMBERS + 1))
