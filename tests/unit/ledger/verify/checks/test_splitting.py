from __future__ import annotations

import pytest

from tests.support.chronicle import item
from tests.support.organisation import COMMITMENT
from tests.support.watched import Watched

RANGE = item("R-1", min=50, max=900)
HOUR = item("H-1", unit="hour")


@pytest.fixture
def log() -> Watched:
    return Watched(items=[item("C-1"), item("D-1", "debit"), RANGE, HOUR])


def test_cheat_1_small_entries_of_the_short_path_pass_ten_points_unseen_from_above(
    log: Watched,
) -> None:
    for number in range(10):
        log.direct("rec-1", "east-com-1", day=f"2026-02-{number + 1:02}")
    log.direct("rec-2", "east-com-1", day="2026-02-11")
    assert log.found(1) == []
    last = log.direct("rec-1", "east-com-1", day="2026-02-11")
    found = log.found(1)
    assert [each.index for each in found] == [log.index(last)]
    assert found[0].people == ("m-2", "rec-1")
    assert "up to 11 points for m-2 in 30 days" in found[0].reason
    again = log.direct("rec-1", "east-com-1", day="2026-02-12")
    (found_again,) = log.found(1)
    assert found_again.entries == (log.index(last), log.index(again))


def test_cheat_1_one_of_the_unit_above_or_thirty_days_make_it_right(log: Watched) -> None:
    for number in range(10):
        log.direct("rec-1", "east-com-1", day=f"2026-02-{number + 1:02}")
    log.direct("rec-1", "east-com-1", "up-1", day="2026-02-11")
    log.direct("rec-1", "east-com-1", day="2026-03-20")
    assert log.found(1) == []


def test_cheat_1_a_range_figure_set_after_the_route_was_fixed_shows(log: Watched) -> None:
    idents = [log.claim(item="R-1", points=100) for _ in range(2)]
    for ident in idents:
        log.check(ident)
        log.review(ident, points=900)
        log.on("published", {"entry": ident, "closes": "2026-01-19"}, "east-sec")
        log.lapse(ident, "publicity", "2026-01-19", "2026-01-20")
    assert [each.people for each in log.found(1)] == [("m-2", "mem-2")]


def test_cheat_2_acts_crowd_right_after_a_version_or_quarter_begins(log: Watched) -> None:
    for number in range(8):
        day = ("2026-04-01", "2026-04-02", "2026-04-01", "2026-04-09")[number % 4]
        log.direct("rec-1", "east-com-1", member=f"m-{number % 4 + 2}", act_date=day,
                   day="2026-04-20")  # fmt: skip
    (found,) = log.found(2)
    assert found.people == ("m-2", "m-3", "m-4", "rec-1")
    assert "6 of the 8 acts that rec-1 proposed around 2026-04-01" in found.reason


def test_cheat_2_what_all_proposers_do_is_the_rulebooks_rhythm(log: Watched) -> None:
    def at_the_edge(actor: str, day: str) -> None:
        log.direct(actor, "east-com-1", member="m-5", act_date=day, day="2026-04-20")

    for number in range(8):
        at_the_edge("rec-1", "2026-04-01")
        at_the_edge("lead-1", "2026-04-01" if number % 2 else "2026-04-09")
    assert log.found(2) == []
    for _ in range(8):
        at_the_edge("lead-1", "2026-04-10")
    assert ["of others' 4 of 16" in each.reason for each in log.found(2)] == [True]


def test_cheat_2_even_dates_and_dates_bound_to_an_activity_show_nothing(log: Watched) -> None:
    for number in range(12):
        log.direct("rec-1", "east-com-1", act_date=f"2026-04-{number + 1:02}", day="2026-04-20")
        log.direct("rec-2", "east-com-1", act_date="2026-04-01", activity=f"a-{number}",
                   day="2026-04-20")  # fmt: skip
    assert [each for each in log.found(2) if "rec-2" in each.people] == []
    assert [each for each in log.found(2) if "rec-1" in each.people] == []


def test_cheat_3_one_activity_is_claimed_as_three(log: Watched) -> None:
    idents = [log.direct("rec-1", "east-com-1", activity=f"part-{n}") for n in (1, 2)]
    assert log.found(3) == []
    idents.append(log.direct("rec-1", "east-com-1", activity="part-3"))
    (found,) = log.found(3)
    assert found.entries == tuple(map(log.index, idents))
    assert "under 3 activities" in found.reason


def test_cheat_3_more_hours_than_a_day_has(log: Watched) -> None:
    for quantity in (900, 700):
        log.direct("rec-1", "east-com-1", item="H-1", quantity=quantity, points=quantity)
    assert log.found(3) == []
    log.direct("rec-1", "east-com-1", item="H-1", quantity=100, activity="night")
    assert any("17 hours on 2026-01-10" in each.reason for each in log.found(3))


def test_cheat_3_the_same_file_is_seen_on_disclosed_files_only(log: Watched) -> None:
    other = "cd" * 32
    log.direct("rec-1", "east-com-1", activity="spring")
    log.direct("rec-1", "east-com-1", member="m-5", activity="autumn",
               evidence=[{"kind": "photo", "commitment": other}])  # fmt: skip
    assert log.found(3) == []
    (found,) = log.found(3, digests={COMMITMENT: "11" * 32, other: "11" * 32})
    assert found.people == ("m-2", "m-5")
    assert log.found(3, digests={COMMITMENT: "11" * 32, other: "22" * 32}) == []
