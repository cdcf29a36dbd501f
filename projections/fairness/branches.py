"""Branches side by side: the same act, turns at the top, modules of low scorers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean, median

from projections.fairness.acts import APPROVED, REFUSED, Act
from projections.fairness.flags import SAMPLE_MIN, Question
from projections.fairness.stats import (
    below_zero,
    entropy_bits,
    ranks_differ,
    shares_differ,
    too_even,
)

PRICE_APART = 0.1
"""A median price that differs by this share of the other matters."""
SHARE_APART = 0.1
MONTHS_MIN, LEADERS_MIN = 6, 3
"""So many months with one leader, and members who could lead, before turns are looked at."""
LOW_SHARE = 3
"""The lowest third of a branch are its low scorers."""
LOW_MIN = 8
CAUSE_TIMES = 1.5
"""A module is a cause where so many times its even share of the gap lies in it."""


def same_act(acts: Sequence[Act]) -> Iterator[Question]:
    """Ask for each act type and branch: is the act priced, or passed, otherwise than elsewhere?"""
    by_type: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        by_type[act.act_type].append(act)
    for act_type, same in sorted(by_type.items()):
        branches = sorted({act.branch for act in same})
        for branch in branches if len(branches) > 1 else ():
            here = [act for act in same if act.branch == branch]
            there = [act for act in same if act.branch != branch]
            if min(len(here), len(there)) < SAMPLE_MIN:
                continue
            yield from _price(act_type, branch, here, there)
            yield from _passed(act_type, branch, here, there)


def _price(act_type: str, branch: str, here: list[Act], there: list[Act]) -> Iterator[Question]:
    prices, others = ([abs(act.price) for act in part] for part in (here, there))
    near, far = median(prices), median(others)
    # Medians may agree where a range is used quite differently, so means are looked at too.
    apart = max(abs(near - far), abs(mean(prices) - mean(others)))
    yield Question(
        "same-act",
        (act_type, branch),
        (len(here), len(there)),
        "Mann–Whitney",
        ranks_differ(prices, others, "two-sided"),
        apart >= PRICE_APART * max(near, far, 1),
        f"{act_type} brings {near / 100:.2f} points a unit in {branch} (median), "
        f"{far / 100:.2f} elsewhere; means {mean(prices) / 100:.2f} and {mean(others) / 100:.2f}",
        tuple(act.index for act in here),
    )


def _passed(act_type: str, branch: str, here: list[Act], there: list[Act]) -> Iterator[Question]:
    table = [
        [sum(act.outcome == outcome for act in part) for outcome in (APPROVED, REFUSED)]
        for part in (here, there)
    ]
    (yes, no), (others_yes, others_no) = table
    if min(yes + no, others_yes + others_no) < SAMPLE_MIN:
        return
    share, other = yes / (yes + no), others_yes / (others_yes + others_no)
    yield Question(
        "same-act",
        (act_type, branch),
        (yes + no, others_yes + others_no),
        "Fisher",
        shares_differ(yes, no, others_yes, others_no, "two-sided"),
        abs(share - other) >= SHARE_APART,
        f"{share:.0%} of {act_type} passes at once in {branch}, {other:.0%} elsewhere",
        tuple(act.index for act in here),
    )


def rotation(acts: Sequence[Act]) -> Iterator[Question]:
    """Ask for each branch: do the month's first places alternate more evenly than by chance?

    A month's first is who has the most points for acts of it; months with a tie have none. Luck
    and diligence leave some first more often: an even spread is what turns look like.
    """
    totals: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    members: dict[str, set[str]] = defaultdict(set)
    for act in acts:
        totals[act.branch][act.act_date[:7]][act.member] += act.worth
        members[act.branch].add(act.member)
    for branch, months in sorted(totals.items()):
        names = {name: number for number, name in enumerate(sorted(members[branch]))}
        leaders = []
        for _, month in sorted(months.items()):
            (first, most), *rest = month.most_common(2)
            if most > 0 and not (rest and rest[0][1] == most):
                leaders.append(names[first])
        if len(leaders) < MONTHS_MIN or len(names) < LEADERS_MIN:
            continue
        bits = entropy_bits(leaders, len(names))
        yield Question(
            "rotation",
            (branch,),
            (len(leaders), len(names)),
            "Monte Carlo on entropy",
            too_even(leaders, len(names)),
            strong=True,
            explanation=f"{len(set(leaders))} of {len(names)} members of {branch} were first in "
            f"{len(leaders)} months, spread evenly (entropy {bits:.2f} bits)",
        )


def low_scorers(acts: Sequence[Act]) -> Iterator[Question]:
    """Ask for each branch and module: do the lowest third lose more in it than in the others?

    Each of them is held against the branch's median of the module, and that against the mean over
    the other modules, so that being low altogether is no cause by itself. No member is named: a low
    scorer sees the own causes in the own view.
    """
    sums: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for act in acts:
        sums[act.branch][act.member][act.category] += act.worth
    for branch, by_member in sorted(sums.items()):
        modules = sorted({name for own in by_member.values() for name in own})
        if len(by_member) < LOW_SHARE * LOW_MIN or len(modules) < 2:
            continue
        middles = {name: median(own[name] for own in by_member.values()) for name in modules}
        order = sorted(by_member, key=lambda name: (sum(by_member[name].values()), name))
        low = order[: len(order) // LOW_SHARE]
        gaps = [[by_member[name][each] - middles[each] for each in modules] for name in low]
        whole = sum(map(sum, gaps))
        for number, module in enumerate(modules):
            mine = [own[number] for own in gaps]
            others = [mean(own[:number] + own[number + 1 :]) for own in gaps]
            share = sum(mine) / whole if whole < 0 else 0.0
            yield Question(
                "low",
                (branch, module),
                (len(low), len(order)),
                "Wilcoxon",
                below_zero([here - there for here, there in zip(mine, others, strict=True)]),
                share * len(modules) >= CAUSE_TIMES,
                f"{share:.0%} of what the {len(low)} lowest of {branch} are behind the median is "
                f"behind in {module}: {-mean(mine) / 100:.2f} points each",
            )
