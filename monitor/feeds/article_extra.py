"""Whether the extra ``article`` is installed, and how to install it; starts no child process."""

from __future__ import annotations

from importlib.util import find_spec

INSTALL = ".venv/bin/pip install -e '.[article]'"  # in the folder of run_monitor.py


def can_read_pages() -> bool:
    """Whether trafilatura is there; without it only what feeds give is read."""
    return find_spec("trafilatura") is not None
