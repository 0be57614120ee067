"""Rule files → rules: lists joined, conditions parsed.  Collects the problems of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from monitor import ids, tomlfile
from monitor.errors import ConfigError, Problem
from monitor.model import Rule
from monitor.rules import examples, lists
from monitor.rules.conditions import Fault, condition
from monitor.rules.examples import Example
from monitor.rules.files import RuleFile, RuleTable, named
from monitor.rules.lexemes import QueryError, UnknownList
from monitor.rules.meaning import meaning
from monitor.rules.mistakes import usual_mistakes
from monitor.rules.remains import Remains, remains, whole
from monitor.rules.tree import Node
from monitor.tomlfile import TomlDocument
from monitor.tomlmistakes import caret


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


class Assembly:
    """The files while they are read; collects problems instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.known_lists: dict[str, Node] = {}
        self._unread = False  # something that may hold a list
        self._meanings: dict[int, str] = {}
        self._files: list[tuple[TomlDocument, Remains]] = []

    def stop_at_errors(self) -> None:
        if self.problems:
            raise ConfigError(sorted(self.problems, key=lambda p: (p.file, p.line or 0)))

    def file(self, name: str, raw: bytes) -> None:
        try:
            document = tomlfile.parse(name, raw)
            mistakes = list(usual_mistakes(document))
            if mistakes:  # whatever else is wrong may be their consequence
                raise ConfigError(mistakes)
        except ConfigError as error:
            self.problems += error.problems
            self._unread = True
            return
        try:
            shape = tomlfile.validate(document, RuleFile, name=named)
            self._files.append((document, whole(shape)))
        except ConfigError as error:
            self.problems += error.problems
            left = remains(document.data)
            self._unread = self._unread or not left.all_lists
            self._files.append((document, left))

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
            for number, table in shape.rules.items():
                if number in shape.torn:  # only for the mistakes in what is left
                    condition(table, self.known_lists, self._fault(document, ("rule", number)))
                    continue
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
