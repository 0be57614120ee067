"""Faults in TOML files: told in plain words, with their place and what to write instead."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

import pydantic
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from monitor import tomlfile, tomlpositions
from monitor.errors import ConfigError, Problem
from monitor.tomlfile import TomlDocument, parse, validate


def fault(text: str | bytes) -> Problem:
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ConfigError) as caught:
        parse("a.toml", raw)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "place", "what", "remedy"),
    [
        ("name = “fms”", (1, 8), "typographic quotation mark", 'straight ones: "…"'),
        ('a = 1\nb = ["x", «y»]', (2, 11), "typographic quotation mark", "straight"),
        ("any = ['L'OTAN']", (1, 10), "the apostrophe ends the text", '"L\'OTAN"'),
        ("name = fms", (1, 8), "must stand in quotation marks", 'name = "fms"'),
        ("enabled = yes", (1, 11), "yes is not a value", "write true"),
        ("enabled = False", (1, 11), "False is not a value", "write false"),
        ("name =", (1, 7), "a value is missing", 'after the "="'),
        ('name = "a"\nname = "b"', (2, 1), "name is set twice", "keep one"),
        ("[a]\nx = 1\n[a]\ny = 2", (3, 1), "a is already there", "keep one [a]"),
        ("[rule]\nx = 1\n[rule]\ny = 2", (3, 1), "rule is already there", "write [[rule]] for"),
        ('name = "a', (1, 10), "a quotation mark is not closed", 'end the text with "'),
        ('path = "C:\\dir"', (1, 11), "\\ has a meaning of its own", "single quotes"),
        ('any = ["a" "b"]', (1, 12), "a comma is missing", 'write ["a", "b"]'),
        ('any = ["a",\n"b"\nx = 1', (3, 1), "is not closed", 'write ["a", "b"]'),
        ("[[rule]\nx = 1", (1, 7), "a bracket is not closed", "close it"),
        ('name: "a"', (1, 5), "joined by =", "write = instead of :"),
        ("name", (1, 5), "a key needs a value", 'key = "value"'),
        ("- a", (1, 3), "a key needs a value", 'key = "value"'),
        ("* a", (1, 1), "a line begins with a key", "write key"),
        ('a = "x", "y"', (1, 8), "something follows the value", "brackets"),
        ("a\0 = 1", (1, 2), "control character (U+0000)", "delete it"),
        ("a = 1\n\x1b[31m = 3", (2, 1), "control character (U+001B)", "delete it"),
    ],
)
def test_says_what_is_wrong_and_what_to_write(
    text: str, place: tuple[int, int], what: str, remedy: str
) -> None:
    problem = fault(text)
    assert (problem.line, problem.column) == place
    assert what in problem.what
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("raw", "line", "what"),
    [
        (b"a = 1\nb = '\xff'", 2, "a character is not saved as UTF-8"),
        ("a = 1".encode("utf-16"), 1, "saved as UTF-16"),
        (b"a = 1\nb = " + b"9" * 5000, 2, "a number is too long"),
        (b"a = 1\nb = " + b"[" * 50_000, 2, "brackets are nested too deeply"),
        (b"a = " + b"{a=" * 50_000, 1, "brackets are nested too deeply"),
        (b"#" * (tomlfile.MAX_SIZE + 1), None, "larger than 50 MB"),
    ],
    ids=["latin-1", "utf-16", "long number", "arrays", "tables", "huge"],
)
def test_refuses_what_would_hurt(raw: bytes, line: int | None, what: str) -> None:
    problem = fault(raw)
    assert (problem.line, problem.what) == (line, what)


@pytest.mark.parametrize(
    "raw",
    [b"\xef\xbb\xbfa = 1", b"a = 1\r\n", b"a = 1", b"# \xe2\x80\x9cquoted\xe2\x80\x9d\na = 1\n"],
    ids=["byte order mark", "windows", "no line end", "curly quotes in a remark"],
)
def test_accepts_what_editors_write(raw: bytes) -> None:
    assert parse("a.toml", raw).data == {"a": 1}


def test_curly_quotes_inside_a_text_are_text() -> None:
    assert parse("a.toml", "a = '“x”'".encode()).data == {"a": "“x”"}


def test_shows_the_line_with_a_mark_below() -> None:
    assert fault('a = 1\nname = "x" "y"').excerpt == '    name = "x" "y"\n               ^'


def test_a_long_line_is_cut_round_the_fault() -> None:
    shown, mark = fault("a = [" + '"x", ' * 100 + '"y" "z"]').excerpt.split("\n")
    assert len(shown) < 110
    assert shown[mark.index("^")] == '"'


def test_the_excerpt_cannot_command_a_terminal() -> None:
    excerpt = fault('a = "\x1b[2J').excerpt
    assert "\x1b" not in excerpt


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        parse("a.toml", text.encode("utf-8", "replace"))
    except ConfigError as error:
        for problem in error.problems:
            assert problem.what
            assert "tomllib" not in str(problem)


# --- shape


class Inner(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)

    url: str = ""
    tags: list[str] = []


class Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)

    name: str = "x"
    number: int = 0
    ready: bool = True
    mode: Literal["feed", "article"] = "feed"
    feeds: list[Inner] = []
    stories: list[str | Inner] = []
    some: Annotated[list[str], pydantic.Field(min_length=1)] = ["x"]


def wrong(text: str, shape: type[pydantic.BaseModel] = Shape) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validate(parse("a.toml", text.encode()), shape)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nam = 'x'", 'a.toml:1: nam: there is no key "nam"; did you mean "name"?'),
        (
            "[[feeds]]\nurl = 'a'\n[[feeds]]\nxyz = 1",
            'a.toml:4: feeds[2].xyz: there is no key "xyz"; keys are url, tags',
        ),
        ("number = '3'", 'a.toml:1: number: "3" does not fit here; write a whole number'),
        ("ready = 1", "a.toml:1: ready: 1 does not fit here; write true or false"),
        ("name = 3", 'a.toml:1: name: 3 does not fit here; write text in quotation marks: "…"'),
        ("feeds = 'a'", 'a.toml:1: feeds: a text does not fit here; write a list: ["…", "…"]'),
        (
            "mode = 'artikle'",
            'a.toml:1: mode: "artikle" is not one of the choices; did you mean "article"?',
        ),
        (
            "some = []",
            "a.toml:1: some: there is nothing in it; write at least one, or delete the line",
        ),
        (
            "stories = [\n  'x',\n  { ulr = 'y' },\n]",
            'a.toml:3: stories[2].ulr: there is no key "ulr"; did you mean "url"?',
        ),
        (
            "stories = [3]",
            'a.toml:1: stories[1]: 3 does not fit here; write text in quotation marks: "…"',
        ),
    ],
)
def test_says_what_does_not_fit(text: str, said: str) -> None:
    assert wrong(text) == [said]


def test_tells_everything_at_once_in_the_order_of_lines() -> None:
    found = wrong("ready = 1\nnam = 'x'\n[[feeds]]\nurl = 3\n")
    assert [line.split(":")[1] for line in found] == ["1", "2", "4"]


def test_a_missing_key_is_placed_at_its_table() -> None:
    class Needs(pydantic.BaseModel):
        name: str

    class Holds(pydantic.BaseModel):
        feeds: list[Needs]

    assert wrong("x = 1\n[[feeds]]\ny = 2", Holds) == [
        'a.toml:2: feeds[1].name: "name" is missing; add name = …'
    ]


def test_the_caller_may_name_places() -> None:
    def name(path: tuple[str | int, ...], data: object) -> str:
        return f"feed number {path[1]}" if len(path) > 1 else "?"

    with pytest.raises(ConfigError, match="feed number 0: 3 does not fit"):
        validate(parse("a.toml", b"[[feeds]]\nurl = 3"), Shape, name=name)


# --- lines

LINES = """\
# a remark
top = 1
"quoted key" = 2
[table]
long = \"\"\"
a = 1
[not a table]
\"\"\"
list = [
  "a", # ]
  "b",
]
after = { x = 1, y = "]" }

