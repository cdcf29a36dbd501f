"""A member's statement (积分明细): every points entry, what it changed, and what corrected it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import psycopg

from ledger.domain.event import Event
from ledger.domain.member import posting
from ledger.domain.points import CORRECTED
from ledger.errors import NotFoundError
from projections import roster
from projections.fold import AsOf, Need, ReadModel, Rows, Table
from projections.roster import MEMBER, UNIT, MemberRow, UnitRow
from projections.sql import query


class StepRow(NamedTuple):
    """A points entry by its statement's id.

    `points` is what it brings in itself, `change` what it does to the balance, both in signed
    hundredths: a correction also takes away the points of the entry that it `reverses`. One
    without a replacement brings in nothing and has no act.
    """

    id: str
    member: str
    seq: int
    log_index: int
    recorded_at: str
    type: str
    rulebook: str | None
    version: str | None
    item: str | None
    act_date: str | None
    points: int
    change: int
    reverses: str | None
    reversed_by: str | None


class ItemRow(NamedTuple):
    """A rule item's names in one version of its rulebook."""

    rulebook: str
    version: str
    code: str
    name_zh: str
    name_en: str


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
    1,
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
        known, rows.get(UNIT, known.unit), as_of, list(zip(entries, items, strict=True))
    )


def from_database(connection: psycopg.Connection[Any], as_of: AsOf, member: str) -> MemberStatement:
    """Return a statement from the read model's tables; `as_of` is their position in this snapshot.

    Raises NotFoundError for an unknown member.
    """
    version = STATEMENTS.version
    found = connection.execute(
        query("statements", "member", version).encode(), (member,)
    ).fetchone()
    if found is None:
        raise _unknown(member)
    known = MemberRow(*found[: len(MemberRow._fields)])
    unit = UnitRow(*found[len(MemberRow._fields) :])
    rows = connection.execute(query("statements", "steps", version).encode(), (member,))
    width = len(StepRow._fields)
    steps: list[tuple[StepRow, ItemRow | None]] = []
    for row in rows:
        entry = StepRow(*row[:width])
        names = row[width:]
        item = None
        if names[0] is not None:
            item = ItemRow(entry.rulebook or "", entry.version or "", entry.item or "", *names)
        steps.append((entry, item))
    return _statement(known, unit, as_of, steps)


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


def _unknown(member: str) -> NotFoundError:
    return NotFoundError(f"no member {member!r} is recorded: ask for one by its id")
