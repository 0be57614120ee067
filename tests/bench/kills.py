"""kill −9 while it sends, again and again; then the sink's ledger is compared with the database.

    python -m tests.bench.kills [--kills 200]

The real program as a process.  A feed publishes all the time, the sink takes a while to answer.
Lost: an alert in the database that no message named.  A repeat is explained when the database, as
the kill left it, did not say yet that the alert was accepted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import tempfile
from pathlib import Path
from string import ascii_lowercase

from tests.test_whole import House, a_house

PUBLISH = 3  # stories before each kill
LISTED = 40
_IDS = re.compile(r"\b[0-9a-f]{16}\b")


def a_story(chance: random.Random) -> str:
    """A headline of words nobody else uses: stories that must not be joined."""
    return " ".join("".join(chance.choices(ascii_lowercase, k=9)) for _ in range(5))


def received(house: House, since: int = 0) -> list[str]:
    """Alert ids in the order the sink read them."""
    posted = house.sink.posted[since:]  # type: ignore[attr-defined]
    return [id_ for each in posted for id_ in _IDS.findall(json.loads(each.body)["message"])]


def accepted(house: House) -> set[object]:
    rows = house.query("SELECT alert_id FROM deliveries WHERE state = 'accepted'")
    return {row[0] for row in rows}


def roll_over(house: House) -> None:
    """The feed lists what is not stored yet, and the newest of the rest."""
    stored = {row[0] for row in house.query("SELECT url FROM entries")}
    links = [(re.search(r"<link>(.*?)</link>", item)[1], item) for item in house.outlet.items]  # type: ignore[index]
    house.outlet.items = [
        item for place, (link, item) in enumerate(links) if place < LISTED or link not in stored
    ]


async def torment(house: House, kills: int) -> tuple[int, int, int, int]:
    """(alerts, lost, repeats, repeats without an explanation)."""
    chance, unexplained = random.Random(1), 0
    house.outlet.publish("Old", minutes_ago=600)
    await house.run()
    await house.until(lambda: house.told("Watching"), "the first message")
    for number in range(kills):
        for n in range(PUBLISH):
            house.outlet.publish(f"NATO {a_story(chance)} {number}-{n}")
        if chance.random() < 0.8:  # else it may die while it starts
            gets = house.outlet.gets
            await house.until(lambda gets=gets: house.outlet.gets > gets, "a poll")
        await asyncio.sleep(chance.uniform(0.0, 1.2))
        await house.stop(signal.SIGKILL)
        recorded, before = accepted(house), len(house.sink.posted)  # type: ignore[attr-defined]
        roll_over(house)
        await house.run()
        await asyncio.sleep(0.5)
        unexplained += len(recorded.intersection(received(house, before)))
    waiting = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'claimed')"
    await asyncio.sleep(3)
    await house.until(lambda: house.query(waiting) == [(0,)], "the queue to be empty")
    await house.stop()
    known = {row[0] for row in house.query("SELECT id FROM alerts")}
    told = [id_ for id_ in received(house) if id_ in known]
    assert house.query("PRAGMA integrity_check") == [("ok",)]
    stored = house.query("SELECT count(*) FROM entries")
    assert stored == [(kills * PUBLISH + 1,)], stored
    untold = house.query("SELECT count(*) FROM alerts WHERE rule_name = 'nato'")
    assert untold == [(kills * PUBLISH,)], untold
    return len(known), len(known - set(told)), len(told) - len(set(told)), unexplained


async def run(kills: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with a_house(Path(folder), "slow") as house:
            alerts, lost, repeats, unexplained = await torment(house, kills)
    print(
        f"{kills} kills, {alerts} alerts: {lost} lost, {repeats} repeated,"
        f" {unexplained} of them unexplained"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    asyncio.run(run(parser.parse_args().kills))


if __name__ == "__main__":
    main()
