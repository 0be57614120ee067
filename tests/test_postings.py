"""monitor.stories.postings: keys find what was filed under them, however it is stored."""

from __future__ import annotations

import random

import numpy as np
import pytest

from monitor.stories import postings
from monitor.stories.postings import NUMBER_BITS, Postings, numbers_of, weights_of

HIGHEST = (1 << 32) - 1


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred postings pass through all that millions do."""
    monkeypatch.setattr(postings, "_FRESH", 16)
    monkeypatch.setattr(postings, "_SMALL", 64)
    monkeypatch.setattr(postings, "_LARGEST", 256)


def found(index: Postings, keys: list[int], limit: int = 10**6) -> dict[int, list[int]]:
    """Numbers by key, ascending."""
    places, lows = index.find(np.array(keys, dtype=np.uint64), limit)
    result: dict[int, list[int]] = {key: [] for key in keys}
    for place, number in zip(places.tolist(), numbers_of(lows, 0).tolist(), strict=True):
        result[keys[place]].append(number)
    return {key: sorted(numbers) for key, numbers in result.items()}


def filed(chance: random.Random, numbers: range) -> list[tuple[int, list[int], list[int]]]:
    """Entries with keys, of which the highest and the lowest are frequent."""
    rows = []
    for number in numbers:
        keys = [chance.choice((0, HIGHEST, chance.randrange(40))) for _ in range(5)]
        keys = sorted(set(keys))
        rows.append((number, keys, [chance.randrange(1 << 16) for _ in keys]))
    return rows


@pytest.mark.parametrize("at_once", [0, 1, 150, 400], ids=lambda n: f"{n} of 400 at once")
def test_what_was_filed_is_found_and_nothing_else(at_once: int) -> None:
    rows, index = filed(random.Random(1), range(400)), Postings()
    index.extend(0, [keys for _, keys, _ in rows[:at_once]], [ws for _, _, ws in rows[:at_once]])
    for number, keys, weights in rows[at_once:]:
        index.add(number, keys, weights)
    asked = [HIGHEST, 0, 7, 41, 39]
    expected = {key: [number for number, keys, _ in rows if key in keys] for key in asked}
    assert expected[HIGHEST]
    assert not expected[41]
    assert found(index, asked) == expected


def test_weights_are_kept_to_a_64th_whether_added_or_loaded() -> None:
    added, loaded = Postings(), Postings()
    weights = [0, 1, 700, 30_000, 65_535]
    for number, weight in enumerate(weights):
        added.add(number, [9], [weight])
    loaded.extend(0, [[9]] * 5, [[weight] for weight in weights])
    for index in (added, loaded):
        _, lows = index.find(np.array([9], dtype=np.uint64), 5)
        kept = dict(zip(numbers_of(lows, 0).tolist(), weights_of(lows).tolist(), strict=True))
        for number, weight in enumerate(weights):
            assert kept[number] == pytest.approx(weight / 65_535, abs=1 / 64)


def test_a_key_of_more_entries_than_the_limit_finds_none_and_spoils_no_other() -> None:
    index = Postings()
    for number in range(50):
        index.add(number, [3, 100 + number])
    assert len(found(index, [3], limit=50)[3]) == 50
    assert found(index, [3, 107], limit=49) == {3: [], 107: [7]}


def test_an_empty_index_and_no_keys_find_nothing() -> None:
    index = Postings()
    assert found(index, [1]) == {1: []}
    index.add(0, [1])
    assert found(index, []) == {}


def test_numbers_go_on_beyond_their_bits() -> None:
    index, first = Postings(), (1 << NUMBER_BITS) - 30
    for number in range(first, first + 60):
        index.add(number, [5])
    _, lows = index.find(np.array([5], dtype=np.uint64), 60)
    assert sorted(numbers_of(lows, first).tolist()) == [*range(first, first + 60)]


def test_parts_are_few_and_bounded_and_the_old_ones_are_dropped() -> None:
    index = Postings()
    for number in range(4_000):
        index.add(number, [number % 97])
    sizes = [len(part.postings) for part in index._parts]
    assert max(sizes) <= 256 + 64 + 16
    assert sum(size < 256 for size in sizes) <= 2
    index.drop_before(3_000)
    kept = found(index, [1])[1]
    assert min(kept) >= 3_000 - max(sizes)
    assert {number for number in range(3_000, 4_000) if number % 97 == 1} <= set(kept)


def test_an_array_that_is_mostly_old_is_cut() -> None:
    index = Postings()
    for number in range(200):
        index.add(number, [1])
    index.drop_before(90)
    assert len(found(index, [1])[1]) == 200  # not worth the work
    index.drop_before(150)
    assert found(index, [1])[1] == [*range(150, 200)]
    index.drop_before(200)
    index.add(200, [1])
    assert found(index, [1])[1] == [*range(192, 201)]  # what stands in the dict stays


@pytest.mark.parametrize("keyless", [1, 5])
def test_an_array_of_which_only_entries_without_keys_are_left_finds_nothing(keyless: int) -> None:
    """Else the first look would raise, and every poll with news after it."""
    index = Postings()
    index.extend(0, [[7]] * 3 + [[]] * keyless)
    index.drop_before(2 + keyless)
    assert found(index, [7]) == {7: []}
    index.add(3 + keyless, [7])
    assert found(index, [7]) == {7: [3 + keyless]}
