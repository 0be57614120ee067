"""``bench``: its parts are those that can be measured, and each is asked for by name."""

from __future__ import annotations

import pytest

from monitor.bootstrap import DEV_COMMANDS
from monitor.cli import invoke
from monitor.cli.bench import PARTS
from tests.bench import report


def test_the_command_offers_what_can_be_measured() -> None:
    assert set(PARTS) == {*report.PARTS, "all"}


def test_it_needs_the_tools_for_development() -> None:
    assert "bench" in DEV_COMMANDS


def test_a_wrong_part_is_told_with_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["bench", "speed"]) == 2
    assert "'poll', 'match', 'stories', 'latency'" in capsys.readouterr().err
