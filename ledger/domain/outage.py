"""Outages of the service, and the days that they take out of running terms (rule B21).

`outage.recorded` on `ledger/root`, by the service actor: from one instant to another the service
was down. What can be shown is that nothing was recorded in between, so an outage begins with the
log's last entry or later. Every day that it touches counts in no term. A short one takes out
nothing, or each restart would lengthen every term.
"""

from __future__ import annotations

from datetime import timedelta

from ledger.domain.event import Proposal
from ledger.domain.organisation import ROOT_UNIT
from ledger.domain.rights import holds, signers
from ledger.domain.world import World
from ledger.entry import parse_instant
from ledger.errors import FormatError, Refused

OUTAGE_MIN = timedelta(hours=4)


def decide(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless the service actor records a silence of the log that is over (B21)."""
    del ident
    signed = signers(world, proposal)
    if len(signed) != 1 or not holds(world, proposal.actor, "service", ROOT_UNIT, today):
        raise Refused("service-outage", "outages are recorded by the service actor, alone")
    first, last = proposal.body["from"], proposal.body["to"]
    try:
        length = parse_instant(last) - parse_instant(first)
    except FormatError as error:
        raise Refused("outage-instants", error.message) from None
    if length < OUTAGE_MIN:
        raise Refused(
            "outage-short",
            f"an outage of less than {OUTAGE_MIN} takes no day out of a term: leave it unrecorded",
        )
    if world.today(last) > today:
        raise Refused("outage-over", f"an outage until {last} is recorded when it is over")
    # The log's instants have six decimals, these have whole seconds.
    if first[:19] < world.last[:19]:
        raise Refused(
            "outage-silence",
            f"an entry was recorded at {world.last}, so the service was up after {first}: record "
            "no outage that the log speaks against",
        )
