"""A server that repeats a secret does not get it stored."""

from __future__ import annotations

import pytest

from monitor.feeds.conceal import concealed
from monitor.model import FailureReason, Fetched, FetchFailed, FetchResult, NotModified

FAILED = FetchFailed(reason=FailureReason.NOT_A_FEED, detail="it is no web page but s3cret-token")
MOVED = NotModified(permanent_url="https://wire.example/?key=s3cret-token")


def fetched(text: str) -> Fetched:
    return Fetched(body=text.encode(), final_url=f"https://wire.example/?{text}", etag=text)


@pytest.mark.parametrize(
    ("secrets", "before", "after"),
    [
        pytest.param(
            ["s3cret-token"], fetched("you: s3cret-token!"), fetched("you: [secret]!"), id="body"
        ),
        pytest.param(
            ["tokenlong", "tokenlong-er"],
            fetched("tokenlong-er"),
            fetched("[secret]"),
            id="longest",
        ),
        pytest.param(["nato"], fetched("nato meets"), fetched("nato meets"), id="news comes first"),
        pytest.param(
            ["s3cret-token"],
            FAILED,
            FetchFailed(reason=FAILED.reason, detail="it is no web page but [secret]"),
            id="failure",
        ),
        pytest.param(
            ["s3cret-token"],
            MOVED,
            NotModified(permanent_url="https://wire.example/?key=[secret]"),
            id="address",
        ),
        pytest.param([], MOVED, MOVED, id="no secrets"),
    ],
)
def test_secrets_are_taken_out(secrets: list[str], before: FetchResult, after: FetchResult) -> None:
    assert concealed(before, secrets) == after
