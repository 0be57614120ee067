"""Addresses as people type them, and which two are one feed."""

from __future__ import annotations

import pytest

from monitor.feeds.address import as_typed, host_of, place, public, wrong_with


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://a.example/feed", "https://a.example/feed"),
        (" a.example/feed ", "https://a.example/feed"),
        ("feed://a.example/feed", "https://a.example/feed"),
        ("feed:http://a.example/feed", "http://a.example/feed"),
        ("ftp://a.example/", "ftp://a.example/"),
    ],
)
def test_what_is_typed_means_an_address(typed: str, meant: str) -> None:
    assert as_typed(typed) == meant


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/feed", "http://A.example/feed/", True),
        ("https://a.example:443/feed", "https://a.example/feed", True),
        ("https://a.example:8443/feed", "https://a.example/feed", False),
        ("https://a.example/?feed=rss", "https://a.example/?feed=atom", False),
        ("https://a.example/Feed", "https://a.example/feed", False),
        ("https://[broken", "https://[broken", True),
    ],
)
def test_addresses_of_one_feed(one: str, other: str, same: bool) -> None:
    assert (place(one) == place(other)) is same


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://a.example/", ""),
        ("ftp://a.example/", '"ftp://a.example/" does not begin with http:// or https://'),
        ("https:///x", '"https:///x" names no host'),
        ("https://a.example/a b", "the address has a space in it"),
        ("https://[a", '"https://[a" is not a web address'),
    ],
)
def test_what_is_wrong_is_said(url: str, said: str) -> None:
    assert wrong_with(url) == said


def test_names_of_hosts_and_addresses_for_others() -> None:
    assert host_of("https://www.a.example/x") == "a.example"
    assert host_of("https://[a") == ""
    assert public("https://me:secret@a.example:81/x?y") == "https://a.example:81/x?y"
