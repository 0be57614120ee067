"""A process that has used up its file handles."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


def open_handles() -> set[int]:
    return {int(each.name) for each in Path("/dev/fd").iterdir()}


@contextmanager
def handles_left(count: int) -> Iterator[None]:
    """This process can open *count* files more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    bound = max(open_handles()) + 1 + count
    with ExitStack() as undo:
        undo.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (bound, hard))
        for _ in range(bound - len(open_handles()) + 1 - count):  # one was open for the counting
            undo.callback(os.close, os.dup(0))
        yield
