"""The short path: allowed by a recorded policy only, by a recorder and a committee member."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chronicle import item
from tests.support.organisation import COMMITMENT
from tests.support.passage import Passage, act

PAIR = ("rec-1", "east-com-1")
SEATS = ("east-sec", "east-com-1")


def adopt(passage: Passage, unit: str, *, short_path: bool, day: str = "2026-01-06") -> None:
    passage.say("policy.adopted", f"unit/{unit}", {"short_path": short_path}, SEATS, day)


@pytest.fixture
def passage() -> Passage:
    return short()


def short(**rules: Any) -> Passage:
    made = Passage(**rules)
    adopt(made, "east", short_path=True)
    return made


def award(**changed: Any) -> dict[str, Any]:
    return act(points=100) | changed


def test_without_a_recorded_policy_there_is_no_short_path() -> None:
    assert "claim" in Passage().no("short-path", "awarded", award(), *PAIR)


def test_the_nearest_unit_that_recorded_a_policy_decides(passage: Passage) -> None:
    body = {"name_zh": "g", "name_en": "g", "start": "2026-01-06", "parent": "east"}
    passage.say("unit.opened", "unit/g-1", body, day="2026-01-06")
    passage.say("member.transferred", "member/m-2", {"unit": "g-1"}, day="2026-01-06")
    passage.on("awarded", award(), *PAIR)
    adopt(passage, "g-1", short_path=False)
    passage.no("short-path", "awarded", award(), *PAIR)
    passage.on("awarded", award(), *PAIR, member="m-6")


def test_a_policy_is_adopted_by_secretary_and_committee() -> None:
    passage = Passage()
    body = {"short_path": True}
    passage.refused("needs-secretary", "policy.adopted", "unit/east", body, PAIR)
    passage.refused("needs-committee", "policy.adopted", "unit/east", body, ("east-sec",))
    passage.refused("unit-known", "policy.adopted", "unit/nowhere", body, SEATS)


def test_a_policy_touches_no_entry_that_is_under_way(passage: Passage) -> None:
    ident = passage.claim()
    adopt(passage, "east", short_path=False, day="2026-01-12")
    passage.check(ident)
    passage.review(ident)


def test_a29_a_direct_entry_counts_at_once(passage: Passage) -> None:
    ident = passage.on("awarded", award(), *PAIR)
    assert passage.counting() == {ident}
    passage.on("appealed", {"entry": ident, "filer": COMMITMENT}, "in-1")


def test_a5_a_direct_entry_says_what_it_is_worth_as_a_whole(passage: Passage) -> None:
    passage.no("points-fixed", "awarded", award(points=200), *PAIR)
    passage.on("awarded", award(points=200, quantity=200), *PAIR)
    whole = award(item="R-1", points=600, quantity=200)
    passage.on("awarded", whole, *PAIR)
    passage.no("points-range", "awarded", whole | {"points": 601 * 2}, *PAIR)
    passage.no("points-whole", "awarded", whole | {"points": 301}, *PAIR)


def test_a8_a_direct_entry_covers_a_month_once() -> None:
    passage = short(items=[item("C-1"), item("M-1", unit="month")])
    body = award(item="M-1", act_date="2026-01-31", covers=["2026-01-31"])
    passage.on("awarded", body, *PAIR, day="2026-02-02")
    passage.no("covers-once", "awarded", body, *PAIR, day="2026-02-02")


def test_a30_a_late_direct_entry_needs_a_reason_and_the_unit_above(passage: Passage) -> None:
    day = "2026-02-10"
    passage.no("late-reason", "awarded", award(), *PAIR, day=day)
    late = award(late_reason=COMMITMENT)
    passage.no("dual-review", "awarded", late, *PAIR, day=day)
    passage.give("both", "recorder", "east")
    passage.give("both", "upper", "root")
    passage.no("dual-review", "awarded", late, "both", "east-com-1", day=day)
    passage.on("awarded", late, *PAIR, "up-1", day=day)


def test_a33_an_item_of_dual_review_needs_the_unit_above() -> None:
    passage = short(items=[item("C-1"), item("C-2", review="dual")])
    passage.no("dual-review", "awarded", award(item="C-2"), *PAIR)
    passage.on("awarded", award(item="C-2"), *PAIR, "up-1")


def test_b6_a_related_person_does_not_sign_a_direct_entry(passage: Passage) -> None:
    body = {"year": 2026, "related": ["m-2"]}
    passage.say("relation.declared", "actor/east-com-1", body, ("east-com-1",), "2026-01-06")
    passage.no("recused", "awarded", award(), *PAIR)


def test_a_direct_correction_takes_effect_at_once_and_keeps_both_halves(passage: Passage) -> None:
    ident = passage.on("awarded", award(item="R-1", points=300), *PAIR)
    new = passage.on(
        "corrected",
        {
            "reverses": ident,
            "reason": COMMITMENT,
            "replacement": {"type": "points.awarded"} | award(item="R-1", points=250),
        },
        *PAIR,
    )
    assert passage.counting() == {new}
    bare = {"reverses": new, "reason": COMMITMENT}
    passage.no("closes", "corrected", bare | {"closes": "2026-01-19"}, *PAIR)
    passage.on("corrected", bare, *PAIR)
    assert passage.counting() == set()
    passage.no("reverses-last", "corrected", bare, *PAIR)


def test_b13_direct_halves_take_effect_when_both_are_recorded(passage: Passage) -> None:
    ident = passage.on("awarded", award(), *PAIR)
    out, into = passage.organisation.new_id(), passage.organisation.new_id()
    for member, own, body in (
        (
            "m-2",
            out,
            {"reverses": ident, "counterpart": {"stream": "member/m-5", "id": into}},
        ),
        (
            "m-5",
            into,
            {
                "replacement": {"type": "points.awarded"} | award(),
                "counterpart": {"stream": "member/m-2", "id": out},
            },
        ),
    ):
        assert passage.counting() == {ident}
        assert passage.counting("m-5") == set()
        envelope = passage.organisation.statement(
            "points.corrected",
            f"member/{member}",
            PAIR[0],
            body | {"reason": COMMITMENT},
            also=PAIR[1:],
            ident=own,
        )
        passage.envelope(envelope, "2026-01-12")
    assert passage.counting() == set()
    assert passage.counting("m-5") == {into}
