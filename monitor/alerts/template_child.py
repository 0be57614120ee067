"""Fills in one template.  Runs in a child process of ``templates``; nothing else imports jinja2.

A template is somebody's own file, but a mistake in it can run for hours or fill the memory: loops
in loops, a text a million times over.  Here it sees plain values only, reads no other file, and
cannot switch escaping off: what feeds say must stay text.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

GLOBALS = ("range", "namespace")
NO_FILTERS = ("attr", "random", "safe")
_WORDS_OF_OTHER_FILES = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
}
_NO_FILTER = re.compile(r"No (filter|test) named '([^']*)'")
_ASK = "ask for it with {% if … %} first"
_SAID = 300  # characters of what a library says of an error

Said = dict[str, Any]  # {"line": 12, "what": "…", "remedy": "…"}


def fill(header: Mapping[str, Any], body: bytes) -> Said:
    """{"text": …}, {"too_long": true} or {"faults": [{line, what, remedy} …]}.

    *header*: file ("mail.html"), limit (characters).  *body*: JSON with the template's source and
    the values for it.
    """
    file, sent = header["file"], json.loads(body)
    source, values = sent["source"], sent["values"]
    try:
        faults = list(_faults(file, source, tuple(values)))
        if faults:
            return {"faults": faults}
        text = _filled(_compiled(file, source), _given(values, file), header["limit"])
    except MemoryError:
        raise
    except TemplateSyntaxError as error:
        return {"faults": [_syntax(error, file)]}
    except Exception as error:  # whatever an expression can raise
        return {"faults": [_failed(error, file)]}
    return {"too_long": True} if text is None else {"text": text}


def _filled(template: Template, values: Said, limit: int) -> str | None:
    """None if it is longer than *limit*."""
    parts, length = [], 0
    for part in template.generate(values):
        length += len(part)
        if length > limit:
            return None
        parts.append(part)
    return "".join(parts)


# --- the sandbox


class _Unknown(StrictUndefined):
    """A name that is not there: says so, and which was meant."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name, holder = self._undefined_name, self._undefined_obj
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(holder, dict):
            return _unknown(str(name), holder)
        if isinstance(holder, list):
            return _not_in_list(holder, name)
        if holder is None:
            return f"there is nothing here to have a '{name}'; {_ASK}"
        return f"'{name}' is not known"


class _Environment(ImmutableSandboxedEnvironment):
    """Of a dict only its keys are seen: ``story.copy`` is a slip, not a method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            return self._key(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict):
            return self._key(obj, argument)
        return super().getitem(obj, argument)

    def _key(self, values: dict[Any, Any], name: Any) -> Any:
        if isinstance(name, str) and name in values:
            return values[name]
        return self.undefined(obj=values, name=name)


@lru_cache(maxsize=2)
def _environment(html: bool) -> _Environment:
    environment = _Environment(
        autoescape=html, undefined=_Unknown, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals = {name: environment.globals[name] for name in GLOBALS}
    for name in NO_FILTERS:
        del environment.filters[name]
    return environment


def _of(file: str) -> _Environment:
    return _environment(file.endswith(".html"))


@lru_cache(maxsize=16)
def _compiled(file: str, source: str) -> Template:
    environment = _of(file)
    code = environment.compile(source, name=file, filename=file)
    return Template.from_code(environment, code, environment.globals)


def _given(values: Any, file: str) -> Any:
    """*values*, where mail.html takes those under names in ``html`` for what they are."""
    if not file.endswith(".html"):
        return values
    if isinstance(values, list):
        return [_given(each, file) for each in values]
    if isinstance(values, dict):
        return {
            name: Markup(each) if name.endswith("html") else _given(each, file)
            for name, each in values.items()
        }
    return values


# --- what is wrong


@lru_cache(maxsize=16)
def _faults(file: str, source: str, known: tuple[str, ...]) -> tuple[Said, ...]:
    """What can be seen without filling it in."""
    environment = _of(file)
    tree = environment.parse(source)
    return (*_other_files(tree), *_undeclared(tree, (*known, *environment.globals)))


def _other_files(tree: nodes.Template) -> Iterator[Said]:
    for node in tree.find_all(tuple(_WORDS_OF_OTHER_FILES)):
        word = _WORDS_OF_OTHER_FILES[type(node)]
        yield _said(node.lineno, f"'{word}' cannot be used", "a template is one file; copy it here")
    for node in tree.find_all((nodes.EvalContextModifier, nodes.ScopedEvalContextModifier)):
        what = "'autoescape' cannot be used: what feeds say must stay text"
        yield _said(node.lineno, what, "title_html and html hold the hits as HTML")


def _undeclared(tree: nodes.Template, known: tuple[str, ...]) -> Iterator[Said]:
    """Misspelt names, also where no sample comes by."""
    unknown = meta.find_undeclared_variables(tree) - set(known)
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            what, _, remedy = _unknown(node.name, dict.fromkeys(known)).partition("; ")
            yield _said(node.lineno, what, remedy)


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1)
    remedy = f"did you mean '{near[0]}'?" if near else f"there is {', '.join(known)}"
    return f"'{name}' is not known; {remedy}"


def _not_in_list(values: list[Any], name: Any) -> str:
    if isinstance(name, int):
        return f"there is no item {name} here; {_ASK}"
    return f"a list has no '{name}'; go through it with {{% for … in … %}}"


def _syntax(error: TemplateSyntaxError, file: str) -> Said:
    message = error.message or "this is no template"
    found = _NO_FILTER.search(message)
    if found is None:
        return _said(error.lineno, message[:_SAID])
    kind, name = found.groups()
    if kind == "filter" and name in NO_FILTERS:
        what = f"the filter '{name}' cannot be used: what feeds say must stay text"
        return _said(error.lineno, what, "title_html and html hold the hits as HTML")
    known = _of(file).filters if kind == "filter" else _of(file).tests
    what, _, remedy = _unknown(name, dict.fromkeys(known)).partition("; ")
    near = remedy if remedy.startswith("did") else ""
    return _said(error.lineno, f"the {kind} {what}", near)


def _failed(error: Exception, file: str) -> Said:
    said = str(error)[:_SAID]
    if isinstance(error, UndefinedError):
        what, _, remedy = said.partition("; ")
        return _said(_line(error, file), what, remedy)
    return _said(_line(error, file), f"{type(error).__name__}: {said}")


def _line(error: Exception, file: str) -> int | None:
    """jinja2 puts the template's own lines into the traceback."""
    steps = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in steps if frame.f_code.co_filename == file]
    return lines[-1] if lines else None


def _said(line: int | None, what: str, remedy: str = "") -> Said:
    return {"line": line, "what": what, "remedy": remedy}
