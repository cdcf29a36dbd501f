"""Decides the end of a unit by merger or split, and who decides what it left open (B16).

On one day, the day after recording, every member of the unit is in another one (A27): in one unit
by a merger, in several by a split. The roles over it end the day before. What it had under way
goes to the committee of the unit in which the member then is (`eligibility.deciding_unit`); acts
before that day keep the old unit's price, and its tables stay under it, to be finished by the unit
above. Groups under it are moved first, since a split must say where each goes.
"""

from __future__ import annotations

from ledger.domain.event import Proposal
from ledger.domain.member import LEFT
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.rights import need, need_above, signers
from ledger.domain.world import World
from ledger.errors import Refused
from ledger.rules.period import following


def closed(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a registrar and the unit above place every member elsewhere."""
    signed = signers(world, proposal)
    unit, body = world.units.get(ident), proposal.body
    if unit is None or unit.closed is not None or ident == ROOT_UNIT:
        raise Refused("unit-known", f"{ident} is no open unit under root")
    if body["date"] != following(today):
        raise Refused("unit-date", f"record it on the day before: now it is for {following(today)}")
    groups = [
        name
        for name in world.units
        if (below := world.units.get(name)) and below.parent == ident and below.closed is None
    ]
    if groups:
        raise Refused(
            "unit-groups", f"{', '.join(sorted(groups))} lie under {ident}: move them first"
        )
    need(world, proposal.actor, "registrar", ident, today)
    targets = [each["unit"] for each in body["into"]]
    if len(set(targets)) != len(targets) or ident in targets:
        raise Refused("unit-into", f"name each unit that takes members of {ident} once")
    for name in targets:
        target = world.units.get(name)
        if target is None or target.closed is not None:
            raise Refused("unit-known", f"unit {name} is not opened")
        need(world, proposal.actor, "registrar", name, today)
    others = tuple(actor for actor in signed if actor != proposal.actor)
    if not others:
        raise Refused("four-eyes", f"{proposal.actor} alone signed: the unit above must sign too")
    need_above(world, others, ident, today)
    _need_everybody(world, ident, [m for each in body["into"] for m in each["members"]], body)


def _need_everybody(world: World, ident: str, named: list[str], body: dict[str, str]) -> None:
    """Raise Refused unless the members of the unit are named, each once, and may move."""
    members = sorted(
        name
        for name in world.members
        if (known := world.members.get(name)) and known.unit == ident and known.status != LEFT
    )
    if sorted(named) != members:
        wrong = sorted(set(members) ^ set(named)) or sorted(n for n in named if named.count(n) > 1)
        raise Refused(
            "unit-members",
            f"name each member of {ident} once: {wrong[0]} is left out, named twice or not here",
        )
    for name in members:
        history = world.histories.get(name)
        if history is not None and history.stays[-1].start >= body["date"]:
            raise Refused(
                "member-order",
                f"member {name} has a change from {history.stays[-1].start}: let it begin first",
            )
