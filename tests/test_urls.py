"""monitor.urls: the same page under many addresses."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.urls import _PLAIN, _parts, canonical_key

PAGE = "https://example.org/news/arms-sale"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://example.org/news/arms-sale", id="http and https are one"),
        pytest.param("https://WWW.Example.ORG/news/arms-sale", id="www and capitals in the host"),
        pytest.param("https://m.example.org/news/arms-sale", id="the mobile site"),
        pytest.param("https://amp.example.org/news/arms-sale/amp/", id="the AMP page"),
        pytest.param("https://example.org:443/news/arms-sale", id="default port"),
        pytest.param("http://example.org:80/news/arms-sale/", id="trailing slash"),
        pytest.param("https://example.org/news/arms-sale#comments", id="fragment"),
        pytest.param("https://example.org/x/../news/./arms-sale", id="dot segments"),
        pytest.param("https://example.org/news/arms%2dsale", id="needless escape"),
        pytest.param("https://user:secret@example.org/news/arms-sale", id="user and password"),
        pytest.param(" https://example.org/news/arms-sale\n", id="white space around"),
        pytest.param(PAGE + "?utm_source=rss&utm_medium=feed", id="Google Analytics"),
        pytest.param(PAGE + "?UTM_Source=rss&amp;CMP=share", id="capitals and escaped ampersand"),
        pytest.param(PAGE + "?at_medium=RSS&at_campaign=KARANGA", id="BBC"),
        pytest.param(PAGE + "?fbclid=1&gclid=2&mc_eid=3&__twitter_impression=true", id="clicks"),
        pytest.param(PAGE + "?ns_mchannel=rss&smid=tw&xtor=RSS-1&rss=1&partner=rss", id="outlets"),
        pytest.param(PAGE + "?ref=rss&source=Twitter", id="ref and source that say: a feed"),
    ],
)
def test_one_page_has_one_key(url: str) -> None:
    assert canonical_key(url) == PAGE


@pytest.mark.parametrize("name", ["id", "p", "story", "article", "v", "page"])
def test_parameters_that_name_the_page_are_kept(name: str) -> None:
    one = canonical_key(f"https://example.org/?{name}=1&utm_source=x")
    assert one == f"https://example.org/?{name}=1"
    assert one != canonical_key(f"https://example.org/?{name}=2")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("https://example.org/a", "https://example.com/a", id="host"),
        pytest.param("https://example.org/a", "https://example.org/A", id="capitals in the path"),
        pytest.param("https://example.org/a", "https://example.org:8080/a", id="port"),
        pytest.param("https://example.org/a%2Fb", "https://example.org/a/b", id="escaped slash"),
        pytest.param("https://e.org/a?ref=12", "https://e.org/a?ref=13", id="ref that is a number"),
        pytest.param("https://e.org/a?source=un", "https://e.org/a", id="source that is a name"),
        pytest.param("https://e.org/#!/a", "https://e.org/#!/b", id="page behind a hash-bang"),
        pytest.param("https://e.org/example", "https://e.org/ex", id="amp inside a word"),
    ],
)
def test_different_pages_have_different_keys(one: str, other: str) -> None:
    assert canonical_key(one) != canonical_key(other)


def test_the_order_of_parameters_does_not_count() -> None:
    assert canonical_key("https://e.org/a?b=2&a=1") == canonical_key("https://e.org/a?a=1&b=2")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("mailto:desk@example.org", id="mail"),
        pytest.param("javascript:alert(1)", id="script"),
        pytest.param("/news/1", id="relative"),
        pytest.param("https://", id="no host"),
        pytest.param("https://[::1", id="broken address"),
        pytest.param("https://example.org:99999/a", id="impossible port"),
        pytest.param("https://www.example.org/?utm_source=rss", id="home page"),
    ],
)
def test_what_names_no_page_has_no_key(url: str) -> None:
    assert canonical_key(url) == ""


# fmt: off
_PIECES = st.sampled_from([
    "/", "//", "..", ".", "amp", "%", "%2", "%41", "%2f", "é", " ", "?", "&", "amp;", "=", "#",
    "#!", "utm_a=1", "id=1", "ref=rss", "www.", "m.", ":80", ";", "+", "\\", "[", "]", "\udc80",
])
# fmt: on


@given(st.sampled_from(["http://", "https://"]), st.lists(_PIECES, max_size=12))
def test_a_key_is_its_own_key(scheme: str, pieces: list[str]) -> None:
    key = canonical_key(f"{scheme}www.example.org{''.join(pieces)}")
    assert canonical_key(key) == key


@given(st.text(max_size=60))
def test_any_text_is_taken(text: str) -> None:
    key = canonical_key(f"https://{text}")
    assert canonical_key(key) == key


@given(
    st.lists(
        st.sampled_from(
            ["a.example", "B_1", ":80", ":0080", "/", "..", ";", "?", "#", "!", "x", "%20", "["]
        ),
        max_size=8,
    )
)
def test_usual_addresses_are_parted_as_all_are(parts: list[str]) -> None:
    url = "https://" + "".join(parts)
    if _PLAIN.fullmatch(url):
        plain = urlsplit(url)
        expected = (plain.hostname, plain.port, plain.path, plain.query, plain.fragment)
        host, *others = _parts(url) or ("",)
        assert (host.lower(), *others) == expected
