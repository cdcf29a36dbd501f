"""Rankings: the members of a unit by their figures under a rulebook, for a year, quarter or month.

    of the year: provisional, on the daily figure, until the review is closed, then on the annual
    of a month or a quarter: running totals, on the daily figure (A21, A28)

Ranks are 1, 2, 2, 4 on equal figures, positions inside a tie by member id (A22). Who does not take
part stands beside the table with the reason (A23), and the quota is of who does (A24).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ledger.domain.unit import Unit
from ledger.errors import Refused
from ledger.rules import ranking as rules
from ledger.rules.period import Period as Days
from ledger.rules.ranking import Excellent
from ledger.rules.rulebook import FULL
from projections.acts import ACT, ActRow
from projections.fold import AsOf, Rows
from projections.frame import Frame, frame_of
from projections.loading import Connection, acts_of, execute, members_with_acts
from projections.period import Period
from projections.reckoning import APART, NOT_REVIEWED, RANKED, Reckoned, ScoreRow, reckon, segments
from projections.roster import MEMBER, MemberRow, history_of
from projections.scope import Asked, Scope, scope_of

FEW_MEMBERS = 1_500
"""Up to here a page is cut from the whole ranking; that costs less than to pick it from all."""
_MOST = 2**62


class Standing(NamedTuple):
    """A member's place: position from 1, rank (equal in a tie), figure in signed hundredths.

    `veto` names what makes the band unqualified whatever the figure (A35).
    """

    position: int
    rank: int
    member: str
    unit: str
    score: int
    member_type: str = ""
    band: str | None = None
    veto: str | None = None


class Aside(NamedTuple):
    """A member of the unit who is not ranked, and why: one of `reckoning.APART`."""

    member: str
    unit: str
    why: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """A unit's table at a position of the log; `days` are the first and last of its acts.

    `full` are the full members taking part, the N of the quota, None on pages of large tables, as
    is `excellent`; `asides` are on a table's first page. `units` are all that it covers.
    """

    asked: Asked
    rulebook: str
    days: Days
    as_of: AsOf
    provisional: bool
    standings: tuple[Standing, ...]
    asides: tuple[Aside, ...]
    full: int | None
    excellent: Excellent | None
    units: dict[str, Unit]

    @property
    def unit(self) -> str:
        """The unit's id."""
        return self.asked.unit

    @property
    def period(self) -> Period:
        """The period as it was asked for."""
        return self.asked.period


def table(frame: Frame, scope: Scope, as_of: AsOf, rows: Iterable[ScoreRow]) -> Ranking:
    """Return the table of score rows of its month, given in any order."""
    asked = scope.asked
    mine = [
        row
        for row in rows
        if row.unit in scope.units and asked.member_type in (None, row.member_type)
    ]
    final = _final(frame, scope, {row.unit for row in mine if row.place == RANKED})
    figured = [(row, row.annual if final else row.daily) for row in mine if row.place == RANKED]
    ranked = [(row, figure) for row, figure in figured if figure is not None]
    ranked.sort(key=lambda each: (-each[1], each[0].member))
    asides = [Aside(row.member, row.unit, row.place) for row in mine if row.place in APART]
    asides += [Aside(row.member, row.unit, NOT_REVIEWED) for row, fig in figured if fig is None]
    standings = _standings((_triple(row, figure, final) for row, figure in ranked), None)
    full = sum(row.standing == FULL for row, _ in figured)
    excellent = None
    if asked.category is None and asked.member_type is None:
        excellent = _excellent(frame, scope, [row for row, _ in ranked], standings, full)
    return Ranking(
        asked,
        scope.book.id,
        Days(scope.year.first, scope.last),
        as_of,
        not final,
        standings,
        tuple(sorted(asides)),
        full,
        excellent,
        scope.units,
    )


def _triple(row: ScoreRow, figure: int, final: bool) -> Standing:
    band = row.grade if final else row.band
    return Standing(0, 0, row.member, row.unit, figure, row.member_type, band, row.veto)


