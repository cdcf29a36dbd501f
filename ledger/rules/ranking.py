"""Who may be graded excellent in the table of one rulebook and one unit (A24).

Whoever takes part (`ledger.rules.member.takes_part`) stands in a table; the caller chooses the
rows, so that one table never mixes scales.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.errors import Refused
from ledger.rules.rulebook import FULL, Quota


class Place(NamedTuple):
    """A member's place in a table: what the type is, the figure in hundredths, its band (A35)."""

    member: str
    standing: str
    merit: int
    grade: str | None


@dataclass(frozen=True, slots=True)
class Excellent:
    """Who has the grade, who is tied over the last places, and how many of those can have it."""

    limit: int
    members: tuple[str, ...]
    tied: tuple[str, ...]
    seats: int


def excellent(quota: Quota, places: Sequence[Place], full_members: int) -> Excellent:
    """Return who is excellent within the quota of `full_members` taking part (A24, A35).

    `places` are in the table's order (A22). Only full members of the quota's band without a veto
    can be. Where a tie crosses the limit, all tied stay candidates until the committee's vote on
    the `seats` that are left.
    """
    limit = full_members * quota.numerator // quota.denominator
    able = [each for each in places if each.standing == FULL and each.grade == quota.band]
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
