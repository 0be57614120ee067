"""Keeps the C library from setting aside address space for every thread."""

from __future__ import annotations

import contextlib
import ctypes

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's <malloc.h>
HEAPS = 2


def few_heaps() -> None:
    """At most two heaps from now on.

    glibc makes one of 64 MiB of address space for each thread, up to eight for each processor; as
    Python runs one thread at a time, they bring nothing, and where address space is bounded
    (``ulimit -v``) they leave none for work.
    """
    with contextlib.suppress(AttributeError, OSError):  # other C libraries have no such thing
        ctypes.CDLL(None).mallopt(_ARENA_MAX, HEAPS)
