"""A member's statement (积分明细): every points entry, what it changed, and what corrected it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated, Any, NamedTuple

import psycopg

from ledger.domain.event import Event
from ledger.domain.member import posting
from ledger.domain.points import CORRECTED
from ledger.errors import NotFoundError
from projections import roster
from projections.columns import DATE, POINTS, Id, MaybeId, Note
from projections.fold import AsOf, Need, ReadModel, Rows, Table
from projections.roster import MEMBER, UNIT, MemberRow, UnitRow
from projections.sql import query


class StepRow(NamedTuple):
    """A points entry by its statement's id.

    `points` is what it brings in itself, `change` what it does to the balance, both in signed
    hundredths: a correction also takes away the points of the entry that it `reverses`. One
    without a replacement brings in nothing and has no act.
    """

    id: Id
    member: Annotated[str, Note("The member's id.")]
    seq: Annotated[int, Note("Place in the member's stream, from 1.")]
    log_index: Annotated[int, Note("Place in the log, from 0.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]
    type: Annotated[str, Note("points.awarded, points.deducted or points.corrected.")]
    rulebook: Annotated[str | None, Note("The rulebook of the item.")]
    version: Annotated[str | None, Note("The rulebook's version.")]
    item: Annotated[str | None, Note("The item's code in the rulebook.")]
    act_date: Annotated[str | None, Note("The day of the act.", kind=DATE)]
    points: Annotated[int, Note("What the entry itself brings in.", POINTS)]
    change: Annotated[int, Note("What it does to the balance, with what it reverses.", POINTS)]
    reverses: Annotated[MaybeId, Note("The entry that this one reverses.")]
    reversed_by: Annotated[MaybeId, Note("The entry that reverses this one.")]


class ItemRow(NamedTuple):
    """A rule item's names in one version of its rulebook."""

    rulebook: Annotated[str, Note("The rulebook's id.")]
    version: Annotated[str, Note("The rulebook's version.")]
    code: Annotated[str, Note("The item's code.")]
    name_zh: Annotated[str, Note("The item's name in Chinese.")]
    name_en: Annotated[str, Note("The item's name in English.")]


STEP = Table("step", StepRow)
ITEM = Table("item", ItemRow, key_size=3)


class Step(NamedTuple):
    """A line of a statement; `balance` is after it, links are statements of the same member."""

    entry: StepRow
    item: ItemRow | None
    balance: int


@dataclass(frozen=True, slots=True)
class MemberStatement:
    """A member with every step in order of recording, at a position of the log."""

    member: MemberRow
    unit: UnitRow
    as_of: AsOf
    steps: tuple[Step, ...]

    @property
    def balance(self) -> int:
        """The sum of what counts, in signed hundredths."""
        return self.steps[-1].balance if self.steps else 0


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event."""
    proposal = event.proposal
    if proposal.type == CORRECTED:
        return ((STEP, proposal.body["reverses"]),)
    if proposal.type.startswith(("points.", "rulebook.")):
        return ()
    return roster.needs(event)


def fold(event: Event, rows: Rows) -> None:
    """Fold one event into units, members, items and steps."""
    proposal = event.proposal
    kind, body = proposal.type, proposal.body
    ident = proposal.stream.partition("/")[2]
    if kind == "rulebook.published":
        for item in body["items"]:
            names = (item["name_zh"], item["name_en"])
            rows.put(ITEM, ItemRow(ident, body["version"], item["code"], *names))
        return
    if not kind.startswith("points."):
        roster.fold(event, rows)
        return
    act: dict[str, Any] | None = body
    change, reverses = 0, None
    if kind == CORRECTED:
        reverses = body["reverses"]
        target = rows.get(STEP, reverses)
        if target is None or target.reversed_by or not target.act_date or target.member != ident:
            raise ValueError(f"{reverses} is no effective points entry of {ident}")
        rows.put(STEP, target._replace(reversed_by=proposal.id))
        change = -target.points
        act = body.get("replacement")
    points = posting(act.get("type", kind), act).points if act else 0
    terms = act or {}
    rows.put(
        STEP,
        StepRow(
            proposal.id,
            ident,
            event.seq,
            event.index,
            event.recorded_at,
            kind,
            terms.get("rulebook"),
            terms.get("version"),
            terms.get("item"),
            terms.get("act_date"),
            points,
            change + points,
            reverses,
            None,
        ),
    )


STATEMENTS = ReadModel(
    "statements",
    2,
    (UNIT, MEMBER, STEP, ITEM),
    frozenset({"unit", "member", "rulebook"}),
    needs,
    fold,
)


def from_rows(rows: Rows, as_of: AsOf, member: str) -> MemberStatement:
    """Return a statement from all rows in memory. Raises NotFoundError for an unknown member."""
    known = rows.get(MEMBER, member)
    if known is None:
        raise _unknown(member)
    entries = sorted(
        (each for each in rows.all(STEP) if each.member == member), key=lambda each: each.seq
    )
    items = [rows.get(ITEM, (each.rulebook, each.version, each.item)) for each in entries]
    return _statement(
        known,
        rows.get(UNIT, known.unit),
        _of_member(as_of, member),
        list(zip(entries, items, strict=True)),
    )


def from_database(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, member: str
) -> MemberStatement:
    """Return a statement from a build's tables, as of a size that it holds.

    Raises NotFoundError for an unknown member.
    """
    asked = {"member": member, "size": as_of.size}
    found = connection.execute(query("statements", "member", build).encode(), asked).fetchone()
    if found is None:
        raise _unknown(member)
    known = MemberRow(*found[: len(MemberRow._fields)])
    unit = UnitRow(*found[len(MemberRow._fields) :])
    rows = connection.execute(query("statements", "steps", build).encode(), asked)
    width = len(StepRow._fields)
    steps: list[tuple[StepRow, ItemRow | None]] = []
    for row in rows:
        entry = StepRow(*row[:width])
        names = row[width:]
        item = None
        if names[0] is not None:
            item = ItemRow(entry.rulebook or "", entry.version or "", entry.item or "", *names)
        steps.append((entry, item))
    return _statement(known, unit, _of_member(as_of, member), steps)


def _statement(
    member: MemberRow,
    unit: UnitRow | None,
    as_of: AsOf,
    entries: list[tuple[StepRow, ItemRow | None]],
) -> MemberStatement:
    if unit is None:
        raise NotFoundError(f"the unit {member.unit} of member {member.id} is not recorded")
    balances = accumulate(entry.change for entry, _ in entries)
    steps = tuple(
        Step(entry, item, balance) for (entry, item), balance in zip(entries, balances, strict=True)
    )
    return MemberStatement(member, unit, as_of, steps)


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
