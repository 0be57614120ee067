"""config.toml with feeds added, taken out, switched off or on.  Pure: text in, text out.

Only the lines of the feed meant are touched; every remark and all layout round them stays.  The
result is read back and compared before it is handed out, so an edit either does what was asked and
nothing else, or is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.items import AoT, Item, Table

from monitor import tomlpositions
from monitor.errors import NotWritten

_BOM = "\ufeff"
_BY_HAND = "edit it by hand, and look at it with `check`"

Data = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Where a feed stands: indices of lines, the ends exclusive."""

    start: int
    keys_end: int  # of its own keys; tables of its own ([feeds.headers]) may follow
    end: int  # of all that is its


def add_feeds(text: str, tables: Sequence[Mapping[str, Any]]) -> str:
    """*text* with a ``[[feeds]]`` table for each of *tables*, after the last one there is."""

    def expect(data: Data) -> None:
        data.setdefault("feeds", []).extend(dict(table) for table in tables)

    def edit(lines: list[str]) -> list[str]:
        blocks = _blocks(lines)
        at = _with_remarks(lines, blocks[-1].end) if blocks else len(lines)
        new = [line for table in tables for line in ("", *_written(table))]
        before, after = lines[:at], lines[at:]
        if not before or not before[-1].strip():
            new = new[1:]
        return [*before, *new, *([""] if after and after[0].strip() else []), *after]

    return _edited(text, expect, edit)


def remove_feed(text: str, name: str) -> tuple[str, str]:
    """*text* without the feed called *name*, and the lines that were taken out."""
    gone: list[str] = []

    def expect(data: Data) -> None:
        data["feeds"].remove(_named(data, name))
        if not data["feeds"]:
            del data["feeds"]

    def edit(lines: list[str]) -> list[str]:
        block = _block(lines, name)
        gone.extend(lines[block.start : block.end])
        before, after = lines[: block.start], lines[block.end :]
        if after and not after[0].strip() and (not before or not before[-1].strip()):
            after = after[1:]
        return [*before, *after]

    return _edited(text, expect, edit), "\n".join(gone)


def switch_off(text: str, name: str, reason: str) -> str:
    """*text* with the feed called *name* not watched, because of *reason* ("" says nothing)."""

    def expect(data: Data) -> None:
        table = _named(data, name)
        table.pop("reason", None)
        table |= {"enabled": False} | ({"reason": reason} if reason else {})

    def change(table: Table) -> None:
        table["enabled"] = False
        if reason:
            table["reason"] = reason
        else:
            _drop(table, "reason")

    return _edited(text, expect, lambda lines: _rewritten(lines, name, change))


def switch_on(text: str, names: Collection[str]) -> str:
    """*text* with the feeds called *names* watched; why they were not goes, remarks stay."""

    def expect(data: Data) -> None:
        for name in names:
            for key in ("enabled", "reason"):
                _named(data, name).pop(key, None)

    def change(table: Table) -> None:
        for key in ("enabled", "reason"):
            _drop(table, key)

    def edit(lines: list[str]) -> list[str]:
        for name in names:
            lines = _rewritten(lines, name, change)
        return lines

    return _edited(text, expect, edit)


def readdress(text: str, name: str, url: str) -> str:
    """*text* with the feed called *name* at *url*."""

    def expect(data: Data) -> None:
        _named(data, name)["url"] = url

    def change(table: Table) -> None:
        table["url"] = url

    return _edited(text, expect, lambda lines: _rewritten(lines, name, change))


def names_in(text: str) -> list[str]:
    """The names of the feeds that stand in the file itself."""
    feeds = tomllib.loads(_unix(text)).get("feeds", [])
    return [str(feed.get("name", "")) for feed in feeds]


# --- the whole text


def _edited(
    text: str, expect: Callable[[Data], None], edit: Callable[[list[str]], list[str]]
) -> str:
    plain = _unix(text)
    expected = tomllib.loads(plain)
    expect(expected)
    lines = edit(plain.removesuffix("\n").split("\n") if plain else [])
    edited = "\n".join(lines) + "\n" if lines else ""
    if not _reads_as(edited, expected):
        raise NotWritten(f"the file is written in a way that cannot be edited safely; {_BY_HAND}")
    begin = _BOM if text.startswith(_BOM) else ""
    return begin + (edited.replace("\n", "\r\n") if "\r\n" in text else edited)


