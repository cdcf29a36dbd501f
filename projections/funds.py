"""Reward funds: what was endowed, redeemed and is in stock, and every move (A17, B20).

After every entry `endowed = redeemed + stock`. A move that is taken back stays, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import psycopg

from ledger.domain import fund as funds
from ledger.domain.event import Event
from ledger.domain.fund import Fund, Move
from ledger.domain.member import MERGED
from ledger.errors import NotFoundError
from projections.columns import POINTS, Id, Note
from projections.fold import AsOf, Group, Need, ReadModel, Rows, Table
from projections.sql import query


class FundRow(NamedTuple):
    """A fund as it stands."""

    id: Annotated[str, Note("The fund's id.")]
    version: Annotated[int, Note("Entries in its stream so far.", "entries")]
    unit: Annotated[str, Note("The unit whose members redeem from it, with its sub-units.")]
    endowed: Annotated[int, Note("What was put in, less what was taken back.", POINTS)]
    redeemed: Annotated[int, Note("What members redeemed, less what was taken back.", POINTS)]
    stock: Annotated[int, Note("What is left.", POINTS)]


class MoveRow(NamedTuple):
    """An endowment of a fund, or what a member redeemed from it."""

    id: Id
    fund: Annotated[str, Note("The fund's id.")]
    log_index: Annotated[int, Note("Place in the log, from 0.")]
    recorded_at: Annotated[str, Note("When it was recorded, RFC 3339 in UTC.")]
    kind: Annotated[str, Note("fund.endowed or fund.redeemed.")]
    points: Annotated[int, Note("How much, positive.", POINTS)]
    member: Annotated[str | None, Note("Who redeemed; none for an endowment.")]
    reversed: Annotated[bool, Note("Whether it was taken back.")]


FUND = Table("fund", FundRow)
MOVE = Table("move", MoveRow, group="member")


@dataclass(frozen=True, slots=True)
class FundSheet:
    """A fund with its moves in order, at a position of the log."""

    as_of: AsOf
    fund: FundRow
    moves: tuple[MoveRow, ...]


@dataclass(frozen=True, slots=True)
class Funds:
    """Every fund by id, at a position of the log."""

    as_of: AsOf
    funds: tuple[FundRow, ...]


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event."""
    proposal = event.proposal
    kind, _, ident = proposal.stream.partition("/")
    if kind == "member":
        return (Group(MOVE, ident),) if proposal.type == MERGED else ()
    named: list[Need] = [(FUND, ident)]
    if "reverses" in proposal.body:
        named.append((MOVE, proposal.body["reverses"]))
    return named


def fold(event: Event, rows: Rows) -> None:
    """Fold one event by the domain's own fold; a closed second id's moves go on under the other."""
    proposal = event.proposal
    kind, _, ident = proposal.stream.partition("/")
    if kind == "member":
        if proposal.type == MERGED:
            for row in rows.some(MOVE, ident):
                rows.put(MOVE, row._replace(member=proposal.body["into"]))
        return
    known = rows.get(FUND, ident)
    target = rows.get(MOVE, proposal.body["reverses"]) if "reverses" in proposal.body else None
    before = None
    if known is not None:
        moves = {target.id: Move(*target[4:])} if target is not None else {}
        before = Fund(*known, moves)
    fund = funds.evolve(before, event)
    rows.put(FUND, FundRow(*(getattr(fund, name) for name in FundRow._fields)))
    if target is not None:
        rows.put(MOVE, target._replace(reversed=True))
    elif proposal.id in fund.moves:
        move = fund.moves[proposal.id]
        rows.put(MOVE, MoveRow(proposal.id, ident, event.index, event.recorded_at, *move))


FUNDS = ReadModel("funds", 1, (FUND, MOVE), frozenset({"fund", "member"}), needs, fold)


def from_rows(rows: Rows, as_of: AsOf) -> Funds:
    """Return every fund, from all rows in memory."""
    return Funds(as_of, tuple(sorted(rows.all(FUND))))


def sheet_from_rows(rows: Rows, as_of: AsOf, ident: str) -> FundSheet:
    """Return a fund with its moves, from all rows in memory. Raises NotFoundError."""
    found = rows.get(FUND, ident)
    if found is None:
        raise _unknown(ident)
    moves = sorted((e for e in rows.all(MOVE) if e.fund == ident), key=lambda e: e.log_index)
    return FundSheet(as_of, found, tuple(moves))


def from_database(connection: psycopg.Connection[Any], build: int, as_of: AsOf) -> Funds:
    """Return every fund, from a build's tables."""
    found = connection.execute(query("funds", "funds", build).encode(), {"size": as_of.size})
    return Funds(as_of, tuple(FundRow(*each) for each in found))


def sheet_from_database(
    connection: psycopg.Connection[Any], build: int, as_of: AsOf, ident: str
) -> FundSheet:
    """Return a fund with its moves, from a build's tables. Raises NotFoundError."""
    asked = {"size": as_of.size, "fund": ident}
    found = connection.execute(query("funds", "fund", build).encode(), asked).fetchone()
    if found is None:
        raise _unknown(ident)
    moves = connection.execute(query("funds", "moves", build).encode(), asked)
    return FundSheet(as_of, FundRow(*found), tuple(MoveRow(*each) for each in moves))


def _unknown(ident: str) -> NotFoundError:
    return NotFoundError(f"no fund {ident!r} is opened: name one by its id")
