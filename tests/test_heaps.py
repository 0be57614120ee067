"""How much address space threads take."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MAPPED = """
import threading
from monitor.heaps import few_heaps
few_heaps()
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
