"""What a document's oddities become: read in this process, on documents that do no harm."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.feeds import document, entryform, jsonfeed

URL = "https://news.example/feeds/world.xml"


def read(body: bytes | str, **header: str) -> dict:
    raw = body if isinstance(body, bytes) else body.encode()
    return document.read({"final_url": URL, "content_type": "text/xml", **header}, raw)


def rss(*items: str, channel: str = "", head: str = "") -> str:
    return f"{head}<rss version='2.0'><channel>{channel}{''.join(items)}</channel></rss>"


def only(found: dict) -> dict:
    assert len(found["entries"]) == 1, found
    return found["entries"][0]


ITEM = "<item><title>A</title><link>/a</link><guid isPermaLink='false'>1</guid></item>"


class TestTitles:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            pytest.param("Tom &amp; Anna", "Tom & Anna", id="entity"),
            pytest.param("&lt;b&gt;Bold&lt;/b&gt; move", "Bold move", id="escaped markup"),
            pytest.param("<![CDATA[<i>Sea</i> wolf]]>", "Sea wolf", id="markup in CDATA"),
            pytest.param("a &lt; b and c", "a < b and c", id="a lone less-than"),
            pytest.param("  two\n  lines ", "two lines", id="white space"),
            pytest.param("Kyiv&#8217;s day", "Kyiv’s day", id="numeric entity"),
        ],
    )
    def test_rss(self, written, shown):
        assert only(read(rss(f"<item><title>{written}</title></item>")))["title"] == shown

    def test_atom_text_is_not_markup(self):
        atom = (
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id>"
            "<title type='text'>The &lt;script&gt; tag</title></entry></feed>"
        )
        assert only(read(atom))["title"] == "The <script> tag"


class TestText:
    def test_scripts_vanish_and_paragraphs_stay_apart(self):
        html = "<p>One.</p><script>evil()</script><p>Two &amp; <b>three</b>.</p>"
        item = f"<item><title>A</title><description><![CDATA[{html}]]></description></item>"
        assert only(read(rss(item)))["summary"] == "One.\nTwo & three."

    def test_the_longest_content_is_taken_beside_the_summary(self):
        item = (
            "<item xmlns:content='http://purl.org/rss/1.0/modules/content/'><title>A</title>"
            "<description>short</description>"
            "<content:encoded>&lt;p&gt;the whole text&lt;/p&gt;</content:encoded></item>"
        )
        entry = only(read(rss(item)))
        assert (entry["summary"], entry["content"]) == ("short", "the whole text")

    def test_content_that_repeats_the_summary_is_not_kept_twice(self):
        atom = (
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><title>t</title>"
            "<content>same words</content></entry></feed>"
        )
        entry = only(read(atom))
        assert (entry["summary"], entry["content"]) == ("same words", "")


class TestIdentity:
    def test_a_relative_guid_stays_as_it_is_wherever_the_feed_lives(self):
        item = "<item><title>A</title><guid>/story/1</guid></item>"
        guids = {only(read(rss(item), final_url=url))["guid"] for url in (URL, "http://b.example/")}
        assert guids == {"/story/1"}

    def test_a_relative_link_is_resolved(self):
        assert only(read(rss(ITEM)))["link"] == "https://news.example/a"

    def test_the_base_of_one_entry_does_not_leak_into_the_next(self):
        entry = "<entry {}><id>{}</id><title>t</title><link href='x'/></entry>"
        atom = (
            "<feed xmlns='http://www.w3.org/2005/Atom'>"
            + entry.format("xml:base='http://other.example/'", 1)
            + entry.format("", 2)
            + "</feed>"
        )
        links = [each["link"] for each in read(atom)["entries"]]
        assert links == ["http://other.example/x", "https://news.example/feeds/x"]


class TestNotFeeds:
    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            pytest.param("<!doctype html><title>Log in</title>", "html", id="doctype"),
            pytest.param("\n<HTML><body>Hello", "html", id="html tag"),
            pytest.param("<html><h1>403 ERROR</h1>", "forbidden", id="refusal as a page"),
            pytest.param("<?xml version='1.0'?><!-- x --><html/>", "html", id="xhtml"),
            pytest.param('{"error": "busy"}', "not a feed", id="json error"),
            pytest.param("[1, 2]", "not a feed", id="json list"),
            pytest.param("plain words", "not a feed", id="text"),
            pytest.param("<?xml " + "x" * 3000, "not a feed", id="endless declaration"),
            pytest.param("/etc/passwd", "not a feed", id="a path is not opened"),
            pytest.param("http://127.0.0.1:1/", "not a feed", id="a URL is not fetched"),
        ],
    )
    def test_is_refused(self, body, reason):
        found = read(body)
        assert reason in found["failed"]

    def test_what_was_there_is_shown(self):
        found = read("<html><body><h1>403 ERROR</h1>The request could not be satisfied.")
        assert '"403 ERROR The request could not be satisfied."' in found["detail"]

    def test_a_feed_called_text_html_is_one(self):
        assert only(read(rss(ITEM), content_type="text/html"))["title"] == "A"


class TestEndings:
    whole = rss(ITEM, ITEM.replace("1", "2"), ITEM.replace("1", "3"))

    @pytest.mark.parametrize(
        ("cut", "entries", "complete"),
        [
            pytest.param(0, 3, True, id="whole"),
            pytest.param(len("</channel></rss>"), 3, False, id="after the last item"),
            pytest.param(len("</guid></item></channel></rss>"), 2, False, id="in the last item"),
            pytest.param(len("</rss>") - 2, 3, False, id="in the last tag"),
        ],
    )
    def test_cut_off(self, cut, entries, complete):
        found = read(self.whole[: len(self.whole) - cut])
        assert (len(found["entries"]), found["complete"]) == (entries, complete)

    @pytest.mark.parametrize("junk", ["\n\n", "<!-- served in 3 ms -->", "\0\0", "</html>"])
    def test_junk_after_the_end_does_no_harm(self, junk):
        assert read(self.whole + junk)["complete"]

    def test_ill_formed_in_the_middle_is_not_cut_off(self):
        found = read(rss("<item><title>A & B</title></item>", ITEM))
        assert (len(found["entries"]), found["complete"]) == (2, True)

    def test_two_documents_in_one_are_said(self):
        found = read(rss(ITEM) + rss(ITEM.replace("1", "2"), head="<?xml version='1.0'?>\n"))
        assert len(found["entries"]) == 2
        assert found["warnings"] == [
            "there are two documents in one; the entries of both were read"
        ]


class TestLimits:
    def test_too_many_entries(self, monkeypatch):
        monkeypatch.setattr(document, "MAX_ENTRIES", 2)
        found = read(rss(*[ITEM] * 3))
        assert len(found["entries"]) == 2
        assert "only the first 2 of 3 entries were read" in found["warnings"]

    def test_a_giant_title_is_cut_and_said(self):
        found = read(rss(f"<item><title>{'x' * 5000}</title></item>"))
        assert len(only(found)["title"]) == entryform.MAX_TITLE
        assert found["warnings"] == ["the title of 1 entry was cut: rules see what is left of it"]

    def test_a_giant_link_is_left_out_and_said(self):
        link = "https://news.example/" + "x" * entryform.MAX_LINK
        found = read(rss(*[f"<item><title>A</title><link>{link}</link></item>"] * 2))
        assert [entry["link"] for entry in found["entries"]] == [None, None]
        assert found["warnings"] == [
            "the link of 2 entries was left out: it is longer than 4000 characters"
        ]

    def test_a_long_author_is_not_searched_for_an_address(self):
        found = read(rss(f"<item><title>A</title><author>a@{'a.' * 32_000}</author></item>"))
        assert found["warnings"] == ["the author of 1 entry was cut: rules see what is left of it"]


class TestJsonFeed:
    def test_a_whole_one(self):
        body = """{"version": "https://jsonfeed.org/version/1.1", "title": "Wire", "items": [
            {"id": 7, "url": "https://w.example/7", "title": "T", "summary": "S",
             "content_html": "<p>C</p>", "authors": [{"name": "A"}, {"name": "B"}],
             "tags": ["x", 3], "date_published": "2025-02-13T10:00:00+01:00"}]}"""
        entry = only(read(body))
        assert entry["guid"] == "7"
        assert (entry["summary"], entry["content"], entry["author"]) == ("S", "C", "A, B")
        assert entry["categories"] == ["x"]
        at = datetime(2025, 2, 13, 9, tzinfo=UTC)
        assert entry["published_at"] == at.timestamp()

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b'{"version": "https://jsonfeed.org/version/1", "items": {}}', id="items"),
            pytest.param(b'{"version": 1, "items": []}', id="version"),
            pytest.param(b"[" * 100_000, id="depth"),
            pytest.param(b'{"version": "https://jsonfeed.org/version/1"', id="cut off"),
        ],
    )
    def test_what_is_none(self, body):
        assert jsonfeed.read(body, max_entries=10) is None

    def test_lone_surrogates_are_replaced(self):
        body = rb"""{"version": "https://jsonfeed.org/version/1", "items": [
            {"id": "\ud800", "title": "a \udc00 b"}]}"""
        entry = only(read(body))
        assert (entry["guid"], entry["title"]) == ("\ufffd", "a \ufffd b")


class TestEncodings:
    @pytest.mark.parametrize("name", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "utf-8-sig"])
    def test_declared(self, name):
        head = f"<?xml version='1.0' encoding='{name.removesuffix('-sig')}'?>"
        body = rss("<item><title>Zürich</title></item>", head=head).encode(name)
        assert only(read(body))["title"] == "Zürich"


class TestTrapsOfFeedparser:
    """What feedparser does: an upgrade that changes it is noticed."""

    def test_bytes_that_look_like_a_path_are_opened(self, tmp_path):
        import feedparser

        file = tmp_path / "feed.xml"
        file.write_text(rss(ITEM))
        assert len(feedparser.parse(str(file).encode()).entries) == 1

    def test_unknown_zones_count_as_utc(self):
        import feedparser

        assert feedparser.datetimes._parse_date("Thu, 13 Feb 2025 10:00:00 CET").tm_hour == 10


HUB = "https://hub.example/"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            f"<feed xmlns='http://www.w3.org/2005/Atom'><link rel='hub' href='{HUB}'/>"
            f"<link rel='alternate' href='/'/><link rel='self' href='{URL}'/></feed>",
            id="Atom",
        ),
        pytest.param(
            "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel>"
            f"<link>/</link><atom:link rel='hub' href='{HUB}'/><atom:link rel='self' href='{URL}'/>"
            f"{ITEM}</channel></rss>",
            id="RSS",
        ),
        pytest.param(
            '{"version": "https://jsonfeed.org/version/1.1", "items": [],'
            f' "hubs": [{{"type": "rssCloud", "url": "/"}}, {{"type": "WebSub", "url": "{HUB}"}}],'
            f' "feed_url": "{URL}"}}',
            id="JSON Feed",
        ),
    ],
)
def test_a_feed_may_name_its_hub_and_itself(body):
    assert sorted(read(body)["links"]) == [("hub", HUB), ("self", URL)]


def test_of_very_many_links_only_the_first_count():
    many = "".join(f"<link rel='hub' href='{HUB}{n}'/>" for n in range(500))
    found = read(f"<feed xmlns='http://www.w3.org/2005/Atom'>{many}</feed>")["links"]
    assert len(found) == 10
