from __future__ import annotations

import pytest

from ledger.errors import NotFoundError
from projections import rankings
from projections.fold import AsOf
from projections.period import parse_period
from projections.rankings import Ranking
from projections.scores import RANKINGS
from tests.support.journal import Journal


def organisation() -> Journal:
    """Four units, `group` under `east`, with two members in each of the lower three."""
    journal = Journal()
    journal.unit("root")
    journal.unit("east", "root")
    journal.unit("west", "root")
    journal.unit("group", "east")
    journal.rulebook()
    for name, unit in (("w", "west"), ("g", "group"), ("e", "east")):
        journal.enrol(f"{name}-2", unit)
        journal.enrol(f"{name}-1", unit)
    return journal


def ranking(journal: Journal, unit: str = "root", period: str = "2025") -> Ranking:
    rows = RANKINGS.rows()
    RANKINGS.fold_all(journal.events(), rows)
    as_of = AsOf(len(journal.entries), "2025-06-01T00:00:00.000000Z")
    return rankings.from_rows(rows, as_of, unit, parse_period(period))


def places(found: Ranking) -> list[tuple[int, int, str, int]]:
    return [(each.position, each.rank, each.member, each.score) for each in found.standings]


def scores(found: Ranking) -> dict[str, int]:
    return {each.member: each.score for each in found.standings}


def test_a22_equal_scores_share_a_rank_and_stand_by_member_id() -> None:
    journal = organisation()
    for member, points in (("w-2", 300), ("w-1", 200), ("e-2", 200), ("g-1", 100)):
        journal.award(member, points)
    journal.deduct("e-1", 100)
    assert places(ranking(journal)) == [
        (1, 1, "w-2", 300),
        (2, 2, "e-2", 200),
        (3, 2, "w-1", 200),
        (4, 4, "g-1", 100),
        (5, 5, "g-2", 0),
        (6, 6, "e-1", -100),
    ]


def test_a_unit_covers_its_sub_units_and_no_others() -> None:
    journal = organisation()
    assert set(scores(ranking(journal, "east"))) == {"e-1", "e-2", "g-1", "g-2"}
    assert set(scores(ranking(journal, "group"))) == {"g-1", "g-2"}
    journal.move("group", "west")
    assert set(scores(ranking(journal, "east"))) == {"e-1", "e-2"}
    assert set(scores(ranking(journal, "west"))) == {"w-1", "w-2", "g-1", "g-2"}


def test_a27_a_transferred_member_takes_the_points_along_to_the_unit_of_the_last_day() -> None:
    journal = organisation()
    journal.award("e-1", 100)
    journal.transfer("e-1", "west")
    journal.award("e-1", 50)
    assert "e-1" not in scores(ranking(journal, "east"))
    assert scores(ranking(journal, "west"))["e-1"] == 150
    # The move was recorded on 1 January and holds from the day after: 2024 ended before it.
    assert "e-1" in scores(ranking(journal, "east", "2024"))


def test_a23_who_left_is_not_listed_and_who_is_suspended_stands_beside() -> None:
    journal = organisation()
    journal.award("e-1")
    journal.award("e-2")
    journal.leave("e-1")
    journal.suspend("e-2")
    found = scores(ranking(journal, "east"))
    assert "e-1" not in found
    assert "e-2" not in found
    assert ranking(journal, "east").asides == (("e-2", "east", "suspended"),)


def test_a28_a_table_has_the_acts_from_the_years_start_to_its_own_end() -> None:
    journal = organisation()
    for day, points in (
        ("2024-12-31", 1),
        ("2025-01-01", 10),
        ("2025-03-31", 100),
        ("2025-04-01", 1_000),
        ("2025-12-31", 10_000),
        ("2026-01-01", 100_000),
    ):
        journal.award("e-1", points, day)
    for period, score in (
        ("2025", 11_110),
        ("2025-01", 10),
        ("2025-Q1", 110),
        ("2025-Q2", 1_110),
        ("2025-11", 1_110),
        ("2025-12", 11_110),
        ("2024", 1),
    ):
        assert scores(ranking(journal, "east", period))["e-1"] == score


def test_a_correction_counts_in_the_period_of_its_replacement() -> None:
    journal = organisation()
    award = journal.award("e-1", 300, "2025-03-31")
    journal.correct("e-1", award, 200, "2025-04-01")
    assert scores(ranking(journal, "east", "2025-Q1"))["e-1"] == 0
    assert scores(ranking(journal, "east", "2025-Q2"))["e-1"] == 200


def test_an_unknown_unit_is_no_empty_ranking() -> None:
    with pytest.raises(NotFoundError, match="no unit 'north'"):
        ranking(organisation(), "north")
