"""Where a key stands in a TOML text.  Pure; call it only for text that tomllib has accepted.

A small scanner of our own: no TOML library tells lines through its interface.  It skips values
without reading them; tests compare it with tomllib on generated documents.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = re.compile(rf"[ \t]*({_KEY})[ \t]*(\.?)")
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]')
_ITEM = re.compile(rf"{_TOKEN.pattern}|,|[^\s,\[\]{{}}#\"']+")
_ARRAY = re.compile(r"[ \t]*\[")
_GAP = re.compile(r"[ \t\r]*(?:#[^\n]*)?\n?")


def index(text: str) -> dict[Path, int]:
    """Path of each table and key → its line, from 1.  Array items count from 0."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}  # items so far of each array of tables
        self._table: Path = ()
        self._line = 1

    def run(self) -> dict[Path, int]:
        at, text = 0, self._text
        while at < len(text):
            gap = _GAP.match(text, at)
            if gap is not None and gap.end() > at:
                end = gap.end()
            elif text.startswith("[[", at):
                end = self._array_item(at + 2)
            elif text[at] == "[":
                end = self._header(at + 1)
            else:
                end = self._pair(at)
            self._line += text.count("\n", at, end)
            at = end
        return self._found

    def _array_item(self, at: int) -> int:
        parts, end = self._dotted(at)
        base = (*self._resolved(parts[:-1]), parts[-1])
        self._counts[base] = self._counts.get(base, 0) + 1
        self._enter((*base, self._counts[base] - 1))
        return self._line_end(end)

    def _header(self, at: int) -> int:
        parts, end = self._dotted(at)
        self._enter(self._resolved(parts))
        return self._line_end(end)

    def _enter(self, table: Path) -> None:
        self._table = table
        for length in range(1, len(table) + 1):
            self._found.setdefault(table[:length], self._line)

    def _pair(self, at: int) -> int:
        parts, end = self._dotted(at)
        path = self._table
        for part in parts:
            path = (*path, part)
            self._found.setdefault(path, self._line)
        start = self._text.index("=", end) + 1
        opening = _ARRAY.match(self._text, start)
        return self._items(opening.end(), path) if opening else self._value_end(start)

    def _resolved(self, parts: list[str]) -> Path:
        """*parts* with the number of the latest item after each array of tables."""
        path: Path = ()
        for part in parts:
            path = (*path, part)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _dotted(self, at: int) -> tuple[list[str], int]:
        parts = []
        while True:
            found = _DOTTED.match(self._text, at)
            assert found is not None
            parts.append(_plain(found[1]))
            at = found.end()
            if not found[2]:
                return parts, at

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end == -1 else end

    def _items(self, at: int, path: Path) -> int:
        """Note the line of each item of the array whose ``[`` ends at *at*; just past its end."""
        text, depth, number, line, counted = self._text, 1, 0, self._line, at
        while depth:
            found = _ITEM.search(text, at)
            assert found is not None
            token, at = found[0], found.end()
            if depth == 1 and token[0] not in "#,]":
                line += text.count("\n", counted, found.start())
                counted = found.start()
                self._found.setdefault((*path, number), line)
            if token in ('"""', "'''"):
                at = self._long_string_end(at, token)
            number += depth == 1 and token == ","
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token, 0)
        end = text.find("\n", at)
        return len(text) if end == -1 else end

    def _value_end(self, at: int) -> int:
        """Just past the value that starts at *at*."""
        text, depth = self._text, 0
        while at < len(text):
            found = _TOKEN.search(text, at)
            newline = text.find("\n", at)
            if depth == 0 and newline != -1 and (found is None or newline < found.start()):
                return newline
            if found is None:
                return len(text)
            at = found.end()
            if found[0] in ('"""', "'''"):
                at = self._long_string_end(at, found[0])
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        return at

    def _long_string_end(self, at: int, quotes: str) -> int:
        text = self._text
        while True:
            end = text.index(quotes, at)
            escapes = len(text[at:end]) - len(text[at:end].rstrip("\\"))
            if quotes == "'''" or escapes % 2 == 0:
                break
            at = end + 1
        end += 3
        while text[end : end + 1] == quotes[0]:  # a quote may stand right before the closing ones
            end += 1
        return end


def _plain(key: str) -> str:
    if key[0] == '"':
        return str(tomllib.loads(f"k = {key}")["k"])
    return key[1:-1] if key[0] == "'" else key
