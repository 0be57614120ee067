"""``.ci/versions``: what it is told, and that nothing about registries gets into the pins."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "versions"


@pytest.mark.parametrize("arguments", [[], ["newest"]], ids=["nothing", "an unknown word"])
def test_it_says_how_it_is_used(arguments: list[str]) -> None:
    done = subprocess.run(["sh", SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: .ci/versions lowest|highest|audit|pin")


def test_it_is_explained_where_people_look() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (words,) = re.findall(r"usage: \.ci/versions (\S+)", SCRIPT.read_text("utf-8"))
    assert all(f".ci/versions {word}" in text or f"`{word}`" in text for word in words.split("|"))


def test_the_pins_name_no_registry() -> None:
    assert "--no-emit-index-url --no-emit-find-links" in SCRIPT.read_text("utf-8")
