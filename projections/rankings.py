"""Rankings: members of a unit by the points recorded for acts of a period.

Points count as recorded: every award and deduction that is not reversed, under the date of its
act. Ranks are 1, 2, 2, 4 on equal scores, positions inside a tie by member id (rule A22).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from sys import intern
from typing import Any, NamedTuple

import psycopg

from ledger.domain.event import Event
from ledger.domain.member import LEFT, posting
from ledger.domain.points import CORRECTED
from ledger.errors import NotFoundError
from projections import roster
from projections.fold import AsOf, Need, ReadModel, Rows, Table
from projections.period import Period
from projections.roster import MEMBER, UNIT, UnitRow
from projections.sql import query


class PostingRow(NamedTuple):
    """A points entry by its statement's id: signed hundredths, and whether it still counts."""

    id: str
    member: str
    act_date: str
    points: int
    effective: bool


POSTING = Table("posting", PostingRow)


class Standing(NamedTuple):
    """A member's place: position from 1, rank (equal in a tie), score in signed hundredths."""

    position: int
    rank: int
    member: str
    unit: str
    score: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """A unit's ranking for a period, at a position of the log; `units` are all it covers."""

    unit: str
    period: Period
    as_of: AsOf
    standings: tuple[Standing, ...]
    units: dict[str, UnitRow]


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event."""
    proposal = event.proposal
    if proposal.type == CORRECTED:
        return ((POSTING, proposal.body["reverses"]),)
    return () if proposal.type.startswith("points.") else roster.needs(event)


def fold(event: Event, rows: Rows) -> None:
    """Fold one event into units, members and postings."""
    proposal = event.proposal
    if not proposal.type.startswith("points."):
        roster.fold(event, rows)
        return
    member = intern(proposal.stream.partition("/")[2])
    kind, act = proposal.type, proposal.body
    if kind == CORRECTED:
        # Both halves come from one entry: what is reversed goes and its replacement comes.
        target = rows.get(POSTING, act["reverses"])
        if target is None or not target.effective or target.member != member:
            raise ValueError(f"{act['reverses']} is no effective points entry of {member}")
        rows.put(POSTING, target._replace(effective=False))
        if "replacement" not in act:
            return
        act = act["replacement"]
        kind = act["type"]
    new = posting(kind, act)
    rows.put(
        POSTING, PostingRow(proposal.id, member, intern(new.act_date), new.points, effective=True)
    )


RANKINGS = ReadModel(
    "rankings", 1, (UNIT, MEMBER, POSTING), frozenset({"unit", "member"}), needs, fold
)


def rank(
    unit: str,
    period: Period,
    as_of: AsOf,
    scored: Iterable[tuple[str, str, int]],
    units: dict[str, UnitRow],
) -> Ranking:
    """Return the ranking of (member, unit, score) triples, given in any order."""
    standings: list[Standing] = []
    for member, at, score in sorted(scored, key=lambda each: (-each[2], each[0])):
        position = len(standings) + 1
        tied = standings[-1].rank if standings and standings[-1].score == score else position
        standings.append(Standing(position, tied, member, at, score))
    return Ranking(unit, period, as_of, tuple(standings), units)


def from_rows(rows: Rows, as_of: AsOf, unit: str, period: Period) -> Ranking:
    """Return a ranking from all rows in memory. Raises NotFoundError for an unknown unit."""
    units = roster.covered({each.id: each for each in rows.all(UNIT)}, unit)
    if not units:
        raise _unknown(unit)
    scores = {each.id: 0 for each in rows.all(MEMBER) if each.unit in units and each.status != LEFT}
    first, last = period.first, period.last
    for _, member, act_date, points, effective in rows.all(POSTING):
        if effective and first <= act_date <= last and member in scores:
            scores[member] += points
    scored = [
        (each.id, each.unit, scores[each.id]) for each in rows.all(MEMBER) if each.id in scores
    ]
    return rank(unit, period, as_of, scored, units)


def from_database(
    connection: psycopg.Connection[Any], as_of: AsOf, unit: str, period: Period
) -> Ranking:
    """Return a ranking from the read model's tables; `as_of` is their position in this snapshot.

    Raises NotFoundError for an unknown unit.
    """
    version = RANKINGS.version
    found = connection.execute(query("rankings", "covered_units", version).encode(), (unit,))
    units = {each[0]: UnitRow(*each) for each in found}
    if not units:
        raise _unknown(unit)
    scored = connection.execute(
        query("rankings", "scores", version).encode(), (period.first, period.last, list(units))
    ).fetchall()
    return rank(unit, period, as_of, scored, units)


def _unknown(unit: str) -> NotFoundError:
    return NotFoundError(f"no unit {unit!r} is recorded: ask for one by its id, such as `root`")
