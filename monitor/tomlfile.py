"""TOML files that people write: read, checked, faults told in plain words with their place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeVar

import pydantic

from monitor import tomlmistakes, tomlpositions
from monitor.errors import ConfigError, Problem

MAX_SIZE = 50 << 20  # bytes
Path = tuple[str | int, ...]
Shape = TypeVar("Shape", bound=pydantic.BaseModel)
Name = Callable[[Path, Mapping[str, Any]], str]


@dataclass(frozen=True)
class TomlDocument:
    """A TOML file that was understood."""

    name: str
    text: str
    data: dict[str, Any] = field(repr=False)

    def line(self, *path: str | int) -> int | None:
        """The line of the key at *path*, or of the nearest table round it."""
        for length in range(len(path), 0, -1):
            found = self._index.get(path[:length])
            if found is not None:
                return found
        return None

    @cached_property
    def _index(self) -> dict[Path, int]:
        return tomlpositions.index(self.text)


def parse(name: str, raw: bytes) -> TomlDocument:
    """The document in *raw*; raises ConfigError that says where it is wrong and what to write."""
    if len(raw) > MAX_SIZE:
        raise ConfigError([Problem(file=name, what=f"larger than {MAX_SIZE >> 20} MB")])
    text = _decoded(name, raw.removeprefix(b"\xef\xbb\xbf"))
    text = text.replace("\r\n", "\n")
    try:
        return TomlDocument(name, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([tomlmistakes.problem(name, text, str(error))]) from None
    except RecursionError:
        what, where = "brackets are nested too deeply", re.search(r"(?:[\[{][^\]}\n]*){20}", text)
    except ValueError:  # Python refuses to read integers of more than 4300 digits
        what, where = "a number is too long", re.search(r"\d[\d_]{4000}", text)
    line = text.count("\n", 0, where.start()) + 1 if where else None
    remedy = "no value here needs that"
    raise ConfigError([Problem(file=name, line=line, what=what, remedy=remedy)])


def _decoded(name: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        utf16 = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        what = "saved as UTF-16" if utf16 else "a character is not saved as UTF-8"
        remedy = 'save the file with the encoding "UTF-8"'
        raise ConfigError([Problem(file=name, line=line, what=what, remedy=remedy)]) from None


def validate(document: TomlDocument, shape: type[Shape], *, name: Name | None = None) -> Shape:
    """The document as a *shape*; raises ConfigError with everything that does not fit it.

    *name* says in words where a path is ('rule "fms", severity'); without it: "feeds[2].url".
    """
    try:
        return shape.model_validate(document.data)
    except pydantic.ValidationError as error:
        named = name or _dotted
        errors = error.errors(include_url=False, include_context=True)
        problems = [
            _problem(document, shape, path, each, named)
            for path, each in _told_once(document.data, errors)
        ]
        raise ConfigError(sorted(set(problems), key=lambda p: (p.line or 0, str(p)))) from None


def _told_once(data: Any, errors: Sequence[Any]) -> Iterator[tuple[Path, Any]]:
    """One error a place: where one of several shapes may stand, pydantic tells of each of them."""
    first: dict[Path, Any] = {}
    for error in errors:
        first.setdefault(_existing(data, error), error)
    inner = {path[:length] for path in first for length in range(len(path))}
    for path, error in first.items():
        if not (path in inner and error["type"] in _TYPES):
            yield path, error


def _problem(
    document: TomlDocument, shape: type[pydantic.BaseModel], path: Path, error: Any, name: Name
) -> Problem:
    what, remedy = _shape_fault(shape, path, error)
    missing = error["type"] == "missing"
    return Problem(
        file=document.name,
        line=document.line(*(path[:-1] if missing else path)),
        where=name(path, document.data),
        what=what,
        remedy=remedy,
    )


def _existing(data: Any, error: Any) -> Path:
    """Where *error* is, without pydantic's own steps (union members), which are not in the data."""
    path: list[str | int] = []
    for number, step in enumerate(error["loc"]):
        missing = error["type"] == "missing" and number == len(error["loc"]) - 1
        if isinstance(data, dict) and isinstance(step, str) and (step in data or missing):
            path.append(step)
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            path.append(step)
            data = data[step]
    return tuple(path)


_TYPES = {
    "string_type": 'text in quotation marks: "…"',
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": 'a list: ["…", "…"]',
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date: 2026-12-31",
}
_OF_MANY = frozenset(("list_type", "dict_type", "model_type", "model_attributes_type"))


def _shape_fault(shape: type[pydantic.BaseModel], path: Path, error: Any) -> tuple[str, str]:
    """(what, remedy) in plain words."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(shape, path)
    if kind == "missing":
        return f'"{path[-1]}" is missing', f"add {path[-1]} = …"
    if kind in _TYPES:
        misplaced = isinstance(error["input"], str) and kind in _OF_MANY
        shown = "a text" if misplaced else _shown(error["input"])  # it may be an address: a secret
        if kind == "list_type" and isinstance(error["input"], dict):
            return f"[{path[-1]}] is one table, there may be many", f"write [[{path[-1]}]]"
        return f"{shown} does not fit here", f"write {_TYPES[kind]}"
    if kind == "value_error":
        return f"{_shown(error['input'])} cannot be used", str(context.get("error", ""))
    if kind in ("literal_error", "enum"):
        near = get_close_matches(str(error["input"]), re.findall(r"'(\w+)'", context["expected"]))
        hint = f'did you mean "{near[0]}"?' if near else f"write one of {context['expected']}"
        return f"{_shown(error['input'])} is not one of the choices", hint
    if kind in ("too_short", "string_too_short"):
        return "there is nothing in it", "write at least one, or delete the line"
    return f"{_shown(error['input'])}: {error['msg'].lower()}", ""


def _unknown_key(shape: type[pydantic.BaseModel], path: Path) -> tuple[str, str]:
    known = list(_keys_at(shape, path[:-1]))
    near = get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
    remedy = f'did you mean "{near[0]}"?' if near else f"keys are {', '.join(known)}"
    return f'there is no key "{path[-1]}"', remedy


def _keys_at(shape: Any, path: Path) -> Iterator[str]:
    """The keys that the table at *path* of *shape* may have."""
    models = [shape]
    for step in path:
        if isinstance(step, str):
            models = [
                inner
                for model in models
                for key, info in model.model_fields.items()
                if step in (key, info.alias)
                for inner in _models_in(info.annotation)
            ]
    for model in models:
        yield from (info.alias or key for key, info in model.model_fields.items())


def _models_in(annotation: Any) -> Iterator[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _dotted(path: Path, _: Mapping[str, Any]) -> str:
    """feeds[2].url, counting from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text
