"""Rule usage: how often each item was used in a period, what that was worth, and what was clipped.

By item and unit, of the acts of the period's own days, under one rulebook. An act's unit is the
member's on that day (A4). Only what counts is in it: what is final and not taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from ledger.rules.period import Period as Days
from projections.acts import ACT, ActRow
from projections.fold import AsOf, Rows
from projections.frame import Frame, frame_of
from projections.loading import members_with_acts
from projections.reckoning import reckon
from projections.roster import MEMBER, MemberRow, history_of
from projections.scope import Asked, Scope, scope_of


class Used(NamedTuple):
    """An item in a unit: entries, and signed hundredths; `clipped` is what caps took, positive."""

    item: str
    unit: str
    entries: int
    worth: int
    counted: int
    clipped: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of a rulebook's items in a unit and those below it, at a position of the log."""

    as_of: AsOf
    asked: Asked
    rulebook: str
    days: Days
    items: tuple[Used, ...]


def from_rows(rows: Rows, as_of: AsOf, asked: Asked) -> Usage:
    """Return the use of items from all rows of `scores.RANKINGS`.

    Raises what `scope.scope_of` raises.
    """
    frame = frame_of(rows)
    scope = scope_of(frame, asked)
    members = [each for each in rows.all(MEMBER) if each.unit in scope.units or each.moves]
    acts = {each.id: rows.some(ACT, each.id) for each in members}
    return _usage(frame, scope, as_of, members, acts)


def from_database(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, frame: Frame, asked: Asked
) -> Usage:
    """Return the use of items from a build's tables. Raises what `scope.scope_of` raises."""
    scope = scope_of(frame, asked)
    found = members_with_acts(connection, build, as_of.size, scope.units)
    return _usage(frame, scope, as_of, *found)


def _usage(
    frame: Frame,
    scope: Scope,
    as_of: AsOf,
    members: Iterable[MemberRow],
    acts: Mapping[str, Sequence[ActRow]],
) -> Usage:
    days = Days(*scope.asked.period.days(scope.book.periods))
    sums: dict[tuple[str, str], list[int]] = {}
    for row in members:
        mine = [each for each in acts.get(row.id, ()) if each.rulebook == scope.book.id]
        if not mine:
            continue
        member = frame.member(row.id, history_of(row))
        found = reckon(frame, member, mine, scope.book).found.get(scope.year)
        for scored in found.entries if found is not None else ():
            spell = member.spell_on(scored.date)
            unit = spell.path[0] if spell is not None and spell.path else ""
            if days.first <= scored.date <= days.last and unit in scope.units:
                clipped = sum(by for _, by in scored.clipped)
                said = (1, scored.worth, scored.counted, clipped)
                held = sums.setdefault((scored.code, unit), [0, 0, 0, 0])
                held[:] = [a + b for a, b in zip(held, said, strict=True)]
    items = tuple(Used(*key, *sums[key]) for key in sorted(sums))
    return Usage(as_of, scope.asked, scope.book.id, days, items)
