"""Why a published figure is another one than the log's: the single entries that explain it.

One entry at a time is treated otherwise than the rules say, and the member is reckoned again. Each
entry that alone gives the published figure is a cause, with what it and every other entry was
worth and counted on both sides. Where several do, the figure cannot tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.domain.account import CREDIT, REVERSAL
from ledger.rules.member import Member
from projections.acts import ActRow
from projections.frame import Frame
from projections.reckoning import Reckoned, ScoreRow, reckon, segments
from projections.roster import MemberRow, history_of
from projections.scope import Scope

LEFT_OUT, ADDED, TWICE, UNCORRECTED = "left_out", "added", "twice", "uncorrected"
_AGAIN = "~"
"""Behind an entry's id where it is counted twice: behind itself in the order of ids."""


class Side(NamedTuple):
    """What an entry is worth and counts in signed hundredths, and what each stage clipped."""

    worth: int
    counted: int
    clipped: tuple[tuple[str, int], ...]


class Change(NamedTuple):
    """An entry that is not the same on both sides; None where it does not count at all."""

    entry: str
    log: Side | None
    published: Side | None


class Cause(NamedTuple):
    """An entry that was left out, added or counted twice, or whose correction was left out."""

    how: str
    entry: str
    changes: tuple[Change, ...]


Figure = Callable[[ScoreRow], int | None]


class Explained(NamedTuple):
    """The log's figure of a member, and the entries that alone give the published one."""

    log: int | None
    causes: tuple[Cause, ...]


def explain(
    frame: Frame,
    scope: Scope,
    row: MemberRow,
    acts: Sequence[ActRow],
    figure: Figure,
    published: int | None,
) -> Explained:
    """Return why a member's figure in a table was published as another one."""
    member = frame.member(row.id, history_of(row))
    honest = reckon(frame, member, acts, scope.book)
    mine = _figure(frame, scope, honest, figure)
    if mine == published or published is None:
        return Explained(mine, ())
    found, log = [], sides(honest)
    for how, ident, changed in _variants(acts):
        other = reckon(frame, member, changed, scope.book)
        if _figure(frame, scope, other, figure) == published:
            found.append(Cause(how, ident, _changes(log, sides(other))))
    return Explained(mine, tuple(found))


def sides(reckoned: Reckoned) -> dict[str, Side]:
    """Return what each entry that counts under a rulebook is worth and counts, by id."""
    found = {
        each.id: Side(each.worth, each.counted, each.clipped)
        for attribution in reckoned.found.values()
        for each in attribution.entries
    }
    for act in reckoned.imports:
        amount = (act.points or 0) * act.quantity // 100
        signed = amount if act.kind == CREDIT else -amount
        found[act.id] = Side(signed, signed, ())
    return found


def sides_of(frame: Frame, member: Member, acts: Iterable[ActRow]) -> dict[str, Side]:
    """Return the same of all a member's entries, each under its own rulebook."""
    acts, found = list(acts), {}
    for ident in sorted({each.rulebook for each in acts}):
        book = frame.book(ident)
        if book is not None:
            found.update(sides(reckon(frame, member, acts, book)))
    return found


def _figure(frame: Frame, scope: Scope, reckoned: Reckoned, figure: Figure) -> int | None:
    month = scope.asked.period.month
    for row in segments(frame, reckoned, scope.year):
        if row.from_month <= month < row.until_month:
            return figure(row)
    return None


def _variants(acts: Sequence[ActRow]) -> Iterator[tuple[str, str, list[ActRow]]]:
    """Yield each entry treated wrongly: how, its id, and all acts as they then are."""
    by_id = {each.id: each for each in acts}

    def having(*changed: ActRow) -> list[ActRow]:
        return list({**by_id, **{each.id: each for each in changed}}.values())

    for act in sorted(acts, key=lambda each: each.id):
        target = by_id.get(act.reverses or "")
        if target is not None and act.final_index is not None:
            kept = target._replace(counts=True)
            yield UNCORRECTED, act.id, having(kept, act._replace(counts=False))
        if act.counts:
            yield LEFT_OUT, act.id, having(act._replace(counts=False))
            yield TWICE, act.id, [*acts, act._replace(id=act.id + _AGAIN)]
        elif act.item and act.kind != REVERSAL:
            yield ADDED, act.id, having(act._replace(counts=True))


def _changes(log: dict[str, Side], published: dict[str, Side]) -> tuple[Change, ...]:
    return tuple(
        Change(ident, log.get(ident), published.get(ident))
        for ident in sorted({*log, *published})
        if log.get(ident) != published.get(ident)
    )
