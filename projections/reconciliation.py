"""Roster reconciliation: everyone in a unit is scored, exempt, or beside the ranking with a reason.

The roster is who is in the unit on the period's last day, from the members' own history; the other
side is the published ranking. What stands on one side alone is named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from projections import rankings
from projections.fold import AsOf, Rows
from projections.frame import Frame, frame_of
from projections.loading import members_of
from projections.rankings import Ranking
from projections.reckoning import EXEMPTED
from projections.roster import MEMBER, MemberRow, history_of
from projections.scope import Asked, Scope, scope_of


class Counted(NamedTuple):
    """A unit: members on the roster, and how the ranking has them.

    `aside` stand beside the ranking and are not exempt, `elsewhere` are under another rulebook.
    `unexplained` are ids that stand on one side alone.
    """

    unit: str
    roster: int
    scored: int
    exempt: int
    aside: int
    elsewhere: int
    unexplained: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        """Whether exempt + scored + not taking part = roster, with nobody on one side alone."""
        both = self.scored + self.exempt + self.aside + self.elsewhere
        return both == self.roster and not self.unexplained


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The units of a table, by id, at a position of the log.

    `confirmed` is the total that the unit above signed for the opened period of these days.
    """

    as_of: AsOf
    asked: Asked
    rulebook: str
    day: str
    units: tuple[Counted, ...]
    confirmed: int | None = None

    @property
    def total(self) -> int:
        """How many members are on the roster."""
        return sum(each.roster for each in self.units)

    @property
    def agrees(self) -> bool | None:
        """Whether the unit above signed the same total (cheat 17), None where it signed none."""
        return None if self.confirmed is None else self.confirmed == self.total

    @property
    def balanced(self) -> bool:
        """Whether every unit is, and the total is not another than the unit above signed."""
        return all(each.balanced for each in self.units) and self.agrees is not False


def from_rows(rows: Rows, as_of: AsOf, asked: Asked) -> Reconciliation:
    """Reconcile a table from all rows of `scores.RANKINGS`. Raises as `scope.scope_of` does."""
    frame = frame_of(rows)
    scope = scope_of(frame, asked)
    ranking = rankings.from_rows(rows, as_of, asked.unit, asked.period, rulebook=asked.rulebook)
    return reconcile(frame, scope, ranking, rows.all(MEMBER))


def from_database(
    connection: psycopg.Connection[Any],
    build: int,
    as_of: AsOf,
    frame: Frame,
    asked: Asked,
    *,
    newest: bool,
) -> Reconciliation:
    """Reconcile a table from a build's tables. Raises what `scope.scope_of` raises."""
    scope = scope_of(frame, asked)
    ranking = rankings.from_database(connection, build, as_of, frame, asked, newest=newest)
    members = members_of(connection, build, as_of.size, scope.units)
    return reconcile(frame, scope, ranking, members)


def reconcile(
    frame: Frame, scope: Scope, ranking: Ranking, members: Iterable[MemberRow]
) -> Reconciliation:
    """Hold a table against the members' own histories."""
    listed = {each.member: (each.unit, "") for each in ranking.standings}
    listed |= {each.member: (each.unit, each.why) for each in ranking.asides}
    roster: dict[str, dict[str, str]] = {unit: {} for unit in scope.units}
    for row in members:
        spell = frame.member(row.id, history_of(row)).spell_on(scope.last)
        if spell is not None and spell.path and spell.path[0] in roster:
            roster[spell.path[0]][row.id] = spell.rulebook
    units = tuple(
        _counted(
            unit, roster[unit], {m: why for m, (at, why) in listed.items() if at == unit}, scope
        )
        for unit in sorted(roster)
    )
    first, _ = ranking.asked.period.days(scope.book.periods)
    opened = frame.periods(scope.book.id, ranking.asked.period.kind, first).get(scope.asked.unit)
    confirmed = opened.roster if opened is not None else None
    return Reconciliation(ranking.as_of, ranking.asked, scope.book.id, scope.last, units, confirmed)


def _counted(unit: str, roster: dict[str, str], listed: dict[str, str], scope: Scope) -> Counted:
    other = {each for each, rulebook in roster.items() if rulebook != scope.book.id}
    unexplained = (roster.keys() - other) ^ listed.keys()
    exempt = sum(why == EXEMPTED for why in listed.values())
    scored = sum(not why for why in listed.values())
    return Counted(
        unit,
        len(roster),
        scored,
        exempt,
        len(listed) - scored - exempt,
        len(other),
        tuple(sorted(unexplained)),
    )
