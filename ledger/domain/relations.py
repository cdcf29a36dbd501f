"""Declared relations: who may not decide about whom (B6).

Each actor declares every year to whom they are related, "none" too, as ids without the kind of
relation. A pair counts from either side, and from its declaration on: what a person did before
stays recorded, and is void where it was not final yet (`eligibility.voided`).
"""

from __future__ import annotations

from ledger.domain.event import Proposal
from ledger.domain.rights import signers
from ledger.domain.world import World
from ledger.errors import Refused


def related(world: World, actor: str, member: str) -> bool:
    """Tell whether the newest declaration of either person names the other."""
    known = world.members.get(member)
    own = known.actor if known is not None else None
    person = world.actors.get(actor)
    if person is not None and person.related and not person.related.isdisjoint({member, own}):
        return True
    if own is None:
        return False
    other = world.actors.get(own)
    return (
        other is not None
        and bool(other.related)
        and not other.related.isdisjoint({actor, world.linked.get(actor)})
    )


def declared(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a person declares for themselves, for this year."""
    signed = signers(world, proposal)
    if signed != (ident,):
        raise Refused("own-declaration", f"{ident} alone declares the relations of {ident}")
    body = proposal.body
    if str(body["year"]) != today[:4]:
        raise Refused("relation-year", f"declare for {today[:4]}, not for {body['year']}")
    if ident in body["related"]:
        raise Refused("relation-self", f"{ident} is no relation of itself: name others, or none")
