"""Keeps the C library from holding memory that nobody uses."""

from __future__ import annotations

import contextlib
import ctypes

# Of glibc's <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
HEAPS = 2
LARGE = 512 << 10  # bytes: such blocks lie apart, and go back when they are free
TOP = 4 << 20  # bytes that are free at the end of a heap: more goes back


def bound_heaps() -> None:
    """At most two heaps from now on, and nothing large in them.

    glibc makes one of 64 MiB of address space for each thread, up to eight for each processor; as
    Python runs one thread at a time, they bring nothing, and where address space is bounded
    (``ulimit -v``) they leave none for work.  And it takes its cue from the largest block that was
    ever freed: after one document of 15 MB all smaller ones would lie in the heap, with holes.
    """
    with contextlib.suppress(AttributeError, OSError):  # other C libraries have no such thing
        library = ctypes.CDLL(None)
        for what, limit in ((_ARENA_MAX, HEAPS), (_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, TOP)):
            library.mallopt(what, limit)
