"""A person's verdict, written into the rule's own file as an example.  Pure: text in, text out.

tomlkit keeps remarks, order and line ends.  The result is read back and compared before it is
handed out, so an edit either does what was asked and nothing else, or is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import tomlkit
from tomlkit.items import AbstractTable, Array

from monitor.errors import NotWritten

Story = str | Mapping[str, str | Sequence[str]]  # as an example is written: a headline or a table
INDENT = "  "
_BOM = "\ufeff"


def add_example(text: str, rule: str, key: str, story: Story) -> str:
    """The file *text* with *story* at the end of *rule*'s list *key* (``must_not_match`` …).

    The same text when it is there already.  Raises NotWritten.
    """
    if _plain(story) in _rule_in(tomllib.loads(_unix(text)), rule).get(key, []):
        return text
    return _edited(text, rule, {key: [_plain(story)]}, {})


def move_example(text: str, rule: str, number: int, *, from_key: str, to_key: str) -> str:
    """The file *text* with the *number*-th example (from 0) of *rule* under another key.

    For an example that does what it should now: ``wanted_match`` → ``must_match``.
    """
    told = _rule_in(tomllib.loads(_unix(text)), rule)
    if number >= len(told.get(from_key, [])):
        raise NotWritten(f'rule "{rule}" has no such example under {from_key}')
    story = told[from_key][number]
    added = {} if story in told.get(to_key, []) else {to_key: [story]}
    return _edited(text, rule, added, {from_key: [story]})


def _edited(
    text: str, rule: str, added: Mapping[str, list[Any]], taken: Mapping[str, list[Any]]
) -> str:
    """*text* with the stories *taken* and *added*; checked to hold exactly that."""
    expected = tomllib.loads(_unix(text))
    document = tomlkit.parse(_unix(text))
    for target, take, append in (
        (_rule_in(expected, rule), _take_plain, _append_plain),
        (_rule_in(document, rule), _take, _append),
    ):
        for key, stories in taken.items():
            take(target, key, stories)
        for key, stories in added.items():
            append(target, key, stories)
    edited = tomlkit.dumps(document)
    if tomllib.loads(edited) != expected:
        raise NotWritten(f'the file is written in a way that "{rule}" cannot be edited in safely')
    begin = _BOM if text.startswith(_BOM) else ""
    return begin + (edited.replace("\n", "\r\n") if "\r\n" in text else edited)


def _unix(text: str) -> str:
    return text.removeprefix(_BOM).replace("\r\n", "\n")


def _plain(story: Story) -> Any:
    """As it will be read back: fields that say nothing are left out."""
    if isinstance(story, str):
        return story
    return {
        name: value if isinstance(value, str) else list(value)
        for name, value in story.items()
        if value
    }


def _rule_in(document: Mapping[str, Any], rule: str) -> Any:
    for table in document.get("rule", ()):
        if table.get("name") == rule:
            return table
    raise NotWritten(f'the file holds no rule "{rule}"')


# --- plain data: what must come out


def _append_plain(table: dict[str, Any], key: str, stories: list[Any]) -> None:
    table.setdefault(key, []).extend(deepcopy(stories))


def _take_plain(table: dict[str, Any], key: str, stories: list[Any]) -> None:
    left = list(table[key])
    for story in stories:
        left.remove(story)
    table[key] = left
    if not left:
        del table[key]


# --- the text


def _append(table: AbstractTable, key: str, stories: list[Any]) -> None:
    written = [_written(story) for story in stories]
    array = table.get(key)
    if array is None:
        _append_before_remarks(table, key, _array(written))
    elif isinstance(array, Array) and "\n" in array.as_string():
        for story in written:  # remarks between the items stay where they are
            array.append(story)
    else:
        table[key] = _array([*array, *written])


def _take(table: AbstractTable, key: str, stories: list[Any]) -> None:
    array = table[key]
    for story in stories:
        del array[[_unwrapped(each) for each in array].index(story)]
    if not array:
        table.remove(key)


def _append_before_remarks(table: AbstractTable, key: str, array: Array) -> None:
    """After the last key: what stands below it, up to the next rule, belongs to that one."""
    body = table.value.body
    remarks: list[Any] = []
    while body and body[-1][0] is None:
        remarks.insert(0, body.pop())
    table.append(key, array)
    body.extend(remarks)


def _array(items: Sequence[Any]) -> Array:
    """One item a line, as people write it."""
    lines = "".join(f"{INDENT}{item.as_string()},\n" for item in items)
    array = tomlkit.parse(f"x = [\n{lines}]\n")["x"]
    assert isinstance(array, Array)
    return array


def _written(story: Any) -> Any:
    if isinstance(story, str):
        return tomlkit.string(story)
    table = tomlkit.inline_table()
    for name, value in story.items():
        table.append(name, value)
    return table


def _unwrapped(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item
