"""The starter packs on real entries that were labelled by hand: precision and recall."""

from __future__ import annotations

import gzip
import json
import tomllib
from pathlib import Path

import pytest

from monitor.model import Entry
from monitor.rules.load import load, read_folder
from tests.builders import an_entry

ROOT = Path(__file__).parents[1]
ARTICLES = ROOT.parent / "shared" / "corpus" / "articles"
LABELS = ROOT / "tests" / "data" / "labels.toml"
LEAST_PRECISION = 0.90
LEAST_RECALL = 0.75  # a fifth of the wanted ones are in Polish, which the packs do not cover


def entry_of(row: dict[str, str]) -> Entry:
    text = row.get("description") or row.get("text") or ""
    return an_entry(row.get("title") or "", summary=text[:1500], feed_name="any outlet")


def labelled() -> list[tuple[bool, Entry]]:
    found = []
    for file in tomllib.loads(LABELS.read_text())["file"]:
        with gzip.open(ARTICLES / file["name"], "rt") as lines:
            rows = [json.loads(line) for line in lines]
        for wanted in (True, False):
            numbers = file["wanted" if wanted else "unwanted"]
            found += [(wanted, entry_of(rows[number])) for number in numbers]
    return found


@pytest.mark.skipif(not ARTICLES.exists(), reason="the corpus is not here")
def test_precision_and_recall_on_labelled_entries() -> None:
    matcher = load(read_folder(str(ROOT / "rules"))).matcher
    judged = [(wanted, bool(matcher.match(entry)), entry.title) for wanted, entry in labelled()]
    assert len(judged) >= 150
    true = sum(wanted and found for wanted, found, _ in judged)
    precision = true / sum(found for _, found, _ in judged)
    recall = true / sum(wanted for wanted, _, _ in judged)
    wrong = "\n".join(f"{w!s:5} {f!s:5} {t}" for w, f, t in judged if w != f)
    assert precision >= LEAST_PRECISION, f"precision {precision:.2f}, recall {recall:.2f}\n{wrong}"
    assert recall >= LEAST_RECALL, f"precision {precision:.2f}, recall {recall:.2f}\n{wrong}"


@pytest.mark.parametrize(
    "title",
    [
        "Senator and signatory meet",
        "Sam Smith sings in Brussels",
        "Taurus, the zodiac sign, in the United States",
        "G-20 FMs meet in India",
        "Arms wide open: Europe welcomes American tourists",
        "Ukraine wins gold in the javelin throw",
    ],
)
def test_what_must_never_fire(title: str) -> None:
    matcher = load(read_folder(str(ROOT / "rules"))).matcher
    assert matcher.match(an_entry(title, summary="", feed_name="any outlet")) == []
