"""Queries: what they mean, and what is said about those that cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.explain import as_query
from monitor.rules.lexemes import QueryError
from monitor.rules.syntax import parse, parse_term
from monitor.rules.tree import And, Field, Node, Or, Scope, Term

LISTS: dict[str, Node] = {"fms": Or(parts=(Term(text="FMS"), Term(text="DSCA")), origin="@fms")}


@pytest.mark.parametrize(
    ("query", "read_as"),
    [
        ("Foreign Military Sale", '"Foreign Military Sale"'),
        ('"search and rescue"', '"search and rescue"'),
        ("“Storm Shadow”", '"Storm Shadow"'),
        ("a OR b AND c", "a OR (b AND c)"),
        ("a NOT b", "a AND NOT b"),
        ("a AND NOT b", "a AND NOT b"),
        ("a b NEAR/5 c OR d", '("a b" NEAR/5 c) OR d'),
        ("a NEAR/2 b NEAR/3 c", "(a NEAR/2 b) NEAR/3 c"),
        ("a BEFORE/15 (b OR c)", "a BEFORE/15 (b OR c)"),
        ("a NEAR/S b", "a NEAR/S b"),
        ("ATLEAST/3 @fms", "ATLEAST/3 @fms"),
        ("title:NATO", "title:NATO"),
        ("NOT title:football", "NOT title:football"),
        ("summary:(a OR b)", "summary:(a OR b)"),
        ("=Apple", '="Apple"'),
        ("sale(s)", "sale"),
        (r"/DDG-\d+/", r"/DDG-\d+/"),
        ("sanction* organi?ation", '"sanction* organi?ation"'),
        ("@fms AND (Ukraine OR Kyiv)", "@fms AND (Ukraine OR Kyiv)"),
    ],
)
def test_is_read_as(query: str, read_as: str) -> None:
    assert as_query(parse(query, LISTS)) == read_as


@pytest.mark.parametrize(
    ("query", "position", "message", "remedy"),
    [
        ("NATO AND (Ukraine OR", 20, "the query stops here", "add a word"),
        ("NATO AND (Ukraine", 9, "never closed", "add the )"),
        ("NATO) AND x", 4, "without its (", "delete it"),
        ("NATO or Ukraine", 5, "written in capitals: OR", '"search and rescue"'),
        ("Or NATO", 0, "written in capitals: OR", ""),
        ("near/5 x", 0, "written in capitals", ""),
        ("titel:NATO", 0, 'no field "titel"', 'did you mean "title:"?'),
        ("foo:bar", 0, 'no field "foo"', "fields are title"),
        ("title: NATO", 0, "title: stands apart", "write title:word"),
        ("NATO AND Title: (a OR b)", 9, "title: stands apart", "title:(a OR b)"),
        ("a AND NOT@fms", 6, "a space is missing behind NOT", "write NOT @fms"),
        ("NATO -film", 5, "- excludes nothing", "write NOT film"),
        ("NATO AND !film", 9, "! excludes nothing", "write NOT film"),
        ("arms && Kyiv", 5, "&& is no operator", "write AND"),
        ("arms || Kyiv", 5, "|| is no operator", "write OR"),
        ("arms | Kyiv", 5, "| is no operator", "write OR"),
        ("arms ! Kyiv", 5, "! is no operator", "write NOT"),
        ("+arms +Kyiv", 0, "+ demands nothing", "write AND"),
        ('"NATO AND x', 0, "never closed", 'end the phrase with "'),
        ("@fmss", 0, 'no list "fmss"', 'did you mean "@fms"?'),
        ("@", 0, "names no list", "write @ and the name"),
        ("a NEAR b", 2, "needs a number", "NEAR/5"),
        ("a NEAR/0 b", 2, "needs a number", "NEAR/5"),
        ("a NEAR/9999 b", 2, "no nearness", "AND"),
        ("ATLEAST a", 0, "needs a number", "ATLEAST/3"),
        ("sa*", 0, "far too many words", "3 letters"),
        ("(a AND b) NEAR/3 c", 10, "between words or lists", "take AND"),
        ("(x OR (y OR (a AND b))) NEAR/3 c", 24, "between words or lists", "take AND"),
        ("ATLEAST/2 (x OR (y OR NOT z))", 0, "counts words", "take AND"),
        ("NEAR/3 (NOT a)", 0, "a term is missing", ""),
        ("ATLEAST/2 (a AND b)", 0, "counts words", "take AND"),
        ("()", 0, "nothing in these brackets", "delete them"),
        ('a "b c"', 2, "an operator is missing", "AND, OR or NEAR"),
        ("a AND AND b", 6, "a term is missing", "quote the word"),
        ("", 0, "the query stops here", "add a word"),
        ("!!!", 0, "no word in this", "letters or digits"),
        (r"/(a)\1/", 0, "back-references", "alternatives"),
        (r"/(?<=x)y/", 0, "look-around", "AND, NOT or NEAR"),
        (r"/(a/", 0, "cannot be read", "brackets"),
        ("/a*/", 0, "empty text", "+ instead of *"),
        ("=sanc*", 0, "exactly as written", "one of the two"),
    ],
)
def test_says_what_is_wrong(query: str, position: int, message: str, remedy: str) -> None:
    with pytest.raises(QueryError) as wrong:
        parse(query, LISTS)
    assert message in wrong.value.message
    assert remedy in wrong.value.remedy
    assert abs(wrong.value.position - position) <= 2


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("NATO AND Ukraine", "AND does not work in a list of terms"),
        ("title:NATO", "title: does not work in a list of terms"),
        ("arms && Kyiv", "&& is no operator"),
        ("arms !Kyiv", "! excludes nothing"),
        ("", "an empty term"),
        ("@nothing", 'no list "nothing"'),
        ("a*", "far too many"),
    ],
)
def test_says_what_is_wrong_with_a_term(term: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse_term(term, LISTS)


def read(query: str) -> Node | QueryError:
    try:
        return parse(query, LISTS)
    except QueryError as wrong:
        return wrong


@pytest.mark.parametrize("query", ["(" * 5000 + "a", "NOT " * 5000 + "a", "title:" * 5000 + "a"])
def test_depth_is_capped_without_a_crash(query: str) -> None:
    result = read(query)
    assert isinstance(result, QueryError)
    assert result.remedy == "split the rule"


def test_a_long_phrase_is_read() -> None:
    assert isinstance(read("word " * 15_000), Term)


@given(st.text(alphabet='abAND OR"NT()/5:*?@=“ \\', max_size=40))
def test_any_text_is_read_or_refused_in_words(query: str) -> None:
    result = read(query)
    if isinstance(result, QueryError):
        assert result.message
        assert 0 <= result.position <= len(query)
    else:
        assert as_query(result)


def test_words_of_two_fields_are_shown_in_brackets_beside_others() -> None:
    fields = frozenset({Field.TITLE, Field.SUMMARY})
    node = And(parts=(Scope(fields=fields, part=Term(text="NATO")), Term(text="arms")))
    assert as_query(node) == "(summary:NATO OR title:NATO) AND arms"
