"""Tests that take long: ``MONITOR_ALL_TEXTS=1 python3 run_monitor.py test`` runs them too.

``thorough`` marks what only runs then, ``scaled`` what does more then (see ``conftest``).
"""

from __future__ import annotations

import os

import pytest

THOROUGH = bool(os.environ.get("MONITOR_ALL_TEXTS"))

thorough = pytest.mark.thorough
scaled = pytest.mark.scaled


def examples(few: int, many: int) -> int:
    """How many documents hypothesis makes."""
    return many if THOROUGH else few
