"""Which child reads a document: large and slow ones wait for each other, nobody for them."""

from __future__ import annotations

import asyncio

from monitor.feeds.parse import LARGE, Parser
from monitor.model import FailureReason, Fetched, ParsedFeed, ParseFailed
from tests.scarce import handles_left

ITEM = "<item><title>A</title><guid>1</guid></item>"


def fetched(name: str, padding: int = 0) -> Fetched:
    comment = f"<!-- {'x' * padding} -->"
    body = f"<rss version='2.0'><channel>{comment}{ITEM}</channel></rss>".encode()
    return Fetched(body=body, final_url=f"https://{name}.example/feed")


async def test_a_large_document_holds_up_no_small_one() -> None:
    parser, done = Parser(size=1), []

    async def read(name: str, padding: int = 0) -> None:
        assert isinstance(await parser.parse(fetched(name, padding)), ParsedFeed)
        done.append(name)

    await read("first")  # the child for most feeds is there
    large = asyncio.create_task(read("large", LARGE))
    await asyncio.sleep(0)
    await read("small")
    assert done == ["first", "small"]
    await large
    await parser.aclose()


async def test_a_machine_without_handles_is_no_fault_of_the_document() -> None:
    parser = Parser(size=1)
    with handles_left(0):
        found = await parser.parse(fetched("one"))
    assert isinstance(found, ParseFailed)
    assert found.reason is FailureReason.STARVED
    assert isinstance(await parser.parse(fetched("one")), ParsedFeed)
    await parser.aclose()