def _standings(ordered: Iterable[Standing], after: Standing | None) -> tuple[Standing, ...]:
    """Number places in order, going on behind `after`."""
    standings: list[Standing] = []
    last = after
    for each in ordered:
        position = last.position + 1 if last else 1
        tied = last.rank if last and last.score == each.score else position
        last = each._replace(position=position, rank=tied)
        standings.append(last)
    return tuple(standings)


def _reviews(scope: Scope) -> bool:
    return scope.version is not None and scope.version.annual.has_review


def _final(frame: Frame, scope: Scope, units: Iterable[str]) -> bool:
    """Tell whether a table is on the annual figure: no review, or all of them closed (A21)."""
    if not _reviews(scope):
        return True
    return scope.asked.period.whole and bool(units) and not _open_units(frame, scope, units)


def _open_units(frame: Frame, scope: Scope, units: Iterable[str]) -> list[str]:
    found = []
    for unit in units:
        path = frame.path(unit, scope.last)
        opened = frame.year_of(scope.book.id, scope.year.first, path)
        if opened is None or not opened.reviewed:
            found.append(unit)
    return found


def _excellent(
    frame: Frame,
    scope: Scope,
    rows: Sequence[ScoreRow],
    standings: Sequence[Standing],
    full: int,
) -> Excellent | None:
    quota = scope.version.quota if scope.version is not None else None
    if quota is None:
        return None
    places = [
        rules.Place(row.member, row.standing, at.score, at.band)
        for row, at in zip(rows, standings, strict=True)
    ]
    found = rules.excellent(quota, places, full)
    opened = frame.periods(scope.book.id, "year", scope.year.first).get(scope.asked.unit)
    chosen = opened.votes.get(quota.grade) if opened is not None else None
    if chosen and found.tied and scope.asked.period.whole:
        try:
            return rules.vote(found, chosen)
        except Refused:
            return found  # the vote was on another standing of the table: it decides nothing here
    return found


# -- figures reckoned when they are asked for ------------------------------------------------------


def reckoned_rows(
    frame: Frame, scope: Scope, members: Iterable[MemberRow], acts: dict[str, list[ActRow]]
) -> Iterable[ScoreRow]:
    """Yield the score rows of a table's month, reckoned from members and their acts."""
    month = scope.asked.period.month
    for row in members:
        member = frame.member(row.id, history_of(row))
        spell = member.spell_on(scope.last)
        if spell is None or spell.rulebook != scope.book.id:
            continue
        reckoned = reckon(frame, member, acts.get(row.id, ()), scope.book)
        for each in segments(frame, reckoned, scope.year, month):
            if each.from_month <= month < each.until_month:
                if scope.asked.category is not None:
                    each = _of_category(reckoned, scope, each)  # noqa: PLW2901
                yield each


def _of_category(reckoned: Reckoned, scope: Scope, row: ScoreRow) -> ScoreRow:
    """Put in a row's figures what the items of one module counted in merit."""
    member, book, total = reckoned.member, scope.book, 0
    found = reckoned.found.get(scope.year)
    for scored in found.entries if found is not None else ():
        if scored.date > scope.last or scored.account != "merit":
            continue
        spell = member.spell_on(scored.date)
        version = book.version_on(scored.date, spell.path if spell else ())
        item = version.items.get(scored.code) if version is not None else None
        if item is not None and item.category == scope.asked.category:
            total += scored.counted
    return row._replace(daily=total, annual=total, band=None, grade=None, veto=None)


def from_rows(rows: Rows, as_of: AsOf, unit: str, period: Period, **only: str | None) -> Ranking:
    """Return a ranking from all rows in memory; `only` as in `Asked`. Raises as `scope_of` does."""
    frame = frame_of(rows)
    scope = scope_of(frame, Asked(unit, period, **only))
    acts: dict[str, list[ActRow]] = {}
    for act in rows.all(ACT):
        acts.setdefault(act.member, []).append(act)
    members = [each for each in rows.all(MEMBER) if each.unit in scope.units or each.moves]
    return table(frame, scope, as_of, reckoned_rows(frame, scope, members, acts))


