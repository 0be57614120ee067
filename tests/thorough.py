"""Tests that take long: ``MONITOR_ALL_TEXTS=1 python3 run_monitor.py test`` runs them too."""

from __future__ import annotations

import os

import pytest

THOROUGH = bool(os.environ.get("MONITOR_ALL_TEXTS"))


def examples(few: int, many: int) -> int:
    """How many documents hypothesis makes."""
    return many if THOROUGH else few


thorough = pytest.mark.skipif(not THOROUGH, reason="takes long: MONITOR_ALL_TEXTS=1 runs it")
