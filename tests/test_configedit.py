"""Feeds in config.toml: added, taken out, switched; every other line stays as it is."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.configedit import (
    NotWritten,
    add_feeds,
    names_in,
    remove_feed,
    switch_off,
    switch_on,
)

NEW = {"name": "New", "url": "https://new.example/", "tags": ["us", "press"]}
WRITTEN = '[[feeds]]\nname = "New"\nurl = "https://new.example/"\ntags = ["us", "press"]\n'
A = '[[feeds]]\nname = "A"  # first\nurl = "https://a.example/"\n'
B = '[[feeds]]\nname = "B"\nurl = "https://b.example/"\n'
ROUTES = '# --- Routes\n[[routes]]\nchannels = ["terminal"]\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", WRITTEN, id="an empty file"),
        pytest.param("# mine\n", f"# mine\n\n{WRITTEN}", id="no feeds yet"),
        pytest.param(f"{A}", f"{A}\n{WRITTEN}", id="after the last"),
        pytest.param(A.rstrip(), f"{A}\n{WRITTEN}", id="no line end"),
        pytest.param(f"{A}\n{ROUTES}", f"{A}\n{WRITTEN}\n{ROUTES}", id="before the next section"),
        pytest.param(f"{A}{ROUTES}", f"{A}\n{WRITTEN}\n{ROUTES}", id="nothing between"),
        pytest.param(f"{A}# old\n\n{ROUTES}", f"{A}# old\n\n{WRITTEN}\n{ROUTES}", id="a remark"),
        pytest.param(f"{A}# old\n", f"{A}# old\n\n{WRITTEN}", id="a remark at the end"),
        pytest.param(
            f"{A}[feeds.headers]\nx = '1'\n\n[poll]\n",
            f"{A}[feeds.headers]\nx = '1'\n\n{WRITTEN}\n[poll]\n",
            id="a table of the feed",
        ),
        pytest.param(
            f"{A}tags = [\n  '[[x]]', # y\n]\n[poll]\n",
            f"{A}tags = [\n  '[[x]]', # y\n]\n\n{WRITTEN}\n[poll]\n",
            id="a list on lines",
        ),
    ],
)
def test_a_feed_comes_after_the_last_one(before: str, after: str) -> None:
    assert add_feeds(before, [NEW]) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(f"{A}\n{B}", B, id="the first"),
        pytest.param(f"{B}\n{A}", f"{B}\n", id="the last"),
        pytest.param(f"# why\n{A}# old\n\n{ROUTES}", f"# why\n# old\n\n{ROUTES}", id="remarks"),
        pytest.param(f"{B}\n{A}\n{ROUTES}", f"{B}\n{ROUTES}", id="between"),
        pytest.param(f"{A}[feeds.headers]\nx = '1'\n{B}", B, id="with its own table"),
    ],
)
def test_a_feed_goes_and_all_else_stays(before: str, after: str) -> None:
    text, gone = remove_feed(before, "A")
    assert text == after
    assert gone.startswith('[[feeds]]\nname = "A"  # first')


OFF = 'enabled = false\nreason = "too noisy"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(f"{A}\n{B}", f"{A}{OFF}\n{B}", id="plain"),
        pytest.param(f"{A}# old\n{B}", f"{A}{OFF}# old\n{B}", id="a remark below"),
        pytest.param(
            f"{A}enabled = true  # yes\n{B}",
            f'{A}enabled = false  # yes\nreason = "too noisy"\n{B}',
            id="a remark beside the key",
        ),
        pytest.param(f"{A}enabled = false\nreason = 'x'\n", f"{A}{OFF}", id="for another reason"),
        pytest.param(
            f"{A}[feeds.headers]\nx = '1'\n", f"{A}{OFF}[feeds.headers]\nx = '1'\n", id="own table"
        ),
    ],
)
def test_a_feed_is_switched_off(before: str, after: str) -> None:
    assert switch_off(before, "A", "too noisy") == after


def test_without_a_reason_an_old_one_goes() -> None:
    assert switch_off(f"{A}reason = 'x'\n", "A", "") == f"{A}enabled = false\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(f"{A}{OFF}\n{B}", f"{A}\n{B}", id="plain"),
        pytest.param(
            f"{A}enabled = false  # since May\nreason = 'x'\n{B}",
            f"{A}# since May\n{B}",
            id="a remark beside it stays",
        ),
        pytest.param(f"{A}{B}", f"{A}{B}", id="it was on"),
    ],
)
def test_a_feed_is_switched_on(before: str, after: str) -> None:
    assert switch_on(before, ["A"]) == after


def test_line_ends_and_the_mark_at_the_beginning_stay() -> None:
    text = "\ufeff" + A.replace("\n", "\r\n")
    assert add_feeds(text, [NEW]) == "\ufeff" + f"{A}\n{WRITTEN}".replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("feeds = [{name = 'A', url = 'https://a.example/'}]\n", id="one list"),
        pytest.param("feeds = []\n", id="an empty list"),
    ],
)
def test_a_file_written_in_another_way_is_left_alone(text: str) -> None:
    with pytest.raises(NotWritten, match="edit it by hand"):
        add_feeds(text, [NEW])


def test_a_feed_that_is_not_there() -> None:
    with pytest.raises(NotWritten, match='the file has no feed "C"'):
        remove_feed(A, "C")
    assert names_in(A + B) == ["A", "B"]


WORDS = st.text(min_size=1, max_size=20)
REMARKS = st.sampled_from(["", "\n", "# remark\n", "\n# remark\n\n", "# [[feeds]]\n"])
FEED = st.tuples(REMARKS, st.booleans(), REMARKS)


@settings(deadline=None)
@given(st.lists(FEED, max_size=4), WORDS, st.sampled_from(["", ROUTES, "[poll]\n"]), st.data())
def test_remarks_are_never_lost(
    feeds: list[tuple[str, bool, str]], reason: str, tail: str, data: st.DataObject
) -> None:
    text = ""
    for number, (above, off, below) in enumerate(feeds):
        enabled = "enabled = false\n" if off else ""
        url = f'url = "https://{number}.example/"\n'
        text += f'{above}[[feeds]]\nname = "{number}"\n{url}{enabled}{below}'
    text += tail
    edited = add_feeds(text, [NEW | {"name": f"N {reason}"}])
    assert _remarks(edited) == _remarks(text)
    if feeds:
        name = str(data.draw(st.integers(0, len(feeds) - 1)))
        off = switch_off(text, name, reason)
        on = switch_on(off, [name])
        gone, _ = remove_feed(text, name)
        assert _remarks(off) == _remarks(on) == _remarks(gone) == _remarks(text)
        assert tomllib.loads(off)["feeds"][int(name)]["reason"] == reason


def _remarks(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("# ")]
