"""``run`` and ``once``: what they say before they begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli import invoke

CONFIG = """
[monitor]
database = "monitor.db"
[heartbeat]
url_file = "beat"
[[feeds]]
name = "Off"
url = "https://off.example.org/rss"
enabled = false
[[channels]]
name = "hook"
url = "json://user:canary-password@127.0.0.1:9/"
"""


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_secrets_that_others_can_read_are_warned_of_at_the_start(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], mode: int
) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "beat").write_text("http://127.0.0.1:9/canary-uuid")
    for name in ("config.toml", "beat"):
        (tmp_path / name).chmod(mode)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.toml").write_text('[[rule]]\nname = "nato"\nany = ["NATO"]\n')
    assert (
        invoke(["once", "--config", str(tmp_path / "config.toml")]) == 1
    )  # it is blind: no feed is watched
    said = "".join(capfd.readouterr())
    assert said.count("everybody on this machine can read") == (2 if mode == 0o644 else 0)
    assert "the heartbeat stops: the monitor is blind" in said
    assert "canary" not in said
