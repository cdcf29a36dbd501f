"""A veto in tables and statements: the grade falls, and nothing else (A35)."""

from __future__ import annotations

from typing import Any

from projections.fold import Rows
from projections.render import ranking_text, statement_text
from projections.scores import RANKINGS, SCORE
from tests.support.organisation import COMMITMENT
from tests.unit.projections.test_scores import QUOTA, REVIEW, Tale

NAME = "党纪处分 Discipline (V-1, 2025-06-10)"


def tale(**rules: Any) -> Tale:
    vetoes = [{"code": "V-1", "name_zh": "党纪处分", "name_en": "Discipline", "needs": ["D"]}]
    made = Tale(quota=QUOTA, vetoes=vetoes, **rules)
    made.act("m-1", "C-1", points=2000)
    made.act("m-2", "C-1", points=1000)
    return made


def confirm(made: Tale, member: str = "m-1", day: str = "2025-06-10") -> str:
    named = {"rulebook": "rules", "version": "1.0.0", "veto": "V-1", "decided_on": day}
    texts = {"documents": ["01" * 32, "02" * 32, "03" * 32], "reason": COMMITMENT}
    return made.add("veto.confirmed", f"member/{member}", named | texts)


def bands(made: Tale, period: str = "2025") -> dict[str, tuple[str | None, str | None]]:
    return {each.member: (each.band, each.veto) for each in made.table(period).standings}


def test_a35_a_veto_is_unqualified_out_of_the_quota_and_still_in_its_denominator() -> None:
    made = tale()
    before = made.table()
    assert before.excellent is not None
    assert before.excellent.members == ("m-1",)
    ident = confirm(made)
    after = made.table()
    assert after.excellent is not None
    assert (after.full, after.excellent.limit, after.excellent.members) == (3, 1, ("m-2",))
    assert made.places() == {"m-1": 8000, "m-2": 7000, "m-3": 6000}, "no points change"
    assert bands(made) == {
        "m-1": ("unqualified", NAME), "m-2": ("good", None), "m-3": ("good", None)
    }  # fmt: skip
    made.add("veto.lifted", "member/m-1", {"veto": ident, "reason": COMMITMENT})
    lifted = made.table()
    assert (lifted.standings, lifted.excellent) == (before.standings, before.excellent)


def test_a35_a_veto_counts_in_the_year_of_the_decision_and_in_no_table_that_ended_before() -> None:
    made = tale()
    confirm(made)
    vetoed = ("unqualified", NAME)
    assert bands(made, "2025-05")["m-1"] == ("good", None)
    assert bands(made, "2025-06")["m-1"] == vetoed
    assert bands(made, "2025-Q4")["m-1"] == vetoed
    assert bands(made, "2024").get("m-1") in (None, ("good", None))


def test_a35_the_annual_figure_is_vetoed_too() -> None:
    made = tale(**REVIEW)
    made.year()
    made.review({"m-1": 9000, "m-2": 9000})
    made.add("review.closed", "period/y", {"count": 2})
    confirm(made)
    assert made.places() == {"m-1": 8300, "m-2": 7600}
    assert bands(made) == {"m-1": ("unqualified", NAME), "m-2": ("good", None)}


def test_a35_ranking_and_statement_name_the_veto() -> None:
    made = tale()
    confirm(made, "m-3")
    assert f"unqualified · 否决 veto: {NAME}" in ranking_text(made.table())
    found = made.statement("m-3")
    (figures,) = found.figures
    assert (figures.daily, figures.grade, figures.veto) == (6000, "unqualified", NAME)
    assert f"等次 grade unqualified · 否决 veto: {NAME}" in statement_text(found)


def test_a35_b14_the_id_that_goes_on_keeps_the_veto_of_the_closed_one() -> None:
    made = tale()
    confirm(made, "m-3")
    made.add("member.merged", "member/m-3", {"into": "m-2", "reason": COMMITMENT})
    assert bands(made)["m-2"] == ("unqualified", NAME)


def test_a35_only_the_member_of_a_veto_is_scored_again() -> None:
    made = tale()
    rows = Rows(RANKINGS.tables)
    RANKINGS.fold_all(made.events(), rows)
    assert RANKINGS.finish is not None
    RANKINGS.finish(rows)
    before = {row[:4]: row for row in rows.all(SCORE)}
    confirm(made)
    RANKINGS.fold_all(made.events()[-1:], rows)
    assert set(rows.touched) == {"m-1"}
    RANKINGS.finish(rows)
    kept = {row.member: row for row in rows.all(SCORE) if row.year == "2025-01-01"}
    assert (kept["m-1"].grade, kept["m-1"].veto) == ("unqualified", NAME)
    assert kept["m-2"] == before["m-2", *kept["m-2"][1:4]]
