"""The border: optional fields end, identities begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.feeds.normalise import entries_of, fingerprint, normalise, primary, web_url
from monitor.model import Entry, IdentityMode, ParsedFeed, RawEntry
from tests.builders import NOW, a_feed, raw_entry


def entry(raw: RawEntry, mode: IdentityMode = IdentityMode.GUID) -> Entry:
    found = normalise(raw, a_feed(), None, mode, NOW)
    assert found is not None
    return found


def several(*raws: RawEntry, feed=None) -> tuple[IdentityMode, tuple[Entry, ...]]:
    return entries_of(ParsedFeed(version="rss20", entries=raws), feed or a_feed(), NOW)


class TestIdentity:
    def test_the_guid_decides_whatever_the_link(self):
        one, other = entry(raw_entry()), entry(raw_entry(link="https://elsewhere.example/"))
        assert one.id == other.id

    def test_without_guid_the_link_decides(self):
        one = entry(raw_entry(guid=None, title="Before"))
        assert one.id == entry(raw_entry(guid="", title="After")).id

    def test_without_both_the_words_decide(self):
        bare = raw_entry(guid=None, link=None)
        assert entry(bare).id == entry(bare).id
        assert entry(bare).id != entry(replace(bare, title="Other")).id

    def test_the_same_guid_in_two_feeds_is_two_entries(self):
        other = normalise(
            raw_entry(), a_feed(url="https://b.example/"), None, IdentityMode.GUID, NOW
        )
        assert other is not None
        assert other.id != entry(raw_entry()).id

    def test_one_guid_with_different_links_is_unreliable_from_then_on(self):
        raws = [raw_entry(link=f"https://a.example/{n}") for n in range(3)]
        mode, entries = several(*raws)
        assert (mode, len(entries)) == (IdentityMode.GUID_AND_LINK, 3)
        mode, entries = several(raws[0], feed=a_feed(identity=mode))
        assert mode is IdentityMode.GUID_AND_LINK

    def test_an_entry_is_recognised_after_the_switch(self):
        before = entry(raw_entry())
        after = entry(raw_entry(), IdentityMode.GUID_AND_LINK)
        assert after.keys[0] in before.keys

    def test_the_same_entry_twice_in_a_document_is_one(self):
        _, entries = several(raw_entry(), raw_entry())
        assert len(entries) == 1

    def test_a_huge_guid_makes_a_short_key(self):
        assert all(len(key) < 50 for key in entry(raw_entry(guid="x" * 5_000_000)).keys)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://a.example/1", "https://a.example/1"),
        ("HTTP://a.example/a b", "HTTP://a.example/a%20b"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("/relative", ""),
        ("https://", ""),
        ("http://[bad", ""),
        ("http://xn--a/", ""),  # says it is an international name, and is none
        ("https://xn--bcher-kva.example/1", "https://xn--bcher-kva.example/1"),
        (None, ""),
    ],
)
def test_links_lead_to_the_web_or_nowhere(link, url):
    assert web_url(link) == url


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        pytest.param(NOW - timedelta(days=1), True, id="yesterday"),
        pytest.param(NOW + timedelta(hours=20), True, id="another zone"),
        pytest.param(NOW + timedelta(days=2), False, id="the future"),
        pytest.param(datetime(1795, 1, 1, tzinfo=UTC), False, id="1795"),
        pytest.param(None, False, id="none"),
    ],
)
def test_dates_are_kept_if_plausible(at, kept):
    assert entry(raw_entry(published_at=at)).published_at == (at if kept else None)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("ministers  MEET", True),
        ("Ministers meet.", True),
        ("Ministers met", False),
    ],
)
def test_fingerprints_ignore_trivial_edits(other, same):
    assert (fingerprint("Ministers meet") == fingerprint(other)) is same


def test_an_entry_with_nothing_in_it_is_none():
    assert normalise(RawEntry(guid="1"), a_feed(), None, IdentityMode.GUID, NOW) is None


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en-GB", "en"), ("de_AT", "de"), ("zh-Hans", "zh"), ("", ""), ("english", ""), ("x", "")],
)
def test_languages_are_primary_subtags(tag, language):
    assert primary(tag) == language
