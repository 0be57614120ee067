"""How fast the matcher is: microseconds a story, at 1 000, 10 000 and 100 000 rules.

    python tests/bench/match.py [--sizes 1000,10000] [--stories 200]

One process, everything in turns, chunk by chunk; the best chunk is the comparable figure, the
median beside it shows the noise.  Texts: press releases of the corpus, else made ones.
Side by side: one ``re`` per rule, and pyahocorasick on bare terms.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import ahocorasick

from monitor.model import Entry
from monitor.rules.match import Matcher, compile_rules
from monitor.rules.syntax import parse
from monitor.text import words
from tests.builders import a_rule, an_entry

RELEASES = "state-department-releases-2021-05_2022-03.jsonl.gz"
ARTICLES = Path(__file__).parents[3] / "shared" / "corpus" / "articles"
LENGTH = 1_700  # characters of a story
CHUNK = 25


def texts() -> list[str]:
    """Real texts of about LENGTH characters, else made ones with words distributed like theirs."""
    path = ARTICLES / RELEASES
    if path.exists():
        with gzip.open(path, "rt") as lines:
            found = [json.loads(line)["text"] for line in lines]
        return [text[:LENGTH] for text in found if len(text) >= LENGTH]
    chance = random.Random(1)
    vocabulary = [f"w{n}{chance.choice('abcdefgh') * 3}" for n in range(20_000)]
    weights = [1 / (n + 1) for n in range(len(vocabulary))]
    return [" ".join(chance.choices(vocabulary, weights, k=270)) for _ in range(400)]


class Rules:
    """Rules of the kind analysts write, from the texts' own phrases."""

    def __init__(self, stories: Sequence[str], *, wildcards: float = 0.0) -> None:
        self._chance = random.Random(7)
        self._stories = [words(text) for text in stories]
        self._seen = Counter(word for text in self._stories for word in set(text))
        self._few = len(stories) * 0.01  # stories that a telling word stands in, at most
        self._rare = [w for w, n in self._seen.items() if len(w) > 3 and n <= self._few]
        self._wildcards = wildcards

    def frequencies(self) -> dict[str, int]:
        return dict(self._seen)

    def phrase(self) -> str:
        if self._chance.random() < 0.5:
            word = self._chance.choice(self._rare)
            if self._chance.random() < self._wildcards and len(word) > 5:
                return f"{word[:5]}*"
            return word
        while True:  # "of the" is nobody's term: one word of a phrase is a telling one
            text = self._chance.choice(self._stories)
            start = self._chance.randrange(len(text) - 3)
            phrase = text[start : start + self._chance.choice([2, 3])]
            if any(self._seen[word] <= self._few for word in phrase):
                return " ".join(phrase)

    def query(self) -> str:
        a, b, c = (f'"{self.phrase()}"' if n else self.phrase() for n in range(3))
        a = f'"{a}"'
        return self._chance.choice(
            [
                f"{a} OR {b} OR {c}",
                f"{a} OR {b}",
                f"{a} AND ({b} OR {c})",
                f"({a} OR {b}) NEAR/12 {c}",
                f"{a} BEFORE/8 {b} OR {c}",
                f"({a} OR {b}) NOT {c}",
                f"ATLEAST/2 ({a} OR {b})",
                f"title:{a} OR {b}",
            ]
        )

    def many(self, count: int) -> list[str]:
        return [self.query() for _ in range(count)]


def chunks(entries: Sequence[Entry], work: Callable[[Entry], object]) -> list[float]:
    """Microseconds a story, chunk by chunk."""
    found = []
    for start in range(0, len(entries) - CHUNK + 1, CHUNK):
        began = time.perf_counter()
        for entry in entries[start : start + CHUNK]:
            work(entry)
        found.append((time.perf_counter() - began) / CHUNK * 1e6)
    return found


def built(queries: Sequence[str], frequencies: dict[str, int]) -> tuple[Matcher, float, float]:
    """The matcher, seconds to parse and build, and MiB it added."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    rules = [(a_rule(f"r{n}"), parse(query, {})) for n, query in enumerate(queries)]
    parsed = time.perf_counter()
    matcher = compile_rules(rules, frequencies)
    seconds = time.perf_counter() - parsed
    print(f"    parsing {parsed - began:.1f} s", end="")
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return matcher, seconds, added


def one_re_a_rule(queries: Sequence[str]) -> Callable[[Entry], object]:
    """What a first version would do: the terms of each rule as one alternation."""
    patterns = [
        re.compile("|".join(rf"\b{re.escape(t)}\b" for t in re.findall(r'"([^"*]+)', query)), re.I)
        for query in queries
    ]
    return lambda entry: [n for n, each in enumerate(patterns) if each.search(entry.summary)]


def bare_terms(queries: Sequence[str]) -> Callable[[Entry], object]:
    """pyahocorasick on the terms alone, word by word folded: no operators, no offsets."""
    automaton = ahocorasick.Automaton()
    for query in queries:
        for term in re.findall(r'"([^"*]+)', query):
            automaton.add_word(f" {' '.join(words(term))} ", term)
    automaton.make_automaton()
    return lambda entry: list(automaton.iter(f" {' '.join(words(entry.summary))} "))


def line(name: str, figures: Sequence[float]) -> None:
    print(
        f"    {name:34} best {min(figures):8.0f} µs   median {statistics.median(figures):8.0f} µs"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sizes", default="1000,10000,100000")
    arguments.add_argument("--stories", type=int, default=200)
    options = arguments.parse_args()
    stories = texts()
    entries = [
        an_entry(text[:80], summary=text, key=f"g:{n}")
        for n, text in enumerate(stories[: options.stories])
    ]
    for size in map(int, options.sizes.split(",")):
        print(f"{size} rules")
        made = Rules(stories)
        queries = made.many(size)
        matcher, seconds, added = built(queries, made.frequencies())
        print(f", building {seconds:.1f} s, {added:.0f} MiB more")
        line("matcher, all language features", chunks(entries, matcher.match))
        scanned = chunks(entries, matcher.scan)
        line("  of that: words and trie", scanned)
        matched = sum(len(matcher.match(entry)) for entry in entries) / len(entries)
        print(f"    {matched:.1f} rules match a story")
        wild = Rules(stories, wildcards=0.04)  # of single words: about 5 % of the rules have one
        wilder, _, _ = built(wild.many(size), wild.frequencies())
        print()
        line("matcher, 5 % with a wildcard", chunks(entries, wilder.match))
        line("  of that: words and trie", chunks(entries, wilder.scan))
        matched = sum(len(wilder.match(entry)) for entry in entries) / len(entries)
        print(f"    {matched:.1f} rules match a story")
        line("pyahocorasick, bare terms", chunks(entries, bare_terms(queries)))
        if size <= 1_000:
            line("one re per rule", chunks(entries[: 2 * CHUNK], one_re_a_rule(queries)))


if __name__ == "__main__":
    main()