def _reads_as(text: str, expected: Data) -> bool:
    try:
        return tomllib.loads(text) == expected
    except tomllib.TOMLDecodeError:
        return False


def _unix(text: str) -> str:
    return text.removeprefix(_BOM).replace("\r\n", "\n")


def _named(data: Data, name: str) -> Data:
    for table in data.get("feeds", []):
        if table.get("name") == name:
            found: Data = table
            return found
    raise NotWritten(f'the file has no feed "{name}"')


# --- the lines of one feed


def _block(lines: list[str], name: str) -> _Block:
    feeds = tomllib.loads("\n".join(lines))["feeds"]
    number = next(n for n, feed in enumerate(feeds) if feed.get("name") == name)
    return _blocks(lines)[number]


def _blocks(lines: list[str]) -> list[_Block]:
    """Where each feed stands, in order."""
    text = "\n".join(lines)
    data, index = tomllib.loads(text), tomlpositions.index(text)
    heads = _heads(data, index, lines)
    blocks = []
    for number in range(len(data.get("feeds", []))):
        start = index["feeds", number] - 1
        if not lines[start].lstrip().startswith("[["):
            raise NotWritten(f"its feeds are not written as [[feeds]] tables; {_BY_HAND}")
        later = [(line, path) for line, path in heads if line > start]
        keys_end = min((line for line, _ in later), default=len(lines))
        others = [line for line, path in later if path[:2] != ("feeds", number)]
        end = min(others, default=len(lines))
        blocks.append(
            _Block(start=start, keys_end=_trimmed(lines, keys_end), end=_trimmed(lines, end))
        )
    return blocks


def _heads(
    data: Data, index: Mapping[tomlpositions.Path, int], lines: Sequence[str]
) -> list[tuple[int, tomlpositions.Path]]:
    """The lines with ``[…]`` and ``[[…]]``, and whose they are."""
    return [
        (line - 1, path)
        for path, line in index.items()
        if lines[line - 1].lstrip().startswith("[") and isinstance(_at(data, path), dict)
    ]


def _at(data: Any, path: tomlpositions.Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _trimmed(lines: Sequence[str], end: int) -> int:
    """*end* without the blank lines and remarks before it."""
    while end and _says_nothing(lines[end - 1]):
        end -= 1
    return end


def _with_remarks(lines: Sequence[str], end: int) -> int:
    """*end* with the remarks right below, unless they stand right above what follows."""
    below = end
    while below < len(lines) and lines[below].lstrip().startswith("#"):
        below += 1
    return below if below == len(lines) or not lines[below].strip() else end


def _says_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _rewritten(lines: list[str], name: str, change: Callable[[Table], None]) -> list[str]:
    """*lines* with the keys of one feed changed."""
    block = _block(lines, name)
    document = tomlkit.parse("\n".join(lines[block.start : block.keys_end]) + "\n")
    feeds = document["feeds"]
    assert isinstance(feeds, AoT)
    change(feeds[0])
    changed = tomlkit.dumps(document).removesuffix("\n").split("\n")
    return [*lines[: block.start], *changed, *lines[block.keys_end :]]


def _drop(table: Table, key: str) -> None:
    """Take *key* out; a remark beside it gets a line of its own."""
    if key not in table:
        return
    item = table.value.item(key)  # indexing gives a bool for a bool
    remark = item.trivia.comment if isinstance(item, Item) else ""
    table.remove(key)
    if remark:
        table.add(tomlkit.comment(remark.lstrip("# ")))


def _written(table: Mapping[str, Any]) -> list[str]:
    """The lines of a new ``[[feeds]]`` table."""
    pairs = (f"{key} = {tomlkit.item(value).as_string()}" for key, value in table.items())
    return ["[[feeds]]", *pairs]
