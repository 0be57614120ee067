"""Rule files → RuleSet: lists joined, conditions parsed, examples run.  All problems at once.

``read_folder`` is the thin reader; ``load`` works on what it read and touches no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from monitor import ids, tomlfile
from monitor.errors import ConfigError, Problem
from monitor.model import Entry, Rule
from monitor.rules import examples, lists
from monitor.rules.conditions import Fault, condition
from monitor.rules.evaluate import folded
from monitor.rules.examples import Example
from monitor.rules.files import RuleFile, RuleTable, named
from monitor.rules.lexemes import QueryError, UnknownList
from monitor.rules.match import Detect, Matcher, compile_rules, walk
from monitor.rules.meaning import meaning
from monitor.rules.mistakes import usual_mistakes
from monitor.rules.tree import Label, Node
from monitor.tomlfile import TomlDocument
from monitor.tomlmistakes import caret

MAX_FILE = 50 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRule:
    """A rule of a file: what the house must know, its condition, and what concerns its upkeep."""

    rule: Rule
    condition: Node = field(repr=False)
    enabled: bool = True
    backfill: timedelta | None = None
    review_by: date | None = None
    examples: tuple[Example, ...] = ()
    fingerprint: str = ""  # of its meaning: equal when only remarks or examples changed


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
    reading = _Reading()
    for name, raw in files.items():
        reading.file(name, raw)
    reading.lists()
    rules = reading.rules()
    reading.stop_at_errors()
    matcher = compile_rules(
        [(each.rule, each.condition) for each in rules if each.enabled], frequencies, detect
    )
    tried = list(_tried(rules, detect))
    reading.problems += [problem for problem in tried if not problem.warning]
    reading.stop_at_errors()
    texts = {name: raw.decode("utf-8-sig") for name, raw in files.items()}
    return RuleSet(
        rules=tuple(rules),
        matcher=matcher,
        lists=reading.known_lists,
        reading=_reading(reading.known_lists),
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


class _Reading:
    """The files while they are read; collects problems instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.known_lists: dict[str, Node] = {}
        self._unread = False  # a file whose lists are not known
        self._meanings: dict[int, str] = {}
        self._files: list[tuple[TomlDocument, RuleFile]] = []

    def stop_at_errors(self) -> None:
        if self.problems:
            raise ConfigError(sorted(self.problems, key=lambda p: (p.file, p.line or 0)))

    def file(self, name: str, raw: bytes) -> None:
        try:
            document = tomlfile.parse(name, raw)
            mistakes = list(usual_mistakes(document))
            if mistakes:  # whatever else is wrong may be their consequence
                raise ConfigError(mistakes)
            self._files.append((document, tomlfile.validate(document, RuleFile, name=named)))
        except ConfigError as error:
            self.problems += error.problems
            self._unread = True

    # --- lists

    def lists(self) -> None:
        """Resolve the lists of all files; a list may use others."""
        places: dict[str, TomlDocument] = {}
        terms: dict[str, list[str]] = {}
        for document, shape in self._files:
            for name, written in shape.lists.items():
                if name in places:
                    where = f"{places[name].name}:{places[name].line('lists', name)}"
                    self._say(document, ("lists", name), f"is already in {where}", "join the two")
                else:
                    places[name], terms[name] = document, written
        self.known_lists |= lists.resolved(
            terms,
            lambda name, what, remedy: self._say(places[name], ("lists", name), what, remedy),
            lambda name: self._fault(places[name], ("lists", name)),
        )

    # --- rules

    def rules(self) -> list[LoadedRule]:
        found: dict[str, LoadedRule] = {}
        for document, shape in self._files:
            for number, table in enumerate(shape.rule):
                loaded = self._rule(document, number, table)
                if table.name in found:
                    other = found[table.name].rule.source
                    self._say(
                        document, ("rule", number, "name"),
                        f"{other} has a rule of this name already",
                        "give each rule its own name: it tells whether it alerted before",
                    )  # fmt: skip
                elif loaded is not None:
                    found[table.name] = loaded
        return list(found.values())

    def _rule(self, document: TomlDocument, number: int, table: RuleTable) -> LoadedRule | None:
        node = condition(table, self.known_lists, self._fault(document, ("rule", number)))
        if node is None:
            return None
        if not _looks_for_something(table):
            self._say(
                document, ("rule", number),
                "says nothing about what to look for",
                'add any = ["…"], all, query, score, or a condition such as feed = "…"',
            )  # fmt: skip
            return None
        channels = None if table.channels is None else tuple(table.channels)
        source = f"{document.name}:{document.line('rule', number) or 1}"
        rule = Rule(
            name=table.name,
            severity=table.severity,
            tags=frozenset(table.tags),
            channels=channels,
            owner=table.owner,
            note=table.note,
            source=source,
        )
        mark = ids.derive(
            "rule", meaning(node, self._meanings), repr(channels), rule.severity.label
        )
        return LoadedRule(
            rule=rule,
            condition=node,
            enabled=table.enabled,
            backfill=table.backfill,
            review_by=table.review_by,
            examples=tuple(examples.of(table, document, number)),
            fingerprint=mark,
        )

    # --- problems

    def _say(
        self, document: TomlDocument, path: tuple[str | int, ...], what: str, remedy: str
    ) -> None:
        self.problems.append(
            Problem(
                file=document.name,
                line=document.line(*path),
                where=named(path, document.data),
                what=what,
                remedy=remedy,
            )
        )

    def _fault(self, document: TomlDocument, base: tuple[str | int, ...]) -> Fault:
        def fault(path: tuple[str | int, ...], text: str, error: QueryError) -> None:
            if isinstance(error, UnknownList) and self._unread:
                return  # it may stand in the file that cannot be read: that is told already
            whole = (*base, *path)
            line = document.line(*whole)
            shown, column = _place(document, line, text, error.position)
            self.problems.append(
                Problem(
                    file=document.name,
                    line=line,
                    column=column,
                    where=named(whole, document.data),
                    what=error.message,
                    remedy=error.remedy,
                    excerpt=shown,
                )
            )

        return fault


def _place(
    document: TomlDocument, line: int | None, text: str, position: int
) -> tuple[str, int | None]:
    """The excerpt with a caret, and the column in the file where that can be known."""
    if not text:
        return "", None
    lines = document.text.split("\n")
    for number in range((line or 1) - 1, min((line or 1) + 50, len(lines))):
        start = lines[number].find(text)
        if start >= 0 and number == (line or 1) - 1:
            column = start + position + 1
            return caret(lines[number], column), column
        if start >= 0:
            return caret(lines[number], start + position + 1), None
    flat = " ".join(text.split("\n"))
    return caret(flat, position + 1), None


def _looks_for_something(table: RuleTable) -> bool:
    asked = (table.any_, table.all_, table.query, table.score, table.feed, table.tag)
    labels = (table.language, table.category, table.author, table.url)
    return any(each is not None for each in (*asked, *labels))


def _tried(rules: Sequence[LoadedRule], detect: Detect | None) -> Iterator[Problem]:
    for loaded in rules:
        if loaded.examples:
            yield from examples.try_out(loaded.rule, loaded.condition, loaded.examples, detect)


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, raw in sorted(files.items()):
        digest.update(f"{name}\0{len(raw)}\0".encode() + raw)
    return digest.hexdigest()[:16]
