"""Units and members as they stand: tables and a fold that several read models contain.

Each model keeps rows of its own, so that it can be rebuilt alone and every answer comes from one
position in the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from sys import intern
from typing import Annotated, Any, NamedTuple

import orjson

from ledger.domain import history as histories
from ledger.domain import member as members
from ledger.domain import unit as units
from ledger.domain.event import Event
from ledger.domain.history import History, Stay
from ledger.domain.member import Member
from ledger.domain.unit import Unit
from ledger.rules.member import FOREVER, Days, Veto
from projections import frame
from projections.columns import DATE, Note
from projections.fold import Need, Rows, Table

KINDS = frame.KINDS | {"member"}


class UnitRow(NamedTuple):
    """The fields of `ledger.domain.unit.Unit`."""

    id: Annotated[str, Note("The unit's id.")]
    version: Annotated[int, Note("Entries in the unit's stream so far.", "entries")]
    parent: Annotated[str | None, Note("The unit above; none for the root.")]
    start: Annotated[str, Note("The day from which the unit exists.", kind=DATE)]
    name_zh: Annotated[str, Note("The unit's name in Chinese.")]
    name_en: Annotated[str, Note("The unit's name in English.")]
    short_path: Annotated[
        bool | None, Note("Whether its own policy allows the short path; none if it has none.")
    ]
    closed: Annotated[
        str | None, Note("The first day on which its members are elsewhere.", kind=DATE)
    ]


class MemberRow(NamedTuple):
    """The fields of `ledger.domain.member.Member`, and those of its history by day."""

    id: Annotated[str, Note("The member's id.")]
    version: Annotated[
        int, Note("The last entry of the member's stream about the member itself.", "entries")
    ]
    unit: Annotated[str, Note("The unit that the member belongs to.")]
    member_type: Annotated[str, Note("The member's type, as the rulebooks name them.")]
    actor: Annotated[str | None, Note("The actor who is the same person, if one is linked.")]
    status: Annotated[str, Note("active, suspended or left.")]
    moves: Annotated[int, Note("Changes of unit or type so far.", "changes")]
    stays: Annotated[str, Note("First day, unit and type of each stay, JSON.")]
    away: Annotated[str, Note("First and last days of exemptions and of suspensions, JSON.")]
    left_on: Annotated[str, Note("The last day of a member who left, else 9999-12-31.", kind=DATE)]
    vetoes: Annotated[str, Note("The vetoes that stand, JSON.")]


UNIT = Table("unit", UnitRow)
MEMBER = Table("member", MemberRow, group="unit")


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event of the frame or of a member's stream."""
    proposal = event.proposal
    kind, _, ident = proposal.stream.partition("/")
    if kind == "unit":
        return ((UNIT, ident), *((MEMBER, each) for each in moved_by(event)))
    if kind != "member":
        return ()
    return ((MEMBER, ident), *((MEMBER, each) for each in merged_into(event)))


def moved_by(event: Event) -> tuple[str, ...]:
    """Return the members whom the closing of a unit moves (B16)."""
    if event.proposal.type != units.CLOSED:
        return ()
    return tuple(each for part in event.proposal.body["into"] for each in part["members"])


def merged_into(event: Event) -> tuple[str, ...]:
    """Return the id that goes on where a member's second id is closed (B14)."""
    return (event.proposal.body["into"],) if event.proposal.type == members.MERGED else ()


def fold(event: Event, rows: Rows) -> None:
    """Fold an event of the frame, or one of `member/<id>` that is not about points."""
    kind, _, ident = event.proposal.stream.partition("/")
    if kind != "member":
        if frame.belongs(event):
            frame.fold(event, rows)
        if kind == "unit":
            fold_unit(event, rows)
            if event.proposal.type == units.CLOSED:
                _move(event, rows)
        return
    known = rows.get(MEMBER, ident)
    member = members.evolve(Member(*known[:6]) if known else None, event)
    today = frame.frame_of(rows).today(event.recorded_at)
    history = histories.evolve(history_of(known) if known else None, event, today)
    rows.put(
        MEMBER,
        MemberRow(
            intern(member.id),
            member.version,
            intern(member.unit),
            intern(member.member_type),
            member.actor,
            member.status,
            **_by_day(history),
        ),
    )
    for into in merged_into(event):
        frame.fold(event, rows)
        kept = rows.get(MEMBER, into)
        if kept is not None:
            taken = histories.taken_over(history_of(kept), history)
            actor = kept.actor or member.actor
            rows.put(MEMBER, kept._replace(actor=actor, **_by_day(taken)))


def _move(event: Event, rows: Rows) -> None:
    """Put the members of a closed unit where its closing says (B16)."""
    for part in event.proposal.body["into"]:
        for name in part["members"]:
            known = rows.get(MEMBER, name)
            if known is None:
                raise ValueError(f"member {name} of a closed unit is not enrolled")
            stay = Stay(event.proposal.body["date"], part["unit"], known.member_type)
            history = histories.moved(history_of(known), stay)
            rows.put(MEMBER, known._replace(unit=intern(part["unit"]), **_by_day(history)))


def fold_unit(event: Event, rows: Rows) -> None:
    """Fold an event of `unit/<id>` into the unit itself."""
    before = rows.get(UNIT, event.proposal.stream.partition("/")[2])
    unit = units.evolve(Unit(*before) if before else None, event)
    rows.put(UNIT, UnitRow(*(getattr(unit, name) for name in UnitRow._fields)))


def _by_day(history: History) -> dict[str, Any]:
    """Return the fields of a member's row that hold its history."""
    away = [[list(each) for each in days] for days in (history.exempt, history.suspended)]
    return {
        "moves": len(history.stays) - 1,
        "stays": orjson.dumps([list(each) for each in history.stays]).decode(),
        "away": orjson.dumps(away).decode(),
        "left_on": history.left,
        "vetoes": orjson.dumps([list(each) for each in history.vetoes]).decode(),
    }


def history_of(row: MemberRow) -> History:
    """Return a member's history by day."""
    return _history(row.stays, row.away, str(row.left_on), row.vetoes)


@lru_cache(maxsize=100_000)
def _history(stays: str, away: str, left: str, vetoes: str) -> History:
    exempt, suspended = orjson.loads(away)
    return History(
        tuple(Stay(*each) for each in orjson.loads(stays)),
        tuple(Days(*each) for each in exempt),
        tuple(Days(*each) for each in suspended),
        left or FOREVER,
        tuple(Veto(*each) for each in orjson.loads(vetoes)),
    )