[[item]]
name = 'x'
[item.inner]
deep.key = 1
[[item]]
name = 'y'
  [[item.part]]
  z = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("table",), 4),
        (("table", "long"), 5),
        (("table", "list"), 9),
        (("table", "list", 0), 10),
        (("table", "list", 1), 11),
        (("table", "after"), 13),
        (("table", "after", "y"), 13),
        (("item", 0), 15),
        (("item", 0, "inner", "deep", "key"), 18),
        (("item", 1), 19),
        (("item", 1, "name"), 20),
        (("item", 1, "part", 0, "z"), 22),
        (("item", 1, "absent"), 19),
        (("nothing",), None),
    ],
    ids=str,
)
def test_the_line_of_a_key_or_of_the_table_round_it(
    path: tuple[str | int, ...], line: int | None
) -> None:
    assert TomlDocument("a", LINES, tomllib.loads(LINES)).line(*path) == line


VALUES = st.one_of(
    st.integers(-9, 9),
    st.booleans(),
    st.text(max_size=12),
    st.lists(st.text(max_size=6), max_size=3),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
)
TABLES = st.dictionaries(st.text(min_size=1, max_size=5), VALUES, max_size=4)


@given(tables=st.dictionaries(st.text(min_size=1, max_size=5), st.lists(TABLES, max_size=3)))
def test_every_key_of_every_document_is_found_on_its_line(
    tables: dict[str, list[dict[str, Any]]],
) -> None:
    text = tomlkit.dumps(tables).replace("\r", "")
    data = tomllib.loads(text)
    lines = text.split("\n")
    index = tomlpositions.index(text)
    for name, items in data.items():
        for number, table in enumerate(items):
            for key in table if isinstance(table, dict) else ():
                found = _statement(lines, index[name, number, key])
                assert key in found or key in found[name]  # key = … or [name.key]


def _statement(lines: list[str], number: int) -> dict[str, Any]:
    """What begins on line *number*, with as many lines as it takes."""
    for end in range(number, len(lines) + 1):
        try:
            return tomllib.loads("\n".join(lines[number - 1 : end]))
        except tomllib.TOMLDecodeError:
            continue
    return {}
