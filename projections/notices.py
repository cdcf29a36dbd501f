"""The notice board (公示栏): what is in publicity in a unit now, and until when anybody may object.

Entries that are shown before they count, and tables of periods under objection. An entry's unit is
the member's on the day of the act (A4); the last day is by the calendar as it stands (A34).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from ledger.domain import account as states
from ledger.domain import period as periods
from ledger.domain.account import REVERSAL
from ledger.domain.closing import objections_until
from ledger.domain.lapses import PUBLICITY, end_of
from ledger.domain.member import LEFT
from ledger.domain.points import worth_now
from ledger.domain.unit import Unit
from ledger.errors import NotFoundError
from projections.commitments import opened_of
from projections.dossier import ENTRY, EntryRow, aggregate
from projections.fold import AsOf, Rows
from projections.frame import Frame, frame_of
from projections.roster import MEMBER, MemberRow, history_of
from projections.sql import query


class Notice(NamedTuple):
    """An entry in publicity; `amount` is signed hundredths before caps, `until` its last day."""

    entry: str
    log_index: int
    member: str
    unit: str
    kind: str
    rulebook: str
    item: str
    act_date: str
    amount: int
    opened_on: str
    until: str


class TableNotice(NamedTuple):
    """A published table that can be objected to, until the last day; `size` is its log size."""

    period: str
    unit: str
    rulebook: str
    start: str
    end: str
    size: int
    until: str


@dataclass(frozen=True, slots=True)
class PeriodNotice:
    """A period with all units by id, and how long its table can be objected to, once published."""

    as_of: AsOf
    period: periods.Period
    units: dict[str, Unit]
    until: str | None


@dataclass(frozen=True, slots=True)
class Board:
    """The board of a unit and those below it, at a position of the log: first what ends first."""

    as_of: AsOf
    unit: str
    tables: tuple[TableNotice, ...]
    entries: tuple[Notice, ...]


def from_rows(rows: Rows, as_of: AsOf, unit: str) -> Board:
    """Return a unit's board from all rows of `dossier.STATEMENTS`. Raises NotFoundError."""
    shown = [each for each in rows.all(ENTRY) if each.state == states.PUBLISHED]
    return _board(frame_of(rows), as_of, unit, shown, lambda ident: rows.get(MEMBER, ident))


def from_database(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, frame: Frame, unit: str
) -> Board:
    """Return a unit's board from a build's tables. Raises NotFoundError for an unknown unit."""
    asked: dict[str, Any] = {"size": as_of.size}
    found = connection.execute(query("statements", "in_publicity", build).encode(), asked)
    shown = [EntryRow(*each) for each in found]
    asked["members"] = list({each.member for each in shown})
    listed = connection.execute(query("statements", "some_members", build).encode(), asked)
    members = {each[0]: MemberRow(*each) for each in listed}
    return _board(frame, as_of, unit, shown, members.get)


def of_period(frame: Frame, as_of: AsOf, ident: str) -> PeriodNotice:
    """Return an opened period for its notice. Raises NotFoundError."""
    world = frame.world
    period = opened_of(frame, ident)
    published = period.state == periods.PUBLISHED
    until = objections_until(world, period) if published else None
    units = {each: unit for each in world.units if (unit := world.units.get(each)) is not None}
    return PeriodNotice(as_of, period, units, until)


def _board(
    frame: Frame,
    as_of: AsOf,
    unit: str,
    shown: Sequence[EntryRow],
    member_of: Callable[[str], MemberRow | None],
) -> Board:
    if frame.unit(unit) is None:
        raise NotFoundError(f"no unit {unit!r} is recorded: ask for one by its id, such as `root`")
    units = frame.covered(unit, frame.today(as_of.recorded_at))
    notices = []
    for row in shown:
        known = member_of(row.member)
        if known is None:
            continue
        spell = frame.member(row.member, history_of(known)).spell_on(row.act_date)
        if spell is None or not spell.path or spell.path[0] not in units:
            continue
        notice = _notice(frame, row, spell.path[0])
        # What was pending when the member left is closed (B17), but for what a decision orders.
        ended = known.status == LEFT and aggregate(row).orders is None
        if not ended or notice.until < str(known.left_on):
            notices.append(notice)
    return Board(
        as_of,
        unit,
        tuple(sorted(_tables(frame, units), key=lambda each: (each.until, each.period))),
        tuple(sorted(notices, key=lambda each: (each.until, each.log_index))),
    )


def _notice(frame: Frame, row: EntryRow, unit: str) -> Notice:
    entry = aggregate(row)
    amount = 0 if row.kind == REVERSAL else worth_now(frame.world, entry)
    return Notice(
        row.id,
        row.log_index,
        row.member,
        unit,
        row.kind,
        row.rulebook,
        row.item,
        row.act_date,
        amount,
        frame.today(entry.opened_at),
        end_of(frame.world, entry, PUBLICITY),
    )


def _tables(frame: Frame, units: Iterable[str]) -> Iterable[TableNotice]:
    covered = frozenset(units)
    for ident in sorted(frame.world.periods):
        period = frame.world.periods.get(ident)
        if period is None or period.state != periods.PUBLISHED or period.unit not in covered:
            continue
        yield TableNotice(
            period.id,
            period.unit,
            period.rulebook,
            period.start,
            period.end,
            period.steps[periods.PUBLISHED].as_of or 0,
            objections_until(frame.world, period),
        )
