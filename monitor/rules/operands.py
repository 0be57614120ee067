"""What stands between operators and behind them: words, patterns, lists, fields, numbers.

All raise QueryError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from monitor.rules import regex
from monitor.rules.lexemes import Lexeme, QueryError, UnknownList
from monitor.rules.tree import Field, Node, Regex, Term
from monitor.text import words

MAX_DISTANCE = 1_000
MIN_WILDCARD = 3  # letters beside * or ?
FIELDS = frozenset(field.value for field in Field)

_LOWER_OPERATOR = re.compile(r"(?:and|or|not)|(?:near|before|atleast)(?:/\w*)?", re.IGNORECASE)
_LIST_NAME = re.compile(r"@[\w-]+")
_STUCK = re.compile(r"(AND|OR|NOT)([@=].+)")
_OF_OTHERS = {"&&": "AND", "||": "OR", "|": "OR", "!": "NOT"}  # operators of other languages


def term(text: str, start: int, *, exact: bool) -> Term:
    """A word or a phrase, which begins at *start* of its query."""
    text = " ".join(text.split())
    if text.endswith("(s)"):
        text = text[:-3]  # singular finds plural anyway
    bare = re.sub(r"[*?]", "", text)
    if not words(bare):
        raise QueryError("there is no word in this", "write letters or digits", start)
    for word in text.split():
        letters = sum(len(each) for each in words(re.sub(r"[*?]", "", word)))
        if re.search(r"[*?]", word) and letters < MIN_WILDCARD:
            raise QueryError(
                f'"{word}" would fit far too many words',
                f"write at least {MIN_WILDCARD} letters beside * or ?",
                start,
            )
    if exact and re.search(r"[*?]", text):
        raise QueryError(
            "= means exactly as written, * means anything", "use one of the two", start
        )
    return Term(text=text, exact=exact)


def pattern(lexeme: Lexeme) -> Regex:
    """Between strokes, which it has with a backslash before them."""
    written = lexeme.text[1:-1].replace("\\/", "/")
    try:
        regex.compiled(written)
    except regex.RegexError as error:
        raise QueryError(error.what, error.remedy, lexeme.start) from None
    return Regex(pattern=written)


def resolved(lexeme: Lexeme, lists: Mapping[str, Node]) -> Node:
    """The list that @name means."""
    name = lexeme.text[1:]
    if not _LIST_NAME.fullmatch(lexeme.text):
        raise QueryError(
            f'"{lexeme.text}" names no list', "write @ and the name of a list", lexeme.start
        )
    if name not in lists:
        near = get_close_matches(name, lists, n=1)
        known = ", ".join(f"@{each}" for each in sorted(lists)[:10]) or "none yet"
        remedy = f'did you mean "@{near[0]}"?' if near else f"lists are: {known}"
        raise UnknownList(f'there is no list "{name}"', remedy, lexeme.start)
    return lists[name]


def field(lexeme: Lexeme) -> Field:
    """What title: means."""
    name = lexeme.text[:-1]
    try:
        return Field(name)
    except ValueError:
        pass
    near = get_close_matches(name.lower(), [field.value for field in Field], n=1)
    fields = ", ".join(field.value for field in Field)
    remedy = f'did you mean "{near[0]}:"?' if near else f"fields are {fields}"
    raise QueryError(f'there is no field "{name}"', remedy, lexeme.start)


def distance(operator: Lexeme) -> int | None:
    """Words at most between the two of NEAR/5 or BEFORE/5; None: a sentence, NEAR/S."""
    name, _, written = operator.text.partition("/")
    if name == "NEAR" and written == "S":
        return None
    most = number(operator, f"{name}/5")
    if most > MAX_DISTANCE:
        raise QueryError(
            f"{most} words apart is no nearness",
            f"write at most {MAX_DISTANCE}, or AND",
            operator.start,
        )
    return most


def number(operator: Lexeme, example: str) -> int:
    """What stands behind the stroke of an operator; *example*: how to write it."""
    written = operator.text.partition("/")[2]
    if not (written.isascii() and written.isdecimal() and len(written) < 6 and int(written)):
        raise QueryError(f'"{operator.text}" needs a number', f"write {example}", operator.start)
    return int(written)


def refuse_what_is_no_word(lexeme: Lexeme) -> None:
    """Raises QueryError for what would be searched for as it stands, and never found."""
    _refuse_lower_operator(lexeme)
    name, colon, after = lexeme.text.partition(":")
    if colon and not after and name.lower() in FIELDS:
        name = name.lower()
        raise QueryError(
            f"{name}: stands apart from what is looked for there",
            f'write {name}:word, {name}:"a phrase" or {name}:(a OR b), without a space',
            lexeme.start,
        )
    if stuck := _STUCK.fullmatch(lexeme.text):
        raise QueryError(
            f"a space is missing behind {stuck[1]}", f"write {stuck[1]} {stuck[2]}", lexeme.start
        )
    if re.match(r"-[^\W\d_]", lexeme.text):
        raise _excludes_nothing(lexeme.text, lexeme.start)
    refuse_operator_of_others(lexeme.text, lexeme.start)


def refuse_operator_of_others(word: str, start: int) -> None:
    """Raises QueryError for signs that mean something elsewhere, and are skipped in a text here."""
    if word in _OF_OTHERS:
        meant = _OF_OTHERS[word]
        raise QueryError(f"{word} is no operator", f"write {meant} in a query", start)
    if re.match(r"![^\W\d_]", word):
        raise _excludes_nothing(word, start)
    if re.match(r"\+[^\W\d_]", word):
        what = "write AND in a query, between words that must all be there"
        raise QueryError("+ demands nothing", what, start)


def _excludes_nothing(word: str, start: int) -> QueryError:
    sign, bare = word[0], word[1:]
    return QueryError(
        f"{sign} excludes nothing", f'write NOT {bare} in a query, or quote it: "{bare}"', start
    )


def _refuse_lower_operator(lexeme: Lexeme) -> None:
    if _LOWER_OPERATOR.fullmatch(lexeme.text):
        capitals = lexeme.text.upper()
        raise QueryError(
            f"operators are written in capitals: {capitals}",
            f'write {capitals}, or put the phrase into quotation marks: "search and rescue"',
            lexeme.start,
        )
