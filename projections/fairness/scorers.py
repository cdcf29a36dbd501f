"""Scorers: favour for a group, and awards that come back (人情分, 互评)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean

from ledger.domain.account import CREDIT
from projections.fairness.acts import APPROVED, REFUSED, Act
from projections.fairness.flags import SAMPLE_MIN, Question
from projections.fairness.stats import ranks_differ, shares_differ

PLACE_APART = 0.1
"""A mean place in the items' ranges by so much higher matters."""
SHARE_APART = 0.1
"""A share of approvals by so much higher matters."""
RECIPROCAL_MIN = 5
"""Credits in each direction before a pair is looked at."""


def favour(acts: Sequence[Act]) -> Iterator[Question]:
    """Ask of each scorer and group: better figures, or more approvals, than elsewhere?

    Figures are compared with the scorer's own elsewhere and, where there are enough, with those of
    other scorers in the group too; the weaker of the two answers counts, so that a group that does
    well with everybody is no favour.
    """
    by_scorer: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        for scorer in act.scorers if act.kind == CREDIT else ():
            by_scorer[scorer].append(act)
    by_group: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        if act.kind == CREDIT:
            by_group[act.group].append(act)
    for scorer, mine in sorted(by_scorer.items()):
        for group in sorted({act.group for act in mine}):
            here = [act for act in mine if act.group == group]
            there = [act for act in mine if act.group != group]
            others = [act for act in by_group[group] if scorer not in act.scorers]
            yield from _figures(scorer, group, here, there, others)
            yield from _approvals(scorer, group, here, there, others)


def _figures(
    scorer: str, group: str, here: list[Act], there: list[Act], others: list[Act]
) -> Iterator[Question]:
    places, elsewhere, by_others = (
        [act.place for act in part if act.place is not None] for part in (here, there, others)
    )
    if min(len(places), len(elsewhere)) < SAMPLE_MIN:
        return
    p = ranks_differ(places, elsewhere, "greater")
    apart = mean(places) - mean(elsewhere)
    more = ""
    if len(by_others) >= SAMPLE_MIN:
        p = max(p, ranks_differ(places, by_others, "greater"))
        apart = min(apart, mean(places) - mean(by_others))
        more = f", where others give {mean(by_others):.0%}"
    yield Question(
        "favour",
        (scorer, group),
        (len(places), len(elsewhere), len(by_others)),
        "Mann–Whitney",
        p,
        apart >= PLACE_APART,
        f"{scorer} places {group} at {mean(places):.0%} of the items' ranges and everybody else "
        f"at {mean(elsewhere):.0%}{more}",
        tuple(act.index for act in here if act.place is not None),
    )


def _approvals(
    scorer: str, group: str, here: list[Act], there: list[Act], others: list[Act]
) -> Iterator[Question]:
    (yes, no), (yes_there, no_there), (yes_others, no_others) = map(_split, (here, there, others))
    if min(yes + no, yes_there + no_there) < SAMPLE_MIN:
        return
    p = shares_differ(yes, no, yes_there, no_there, "greater")
    share, elsewhere = yes / (yes + no), yes_there / (yes_there + no_there)
    apart = share - elsewhere
    if yes_others + no_others >= SAMPLE_MIN:
        p = max(p, shares_differ(yes, no, yes_others, no_others, "greater"))
        apart = min(apart, share - yes_others / (yes_others + no_others))
    yield Question(
        "favour",
        (scorer, group),
        (yes + no, yes_there + no_there, yes_others + no_others),
        "Fisher",
        p,
        apart >= SHARE_APART,
        f"{share:.0%} of what {scorer} takes part in for {group} passes at once, {elsewhere:.0%} "
        "elsewhere",
        tuple(act.index for act in here),
    )


def _split(acts: Sequence[Act]) -> tuple[int, int]:
    outcomes = [act.outcome for act in acts]
    return outcomes.count(APPROVED), outcomes.count(REFUSED)


def reciprocal(acts: Sequence[Act]) -> Iterator[Question]:
    """Ask of each two scorers who are members: does each take part in more for the other?

    More than for others of the branch, in both directions: the weaker answer counts.
    """
    given: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_branch: dict[str, list[Act]] = defaultdict(list)
    branch_of: dict[str, str] = {}
    for act in acts:
        if act.kind != CREDIT or act.outcome != APPROVED:
            continue
        by_branch[act.branch].append(act)
        if act.actor is not None:
            branch_of[act.actor] = act.branch
            for scorer in act.scorers:
                given[scorer, act.actor].append(act.index)
    for one, other in sorted(given):
        there, back = given[one, other], given.get((other, one), [])
        if one > other or min(len(there), len(back)) < RECIPROCAL_MIN:
            continue
        tables = [
            _between(giver, receiver, by_branch[branch_of[receiver]])
            for giver, receiver in ((one, other), (other, one))
        ]
        if any(sum(table) < 2 * SAMPLE_MIN for table in tables):
            continue
        yield Question(
            "reciprocal",
            (one, other),
            (len(there), len(back), *map(sum, tables)),
            "Fisher",
            max(shares_differ(*table, "greater") for table in tables),
            strong=True,
            explanation=f"{one} took part in {len(there)} credits of {other}, who took part in "
            f"{len(back)} of {one}: more than either does for others of the branch",
            entries=tuple(sorted((*there, *back))),
        )


def _between(giver: str, receiver: str, credits_: Sequence[Act]) -> tuple[int, int, int, int]:
    """Return with and without `giver`, for `receiver` and for others; nobody scores himself."""
    apart = [act for act in credits_ if act.actor != giver]
    mine = [giver in act.scorers for act in apart if act.actor == receiver]
    theirs = [giver in act.scorers for act in apart if act.actor != receiver]
    return sum(mine), len(mine) - sum(mine), sum(theirs), len(theirs) - sum(theirs)
