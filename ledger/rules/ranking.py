"""Ranks, and who may be graded excellent: tables of one rulebook and one unit (A21, A22, A24).

Whoever takes part (`ledger.rules.member.takes_part`) stands in a table; the caller chooses the
rows, so that one table never mixes scales.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.errors import Refused
from ledger.rules.rulebook import FULL, Quota
from ledger.rules.scoring import Score


class Place(NamedTuple):
    """A position in a table, from 1; members with equal scores share a rank (A22)."""

    position: int
    rank: int
    score: Score


@dataclass(frozen=True, slots=True)
class Excellent:
    """Who has the grade, who is tied over the last places, and how many of those can have it."""

    limit: int
    members: tuple[str, ...]
    tied: tuple[str, ...]
    seats: int


def rank(scores: Iterable[Score]) -> tuple[Place, ...]:
    """Return the table: ranks 1, 2, 2, 4, inside a tie by member id (A22).

    Who has no merit figure (not reviewed, or of a type without merit) has no place.
    """
    merits = [(each.merit, each) for each in scores if each.merit is not None]
    merits.sort(key=lambda pair: (-pair[0], pair[1].member))
    places: list[Place] = []
    for position, (merit, score) in enumerate(merits, 1):
        before = places[-1] if places else None
        tie = before is not None and before.score.merit == merit
        places.append(Place(position, before.rank if tie and before else position, score))
    return tuple(places)


def excellent(quota: Quota, places: Sequence[Place], full_members: int) -> Excellent:
    """Return who is excellent within the quota of `full_members` taking part (A24, A35).

    Only full members of the quota's band without a veto can be. Where a tie crosses the limit,
    all tied stay candidates until the committee's vote on the `seats` that are left.
    """
    limit = full_members * quota.numerator // quota.denominator
    able = [
        each.score
        for each in places
        if each.score.standing == FULL and each.score.grade == quota.band
    ]
    if len(able) <= limit:
        return Excellent(limit, tuple(each.member for each in able), (), 0)
    edge = able[limit].merit
    safe = [each.member for each in able[:limit] if each.merit != edge]
    tied = [each.member for each in able if each.merit == edge]
    if len(safe) == limit:
        return Excellent(limit, tuple(safe), (), 0)
    return Excellent(limit, tuple(safe), tuple(tied), limit - len(safe))


def vote(found: Excellent, chosen: Iterable[str]) -> Excellent:
    """Return the outcome of a signed committee vote among the tied; it cannot exceed the limit."""
    members = tuple(sorted(set(chosen)))
    if not set(members) <= set(found.tied):
        raise Refused("vote-among-tied", "the vote is among the candidates that are tied")
    if len(members) > found.seats:
        raise Refused(
            "quota", f"{len(members)} were chosen, but only {found.seats} places are left"
        )
    return Excellent(found.limit, (*found.members, *members), (), 0)
