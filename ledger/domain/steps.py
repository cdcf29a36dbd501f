"""The types of an entry's way, of paths and of relations: one line each (see `Rule`)."""

from __future__ import annotations

from ledger.domain import corrections, lapses, objections, points, relations, way
from ledger.domain.event import Proposal
from ledger.domain.rights import need_pair, signers
from ledger.domain.rule import Rule, own
from ledger.domain.world import World
from ledger.errors import Refused


def adopted(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a secretary and a committee member adopt a unit's path."""
    signed = signers(world, proposal)
    if world.units.get(ident) is None:
        raise Refused("unit-known", f"unit {ident} is not opened")
    need_pair(world, signed, "secretary", "committee", ident, today)


RULES: dict[str, Rule] = {
    "policy.adopted": Rule("unit", adopted),
    "relation.declared": Rule("actor", relations.declared),
    "points.awarded": Rule("member", points.decide, points.needs),
    "points.deducted": Rule("member", points.decide, points.needs),
    "points.corrected": Rule("member", corrections.corrected, corrections.needs),
    "points.claimed": Rule("member", way.claimed, own),
    "points.checked": Rule("member", way.checked, own),
    "points.reviewed": Rule("member", way.reviewed, own),
    "points.returned": Rule("member", way.returned, own),
    "points.revised": Rule("member", way.revised, own),
    "points.rejected": Rule("member", way.rejected, own),
    "points.withdrawn": Rule("member", objections.withdrawn, own),
    "points.published": Rule("member", way.published, own),
    "points.filed": Rule("member", way.filed, own),
    "points.objected": Rule("member", objections.objected, own),
    "points.acknowledged": Rule("member", objections.acknowledged, own),
    "points.reconsidered": Rule("member", objections.reconsidered, own),
    "points.appealed": Rule("member", objections.appealed, own),
    "points.reexamined": Rule("member", objections.reexamined, own),
    "points.lapsed": Rule("member", lapses.lapsed, own),
    "points.extended": Rule("member", lapses.extended, own),
}
