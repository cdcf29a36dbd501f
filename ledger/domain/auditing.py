"""Decides what an auditor records before drawing a sample (issue 5 point 8; cheat 11).

The query stands on the stream of the unit that is looked at. It is recorded first and the seed
comes from the checkpoint that covers it, so nobody can try queries until a sample suits.
"""

from __future__ import annotations

from ledger.domain.days import real_date
from ledger.domain.event import Proposal
from ledger.domain.rights import need, signers
from ledger.domain.world import World
from ledger.errors import Refused

QUERIED = "audit.queried"


def queried(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless an auditor over the unit says what will be drawn, of which days."""
    signers(world, proposal)
    if world.units.get(ident) is None:
        raise Refused("unit-known", f"unit {ident} is not opened")
    need(world, proposal.actor, "auditor", ident, today)
    query = proposal.body["query"]
    days = [real_date(query[name], name) for name in ("from", "until") if name in query]
    if days != sorted(days):
        raise Refused("query-days", f"the query runs from {days[0]} to {days[1]}: turn them round")
