"""What feedparser does not get to see, and that everything else passes untouched."""

from __future__ import annotations

import time

import pytest

from monitor.feeds import document
from monitor.feeds.screen import MAX_ATTRIBUTES, MAX_DEPTH, screened

ITEM = "<item><title>A &#8217; b</title><guid>1</guid></item>"


def rss(*items: str, head: str = "") -> bytes:
    return f"{head}<rss version='2.0'><channel>{''.join(items)}</channel></rss>".encode()


def read(body: bytes) -> dict:
    found = document.read({"final_url": "https://n.example/f", "content_type": "text/xml"}, body)
    assert "failed" not in found, found
    return found


HARMLESS = {
    "plain": rss(ITEM),
    "a declaration": rss(ITEM, head="<?xml version='1.0'?>\n"),
    "a DTD elsewhere": rss(
        ITEM, head='<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://n.example/dtd">\n'
    ),
    "entities of its own": rss(
        "<item><title>&nato;</title></item>", head='<!DOCTYPE rss [\n<!ENTITY nato "N A T O">\n]>\n'
    ),
    "an entity that names an HTML one": rss(
        ITEM, head='<!DOCTYPE rss [<!ENTITY and "&amp;"> <!ENTITY e "&#233;">]>'
    ),
    "a long attribute": rss(f"<item title='{'x' * 5_000}'><title>A</title></item>"),
    "markup in CDATA": rss(f"<item><title>A</title><x><![CDATA[{'<b>' * 2_000}]]></x></item>"),
    "brackets in CDATA": rss("<item><title><![CDATA[a]] > b]>c]]]]></title></item>"),
    "breaks without an end": rss(f"<item><x>{'<br>' * (MAX_DEPTH - 10)}</x></item>" * 3),
    "items without an end": rss("<item><title>A</title>" * (MAX_DEPTH + 10)),
    "an open comment": rss(ITEM) + b"<!-- " + b"<a>" * 2_000,
}


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS)
def test_what_publishers_write_passes_as_it_came(body: bytes) -> None:
    found = screened(body)
    assert found is not None
    assert (found.body, found.notes) == (body, ())


def test_a_declaration_gets_one_line_break_and_no_mark_before_it() -> None:
    found = screened(b"\xef\xbb\xbf \n<?xml version='1.0'?>\n\n\n<rss/>")
    assert found is not None
    assert found.body == b"<?xml version='1.0'?>\n<rss/>"


@pytest.mark.parametrize("body", [b"<?xml " + b"x" * 3_000, b"<?xml version='1.0'>"])
def test_a_declaration_without_an_end_is_refused(body: bytes) -> None:
    assert screened(body) is None


NESTED = '<!ENTITY a "ha"> <!ENTITY b "&a;&a;"> <!ENTITY c "&b;&b;">'
GROWING = {
    "made of each other": f"<!DOCTYPE rss [{NESTED}]>",
    "in another order": '<!DOCTYPE rss [<!ENTITY b "&a;"><!ENTITY a "x">]>',
    "behind a comment that looks like an element": f"<!-- <x -->\n<!DOCTYPE rss [{NESTED}]>",
    "behind an instruction": f"<?xml version='1.0'?>\n<?style x?><!DOCTYPE rss [{NESTED}]>",
    "with brackets in quotes": f"<!DOCTYPE rss [<!ENTITY q ']>'> {NESTED}]>",
    "long, and used often": f"<!DOCTYPE rss [<!ENTITY c '{'x' * 30_000}'>]>",
}


@pytest.mark.parametrize("head", GROWING.values(), ids=GROWING)
def test_entities_that_grow_are_left_out_and_said(head: str) -> None:
    item = f"<item><title>{'&c;' * 50}</title><guid>1</guid></item>"
    found = read(rss(item, head=head))
    assert len(found["entries"]) == 1
    assert "haha" not in found["entries"][0]["title"]
    assert "its entities are made to grow without bounds; they were left out" in found["warnings"]


def test_entities_of_its_own_are_still_read() -> None:
    assert read(HARMLESS["entities of its own"])["entries"][0]["title"] == "N A T O"


@pytest.mark.parametrize("value", ['"x"', "'x'", "x", '"x > y"'])
def test_attributes_beyond_the_limit_are_cut(value: str) -> None:
    many = " ".join(f"a{n}={value}" for n in range(3_000))
    found = screened(rss(f"<item {many}><title>A</title></item>"))
    assert found is not None
    assert found.body.count(b" a") == MAX_ATTRIBUTES
    assert found.body.endswith(b"><title>A</title></item></channel></rss>")
    assert found.notes == (f"an element has more than {MAX_ATTRIBUTES} attributes; they were cut",)


def test_elements_that_lie_too_deep_lose_their_tags_not_their_text() -> None:
    deep = "<a>" * 2_000 + "text" + "</a>" * 2_000
    found = screened(rss(f"<item>{deep}<title>A</title></item>", ITEM))
    assert found is not None
    assert found.body.count(b"<a>") == found.body.count(b"</a>") == MAX_DEPTH - 3
    assert b"text" in found.body
    assert found.body.endswith(rss(ITEM).removeprefix(b"<rss version='2.0'><channel>"))


XHTML = (
    "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><title>A</title>"
    "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>{}x{}</div></content>"
    "</entry></feed>"
)
MANY = " ".join(f"a{n}='x'" for n in range(20_000))
SLOW = {
    "attributes": rss(f"<item {MANY}>{ITEM[6:]}"),
    "depth": rss(f"<item>{'<a>' * 20_000}{'</a>' * 20_000}{ITEM[6:]}"),
    "deep XHTML": XHTML.format("<div>" * 20_000, "</div>" * 20_000).encode(),
    "an author that is almost an address": rss(
        f"<item><author>a@{'a.' * 20_000}!</author>{ITEM[6:]}"
    ),
    "open CDATA sections": rss(ITEM, "<![CDATA[" * 20_000),
    "open comments": rss(ITEM, "<!--" * 50_000),
    "an open DOCTYPE": rss(ITEM, head="<!DOCTYPE " + "[" * 50_000 + "'"),
    "open quotes in a DOCTYPE": rss(ITEM, head="<!DOCTYPE rss [" + "'a\" " * 20_000),
    "an open tag": rss(ITEM, "<a " + "b = " * 50_000),
    "closed often": rss(ITEM, "</a>" * 20_000),
}


@pytest.mark.parametrize("body", SLOW.values(), ids=SLOW)
def test_what_took_minutes_takes_less_than_a_second(body: bytes) -> None:
    began = time.process_time()
    found = screened(body)
    assert found is not None
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "name", ["attributes", "depth", "deep XHTML", "an author that is almost an address"]
)
def test_and_so_does_reading_it(name: str) -> None:
    began = time.process_time()
    assert len(read(SLOW[name])["entries"]) == 1
    assert time.process_time() - began < 2
