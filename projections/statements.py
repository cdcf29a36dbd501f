"""A member's statement (积分明细, 一人一档): every entry with its way, its worth and what counted.

Each entry shows what it was worth, what counted and what clipped it (A11); one that is on its way
shows what it would count (A29); one that became final after a seal is marked (A31).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from ledger.domain.account import ENDED, REVERSAL, REVERSED, Account, PointsEntry, effective
from ledger.domain.closing import adjusts
from ledger.domain.lapses import Due, due_term
from ledger.domain.member import Member
from ledger.domain.period import PUBLISHED
from ledger.domain.points import worth_now
from ledger.domain.policy import version_of
from ledger.domain.unit import Unit
from ledger.errors import NotFoundError
from ledger.rules import member as rules
from ledger.rules.book import Book
from ledger.rules.rulebook import MERIT
from ledger.rules.stages import Scored
from projections.acts import ActRow
from projections.dossier import (
    ENTRY,
    KEY,
    ROLE,
    STEP,
    EntryRow,
    KeyRow,
    RoleRow,
    StepRow,
    aggregate,
)
from projections.fold import AsOf, Rows
from projections.frame import Frame, frame_of
from projections.reckoning import ScoreRow, reckon, segments
from projections.roster import MEMBER, MemberRow, history_of
from projections.scores import rulebooks_of
from projections.sql import query

PAGE_ENTRIES = 1_000


class Signer(NamedTuple):
    """Who signed, by actor id (the key's where it is not known), and the roles held then."""

    actor: str
    roles: tuple[str, ...]


class WayStep(NamedTuple):
    """One statement of an entry's way, and who signed it."""

    row: StepRow
    signers: tuple[Signer, ...]


class Shown(NamedTuple):
    """A table of a period that was published while it held the entry's day, and its log size.

    `counted` says whether the entry was final before that size; `state` is the period's now.
    """

    period: str
    as_of: int
    counted: bool
    state: str


class Line(NamedTuple):
    """An entry of a statement; points are signed hundredths, a debit below zero.

    `counted` is None for an entry that counts nothing, `would` what a pending one would count.
    `clipped` lists stages with positive amounts; `unpriced` says that the rules in force for the
    member do not fit the act. `adjusts` are periods that were sealed before it became final.
    `stood` is the daily figure before and after it, in the order of acts, without the figure's own
    floor and ceiling; None where it does not move that figure.
    """

    entry: EntryRow
    names: tuple[str, ...]
    worth: int
    counted: int | None
    would: int | None
    clipped: tuple[tuple[str, int], ...]
    unpriced: bool
    due: Due | None
    adjusts: tuple[str, ...]
    shown: tuple[Shown, ...]
    steps: tuple[WayStep, ...]
    stood: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class MemberStatement:
    """A member's figures by rulebook and year, and entries in order of recording, at a position.

    `lines` may be a page; `more` tells whether entries follow it.
    """

    member: MemberRow
    unit: Unit
    as_of: AsOf
    figures: tuple[ScoreRow, ...]
    lines: tuple[Line, ...]
    more: bool


class _Held(NamedTuple):
    """A member's entries, others' halves of them, and ways to look up the steps of a page."""

    member: MemberRow
    entries: Sequence[EntryRow]
    halves: Sequence[EntryRow]
    steps: Callable[[Sequence[EntryRow]], Iterable[StepRow]]
    keys: Callable[[set[str]], Iterable[KeyRow]]
    roles: Callable[[set[str]], Iterable[RoleRow]]


def from_rows(
    rows: Rows, as_of: AsOf, member: str, after: int = 0, limit: int = PAGE_ENTRIES
) -> MemberStatement:
    """Return a statement from all rows in memory: entries behind `after` (a seq), so many at most.

    Raises NotFoundError for an unknown member.
    """
    known = rows.get(MEMBER, member)
    if known is None:
        raise _unknown(member)
    entries = rows.some(ENTRY, member)
    halves = [rows.get(ENTRY, each.half) for each in entries if each.half]

    def steps(page: Sequence[EntryRow]) -> Iterable[StepRow]:
        ids = {each.id for each in page}
        return (each for each in rows.all(STEP) if each.entry in ids)

    def keys(ids: set[str]) -> Iterable[KeyRow]:
        return (row for each in sorted(ids) if (row := rows.get(KEY, each)) is not None)

    def roles(actors: set[str]) -> Iterable[RoleRow]:
        return (row for each in sorted(actors) for row in rows.some(ROLE, each))

    held = _Held(known, entries, [each for each in halves if each], steps, keys, roles)
    return _statement(frame_of(rows), _of_member(as_of, member), held, after, limit)


def from_database(
    connection: psycopg.Connection[Any],
    build: int,
    as_of: AsOf,
    frame: Frame,
    member: str,
    after: int = 0,
    limit: int = PAGE_ENTRIES,
) -> MemberStatement:
    """Return a statement from a build's tables, as of a size that it holds.

    Raises NotFoundError for an unknown member.
    """

    def ask(name: str, **values: Any) -> list[Any]:
        values["size"] = as_of.size
        return connection.execute(query("statements", name, build).encode(), values).fetchall()

    found = ask("member", member=member)
    if not found:
        raise _unknown(member)
    entries = [EntryRow(*each) for each in ask("entries", member=member)]
    halves = [each.half for each in entries if each.half]
    held = _Held(
        MemberRow(*found[0]),
        entries,
        [EntryRow(*each) for each in ask("entries_by_id", ids=halves)] if halves else (),
        lambda page: (StepRow(*each) for each in ask("steps", ids=[each.id for each in page])),
        lambda ids: (KeyRow(*each) for each in ask("keys", ids=sorted(ids))),
        lambda actors: (RoleRow(*each) for each in ask("roles", actors=sorted(actors))),
    )
    return _statement(frame, _of_member(as_of, member), held, after, limit)


def _statement(frame: Frame, as_of: AsOf, held: _Held, after: int, limit: int) -> MemberStatement:
    row = held.member
    unit = frame.unit(row.unit)
    if unit is None:
        raise NotFoundError(f"the unit {row.unit} of member {row.id} is not recorded")
    member = frame.member(row.id, history_of(row))
    ordered = sorted(held.entries, key=lambda each: each.log_index)
    whole = {each.id: aggregate(each) for each in ordered}
    acts = _acts(row.id, ordered, whole, held.halves)
    figures, scored, stood = _figures(frame, member, acts)
    page = [each for each in ordered if each.seq > after]
    more, page = len(page) > limit, page[:limit]
    ways = _ways(held, page)
    lines = []
    for each in page:
        entry = whole[each.id]
        done = scored.get(each.id)
        would = None
        if (
            each.state not in (*ENDED, REVERSED)
            and each.kind != REVERSAL
            and not acts[each.id].counts
        ):
            would = _would(frame, member, acts, acts[each.id])
        line = _line(frame, row, member, each, entry, done, would, acts[each.id], ways[each.id])
        lines.append(line._replace(stood=stood.get(each.id)))
    return MemberStatement(row, unit, as_of, tuple(figures), tuple(lines), more)


def _acts(
    member: str,
    rows: Sequence[EntryRow],
    whole: Mapping[str, PointsEntry],
    halves: Sequence[EntryRow],
) -> dict[str, ActRow]:
    """Return entries as scoring reads them, with the domain's word on what is effective."""
    mine = Account(0, dict(whole))
    others: dict[str, Account] = {}
    for half in halves:
        stream = f"member/{half.member}"
        others.setdefault(stream, Account(0, {})).entries[half.id] = aggregate(half)
    found = {}
    for row in rows:
        entry = whole[row.id]
        found[row.id] = ActRow(
            row.id,
            member,
            entry.rulebook,
            entry.version,
            entry.kind,
            entry.origin,
            entry.account,
            entry.item,
            entry.act_date,
            entry.quantity,
            entry.points,
            entry.activity,
            entry.deed,
            entry.state,
            effective(mine, entry, others.get),
            entry.final_index,
            entry.reverses,
            entry.reversed_by,
            row.half,
        )
    return found


def _figures(
    frame: Frame, member: rules.Member, acts: Mapping[str, ActRow]
) -> tuple[list[ScoreRow], dict[str, Scored], dict[str, tuple[int, int]]]:
    """Return each year's last figures under each rulebook, and what became of each entry.

    And what the daily figure was before and after each that moves it.
    """
    figures: list[ScoreRow] = []
    scored: dict[str, Scored] = {}
    stood: dict[str, tuple[int, int]] = {}
    for ident in sorted(rulebooks_of(member, (each.rulebook for each in acts.values()))):
        book = frame.book(ident)
        if book is None:
            continue
        reckoned = reckon(frame, member, acts.values(), book)
        days = {str(each.act_date) for each in acts.values() if each.rulebook == ident}
        days |= {each.day for each in member.vetoes if each.rulebook == ident}
        years = {book.periods.of(day) for day in days}
        for year in sorted(years or {book.periods.of(member.spells[-1].start)}):
            last = segments(frame, reckoned, year)[-1:]
            figures += last
            found = reckoned.found.get(year)
            if last and found is not None:
                stood.update(_stood(last[0], found.entries))
        for attribution in reckoned.found.values():
            scored.update((each.id, each) for each in attribution.entries)
    return figures, scored, stood


def _stood(figure: ScoreRow, entries: Iterable[Scored]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the daily figure before and after each entry of a year that moves it."""
    if figure.daily is None:
        return
    moving = [each for each in entries if each.account == MERIT and each.counted]
    # What is not of an act, the base and an opening balance, comes before all of them.
    at = figure.daily - (figure.lifted or 0) + (figure.cut or 0)
    at -= sum(each.counted for each in moving)
    for each in moving:
        yield each.id, (at, at + each.counted)
        at += each.counted


def _would(
    frame: Frame, member: rules.Member, acts: Mapping[str, ActRow], act: ActRow
) -> int | None:
    """Return what a pending entry would count if it were final now, in the place of its target."""
    if act.account is not None:
        return _signed(act)
    book: Book | None = frame.book(act.rulebook)
    if book is None:
        return None
    mine = [
        each._replace(counts=True) if each.id == act.id else each
        for each in acts.values()
        if each.id != act.reverses
    ]
    for found in reckon(frame, member, mine, book).found.values():
        for each in found.entries:
            if each.id == act.id:
                return each.counted
    return None


def _signed(act: ActRow) -> int:
    amount = (act.points or 0) * act.quantity // 100
    return amount if act.kind == "credit" else -amount


def _line(
    frame: Frame,
    row: MemberRow,
    member: rules.Member,
    shown: EntryRow,
    entry: PointsEntry,
    scored: Scored | None,
    would: int | None,
    act: ActRow,
    way: tuple[WayStep, ...],
) -> Line:
    version = version_of(frame.world, entry.rulebook, entry.version)
    item = version.items.get(entry.item) if version is not None else None
    names = tuple(dict.fromkeys((item.name_zh, item.name_en))) if item is not None else ()
    worth = scored.worth if scored is not None else worth_now(frame.world, entry)
    counted = scored.counted if scored is not None else None
    unpriced = act.counts and act.account is None and (scored is None or not scored.account)
    if act.counts and act.account is not None:
        worth = counted = _signed(act)
    if entry.kind == REVERSAL:
        worth = 0
    # A term needs the member's own state and last day only where the member has left (B17).
    frame.world.members[row.id] = Member(*row[:6])
    frame.world.histories[row.id] = history_of(row)
    spell = member.spell_on(entry.act_date)
    adjusted: tuple[str, ...] = ()
    if spell is not None and spell.path and act.counts and entry.final_index is not None:
        at = (spell.path[0], entry.rulebook, entry.act_date, entry.final_index)
        adjusted = adjusts(frame.world, *at)
    return Line(
        shown,
        names,
        worth,
        counted,
        would,
        scored.clipped if scored is not None else (),
        unpriced,
        due_term(frame.world, row.id, entry),
        adjusted,
        _shown(frame, entry, spell.path if spell is not None else ()),
        way,
    )


def _shown(frame: Frame, entry: PointsEntry, path: Sequence[str]) -> tuple[Shown, ...]:
    """Return the published tables of periods that hold the act's day, smallest period first."""
    found = []
    for ident in sorted(frame.world.periods):
        period = frame.world.periods.get(ident)
        if (
            period is None
            or period.unit not in path
            or period.rulebook != entry.rulebook
            or not period.start <= entry.act_date <= period.end
            or PUBLISHED not in period.steps
        ):
            continue
        as_of = period.steps[PUBLISHED].as_of or 0
        counted = entry.final_index is not None and entry.final_index < as_of
        found.append((period.end, Shown(period.id, as_of, counted, period.state)))
    return tuple(each for _, each in sorted(found))


def _ways(held: _Held, page: Sequence[EntryRow]) -> dict[str, tuple[WayStep, ...]]:
    rows = sorted(held.steps(page), key=lambda each: each.log_index)
    keys = {key for row in rows for key in row.keyids.split(",") if key}
    owners = {each.id: each.actor for each in held.keys(keys)}
    roles: dict[str, list[RoleRow]] = {}
    for each in held.roles(set(owners.values())):
        roles.setdefault(each.actor, []).append(each)
    found: dict[str, list[WayStep]] = {each.id: [] for each in page}
    for row in rows:
        signers = []
        for key in filter(None, row.keyids.split(",")):
            actor = owners.get(key, key)
            then = {
                each.role
                for each in roles.get(actor, ())
                if each.granted < row.log_index
                and (each.revoked is None or row.log_index < each.revoked)
            }
            signers.append(Signer(actor, tuple(sorted(then))))
        found[row.entry].append(WayStep(row, tuple(signers)))
    return {name: tuple(steps) for name, steps in found.items()}


def _of_member(as_of: AsOf, member: str) -> AsOf:
    """Leave out parked streams of other members: they change nothing here."""
    others = tuple(
        each
        for each in as_of.parked
        if not each.startswith("member/") or each == f"member/{member}"
    )
    return as_of._replace(parked=others)


def _unknown(member: str) -> NotFoundError:
    return NotFoundError(f"no member {member!r} is recorded: ask for one by its id")
