from __future__ import annotations

from typing import Any

import pytest

from tests.support.chronicle import ABOVE, PAIR
from tests.support.watched import Watched

Q1 = {"unit": "east", "rulebook": "rules", "kind": "quarter"}
Q1 |= {"start": "2026-01-01", "end": "2026-03-31"}
YEAR = Q1 | {"kind": "year", "end": "2026-12-31"}
PRESENT = ["m-2", "m-3", "m-4", "m-5", "m-6"]


def closed_quarter() -> Watched:
    log = Watched()
    log.say("period.opened", "period/q1", Q1, PAIR[:1])
    log.say("period.cut_off", "period/q1", {}, PAIR[:1], "2026-04-01")
    body = {"as_of": len(log.ids)}
    log.say("period.published", "period/q1", body, PAIR, "2026-04-01")
    log.say("period.closed", "period/q1", {}, PAIR[:1], "2026-04-09")
    return log


def test_cheat_12_a_seal_of_another_size_than_the_closings_is_shown() -> None:
    honest, log = closed_quarter(), closed_quarter()
    size = len(log.ids)
    honest.say("period.sealed", "period/q1", {"as_of": size}, PAIR, "2026-04-10")
    assert honest.found(12) == []
    log.put("period.sealed", "period/q1", {"as_of": size - 1}, *PAIR, day="2026-04-10")
    (found,) = log.found(12)
    assert f"sealed as of size {size - 1}, objections were closed at size {size}" in found.reason


def test_cheat_12_a_seal_after_its_latest_day_is_listed() -> None:
    log = closed_quarter()
    body = {"as_of": len(log.ids)}
    log.say("period.sealed", "period/q1", body, (*PAIR, ABOVE), "2026-04-25")
    assert ["after 2026-04-24" in each.reason for each in log.found(12)] == [True]


@pytest.fixture
def meeting() -> Watched:
    log = Watched(annual={"kind": "weighted", "daily": 70, "review": 30})
    log.say("period.opened", "period/y", YEAR, PAIR[:1])
    body = {"held_on": "2027-01-08", "present": PRESENT}
    log.say("review.opened", "period/y", body, PAIR, "2027-01-10")
    return log


def sheets(first: int, *scores: int) -> list[dict[str, Any]]:
    return [{"receipt": f"{first + n:02x}" * 32, "score": s} for n, s in enumerate(scores)]


def record(log: Watched, member: str, first: int, *scores: int) -> str:
    body = {"member": member, "sheets": sheets(first, *scores)}
    return log.put("review.recorded", "period/y", body, *PAIR, day="2027-01-10")


def test_cheat_22_sheets_that_agree_and_a_milder_one_show_nothing(meeting: Watched) -> None:
    record(meeting, "m-2", 0, 9000, 9100, 8800, 7000, 9000)
    record(meeting, "m-5", 16, 9000, 9000, 9000, 9000, 9000)
    assert meeting.found(22) == []


def test_cheat_22_more_sheets_than_voters_are_shown(meeting: Watched) -> None:
    record(meeting, "m-2", 0, 9000, 9000, 9000, 9000, 9000, 9000)
    assert ["6 sheets for m-2, 5 voters" in e.reason for e in meeting.found(22)] == [True]


def test_cheat_22_a_receipt_that_two_sheets_carry_is_shown(meeting: Watched) -> None:
    first = record(meeting, "m-2", 0, 9000, 9000, 9000, 9000, 9000)
    second = record(meeting, "m-5", 4, 9000, 9000, 9000, 9000, 9000)
    (found,) = meeting.found(22)
    assert found.entries == (meeting.index(first), meeting.index(second))


def test_cheat_22_a_block_far_from_the_median_is_shown(meeting: Watched) -> None:
    record(meeting, "m-2", 0, 9000, 9000, 2000, 9000, 2000)
    record(meeting, "m-5", 16, 9000, 9000, 9000, 9000, 1000)
    block, outlier = meeting.found(22)
    assert "a block lies 30 or more from the median 90: 2 × 20" in block.reason
    assert "outliers lie 30 or more from the median 90: 10" in outlier.reason
