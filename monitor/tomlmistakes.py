"""What tomllib did not understand, told as by somebody who knows how such mistakes come about."""

from __future__ import annotations

import re
import unicodedata

from monitor.errors import Problem

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CURLY = re.compile("[“”„‟«»‘’‚‛]")
_SECRET = re.compile("pass|token|secret|key|auth", re.IGNORECASE)  # in the name of a key
_ORDINARY = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)*")  # words: no address, no token
_MANY = ("feeds", "channels", "routes", "rule")  # tables of which there may be several


def problem(name: str, text: str, message: str) -> Problem:
    """*message* is what tomllib says of *text*, the file *name*."""
    found = _PLACE.search(message)
    lines = text.split("\n")
    number = int(found[1]) if found and found[1] else len(lines)
    column = int(found[2]) if found and found[2] else len(lines[-1]) + 1
    if number > 1 and not lines[number - 1].strip() and found and not found[1]:
        number = max(i for i, line in enumerate(lines, 1) if line.strip() or i == 1)
        column = len(lines[number - 1]) + 1
    shown = lines[number - 1] if number <= len(lines) else ""
    what, remedy, at = _in_words(shown, column, message[: found.start()] if found else message)
    return Problem(
        file=name,
        line=number,
        column=at,
        what=what,
        remedy=remedy,
        excerpt=caret(shown, at),
    )


def caret(line: str, column: int) -> str:
    """*line* with a mark under its *column* (from 1); long lines are cut round it."""
    start = max(0, column - 60)
    piece = _CONTROL.sub("\ufffd", line[start : start + 100].replace("\t", " "))
    return f"    {piece}\n    {' ' * (column - 1 - start)}^"


def _in_words(line: str, column: int, message: str) -> tuple[str, str, int]:
    """(what, remedy, column) for a line tomllib did not understand."""
    for explain in (
        _control,
        _curly_quotes,
        _apostrophe,
        _unquoted,
        _repeated,
        _open_string,
        _key_alone,
    ):
        found = explain(line, column, message)
        if found is not None:
            return found
    return "this cannot be understood", "compare it with a line above that works", column


def _control(line: str, column: int, _: str) -> tuple[str, str, int] | None:
    found = _CONTROL.search(line.replace("\t", " "))
    if found is None:
        return None
    what = f"an invisible control character (U+{ord(found[0]):04X})"
    return what, "delete it", found.start() + 1


def _curly_quotes(line: str, column: int, _: str) -> tuple[str, str, int] | None:
    before = re.sub(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*', lambda m: " " * len(m[0]), line)
    found = _CURLY.search(before)
    if found is None:
        return None
    name = unicodedata.name(found[0]).lower()
    return (
        f"{found[0]} is a typographic quotation mark ({name}), as word processors make them",
        'write straight ones: "…"',
        found.start() + 1,
    )


def _apostrophe(line: str, column: int, _: str) -> tuple[str, str, int] | None:
    """'L'OTAN': the second apostrophe ends the text."""
    found = re.search(r"(?:=|\[|,)\s*'[^']*'(?=\w)", line)
    if found is None:
        return None
    return (
        "the apostrophe ends the text that began with '",
        """put the text into double quotes: "L'OTAN\"""",
        found.end(),
    )


def _unquoted(line: str, column: int, message: str) -> tuple[str, str, int] | None:
    if not message.startswith("Invalid value"):
        return None
    found = re.match(r"\s*([\w.-]+)\s*=\s*([^#]*)", line)
    if found is None or not found[2].strip():
        return ("a value is missing here", 'write it after the "=", text in double quotes', column)
    word = found[2].strip()
    if word.lower() in ("yes", "no", "on", "off", "true", "false"):
        meant = "true" if word.lower() in ("yes", "on", "true") else "false"
        return (f"{word} is not a value", f"write {meant}", found.start(2) + 1)
    ordinary = _ORDINARY.fullmatch(word) and not _SECRET.search(found[1])  # said to many people
    shown = word[:40] if ordinary else "…"
    return (
        "text must stand in quotation marks",
        f'write {found[1]} = "{shown}"' if '"' not in word else 'write "…" round each text',
        column,
    )


def _repeated(line: str, column: int, message: str) -> tuple[str, str, int] | None:
    name = re.match(r"\s*\[*\s*([\w.\"'-]+)", line)
    key = name[1] if name else "it"
    if message.startswith("Cannot overwrite a value"):
        return (f"{key} is set twice", "keep one of the two", 1)
    if message.startswith(("Cannot declare", "Cannot mutate", "Cannot overwrite")):
        if line.lstrip().startswith("[") and not line.lstrip().startswith("[["):
            remedy = f"keep one [{key}] and put the lines of both below it"
            if key in _MANY:
                remedy = f"write [[{key}]] for each, or keep only one"
        else:
            remedy = "give it one meaning: a value, [a table] or [[a list of tables]]"
        return (f"{key} is already there", remedy, 1)
    return None


def _open_string(line: str, column: int, message: str) -> tuple[str, str, int] | None:
    broken = "Illegal character" in message or "Unterminated string" in message
    if broken and (line[: column - 1].count('"') % 2 or "\\n" in message):
        return ("a quotation mark is not closed", 'end the text with "', column)
    if "Unescaped '\\'" in message:
        return (
            "\\ has a meaning of its own between double quotes",
            "put the text into single quotes: '…', or write \\\\",
            line.rfind("\\", 0, column) + 1,
        )
    if message.startswith("Unclosed array"):
        return ("the list [ … is not closed, or a comma is missing", 'write ["a", "b"]', column)
    if message.startswith(("Expected ']", "Unclosed inline table")):
        return ("a bracket is not closed", "close it on the same line", column)
    return None


def _key_alone(line: str, column: int, message: str) -> tuple[str, str, int] | None:
    if "Expected '=' after a key" in message:
        if ":" in line:
            return ("a key and its value are joined by =", "write = instead of :", column)
        return ("a key needs a value", 'write key = "value"', column)
    if message.startswith("Invalid statement"):
        return ("a line begins with a key, [, or #", 'write key = "value", or # before a remark', 1)
    if message.startswith("Expected newline or end of document"):
        return (
            "something follows the value",
            'one value a line; a list stands in brackets: ["a", "b"]',
            column,
        )
    if message.startswith(("Invalid initial character", "Empty key")):
        return ("a key is missing here", 'write key = "value"', column)
    return None
