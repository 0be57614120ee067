"""Rule files → RuleSet: lists joined, conditions parsed, examples run.  All problems at once.

``read_folder`` is the thin reader; ``load`` works on what it read and touches no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from monitor.errors import ConfigError, Problem
from monitor.model import Entry, Rule
from monitor.rules import examples, lists
from monitor.rules.assemble import Assembly, LoadedRule
from monitor.rules.labels import folded
from monitor.rules.match import Detect, Matcher, compile_rules, walk
from monitor.rules.tree import Label, Node

MAX_FILE = 50 << 20  # bytes


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """All rules of a folder, ready to match; immutable."""

    rules: tuple[LoadedRule, ...]
    matcher: Matcher = field(repr=False)
    lists: Mapping[str, Node] = field(default_factory=dict, repr=False)
    reading: Matcher | None = field(default=None, repr=False)  # of the list worth_reading
    version: str = ""  # hash of the files
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[Problem, ...] = ()

    def named(self, name: str) -> LoadedRule | None:
        return next((each for each in self.rules if each.rule.name == name), None)

    def worth_reading(self, entry: Entry) -> bool:
        """Whether a term of the list ``worth_reading`` stands in *entry*."""
        return self.reading is not None and bool(self.reading.match(entry))

    def relying_on(self, feed: str, tags: frozenset[str]) -> tuple[str, ...]:
        """Rules whose feed or tag condition this feed meets: they are blind without it."""
        has = [("feed", folded(feed)), *(("tag", folded(tag)) for tag in tags)]
        found = {number for each in has for number in self._by_label.get(each, ())}
        return tuple(self.rules[number].rule.name for number in sorted(found))

    @cached_property
    def _by_label(self) -> Mapping[tuple[str, str], Sequence[int]]:
        """(key, folded value) → the numbers of the rules that want it: asked for every feed."""
        found: dict[tuple[str, str], list[int]] = {}
        for number, each in enumerate(self.rules):
            for label in walk(each.condition) if each.enabled else ():
                if isinstance(label, Label):
                    for value in label.values:
                        found.setdefault((label.key, folded(value)), []).append(number)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Names of rules, by what became of their meaning."""

    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def read_folder(path: str) -> dict[str, bytes]:
    """File name → bytes of every ``*.toml`` in the folder; raises ConfigError."""
    folder = Path(path)
    if not folder.is_dir():
        what = "this is a file, not a folder" if folder.exists() else "there is no such folder"
        remedy = "make it, or correct [monitor] rules in config.toml"
        raise ConfigError([Problem(file=path, what=what, remedy=remedy)])
    problems: list[Problem] = []
    files: dict[str, bytes] = {}
    for file in sorted(folder.glob("*.toml")):
        try:
            if file.stat().st_size > MAX_FILE:
                raise OSError(f"larger than {MAX_FILE >> 20} MB")
            files[file.name] = file.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            problems.append(Problem(file=file.name, what=f"cannot be read: {reason}"))
    if problems:
        raise ConfigError(problems)
    return files


def load(
    files: Mapping[str, bytes],
    frequencies: Mapping[str, int] | None = None,
    *,
    detect: Detect | None = None,
) -> RuleSet:
    """The rules in *files*; raises ConfigError with every problem of every file.

    *frequencies* and *detect* as ``compile_rules`` takes them.
    """
    assembly = Assembly()
    for name, raw in files.items():
        assembly.file(name, raw)
    assembly.lists()
    rules = assembly.rules()
    tried = list(_tried(rules, detect))
    assembly.problems += [problem for problem in tried if not problem.warning]
    assembly.stop_at_errors()
    matcher = compile_rules(
        [(each.rule, each.condition) for each in rules if each.enabled], frequencies, detect
    )
    texts = {name: raw.decode("utf-8-sig") for name, raw in files.items()}
    return RuleSet(
        rules=tuple(rules),
        matcher=matcher,
        lists=assembly.known_lists,
        reading=_reading(assembly.known_lists),
        version=_version(files),
        files=texts,
        warnings=tuple(problem for problem in tried if problem.warning),
    )


def _reading(known: Mapping[str, Node]) -> Matcher | None:
    terms = known.get(lists.WORTH_READING)
    return compile_rules([(Rule(name=lists.WORTH_READING), terms)]) if terms else None


def changes(old: RuleSet, new: RuleSet) -> Changes:
    """What *new* changes in the meaning of enabled rules."""
    before = {each.rule.name: each.fingerprint for each in old.rules if each.enabled}
    after = {each.rule.name: each.fingerprint for each in new.rules if each.enabled}
    return Changes(
        added=tuple(name for name in after if name not in before),
        edited=tuple(n for n, mark in after.items() if n in before and before[n] != mark),
        removed=tuple(name for name in before if name not in after),
    )


def _tried(rules: Sequence[LoadedRule], detect: Detect | None) -> Iterator[Problem]:
    for loaded in rules:
        if loaded.examples:
            yield from examples.try_out(loaded.rule, loaded.condition, loaded.examples, detect)


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, raw in sorted(files.items()):
        digest.update(f"{name}\0{len(raw)}\0".encode() + raw)
    return digest.hexdigest()[:16]
