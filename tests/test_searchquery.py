"""What people type is looked for, or refused in words; never an error of the index."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import QueryError
from monitor.searchquery import DEEPEST, MOST_WORDS, to_index

GOOD = {
    "one word": ("NATO", '"NATO"'),
    "words: all of them": ("arms sale", '("arms" AND "sale")'),
    "a phrase": ('"arms sale"', '"arms sale"'),
    "a word processor's phrase": ("“arms sale”", '"arms sale"'),
    "a beginning": ("missil*", '"missil" *'),
    "a phrase with a beginning": ('"air miss"*', '"air miss" *'),
    "one or the other": ("Kyiv OR Odesa", '("Kyiv" OR "Odesa")'),
    "OR is the loosest": ("a b OR c", '(("a" AND "b") OR "c")'),
    "brackets": ("a (b OR c)", '("a" AND ("b" OR "c"))'),
    "AND written out": ("a AND b", '("a" AND "b")'),
    "without, by a minus": ("a -b", '("a" NOT "b")'),
    "without, by a word": ("a NOT b", '("a" NOT "b")'),
    "AND NOT": ("a AND NOT b", '("a" NOT "b")'),
    "without a phrase": ('a -"b c"', '("a" NOT "b c")'),
    "without two": ("-a b -c", '("b" NOT ("a" OR "c"))'),
    "without a group": ("a NOT (b c)", '("a" NOT ("b" AND "c"))'),
    "a hyphen within a word": ("F-16", '"F-16"'),
    "what the index knows as an operator": ("title:x NEAR ^y", '("title:x" AND "NEAR" AND "^y")'),
    "lower-case or is a word": ("a or", '("a" AND "or")'),
}


@pytest.mark.parametrize(("query", "expected"), GOOD.values(), ids=GOOD)
def test_is_looked_for(query: str, expected: str) -> None:
    assert to_index(query) == expected


BAD = {
    "nothing": ("  ", "nothing to look for"),
    "an open phrase": ('"arms sale', "is never closed"),
    "only what must be absent": ("-Kyiv", "NATO -Kyiv"),
    "nothing after OR": ("a OR", "missing beside OR"),
    "nothing before OR": ("OR a", "missing beside OR"),
    "nothing before AND": ("AND a", "missing beside AND"),
    "nothing after AND": ("a AND", "missing beside AND"),
    "nothing after NOT": ("a NOT", "missing after NOT"),
    "empty brackets": ("a ()", "between brackets"),
    "an open bracket": ("(a", 'without its "\\)"'),
    "a closed bracket": ("a)", 'without its "\\("'),
    "an asterisk in a word": ("mis*le", "at the end of a word"),
    "an asterisk alone": ("*", "no letter or digit"),
    "signs": ("a & b", "no letter or digit"),
    "too many words": ("a " * (MOST_WORDS + 1), f"up to {MOST_WORDS}"),
    "too many brackets": ("(" * (DEEPEST + 2) + "a" + ")" * (DEEPEST + 2), "too many brackets"),
}


@pytest.mark.parametrize(("query", "said"), BAD.values(), ids=BAD)
def test_is_refused_in_words(query: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        to_index(query)


@pytest.fixture(scope="module")
def index() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE w USING fts5 (t, tokenize = 'unicode61 remove_diacritics 2')")
    return db


@given(query=st.text(alphabet="ab \"'*()-+:^{}\0OR ANDNOT“é,.", max_size=40))
def test_the_index_takes_whatever_comes_of_it(index: sqlite3.Connection, query: str) -> None:
    try:
        asked = to_index(query)
    except QueryError:
        return
    index.execute("SELECT rowid FROM w WHERE w MATCH ?", [asked]).fetchall()
