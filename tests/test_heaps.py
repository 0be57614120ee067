"""How much address space threads take, and what is left of large documents."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MAPPED = """
import threading
from monitor.heaps import bound_heaps
bound_heaps()
def mapped():
    return int(open("/proc/self/statm").read().split()[0]) * 4096
def work():
    bytearray(100_000)
    ready.wait()
    done.wait()
before, ready, done = mapped(), threading.Barrier(13), threading.Event()
for _ in range(12):
    threading.Thread(target=work).start()
ready.wait()
print(mapped() - before)
done.set()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps for threads")
def test_a_dozen_threads_take_their_stacks_and_one_more_heap() -> None:
    ran = subprocess.run([sys.executable, "-c", MAPPED], capture_output=True, check=True)
    assert int(ran.stdout) < 12 * (9 << 20) + (128 << 20)


KEPT = """
from monitor.heaps import bound_heaps
bound_heaps()
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
for size in (15 << 20, 2 << 20, 1 << 20):  # without bounds the first sets the cue for the others
    kept = []
    for number in range(20):
        large = bytearray(size)
        kept.append(bytes(2_000))  # what stays of each document
        del large
blocks = [bytearray(1 << 20) for _ in range(40)]
small = [bytes(2_000) for _ in range(40)]
del blocks
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_large_blocks_go_back_when_they_are_free() -> None:
    ran = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, check=True)
    assert int(ran.stdout) < 8 << 20
