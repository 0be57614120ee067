"""What a fault is, and how hard it is tried: its number, how it is done, what must hold.

    @fault(1, "kill −9 at random times", injected="SIGKILL, again and again", holds="INV1–4")
    async def test_killed_again_and_again(tmp_path: Path) -> None: ...

``MONITOR_FAULTS`` says how much: ``ci`` (the faults marked so, scaled), ``scaled``, ``full``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
HERE = Path(__file__).parent


class Mode(StrEnum):
    CI = "ci"
    SCALED = "scaled"
    FULL = "full"


MODE = Mode(os.environ.get("MONITOR_FAULTS") or Mode.SCALED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the table in docs/reliability.md; numbers are those of its plan."""

    number: int
    name: str
    injected: str
    holds: str
    ci: bool = False  # also in the share of ``.ci/run``


def fault(
    number: int, name: str, *, injected: str, holds: str, ci: bool = False
) -> pytest.MarkDecorator:
    """Declares beside a test which fault it does."""
    return pytest.mark.fault(Fault(number=number, name=name, injected=injected, holds=holds, ci=ci))


def scaled(*, ci: T, scaled: T, full: T) -> T:
    """The figure for this run."""
    return {Mode.CI: ci, Mode.SCALED: scaled, Mode.FULL: full}[MODE]


def declared() -> list[Fault]:
    """Every fault that a test of this folder declares, by number."""
    found = {fault for module in sorted(HERE.glob("test_*.py")) for fault in _in(module.stem)}
    return sorted(found, key=lambda each: (each.number, each.name))


def _in(module: str) -> Iterator[Fault]:
    for value in vars(import_module(f"tests.faults.{module}")).values():
        members = vars(value).values() if isinstance(value, type) else (value,)
        for member in members:
            for mark in getattr(member, "pytestmark", []):
                if mark.name == "fault":
                    yield mark.args[0]
