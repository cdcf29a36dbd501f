from __future__ import annotations

from collections import Counter

import pytest

from ledger.log.checkpoint import Checkpoint
from ledger.verify import draw


def seed(number: int) -> bytes:
    return draw.seed_of(Checkpoint("test.example/points", number, bytes(32)))


def test_the_seed_is_of_the_checkpoints_text_and_known_to_other_implementations() -> None:
    assert seed(7).hex() == ("99d6f8b9214164cceda65e8c648c734e1e74c8d54ac007d6c54d9d643b1573bc")
    assert draw.plain(seed(7), range(10), 3) == [6, 2, 3]
    assert draw.weighted(seed(7), [(n, n) for n in range(10)], 3) == [8, 9, 6]


def test_a_draw_does_not_depend_on_the_order_of_the_candidates() -> None:
    ones = [(n, 1 + n % 7) for n in range(200)]
    for number in range(5):
        assert draw.plain(seed(number), range(200), 9) == draw.plain(
            seed(number), reversed(range(200)), 9
        )
        assert draw.weighted(seed(number), ones, 9) == draw.weighted(seed(number), ones[::-1], 9)


@pytest.mark.parametrize("count", [5, 6, 100])
def test_no_more_are_drawn_than_there_are_and_each_once(count: int) -> None:
    assert sorted(draw.plain(seed(1), range(5), count)) == [0, 1, 2, 3, 4]
    heavy = [(0, 10**12), (1, 1), (2, 0), (3, 1)]
    assert sorted(draw.weighted(seed(1), heavy, count)) == [0, 1, 3]


def test_every_candidate_has_the_same_chance_in_a_plain_draw() -> None:
    found = Counter(each for n in range(2000) for each in draw.plain(seed(n), range(10), 2))
    # Expected 400 each, the standard deviation is 18.
    assert all(320 < found[each] < 480 for each in range(10))


def test_the_chance_goes_by_the_weight_in_a_weighted_draw() -> None:
    weights = [(0, 100), (1, 200), (2, 700)]
    found = Counter(draw.weighted(seed(n), weights, 1)[0] for n in range(2000))
    assert 150 < found[0] < 250
    assert 330 < found[1] < 470
    assert 1320 < found[2] < 1480