# -- in the database -------------------------------------------------------------------------------


def from_database(
    connection: Connection, build: int, as_of: AsOf, frame: Frame, asked: Asked, *, newest: bool
) -> Ranking:
    """Return a ranking from a build's tables, as of a size that it holds.

    Raises what `scope_of` raises.
    """
    scope = scope_of(frame, asked)
    if not newest or asked.category is not None:
        return table(frame, scope, as_of, _past(connection, build, as_of.size, frame, scope))
    rows = [ScoreRow(*each) for each in execute(connection, "table", build, _values(scope))]
    lacking = _lacking(connection, build, as_of.size, frame, scope)
    return table(frame, scope, as_of, [*rows, *lacking])


def page_from_database(
    connection: Connection,
    build: int,
    as_of: AsOf,
    frame: Frame,
    asked: Asked,
    limit: int,
    after: Standing | None = None,
) -> Ranking:
    """Return the next `limit` places of a ranking behind `after`, as of the build's own position.

    Its cost does not grow with the members that the unit covers, unless some have no figures for
    that year yet: the opening of its period makes them. Raises what `scope_of` raises.
    """
    scope = scope_of(frame, asked)
    values = _values(scope)
    ((many,),) = execute(connection, "many_members", build, values | {"few": FEW_MEMBERS})
    if not many or asked.category is not None or execute(connection, "lacking", build, values):
        whole = from_database(connection, build, as_of, frame, asked, newest=True)
        return behind(whole, limit, after)
    final = not _reviews(scope)
    if not final and asked.period.whole:
        still = _open_units(frame, scope, scope.units)
        final = len(still) < len(scope.units)
        if final and still:
            ((some,),) = execute(connection, "some_ranked", build, values | {"units": still})
            final = not some
    last = (after.score, after.member) if after else (_MOST, "")
    values |= {"score": last[0], "member": last[1], "limit": limit}
    # Without a review the two figures are the same.
    name = "page_annual" if final and _reviews(scope) else "page_daily"
    found = execute(connection, name, build, values)
    standings = _standings(
        (Standing(0, 0, *each) for each in found),
        after,
    )
    asides: tuple[Aside, ...] = ()
    if after is None:
        asides = tuple(
            Aside(*each)
            for each in execute(
                connection, "asides", build, values | {"places": sorted(APART), "final": final}
            )
        )
    days = Days(scope.year.first, scope.last)
    return Ranking(
        asked, scope.book.id, days, as_of, not final, standings, asides, None, None, scope.units
    )


def behind(ranking: Ranking, limit: int, after: Standing | None) -> Ranking:
    """Return the next `limit` places of a whole ranking behind `after`."""
    start = 0
    if after is not None:
        keys = [(-each.score, each.member) for each in ranking.standings]
        start = bisect_right(keys, (-after.score, after.member))
        ranking = replace(ranking, asides=())
    return replace(ranking, standings=ranking.standings[start : start + limit])


def _values(scope: Scope) -> dict[str, Any]:
    return {
        "units": list(scope.units),
        "rulebook": scope.book.id,
        "year": scope.year.first,
        "last": scope.last,
        "month": scope.asked.period.month,
        "member_type": scope.asked.member_type,
    }


def _past(
    connection: Connection, build: int, size: int, frame: Frame, scope: Scope
) -> Iterable[ScoreRow]:
    return reckoned_rows(frame, scope, *members_with_acts(connection, build, size, scope.units))


def _lacking(
    connection: Connection, build: int, size: int, frame: Frame, scope: Scope
) -> Iterable[ScoreRow]:
    """Yield the figures of members who have none in the table's year: nothing touched them yet."""
    if not execute(connection, "lacking", build, _values(scope)):
        return ()
    members = [
        MemberRow(*each) for each in execute(connection, "lacking_members", build, _values(scope))
    ]
    return reckoned_rows(frame, scope, members, acts_of(connection, build, size, members))
