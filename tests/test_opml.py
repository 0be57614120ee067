"""OPML: what people's lists hold, what is left out and why, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.feeds import opml
from monitor.feeds.clean import one_line
from monitor.feeds.opml import Outline

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "opml"


def listed(body: str, *, head: str = "") -> opml.FeedList:
    return opml.read("f.opml", f"{head}<opml version='2.0'><body>\n{body}\n</body></opml>".encode())


def feed(name: str = "A", url: str = "https://a.example/feed", more: str = "") -> str:
    return f'<outline text="{name}" xmlUrl="{url}" {more}/>'


@pytest.mark.parametrize(
    ("body", "tags"),
    [
        pytest.param(feed(), (), id="at the top"),
        pytest.param(f'<outline text="us">{feed()}</outline>', ("us",), id="in a folder"),
        pytest.param(
            f'<outline text="us"><outline title="press">{feed()}</outline></outline>',
            ("us", "press"),
            id="in folders within each other",
        ),
        pytest.param(
            f'<outline text="us"><outline>{feed()}</outline></outline>',
            ("us",),
            id="in a folder without a name",
        ),
        pytest.param(
            f'<outline text="us"><outline text="us">{feed()}</outline></outline>',
            ("us",),
            id="in two folders of one name",
        ),
    ],
)
def test_folders_are_tags(body: str, tags: tuple[str, ...]) -> None:
    (found,) = listed(body).feeds
    assert found.tags == tags


@pytest.mark.parametrize(
    ("body", "name"),
    [
        pytest.param(feed("A &amp; B"), "A & B", id="escaped"),
        pytest.param(feed("A & B"), "A & B", id="a bare ampersand"),
        pytest.param(feed("<b>A</b>"), "<b>A</b>", id="bare tags"),
        pytest.param(feed('The "Times" of A'), 'The "Times" of A', id="bare quotes"),
        pytest.param(feed("", "https://www.a.example/x"), "a.example", id="none: the host"),
        pytest.param(feed("x" * 200), "x" * 80, id="too long"),
        pytest.param(feed("A&#10;B"), "A B", id="on two lines"),
        pytest.param(feed().replace("xmlUrl", "XMLURL"), "A", id="capitals"),
    ],
)
def test_names_are_read_as_they_were_meant(body: str, name: str) -> None:
    (found,) = listed(body).feeds
    assert found.name == name


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(feed() + "\n" + feed("B"), '"B" has the address of "A" in line 2', id="twice"),
        pytest.param(feed() + feed("B", "http://A.example/feed/"), '"B" has the', id="all but"),
        pytest.param(feed("B", "ftp://a.example/"), "does not begin with http", id="ftp"),
        pytest.param(feed("B", "|~/script.py"), "does not begin with http", id="a program"),
        pytest.param('<outline text="B" type="rss"/>', '"B" has no address', id="no address"),
        pytest.param(
            '<outline text="B" type="include" url="https://b.example/l.opml"/>',
            '"B" stands for another list',
            id="another list",
        ),
    ],
)
def test_what_is_left_out_is_named_with_its_line(body: str, said: str) -> None:
    (problem,) = listed(body).left_out
    assert said in str(problem)
    assert str(problem).startswith("f.opml:")
    assert problem.warning


def test_what_is_commented_out_is_switched_off() -> None:
    body = f'<outline text="us" isComment="true">{feed()}</outline>' + feed(
        "B", "https://b.example"
    )
    assert [each.enabled for each in listed(body).feeds] == [False, True]


ENTITY = '<?xml version="1.0"?>\n<!DOCTYPE opml [\n<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(b"", "f.opml: the file is empty", id="empty"),
        pytest.param(b"url,list\n", 'f.opml: this is not OPML: it begins "url,list"', id="csv"),
        pytest.param(b"<rss/>", "f.opml:1: this is not OPML: it begins with <rss>", id="a feed"),
        pytest.param(b"<html/>", "it is a web page: look there for a link", id="a page"),
        pytest.param(f"{ENTITY}<opml>&x;</opml>".encode(), "f.opml:3: it defines", id="entities"),
        pytest.param(
            b"<opml>\n<body>\n<outline\n",
            "f.opml:3: the XML is broken here (unclosed token): <outline;",
            id="cut",
        ),
        pytest.param(b"<opml>\n<a>&</a>\n<a b=c/>", "f.opml:3: the XML is", id="beyond mending"),
        pytest.param(b"<opml><body>" + b"<outline>" * 200, "more than 100 outlines", id="deep"),
        pytest.param(b"<opml>" + b" " * opml.MAX_SIZE, "larger than 20 MB", id="large"),
    ],
)
def test_what_is_refused_says_where_and_what_to_do(raw: bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opml.read("f.opml", raw)
    (problem,) = caught.value.problems
    assert said in str(problem)
    assert problem.remedy


def test_a_doctype_alone_is_harmless() -> None:
    assert listed(feed(), head='<!DOCTYPE opml SYSTEM "https://x.example/opml.dtd">').feeds


def test_names_are_told_apart_by_their_host() -> None:
    feeds = [
        Outline(url=url, name="News")
        for url in ("https://a.example/1", "https://www.b.example/", "https://b.example/2")
    ]
    named = opml.named_apart(feeds, ["Other"])
    assert [each.name for each in named] == ["News", "News (b.example)", "News (b.example, 2)"]
    (again,) = opml.named_apart(feeds[:1], ["news"])
    assert again.name == "News (a.example)"
    (long,) = opml.named_apart([Outline(url="https://a.example", name="x" * 80)], ["x" * 80])
    assert len(long.name) == 80


def test_a_plain_list_of_addresses_will_do() -> None:
    raw = b"# mine\n\nhttps://www.a.example/1\r\nhttps://a.example/2 Second  one\nnonsense\n"
    read = opml.read("l.txt", raw + b"https://a.example/3\n")
    named = opml.named_apart(read.feeds, [])
    assert [(each.name, each.line) for each in named] == [
        ("a.example", 3),
        ("Second one", 4),
        ("a.example (2)", 6),
    ]
    assert [each.line for each in read.left_out] == [5]


TEXTS = st.text(min_size=1, max_size=80).filter(lambda text: one_line(text) == text != "")
FEEDS = st.builds(
    Outline,
    url=st.from_regex(r"https?://[a-z]{1,8}\.example/[a-z0-9?=&%;]{0,20}", fullmatch=True),
    name=TEXTS,
    tags=st.lists(TEXTS, max_size=3, unique=True).map(tuple),
    enabled=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(FEEDS, max_size=8, unique_by=lambda feed: opml.place(feed.url)))
def test_what_is_exported_is_imported_again(feeds: list[Outline]) -> None:
    read = opml.read("f.opml", opml.write("Feeds", feeds))
    assert (read.left_out, read.mended) == ((), False)
    found = [(each.url, each.name, each.tags, each.enabled) for each in read.feeds]
    assert sorted(found) == sorted((f.url, f.name, f.tags, f.enabled) for f in feeds)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_all_lists_of_the_corpus_are_read() -> None:
    lists = [opml.read(path.name, path.read_bytes()) for path in CORPUS.rglob("*.opml")]
    assert len(lists) == 60
    assert all(each.feeds for each in lists)
    assert sum(len(each.feeds) for each in lists) > 900
    assert sum(each.mended for each in lists) == 40


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
@pytest.mark.parametrize("name", ["world-news-feeds.txt", "osint-dashboard-feed-urls.txt"])
def test_the_plain_lists_of_the_corpus_are_read(name: str) -> None:
    raw = (CORPUS / name).read_bytes()
    read = opml.read(name, raw)
    assert len(read.feeds) + len(read.left_out) == len(raw.decode().split()) > 50
