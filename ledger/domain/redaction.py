"""Decides the erasure of a text or file behind a commitment: by whom, and when (rule B22).

The entry stays as it is; what goes is outside the log. So nobody can erase why points were given
while somebody may still object or appeal, or while a case about it is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ledger.domain.days import zone_date
from ledger.domain.event import Proposal
from ledger.domain.rights import need_pair, signers
from ledger.domain.texts import Texts
from ledger.domain.world import World
from ledger.errors import Refused

APPEAL_DAYS = 30
"""Natural days after it is final, decided or sealed in which an entry can be appealed (B18)."""


class Use(NamedTuple):
    """One statement that stands on a commitment.

    `term_ends` is the last date of its last objection or appeal term, None while that is not
    fixed yet; `case` is the id of an open case about it.
    """

    statement: str
    term_ends: str | None
    case: str | None = None


def decide(world: World, proposal: Proposal, ident: str, today: str) -> None:
    """Raise Refused unless a registrar and a committee member ordered it in time (B22).

    The terms are checked where the stream's texts are among `world.texts`: the sequencer loads
    them, a verifier of whole logs does not.
    """
    signed = signers(world, proposal)
    member = world.members.get(ident)
    if member is None:
        raise Refused("member-known", f"member {ident} is not enrolled")
    for actor in signed:
        if world.linked.get(actor) == ident:
            raise Refused("no-self-review", f"{actor} is member {ident} and may not sign for it")
    need_pair(world, signed, "registrar", "committee", member.unit, today)
    organisation = world.organisation
    texts = world.texts.get(proposal.stream)
    if texts is None or organisation is None:
        return
    commitment = proposal.body["commitment"]
    if commitment in texts.erased:
        raise Refused("erased-once", f"{commitment[:16]}… was erased already")
    check_erasable(recorded_uses(texts, commitment, organisation.time_zone), today)


def recorded_uses(texts: Texts, commitment: str, time_zone: str) -> list[Use]:
    """Return what stands on a commitment, each with the appeal term that runs from its record.

    The least that any entry has; an account that knows the way of its entries knows better.
    """
    uses = []
    for held in texts.held.get(commitment, ()):
        recorded = date.fromisoformat(zone_date(time_zone, held.recorded_at))
        uses.append(Use(held.statement, (recorded + timedelta(APPEAL_DAYS)).isoformat()))
    return uses


def check_erasable(uses: Sequence[Use], today: str) -> None:
    """Raise Refused unless every use of a commitment is settled for good on `today` (B22)."""
    if not uses:
        raise Refused(
            "commitment-known", "this stream holds no such commitment: name the stream that does"
        )
    for use in uses:
        if use.case is not None:
            raise Refused(
                "erasure-case",
                f"case {use.case} about {use.statement} is open: erase after it is decided",
            )
        if use.term_ends is None:
            raise Refused(
                "erasure-term",
                f"{use.statement} is still on its way: erase after its last appeal term",
            )
        if today <= use.term_ends:
            raise Refused(
                "erasure-term",
                f"{use.statement} can be objected to or appealed until {use.term_ends}: erase "
                "after that day",
            )
