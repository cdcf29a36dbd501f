"""Rankings: members of a unit by the points recorded for acts of a period.

Points count as recorded: every award and deduction that is not reversed, under the date of its
act. Ranks are 1, 2, 2, 4 on equal scores, positions inside a tie by member id (rule A22).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from sys import intern
from typing import Annotated, Any, NamedTuple

import psycopg

from ledger.domain.event import Event
from ledger.domain.member import LEFT, posting
from ledger.domain.points import CORRECTED
from ledger.errors import NotFoundError
from projections import roster
from projections.columns import DATE, POINTS, Id, Note
from projections.fold import AsOf, Need, ReadModel, Rows, Table
from projections.period import Period, periods_of
from projections.roster import MEMBER, UNIT, UnitRow
from projections.sql import query


class PostingRow(NamedTuple):
    """A points entry by its statement's id: signed hundredths, and whether it still counts."""

    id: Id
    member: Annotated[str, Note("The member's id.")]
    act_date: Annotated[str, Note("The day of the act.", kind=DATE)]
    points: Annotated[int, Note("Signed: a deduction is below zero.", POINTS)]
    effective: Annotated[bool, Note("Whether it counts, that is, has not been reversed.")]


class ScoreRow(NamedTuple):
    """A member's score for a month, quarter or year of act dates: the sum of what counts."""

    member: Annotated[str, Note("The member's id.")]
    period: Annotated[str, Note("A year, quarter or month: 2025, 2025-Q1 or 2025-03.")]
    points: Annotated[int, Note("The score, as recorded.", POINTS)]


POSTING = Table("posting", PostingRow)
# The past is summed from postings; this is for pages of the present.
SCORE = Table("score", ScoreRow, key_size=2, past=False)


FEW_MEMBERS = 700
"""Up to here a page is cut from the whole ranking; that costs less than to pick it from all."""
_MOST = 2**62


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
    kind, act = proposal.type, proposal.body
    if not kind.startswith("points."):
        return roster.needs(event)
    named: list[Need] = []
    if kind == CORRECTED:
        named.append((POSTING, act["reverses"]))
        act = act.get("replacement", {})
    if act:
        named += _scores(proposal.stream.partition("/")[2], act["act_date"])
    return named


def needs_more(event: Event, rows: Rows) -> Iterable[Need]:
    """Name the scores of what a correction reverses, if that was recorded in an earlier batch."""
    if event.proposal.type != CORRECTED:
        return ()
    target = rows.get(POSTING, event.proposal.body["reverses"])
    return _scores(target.member, target.act_date) if target else ()


def _scores(member: str, act_date: str) -> list[Need]:
    return [(SCORE, (member, period)) for period in periods_of(act_date)]


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
        _score(rows, member, target.act_date, -target.points)
        if "replacement" not in act:
            return
        act = act["replacement"]
        kind = act["type"]
    new = posting(kind, act)
    rows.put(
        POSTING, PostingRow(proposal.id, member, intern(new.act_date), new.points, effective=True)
    )
    _score(rows, member, new.act_date, new.points)


def _score(rows: Rows, member: str, act_date: str, points: int) -> None:
    for period in periods_of(act_date):
        known = rows.get(SCORE, (member, period))
        score = points if known is None else known.points + points
        rows.put(SCORE, ScoreRow(member, intern(period), score))


RANKINGS = ReadModel(
    "rankings",
    2,
    (UNIT, MEMBER, POSTING, SCORE),
    frozenset({"unit", "member"}),
    needs,
    fold,
    needs_more,
)


def rank(
    unit: str,
    period: Period,
    as_of: AsOf,
    scored: Iterable[tuple[str, str, int]],
    units: dict[str, UnitRow],
) -> Ranking:
    """Return the ranking of (member, unit, score) triples, given in any order."""
    ordered = sorted(scored, key=lambda each: (-each[2], each[0]))
    return Ranking(unit, period, as_of, _standings(ordered, None), units)


def _standings(
    ordered: Iterable[tuple[str, str, int]], after: Standing | None
) -> tuple[Standing, ...]:
    """Number places in order, going on behind `after`."""
    standings: list[Standing] = []
    last = after
    for member, at, score in ordered:
        position = last.position + 1 if last else 1
        tied = last.rank if last and last.score == score else position
        last = Standing(position, tied, member, at, score)
        standings.append(last)
    return tuple(standings)


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
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, unit: str, period: Period
) -> Ranking:
    """Return a ranking from a build's tables, as of a size that it holds.

    Raises NotFoundError for an unknown unit.
    """
    units = _covered(connection, build, as_of, unit)
    scored = connection.execute(
        query("rankings", "scores", build).encode(),
        {
            "units": list(units),
            "size": as_of.size,
            "first": period.first,
            "last": period.last,
        },
    ).fetchall()
    return rank(unit, period, as_of, scored, units)


def page_from_database(
    connection: psycopg.Connection[Any],
    build: int,
    as_of: AsOf,
    unit: str,
    period: Period,
    limit: int,
    after: Standing | None = None,
) -> Ranking:
    """Return the next `limit` places of a ranking behind `after`, as of the build's own position.

    Its cost does not grow with the members that the unit covers, but for the end of the list,
    where those without points are looked for. Raises NotFoundError for an unknown unit.
    """
    units = _covered(connection, build, as_of, unit)
    asked: dict[str, Any] = {"units": list(units), "few": FEW_MEMBERS, "size": as_of.size}
    (few,) = connection.execute(
        query("rankings", "few_members", build).encode(), asked
    ).fetchone() or (True,)
    if few:
        return behind(from_database(connection, build, as_of, unit, period), limit, after)
    asked |= {"period": period.text}
    last = (after.score, after.member) if after else (_MOST, "")
    found: list[tuple[str, str, int]] = []
    for name, most, least in (
        ("scored_page", _MOST, 1),
        ("unscored_page", 0, 0),
        ("scored_page", -1, -_MOST),
    ):
        if len(found) < limit and last[0] >= least:
            asked |= {"most": most, "least": least, "limit": limit - len(found)}
            # Within this part the list goes on behind the last place, or from the part's start.
            asked |= {"score": min(last[0], most), "member": last[1] if last[0] <= most else ""}
            found += connection.execute(query("rankings", name, build).encode(), asked).fetchall()
    return Ranking(unit, period, as_of, _standings(found, after), units)


def behind(ranking: Ranking, limit: int, after: Standing | None) -> Ranking:
    """Return the next `limit` places of a whole ranking behind `after`."""
    start = 0
    if after is not None:
        keys = [(-each.score, each.member) for each in ranking.standings]
        start = bisect_right(keys, (-after.score, after.member))
    return replace(ranking, standings=ranking.standings[start : start + limit])


def _covered(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, unit: str
) -> dict[str, UnitRow]:
    found = connection.execute(
        query("rankings", "covered_units", build).encode(), {"unit": unit, "size": as_of.size}
    )
    units = {each[0]: UnitRow(*each) for each in found}
    if not units:
        raise _unknown(unit)
    return units


def _unknown(unit: str) -> NotFoundError:
    return NotFoundError(f"no unit {unit!r} is recorded: ask for one by its id, such as `root`")
