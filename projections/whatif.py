"""What if: a rulebook version, published or not, tried on the acts that the log holds (A37).

The period's acts in its scope are priced as if it had held since the year's first day; acts of
earlier years keep their prices. An item that the new version lacks, or that the act does not fit,
counts 0 and is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ledger.domain.policy import version_of
from ledger.errors import FormatError, NotFoundError
from ledger.rules.book import Book
from ledger.rules.period import Period as Days
from ledger.rules.rulebook import Version, of_body
from ledger.rules.stages import Scored
from projections.acts import ACT, ActRow
from projections.fold import AsOf, Rows
from projections.frame import Frame, frame_of
from projections.period import Period
from projections.rankings import Ranking, table
from projections.reckoning import Reckoned, ScoreRow, reckon, segments
from projections.roster import MEMBER, history_of
from projections.scope import Asked, Scope

BASE, LIMITS = "base", "floor and ceiling"
"""Causes that are no item's: the full base, and what the score's floor and ceiling add or take."""


class Cause(NamedTuple):
    """An item (or BASE or LIMITS) by whose part a member's figure moves, in signed hundredths."""

    item: str
    before: int
    after: int


class Move(NamedTuple):
    """A member's figure and rank before and after; None where there is none."""

    member: str
    unit: str
    before: int | None
    after: int | None
    rank_before: int | None
    rank_after: int | None
    causes: tuple[Cause, ...]


class Missing(NamedTuple):
    """An item's entries that count 0 under the new version: lacking there, or not fitting it."""

    item: str
    entries: int
    lacking: bool


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Who would move, largest change first; `members` are all that the table ranks or lists."""

    rulebook: str
    version: str
    replaces: tuple[str, ...]
    unit: str
    period: Period
    days: Days
    as_of: AsOf
    members: int
    entries: int
    moves: tuple[Move, ...]
    missing: tuple[Missing, ...]


def what_if(
    rows: Rows,
    as_of: AsOf,
    rulebook: str,
    document: Mapping[str, Any],
    period: Period | None = None,
) -> WhatIf:
    """Try a version's canonical form in the place of those of `rulebook` in force in the period.

    Without `period` it is the year that the log has come to. Raises NotFoundError where the log
    has no such rulebook, FormatError for a version that cannot take its place.
    """
    frame = frame_of(rows)
    book = frame.book(rulebook)
    known = frame.world.rulebooks.get(rulebook)
    if book is None or known is None:
        listed = ", ".join(each.id for each in frame.books()) or "none"
        raise NotFoundError(f"no rulebook {rulebook!r} is published in this log: it has {listed}")
    period = period or _current(frame, as_of, book)
    year, last = period.term(book.periods)
    new = replace(of_body(document), unit=known.unit, effective_from=year.first, pilot=None)
    if new.period_start != book.periods.start:
        raise FormatError(
            f"its year starts on {new.period_start}, that of {rulebook} on {book.periods.start}: "
            "no figures of one can be compared with those of the other"
        )
    kept = [each for each in book.published if each.effective_from < year.first]
    kept = [each for each in kept if each.version != new.version]
    other = Book(rulebook, [*kept, new])
    units = frame.covered(known.unit, last)
    asked = Asked(known.unit, period, rulebook)
    before = Scope(asked, book, year, last, units, book.version_on(last, (known.unit,)))
    after = before._replace(book=other, version=new)
    changed = _frame(frame, rulebook, other, (*kept, new))
    acts: dict[str, list[ActRow]] = {}
    for act in rows.all(ACT):
        if act.rulebook == rulebook and act.counts:
            acts.setdefault(act.member, []).append(act)
    then, now = _Side(frame, before), _Side(changed, after)
    for row in rows.all(MEMBER):
        member = frame.member(row.id, history_of(row))
        spell = member.spell_on(last)
        if spell is None or spell.rulebook != rulebook or spell.path[0] not in units:
            continue
        mine = acts.get(row.id, ())
        then.take(reckon(frame, member, mine, book))
        repriced = [_repriced(frame, act, year, new) for act in mine]
        now.take(reckon(changed, member, repriced, other))
    moves = _moves(then, now, as_of)
    return WhatIf(
        rulebook,
        new.version,
        tuple(dict.fromkeys(r.version for r in then.rows.values())),
        known.unit,
        period,
        Days(year.first, last),
        as_of,
        len(then.rows),
        sum(map(len, then.scored.values())),
        tuple(moves),
        _missing(then, now),
    )


class _Side:
    """One of the two worlds: each member's row and entries in the table's days."""

    def __init__(self, frame: Frame, scope: Scope) -> None:
        self.frame = frame
        self.scope = scope
        self.rows: dict[str, ScoreRow] = {}
        self.scored: dict[str, Sequence[Scored]] = {}
        self.unfit: set[str] = set()

    def take(self, reckoned: Reckoned) -> None:
        """Take over a member's figures."""
        scope, month = self.scope, self.scope.asked.period.month
        for row in segments(self.frame, reckoned, scope.year):
            if row.from_month <= month < row.until_month:
                self.rows[row.member] = row
        found = reckoned.found.get(scope.year)
        entries = found.entries if found is not None else ()
        self.scored[reckoned.member.id] = [e for e in entries if e.date <= scope.last]
        self.unfit.update(reckoned.unfit)

    def table(self, as_of: AsOf) -> Ranking:
        """Return the ranking."""
        return table(self.frame, self.scope, as_of, self.rows.values())

    def parts(self, member: str) -> dict[str, int]:
        """Return what made a member's daily figure, by item."""
        found: Counter[str] = Counter()
        for each in self.scored.get(member, ()):
            if each.account != "service":
                found[each.code] += each.counted
        row = self.rows.get(member)
        if row is not None and row.daily is not None:
            found[BASE] = row.base_total or 0
            found[LIMITS] = (row.lifted or 0) - (row.cut or 0)
        return dict(found)


