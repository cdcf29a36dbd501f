"""Late entries, bursts before inspections, and files that are shown twice (补录, 突击)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from statistics import median

from projections.fairness.acts import Act
from projections.fairness.flags import SAMPLE_MIN, Question
from projections.fairness.stats import shares_differ, too_many

LATE_APART = 0.1
WEEKS_MIN = 8
BURST_TIMES = 4
"""A burst has so many times the entries of a usual week: weeks differ by season anyway."""


def late(acts: Sequence[Act]) -> Iterator[Question]:
    """Ask for each branch: are more of its entries late than elsewhere?"""
    for branch in sorted({act.branch for act in acts}):
        here = [act.late for act in acts if act.branch == branch]
        there = [act.late for act in acts if act.branch != branch]
        if min(len(here), len(there)) < SAMPLE_MIN:
            continue
        share, other = sum(here) / len(here), sum(there) / len(there)
        yield Question(
            "late",
            (branch,),
            (len(here), len(there)),
            "Fisher",
            shares_differ(
                sum(here), len(here) - sum(here), sum(there), len(there) - sum(there), "greater"
            ),
            share - other >= LATE_APART,
            f"{share:.0%} of the entries of {branch} are late, {other:.0%} elsewhere",
            tuple(act.index for act in acts if act.branch == branch and act.late),
        )


def burst(acts: Sequence[Act]) -> Iterator[Question]:
    """Ask for each branch and week: were more entries claimed than weeks have by chance?"""
    by_branch: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        by_branch[act.branch].append(act)
    for branch, own in sorted(by_branch.items()):
        weeks = Counter(_week(act.claimed_on) for act in own)
        count = max(weeks) - min(weeks) + 1
        if len(own) < 2 * SAMPLE_MIN or count < WEEKS_MIN:
            continue
        usual = median(weeks.get(week, 0) for week in range(min(weeks), max(weeks) + 1))
        for week, hits in sorted(weeks.items()):
            first = date.fromordinal(week * 7 + 1).isoformat()
            yield Question(
                "burst",
                (branch, first),
                (hits, len(own), count),
                "binomial",
                too_many(hits, len(own), 1 / count),
                hits >= max(BURST_TIMES * usual, SAMPLE_MIN),
                f"{hits} of the {len(own)} entries of {branch} were claimed in the week from "
                f"{first}; a usual week has {usual:g}",
                tuple(act.index for act in own if _week(act.claimed_on) == week),
            )


def _week(day: str) -> int:
    """Return the number of the week, from Monday on."""
    return (date.fromisoformat(day).toordinal() - 1) // 7


def evidence(acts: Sequence[Act], digests: Mapping[str, str]) -> Iterator[Question]:
    """Report files that are evidence of several acts.

    `digests` are plain SHA-256 digests by commitment, of the erasable store or of disclosed files:
    the public log holds salted commitments, which are never equal.
    """
    shown: dict[str, dict[int, Act]] = defaultdict(dict)
    for act in acts:
        for commitment in act.evidence:
            if commitment in digests:
                shown[digests[commitment]][act.index] = act
    for digest, found in sorted(shown.items()):
        if len(found) > 1:
            people = tuple(sorted({act.member for act in found.values()}))
            yield Question(
                "evidence",
                people,
                (len(found),),
                "equal digests",
                None,
                strong=True,
                explanation=f"the file {digest[:16]}… is evidence of {len(found)} entries",
                entries=tuple(sorted(found)),
            )
