"""What a start imports: commands that only look leave out what only the daemon needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[1]
HEAVY = (
    "apprise",
    "asyncio",
    "apscheduler",
    "feedparser",
    "httpx",
    "jinja2",
    "nh3",
    "numpy",
    "sqlite_utils",
)
CONFIG = """
[monitor]
database = "monitor.db"
[[feeds]]
name = "Example"
url = "https://feeds.example.org/rss"
[[channels]]
name = "desk"
url = "terminal://"
"""
LOOK = """
import sys
from monitor.cli import invoke
code = invoke(sys.argv[2:])
found = [name for name in sys.argv[1].split(",") if name in sys.modules]
sys.exit(f"imported: {found}" if found else code)
"""


@pytest.mark.parametrize(
    "command", ["status", "--help", "feeds list", "silence list", "deliveries list"]
)
def test_a_command_that_looks_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    SqliteStore.open(str(tmp_path / "monitor.db")).close()
    words = [*command.split(), *([] if command == "--help" else ["--config", str(config)])]
    done = subprocess.run(
        [sys.executable, "-c", LOOK, ",".join(HEAVY), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