def _moves(then: _Side, now: _Side, as_of: AsOf) -> list[Move]:
    places = [{each.member: each for each in side.table(as_of).standings} for side in (then, now)]
    moves = []
    for member in sorted({*then.rows, *now.rows}):
        old, new = (side.get(member) for side in places)
        before, after = old and old.score, new and new.score
        ranks = old and old.rank, new and new.rank
        if before == after and ranks[0] == ranks[1]:
            continue
        parts = then.parts(member), now.parts(member)
        causes = [
            Cause(code, parts[0].get(code, 0), parts[1].get(code, 0))
            for code in sorted({*parts[0], *parts[1]})
            if parts[0].get(code, 0) != parts[1].get(code, 0)
        ]
        causes.sort(key=lambda each: (-abs(each.after - each.before), each.item))
        row = now.rows.get(member) or then.rows[member]
        moves.append(Move(member, row.unit, before, after, *ranks, tuple(causes)))
    moves.sort(key=lambda each: (-abs((each.after or 0) - (each.before or 0)), each.member))
    return moves


def _missing(then: _Side, now: _Side) -> tuple[Missing, ...]:
    counts: Counter[tuple[str, bool]] = Counter()
    for member, entries in then.scored.items():
        after = {each.id: each for each in now.scored.get(member, ())}
        for each in entries:
            new = after.get(each.id)
            if each.account and (new is None or not new.account):
                counts[each.code, new is not None] += 1
    return tuple(Missing(code, count, lacking) for (code, lacking), count in sorted(counts.items()))


def _repriced(frame: Frame, act: ActRow, year: Days, new: Version) -> ActRow:
    """Return an act of the year as the new version's; what it lacks of points, the old one had."""
    if not year.first <= str(act.act_date) <= year.last or act.account is not None:
        return act
    points = act.points
    if points is None:
        old = version_of(frame.world, act.rulebook, act.version)
        item = old.items.get(act.item) if old is not None else None
        points = item.points if item is not None else None
    return act._replace(version=new.version, points=points)


def _frame(frame: Frame, rulebook: str, book: Book, versions: tuple[Version, ...]) -> Frame:
    """Return the frame with other versions of one rulebook."""
    found = Frame()
    found.world = frame.world.overlay()
    known = found.world.rulebooks.get(rulebook)
    assert known is not None  # noqa: S101 - the caller found it
    found.world.rulebooks[rulebook] = replace(known, versions=versions, trials={}, book=book)
    found.world.memo = {}
    return found


def _current(frame: Frame, as_of: AsOf, book: Book) -> Period:
    if not as_of.recorded_at:
        raise NotFoundError("the log is empty: there is nothing to try a rulebook on")
    first = book.periods.of(frame.today(as_of.recorded_at)).first
    return Period(first[:4], int(first[:4]), 12)
