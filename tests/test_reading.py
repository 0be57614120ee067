"""Which pages are read, and what becomes of them: values only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.ingest.reading import FEWEST, RETRIES, SHORT, after_failure, to_read, with_text
from monitor.model import (
    Article,
    ArticleState,
    Entry,
    FailureReason,
    FetchFailed,
    PageText,
    ParseFailed,
)
from monitor.settings import ContentMode
from tests.builders import NOW, an_entry

LONG = "x" * SHORT
ARTICLE = Article(entry_id="e", host="www.example.org", due_at=NOW, attempts=1)


def failed(reason: FailureReason, **more: object) -> FetchFailed:
    return FetchFailed(reason=reason, detail="no answer in time", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "entry", "worth", "read"),
    [
        pytest.param(ContentMode.FEED, an_entry(), True, False, id="feed: never"),
        pytest.param(ContentMode.ARTICLE, an_entry(summary=LONG), False, True, id="always"),
        pytest.param(ContentMode.ARTICLE, an_entry(url=""), False, False, id="without a link"),
        pytest.param(ContentMode.AUTO, an_entry(), True, True, id="auto: short and worth it"),
        pytest.param(ContentMode.AUTO, an_entry(), False, False, id="auto: not worth it"),
        pytest.param(ContentMode.AUTO, an_entry(summary=LONG), True, False, id="auto: long"),
        pytest.param(ContentMode.AUTO, an_entry(content=LONG), True, False, id="auto: content"),
    ],
)
def test_which_pages_are_read(content: ContentMode, entry: Entry, worth: bool, read: bool) -> None:
    assert bool(to_read(entry, content, lambda _: worth, NOW)) is read


def test_pages_are_queued_under_their_host() -> None:
    entry = an_entry(url="https://WWW.Example.org:8443/1")
    (article,) = to_read(entry, ContentMode.ARTICLE, lambda _: True, NOW)
    assert article == Article(entry_id=entry.id, host="www.example.org", due_at=NOW)


def test_the_text_of_a_page_is_the_content_of_its_entry() -> None:
    entry, article = with_text(an_entry(), ARTICLE, PageText(text="y" * FEWEST), NOW)
    assert entry == an_entry(content="y" * FEWEST)  # its fingerprint is still that of the feed
    assert (article.state, article.detail) == (ArticleState.DONE, "")


@pytest.mark.parametrize(
    ("entry", "text", "said"),
    [
        pytest.param(an_entry(summary=LONG), "y" * 300, "less than the feed", id="a teaser"),
        pytest.param(an_entry(summary=""), "Subscribe to read on", "no text", id="hardly any"),
    ],
)
def test_a_page_that_shows_less_changes_nothing(entry: Entry, text: str, said: str) -> None:
    after, article = with_text(entry, ARTICLE, PageText(text=text), NOW)
    assert after == entry
    assert article.state is ArticleState.FAILED
    assert said in article.detail


def test_a_page_for_subscribers_is_used_and_said_to_be_so() -> None:
    page = PageText(text="y" * FEWEST, for_subscribers=True)
    _, article = with_text(an_entry(), ARTICLE, page, NOW)
    assert article.state is ArticleState.DONE
    assert "for subscribers" in article.detail


@pytest.mark.parametrize(
    ("failure", "attempts", "wait"),
    [
        pytest.param(failed(FailureReason.TIMEOUT), 1, RETRIES[0], id="late, for the first time"),
        pytest.param(failed(FailureReason.TIMEOUT), 3, RETRIES[2], id="and the third"),
        pytest.param(failed(FailureReason.TIMEOUT), 4, None, id="and the fourth"),
        pytest.param(
            failed(FailureReason.THROTTLED, retry_after=timedelta(hours=1)),
            1,
            timedelta(hours=1),
            id="as long as the server asks",
        ),
        pytest.param(failed(FailureReason.NOT_FOUND, status=404), 1, None, id="no such page"),
        pytest.param(failed(FailureReason.BLOCKED_ADDRESS), 1, None, id="a private address"),
        pytest.param(
            ParseFailed(reason=FailureReason.PARSER_KILLED, detail="stopped"), 1, None, id="killed"
        ),
    ],
)
def test_what_may_pass_is_tried_again(
    failure: FetchFailed | ParseFailed, attempts: int, wait: timedelta | None
) -> None:
    article = Article(entry_id="e", host="h", due_at=NOW, attempts=attempts)
    after = after_failure(article, failure, NOW)
    expected = ArticleState.QUEUED if wait else ArticleState.FAILED
    assert (after.state, after.due_at) == (expected, NOW + (wait or timedelta(0)))
    assert after.detail == failure.detail


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_closed_page_is_named_as_such(status: int) -> None:
    after = after_failure(ARTICLE, failed(FailureReason.FORBIDDEN, status=status), NOW)
    assert after.state is ArticleState.FAILED
    assert after.detail.startswith("the page is not open to us: ")
