"""Decides vetoes: a decision from outside makes a year's grade unqualified, no points (A35).

Which decisions do so, the rulebook says. Three documents confirm one (such as the decision, its
notice and the minutes), and two people who have nothing to do with the member sign for them. Where
the decision was annulled, two people of the unit above lift the veto.
"""

from __future__ import annotations

from ledger.domain.days import real_date
from ledger.domain.event import Proposal
from ledger.domain.member import LEFT, Member
from ledger.domain.pricing import price
from ledger.domain.relations import related
from ledger.domain.rights import holds_at, need_above, need_pair, path, signers
from ledger.domain.world import World
from ledger.errors import Refused


def confirmed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the rules of the decision's day have the veto, once a decision (A35).

    Those are the rules of the unit in which the member was on that day.
    """
    signed = signers(world, proposal)
    member = _member(world, ident)
    if member.status == LEFT:
        raise Refused("member-state", f"member {ident}: it stays closed")
    _need_apart(world, signed, ident)
    need_pair(world, signed, "secretary", "committee", member.unit, today)
    body = proposal.body
    day = real_date(body["decided_on"], "decided_on")
    if day > today:
        raise Refused("veto-past", f"a decision of {day} has not been made yet on {today}")
    history = world.histories.get(ident)
    stay = history.on(day) if history is not None else None
    if history is None or stay is None:
        raise Refused("member-then", f"{ident} was no member of a unit here on {day}")
    version = price(world, stay.unit, day, body["rulebook"], body["version"])
    code = body["veto"]
    if code not in version.vetoes:
        raise Refused("veto-known", f"{body['rulebook']} {version.version} has no veto {code}")
    if any(each.of == (body["rulebook"], code, day) for each in history.vetoes):
        raise Refused("veto-once", f"the veto {code} of {day} is confirmed for {ident} already")


def lifted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless two people of the unit above lift a veto that stands."""
    signed = signers(world, proposal)
    member = _member(world, ident)
    _need_apart(world, signed, ident)
    need_above(world, signed, member.unit, today)
    above = path(world, member.unit)[1:] or (member.unit,)
    if sum(holds_at(world, name, "upper", above, today) for name in signed) < 2:
        raise Refused("four-eyes", f"two people of the unit above {member.unit} must sign")
    history = world.histories.get(ident)
    if history is None or all(each.id != proposal.body["veto"] for each in history.vetoes):
        raise Refused("veto-stands", f"no veto {proposal.body['veto']} stands for {ident}")


def _member(world: World, ident: str) -> Member:
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    if member.merger is not None:
        raise Refused("member-merged", f"{ident} is closed: its vetoes are {member.merger.into}'s")
    return member


def _need_apart(world: World, signed: tuple[str, ...], ident: str) -> None:
    """Raise Refused where a signer is the member, or declared related to it (B6)."""
    for actor in signed:
        if world.linked.get(actor) == ident:
            raise Refused("no-self-review", f"{actor} is member {ident}: another must sign")
        if related(world, actor, ident):
            raise Refused(
                "recused", f"{actor} is declared related to member {ident}: another must sign"
            )
