"""Units and members as they stand: tables and a fold that several read models contain.

Each model keeps rows of its own, so that it can be rebuilt alone and every answer comes from one
position in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern
from typing import Annotated, NamedTuple

from ledger.domain import member as members
from ledger.domain import unit as units
from ledger.domain.event import Event
from ledger.domain.member import Member
from ledger.domain.unit import Unit
from projections.columns import DATE, Note
from projections.fold import Need, Rows, Table


class UnitRow(NamedTuple):
    """The fields of `ledger.domain.unit.Unit`."""

    id: Annotated[str, Note("The unit's id.")]
    version: Annotated[int, Note("Entries in the unit's stream so far.", "entries")]
    parent: Annotated[str | None, Note("The unit above; none for the root.")]
    start: Annotated[str, Note("The day from which the unit exists.", kind=DATE)]
    name_zh: Annotated[str, Note("The unit's name in Chinese.")]
    name_en: Annotated[str, Note("The unit's name in English.")]


class MemberRow(NamedTuple):
    """The fields of `ledger.domain.member.Member`."""

    id: Annotated[str, Note("The member's id.")]
    version: Annotated[
        int, Note("The last entry of the member's stream about the member itself.", "entries")
    ]
    unit: Annotated[str, Note("The unit that the member belongs to.")]
    member_type: Annotated[str, Note("The member's type, as the rulebooks name them.")]
    actor: Annotated[str | None, Note("The actor who is the same person, if one is linked.")]
    status: Annotated[str, Note("active, suspended or left.")]


UNIT = Table("unit", UnitRow)
MEMBER = Table("member", MemberRow)


def needs(event: Event) -> Iterable[Need]:
    """Name the rows that `fold` reads for an event of a unit's or a member's stream."""
    proposal = event.proposal
    kind, _, ident = proposal.stream.partition("/")
    named: list[Need] = [(UNIT if kind == "unit" else MEMBER, ident)]
    if proposal.type == units.CLOSED:
        named += [(MEMBER, each) for part in proposal.body["into"] for each in part["members"]]
    elif proposal.type == members.MERGED:
        named.append((MEMBER, proposal.body["into"]))
    return named


def fold(event: Event, rows: Rows) -> None:
    """Fold an event of `unit/<id>`, or one of `member/<id>` that is not about points."""
    kind, _, ident = event.proposal.stream.partition("/")
    if kind == "unit":
        before = rows.get(UNIT, ident)
        unit = units.evolve(Unit(*before) if before else None, event)
        rows.put(
            UNIT,
            UnitRow(unit.id, unit.version, unit.parent, unit.start, unit.name_zh, unit.name_en),
        )
        if event.proposal.type == units.CLOSED:
            _move(event, rows)
        return
    known = rows.get(MEMBER, ident)
    member = members.evolve(Member(*known) if known else None, event)
    rows.put(
        MEMBER,
        MemberRow(
            intern(member.id),
            member.version,
            intern(member.unit),
            intern(member.member_type),
            member.actor,
            member.status,
        ),
    )
    if member.merger is not None:
        kept = rows.get(MEMBER, member.merger.into)
        if kept is not None and kept.actor is None:
            rows.put(MEMBER, kept._replace(actor=member.actor))


def _move(event: Event, rows: Rows) -> None:
    """Put the members of a closed unit where its closing says (B16)."""
    for part in event.proposal.body["into"]:
        for name in part["members"]:
            known = rows.get(MEMBER, name)
            if known is None:
                raise ValueError(f"member {name} of a closed unit is not enrolled")
            rows.put(MEMBER, known._replace(unit=intern(part["unit"])))


def covered(units_by_id: Mapping[str, UnitRow], unit: str) -> dict[str, UnitRow]:
    """Return `unit` and every unit below it, by id."""
    below: dict[str | None, list[str]] = {}
    for each in units_by_id.values():
        below.setdefault(each.parent, []).append(each.id)
    found: dict[str, UnitRow] = {}
    waiting = [unit]
    while waiting:
        ident = waiting.pop()
        if ident in units_by_id and ident not in found:
            found[ident] = units_by_id[ident]
            waiting += below.get(ident, ())
    return found
