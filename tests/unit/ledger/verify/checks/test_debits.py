from __future__ import annotations

from tests.support.chronicle import item
from tests.support.watched import Watched

FLOORED = {"base": 150, "bases": [{"category": "A", "points": 150, "floor": 0}]}
ITEMS = [
    item("C-1"),
    item("D-1", "debit", act_type="act.absent"),
    item("D-9", "debit", act_type="act.absent", scope="global"),
]


def debit(log: Watched, code: str, day: str, member: str = "m-5") -> str:
    return log.direct(
        "rec-1", "east-com-1", member=member, kind="deducted", item=code, act_date=day, day=day
    )


def test_cheat_5_a_debit_under_a_floor_already_reached_is_listed() -> None:
    log = Watched(items=ITEMS, merit=FLOORED)
    for day in ("2026-02-01", "2026-02-02"):
        debit(log, "D-1", day)
    assert log.found(5) == []
    hidden = debit(log, "D-1", "2026-02-03")
    (found,) = log.found(5)
    assert found.index == log.index(hidden)
    assert found.people == ("east-com-1", "m-5", "rec-1")


def test_cheat_5_a_scorer_who_takes_the_harmless_scope_for_some_is_listed() -> None:
    log = Watched(items=ITEMS, merit=FLOORED)
    debit(log, "D-9", "2026-02-01", "m-2")
    debit(log, "D-9", "2026-02-02", "m-5")
    assert log.found(5) == []
    debit(log, "D-1", "2026-02-03", "m-6")
    assert {each.people[-1] for each in log.found(5)} == {"m-6", "rec-1"}
    assert "1 category, 2 global" in log.found(5)[0].reason
