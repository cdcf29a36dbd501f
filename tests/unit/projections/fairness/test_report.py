from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from projections.fairness.acts import APPROVED, REFUSED, Act
from projections.fairness.branches import low_scorers, rotation
from projections.fairness.flags import SAMPLE_MIN, Flag, Question, answer
from projections.fairness.report import analyse
from projections.fairness.scorers import favour as favoured
from tests.support.simulated_acts import fair_year

Bend = Callable[[Act, Random], Act]


def bent(bend: Bend, seed: int = 1, count: int = 600) -> list[Act]:
    draw = Random(seed)
    return [bend(act, draw) for act in fair_year(seed, count)]


def flags(acts: list[Act], kind: str) -> list[Flag]:
    return [each for each in analyse(acts, {}).flags if each.question.kind == kind]


def subjects(acts: list[Act], kind: str) -> set[tuple[str, ...]]:
    return {each.question.subject for each in flags(acts, kind)}


def test_fair_years_are_flagged_no_more_often_than_the_false_discovery_rate_allows() -> None:
    # With nothing planted every flag is false: a run has one with a chance of 5 % at most.
    flagged = [seed for seed in range(24) if analyse(fair_year(seed), {}).flags]
    assert len(flagged) <= 3, flagged
    assert analyse(fair_year(0), {}).asked > 60


def favour(act: Act, draw: Random) -> Act:
    """east-0 puts what it scores for east-g1 in the upper part of each range."""
    if "east-0" in act.scorers and act.group == "east-g1":
        place = draw.randrange(6, 11) / 10
        return act._replace(place=place, price=50 + round(200 * place))
    return act


def test_a_scorer_who_favours_a_group_is_flagged_with_the_figures() -> None:
    (flag,) = flags(bent(favour), "favour")
    assert flag.question.subject == ("east-0", "east-g1")
    assert flag.question.test == "Mann–Whitney"
    assert "where others give" in flag.question.explanation
    assert flag.q is not None
    assert flag.q <= 0.05


def test_a_group_that_does_well_with_everybody_is_no_favour() -> None:
    def well(act: Act, draw: Random) -> Act:
        return act._replace(place=draw.randrange(6, 11) / 10) if act.group == "east-g1" else act

    assert flags(bent(well), "favour") == []


def test_figures_that_few_others_in_the_group_can_be_told_from_are_no_favour() -> None:
    (model, *_) = fair_year(1)

    def acts(places: list[float], scorer: str, group: str) -> list[Act]:
        return [model._replace(place=p, scorers=(scorer,), group=group) for p in places]

    mine = acts([0.9, 1.0] * 8, "s-1", "g-1") + acts([0.2, 0.4] * 50, "s-1", "g-2")
    others = acts([1.0] * 8 + [0.0] * 3, "s-2", "g-1")
    p = {(one.subject, one.test): one.p for one in favoured(mine + others)}
    assert (p[("s-1", "g-1"), "Mann–Whitney"] or 0) > 0.1
    alone = {(one.subject, one.test): one.p for one in favoured(mine)}
    assert (alone[("s-1", "g-1"), "Mann–Whitney"] or 0) < 0.001


def test_a_scorer_who_passes_all_of_one_group_is_flagged() -> None:
    def wave_through(act: Act, draw: Random) -> Act:
        if "west-2" in act.scorers and act.group == "west-g0":
            return act._replace(outcome=APPROVED)
        return act._replace(outcome=REFUSED if draw.random() < 0.4 else APPROVED)

    (flag,) = flags(bent(wave_through), "favour")
    assert (flag.question.subject, flag.question.test) == (("west-2", "west-g0"), "Fisher")


def test_the_same_act_with_a_higher_price_in_one_branch_is_flagged() -> None:
    def dear(act: Act, _: Random) -> Act:
        special = act.branch == "west" and act.act_type == "study"
        return act._replace(price=act.price + 60) if special else act

    assert subjects(bent(dear), "same-act") == {("study", "east"), ("study", "west")}


def test_late_entries_of_one_branch_are_flagged() -> None:
    def late(act: Act, draw: Random) -> Act:
        return act._replace(late=draw.random() < 0.3) if act.branch == "east" else act

    assert subjects(bent(late), "late") == {("east",)}


def test_a_week_stuffed_before_an_inspection_is_flagged() -> None:
    def burst(act: Act, draw: Random) -> Act:
        stuffed = act.branch == "west" and draw.random() < 0.08
        return act._replace(claimed_on="2026-06-10") if stuffed else act

    assert subjects(bent(burst), "burst") == {("west", "2026-06-08")}


def test_two_scorers_who_award_to_each_other_are_flagged() -> None:
    def each_other(act: Act, draw: Random) -> Act:
        mates = {"east-0": "east-1", "east-1": "east-0"}
        mate = mates.get(act.actor or "")
        if mate is not None:
            return act._replace(scorers=(mate, "east-2"), outcome=APPROVED)
        return act._replace(scorers=("east-2",)) if draw.random() < 0.7 else act

    assert subjects(bent(each_other), "reciprocal") == {("east-0", "east-1")}


def first_in_turn(seed: int, *, turns: bool) -> list[Act]:
    """Let the twelve months of east be won by its members in turn, or by lot."""
    draw, acts = Random(seed), fair_year(seed)
    names = sorted({act.member for act in acts if act.branch == "east"})[:12]
    model = next(act for act in acts if act.branch == "east")
    for month in range(12):
        name = names[month] if turns else draw.choice(names)
        day = f"2026-{month + 1:02}-15"
        acts.append(model._replace(member=name, worth=5000 + month, act_date=day))
    return [act for act in acts if act.member in names]


def test_turns_at_the_top_are_flagged_and_chance_is_not() -> None:
    assert subjects(first_in_turn(1, turns=True), "rotation") == {("east",)}
    by_lot = [one for seed in range(10) for one in rotation(first_in_turn(seed, turns=False))]
    assert len(by_lot) == 10
    assert answer(by_lot).flags == ()


def test_the_module_in_which_low_scorers_fall_behind_is_named_and_no_member() -> None:
    acts = fair_year(3, 6000, 60)
    weak = {f"m-{number}" for number in range(0, 18, 2)}

    def without_b(act: Act) -> Act:
        return act._replace(worth=0) if act.member in weak and act.category == "B" else act

    found = answer(low_scorers([without_b(act) for act in acts])).flags
    assert [each.question.subject for each in found] == [("east", "B")]
    assert "m-" not in found[0].question.explanation


def test_below_the_smallest_sample_nothing_is_said() -> None:
    strong = [
        act._replace(place=1.0 if "east-0" in act.scorers else 0.0, scorers=("east-0",),
                     late=act.branch == "east")
        for act in fair_year(1, SAMPLE_MIN - 1)
    ]  # fmt: skip
    assert analyse(strong, {}).asked == 0
    assert analyse([], {}).flags == ()


def test_a_file_that_is_evidence_of_two_entries_is_flagged_without_a_test() -> None:
    acts = fair_year(1)[:12]
    digests = {acts[2].evidence[0]: "aa" * 32, acts[5].evidence[0]: "aa" * 32}
    (flag,) = analyse(acts, digests).flags
    assert flag.q is None
    assert flag.question.entries == (2, 5)
    assert analyse(acts, {acts[2].evidence[0]: "aa" * 32}).flags == ()


@pytest.mark.parametrize("order", ["forward", "back"])
def test_the_same_acts_give_the_same_answer_in_any_order(order: str) -> None:
    acts = bent(favour)
    again = acts if order == "forward" else acts[::-1]
    wanted = [(one.question.subject, one.q) for one in analyse(acts, {}).flags]
    assert [(one.question.subject, one.q) for one in analyse(again, {}).flags] == wanted


def test_what_is_significant_and_small_is_not_flagged() -> None:
    small = Question("late", ("east",), (10_000, 10_000), "Fisher", 1e-9, strong=False,
                     explanation="")  # fmt: skip
    assert answer([small]).flags == ()
